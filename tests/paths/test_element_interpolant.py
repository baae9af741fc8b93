"""Paths in curved cells: their own polynomials in their own curved shape, found by Newton's method, none lost."""

import numpy as np
import pytest

from flowgrad import Cells, Flow, Mesh, MeshError
from flowgrad.mesh import LAGRANGE_CELLS, REFERENCE_CELLS
from flowgrad.mesh.reference.lagrange import lagrange_cell
from flowgrad.paths import ftle, pathlines
from flowgrad.paths.element_interpolant import ElementInterpolant
from flowgrad.paths.field import SteadyField
from flowgrad.paths.field_of import interpolant_of
from flowgrad.paths.mesh_interpolant import MeshInterpolant
from tests.high_order import bent, reference, straight

QUADRATIC = [t for t, cell in REFERENCE_CELLS.items() if cell.is_curved and cell.dimension > 1]
LAGRANGE = [(t, (p, p, p)) for t in range(69, 74) for p in (3, 5)] + [(72, (3, 2, 4))]
KINDS = [(t, None) for t in QUADRATIC] + LAGRANGE


def curved(vtk_type, degrees=None, n=2):
    """Cells whose edges and faces are all curved; planar ones in z = 0."""
    cell = reference(vtk_type, degrees)
    shown = degrees if degrees and len(set(degrees)) > 1 else None
    mesh = straight(cell, n, np.eye(3), shown)
    if cell.dimension == 3:
        return bent(mesh)
    x, y, _ = mesh.points.T
    return Mesh(np.column_stack([x + 0.05 * np.sin(1.3 * y), y + 0.05 * np.sin(1.3 * x + 1), 0 * x]), mesh.cells)


def in_cells(mesh, values, each=6, seed=0):
    """Random positions in the cells, several in each, and what the shape functions give there of values at points."""
    (block,) = mesh.blocks
    cell = block.reference
    cube = np.random.default_rng(seed).uniform(size=(len(block.cells) * each, cell.dimension))
    N = cell.values(cell.family.collapse(cube)).reshape(len(block.cells), each, -1)
    return [np.einsum("cqk,cki->cqi", N, own[block.rows]).reshape(-1, 3) for own in (mesh.points, values)]


@pytest.mark.parametrize(("vtk_type", "degrees"), KINDS)
def test_any_values_are_interpolated_to_rounding_by_the_cells_own_functions(vtk_type, degrees):
    mesh = curved(vtk_type, degrees)
    v = np.random.default_rng(1).normal(size=mesh.points.shape)
    v[:, 2] *= mesh.dimension == 3
    x, exact = in_cells(mesh, v)
    flow, cells = Flow(mesh, v, "points"), np.full(len(x), -1)
    found = SteadyField(ElementInterpolant(flow), flow).sample(x, 0.0, cells)
    assert found.inside.all()
    np.testing.assert_array_equal(cells, np.repeat(np.arange(len(mesh)), 6))
    assert np.abs(found.velocity - exact).max() < 1e-11


@pytest.mark.parametrize(("vtk_type", "degrees"), KINDS)
def test_linear_fields_and_their_gradients_are_exact_in_curved_cells(vtk_type, degrees):
    mesh = curved(vtk_type, degrees)
    A = np.random.default_rng(2).normal(size=(3, 3))
    if mesh.dimension == 2:
        A[2], A[:, 2] = 0, 0
    x, _ = in_cells(mesh, mesh.points)
    flow = Flow(mesh, mesh.points @ A.T + [1, 2, 0], "points")
    found = SteadyField(ElementInterpolant(flow), flow).sample(x, 0.0, np.full(len(x), -1))
    np.testing.assert_allclose(found.velocity, x @ A.T + [1, 2, 0], atol=1e-12)
    np.testing.assert_allclose(found.L, np.broadcast_to(A, found.L.shape), atol=5e-11)


@pytest.mark.parametrize(
    ("vtk_type", "degrees"), [(29, None), (24, None), (32, None), (72, (3, 3, 3)), (71, (3, 3, 3))]
)
def test_the_gradient_is_that_of_the_velocity(vtk_type, degrees):
    mesh = curved(vtk_type, degrees)
    v = np.sin(mesh.points @ np.random.default_rng(5).normal(size=(3, 3)))
    x, _ = in_cells(mesh, v)
    flow, h = Flow(mesh, v, "points"), 1e-5
    field = SteadyField(ElementInterpolant(flow), flow)
    cells = np.full(len(x), -1)
    found = field.sample(x, 0.0, cells)
    for axis, step in enumerate(h * np.eye(3)):
        ahead, behind = (cells.copy() for _ in range(2))
        forth, back = field.sample(x + step, 0.0, ahead), field.sample(x - step, 0.0, behind)
        same = forth.inside & back.inside & (ahead == cells) & (behind == cells)
        slope = (forth.velocity - back.velocity) / (2 * h)
        np.testing.assert_allclose(found.L[same, :, axis], slope[same], atol=1e-7)


def rotation_about(c):
    return lambda x: np.column_stack([-(x[:, 1] - c[1]), x[:, 0] - c[0], 0 * x[:, 0]])


def circle(c, count=100):
    angle = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return np.column_stack([c[0] + 1.2 * np.cos(angle), c[1] + 1.2 * np.sin(angle), c[2] + 0.8 * np.sin(5 * angle)])


@pytest.mark.parametrize("kind", [(25, None), (29, None), (24, None), (26, None), (72, (3, 3, 3))])
def test_a_rigid_rotation_brings_all_back_through_curved_faces(kind):
    """As accurately as the steps are: nothing is lost at faces, and there is no strain."""
    mesh = curved(*kind, n=4)
    centre = mesh.points.mean(axis=0)
    flow, seeds = Flow(mesh, rotation_about(centre)(mesh.points), "points"), circle(centre)
    found = pathlines(flow, seeds, [0, 2 * np.pi], rtol=1e-8)
    assert found.stayed.all()
    assert np.abs(found.positions[-1] - seeds).max() < 1e-7
    exponents = ftle(flow, seeds, t0=0, duration=2 * np.pi, rtol=1e-8).values
    assert np.abs(exponents).max() < 1e-7


def disc(kind, rings=3, turns=8):
    """A quarter of the annulus 1 < r < 2 in curved quads, on the true circle at the nodes."""
    cell = reference(*kind)
    mesh = straight(cell, rings, np.eye(3))
    u = (mesh.points - mesh.points.min(axis=0)) / np.ptp(mesh.points, axis=0).max()
    r, angle = 1 + u[:, 0], 2 * np.pi / turns * u[:, 1] * 2
    return Mesh(np.column_stack([r * np.cos(angle), r * np.sin(angle), 0 * r]), mesh.cells)


def test_particles_beside_a_curved_wall_are_in_the_flow():
    """Between the circle and the chords of the cells, which lie up to 0.07 inside of it."""
    mesh = disc((28, None))
    assert isinstance(interpolant_of(Flow(mesh, 0 * mesh.points, "points")), ElementInterpolant)
    flow = Flow(mesh, rotation_about(np.zeros(3))(mesh.points), "points")
    angle = np.linspace(0.05, 0.4, 30)
    seeds = 1.999 * np.column_stack([np.cos(angle), np.sin(angle), 0 * angle])
    found = pathlines(flow, seeds, [0, 1.0], rtol=1e-9)
    assert found.stayed.all()
    turned = 1.999 * np.column_stack([np.cos(angle + 1), np.sin(angle + 1), 0 * angle])
    assert np.abs(found.positions[-1] - turned).max() < 1e-8
    outside = pathlines(flow, 2.001 * seeds / 1.999, [0, 1.0])
    assert not outside.stayed.any()


def test_when_a_particle_leaves_through_a_curved_wall_is_found():
    mesh = disc((28, None))
    flow = Flow(mesh, np.tile([1.0, 0, 0], (len(mesh.points), 1)), "points")
    angle = np.array([0.1, 0.2, 0.3])
    seeds = 1.5 * np.column_stack([np.cos(angle), np.sin(angle), 0 * angle])
    found = pathlines(flow, seeds, [0, 2.0])
    exact = np.sqrt(4 - seeds[:, 1] ** 2) - seeds[:, 0]
    # The circle's parabolas through three points in 30° are up to 3e-4 off it, its chords 0.07.
    np.testing.assert_allclose(found.left, exact, atol=4e-4)


def test_on_gauss_lobatto_nodes_a_quintic_flow_is_as_good_as_given():
    """FTLE of a steady polynomial flow on straight cells of its degree: that of the flow as a function."""
    cell = lagrange_cell(72, LAGRANGE_CELLS[72].count(5, 5, 5), (5, 5, 5), "gll_warped")
    mesh = straight(cell, 2, np.eye(3))
    centre = mesh.points.mean(axis=0)

    def velocity(x):
        u = x - centre
        return np.stack(
            [-u[..., 1] + 0.1 * u[..., 0] * u[..., 2] ** 4, u[..., 0] - 0.1 * u[..., 1] ** 5, 0.02 * u[..., 0]], axis=-1
        )

    seeds = circle(centre, 40) * [0.5, 0.5, 0.5] + 0.5 * centre
    flow = Flow(mesh, velocity(mesh.points), "points")
    found = ftle(flow, seeds, t0=0, duration=1.0, rtol=1e-9)
    np.testing.assert_allclose(found.values, ftle(velocity, seeds, t0=0, duration=1.0, rtol=1e-9).values, atol=1e-8)


def test_nodes_without_a_velocity_are_a_hole():
    mesh = curved(29, n=3)
    v = np.tile([1.0, 0, 0], (len(mesh.points), 1))
    (block,) = mesh.blocks
    middle = int(np.argmin(((mesh.centroids - mesh.points.mean(axis=0)) ** 2).sum(axis=1)))
    v[block.rows[middle]] = np.nan
    flow = Flow(mesh, v, "points")
    start = mesh.centroids[middle] - [0.9, 0, 0]
    found = pathlines(flow, [start - [0.35, 0, 0]], [0, 3.0])
    assert not found.stayed.any()


def test_cell_values_on_curved_cells_are_led_to_the_nodes():
    mesh = curved(29, n=4)
    A = np.array([[0.1, -1, 0], [1, -0.1, 0.2], [0, 0.1, 0]])
    centre = mesh.points.mean(axis=0)
    at_points = Flow(mesh, (mesh.points - centre) @ A.T, "points")
    at_cells = Flow(mesh, (mesh.centroids - centre) @ A.T, "cells")
    seeds = circle(centre, 12)
    ends = [pathlines(flow, seeds, [0, 1.0], rtol=1e-8).positions[-1] for flow in (at_points, at_cells)]
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-7)


def test_meshes_with_polyhedra_or_straight_cells_keep_to_simplices():
    assert isinstance(interpolant_of(flow_of(straight(reference(12), 2))), MeshInterpolant)
    assert isinstance(interpolant_of(flow_of(curved(25))), ElementInterpolant)


def test_what_the_user_should_know_is_in_the_notes():
    """Nodes that are not VTK's; curved cells beside polyhedra, which are taken as straight."""
    nodes = straight(lagrange_cell(72, 64, (3, 3, 3), "gll_warped"), 1, np.eye(3))
    assert any("Gauss–Lobatto" in note for note in pathlines(flow_of(nodes), [[1, 1, 1]], [0, 0.1]).notes)
    quads, polygon = straight(reference(23), 2, np.eye(3)), np.array([[3.0, 0.5, 0.5], [3.0, 1.5, 0.5], [3.5, 1, 0.5]])
    mesh = Mesh(
        np.vstack([quads.points, polygon]),
        Cells(
            np.append(quads.cells.types, 7).astype(np.uint8),
            np.append(quads.cells.offsets, quads.cells.offsets[-1] + 3),
            np.append(quads.cells.connectivity, quads.point_count + np.arange(3)),
        ),
    )
    found = pathlines(flow_of(mesh), [[1, 1, 0.5]], [0, 0.1])
    assert any("straight between their corners" in note for note in found.notes)


def flow_of(mesh):
    return Flow(mesh, np.ones((len(mesh.points), 3)), "points")


def test_surfaces_that_are_curved_in_space_are_refused():
    mesh = straight(reference(28), 3, np.eye(3))
    x, y, _ = mesh.points.T
    with pytest.raises(MeshError, match="curved in space"):
        interpolant_of(flow_of(Mesh(np.column_stack([x, y, np.sin(x)]), mesh.cells)))


def test_a_quadratic_cell_beside_a_linear_one_leaves_no_gap():
    """Their common edge is straight; on it a position is in one of them."""
    points = np.array(
        [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0.5, -0.1, 0], [1, 0.5, 0], [0.5, 1.1, 0], [-0.1, 0.5, 0]]
    )
    points = np.vstack([points, [[2, 0, 0], [2, 1, 0]]])
    cells = Cells(np.array([23, 9], np.uint8), np.array([0, 8, 12]), np.array([0, 1, 2, 3, 4, 5, 6, 7, 1, 8, 9, 2]))
    mesh = Mesh(points, cells)
    y = np.linspace(0.05, 0.95, 40)
    seeds = np.column_stack([0 * y + 0.2, y, 0 * y])
    found = pathlines(Flow(mesh, np.tile([1.0, 0, 0], (10, 1)), "points"), seeds, np.linspace(0, 1.6, 9))
    assert found.stayed.all()


def own_points(mesh):
    """The same cells, each with points of its own."""
    cells = mesh.cells
    own = Cells(cells.types, cells.offsets, np.arange(len(cells.connectivity)), None, cells.degrees)
    return Mesh(mesh.points[cells.connectivity], own)


@pytest.mark.parametrize("vtk_type", [12, 25, 29])
def test_no_particle_is_lost_between_cells_that_own_their_points(vtk_type):
    """Trilinear cells with warped faces, in simplices, and curved ones."""
    mesh = straight(reference(vtk_type), 4, np.eye(3))
    inner = ((mesh.points > 0.6) & (mesh.points < 4.4)).all(axis=1)
    shift = np.random.default_rng(0).uniform(-0.1, 0.1, mesh.points.shape)
    mesh = own_points(Mesh(mesh.points + shift * inner[:, None], mesh.cells))
    centre = np.full(3, 2.5)
    flow = Flow(mesh, rotation_about(centre)(mesh.points), "points")
    seeds = circle(centre, 200)
    found = pathlines(flow, seeds, [0, 2 * np.pi], rtol=1e-8)
    assert found.stayed.all()
    assert np.abs(found.positions[-1] - seeds).max() < 1e-6


def test_particles_pass_the_edges_and_corners_of_cells():
    """From one cell to another that has only an edge, or a corner, in common with it."""
    mesh = straight(reference(29), 3, np.eye(3))
    for way in ([1.0, 1, 0], [1, 1, 1]):
        flow = Flow(mesh, np.tile(way, (len(mesh.points), 1)), "points")
        found = pathlines(flow, [[0.75, 0.75, 0.75]], [0, 2.5])
        assert found.stayed.all()


def test_particles_stop_at_a_plate_between_curved_cells():
    """Its points are double and its rim is in the mesh; beside it they pass."""
    mesh = straight(reference(29), 4, np.eye(3))
    on_it = (np.abs(mesh.points[:, 0] - 2.5) < 1e-9) & (np.abs(mesh.points[:, 1:] - 2.5) < 0.9).all(axis=1)
    above = mesh.centroids[:, 0] > 2.5
    rows = mesh.cells.connectivity.reshape(len(mesh), -1).copy()
    twin = np.arange(len(mesh.points))
    twin[on_it] = len(mesh.points) + np.arange(on_it.sum())
    rows[above] = twin[rows[above]]
    plate = Mesh(np.vstack([mesh.points, mesh.points[on_it]]), Cells.of_type(29, rows))
    x = plate.points + 0.05 * np.sin(1.3 * plate.points[:, [1, 2, 0]])
    flow = Flow(Mesh(x, plate.cells), np.tile([1.0, 0, 0], (len(x), 1)), "points")
    beside = pathlines(flow, [[1.2, 1.2, 1.2], [1.2, 3.7, 2.4]], [0, 2.0])
    assert beside.stayed.all()
    seeds = np.array([[1.2, 2.6, 2.4], [1.2, 2.3, 2.7]])
    stopped = pathlines(flow, seeds, [0, 2.0])
    material = seeds[:, 1] - 0.05 * np.sin(1.3 * seeds[:, 2])
    np.testing.assert_allclose(stopped.left, 2.5 + 0.05 * np.sin(1.3 * material) - 1.2, atol=2e-3)
