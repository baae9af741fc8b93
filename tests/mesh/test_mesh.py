import dataclasses
import pickle

import numpy as np
import pytest

from flowgrad import Cells, Lattice, Mesh, MeshError
from flowgrad.mesh import REFERENCE_CELLS
from flowgrad.mesh.sited import SitedMesh
from tests import meshes


def test_shape_functions_are_a_partition_of_unity_at_their_nodes():
    for cell in REFERENCE_CELLS.values():
        if cell.has_interpolant:
            values = np.array([cell.shape(node) for node in cell.nodes])
            np.testing.assert_allclose(values, np.eye(cell.size), atol=1e-15)
            np.testing.assert_allclose(cell.center_gradients.sum(axis=1), 0, atol=1e-15)


def test_faces_look_outward_in_every_solid():
    for cell in REFERENCE_CELLS.values():
        if cell.dimension == 3 and cell.has_interpolant:
            for face in cell.faces:
                corner = cell.nodes[list(face)]
                arms = corner - corner.mean(axis=0)
                normal = np.cross(arms, np.roll(arms, -1, axis=0)).sum(axis=0)
                assert normal @ (corner.mean(axis=0) - cell.center) > 0, (cell.name, face)


@pytest.mark.parametrize("name", ["hexahedron", "voxel", "tetra", "wedge", "pyramid", "polyhedron"])
def test_volumes_fill_the_block(name):
    mesh = meshes.solid(name)
    assert (mesh.measures > 0).all()
    area, center = mesh.topology.boundary_geometry
    assert mesh.measures.sum() == pytest.approx((area * center).sum() / 3, rel=1e-12)
    # The moments fill the block's moment: ∫ x dV = ½ ∮ x² n dS holds only where faces are planar.
    straight = Mesh(np.round(mesh.points * 2) / 2, mesh.cells)
    np.testing.assert_allclose(straight.measures @ straight.centroids / straight.measures.sum(), 1.5, rtol=1e-12)


def test_polyhedra_have_the_geometry_of_the_hexahedra_that_they_are():
    hexahedra, polyhedra = meshes.SOLIDS["hexahedron"], meshes.SOLIDS["polyhedron"]
    np.testing.assert_allclose(hexahedra.measures, polyhedra.measures, rtol=1e-13)
    np.testing.assert_allclose(hexahedra.centroids, polyhedra.centroids, rtol=1e-13)


def test_geometry_agrees_with_vtk_on_plane_faced_cells():
    pytest.importorskip("vtkmodules", reason="vtk is not installed")
    from vtkmodules.vtkCommonDataModel import vtkTetra

    mesh = meshes.SOLIDS["tetra"]
    for i, row in enumerate(mesh.cells.connectivity.reshape(-1, 4)):
        assert mesh.signed_measures[i] == pytest.approx(vtkTetra.ComputeVolume(*mesh.points[row]), rel=1e-12)


@pytest.mark.parametrize("name", ["triangle", "quad", "polygon", "pixel"])
def test_planar_cells_fill_the_square(name):
    mesh = meshes.planar(name)
    _start, edges = mesh.topology.boundary_polygons
    a, b = mesh.points[edges.reshape(-1, 2)].transpose(1, 0, 2)
    # Green: the boundary's own area, each edge once in the direction of its cell.
    assert mesh.measures.sum() == pytest.approx(0.5 * abs((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()), rel=1e-12)


def test_inner_faces_are_shared_by_two_cells():
    for name, mesh in meshes.SOLIDS.items():
        faces = len(mesh.faces.offsets) - 1
        lower = np.diff(mesh.faces.cell_offsets)[~mesh.is_full].sum()
        assert 2 * len(mesh.topology.pairs) + len(mesh.topology.boundary) == faces - lower, name
    n = 3
    assert len(meshes.solid("hexahedron", n).topology.boundary) == 6 * n * n
    assert len(meshes.solid("wedge", n).topology.pairs) == n**3 + 4 * n * n * (n - 1)


def test_boundary_triangles_find_their_tetrahedron():
    mesh = meshes.SOLIDS["tetra_with_boundary"]
    for cell in np.flatnonzero(~mesh.is_full):
        owner = mesh.topology.owners[cell]
        own = slice(*mesh.cells.offsets[cell : cell + 2])
        theirs = slice(*mesh.cells.offsets[owner : owner + 2])
        assert set(mesh.cells.connectivity[own]) < set(mesh.cells.connectivity[theirs])


def test_patches_match_shuffled_faces_of_rounded_points():
    mesh = meshes.SOLIDS["hexahedron"]
    start, points = mesh.topology.boundary_polygons
    order = np.random.default_rng(0).permutation(len(start) - 1)
    turned = np.concatenate([points[start[i] : start[i + 1]][::-1] for i in order])
    rounded = mesh.points.astype(np.float32).astype(float)
    np.testing.assert_array_equal(mesh.topology.match(rounded, start, turned), order)
    assert (mesh.topology.match(rounded + 0.3, start, turned) == -1).all()


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (Cells.of_type(10, np.array([[0, 1, 2, 7]])), "names point 7"),
        (Cells.of_type(10, np.array([[0, 1, 2, -1]])), "names point -1"),
        (Cells.of_type(12, np.array([[0, 1, 2, 3]])), "hexahedron with 4 points instead of 8"),
        (Cells.of_type(41, np.array([[0, 1, 2, 3]])), "1 cells of the type convex_point_set"),
        (Cells.of_type(24, np.array([[0, 1, 2, 3]])), "quadratic_tetra with 4 points instead of 10"),
        (Cells(np.array([10], np.uint8), np.array([0, 5]), np.arange(4)), "use 5 point numbers"),
        (Cells(np.array([10, 10], np.uint8), np.array([0, 4, 2]), np.arange(4)), "do not rise"),
    ],
)
def test_damaged_cells_are_refused(cells, message):
    with pytest.raises(MeshError, match=message):
        Mesh(np.eye(4)[:, :3], cells)


def test_a_collapsed_face_is_the_triangle_that_it_is():
    points = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [0.5, 0.5, -1]])
    prism = ("hexahedron", (0, 1, 2, 2, 3, 4, 5, 5))
    mesh = meshes.build(points, [prism, ("tetra", (0, 1, 2, 6))])
    assert mesh.topology.pairs.tolist() == [[0, 1]]


def test_flat_cells_have_no_volume():
    flat = meshes.SOLIDS["hexahedron"]
    turn = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))[0]
    for name in ("hexahedron", "tetra"):
        mesh = meshes.SOLIDS[name]
        flat = Mesh((np.round(mesh.points) * [1, 1, 0]) @ turn.T, mesh.cells)
        assert not flat.measures.any()


def _sited():
    mesh = meshes.planar("quad")
    return SitedMesh(mesh.points, mesh.cells, mesh.centroids + 0.01)


_PICKLED = {"mixed": meshes.mixed, "lattice": lambda: Lattice.uniform((3, 4, 5), 0.1), "sited": _sited}


@pytest.mark.parametrize("name", ["mixed", "lattice", "sited"])
def test_meshes_go_to_other_processes_as_what_they_are_made_of(name):
    mesh = _PICKLED[name]()
    fresh = len(pickle.dumps(mesh))
    assert mesh.blocks
    assert mesh.measures.any()
    assert len(mesh.topology.boundary)
    stored = pickle.dumps(mesh)
    assert len(stored) == fresh
    copy = pickle.loads(stored)
    assert type(copy) is type(mesh)
    np.testing.assert_array_equal(copy.points, mesh.points)
    np.testing.assert_array_equal(copy.centroids, mesh.centroids)
    np.testing.assert_array_equal(copy.topology.boundary_geometry[1], mesh.topology.boundary_geometry[1])


@pytest.mark.parametrize("name", ["polyhedron", "mixed"])
def test_faces_of_polyhedra_may_look_to_either_side(name):
    """VTK does not say which side they look to: a file may list a face once for its two cells."""
    mesh = meshes.SOLIDS[name]
    faces = mesh.cells.polyhedra
    connectivity, turned = faces.connectivity.copy(), np.random.default_rng(0).random(len(faces.offsets)) < 0.5
    for start, end in zip(faces.offsets[:-1][turned[1:]], faces.offsets[1:][turned[1:]], strict=True):
        connectivity[start:end] = connectivity[start:end][::-1].copy()
    mixed = dataclasses.replace(faces, connectivity=connectivity)
    other = Mesh(mesh.points, dataclasses.replace(mesh.cells, polyhedra=mixed))
    np.testing.assert_allclose(other.measures, mesh.measures, rtol=1e-13)
    np.testing.assert_allclose(other.centroids, mesh.centroids, atol=1e-13)
    np.testing.assert_allclose(other.topology.boundary_geometry[0], mesh.topology.boundary_geometry[0], atol=1e-13)
    assert (other.signed_measures[mesh.cells.types == 42] > 0).all()
