"""Where positions lie: found again in the cells they were made in, on every kind of cell."""

import numpy as np
import pytest

from flowgrad import Cells, Mesh, MeshError
from flowgrad.mesh.locate import INSIDE, locate
from tests import meshes
from tests.high_order import bent, reference, straight

CURVED = [(t, None) for t in (22, 23, 24, 25, 26, 27, 28, 29, 32, 37)] + [(71, (4, 4, 4)), (72, (3, 2, 4))]


@pytest.mark.parametrize(("vtk_type", "degrees"), CURVED)
def test_positions_come_back_to_their_cells_and_coordinates(vtk_type, degrees):
    mesh = bent(straight(reference(vtk_type, degrees), 2, degrees=degrees))
    (block,) = mesh.blocks
    cell = block.reference
    sites = cell.family.gauss(3)[0]
    x = np.einsum("sk,nki->nsi", cell.values(sites), mesh.points[block.rows]).reshape(-1, 3)
    found = locate(mesh, x)
    np.testing.assert_array_equal(found.cells, np.repeat(np.arange(len(mesh)), len(sites)))
    np.testing.assert_allclose(found.xi[:, : cell.dimension], np.tile(sites, (len(mesh), 1)), atol=1e-9)


@pytest.mark.parametrize("name", [*meshes.SOLIDS])
def test_the_cells_that_hold_random_positions_fill_the_block(name):
    """As many positions of a regular grid are inside as the volume says; none is lost between cells."""
    mesh = meshes.SOLIDS[name]
    low, high = mesh.points.min(axis=0), mesh.points.max(axis=0)
    count = 24
    grid = np.stack(np.meshgrid(*[(np.arange(count) + 0.5) / count] * 3, indexing="ij"), -1).reshape(-1, 3)
    inside = locate(mesh, low + grid * (high - low)).inside
    volume = mesh.measures[mesh.is_full].sum()
    assert inside.mean() * np.prod(high - low) == pytest.approx(volume, rel=0.03)
    if "prism" not in name:
        deep = np.abs((low + grid * (high - low)) - (low + high) / 2).max(axis=1) < 0.35 * (high - low).min()
        assert inside[deep].all()


@pytest.mark.parametrize("name", ["hexahedron", "tetra", "pyramid", "wedge", "polyhedron", "mixed"])
def test_a_position_on_a_shared_face_belongs_to_the_lowest_cell(name):
    mesh = meshes.SOLIDS[name]
    full = np.flatnonzero(mesh.is_full)
    found = locate(mesh, mesh.points)
    lowest = np.full(len(mesh.points), len(mesh))
    sizes = np.diff(mesh.cells.offsets)
    np.minimum.at(
        lowest, mesh.cells.connectivity, np.repeat(np.where(mesh.is_full, np.arange(len(mesh)), len(mesh)), sizes)
    )
    np.testing.assert_array_equal(found.cells, lowest)
    assert set(found.cells) <= set(full)


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
def test_positions_outside_and_missing_ones_are_told(scale):
    mesh = Mesh(scale * np.round(meshes.SOLIDS["hexahedron"].points), meshes.SOLIDS["hexahedron"].cells)
    x = scale * np.array([[1.5, 1.5, 1.5], [3.0001, 1, 1], [-5, 0, 0], [np.nan, 1, 1], [3 + INSIDE / 2, 1, 1]])
    assert locate(mesh, x).inside.tolist() == [True, False, False, False, True]
    assert locate(mesh, np.empty((0, 3))).cells.shape == (0,)


def test_the_order_of_the_positions_does_not_matter():
    mesh, rng = meshes.SOLIDS["mixed"], np.random.default_rng(1)
    x = rng.uniform(0, 4, (500, 3))
    order = rng.permutation(500)
    np.testing.assert_array_equal(locate(mesh, x).cells[order], locate(mesh, x[order]).cells)


def test_on_a_curved_surface_within_the_tolerance():
    angle = np.linspace(0, np.pi / 2, 9)
    ring = np.column_stack([np.cos(angle), np.sin(angle)])
    points = np.vstack([np.column_stack([ring, np.full(9, z)]) for z in (0.0, 1.0)])
    rows = np.column_stack([np.arange(8), np.arange(1, 9), np.arange(10, 18), np.arange(9, 17)])
    mesh = Mesh(points, Cells.of_type(9, rows))
    middles = (points[rows[:, 0]] + points[rows[:, 2]]) / 2
    found = locate(mesh, np.vstack([middles, 1.0004 * middles, 1.2 * middles, 0.8 * middles]))
    np.testing.assert_array_equal(found.cells, [*range(8), *[-1 if k else c for k in (0, 1, 1) for c in range(8)]])


def test_strongly_distorted_cells_are_searched_through():
    """Quadratic hexahedra whose nodes moved by up to a quarter of the spacing; all determinants are positive."""
    mesh = bent(straight(reference(29), 2, np.eye(3)), 0.22)
    (block,) = mesh.blocks
    sites = np.random.default_rng(2).random((300, 3))
    dN = block.reference.gradients(sites)
    J = np.einsum("ska,nki->nsai", dN, mesh.points[block.rows])
    assert np.linalg.det(J).min() > 0
    x = np.einsum("sk,nki->nsi", block.reference.values(sites), mesh.points[block.rows])
    np.testing.assert_array_equal(locate(mesh, x.reshape(-1, 3)).cells, np.repeat(np.arange(8), 300))


def test_positions_in_a_mesh_without_cells_are_refused():
    with pytest.raises(MeshError, match="give cells"):
        locate(Mesh(np.eye(3), Cells.empty()), np.eye(3))
