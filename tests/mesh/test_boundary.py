"""Outward normals, areas and means of boundary faces and edges."""

import numpy as np
import pytest

from flowgrad import Mesh
from tests import meshes
from tests.high_order import reference, straight

TURN = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
PLANAR = ("triangle", "quad", "polygon", "pixel")


@pytest.mark.parametrize("name", meshes.SOLIDS)
def test_the_boundary_of_a_solid_is_closed(name):
    area, _ = meshes.SOLIDS[name].topology.boundary_geometry
    np.testing.assert_allclose(area.sum(axis=0), 0, atol=1e-12)


@pytest.mark.parametrize("turn", [np.eye(3), TURN])
@pytest.mark.parametrize("name", PLANAR)
def test_edges_look_out_of_a_plane(name, turn):
    mesh = meshes.planar(name, plane=turn)
    area, center = mesh.topology.boundary_geometry
    np.testing.assert_allclose(area.sum(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(area @ turn[2], 0, atol=1e-12)
    assert mesh.measures.sum() == pytest.approx((area * center).sum() / 2, rel=1e-12)
    _start, points = mesh.topology.boundary_polygons
    ends = mesh.points[points].reshape(-1, 2, 3)
    np.testing.assert_allclose(np.linalg.norm(area, axis=1), np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1))


def test_edges_look_outward_whichever_way_the_cells_run():
    mesh = meshes.planar("quad")
    mirrored = Mesh(mesh.points * [1, -1, 1], mesh.cells)
    one, other = (each.topology.boundary_geometry[0] for each in (mesh, mirrored))
    np.testing.assert_allclose(other, one * [1, -1, 1], atol=1e-13)


def test_edges_of_quadratic_cells_look_outward():
    for vtk_type in (22, 23):
        mesh = straight(reference(vtk_type), 3, np.eye(3))
        area, center = mesh.topology.boundary_geometry
        assert mesh.measures.sum() == pytest.approx((area * center).sum() / 2, rel=1e-12)


@pytest.mark.parametrize("name", [*meshes.SOLIDS, *PLANAR])
def test_means_of_linear_fields_are_their_values_at_the_centroids(name):
    mesh = meshes.SOLIDS[name] if name in meshes.SOLIDS else meshes.planar(name, plane=TURN)
    faces = np.arange(len(mesh.topology.boundary))[::2]
    slope = np.array([0.3, -2.0, 1.1])
    found = mesh.topology.face_means(faces) @ (mesh.points @ slope + 4)
    center = mesh.topology.boundary_geometry[1][faces]
    np.testing.assert_allclose(found, center @ slope + 4, atol=1e-12)


def test_areas_are_vtks():
    pytest.importorskip("vtkmodules", reason="vtk is not installed")
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkFiltersCore import vtkPolyDataNormals
    from vtkmodules.vtkFiltersGeometry import vtkGeometryFilter
    from vtkmodules.vtkFiltersVerdict import vtkCellSizeFilter

    from tests.vtk_peer import vtk_grid

    mesh = meshes.SOLIDS["tetra"]
    surface, size, normals = vtkGeometryFilter(), vtkCellSizeFilter(), vtkPolyDataNormals()
    surface.SetInputData(vtk_grid(mesh, mesh.points))
    size.SetInputConnection(surface.GetOutputPort())
    normals.SetInputConnection(size.GetOutputPort())
    normals.ComputeCellNormalsOn()
    normals.SplittingOff()
    normals.AutoOrientNormalsOn()
    normals.Update()
    data = normals.GetOutput().GetCellData()
    theirs = vtk_to_numpy(data.GetArray("Normals")) * vtk_to_numpy(data.GetArray("Area"))[:, None]
    ours = mesh.topology.boundary_geometry[0]
    assert theirs.shape == ours.shape
    order, other = (np.lexsort(np.round(each, 4).T) for each in (ours, theirs))
    np.testing.assert_allclose(ours[order], theirs[other], atol=1e-6)
