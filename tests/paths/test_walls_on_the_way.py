"""Particles stop at walls and holes however long their steps are."""

import numpy as np
import pytest

from flowgrad import Cells, Flow, Lattice, Mesh, Series
from flowgrad.paths import pathlines, streamlines
from flowgrad.paths.dormand_prince import DenseOutput
from flowgrad.paths.field import POLYLINE, SteadyField
from flowgrad.paths.lattice_interpolant import LatticeSpline
from flowgrad.paths.mesh_interpolant import MeshInterpolant
from tests import meshes
from tests.paths.test_lattice_interpolant import TURNED

N = 41
AXIS = np.linspace(0, 1, N)
SQUARE = Lattice.uniform((N, N), 1 / (N - 1))
SEEDS = np.array([[0.05, 0.5, 0], [0.1, 0.5, 0], [0.05, 0.1, 0]])


def stream(points):
    return np.tile([1.0, 0, 0], (len(points), 1))


def with_hole(half_x, half_y):
    v = stream(SQUARE.points)
    v[(abs(SQUARE.points[:, 0] - 0.5) < half_x) & (abs(SQUARE.points[:, 1] - 0.5) < half_y)] = np.nan
    return Flow(SQUARE, v, "points")


def quads(keep):
    """The unit square's cells whose centre is kept."""
    points = np.column_stack([np.repeat(AXIS, N), np.tile(AXIS, N), np.zeros(N * N)])
    index = np.arange(N * N).reshape(N, N)
    rows = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1).reshape(-1, 4)
    return Mesh(points, Cells.of_type(9, rows[keep(points[rows].mean(axis=1))]))


def disc(x):
    r = np.hypot(x[..., 0] - 0.5, x[..., 1] - 0.5)
    return np.stack([np.where(r < 0.15, np.nan, 1.0), 0 * x[..., 0]], axis=-1)


MESH_WITH_HOLE = quads(lambda c: ~((abs(c[:, 0] - 0.5) < 0.1) & (abs(c[:, 1] - 0.5) < 0.3)))
MASKED_MESH = quads(lambda c: c[:, 0] > -1)
MASKED = stream(MASKED_MESH.points)
MASKED[(abs(MASKED_MESH.points[:, 0] - 0.5) < 0.09) & (abs(MASKED_MESH.points[:, 1] - 0.5) < 0.3)] = np.nan
FLOWS = {
    "lattice": (with_hole(0.17, 0.3), 0.325),
    "wire": (with_hole(0.013, 0.3), 0.475),
    "mesh": (Flow(MESH_WITH_HOLE, stream(MESH_WITH_HOLE.points), "points"), 0.4),
    "masked mesh": (Flow(MASKED_MESH, MASKED, "points"), 0.4),
    "function": (disc, 0.35),
}


@pytest.mark.parametrize("options", [{}, {"steps": 1}, {"steps": 3}, {"F": True}])
@pytest.mark.parametrize("name", FLOWS)
def test_pathlines_stop_where_the_hole_begins(name, options):
    flow, wall = FLOWS[name]
    seeds = SEEDS[:, :2] if name == "function" else SEEDS
    found = pathlines(flow, seeds, [0, 0.9], **options)
    # Gradients beside a masked hole are made from fewer values, and holes take the cells of such points with them.
    reach = 0.03 if name == "masked mesh" else 1e-8
    np.testing.assert_allclose(found.positions[-1, :2, 0], wall, rtol=0, atol=reach)
    np.testing.assert_allclose(found.left[:2], found.positions[-1, :2, 0] - SEEDS[:2, 0], rtol=0, atol=1e-8)
    assert np.isnan(found.left[2])
    np.testing.assert_allclose(found.positions[-1, 2], [0.95, 0.1, 0], atol=1e-9)
    assert "2 of 3 particles leave" in found.notes[0]


@pytest.mark.parametrize("name", sorted(set(FLOWS) - {"masked mesh"}))
def test_streamlines_stop_where_the_hole_begins(name):
    flow, wall = FLOWS[name]
    for extent in ({"length": 0.9}, {"duration": 0.9}):
        lines = streamlines(flow, SEEDS[:1, :2], both=False, count=1, **extent)
        np.testing.assert_allclose(lines[0][-1], [wall, 0.5, 0], atol=1e-8)
        assert lines.stopped.tolist() == [[False, True]]


def test_a_weak_shear_does_not_carry_particles_through_a_cylinder():
    angle, radius = np.arange(64) * np.pi / 32, np.linspace(0.2, 2, 17)
    points = (
        (radius[:, None] * np.array([np.cos(angle), np.sin(angle)])[:, :, None].transpose(0, 2, 1)).reshape(2, -1).T
    )
    index = np.arange(17 * 64).reshape(17, 64)
    turned = np.roll(index, -1, axis=1)
    rows = np.stack([index[:-1], index[1:], turned[1:], turned[:-1]], -1).reshape(-1, 4)
    mesh = Mesh(np.column_stack([points, np.zeros(len(points))]), Cells.of_type(9, rows))
    flow = Flow(mesh, stream(points) * (1 + 0.02 * points[:, 1:]), "points")
    y = np.array([0.0, 0.05, -0.19, 0.21])
    found = pathlines(flow, np.column_stack([np.full(4, -1.5), y, 0 * y]), [0, 3.0])
    # On the polygon between the points at radius 0.2.
    apothem = 0.2 * np.cos(np.pi / 64)
    reached = np.linalg.norm(found.positions[-1, :3], axis=1)
    assert (found.positions[-1, :3, 0] < 0).all()
    assert (reached >= apothem - 1e-6).all()
    assert (reached <= 0.2 + 1e-6).all()
    assert found.stayed.tolist() == [False, False, False, True]


@pytest.mark.parametrize("steps", [1, 2])
def test_a_long_step_does_not_bulge_out_of_a_box(steps):
    """A circle that leaves the square between the stages of a step and would come back."""
    lattice = Lattice.uniform((6, 6), 0.2)
    arm = lattice.points - [0.5, 0.5, 0]
    flow = Flow(lattice, np.column_stack([-arm[:, 1], arm[:, 0], 0 * arm[:, 0]]), "points")
    radius, start = 0.505, -0.35
    seed = [[0.5 + radius * np.cos(start), 0.5 + radius * np.sin(start)]]
    left = pathlines(flow, seed, [0, 0.7], steps=steps).left
    np.testing.assert_allclose(left, -np.arccos(0.5 / radius) - start, rtol=0, atol=1e-3)


def test_steps_of_a_series_with_a_hole_stop_particles():
    velocities = [with_hole(0.06, 0.3).velocity, *[stream(SQUARE.points)] * 3]
    series = Series.from_arrays(SQUARE, [0, 5, 10, 15], velocities)
    found = pathlines(series, SEEDS, [0, 0.9])
    np.testing.assert_allclose(found.positions[-1, :, 0], [0.425, 0.425, 0.95], atol=1e-8)


def test_sliding_along_walls_does_not_stop_particles():
    seeds = np.array([[0.05, 0, 0], [0.05, 1, 0], [0.05, 0.2, 0], [0.05, 0.8, 0]])
    for flow in (Flow(SQUARE, stream(SQUARE.points), "points"), FLOWS["mesh"][0]):
        assert pathlines(flow, seeds, [0, 0.9]).stayed.all()


def test_cells_of_other_sizes_are_no_wall():
    """Four small squares beside each large one: their faces are not shared."""
    large = np.array([[x, y] for x in range(3) for y in range(3)], float)
    small = np.array([[2 + x / 2, y / 2] for x in range(5) for y in range(5)])
    corners = {"large": (large, 3, 0), "small": (small, 5, 9)}
    rows = []
    for points, n, first in corners.values():
        index = first + np.arange(len(points)).reshape(n, n)
        rows.append(np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1).reshape(-1, 4))
    points = np.concatenate([large, small])
    mesh = Mesh(np.column_stack([points, np.zeros(len(points))]), Cells.of_type(9, np.concatenate(rows)))
    seeds = np.array([[0.1, y, 0] for y in (0, 0.2, 0.5, 1, 1.3, 2)])
    found = pathlines(Flow(mesh, stream(points), "points"), seeds, [0, 3.8, 4.5])
    np.testing.assert_allclose(found.positions[1] - seeds, [[3.8, 0, 0]] * 6, atol=1e-12)
    np.testing.assert_allclose(found.left, 3.9, atol=1e-7)


def straight_ways(low, high, count, rng):
    ends = rng.uniform(low, high, (2, count, 3))
    return (1 - np.array(POLYLINE))[:, None] * ends[0][:, None] + np.array(POLYLINE)[:, None] * ends[1][:, None]


def agree(field, ways, fine):
    """Whether what is traced is what samples along the ways say; those that touch a hole between two samples may
    differ, and are few."""
    count = len(ways)
    cells = np.full(count, -1)
    inside = field.sample(np.ascontiguousarray(ways[:, 0]), 0.0, cells).inside.copy()
    inside &= field.sample(np.ascontiguousarray(ways[:, -1]), 0.0, cells.copy()).inside
    shares = np.linspace(0, 1, fine)[:, None, None]
    path = (1 - shares) * ways[:, 0] + shares * ways[:, -1]
    seen = field.sample(path.reshape(-1, 3), 0.0, np.full(fine * count, -1)).inside.reshape(fine, count).all(axis=0)
    traced = inside.copy()
    field.trace(DenseOutput(ways, POLYLINE, 0.0, 0.0), cells, traced)
    assert inside.sum() > 80
    assert 0.1 < traced[inside].mean() < 0.9
    assert not (traced & ~seen).any()
    assert (seen & ~traced).sum() <= 0.02 * inside.sum()


@pytest.mark.parametrize("periodic", [False, True])
@pytest.mark.parametrize("planar", [False, True])
@pytest.mark.parametrize("location", ["points", "cells"])
def test_ways_through_lattices_are_those_of_many_samples(periodic, planar, location):
    rng = np.random.default_rng(3)
    shape = (9, 8, 1) if planar else (9, 8, 7)
    directions = np.eye(3) if planar else TURNED
    lattice = Lattice.uniform(shape, [0.3, 0.2, 0.4], [1, 2, 0], directions, periodic=(periodic, False, False))
    v = rng.normal(size=(len(lattice.points if location == "points" else lattice.centroids), 3))
    v[rng.random(len(v)) < 0.03] = np.nan
    flow = Flow(lattice, v, location)
    extent = np.array(shape) * [0.3, 0.2, 0.0 if planar else 0.4]
    ways = straight_ways([-1.2 * periodic, 0, 0], extent, 300, rng) @ directions + [1, 2, 0]
    agree(SteadyField(LatticeSpline(flow), flow), ways, 801)


@pytest.mark.parametrize("kind", ["tetra", "hexahedron", "polyhedron", "mixed", "triangle"])
def test_ways_through_meshes_are_those_of_many_samples(kind):
    rng = np.random.default_rng(4)
    whole = {"mixed": meshes.mixed, "triangle": lambda: meshes.planar("triangle", 6)}
    mesh = whole.get(kind, lambda: meshes.solid(kind, 5))()
    v = rng.normal(size=(len(mesh.points), 3))
    v[rng.random(len(v)) < 0.1] = np.nan
    flow = Flow(mesh, v, "points")
    interpolation = MeshInterpolant(flow)
    field = SteadyField(interpolation, flow)
    nodal = field._nodal[0]
    nodal[np.isfinite(v).all(axis=1).nonzero()[0]] = 1.0
    low, high = mesh.points.min(axis=0), mesh.points.max(axis=0)
    agree(field, straight_ways(low + 0.2 * (high - low), high - 0.1 * (high - low), 400, rng), 401)
