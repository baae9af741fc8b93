"""Local polynomial fits: what they must reproduce exactly, how fast they converge, and what they refuse."""

import numpy as np
import pytest
from scipy.spatial import ConvexHull, Delaunay
from scipy.spatial.transform import Rotation

from flowgrad import Cells, FiniteDifference, Flow, Mesh, MeshError, OptionError, Patch, read, velocity_gradient
from flowgrad.gradient.local_fits.averages import simplex_quadrature
from flowgrad.mesh.generate import block
from tests import meshes
from tests.gradient.polynomials import polynomial, smooth

ROTATION = Rotation.from_euler("xyz", [0.4, -0.9, 1.7]).as_matrix()
# Blocks wide enough for order 4 everywhere.
WIDE = {name: meshes.solid(name, 6) for name in ("hexahedron", "tetra", "wedge", "pyramid", "polyhedron")}
WIDE |= {"mixed": meshes.mixed(6), "dual": meshes.dual(meshes.solid("tetra", 5))}
WIDE |= {name: meshes.planar(name, 8) for name in ("quad", "triangle", "polygon", "pixel")}


def fits(order, **options):
    return FiniteDifference(order=order, lattice=False, **options)


def places(mesh, location):
    return mesh.points if location == "points" else mesh.centroids


def relative_error(result, exact):
    assert result.valid.all(), result.notes
    return np.abs(result.L - exact).max() / np.abs(exact).max()


@pytest.mark.parametrize("order", [1, 2, 3, 4])
@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("name", WIDE)
def test_polynomials_of_the_order_are_exact(name, location, order):
    mesh = WIDE[name]
    v, L, _ = polynomial(order, mesh.dimension)
    flow = Flow(mesh, v(places(mesh, location)), location)
    at_samples = velocity_gradient(flow, fits(order))
    full = mesh.is_full if location == "cells" else slice(None)
    error = np.abs(at_samples.L - L(places(mesh, location)))[full].max()
    assert error < 1e-10 * np.abs(at_samples.L).max()
    assert not any("lowered" in note for note in at_samples.notes)
    middle = mesh.centroids[mesh.is_full][::7] + 0.05 * np.array([1.0, -1, mesh.dimension - 2])
    assert relative_error(velocity_gradient(flow, fits(order), at=middle), L(middle)) < 1e-10


@pytest.mark.parametrize("order", [2, 4])
@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("name", ["tetra", "mixed", "triangle"])
def test_they_are_exact_where_the_values_are_not(name, location, order):
    mesh = WIDE[name]
    v, L, _ = polynomial(order, mesh.dimension)
    flow = Flow(mesh, v(places(mesh, location)), location)
    other = "cells" if location == "points" else "points"
    result = velocity_gradient(flow, fits(order), at=other)
    chosen = mesh.is_full if other == "cells" else slice(None)
    exact = L(places(mesh, other))
    assert np.abs(result.L - exact)[chosen].max() < 1e-9 * np.abs(exact).max()


@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("height", [1.0, 0.2])
def test_long_oblique_neighbourhoods_turn_with_the_mesh(height, location):
    coarse = block("tetra", 8, size=3)
    mesh = Mesh(coarse.points * [1, 0.7, height] @ [[1, 0.2, 0], [0, 1, 0.1 * height], [0.05, 0, 1]], coarse.cells)
    v = smooth(places(mesh, location))[0]
    here = velocity_gradient(Flow(mesh, v, location), fits(2)).L
    turned = Flow(Mesh(mesh.points @ ROTATION.T, mesh.cells), v @ ROTATION.T, location)
    there = velocity_gradient(turned, fits(2)).L
    np.testing.assert_allclose(there, ROTATION @ here @ ROTATION.T, atol=1e-10 * np.abs(here).max())


@pytest.mark.parametrize("order", [3, 4])
def test_layers_that_grow_away_from_a_wall_are_no_harder(order):
    """Neighbourhoods that are singular though no pivot of their normal equations is small; cells a hundred
    times as wide as they are high, on a mesh that is turned."""
    layers = block("tetra", 9, size=8, jitter=0)
    x, y, z = layers.points.T
    turned = np.column_stack([x / 8, y / 8, 0.01 * (1.3**z - 1)]) @ ROTATION.T
    v, L, _ = polynomial(2, 3)
    result = velocity_gradient(Flow(Mesh(turned, layers.cells), v(turned), "points"), fits(order))
    assert relative_error(result, L(turned)) < 1e-10


@pytest.mark.parametrize("scale", [1e-6, 1e6])
@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("name", ["tetra", "quad"])
def test_size_and_place_do_not_matter(name, location, scale):
    """Order 3 on a mesh that is turned, moved and scaled, in a flow that moves as a whole."""
    mesh = WIDE[name]
    v = smooth(places(mesh, location))[0]
    here = velocity_gradient(Flow(mesh, v, location), fits(3)).L
    moved = Mesh(scale * (mesh.points @ ROTATION.T + [1, -2, 3]), mesh.cells)
    there = velocity_gradient(Flow(moved, v @ ROTATION.T + [5, 6, -7], location), fits(3)).L
    np.testing.assert_allclose(scale * there, ROTATION @ here @ ROTATION.T, atol=1e-9 * np.abs(here).max())


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("stretch", [1e-4, 1e-2])
def test_thin_cells_are_as_exact(order, stretch):
    """A layer of flat cells, as at a wall, standing obliquely."""
    mesh = WIDE["hexahedron"]
    flat = Mesh(mesh.points * [1, 1, stretch] @ ROTATION.T, mesh.cells)
    v, L, _ = polynomial(order, 3)
    inside = v(mesh.points)
    exact = L(mesh.points) @ np.diag([1, 1, 1 / stretch]) @ ROTATION.T
    result = velocity_gradient(Flow(flat, inside, "points"), fits(order))
    error = (result.L - exact) @ ROTATION @ np.diag([1, 1, stretch])
    assert np.abs(error).max() < 1e-9 * np.abs(L(mesh.points)).max()


@pytest.mark.parametrize("dimension", [1, 2, 3])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_scattered_points(order, dimension):
    points = np.zeros((700, 3))
    points[:, :dimension] = np.random.default_rng(1).uniform(size=(700, dimension))
    v, L, _ = polynomial(order, dimension)
    turned = Flow.from_arrays(points @ ROTATION.T, None, v(points), "points")
    result = velocity_gradient(turned, fits(order))
    assert relative_error(result, L(points) @ ROTATION.T) < 1e-10
    if dimension < 3:
        assert "are taken as zero" in result.notes[0]


def order_of(sizes, errors):
    return np.log(errors[-2] / errors[-1]) / np.log(sizes[-1] / sizes[-2])


def of_unit_size(mesh, n):
    return Mesh(mesh.points / n, mesh.cells)


BUILDERS = {
    "triangle": (lambda n: meshes.planar("triangle", n), (24, 48)),
    "tetra": (lambda n: meshes.solid("tetra", n), (9, 18)),
    "dual": (lambda n: meshes.dual(meshes.solid("tetra", n)), (13, 19)),
}


@pytest.fixture(scope="module", params=BUILDERS)
def refined(request):
    build, sizes = BUILDERS[request.param]
    return sizes, [of_unit_size(build(n), n) for n in sizes]


@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_observed_order(refined, location, order):
    """At least p − 0.2, inside and on the boundary."""
    sizes, refinement = refined
    errors = []
    for mesh in refinement:
        v, L = smooth(places(mesh, location))
        L[:, :, mesh.dimension :] = 0
        squares = ((velocity_gradient(Flow(mesh, v, location), fits(order)).L - L) ** 2).sum(axis=(1, 2))
        topology = mesh.topology
        edge = np.zeros(len(squares), bool)
        edge[topology.boundary_polygons[1] if location == "points" else topology.boundary_cells] = True
        errors.append([np.sqrt(squares[~edge].mean()), np.sqrt(squares[edge].mean())])
    inside, boundary = np.array(errors).T
    assert order_of(sizes, inside) > order - 0.2
    assert order_of(sizes, boundary) > order - 0.2


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_the_observed_order_on_scattered_points(order):
    """The slope over four numbers of points."""
    rng, counts, errors = np.random.default_rng(3), np.array([1000, 2500, 6000, 15000]), []
    for count in counts:
        points = np.column_stack([rng.uniform(size=(count, 2)), np.zeros(count)])
        v, L = smooth(points)
        L[:, :, 2] = 0
        error = velocity_gradient(Flow.from_arrays(points, None, v, "points"), fits(order)).L - L
        errors.append(np.sqrt((error**2).sum(axis=(1, 2)).mean()))
    assert -np.polyfit(np.log(counts) / 2, np.log(errors), 1)[0] > order - 0.2


def averages(mesh, v):
    """Averages over convex cells, by quadrature of a high degree on Delaunay simplices."""
    barycentric, shares = simplex_quadrature(mesh.dimension, 5)
    result = np.empty((len(mesh), 3))
    for c in range(len(mesh)):
        corners = mesh.points[mesh.cells.connectivity[mesh.cells.offsets[c] : mesh.cells.offsets[c + 1]]]
        simplices = corners[Delaunay(corners[:, : mesh.dimension]).simplices]
        edges = (simplices[:, 1:] - simplices[:, :1])[:, :, : mesh.dimension]
        volumes = np.abs(np.linalg.det(edges))
        means = np.stack([shares @ v(barycentric @ simplex) for simplex in simplices])
        result[c] = volumes @ means / volumes.sum()
    return result


def test_the_quadrature_is_that_of_the_simplex():
    """∫ x^a y^b z^c over the unit tetrahedron is a! b! c!/(a + b + c + 3)! (Stroud 1971)."""
    from math import factorial

    barycentric, shares = simplex_quadrature(3, 3)
    x = barycentric[:, 1:]
    for a, b, c in ((0, 0, 0), (1, 0, 0), (2, 1, 1), (0, 5, 0), (1, 2, 2)):
        exact = 6 * factorial(a) * factorial(b) * factorial(c) / factorial(a + b + c + 3)
        assert shares @ (x[:, 0] ** a * x[:, 1] ** b * x[:, 2] ** c) == pytest.approx(exact, rel=1e-12)


@pytest.mark.parametrize("order", [2, 3, 4])
@pytest.mark.parametrize("name", ["tetra", "triangle", "quad", "pixel"])
def test_averages_are_not_samples(name, order):
    mesh = meshes.solid("tetra", 4) if name == "tetra" else WIDE[name]
    v, L, _ = polynomial(order, mesh.dimension)
    flow = Flow(mesh, averages(mesh, v), "cells")
    exact = L(mesh.centroids)
    assert relative_error(velocity_gradient(flow, fits(order, cell_values="averages")), exact) < 1e-10
    if (name, order) != ("pixel", 2):  # whose second moments are all the same
        assert relative_error(velocity_gradient(flow, fits(order)), exact) > 1e-4


@pytest.mark.parametrize(("location", "order"), [("points", 3), ("cells", 1.5)])
def test_curved_surfaces_have_tangential_gradients(location, order):
    """Order 3 on a sphere converges to L (I − n nᵀ); centroids of flat cells lie on no smooth surface,
    which limits the order."""
    errors = []
    for count in (400, 3200):
        i = np.arange(count) + 0.5
        polar, turn = np.arccos(1 - 2 * i / count), np.pi * (1 + 5**0.5) * i
        points = np.stack([np.cos(turn) * np.sin(polar), np.sin(turn) * np.sin(polar), np.cos(polar)], axis=1)
        mesh = Mesh(points, Cells.of_type(5, ConvexHull(points).simplices))
        x = places(mesh, location)
        v, L = smooth(x)
        normal = x / np.linalg.norm(x, axis=1, keepdims=True)
        exact = L - np.einsum("nij,nj,nk->nik", L, normal, normal)
        result = velocity_gradient(Flow(mesh, v, location), fits(3))
        assert "tangential" in result.notes[0]
        errors.append(np.sqrt(((result.L - exact) ** 2).mean()))
    assert np.log(errors[0] / errors[1]) / np.log(8) * 2 > order - 0.2


def test_second_derivatives():
    for name in ("tetra", "quad"):
        mesh = WIDE[name]
        v, _, H = polynomial(3, mesh.dimension)
        turned = Mesh(mesh.points @ ROTATION.T, mesh.cells)
        result = velocity_gradient(Flow(turned, v(mesh.points), "points"), fits(3), second=True)
        exact = np.einsum("nijk,pj,qk->nipq", H(mesh.points), ROTATION, ROTATION)
        np.testing.assert_allclose(result["hessian"], exact, atol=1e-9 * np.abs(exact).max())
        np.testing.assert_allclose(result["laplacian"], np.trace(exact, axis1=2, axis2=3), atol=1e-8)
    with pytest.raises(OptionError, match="choose order=2 or more"):
        velocity_gradient(Flow(mesh, v(mesh.points), "points"), fits(1), second=True)


def test_a_missing_value_takes_no_part():
    mesh = WIDE["tetra"]
    v, L, _ = polynomial(2, 3)
    velocity = v(mesh.points)
    velocity[100] = np.nan
    result = velocity_gradient(Flow(mesh, velocity, "points"), fits(2))
    assert np.flatnonzero(~result.valid).tolist() == [100]
    kept = np.delete(np.arange(len(velocity)), 100)
    np.testing.assert_allclose(result.L[kept], L(mesh.points)[kept], atol=1e-9 * np.abs(result.L[kept]).max())


def test_values_on_the_wall_are_used():
    """With them a cell at the boundary is nearly as good as one inside."""
    mesh = of_unit_size(meshes.planar("quad", 12), 12)
    faces = np.arange(len(mesh.topology.boundary))
    wall = Patch("wall", faces, smooth(mesh.topology.boundary_geometry[1])[0])
    v, L = smooth(mesh.centroids)
    L[:, :, 2] = 0
    error = [np.abs(velocity_gradient(Flow(mesh, v, "cells", boundary=b), fits(3)).L - L).max() for b in ((), (wall,))]
    assert error[1] < 0.5 * error[0]


def test_an_order_that_the_samples_do_not_support_is_lowered_and_counted():
    mesh = meshes.solid("hexahedron", 1)
    v, L, _ = polynomial(1, 3)
    result = velocity_gradient(Flow(mesh, v(mesh.points), "points"), fits(3))
    assert relative_error(result, L(mesh.points)) < 1e-12
    assert "the order is lowered at 8 of 8 points" in " ".join(result.notes)


def test_regular_rows_of_too_few_points_lower_the_order():
    """Three rows of points tell no cubic across them; along them the fit is still of order 3."""
    points, rows = meshes.lattice(8, distortion=0)
    keep = points[:, 2] <= 2
    hexahedra = rows[points[rows][:, :, 2].max(axis=1) <= 2]
    mesh = Mesh(points[keep], Cells.of_type(12, (np.cumsum(keep) - 1)[hexahedra]))
    v, L, _ = polynomial(2, 3, scale=8)
    result = velocity_gradient(Flow(mesh, v(mesh.points), "points"), fits(3))
    assert relative_error(result, L(mesh.points)) < 1e-10
    assert "the order is lowered at 243 of 243 points" in " ".join(result.notes)


def test_the_matrices_are_the_operator():
    for location in ("points", "cells"):
        mesh = WIDE["mixed"]
        flow = Flow(mesh, smooth(places(mesh, location))[0], location)
        operator = fits(3).prepare(flow, location)
        gradients = operator.vectors(flow.velocity)
        for axis, matrix in enumerate(operator.matrices):
            product = matrix @ flow.velocity
            np.testing.assert_allclose(product, gradients[:, :, axis], atol=1e-11 * np.nanmax(np.abs(gradients)))


def test_a_wrong_number_of_values_is_refused():
    mesh = WIDE["quad"]
    operator = fits(2).prepare(Flow(mesh, mesh.centroids, "cells"), "cells")
    with pytest.raises(OptionError, match="81 values for 64 samples"):
        operator.apply(mesh.points)


def test_positions_outside_the_mesh_are_told():
    mesh = WIDE["quad"]
    positions = np.array([[4.0, 4, 0], [50, 0, 0]])
    result = velocity_gradient(Flow(mesh, mesh.points, "points"), fits(2), at=positions)
    assert result.valid.tolist() == [True, False]


def test_smoothing_lowers_the_noise_and_keeps_the_polynomials():
    mesh = WIDE["triangle"]
    v, L, _ = polynomial(2, 2)
    plain, smoothed = (
        velocity_gradient(Flow(mesh, v(mesh.points), "points", noise=0.1), fits(2, smoothing=s)) for s in (1, 3)
    )
    assert relative_error(smoothed, L(mesh.points)) < 1e-10
    assert np.median(smoothed.std("vorticity")[:, 2]) < 0.7 * np.median(plain.std("vorticity")[:, 2])


@pytest.mark.parametrize("wrong", [{"order": 0}, {"order": 2.5}, {"smoothing": 0.5}, {"cell_values": "means"}])
def test_wrong_options_are_refused(wrong):
    with pytest.raises(OptionError):
        FiniteDifference(**wrong)


def test_samples_without_neighbours_are_refused():
    mesh = WIDE["quad"]
    nowhere = np.full((len(mesh.points), 3), np.nan)
    with pytest.raises(MeshError, match="nothing to differentiate"):
        velocity_gradient(Flow(mesh, nowhere, "points"), fits(2))


@pytest.mark.parametrize("count", [0, 1, 9])
def test_clouds_without_a_finite_velocity_are_refused(count):
    cloud = Mesh(np.random.default_rng(0).random((count, 3)), Cells.empty())
    with pytest.raises(MeshError, match="nothing to differentiate"):
        velocity_gradient(Flow(cloud, np.full((count, 3), np.nan), "points"), fits(2))


@pytest.mark.parametrize("name", ["offsetCylinder", "pitzDaily", "elbow"])
def test_far_samples_count_where_only_they_tell_a_monomial(data, name):
    """Rows of flat cells that bend: without the far ones a quadratic or cubic fit is all but singular."""
    mesh = read(data / f"{name}.vtu", location="cells").mesh
    x, y, _ = (6 / np.ptp(mesh.points, axis=0).max() * mesh.centroids).T
    velocity = np.column_stack([np.sin(x) * np.cos(y), np.cos(x) * np.sin(y), 0 * x])
    flow = Flow(mesh, velocity, "cells")
    exact = np.zeros((len(mesh), 3, 3))
    exact[:, 0, 0] = exact[:, 1, 1] = np.cos(x) * np.cos(y)
    exact[:, 0, 1] = exact[:, 1, 0] = -np.sin(x) * np.sin(y)
    exact *= 6 / np.ptp(mesh.points, axis=0).max()
    errors = [relative_error(velocity_gradient(flow, fits(order)), exact) for order in (1, 2, 3, 4)]
    assert errors[0] < 0.2
    assert errors == sorted(errors, reverse=True)
