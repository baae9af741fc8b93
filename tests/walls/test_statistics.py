"""Averages over time on walls: TAWSS, OSI, RRT and transWSS."""

import dataclasses
import functools
import pickle

import numpy as np
import pytest
from scipy.special import ellipe

from flowgrad import Flow, Lattice, MeshError, OptionError, Series, at_walls, plot, to_pandas, write
from flowgrad.io import read_contents
from flowgrad.mesh.generate import block
from flowgrad.walls import OVER_TIME, WallStatistics, wall_statistics, wall_statistics_summary
from tests.walls.womersley import Womersley, pulsating

TURN = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]
PLATE = block("tetra", 4)
TIMES = np.cumsum(np.random.default_rng(1).uniform(0.2, 2.0, 23))


def below(centroids):
    return centroids @ np.eye(3)[2] < 1e-9


def series(stress, times, turn=None, mesh=PLATE):
    """The flow v = τ(t) z over the plate z = 0, of viscosity 1, turned, and the mask of the plate."""
    turn = np.eye(3) if turn is None else turn
    wall = below(mesh.topology.boundary_geometry[1])
    turned = dataclasses.replace(mesh, points=mesh.points @ turn.T)
    velocities = [np.outer(mesh.points[:, 2], turn @ stress(t)) for t in times]
    return Series.from_arrays(turned, times, velocities), wall


def of(stress, times, turn=None, **told):
    flows, wall = series(stress, times, turn)
    return wall_statistics(flows, wall, viscosity=1.0, **told)


def wandering(t):
    return np.array([0.3 + np.sin(t), 0.7 * np.cos(1.3 * t), 0.0])


def averages(found):
    names = ("time_averaged_wall_shear_stress", "oscillatory_shear_index", "relative_residence_time")
    return [getattr(found, name) for name in (*names, "transverse_wall_shear_stress")]


@pytest.mark.parametrize("kind", ["hexahedron", "wedge", "tetra"])
@pytest.mark.parametrize("location", ["points", "cells"])
def test_womersleys_flow_in_a_pipe(kind, location):
    """Against the closed form, to 1 %: a period in 40 steps, the shear stress turns back for a part of it. Values at
    cells, sampled at their centroids, are those of the round pipe: its facets are smaller."""
    exact = Womersley()
    flows, wall = pulsating(exact, kind, location, n=12 if location == "points" else 20)
    found = wall_statistics(flows, wall if location == "points" else "wall", viscosity=exact.viscosity)
    for values, expected in zip(averages(found), exact.averages, strict=False):
        np.testing.assert_allclose(values, expected, rtol=0.01)
    np.testing.assert_allclose(found.transverse_wall_shear_stress, 0, atol=1e-3 * exact.averages[0])
    along = found.mean_vector / exact.averages[0]
    np.testing.assert_allclose(along[:, :2], 0, atol=1e-3)


def test_the_closed_form_is_that_of_its_own_waves():
    """Of the mean over the period, by another quadrature, and of a stress that never turns back."""
    for steady in (0.4, 3.0):
        exact = Womersley(steady=steady)
        stress = exact.wall_shear_stress(np.linspace(0, exact.period, 200001)[:-1])
        tawss, osi, rrt = exact.averages
        assert tawss == pytest.approx(np.abs(stress).mean(), rel=1e-9)
        assert osi == pytest.approx((1 - abs(stress.mean()) / np.abs(stress).mean()) / 2, abs=1e-9)
        assert rrt == pytest.approx(1 / stress.mean(), rel=1e-9)
    assert exact.averages[1] == pytest.approx(0, abs=1e-15)


def test_a_steady_stress_does_not_oscillate():
    found = of(lambda t: np.array([3.0, 4.0, 0.0]), TIMES)
    tawss, osi, rrt, across = averages(found)
    np.testing.assert_allclose(tawss, 5, rtol=1e-12)
    np.testing.assert_allclose(osi, 0, atol=1e-14)
    np.testing.assert_allclose(rrt, 1 / tawss, rtol=1e-12)
    np.testing.assert_allclose(across, 0, atol=1e-12)


def test_a_stress_to_and_fro_has_no_mean():
    found = of(lambda t: np.cos(np.pi * t) * np.array([2.0, 1.0, 0.0]), np.arange(9.0))
    tawss, osi, rrt, across = averages(found)
    np.testing.assert_allclose(tawss, np.sqrt(5), rtol=1e-12)
    np.testing.assert_allclose(osi, 0.5, atol=1e-14)
    assert np.isinf(rrt).all()
    assert np.isnan(across).all()
    assert any(f"on {len(found)} of {len(found)} faces there is no mean" in note for note in found.notes)


@pytest.mark.parametrize("turn", [None, TURN])
def test_a_stress_that_turns_about_a_mean(turn):
    """τ = (s + A cos θ, A sin θ): transWSS is 2A/π, TAWSS (2/π)(s + A) E(4sA/(s + A)²), E Legendre's complete elliptic
    integral of the second kind, as for the mean distance of a circle's points."""
    s, A = 1.2, 0.7
    stress = lambda t: np.array([s + A * np.cos(t), A * np.sin(t), 0.0])  # noqa: E731
    found = of(stress, np.linspace(0, 2 * np.pi, 501), turn)
    tawss, osi, rrt, across = averages(found)
    expected = 2 / np.pi * (s + A) * ellipe(4 * s * A / (s + A) ** 2)
    np.testing.assert_allclose(tawss, expected, rtol=1e-9)
    np.testing.assert_allclose(osi, (1 - s / expected) / 2, atol=1e-9)
    np.testing.assert_allclose(rrt, 1 / s, rtol=1e-9)
    np.testing.assert_allclose(across, 2 * A / np.pi, rtol=1e-4)


def test_uneven_times_count_as_the_trapezoidal_rule_has_it():
    stress = np.array([wandering(t) for t in TIMES])
    found = of(wandering, TIMES)
    span = TIMES[-1] - TIMES[0]
    mean = np.trapezoid(stress, TIMES, axis=0) / span
    size = np.trapezoid(np.linalg.norm(stress, axis=1), TIMES) / span
    across = np.cross([0, 0, -1.0], mean / np.linalg.norm(mean))
    transverse = np.trapezoid(np.abs(stress @ across), TIMES) / span
    np.testing.assert_allclose(found.mean_vector, np.broadcast_to(mean, (len(found), 3)), atol=1e-12)
    expected = [size, (1 - np.linalg.norm(mean) / size) / 2, 1 / np.linalg.norm(mean), transverse]
    for values, each in zip(averages(found), expected, strict=True):
        np.testing.assert_allclose(values, each, rtol=1e-11)


def test_the_order_of_convergence_in_time_is_two():
    s, A = 1.2, 0.7
    stress = lambda t: np.array([s + A * np.cos(t), A * np.sin(t), 0.0])  # noqa: E731
    # An end that is no whole turn, so that the rule is not exact.
    exact = of(stress, np.linspace(0, 2.0, 3001)).time_averaged_wall_shear_stress[0]
    errors = [abs(of(stress, np.linspace(0, 2.0, n + 1)).time_averaged_wall_shear_stress[0] - exact) for n in (8, 16)]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.05)


def same(one, other):
    assert one.times == other.times
    for name, values in one.arrays.items():
        np.testing.assert_allclose(values, other.arrays[name], rtol=1e-12, atol=1e-13, err_msg=name)
    np.testing.assert_allclose(one.size.lowest, other.size.lowest, rtol=1e-14)
    np.testing.assert_allclose(one.vector.scatter, other.vector.scatter, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("cuts", [(1,), (11,), (22,), (5, 6, 13), tuple(range(1, 23))])
@pytest.mark.parametrize("shared", [0, 1])
@pytest.mark.parametrize("period", [None, 25.0])
def test_parts_merge_to_the_whole(cuts, shared, period):
    """Cut anywhere, into single steps too, with or without a step in both parts, merged in any order."""
    flows, wall = series(wandering, TIMES)
    corner = (PLATE.points[:, :2] < 1e-9).all(axis=1)[:, None]
    broken = [
        dataclasses.replace(each, velocity=np.where(corner & (n in (0, 5, 12)), np.nan, each.velocity))
        for n, each in enumerate(flows)
    ]
    for steps in (list(flows), broken):
        whole = wall_statistics(steps, wall, viscosity=1.0, period=period)
        begins, ends = (0, *cuts), (*cuts, len(TIMES))
        parts = [
            wall_statistics(steps[a : b + shared], wall, viscosity=1.0, period=period)
            for a, b in zip(begins, ends, strict=True)
        ]
        parts = pickle.loads(pickle.dumps(parts))
        before = [each.size.weight.copy() for each in parts]
        same(functools.reduce(WallStatistics.merge, parts), whole)
        same(functools.reduce(WallStatistics.merge, parts[::-1]), whole)
        for each, weight in zip(parts, before, strict=True):
            assert np.array_equal(each.size.weight, weight)


def test_the_last_interval_of_a_period_counts_where_the_period_is_told():
    """Steps at 0, h, …, P − h, with the period, are as good as those to P; with them all it changes nothing."""
    times = np.linspace(0, 2 * np.pi, 25)
    stress = lambda t: np.array([1 + 2 * np.cos(t), np.sin(2 * t), 0])  # noqa: E731
    whole = of(stress, times)
    for closed in (of(stress, times[:-1], period=2 * np.pi), of(stress, times, period=2 * np.pi)):
        for one, other in zip(averages(closed), averages(whole), strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-11)
    two = of(stress, np.arange(48) * times[1], period=2 * np.pi)
    for one, other in zip(averages(two), averages(whole), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-11)
    left_open = of(stress, times[:-1])
    assert abs(left_open.time_averaged_wall_shear_stress - whole.time_averaged_wall_shear_stress).min() > 1e-3
    assert any("give it (--period" in note for note in left_open.notes)
    with pytest.raises(OptionError, match="whole periods"):
        of(stress, times[:9], period=2 * np.pi).arrays  # noqa: B018


def test_turning_the_flow_changes_no_average():
    one, other = of(wandering, TIMES), of(wandering, TIMES, TURN)
    for a, b in zip(averages(one), averages(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10)
    np.testing.assert_allclose(one.mean_vector @ TURN.T, other.mean_vector, atol=1e-11)


def test_without_a_viscosity_the_averages_are_of_the_shear_rate():
    flows, wall = series(wandering, TIMES)
    rate, stress = wall_statistics(flows, wall), wall_statistics(flows, wall, viscosity=2.5)
    np.testing.assert_allclose(
        2.5 * rate.time_averaged_wall_shear_rate, stress.time_averaged_wall_shear_stress, rtol=1e-12
    )
    np.testing.assert_allclose(rate.oscillatory_shear_index, stress.oscillatory_shear_index, atol=1e-13)
    np.testing.assert_allclose(2.5 * rate.transverse_wall_shear_rate, stress.transverse_wall_shear_stress, rtol=1e-12)
    assert "relative_residence_time" not in rate.arrays
    for name in ("time_averaged_wall_shear_stress", "relative_residence_time", "transverse_wall_shear_stress"):
        with pytest.raises(OptionError, match="needs the viscosity"):
            getattr(rate, name)
    with pytest.raises(OptionError, match="leave out viscosity="):
        stress.time_averaged_wall_shear_rate  # noqa: B018
    with pytest.raises(OptionError, match="take one of them for all"):
        rate.merge(stress)


def test_faces_without_a_value_at_a_step_are_left_out_there_and_counted():
    flows, wall = series(wandering, TIMES)
    steps = [
        each if n != 3 else dataclasses.replace(each, velocity=each.velocity.copy()) for n, each in enumerate(flows)
    ]
    lost = np.flatnonzero((PLATE.points[:, 2] < 1e-9) & (PLATE.points[:, 0] < 1e-9))
    steps[3].velocity[lost] = np.nan
    found = wall_statistics(steps, wall, viscosity=1.0)
    short = found.count < len(TIMES)
    assert 0 < short.sum() < len(found)
    assert any(
        f"{short.sum()} of {len(found)} faces ({short.sum()} of wall) lack some of" in note for note in found.notes
    )
    np.testing.assert_array_equal(found.arrays["count"], found.count)
    halves = np.diff(TIMES) / 2
    weights = np.append(halves, 0) + np.append(0, halves)
    weights[3] = 0
    sizes = np.array([np.linalg.norm(wandering(t)) for t in TIMES])
    np.testing.assert_allclose(
        found.time_averaged_wall_shear_stress[short], weights @ sizes / weights.sum(), rtol=1e-11
    )
    never = [
        dataclasses.replace(
            each, velocity=np.where(np.isin(np.arange(PLATE.point_count), lost)[:, None], np.nan, each.velocity)
        )
        for each in flows
    ]
    found = wall_statistics(never, wall, viscosity=1.0)
    for values in averages(found):
        np.testing.assert_array_equal(np.isnan(values), short)
    assert any(f"and {short.sum()} all" in note for note in found.notes)


def test_the_vectors_are_kept_while_there_is_room():
    flows, wall = series(wandering, TIMES)
    whole = wall_statistics(flows, wall, viscosity=1.0)
    small = wall_statistics(flows, wall, viscosity=1.0, memory=10 * 24 * len(whole))
    assert small.vectors is None
    assert "transverse_wall_shear_stress" not in small.arrays
    assert any("no stress across the mean direction" in note for note in small.notes)
    with pytest.raises(OptionError, match="memory="):
        small.transverse_wall_shear_stress  # noqa: B018
    for name, values in small.arrays.items():
        np.testing.assert_array_equal(values, whole.arrays[name], err_msg=name)


def test_walls_that_are_known_will_do():
    flows, wall = series(wandering, TIMES)
    walls = [at_walls(flow, wall, viscosity=1.0) for flow in flows]
    same(wall_statistics(walls), wall_statistics(flows, wall, viscosity=1.0))
    with pytest.raises(OptionError, match="are for flows"):
        wall_statistics(walls, viscosity=1.0)


def test_walls_of_a_planar_flow():
    lattice = Lattice.uniform((6, 5), 0.2)
    y = lattice.points[:, 1]
    flows = Series.from_arrays(lattice, TIMES, [np.outer(y, [np.sin(t), 0, 0]) for t in TIMES])
    found = wall_statistics(flows, lambda x: x[:, 1] < 1e-9, viscosity=1.0)
    expected = np.trapezoid(np.abs(np.sin(TIMES)), TIMES) / (TIMES[-1] - TIMES[0])
    np.testing.assert_allclose(found.time_averaged_wall_shear_stress, expected, rtol=1e-11)
    np.testing.assert_allclose(found.transverse_wall_shear_stress, 0, atol=1e-12)


def test_the_surface_is_written(tmp_path):
    found = of(wandering, TIMES)
    write(tmp_path / "walls.vtu", found)
    contents = read_contents(tmp_path / "walls.vtu")
    assert set(contents.cell_data) == set(found.arrays)
    for name, values in found.arrays.items():
        np.testing.assert_array_equal(contents.cell_data[name], values, err_msg=name)
    np.testing.assert_allclose(contents.mesh.measures, found.surface.areas, rtol=1e-12)


def test_every_array_has_a_record():
    flows, wall = series(wandering, TIMES)
    stress, rate = wall_statistics(flows, wall, viscosity=1.0), wall_statistics(flows, wall)
    assert {*stress.arrays, *rate.arrays} - {"patch", "normal", "area"} == set(OVER_TIME)
    for name, record in OVER_TIME.items():
        assert name == record.name
        assert all([record.symbol, record.reference, record.description.endswith(".")]), name
    dynamic = wall_statistics(flows, wall, viscosity=1.0, density=2.0)
    assert dynamic.record("relative_residence_time").dimension == "L T²/M"
    assert stress.record("relative_residence_time").dimension == "L T²/M or T²/L²"
    np.testing.assert_allclose(dynamic.relative_residence_time, stress.relative_residence_time / 2, rtol=1e-12)


def test_the_summary_tells_each_patch():
    exact = Womersley()
    flows, _ = pulsating(exact, location="cells")
    found = wall_statistics(flows, "wall", viscosity=exact.viscosity)
    summary = wall_statistics_summary(found)
    assert (summary["steps"], summary["start"], summary["end"], summary["period"]) == (41, 0.0, 2.0, None)
    wall = summary["patches"]["wall"]
    assert wall["faces"] == len(found)
    values = found.oscillatory_shear_index
    assert wall["oscillatory_shear_index"]["maximum"] == values.max()
    assert wall["oscillatory_shear_index"]["mean"] == pytest.approx(values @ found.surface.areas / wall["area"])


def test_what_cannot_be_averaged_is_said():
    flows, wall = series(wandering, TIMES)
    one = wall_statistics(flows[:1], wall, viscosity=1.0)
    with pytest.raises(OptionError, match="one step, at the time"):
        one.arrays  # noqa: B018
    with pytest.raises(OptionError, match="no steps"):
        wall_statistics([], wall)
    with pytest.raises(OptionError, match="give several in a list"):
        wall_statistics(flows[0], wall)
    with pytest.raises(OptionError, match=r"step 1 .* has the time None"):
        wall_statistics([flows[0], dataclasses.replace(flows[1], time=None)], wall)
    with pytest.raises(OptionError, match="in the order of their times"):
        wall_statistics([flows[1], flows[0]], wall)
    with pytest.raises(OptionError, match="chooses none"):
        wall_statistics(flows, lambda x: x[:, 0] > 9)
    with pytest.raises(OptionError, match="period is -1"):
        wall_statistics(flows, wall, period=-1.0)
    with pytest.raises(OptionError, match="overlap"):
        wall_statistics(flows[:6], wall).merge(wall_statistics(flows[4:], wall))
    with pytest.raises(OptionError, match="give the same to all"):
        wall_statistics(flows[:6], wall).merge(wall_statistics(flows[6:], wall, period=30.0))
    other = ~wall
    with pytest.raises(MeshError, match="other walls"):
        wall_statistics(flows[:6], wall).merge(wall_statistics(flows[6:], other))
    still = [
        flows[0],
        dataclasses.replace(flows[1], velocity=np.where(PLATE.points[:, :1] > 0.9, 0, flows[1].velocity)),
    ]
    with pytest.raises(MeshError, match=r"step 1 .* name the same walls"):
        wall_statistics(still)


def test_the_first_step_says_how_walls_were_found():
    flows, _ = series(wandering, TIMES)
    found = wall_statistics(flows)
    assert sum("zero velocity" in note for note in found.notes) == 1
    assert repr(found).startswith("WallStatistics(surface=WallSurface(")


def test_flows_are_not_changed():
    flows, wall = series(wandering, TIMES)
    steps = list(flows)
    before = [each.velocity.copy() for each in steps]
    wall_statistics(steps, wall, viscosity=1.0)
    assert all(np.array_equal(a, b.velocity) for a, b in zip(before, steps, strict=True))
    assert isinstance(steps[0], Flow)


def test_a_table_has_a_row_for_each_face():
    pytest.importorskip("pandas", reason="pandas is not installed")
    found = of(wandering, TIMES)
    table = to_pandas(found)
    assert len(table) == len(found)
    assert set(table["patch"]) == {"wall"}
    np.testing.assert_array_equal(table["oscillatory_shear_index"], found.oscillatory_shear_index)
    np.testing.assert_array_equal(table[["x", "y", "z"]], found.centroids)


def test_they_are_drawn_on_the_walls():
    exact = Womersley()
    flows, wall = pulsating(exact)
    found = wall_statistics(flows, wall, viscosity=exact.viscosity)
    shown = plot.scalar_field(found, "oscillatory_shear_index")
    assert (shown.location, shown.scale) == ("cells", "magnitude")
    assert "OSI" in shown.label
    with plot.figure() as ax:
        plot.field(found, "time_averaged_wall_shear_stress", ax, plot.boundary(found.surface.mesh, (1, -1, 1)))
        assert ax.collections
    with pytest.raises(OptionError, match="unknown average over time on walls 'oscillatory_shear'"):
        plot.scalar_field(found, "oscillatory_shear")


def test_a_fluid_at_rest_has_the_walls_of_the_steps_that_move():
    """As one that starts from rest: no stress there, on the walls that are found later."""
    flows, wall = series(lambda t: t * np.array([1.0, 0.5, 0]), [0.0, 0.5, 1.0, 1.5])
    found = wall_statistics(flows, viscosity=1.0)
    same(found, wall_statistics(flows, wall, viscosity=1.0))
    assert sum("zero velocity" in note for note in found.notes) == 1
    later = [*flows, dataclasses.replace(flows[0], time=2.0), dataclasses.replace(flows[1], time=3.0)]
    assert wall_statistics(later, viscosity=1.0).steps == 6
    with pytest.raises(OptionError, match="everywhere"):
        wall_statistics([flows[0], dataclasses.replace(flows[0], time=1.0)])
    known, _ = pulsating(Womersley(), location="cells", n=4)
    still = dataclasses.replace(known[0], velocity=0 * known[0].velocity, time=-1.0)
    assert wall_statistics([still, *known[:2]]).surface.names == ("wall",)


@pytest.mark.parametrize("period", [None, 2 * np.pi])
def test_how_well_the_steps_resolve_the_time_is_said(period):
    """By the averages of every other step, which are those of a series of these."""
    turning = lambda t: np.array([1 + 2 * np.cos(t), np.sin(2 * t), 0])  # noqa: E731
    times = np.linspace(0, 2 * np.pi, 25)[: -1 if period else None]
    changes = []
    for each in (times, np.linspace(0, 2 * np.pi, 49)[: -1 if period else None]):
        found = of(turning, each, period=period)
        half = found.of_half_the_steps
        assert half.times == tuple(each[::2])
        same(half, of(turning, half.times, period=period))
        (note,) = (line for line in found.notes if "every other step" in line)
        changes.append(float(note.split("changes by ")[1].split()[0]))
        exact = of(turning, np.linspace(0, 2 * np.pi, 2001)).time_averaged_wall_shear_stress
        assert changes[-1] > abs(found.time_averaged_wall_shear_stress / exact - 1).max()
    assert changes[1] < 0.5 * changes[0]
    assert of(turning, times[:4]).of_half_the_steps is None
