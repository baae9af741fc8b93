"""Many flows on one mesh: one preparation, each step made when it is asked for."""

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
    velocity_gradient,
    velocity_gradients,
)
from flowgrad.io import write_vtu
from tests import meshes
from tests.gradient import known

MESH = meshes.SOLIDS["mixed"]
TIMES = np.arange(4.0)
VELOCITIES = [np.cos(t) * MESH.points + t * np.sin(MESH.points) for t in TIMES]


def copy_of(mesh, points=None):
    cells = mesh.cells
    return Mesh(
        mesh.points.copy() if points is None else points,
        Cells(cells.types, cells.offsets, cells.connectivity, cells.polyhedra),
    )


@pytest.fixture
def prepared():
    known.Checked.prepared.clear()
    return known.Checked.prepared


@pytest.mark.parametrize("at", ["points", "cells"])
def test_results_are_those_of_single_flows_bit_for_bit(prepared, at):
    series = Series.from_arrays(MESH, TIMES, VELOCITIES, noise=0.1)
    found = list(velocity_gradients(series, known.Checked(), at))
    assert prepared == [at]
    for step, velocity, t in zip(found, VELOCITIES, TIMES, strict=True):
        single = velocity_gradient(Flow(MESH, velocity, "points", noise=0.1), "autodiff", at)
        np.testing.assert_array_equal(step.L, single.L)
        np.testing.assert_array_equal(step.covariance, single.covariance)
        assert step.flow.time == t
    assert found[0].covariance is found[1].covariance


def test_steps_are_made_one_at_a_time():
    made = []

    def maker(i):
        def make():
            made.append(i)
            return Flow(MESH, VELOCITIES[i], "points", float(i))

        return make

    steps = velocity_gradients(Series(tuple(maker(i) for i in range(4))), "autodiff")
    assert made == []
    for i in range(4):
        assert next(steps).flow.time == i
        assert made == list(range(i + 1))


def test_files_and_flows(tmp_path, prepared):
    for i, velocity in enumerate(VELOCITIES):
        write_vtu(tmp_path / f"{i}.vtu", MESH, {"U": velocity})
    series = Series.read(sorted(tmp_path.glob("*.vtu")), velocity="U", noise=0.5)
    assert len(series) == 4
    assert all(flow.mesh is series.mesh for flow in series)
    assert series[-1].source.name == "3.vtu"
    assert series[2].noise == 0.5
    assert [flow.source.name for flow in series[1:3]] == ["1.vtu", "2.vtu"]
    in_memory = Series.from_flows(Flow(copy_of(MESH), velocity, "points") for velocity in VELOCITIES)
    for a, b in zip(
        velocity_gradients(series, known.Checked()), velocity_gradients(in_memory, "autodiff"), strict=True
    ):
        np.testing.assert_array_equal(a.L, b.L)
    assert len(prepared) == 1
    with pytest.raises(IndexError):
        series[4]


def test_another_mesh_is_refused_by_the_number_of_its_step():
    moved = MESH.points.copy()
    moved[7] += 1e-9
    fewer = meshes.SOLIDS["tetra"]
    for other, reason in ((copy_of(MESH, moved), "1 of .* points have moved"), (fewer, "it has .* points instead of")):
        flows = [
            Flow(MESH, MESH.points, "points"),
            Flow(MESH, MESH.points, "points"),
            Flow(other, other.points, "points"),
        ]
        with pytest.raises(MeshError, match=f"step 2 of the series.*{reason}"):
            list(velocity_gradients(Series.from_flows(flows)))
    tetra = fewer.cells
    turned = Mesh(fewer.points, Cells(tetra.types, tetra.offsets, tetra.connectivity[::-1].copy()))
    with pytest.raises(MeshError, match="its cells are others"):
        list(Series.from_flows([Flow(fewer, fewer.points, "points"), Flow(turned, fewer.points, "points")]))
    with pytest.raises(OptionError, match=r"step 1 .* at cells, step 0 at points"):
        list(Series.from_flows([Flow(MESH, MESH.points, "points"), Flow(MESH, MESH.centroids, "cells")]))


def test_meshes_of_missing_points_are_the_same():
    points = np.vstack([MESH.points, [[np.nan] * 3]])
    flows = [Flow(copy_of(MESH, points.copy()), points, "points") for _ in range(2)]
    assert len(list(Series.from_flows(flows))) == 2


def test_empty_series_and_missing_times_are_refused():
    with pytest.raises(OptionError, match="at least one"):
        Series(())
    with pytest.raises(OptionError, match="3 times for 4 velocities"):
        Series.from_arrays(MESH, TIMES[:3], VELOCITIES)


def wall(mesh, value):
    faces = np.arange(len(mesh.topology.boundary))
    return (Patch("wall", faces, np.broadcast_to(value, (len(faces), 3))),)


def test_each_step_uses_its_own_values_on_the_boundary():
    """A plug that starts from rest: the wall's velocity changes from step to step."""
    mesh = meshes.SOLIDS["tetra"]
    flows = [Flow(mesh, mesh.centroids * t, "cells", t, boundary=wall(mesh, [t, -t, 2 * t])) for t in TIMES]
    for found, flow in zip(velocity_gradients(Series.from_flows(flows)), flows, strict=True):
        np.testing.assert_array_equal(found.L, velocity_gradient(flow).L)


class Picky(known.KnownOperator):
    def suits(self, flow):
        return flow.time != 2


class Sometimes(known.Known):
    calls = 0

    def prepare(self, flow, at):
        type(self).calls += 1
        return Picky(known.positions_of(flow, at))


def test_a_flow_that_the_operator_does_not_suit_is_prepared_anew():
    series = Series.from_arrays(MESH, TIMES, VELOCITIES)
    assert len(list(velocity_gradients(series, Sometimes()))) == 4
    assert Sometimes.calls == 2


def test_stored_gradients_of_a_series():
    flows = [
        Flow(MESH, MESH.points * t, "points", t, {"L": np.tile(t * np.eye(3).ravel(), (len(MESH.points), 1))})
        for t in (1.0, 2.0)
    ]
    for found, t in zip(velocity_gradients(Series.from_flows(flows), "file(name='L')"), (1.0, 2.0), strict=True):
        np.testing.assert_array_equal(found.L, np.broadcast_to(t * np.eye(3), found.L.shape))


def test_lattices_are_compared_by_their_axes():
    flows = [Flow(Lattice.uniform((5, 4, 3), 0.1), np.full((60, 3), t), "points", t) for t in TIMES]
    series = Series.from_flows(flows)
    assert all(flow.mesh is series.mesh for flow in series)
    assert "points" not in series.mesh.__dict__
    other = Flow(Lattice.uniform((5, 4, 3), 0.1, periodic=(True, False, False)), np.zeros((60, 3)), "points")
    with pytest.raises(MeshError, match=r"step 1 .*lattice is another one"):
        list(Series.from_flows([flows[0], other]))
