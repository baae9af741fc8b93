"""Quadrature over boundary faces: Gauss's theorem holds to rounding on curved cells; areas are those of the faces."""

import numpy as np
import pytest

from flowgrad import Mesh
from flowgrad.mesh.face_sites import face_sites
from flowgrad.mesh.reference.cell import VTK
from flowgrad.mesh.reference.shapes import TRIANGLE
from scripts.round_meshes import sphere_shell
from tests import high_order
from tests.meshes import solid

SOLIDS = [
    (VTK.QUADRATIC_TETRA, None),
    (VTK.QUADRATIC_HEXAHEDRON, None),
    (VTK.TRIQUADRATIC_HEXAHEDRON, None),
    (VTK.QUADRATIC_WEDGE, None),
    (VTK.QUADRATIC_PYRAMID, None),
    (VTK.LAGRANGE_TETRAHEDRON, (3, 3, 3)),
    (VTK.LAGRANGE_HEXAHEDRON, (3, 2, 4)),
    (VTK.LAGRANGE_WEDGE, (3, 3, 2)),
]
PLANAR = [(VTK.QUADRATIC_TRIANGLE, None), (VTK.BIQUADRATIC_QUAD, None), (VTK.LAGRANGE_QUADRILATERAL, (4, 3, 0))]


def all_sites(mesh):
    return face_sites(mesh, np.arange(len(mesh.topology.boundary)))


def curved(vtk_type, degrees):
    mesh = high_order.bent(high_order.straight(high_order.reference(vtk_type, degrees), degrees=degrees))
    return Mesh(mesh.points * (1, 1, 0), mesh.cells) if mesh.dimension == 2 else mesh


@pytest.mark.parametrize(("vtk_type", "degrees"), SOLIDS + PLANAR)
def test_gausss_theorem(vtk_type, degrees):
    """∮ n dA = 0, ∮ x·n dA = d V."""
    mesh = curved(vtk_type, degrees)
    sites = all_sites(mesh)
    assert not sites.is_flat
    vectors = sites.areas[:, None] * sites.normals
    volume = mesh.measures.sum()
    np.testing.assert_allclose(vectors.sum(axis=0), 0, atol=1e-12 * sites.areas.sum())
    assert (sites.positions * vectors).sum() == pytest.approx(mesh.dimension * volume, rel=1e-11)
    np.testing.assert_allclose(np.linalg.norm(sites.normals, axis=1), 1, rtol=1e-14)


@pytest.mark.parametrize(("vtk_type", "degrees"), SOLIDS + PLANAR)
def test_sites_are_where_the_shape_functions_put_them(vtk_type, degrees):
    mesh = curved(vtk_type, degrees)
    sites = all_sites(mesh)
    np.testing.assert_allclose(sites.from_points @ mesh.points, sites.positions, atol=1e-12)
    # Nodes off a face say nothing there.
    assert np.diff(sites.from_points.indptr).max() < np.diff(mesh.cells.offsets).max()
    np.testing.assert_allclose(sites.means @ np.ones(len(sites)), 1, rtol=1e-13)


def test_flat_faces_have_one_site():
    mesh = solid("hexahedron", 3)
    sites = all_sites(mesh)
    assert sites.is_flat
    vectors, centroids = mesh.topology.boundary_geometry
    np.testing.assert_allclose(sites.areas[:, None] * sites.normals, vectors, rtol=1e-13)
    np.testing.assert_array_equal(sites.positions, centroids)
    assert np.isfinite(sites.xi).all()


def quadratic_sphere(n, layers):
    """Tetrahedra between spheres of radius 1 and 1.6, their edges bent to follow spheres."""
    coarse = sphere_shell("tetra", n, layers, outer=1.6, touch="points")
    cell = high_order.reference(VTK.QUADRATIC_TETRA)
    straight = high_order.elevated(coarse, cell)
    rows = straight.cells.connectivity.reshape(len(straight), -1)
    radius = np.zeros(straight.point_count)
    corner_radius = np.linalg.norm(straight.points[rows[:, :4]], axis=2)
    barycentric = np.column_stack([1 - cell.nodes.sum(axis=1), cell.nodes])
    radius[rows] = corner_radius @ barycentric.T
    x = straight.points
    return Mesh(x * (radius / np.linalg.norm(x, axis=1))[:, None], straight.cells)


@pytest.mark.parametrize("n", [2, 4])
def test_the_area_of_a_sphere_of_quadratic_cells_is_that_of_their_faces(n):
    mesh = quadratic_sphere(n, 2)
    x = mesh.topology.boundary_geometry[1]
    faces = np.flatnonzero(np.linalg.norm(x, axis=1) < 1.2)
    found = face_sites(mesh, faces).areas.sum()
    # The same faces as quadratic triangles of their own, by a rule of 30 × 30 sites.
    start, points = mesh.topology.face_points(faces)
    rings = points.reshape(len(faces), 6)[:, [0, 2, 4, 1, 3, 5]]
    sites, weights = TRIANGLE.gauss(30)
    dN = high_order.reference(VTK.QUADRATIC_TRIANGLE).gradients(sites)
    along = np.einsum("skd,mkc->dmsc", dN, mesh.points[rings])
    expected = (np.linalg.norm(np.cross(along[0], along[1]), axis=-1) @ weights).sum()
    assert start[-1] == 6 * len(faces)
    assert found == pytest.approx(expected, rel=1e-6)
    assert found == pytest.approx(4 * np.pi, rel=0.1 / n**4)
