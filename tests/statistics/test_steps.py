"""Statistics of a series: against NumPy's two passes, in parts, with gaps, and the mean flow as a flow."""

import pickle
from fractions import Fraction

import numpy as np
import pytest

from flowgrad import (
    Cells,
    Flow,
    Lattice,
    Mesh,
    MeshError,
    OptionError,
    Patch,
    Series,
    VelocityGradient,
    series_statistics,
    velocity_gradient,
    velocity_gradients,
)
from flowgrad.statistics import Moments
from tests import meshes

RNG = np.random.default_rng(11)
MESH = meshes.SOLIDS["tetra"]
N = len(MESH.points)
TIMES = np.cumsum(RNG.uniform(0.5, 2, 9))
VELOCITIES = RNG.normal(size=(9, N, 3)) + MESH.points


def series(chosen=slice(None), velocities=VELOCITIES):
    return Series.from_arrays(MESH, TIMES[chosen], velocities[chosen])


def test_against_two_passes():
    found = series_statistics(series(), ("velocity", "shear_rate", "L", "vorticity"))
    gradients = list(velocity_gradients(series()))
    for name in ("velocity", "shear_rate", "L", "vorticity"):
        each = VELOCITIES if name == "velocity" else np.stack([gradient[name] for gradient in gradients])
        np.testing.assert_allclose(found.mean(name), each.mean(axis=0), atol=1e-13)
        np.testing.assert_allclose(found.rms(name), each.std(axis=0), rtol=1e-12, atol=1e-14)
        np.testing.assert_array_equal(found.minimum(name), each.min(axis=0))
        np.testing.assert_array_equal(found.maximum(name), each.max(axis=0))
        assert (found.count(name) == 9).all()
    assert found.steps == 9
    assert not found.notes
    for name, each in (("velocity", VELOCITIES), ("vorticity", np.stack([g["vorticity"] for g in gradients]))):
        apart = each - each.mean(axis=0)
        covariance = np.einsum("tni,tnj->nij", apart, apart) / 9
        np.testing.assert_allclose(found.covariance(name), covariance, atol=1e-13 * covariance.max())
    np.testing.assert_array_equal(found.reynolds_stress, found.covariance("velocity"))


def test_weights():
    weights = RNG.uniform(0.1, 3, 9)
    found = series_statistics(series(), weights=weights)
    np.testing.assert_allclose(found.mean("velocity"), np.average(VELOCITIES, axis=0, weights=weights), atol=1e-14)
    for place in (0, N - 1):
        cov = np.cov(VELOCITIES[:, place].T, aweights=weights, ddof=0)
        np.testing.assert_allclose(found.reynolds_stress[place], cov, atol=1e-13)


def test_weights_by_time_are_those_of_the_trapezoidal_rule():
    found = series_statistics(series(), weights="time")
    mean = np.trapezoid(VELOCITIES, TIMES, axis=0) / (TIMES[-1] - TIMES[0])
    np.testing.assert_allclose(found.mean("velocity"), mean, atol=1e-14)
    parts = [series_statistics(series(part), weights="time") for part in (slice(0, 5), slice(4, None))]
    np.testing.assert_allclose(parts[0].merge(parts[1]).mean("velocity"), mean, atol=1e-14)
    with pytest.raises(OptionError, match="needs the interval to another step"):
        series_statistics(series(slice(1)), weights="time")
    with pytest.raises(OptionError, match="steps 0 and 1 both have the time 1"):
        series_statistics(Series.from_arrays(MESH, [1.0, 1.0], VELOCITIES[:2]), weights="time")


@pytest.mark.parametrize("cut", [1, 4, 8])
def test_parts_merge_to_the_whole(cut):
    names = ("velocity", "shear_rate")
    whole = series_statistics(series(), names)
    parts = [series_statistics(series(part), names) for part in (slice(0, cut), slice(cut, None))]
    one, other = pickle.loads(pickle.dumps(parts))
    for merged in (parts[0].merge(parts[1]), other.merge(one)):
        assert merged.steps == 9
        for name in names:
            for what in ("mean", "rms", "minimum", "maximum", "count"):
                np.testing.assert_allclose(getattr(merged, what)(name), getattr(whole, what)(name), rtol=1e-12)
        np.testing.assert_allclose(merged.reynolds_stress, whole.reynolds_stress, atol=1e-13)
    assert parts[0].steps == cut


def test_large_means_cost_no_digits():
    """Against exact fractions: the error of the variance is that of the mean's rounding, not of its square."""
    values = 1e8 + RNG.normal(size=(60, 4))
    pieces = [Moments.of_sample(row, 1.0) for row in values]
    halves = [pieces[0].empty(), pieces[0].empty()]
    for number, piece in enumerate(pieces):
        halves[number // 30].absorb(piece)
    found = halves[0].merge(halves[1])
    for place in range(4):
        exact = [Fraction(v) for v in values[:, place].tolist()]
        mean = sum(exact) / 60
        variance = float(sum((v - mean) ** 2 for v in exact) / 60)
        assert found.variance[place] == pytest.approx(variance, rel=1e-7)
        assert found.mean[place, 0] == pytest.approx(float(mean), rel=3e-16)


def test_constant_values_do_not_fluctuate():
    flows = [Flow(MESH, MESH.points / 3, "points")] * 5
    found = series_statistics(flows)
    np.testing.assert_array_equal(found.mean("velocity"), MESH.points / 3)
    assert not found.reynolds_stress.any()


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_scale_and_rotation(scale):
    Q = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    found = series_statistics(series())
    other = series_statistics(series(velocities=scale * VELOCITIES @ Q.T + 5 * scale))
    expected = scale**2 * Q @ found.reynolds_stress @ Q.T
    np.testing.assert_allclose(other.reynolds_stress, expected, atol=1e-13 * scale**2)


def test_gaps_are_counted_at_their_places():
    velocities = VELOCITIES.copy()
    velocities[2, 5, 1] = velocities[3, 5] = np.nan
    velocities[:, 7] = np.nan
    velocities[0, 9] = np.inf
    found = series_statistics(series(velocities=velocities))
    assert found.count("velocity")[[4, 5, 7, 9]].tolist() == [9, 7, 0, 8]
    kept = np.delete(VELOCITIES[:, 5], [2, 3], axis=0)
    np.testing.assert_allclose(found.mean("velocity")[5], kept.mean(axis=0), atol=1e-14)
    np.testing.assert_allclose(found.reynolds_stress[5], np.cov(kept.T, ddof=0), atol=1e-13)
    np.testing.assert_array_equal(found.maximum("velocity")[9], VELOCITIES[1:, 9].max(axis=0))
    for values in (found.mean("velocity"), found.rms("velocity"), found.minimum("velocity"), found.reynolds_stress):
        assert np.isnan(values[7]).all()
    assert found.notes == (f"velocity: 3 of {N} places lack some of 9 steps, 1 all",)
    assert "velocity_count" in found.arrays()


def test_components_that_are_known_nowhere_hide_no_others():
    mesh = Lattice.uniform((5, 5), 0.2)
    flows = [Flow(mesh, mesh.points * t, "points", t, out_of_plane="unknown") for t in (1.0, 2.0, 3.0)]
    found = series_statistics(velocity_gradients(flows), ["L"])
    assert (found.count("L") == 3).all()
    np.testing.assert_allclose(found.mean("L")[:, :2, :2], np.broadcast_to(2 * np.eye(2), (25, 2, 2)), atol=1e-13)
    assert np.isnan(found.mean("L")[:, :, 2]).all()


def test_chunks_change_nothing(monkeypatch):
    whole = series_statistics(series()).arrays()
    monkeypatch.setattr("flowgrad.compiled.PIECE", 7)
    for name, values in series_statistics(series()).arrays().items():
        np.testing.assert_array_equal(values, whole[name])


def test_the_mean_flow_is_a_flow():
    found = series_statistics(series(), ("velocity", "L"), weights="time")
    mean = found.flow()
    np.testing.assert_array_equal(mean.velocity, found.mean("velocity"))
    np.testing.assert_allclose(velocity_gradient(mean).L, found.mean("L"), atol=1e-12)
    assert mean.time is None
    assert mean.mesh is found.first.mesh
    assert {"velocity_mean", "velocity_rms", "L_maximum", "reynolds_stress"} <= set(mean.point_data)


def walls(value, faces=slice(None)):
    chosen = np.arange(len(MESH.topology.boundary))[faces]
    half = len(chosen) // 2
    return tuple(
        Patch(n, rows, np.full((len(rows), 3), value)) for n, rows in (("a", chosen[:half]), ("b", chosen[half:]))
    )


def test_velocities_on_the_boundary_have_a_mean():
    flows = [Flow(MESH, MESH.centroids * t, "cells", t, boundary=walls(t)) for t in (1.0, 2.0, 6.0)]
    found = series_statistics(flows)
    mean = found.flow()
    assert [patch.name for patch in mean.boundary] == ["a", "b"]
    for patch in mean.boundary:
        np.testing.assert_array_equal(patch.velocity, 3.0)
    merged = series_statistics(flows[:1]).merge(series_statistics(flows[1:]))
    np.testing.assert_allclose(merged.flow().boundary[1].velocity, 3.0)
    np.testing.assert_allclose(
        velocity_gradient(mean).L, series_statistics(velocity_gradients(flows), ["L"]).mean("L"), atol=1e-11
    )
    other = Flow(MESH, MESH.centroids, "cells", 9.0, boundary=walls(1.0, slice(3, None)))
    left_out = series_statistics([*flows, other])
    assert left_out.flow().boundary == ()
    assert "have no mean" in left_out.notes[0]


def test_gradients_at_positions_and_without_a_flow():
    at = MESH.points.mean(axis=0) + 0.01 * RNG.normal(size=(4, 3))
    found = series_statistics(series(), ["shear_rate"], at=at)
    each = [velocity_gradient(flow, at=at)["shear_rate"] for flow in series()]
    np.testing.assert_allclose(found.mean("shear_rate"), np.mean(each, axis=0), rtol=1e-12)
    with pytest.raises(OptionError, match="the mean velocity is at positions"):
        found.flow()
    tensors = RNG.normal(size=(3, 6, 3, 3))
    alone = series_statistics([VelocityGradient(L) for L in tensors], ["D"])
    np.testing.assert_allclose(alone.mean("D"), (tensors + np.swapaxes(tensors, 2, 3)).mean(axis=0) / 2, atol=1e-15)


def test_quantities_that_need_rates():
    found = series_statistics(velocity_gradients(series(), rates=True), ["velocity_rate"])
    expected = np.gradient(VELOCITIES, TIMES, axis=0, edge_order=2).mean(axis=0)
    np.testing.assert_allclose(found.mean("velocity_rate"), expected, atol=1e-12)


def test_what_is_wrong_is_said():
    found = series_statistics(series())
    with pytest.raises(OptionError, match="no statistics of 'D': there are those of velocity"):
        found.mean("D")
    with pytest.raises(OptionError, match="there are no steps"):
        series_statistics([])
    with pytest.raises(OptionError, match="shear_rat"):
        series_statistics(series(), "shear_rat")
    with pytest.raises(OptionError, match="say time"):
        series_statistics(series(), weights="mass")
    with pytest.raises(OptionError, match="the weight of step 2 is None"):
        series_statistics(series(), weights=[1, 2])
    with pytest.raises(OptionError, match="the weight of step 0 is -1"):
        series_statistics(series(), weights=[-1] * 9)
    with pytest.raises(OptionError, match="more weights than the 9 steps"):
        series_statistics(series(), weights=[1] * 10)
    with pytest.raises(OptionError, match="the gradients have theirs"):
        series_statistics(velocity_gradients(series()), at="cells")
    with pytest.raises(OptionError, match="take the same quantities"):
        found.merge(series_statistics(series(), ["L"]))
    with pytest.raises(OptionError, match="choose a vector"):
        series_statistics(series(), ["L"]).covariance("L")
    moved = type(MESH)(MESH.points + 1, MESH.cells)
    with pytest.raises(MeshError, match=r"step 1 is on another mesh .*points have moved"):
        series_statistics([Flow(MESH, MESH.points, "points"), Flow(moved, MESH.points, "points")])
    with pytest.raises(OptionError, match="step 1 is at cells, and the first is at points"):
        series_statistics([Flow(MESH, MESH.points, "points"), Flow(MESH, MESH.centroids, "cells")])


def test_steps_are_taken_one_by_one():
    alive, most = 0, 0

    class Counted(Flow):
        def __post_init__(self):
            nonlocal alive, most
            super().__post_init__()
            if self.time is not None:
                alive += 1
                most = max(most, alive)

        def __del__(self):
            nonlocal alive
            if self.time is not None:
                alive -= 1

    series_statistics(Counted(MESH, MESH.points * t, "points", float(t)) for t in range(6))
    assert most <= 2
    most = 0
    series_statistics((Counted(MESH, MESH.points * t, "points", float(t)) for t in range(6)), weights="time")
    assert most <= 3


@pytest.mark.parametrize("lacking", [0, 4, 6])
def test_a_step_that_lacks_one_component_is_left_out(lacking):
    steps = RNG.normal(size=(7, 20, 3))
    steps[lacking, :, 2] = np.nan
    mesh = Mesh(RNG.uniform(size=(20, 3)), Cells.empty())
    found = series_statistics(Series.from_arrays(mesh, np.arange(7.0), steps))
    rest = np.delete(steps, lacking, axis=0)
    np.testing.assert_allclose(found.mean("velocity"), rest.mean(axis=0), atol=1e-14)
    np.testing.assert_allclose(found.rms("velocity"), rest.std(axis=0), atol=1e-14)
    assert (found.count("velocity") == 6).all()
    assert any("lack" in note for note in found.notes)


def test_a_component_that_no_step_knows_is_not_known():
    steps = RNG.normal(size=(4, 20, 3))
    steps[:, :, 2] = np.nan
    mesh = Mesh(RNG.uniform(size=(20, 3)), Cells.empty())
    found = series_statistics(Series.from_arrays(mesh, np.arange(4.0), steps))
    np.testing.assert_allclose(found.mean("velocity")[:, :2], steps.mean(axis=0)[:, :2], atol=1e-14)
    assert np.isnan(found.mean("velocity")[:, 2]).all()
    assert np.isnan(found.reynolds_stress[:, 2]).all()
    assert np.isfinite(found.reynolds_stress[:, :2, :2]).all()
    assert (found.count("velocity") == 4).all()
