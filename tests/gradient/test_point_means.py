"""Means over the cells around points: second order where these differ in size, no worse for slivers."""

import numpy as np
import pytest
from scipy.sparse import eye_array
from scipy.spatial import Delaunay
from scipy.spatial.transform import Rotation

from flowgrad import Autodiff, Cells, Flow, Mesh
from flowgrad.exact import Waves
from flowgrad.gradient.point_means import PointMeans
from flowgrad.gradient.scheme import MatrixOperator
from flowgrad.mesh.generate import block
from tests import meshes
from tests.high_order import polynomial, reference, straight

WAVES = Waves(
    np.array([[2.1, 1.1, -0.8], [-0.7, 1.9, 1.3], [1.2, -0.9, 2.2]]),
    np.array([[1.0, 0.4, -0.3], [-0.5, 1.0, 0.3], [0.2, -0.4, 1.0]]),
    np.array([0.3, 1.1, 2.0]),
)
ROTATION = Rotation.from_euler("xyz", [0.4, -0.9, 1.7]).as_matrix()
NAMES = ("triangle", "quad", "tetra", "hexahedron", "wedge", "pyramid", "polyhedron", "polygon")


def sized(sizes):
    """From 0 to 1 in steps of these ratios."""
    return np.concatenate([[0], np.cumsum(sizes)]) / np.sum(sizes)


def rectilinear(mesh, *lines):
    """The unit box of a mesh with its planes moved to those along each axis."""
    points = mesh.points.copy()
    for axis, line in enumerate(lines):
        points[:, axis] = np.interp(points[:, axis], np.linspace(0, 1, len(line)), line)
    return Mesh(points, mesh.cells)


def unit(name, n):
    """n cells a side, without distortion."""
    if name in ("pyramid", "polyhedron"):
        points, _ = meshes.lattice(n, distortion=0.0)
        solid = meshes.solid(name, n)
        return Mesh(np.vstack([points, np.round(2 * solid.points[len(points) :]) / 2]) / n, solid.cells)
    if name in ("polygon", "pixel"):
        return Mesh(np.round(meshes.planar(name, n).points) / n, meshes.planar(name, n).cells)
    return block(name, n + 1, jitter=0.0)


def inside(mesh):
    found = np.ones(mesh.point_count, bool)
    found[np.unique(mesh.topology.boundary_polygons[1])] = False
    return found


def in_its_dimensions(mesh, gradient):
    return gradient * (np.arange(3) < mesh.dimension)


def by_autodiff(mesh, velocity):
    return Autodiff().gradients(Flow(mesh, velocity, "points"), "points").L


def error(L, mesh, flow=WAVES):
    exact = in_its_dimensions(mesh, flow.gradient(mesh.points))
    off = ((L - exact) ** 2).sum(axis=(1, 2))[inside(mesh)]
    return np.sqrt(off.mean() / (exact**2).sum(axis=(1, 2)).mean())


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("name", ["quad", "pixel", "hexahedron", "voxel"])
def test_quadratic_fields_are_exact_between_boxes_of_any_sizes(name, scale):
    rng, n = np.random.default_rng(0), 5
    mesh = unit("hexahedron" if name == "voxel" else name, n)
    mesh = rectilinear(mesh, *(sized(rng.uniform(0.3, 3, n)) for _ in range(mesh.dimension)))
    if name == "voxel":
        rows = mesh.cells.connectivity.reshape(-1, 8)[:, meshes.VOXEL]
        mesh = Mesh(mesh.points, Cells.of_type(11, rows))
    turned = Mesh(scale * mesh.points @ (np.eye(3) if name in ("voxel", "pixel") else ROTATION).T, mesh.cells)
    field, gradient = polynomial(2)
    spans = np.linalg.svd(turned.points - turned.points.mean(axis=0), full_matrices=False)[2][: mesh.dimension]
    exact = gradient(turned.points / scale) / scale @ (spans.T @ spans)
    off = np.abs(by_autodiff(turned, field(turned.points / scale)) - exact)[inside(turned)]
    assert off.max() < 1e-11 * np.abs(exact).max()


@pytest.mark.parametrize("name", ["quad", "hexahedron"])
def test_the_order_is_two_where_every_other_cell_is_twice_as_long(name):
    sizes = (8, 16) if name == "hexahedron" else (16, 32)
    found = []
    for n in sizes:
        mesh = rectilinear(unit(name, n), *[sized(np.tile([1.0, 2.0], n // 2))] * (2 if name == "quad" else 3))
        found.append(error(by_autodiff(mesh, WAVES.velocity(mesh.points)), mesh))
    assert np.log2(found[0] / found[1]) > 1.8


def test_lines():
    x = sized([1.0, 3.0, 0.5, 2.0, 1.0])[:, None] * [1.0, 2.0, -2.0]
    mesh = meshes.build(x, [("line", (i, i + 1)) for i in range(5)])
    along = x @ [1.0, 2.0, -2.0] / 3
    L = by_autodiff(mesh, along[:, None] ** 2 * [1.0, 0, 0])
    np.testing.assert_allclose(L[1:-1, 0] @ [1.0, 2.0, -2.0] / 3, 2 * along[1:-1], rtol=1e-12)


def graded(name, n, growth=1.2):
    """Cells that grow along each axis."""
    return rectilinear(unit(name, n), *[sized(growth ** np.arange(n))] * 3)


def uneven(name, n, seed=1):
    return rectilinear(unit(name, n), *np.apply_along_axis(sized, 1, np.random.default_rng(seed).uniform(1, 4, (3, n))))


# Squares that grow along both axes, split along one diagonal, are where plain means do best: 4 % better.
@pytest.mark.parametrize(("make", "most"), [(graded, 1.05), (uneven, 0.7)])
@pytest.mark.parametrize("name", NAMES)
def test_the_error_on_graded_meshes_beside_vtks(name, make, most):
    pytest.importorskip("vtkmodules", reason="vtk is not installed")
    from tests.vtk_peer import vtk_point_gradients

    mesh = make(name, 16 if name in ("triangle", "quad", "polygon") else 7)
    velocity = WAVES.velocity(mesh.points)
    ours = error(by_autodiff(mesh, velocity), mesh)
    assert ours < most * error(vtk_point_gradients(mesh, velocity), mesh)


@pytest.mark.parametrize(("vtk_type", "degrees"), [(22, None), (23, None), (25, None), (72, (3, 3, 3))])
def test_the_error_of_higher_degrees_too(vtk_type, degrees):
    pytest.importorskip("vtkmodules", reason="vtk is not installed")
    from tests.vtk_peer import vtk_point_gradients

    n = 6 if vtk_type < 25 else 3
    mesh = straight(reference(vtk_type, degrees), n, transform=np.eye(3), degrees=degrees)
    mesh = rectilinear(Mesh((mesh.points - 0.5) / n, mesh.cells), *[sized(1.4 ** np.arange(n))] * 3)
    velocity = WAVES.velocity(mesh.points)
    assert error(by_autodiff(mesh, velocity), mesh) < error(vtk_point_gradients(mesh, velocity), mesh)


@pytest.mark.parametrize("dimension", [2, 3])
def test_slivers_do_not_spoil_the_mean(dimension):
    """Delaunay's cells of points at random: flat ones, with angles near 180°, have gradients that are far off."""
    pytest.importorskip("vtkmodules", reason="vtk is not installed")
    from tests.vtk_peer import vtk_point_gradients

    places = np.random.default_rng(0).uniform(0, 1, (1500, dimension))
    points = np.pad(places, ((0, 0), (0, 3 - dimension)))
    mesh = Mesh(points, Cells.of_type(5 if dimension == 2 else 10, Delaunay(places).simplices))
    velocity = WAVES.velocity(points)
    ours, theirs = (error(L, mesh) for L in (by_autodiff(mesh, velocity), vtk_point_gradients(mesh, velocity)))
    assert ours < 0.1
    assert ours < 0.1 * theirs


@pytest.mark.parametrize("name", ["triangle", "quad", "tetra", "hexahedron", "wedge"])
def test_thin_cells_that_do_not_lie_in_columns(name):
    """A field that is as thin as they are, on meshes whose points are moved within their planes by much more than
    these are apart."""
    pytest.importorskip("vtkmodules", reason="vtk is not installed")
    from tests.vtk_peer import vtk_point_gradients

    flat = np.diag([1.0, 1e-3, 1.0])
    mesh = block(name, 25 if name in ("triangle", "quad") else 11)
    thin = Waves(WAVES.wave_vectors @ np.linalg.inv(flat), WAVES.amplitudes, WAVES.phases)
    mesh = Mesh(mesh.points @ flat, mesh.cells)
    velocity = thin.velocity(mesh.points)
    ours, theirs = (error(L, mesh, thin) for L in (by_autodiff(mesh, velocity), vtk_point_gradients(mesh, velocity)))
    assert ours < 1.1 * theirs


@pytest.mark.parametrize("name", ["triangle", "quad", "tetra", "hexahedron", "polyhedron", "mixed"])
def test_means_of_gradients_at_cells_are_exact_where_these_are_linear(name):
    """Σ w (x_c − x_p) = 0 at the points inside."""
    mesh = meshes.SOLIDS[name] if name in meshes.SOLIDS else graded(name, 6)
    copy = (eye_array(len(mesh)).tocsr(),) * 3
    means = PointMeans(MatrixOperator(derivatives=copy), mesh)
    found = means.vectors(mesh.centroids)[:, :, 0]
    within = inside(mesh)
    np.testing.assert_allclose(found[within], mesh.points[within], atol=1e-7 * np.abs(mesh.points).max())
    np.testing.assert_allclose(means.matrices[0] @ mesh.centroids, found, atol=1e-12)
    assert np.isfinite(found[mesh.structure.used]).all()
