"""Velocities between the points of meshes: exact for quadratics, continuous, of their order; walls hold."""

import numpy as np
import pytest

import flowgrad
from flowgrad import Cells, Flow, Lattice, Mesh, Patch, Series
from flowgrad.exact import DoubleGyre
from flowgrad.mesh.simplices import simplices_of
from flowgrad.paths import ftle, pathlines
from flowgrad.paths.field import SteadyField
from flowgrad.paths.mesh_interpolant import MeshInterpolant, velocity_at_points
from tests import meshes
from tests.mesh.test_simplices import MESHES, TURNED, facets

RNG = np.random.default_rng(4)
CURVATURE = RNG.normal(size=(3, 3, 3))
CURVATURE += CURVATURE.transpose(0, 2, 1)
SLOPE, LEVEL = RNG.normal(size=(3, 3)), RNG.normal(size=3)


def quadratic(x):
    return LEVEL + x @ SLOPE.T + 0.5 * np.einsum("ijk,nj,nk->ni", CURVATURE, x, x)


def slope(x):
    return SLOPE + np.einsum("ijk,nk->nij", CURVATURE, x)


def smooth(x):
    a, b, c = x.T
    return np.column_stack([np.sin(a + 2 * b) * c, np.cos(b - a) + c**3, np.sin(a * b) + np.exp(c / 2)])


def smooth_slope(x):
    a, b, c = x.T
    s, o = np.sin(b - a), np.cos(a + 2 * b)
    rows = [
        [o * c, 2 * o * c, np.sin(a + 2 * b)],
        [s, -s, 3 * c**2],
        [b * np.cos(a * b), a * np.cos(a * b), np.exp(c / 2) / 2],
    ]
    return np.array(rows).transpose(2, 0, 1)


def field_of(flow, scheme="auto"):
    return SteadyField(MeshInterpolant(flow, scheme), flow)


def inner_positions(own, numbers, rng):
    """Random positions in the given simplices."""
    shares = rng.dirichlet(np.ones(own.dimension + 1), len(numbers))
    return np.einsum("sa,sai->si", shares, own.points[own.corners[numbers]])


@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("name", sorted(set(MESHES) - {"pentagons"}))  # too few cells for quadratic fits
def test_quadratics_are_exact(name, location):
    """Where the scheme gives exact L: velocities at points or cells, cells of all types, added centres too."""
    mesh, own = MESHES[name], simplices_of(MESHES[name])
    flow = Flow(mesh, quadratic(mesh.points if location == "points" else mesh.centroids), location)
    x = inner_positions(own, np.arange(len(own)), np.random.default_rng(1))
    cells = np.full(len(x), -1)
    found = field_of(flow, "finite-difference(order=2)").sample(x, 0.0, cells)
    inward = np.eye(3) - np.outer(own.normal, own.normal)
    assert found.inside.all()
    np.testing.assert_array_equal(cells, np.arange(len(own)))
    np.testing.assert_allclose(found.velocity, quadratic(x) @ inward, atol=5e-12)
    np.testing.assert_allclose(found.L, inward @ slope(x) @ inward, atol=2e-11)


@pytest.mark.parametrize("name", ["mixed", "dual", "hexagonal_prism", "tilted"])
def test_velocities_agree_on_both_sides_of_a_face(name):
    mesh, own = MESHES[name], simplices_of(MESHES[name])
    field = field_of(Flow(mesh, smooth(mesh.points), "points"))
    s, i = np.nonzero(own.neighbours >= 0)
    corners = own.points[facets(own)[s, i]]
    x = np.einsum("fa,fai->fi", np.random.default_rng(2).dirichlet(np.ones(own.dimension), len(s)), corners)
    one, other = s.astype(np.int64), own.neighbours[s, i].astype(np.int64)
    here, there = field.sample(x, 0.0, one), field.sample(x, 0.0, other)
    np.testing.assert_array_equal(one, s)
    np.testing.assert_array_equal(other, own.neighbours[s, i])
    np.testing.assert_allclose(here.velocity, there.velocity, rtol=0, atol=1e-12)
    assert np.abs(here.L - there.L).max() > 1e-3


@pytest.mark.parametrize("name", ["mixed", "dual", "planar_polygon"])
def test_the_gradient_is_that_of_the_velocity(name):
    """Central differences are exact for the quadratic within a simplex."""
    mesh, own = MESHES[name], simplices_of(MESHES[name])
    field = field_of(Flow(mesh, smooth(mesh.points), "points"))
    x = own.points[own.corners].mean(axis=1)
    cells = np.arange(len(own))
    L = field.sample(x, 0.0, cells).L
    step = 1e-4
    for k in range(own.dimension):
        ahead, behind = (field.sample(x + sign * step * np.eye(3)[k], 0.0, cells).velocity for sign in (1, -1))
        np.testing.assert_allclose(L[:, :, k], (ahead - behind) / (2 * step), atol=1e-10)


@pytest.mark.parametrize("name", ["tetra", "polyhedron", "planar_triangle"])
def test_errors_fall_with_the_third_power_in_v_and_the_second_in_L(name):
    errors = []
    for n in (4, 8, 16):
        mesh = meshes.planar("triangle", n) if name == "planar_triangle" else meshes.solid(name, n)
        mesh = Mesh(mesh.points / n, mesh.cells)
        flow = Flow(mesh, smooth(mesh.points), "points")
        own = simplices_of(mesh)
        x = inner_positions(own, np.linspace(0, len(own) - 1, 2000).astype(int), np.random.default_rng(3))
        found = field_of(flow).sample(x, 0.0, np.full(len(x), -1))
        d = own.dimension
        off_v, off_L = found.velocity - smooth(x), found.L - smooth_slope(x)
        errors.append([np.sqrt((off_v[:, :d] ** 2).mean()), np.sqrt((off_L[:, :d, :d] ** 2).mean())])
    orders = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (orders[:, 0] > 2.7).all(), orders
    assert (orders[:, 1] > 1.8).all(), orders


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_turned_and_scaled_meshes_give_turned_and_scaled_velocities(scale):
    mesh = MESHES["mixed"]
    other = Mesh(scale * mesh.points @ TURNED.T, mesh.cells)
    own = simplices_of(mesh)
    x = inner_positions(own, np.arange(len(own)), np.random.default_rng(1))
    v = smooth(mesh.points)
    one = field_of(Flow(mesh, v, "points")).sample(x, 0.0, np.full(len(x), -1))
    two = field_of(Flow(other, v @ TURNED.T, "points")).sample(scale * x @ TURNED.T, 0.0, np.full(len(x), -1))
    assert two.inside.all()
    np.testing.assert_allclose(two.velocity, one.velocity @ TURNED.T, atol=1e-11)
    np.testing.assert_allclose(scale * two.L, TURNED @ one.L @ TURNED.T, atol=1e-10)


def wall_flow():
    """A box with a floor at rest: v vanishes on it, and the gradient at its points is as wrong as fits make it."""
    mesh = meshes.solid("tetra", 4)
    points = mesh.points.copy()
    floor = points[:, 2] < 0.5
    points[floor, 2] = 0
    v = smooth(points) * points[:, 2:] * np.sin(points[:, :1])
    return Mesh(points, mesh.cells), v, floor


def test_walls_at_rest_are_at_rest_between_their_points():
    mesh, v, floor = wall_flow()
    interpolation = MeshInterpolant(Flow(mesh, v, "points"))
    nodal = interpolation.nodal(Flow(mesh, v, "points"))
    assert np.abs(nodal[floor, 3:].reshape(-1, 3, 3)[:, :, :2]).max() > 1e-3  # the fits see slopes along the wall
    own = interpolation.simplices
    s, i = np.nonzero(own.neighbours == -1)
    wall = floor[facets(own)[s, i]].all(axis=1)
    x = own.points[facets(own)[s, i][wall]].mean(axis=1)
    found = interpolation.sample(nodal[None], np.ones((1, 1)), x, np.full(len(x), -1))
    assert found.inside.all()
    np.testing.assert_allclose(found.velocity, 0, atol=1e-13)


def test_known_walls_hold_their_points_up_to_the_rim():
    """Zero where one face is at rest, and a patch of one velocity has it; others take the extrapolation."""
    mesh = meshes.SOLIDS["hexahedron"]
    topology, low = mesh.topology, mesh.points.min(axis=0)
    area, _ = topology.boundary_geometry
    floor, side = (np.flatnonzero(area[:, k] < -0.9 * np.linalg.norm(area, axis=1)) for k in (2, 0))
    lid = np.tile([0.5, 1, 1], (len(side), 1))
    boundary = (Patch("side", side, lid), Patch("floor", floor, np.zeros((len(floor), 3))))
    flow = Flow(mesh, quadratic(mesh.centroids), "cells", boundary=boundary)
    found = velocity_at_points(flow, slope(mesh.points), slope(mesh.centroids))
    on_floor, on_side = mesh.points[:, 2] < low[2] + 0.5, mesh.points[:, 0] < low[0] + 0.5
    np.testing.assert_array_equal(found[on_floor], 0)
    np.testing.assert_array_equal(found[on_side & ~on_floor], lid[:1].repeat((on_side & ~on_floor).sum(), axis=0))
    free = ~(on_floor | on_side)
    np.testing.assert_allclose(found[free], quadratic(mesh.points[free]), atol=1e-13)


@pytest.mark.parametrize("sides", [(0,), (0, 1), (0, 1, 2, 3)])
def test_exact_patches_leave_a_linear_flow_exact_up_to_their_rim(sides):
    """u = 1 + y at cells: the mean of the faces' own values would be off by half a cell at the corners."""
    n = 10
    mesh = meshes.planar("quad", n)
    axis = np.linspace(0, 1, n + 1)
    mesh = Mesh(np.column_stack([np.repeat(axis, n + 1), np.tile(axis, n + 1), 0 * mesh.points[:, 2]]), mesh.cells)
    centroid = mesh.topology.boundary_geometry[1]
    places = [centroid[:, 0] < 1e-9, centroid[:, 0] > 1 - 1e-9, centroid[:, 1] < 1e-9, centroid[:, 1] > 1 - 1e-9]

    def velocity(x):
        return np.column_stack([1 + x[:, 1], 0 * x[:, :2]])

    boundary = tuple(
        Patch(str(k), np.flatnonzero(places[k]), velocity(centroid[np.flatnonzero(places[k])])) for k in sides
    )
    seeds = np.array([[0, 0.97, 0], [0.02, 0.03, 0], [0.3, 0.97, 0]])
    paths = pathlines(Flow(mesh, velocity(mesh.centroids), "cells", boundary=boundary), seeds, [0, 0.05])
    np.testing.assert_allclose(paths.positions[-1], seeds + 0.05 * velocity(seeds), rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", ["hexahedron", "tetra"])
def test_patches_of_a_quadratic_flow_are_exact_at_their_points(name):
    """Faces are parallelograms and triangles, so that L at their centroids is the mean of that at their points."""
    mesh = meshes.solid(name)
    mesh = Mesh(np.round(mesh.points), mesh.cells)
    assert mesh.measures.min() > 0.1
    faces = np.arange(len(mesh.topology.boundary_geometry[1]))
    boundary = (Patch("all", faces, quadratic(mesh.topology.boundary_geometry[1])),)
    flow = Flow(mesh, quadratic(mesh.centroids), "cells", boundary=boundary)
    found = velocity_at_points(flow, slope(mesh.points), slope(mesh.centroids))
    wrong = np.abs(found - quadratic(mesh.points)).max(axis=1)
    on_rim = np.unique(mesh.topology.boundary_polygons[1])
    # ½ (L_f + L_p) (x_p − x_f) is exact for quadratics, and so is the mean of exact values.
    np.testing.assert_allclose(wrong[on_rim], 0, atol=1e-12)


def test_holes_are_outside():
    mesh = MESHES["planar_triangle"]
    v = smooth(mesh.points)
    v[12] = np.nan
    flow = Flow(mesh, v, "points")
    own = simplices_of(mesh)
    found = field_of(flow).sample(own.points[own.corners].mean(axis=1), 0.0, np.full(len(own), -1))
    assert not found.inside[(own.corners == 12).any(axis=1)].any()
    far = np.linalg.norm(own.points[own.corners] - mesh.points[12], axis=2).min(axis=1) > 1.5
    assert found.inside[far].all()


def test_steps_of_a_series_are_blended():
    """As the sum of their own fields, whether all particles have the same weights or each its own."""
    mesh = MESHES["mixed"]
    flows = [Flow(mesh, np.roll(smooth(mesh.points), k, axis=1), "points") for k in range(3)]
    interpolation = MeshInterpolant(flows[0])
    nodal = np.stack([interpolation.nodal(flow) for flow in flows])
    own = interpolation.simplices
    x = inner_positions(own, np.arange(len(own)), np.random.default_rng(1))
    cells = np.full(len(x), -1)
    parts = [field_of(flow).sample(x, 0.0, cells) for flow in flows]
    each = np.random.default_rng(2).normal(size=(len(x), 3))
    for weights in (each[:1], each):
        found = interpolation.sample(nodal, weights, x, cells)
        by_particle = np.broadcast_to(weights, each.shape)
        expected = sum(by_particle[:, k, None] * part.velocity for k, part in enumerate(parts))
        np.testing.assert_allclose(found.velocity, expected, atol=1e-12)
        expected = sum(by_particle[:, k, None, None] * part.L for k, part in enumerate(parts))
        np.testing.assert_allclose(found.L, expected, atol=1e-11)


def rotation(n):
    """A disc's worth of tetrahedra turning about (2, 2), with a swirl that is no polynomial of second degree."""
    mesh = meshes.solid("tetra", n)
    points = 4 * mesh.points / n
    r = points[:, :2] - 2
    rate = 1 + 0.1 * (r**2).sum(axis=1)
    return Flow(Mesh(points, mesh.cells), np.column_stack([-rate * r[:, 1], rate * r[:, 0], 0 * rate]), "points")


def test_circles_close_with_the_mesh():
    """After a turn at r = 1; the error falls with the third power."""
    errors = []
    for n in (4, 8, 16):
        paths = pathlines(rotation(n), [[3.0, 2, 2], [2, 1, 1.7]], [0.0, 2 * np.pi / 1.1], steps=60)
        errors.append(np.abs(paths.positions[-1] - paths.positions[0]).max())
    assert errors[-1] < 2e-3
    assert np.log2(errors[0] / errors[-1]) / 2 > 2.5, errors


@pytest.mark.parametrize("repeats", [True, False])
@pytest.mark.parametrize("layers", [1, 3])
def test_lattices_that_close_upon_themselves_are_passed_round(repeats, layers):
    """A ring turning about its axis, with and without the first points again as the last."""
    angle = np.linspace(0, 2 * np.pi, 25, endpoint=repeats)
    ring = np.stack([np.cos(angle), np.sin(angle), 0 * angle], axis=-1)
    grid = np.array([1, 1.5, 2])[:, None, None, None] * ring[:, None] + np.arange(layers)[:, None] * [0, 0, 1.0]
    lattice = Lattice.curvilinear(grid, periodic=(False, True, False))
    flow = Flow(lattice, np.cross([0, 0, 1], lattice.points), "points")
    scheme = "finite-difference(order=2)"
    seeds = [[1.5, 0.1, 0], [-0.3, 1.2, 0]]
    paths = pathlines(field_of(flow, scheme), seeds, [0.0, 2 * np.pi], steps=100)
    assert paths.stayed.all()
    np.testing.assert_allclose(paths.positions[-1], seeds, atol=1e-3)


@pytest.mark.parametrize("name", ["voxel", "tetra"])
def test_particles_leave_when_they_reach_the_boundary(name):
    mesh = meshes.SOLIDS["voxel"] if name == "voxel" else meshes.solid(name)
    points = np.round(mesh.points)
    velocity = np.array([0.5, -0.25, 0.1])
    flow = Flow(Mesh(points, mesh.cells), np.tile(velocity, (len(points), 1)), "points")
    seeds = np.random.default_rng(1).uniform(0.1, 2.9, (50, 3))
    paths = pathlines(flow, seeds, [0.0, 3.0, 20.0])
    ways = np.where(velocity > 0, 3 - seeds, -seeds) / velocity
    np.testing.assert_allclose(paths.left, ways.min(axis=1), rtol=1e-7)
    np.testing.assert_allclose(paths.positions[-1], seeds + paths.left[:, None] * velocity, atol=1e-6)


def test_a_hint_across_a_notch_leads_to_the_other_side():
    """Walking ends at the notch of a domain that is not convex; the position is found all the same."""
    axis = np.arange(4.0)
    points = np.stack(np.meshgrid(axis, axis[:3], indexing="ij"), -1).reshape(-1, 2)
    index = np.arange(12).reshape(4, 3)
    rows = np.stack([index[:-1, :-1], index[1:, :-1], index[1:, 1:], index[:-1, 1:]], -1).reshape(-1, 4)
    mesh = Mesh(np.column_stack([points, np.zeros(12)]), Cells.of_type(9, np.delete(rows, 3, axis=0)))
    flow = Flow(mesh, quadratic(mesh.points), "points")
    own = simplices_of(mesh)
    x = np.array([[0.3, 1.6, 0], [2.7, 1.6, 0], [1.5, 1.5, 0]])
    cells = np.full(3, int(np.flatnonzero(own.owners == 4)[0]))
    found = field_of(flow, "finite-difference(order=2)").sample(x, 0.0, cells)
    assert found.inside.tolist() == [True, True, False]
    assert own.owners[cells[:2]].tolist() == [1, 4]
    np.testing.assert_allclose(found.velocity[:2, :2], quadratic(x)[:2, :2], atol=1e-12)


@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("out_of_plane", ["unknown", "incompressible"])
def test_oblique_planes_cut_from_a_flow_carry_particles_as_planar_flows_do(location, out_of_plane):
    mesh = MESHES["tilted"]
    at = mesh.points if location == "points" else mesh.centroids
    own = simplices_of(mesh)
    x = inner_positions(own, np.arange(len(own)), np.random.default_rng(1))
    zero, other = (Flow(mesh, smooth(at), location, out_of_plane=each) for each in ("zero", out_of_plane))
    found, wanted = (field_of(flow).sample(x, 0.0, np.full(len(x), -1)) for flow in (other, zero))
    assert wanted.inside.all()
    assert abs(own.normal).max() < 0.99
    for one, same in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, same)


def test_lyapunov_exponents_on_triangles_are_those_of_the_function():
    """The double gyre (Shadden et al. 2005) over half a period, from steps on an uneven triangulation."""
    n, gyre = 32, DoubleGyre()
    mesh = meshes.planar("triangle", n)
    points = np.clip(mesh.points / n, 0, 1) * [2, 1, 1]
    mesh = Mesh(points, mesh.cells)
    times = np.linspace(0, 5, 11)
    series = Series.from_arrays(mesh, times, [gyre(points, t) for t in times])
    seeds = np.array([[0.5, 0.25, 0], [1, 0.5, 0], [0.95, 0.3, 0], [1.5, 0.75, 0], [1.2, 0.6, 0]])
    found, wanted = (ftle(each, seeds, 0.0, 5.0, steps=60) for each in (series, gyre))
    assert np.isnan(found.left).all()
    np.testing.assert_allclose(found.values, wanted.values, rtol=0.01)


@pytest.mark.parametrize(("case", "location"), [("cavity3Dtet", "points"), ("pipeCyclic", "cells")])
def test_files_of_a_solver_carry_particles(data, case, location):
    """Tetrahedra in a box, where particles pass only through the rim that the file moves with its lid (y = 0.1), and
    hexahedra, wedges and polyhedra in an open pipe."""
    flow = flowgrad.read(data / f"{case}.vtu", location=location)
    own = simplices_of(flow.mesh)
    assert own.measures.sum() == pytest.approx(flow.mesh.measures[flow.mesh.is_full].sum(), rel=1e-6)
    seeds = flow.mesh.centroids[flow.mesh.is_full][::40]
    size = np.ptp(flow.mesh.points, axis=0).max()
    duration = size / np.abs(flow.velocity).max()
    paths = pathlines(flow, seeds, [0.0, duration], F=True, steps=50)
    assert (np.linalg.norm(paths.positions[-1] - seeds, axis=1) > 0.1 * size).any()
    assert np.isfinite(paths.F).all()
    if case == "cavity3Dtet":
        assert (paths.positions[-1, ~paths.stayed, 1] > 0.093).all()
        assert paths.stayed.mean() > 0.9


def test_a_closed_cavity_keeps_its_particles(data):
    """Walls known from patches, the velocity at the cells: nobody leaves in many turns."""
    flow = flowgrad.read(data / "cavity.vtu", location="cells", boundary=str(data / "boundary/cavity/*.vtp"))
    seeds = flow.mesh.centroids[flow.mesh.is_full][::7]
    duration = 20 * np.ptp(flow.mesh.points, axis=0).max() / np.abs(flow.velocity).max()
    paths = pathlines(flow, seeds, [0.0, duration], steps=400)
    assert np.isnan(paths.left).all()
