"""Topology, measures and centroids of meshes of curved cells."""

import numpy as np
import pytest

from flowgrad import Mesh
from flowgrad.mesh.geometry import rings
from tests.high_order import bent, reference, straight

SOLIDS = [(t, None) for t in (24, 25, 26, 27, 29, 32, 37)] + [(71, (3, 3, 3)), (72, (3, 3, 3)), (73, (3, 3, 3))]
SURFACES = [(t, None) for t in (22, 23, 28, 30, 34)] + [(69, (4, 4, 4)), (70, (3, 3, 3))]
LINEAR = {"tetra": 10, "hexahedron": 12, "wedge": 13, "pyramid": 14, "triangle": 5, "quad": 9}


@pytest.mark.parametrize(("vtk_type", "degrees"), SOLIDS + SURFACES)
def test_faces_are_shared_as_those_of_the_linear_cells(vtk_type, degrees):
    cell = reference(vtk_type, degrees)
    curved, linear = straight(cell), straight(reference(LINEAR[cell.family.name]))
    assert len(curved.topology.pairs) == len(linear.topology.pairs) > 0
    assert len(curved.topology.boundary) == len(linear.topology.boundary)
    if curved.dimension == 3:
        area, center = curved.topology.boundary_geometry
        assert (area * center).sum() / 3 == pytest.approx(curved.measures.sum(), rel=1e-12)


def test_the_faces_of_a_quadratic_hexahedron_have_eight_points():
    assert [len(face) for face in reference(25).faces] == [8] * 6
    assert reference(24).faces[0] == (0, 6, 2, 5, 1, 4)


@pytest.mark.parametrize(("vtk_type", "degrees"), [c for c in SOLIDS + SURFACES if c != (30, None)])
def test_measures_and_centroids_of_cells_bent_by_a_quadratic_map(vtk_type, degrees):
    """x, y + x² / 5, z keeps every volume; elements of degree 2 and more follow it exactly from a straight mesh
    whose edges are straight in x."""
    mesh = straight(reference(vtk_type, degrees), 2, np.eye(3))
    middle = mesh.centroids
    bent_mesh = Mesh(mesh.points + 0.2 * mesh.points[:, :1] ** 2 * [0, 1, 0], mesh.cells)
    np.testing.assert_allclose(bent_mesh.signed_measures, mesh.signed_measures, rtol=1e-12)
    total, count = mesh.measures.sum(), 2 ** (3 if mesh.dimension == 3 else 2)
    # The mean of y over the block: 1.5, and of x²: that of a uniform x from 0.5 to 2.5, 1/3 + 1.5².
    mean = bent_mesh.measures @ bent_mesh.centroids / total
    assert total == pytest.approx(count, rel=1e-12)
    np.testing.assert_allclose(mean[:2], [1.5, 1.5 + 0.2 * (1 / 3 + 1.5**2)], rtol=1e-12)
    assert np.abs(bent_mesh.centroids - middle).max() > 0.1


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_measures_scale(scale):
    mesh = bent(straight(reference(25)))
    scaled = Mesh(scale * mesh.points, mesh.cells)
    np.testing.assert_allclose(scaled.measures, scale**3 * mesh.measures, rtol=1e-12)
    np.testing.assert_allclose(scaled.centroids, scale * mesh.centroids, rtol=1e-12)


def test_inverted_and_flat_curved_cells():
    mesh = straight(reference(25), 1)
    mirrored = Mesh(mesh.points * [1, 1, -1], mesh.cells)
    assert mirrored.signed_measures[0] == pytest.approx(-mesh.signed_measures[0], rel=1e-13)
    assert Mesh(mesh.points * [1, 1, 0], mesh.cells).measures[0] == 0


def test_the_ring_of_a_surface_cell_goes_around_it():
    mesh = straight(reference(23), 1, np.eye(3))
    start, points = rings(mesh.cells, np.arange(1))
    around = mesh.points[points][:, :2] - mesh.points[:, :2].mean(axis=0)
    turns = np.diff(np.unwrap(np.arctan2(around[:, 1], around[:, 0])))
    assert start.tolist() == [0, 8]
    np.testing.assert_allclose(turns, np.pi / 4, rtol=1e-12)


def test_the_arc_of_a_quadratic_edge():
    """A quarter of a parabola y = x² from 0 to 1 has the length (2√5 + asinh 2)/4."""
    mesh = straight(reference(21), 1, np.eye(3))
    x = np.array([0.0, 1.0, 0.5])
    points = np.zeros((3, 3))
    points[mesh.cells.connectivity, :2] = np.column_stack([x, x**2])
    exact = (2 * np.sqrt(5) + np.arcsinh(2)) / 4
    assert Mesh(points, mesh.cells).measures[0] == pytest.approx(exact, rel=5e-3)


def test_folded_cells_are_told():
    from flowgrad import Flow, velocity_gradient

    mesh = straight(reference(25), 1, np.eye(3))
    points = mesh.points.copy()
    middle = mesh.cells.connectivity[8]
    points[middle] += [0.0, 0.9, 0.9]  # the middle of an edge drawn through the cell
    assert Mesh(points, mesh.cells).is_folded.tolist() == [True]
    assert not mesh.is_folded.any()
    assert not bent(mesh).is_folded.any()
    notes = velocity_gradient(Flow(Mesh(points, mesh.cells), points, "points"), "autodiff").notes
    assert any("1 of 1 cells are folded" in note for note in notes)
