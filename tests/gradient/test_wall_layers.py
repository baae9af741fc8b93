"""Gradients in thin layers along curved walls: as right as along flat ones."""

import numpy as np
import pytest

from flowgrad import FiniteDifference, Flow, Mesh, Patch, at_walls, velocity_gradient
from tests import layers
from tests.layers import rate_errors, solved

SOLVED = ["0.01-0.1-0.1", "0.001-0.1-0.06", "0.0001-0.1-0.03", "0.0001-0.03-0.03", "1e-05-0.03-0.01"]
SAMPLED = [
    ("0.001-0.1-0.06-quads", 0.02),
    ("0.001-0.1-0.06", 0.02),
    ("0.0001-0.1-0.03", 0.01),
    ("1e-05-0.03-0.009", 0.003),
]
ORDERS = ["auto", *(f"finite-difference(order={p})" for p in (1, 2, 3, 4))]


def inner(flow):
    return np.linalg.norm(flow.mesh.topology.boundary_geometry[1], axis=1) < 2


@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("name", SOLVED)
def test_wall_shear_rate_of_a_solved_flow(name, location):
    at_points, at_cells, exact = solved(name)
    flow = at_points if location == "points" else at_cells
    ratio = at_walls(flow, inner(flow)).wall_shear_rate / exact(1.0)
    assert abs(np.median(ratio) - 1) < 0.01
    low, high = np.percentile(ratio, [5, 95])
    assert 0.97 < low < high < 1.03


@pytest.mark.parametrize("scheme", ORDERS)
@pytest.mark.parametrize("name", SOLVED)
def test_first_layer_of_a_solved_flow_with_and_without_its_walls(name, scheme):
    flow = solved(name)[1]
    mesh, exact = flow.mesh, solved(name)[2]
    first = mesh.topology.boundary_cells[inner(flow)]
    x = mesh.centroids[first]
    r = np.linalg.norm(x, axis=1)
    errors = []
    for each in (flow, Flow(mesh, flow.velocity, "cells")):
        rate = np.einsum("nj,nj->n", velocity_gradient(each, scheme).L[first, 2], x / r[:, None])
        errors.append(np.abs(rate / exact(r) - 1))
    known, unknown = errors
    assert known.max() < 0.02
    assert np.median(known) < np.median(unknown) + 1e-3, "never worse with the patch than without"


@pytest.mark.parametrize(("name", "thickness"), SAMPLED)
def test_point_values_in_the_layer_beside_vtk(name, thickness):
    points, cells = layers.annulus(name)
    x = np.pad(points, ((0, 0), (0, 1)))
    flow = Flow.from_arrays(points, cells, layers.swirl(x, np.linalg.norm(x, axis=1) - 1, thickness), location="points")
    ours, theirs = (rate_errors(flow.mesh.points, L, thickness) for L in (velocity_gradient(flow).L, by_vtk(flow)))
    assert np.sqrt((ours**2).mean()) < 0.5 * np.sqrt((theirs**2).mean())


def by_vtk(flow):
    pytest.importorskip("vtkmodules", reason="VTK is not installed: pip install flowgrad[vtk]")
    from tests.vtk_peer import vtk_point_gradients

    return vtk_point_gradients(flow.mesh, flow.velocity)


MESHES = {
    "uneven quads, AR 100": lambda: named("quad", *layers.ring(0.1, 1e-3, 14, uneven=0.4)),
    "uneven quads, AR 5000": lambda: named("quad", *layers.ring(0.1, 2e-5, 14, uneven=0.4)),
    "extruded quads": lambda: layers.extruded(*named("quad", *layers.ring(0.1, 1e-4, 14, uneven=0.2)), 0.1),
    "extruded triangles": lambda: layers.extruded(*halved(*layers.ring(0.1, 1e-4, 14, uneven=0.2)), 0.1),
    "prisms, AR 150": lambda: layers.sphere(0.2, 1e-3, 12),
    "prisms, AR 1500": lambda: layers.sphere(0.2, 1e-4, 12),
    "tetrahedra, AR 30": lambda: layers.sphere(0.2, 5e-3, 12, split=True),
    "tetrahedra, AR 150": lambda: layers.sphere(0.2, 1e-3, 12, split=True),
    "tetrahedra, AR 1500": lambda: layers.sphere(0.2, 1e-4, 12, split=True),
}
FIRST = {"AR 100": 1e-3, "AR 5000": 2e-5, "AR 150": 1e-3, "AR 30": 5e-3}


def named(kind, points, cells):
    return points, {kind: cells}


def halved(points, quads):
    return points, {"triangle": np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]])}


def thickness_of(name):
    """Twenty times the first layer."""
    return 20 * FIRST.get(name.split(", ")[-1], 1e-4)


@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("name", MESHES)
def test_wall_shear_rate_on_irregular_meshes(name, location):
    thickness = thickness_of(name)
    flow, _ = layers.cell_flow(*MESHES[name](), thickness)
    if location == "points":
        flow = at_points_of(flow.mesh, thickness)
    found = at_walls(flow, layers.on_wall(flow.mesh))
    x = found.centroids
    sine = np.hypot(x[:, 0], x[:, 1]) / (
        np.linalg.norm(x, axis=1) if np.ptp(x[:, 2]) > 1 else np.hypot(x[:, 0], x[:, 1])
    )
    ratio = (found.wall_shear_rate * thickness / sine)[sine > 0.3]
    assert abs(np.median(ratio) - 1) < 0.01
    low, high = np.percentile(ratio, [5, 95])
    assert 0.95 < low < high < 1.05


def at_points_of(mesh, thickness):
    return Flow(mesh, layers.swirl(mesh.points, layers.distance_from_wall(mesh, mesh.points), thickness), "points")


def test_point_values_around_a_sphere_beside_vtk():
    mesh = layers.cell_flow(*MESHES["prisms, AR 150"](), 0.02)[0].mesh
    flow = at_points_of(mesh, 0.02)
    ours, theirs = (rate_errors(mesh.points, L, 0.02) for L in (velocity_gradient(flow).L, by_vtk(flow)))
    assert np.sqrt((ours**2).mean()) < 0.5 * np.sqrt((theirs**2).mean())


A = np.array([[0.3, -1.2, 0.7], [2.1, -0.4, 0.5], [-0.6, 0.9, 0.1]])


@pytest.mark.parametrize("scheme", ORDERS)
@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("name", ["uneven quads, AR 5000", "extruded triangles", "prisms, AR 150", "tetrahedra, AR 30"])
def test_linear_fields_are_exact(name, location, scheme):
    mesh = layers.cell_flow(*MESHES[name](), 1.0)[0].mesh
    assert mesh.wall_layers is not None
    known = slice(0, 3 if np.ptp(mesh.points[:, 2]) > 1 else 2)
    x = mesh.points if location == "points" else mesh.centroids
    L = velocity_gradient(Flow(mesh, x @ A.T, location), scheme).L[:, :, known]
    np.testing.assert_allclose(L, np.broadcast_to(A[:, known], L.shape), atol=1e-10)


@pytest.mark.parametrize("scheme", ORDERS)
@pytest.mark.parametrize("name", ["uneven quads, AR 100", "tetrahedra, AR 150"])
def test_at_the_centroids_it_is_the_gradient_at_cells(name, scheme):
    flow, _ = layers.cell_flow(*MESHES[name](), thickness_of(name))
    at_cells = velocity_gradient(flow, scheme)
    chosen = np.arange(0, len(flow.mesh), 7)
    there = velocity_gradient(flow, at_cells.scheme, at=flow.mesh.centroids[chosen])
    scale = np.abs(at_cells.L).max()
    np.testing.assert_allclose(there.L / scale, at_cells.L[chosen] / scale, atol=1e-12)


@pytest.mark.parametrize("smoothing", [1, 2])
@pytest.mark.parametrize("location", ["points", "cells"])
def test_between_the_samples_it_is_as_right_as_at_them(location, smoothing):
    """A third of the way from the cells' centroids to a point on the next level, of which no sample is near."""
    thickness = thickness_of("uneven quads, AR 100")
    flow, distance = layers.cell_flow(*MESHES["uneven quads, AR 100"](), thickness)
    mesh, scheme = flow.mesh, FiniteDifference(order=3, smoothing=smoothing)
    flow = flow if location == "cells" else at_points_of(mesh, thickness)
    corner = mesh.points[mesh.cells.connectivity.reshape(-1, 4)[:, 1]]
    between = mesh.centroids + (corner - mesh.centroids) / 3
    d = distance + (layers.distance_from_wall(mesh, corner) - distance) / 3
    errors = []
    for x, own, at in ((mesh.centroids, distance, "cells"), (between, d, between)):
        error = velocity_gradient(flow, scheme, at=at).L - exact_gradient(x, own, thickness)
        errors.append(np.sqrt((error[own < thickness] ** 2).mean()))
    assert errors[1] < 3 * errors[0]
    assert errors[1] < 3e-3 / thickness


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_turned_moved_and_scaled_meshes_have_turned_gradients(scale):
    flow, _ = layers.cell_flow(*MESHES["tetrahedra, AR 150"](), 0.02)
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    moved = Mesh(scale * (flow.mesh.points @ turn.T + [0.3, -0.7, 0.2]), flow.mesh.cells)
    other = Flow(moved, flow.velocity @ turn.T, "cells", boundary=flow.boundary and turned_walls(flow, turn))
    for scheme in ORDERS[1:4]:
        L = velocity_gradient(flow, scheme).L
        found = scale * np.einsum("ji,njk,kl->nil", turn, velocity_gradient(other, scheme).L, turn)
        assert np.abs(found - L).max() < 1e-7 * np.abs(L).max()


def turned_walls(flow, turn):
    return tuple(Patch(each.name, each.faces, each.velocity @ turn.T) for each in flow.boundary)


@pytest.mark.parametrize("name", ["uneven quads, AR 100", "prisms, AR 150", "tetrahedra, AR 150"])
@pytest.mark.parametrize("scheme", ["finite-difference(order=2)", "finite-difference(order=3)"])
def test_estimated_errors_are_those_there_are(name, scheme):
    thickness = thickness_of(name)
    mesh = layers.cell_flow(*MESHES[name](), thickness)[0].mesh
    found = velocity_gradient(at_points_of(mesh, thickness), scheme, error=True)
    x, d = mesh.points, layers.distance_from_wall(mesh, mesh.points)
    chosen = d < thickness
    true = np.linalg.norm((found.L - exact_gradient(x, d, thickness))[chosen], axis=(1, 2))
    effectivity = np.sqrt((found.error[chosen] ** 2).mean() / (true**2).mean())
    assert 0.5 < effectivity < 2


@pytest.mark.parametrize(("scheme", "rms", "largest"), [(2, 0.01, 0.03), (3, 0.003, 0.01), (4, 0.003, 0.01)])
@pytest.mark.parametrize("axes", [(1.0, 1.0, 1.0), (1.0, 0.6, 0.5)])
def test_polyhedra_around_an_ellipsoid(axes, scheme, rms, largest):
    """Three polygons meet at a point, whose neighbours fill three levels before they tell a cubic."""
    mesh, d, out = layers.on_ellipsoid(layers.polygonal(360, 1e-3, 12), np.array(axes))
    around = np.cross([0, 0, 1.0], out)
    flow = Flow(mesh, (1 - np.exp(-d / 0.02))[:, None] * around, "points")
    L, size = velocity_gradient(flow, FiniteDifference(order=scheme)).L, np.linalg.norm(around, axis=1)
    chosen = (d < 0.02) & (size > 0.3)
    found = np.einsum("ni,nij,nj->n", around / size[:, None] ** 2, L, out) * 0.02 / np.exp(-d / 0.02)
    assert np.sqrt(((found - 1)[chosen] ** 2).mean()) < rms
    assert np.abs(found - 1)[chosen].max() < largest


def layered(points, quads, heights):
    """Hexahedra on quads, from height to height along z."""
    n = len(points)
    x = np.concatenate([np.pad(points, ((0, 0), (0, 1)), constant_values=z) for z in heights])
    return x, {
        "hexahedron": np.concatenate([np.hstack([quads + i * n, quads + i * n + n]) for i in range(len(heights) - 1)])
    }


def test_layers_that_end_at_planes_across_the_wall():
    """At the rim of a wall its normals go on as between its faces."""
    mesh = layers.cell_flow(*layered(*layers.ring(0.1, 1e-3, 10, uneven=0.3), 0.1 * np.arange(6)), 1.0)[0].mesh
    thickness = 0.02
    found = velocity_gradient(at_points_of(mesh, thickness), error=True)
    d = layers.distance_from_wall(mesh, mesh.points)
    rim = (d < thickness) & np.isin(mesh.points[:, 2], [0, mesh.points[:, 2].max()])
    true = np.linalg.norm((found.L - exact_gradient(mesh.points, d, thickness))[rim], axis=(1, 2))
    assert np.sqrt((true**2).mean()) < 1e-3 / thickness
    assert 0.5 < np.sqrt((found.error[rim] ** 2).mean() / (true**2).mean()) < 2


@pytest.mark.parametrize("first", [1e-3, 1e-4])
def test_higher_orders_are_nearer_on_uneven_meshes(first):
    mesh = layers.cell_flow(*named("quad", *layers.ring(0.1, first, 14, uneven=0.3)), 1.0)[0].mesh
    flow, d = at_points_of(mesh, 20 * first), layers.distance_from_wall(mesh, mesh.points)
    exact, chosen = exact_gradient(mesh.points, d, 20 * first), (d > 0) & (d < 20 * first)
    errors = [(velocity_gradient(flow, FiniteDifference(order=p)).L - exact)[chosen] for p in (2, 3, 4)]
    two, three, four = (np.sqrt((each**2).mean()) for each in errors)
    assert three < two / 4
    assert four < three / 4


def exact_gradient(x, d, thickness):
    """Of the swirl (1 − e^(−d/δ)) (−y, x, 0)/r."""
    out = x if np.ptp(x[:, 2]) > 1 else x * [1, 1, 0]
    r = np.linalg.norm(out, axis=1)[:, None]
    around = np.column_stack([-x[:, 1], x[:, 0], 0 * x[:, 0]])
    turn = np.array([[0, -1.0, 0], [1, 0, 0], [0, 0, 0]])
    f, slope = 1 - np.exp(-d / thickness), np.exp(-d / thickness) / thickness
    radial = slope[:, None] / r - f[:, None] / r**2
    return (f[:, None] / r)[:, :, None] * turn + around[:, :, None] * (radial * out / r)[:, None, :]


@pytest.mark.parametrize(("name", "order"), [("uneven quads, AR 100", 3), ("prisms, AR 150", 2)])
def test_second_derivatives_across_the_layer(name, order):
    """Above the wall: on it, on coarse spheres, three layers on one side tell slopes and no curvature."""
    thickness = thickness_of(name)
    mesh = layers.cell_flow(*MESHES[name](), thickness)[0].mesh
    H = velocity_gradient(at_points_of(mesh, thickness), FiniteDifference(order=order), second=True)["hessian"]
    x, d = mesh.points, layers.distance_from_wall(mesh, mesh.points)
    out = (x if np.ptp(x[:, 2]) > 1 else x * [1, 1, 0]) / (1 + d)[:, None]
    around = np.column_stack([-x[:, 1], x[:, 0], 0 * d]) / (1 + d)[:, None]
    size = np.linalg.norm(around, axis=1)
    chosen = (d > 1e-9) & (d < thickness) & (size > 0.3)
    found = np.einsum("ni,nijk,nj,nk->n", around / size[:, None], H, out, out)
    ratio = (found / (-np.exp(-d / thickness) / thickness**2 * size))[chosen]
    assert abs(np.median(ratio) - 1) < 0.01
    assert np.sqrt(((ratio - 1) ** 2).mean()) < 0.1
    # Along the wall nothing bends but the wall: what the curvature of the layer alone would give is 1/(δ R).
    along = np.einsum("ni,nijk,nj,nk->n", around / size[:, None], H, *(2 * [across(out, around)]))[chosen]
    assert np.abs(along).max() < 3 / thickness


def across(out, around):
    """Unit vectors along the wall and across the flow, along it in a plane."""
    found = np.cross(out, around) if np.ptp(out[:, 2]) > 0 else around
    return found / np.linalg.norm(found, axis=1, keepdims=True)


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize(("name", "tolerance"), [("uneven quads, AR 100", 1e-4), ("prisms, AR 150", 1e-3)])
def test_distances_from_round_walls(name, tolerance, inside):
    points, cells = MESHES[name]()
    size = np.linalg.norm(points, axis=1)
    exact = size - 1
    if inside:
        points, cells = points * ((2 - size) / size)[:, None], {kind: turned(kind, own) for kind, own in cells.items()}
    mesh = Flow.from_arrays(points, cells, np.zeros_like(points), location="points").mesh
    known = mesh.wall_layers.points
    near = np.flatnonzero((exact > 1e-9) & (exact < 0.4 * exact.max()))
    found = known.distance[known.nearest()[near]]
    assert np.abs(found / exact[near] - 1).max() < tolerance


def turned(kind, cells):
    """Cells with their points in the other sense."""
    return cells[:, ::-1] if kind == "quad" else cells[:, [0, 2, 1, 3, 5, 4]]


def test_flat_walls_and_round_cells_are_left_alone():
    flat = Mesh(np.array([[x, y * y * 1e-3, 0.0] for x in range(6) for y in range(6)]), quads(6, 6))
    assert flat.wall_layers is None
    points, cells = layers.ring(0.1, 0.1, 4)
    round_cells = Flow.from_arrays(points, {"quad": cells}, np.zeros((len(points), 2)), location="points").mesh
    assert round_cells.wall_layers is None


def quads(rows, columns):
    i = np.arange(rows * columns).reshape(rows, columns)
    found = np.stack([i[:-1, :-1], i[1:, :-1], i[1:, 1:], i[:-1, 1:]], -1).reshape(-1, 4)
    return Flow.from_arrays(np.zeros((rows * columns, 3)), {"quad": found}, np.zeros((rows * columns, 3))).mesh.cells


def test_a_result_says_that_fits_follow_the_walls():
    flow, _ = layers.cell_flow(*MESHES["uneven quads, AR 100"](), 0.02)
    found = velocity_gradient(flow)
    assert "curved walls" in found.reason
    assert "882 of 882 cells the fits follow the distance from the wall" in " ".join(found.notes)


@pytest.mark.parametrize("first", [1e-3, 1e-4])
def test_point_values_at_walls_of_a_meridian_plane(first):
    """Walls of axisymmetric flows are taken at positions, the centroids of facets that sag by more than the layer."""
    thickness = 20 * first
    points, cells = layers.ring(0.1, first, 14, uneven=0.3, arc=np.pi)
    x = np.pad(points, ((0, 0), (0, 1)))
    r = np.linalg.norm(x, axis=1)
    along = np.stack([-x[:, 1], x[:, 0], 0 * r], -1) / r[:, None]
    speed = np.abs(x[:, 1]) / r * (1 - np.exp(-(r - 1) / thickness))
    mesh = Flow.from_arrays(points, {"quad": cells}, np.zeros_like(points), location="points").mesh
    flow = Flow(mesh, speed[:, None] * along, "points", axisymmetric="x")
    found = at_walls(flow, layers.on_wall(mesh))
    sine = np.abs(found.centroids[:, 1]) / np.linalg.norm(found.centroids, axis=1)
    ratio = (found.wall_shear_rate * thickness / sine)[sine > 0.3]
    assert np.abs(ratio - 1).max() < 0.02


@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("first", [1e-3, 1e-4])
def test_layers_around_a_sphere_in_a_wedge(first, location):
    """The chord of a wedge of 5° is nearer to the axis than its points by ten times the height of the first cells."""
    thickness, half, tilt = 20 * first, np.radians(2.5), 0.2 * np.pi
    points, quads = layers.ring(0.1, first, 14, uneven=0.3, arc=0.6 * np.pi)
    x, r = np.array([[np.cos(tilt), -np.sin(tilt)], [np.sin(tilt), np.cos(tilt)]]) @ points.T
    both = np.concatenate([np.column_stack([x, r * np.cos(a), r * np.sin(a)]) for a in (-half, half)])
    cells = np.hstack([quads, quads + len(points)])
    mesh = Flow.from_arrays(both, {"hexahedron": cells}, np.zeros_like(both), location="points").mesh
    distance = np.linalg.norm(both, axis=1) - 1
    places, d = (both, distance) if location == "points" else (mesh.centroids, distance[cells].mean(axis=1))
    out = places / np.linalg.norm(places, axis=1)[:, None]
    velocity = (1 - np.exp(-d / thickness))[:, None] * ([1.0, 0, 0] - out * out[:, :1])
    polygons = np.split(mesh.topology.boundary_polygons[1], mesh.topology.boundary_polygons[0][1:-1])
    wall = np.array([distance[each].max() < 1e-9 for each in polygons])
    found = at_walls(Flow(mesh, velocity, location), wall, wall_velocity=0 if location == "cells" else None)
    assert any("wedge" in note for note in found.notes)
    sine = np.hypot(found.centroids[:, 1], found.centroids[:, 2]) / np.linalg.norm(found.centroids, axis=1)
    assert np.abs(found.wall_shear_rate * thickness / sine - 1).max() < 0.01
