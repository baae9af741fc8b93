"""Curved cells are drawn as many straight ones that fill them, fit each other, and carry their shape functions."""

import numpy as np
import pytest

from flowgrad import Cells, Mesh
from flowgrad.mesh.reference import shapes
from flowgrad.plot import boundary, cut, plane, section_of
from flowgrad.plot.subdivide import refined, subdivided
from tests.high_order import reference, straight

FAMILIES = ("TRIANGLE", "QUAD", "TETRA", "HEXAHEDRON", "WEDGE", "PYRAMID")
SURFACES, SOLIDS = (22, 23, 28, 34), (24, 25, 26, 27, 29, 33, 37)


@pytest.mark.parametrize("n", [1, 2, 3, 4])
@pytest.mark.parametrize("name", FAMILIES)
def test_the_parts_fill_the_reference_cell(name, n):
    family = getattr(shapes, name)
    parts = refined(family, n)
    points = np.zeros((len(parts.sites), 3))
    points[:, : family.dimension] = parts.sites
    volumes = np.concatenate([Mesh(points, Cells.of_type(kind, cells)).measures for kind, cells in parts.cells])
    assert volumes.sum() == pytest.approx(family.volume, rel=1e-12)
    assert volumes.min() > 0.1 * family.volume / len(volumes)


@pytest.mark.parametrize("vtk_type", SURFACES + SOLIDS)
def test_parts_of_neighbours_fit_each_other(vtk_type):
    mesh = straight(reference(vtk_type), 2, np.eye(3))
    fine = subdivided(mesh, np.arange(len(mesh))).mesh
    # The boundary of the parts is that of the block and no more.
    start, points = fine.topology.boundary_polygons
    box = fine.points[points]
    low, high = fine.points.min(axis=0), fine.points.max(axis=0)
    sides = np.add.reduceat(np.stack([np.isclose(box, low), np.isclose(box, high)]).astype(int), start[:-1], axis=1)
    on_a_side = (sides == np.diff(start)[None, :, None]) & (high > low)
    assert on_a_side.any(axis=(0, 2)).all()


@pytest.mark.parametrize("vtk_type", SURFACES + SOLIDS)
def test_quadratics_are_exact_at_the_vertices(vtk_type):
    mesh = straight(reference(vtk_type), 2)

    def square(x):
        return (x @ [0.3, -0.7, 0.2]) ** 2 + x[:, 0]

    fine = subdivided(mesh, np.arange(len(mesh)))
    np.testing.assert_allclose(fine.weights @ square(mesh.points), square(fine.mesh.points), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("vtk_type", [22, 28])
def test_curved_edges_show(vtk_type):
    mesh = straight(reference(vtk_type), 3, np.eye(3))
    x, y, z = mesh.points.T
    mesh = Mesh(np.column_stack([x, y * (1 + 0.1 * np.cos(3 * x)), z]), mesh.cells)
    section = section_of(mesh)
    drawn = np.bincount(section.cells, section.areas, len(mesh))
    corners = Mesh(mesh.points, Cells.of_type(5 if vtk_type == 22 else 9, mesh.blocks[0].rows[:, : 3 + vtk_type // 28]))
    # Chords of parabolas cut into four parts miss a sixteenth of what those of whole edges miss.
    assert np.abs(drawn - mesh.measures).max() < np.abs(corners.measures - mesh.measures).max() / 12


@pytest.mark.parametrize("vtk_type", [24, 29])
def test_the_middle_of_a_curved_boundary_is_cut(vtk_type):
    """A plane through the bulge of cells all of whose corners lie below it."""
    mesh = straight(reference(vtk_type), 1, np.eye(3))
    low, high = mesh.points[:, 2].min(), mesh.points[:, 2].max()
    inner = (mesh.points[:, :2] - mesh.points[:, :2].mean(axis=0)) ** 2
    bulge = 0.4 * (1 - 2 * inner.sum(axis=1)) * (mesh.points[:, 2] == high)
    mesh = Mesh(mesh.points + bulge[:, None] * [0, 0, 1], mesh.cells)
    assert (cut(mesh, plane((0, 0, 1), high + 0.05)).areas > 0).all()
    assert cut(mesh, plane((0, 0, 1), (low + high) / 2)).areas.sum() == pytest.approx(1, rel=1e-9)


@pytest.mark.parametrize("vtk_type", SOLIDS)
def test_the_boundary_of_curved_cells_belongs_to_them(vtk_type):
    mesh = straight(reference(vtk_type), 2, np.eye(3))
    section = boundary(mesh, "z")
    assert section.areas.sum() == pytest.approx(4, rel=1e-12)
    assert set(section.cells) <= set(mesh.topology.boundary_cells)
    linear = mesh.points @ [1.0, 2.0, 3.0]
    top = section.vertices @ [1.0, 2.0] + 3 * mesh.points[:, 2].max()
    np.testing.assert_allclose(section.at_vertices(linear, "points"), top, rtol=1e-12)
