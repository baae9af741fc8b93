"""Sections are exact: cut polygons tile the cut of the domain, and carry linear fields unchanged."""

import numpy as np
import pytest

from flowgrad.errors import OptionError
from flowgrad.io import read_contents
from flowgrad.mesh import Cells, Mesh
from flowgrad.plot import cut, plane, section_of
from tests.meshes import SOLIDS, build, pentagons, planar

SIDE = {"mixed": 4.0}
CUBES = ("hexahedron", "voxel", "tetra", "wedge", "pyramid", "polyhedron", "mixed", "tetra_with_boundary")
TURN = np.linalg.qr(np.random.default_rng(5).normal(size=(3, 3)))[0]


def cube(name):
    """A block of distorted cells whose outside is an exact cube, and the cube's side."""
    mesh, side = SOLIDS[name], SIDE.get(name, 3.0)
    wall = np.clip(np.round(mesh.points), 0, side)
    on_wall = (np.abs(mesh.points - wall) < 0.3) & ((wall == 0) | (wall == side))
    return Mesh(np.where(on_wall, wall, mesh.points), mesh.cells), side


@pytest.mark.parametrize("name", CUBES)
def test_cut_polygons_tile_the_square(name):
    mesh, side = cube(name)
    for axis in np.eye(3):
        section = cut(mesh, plane(axis, 0.37 * side))
        assert section.areas.sum() == pytest.approx(side**2, rel=1e-12)
        assert (section.areas > 0).all()


@pytest.mark.parametrize("name", CUBES)
def test_cut_polygons_tile_the_hexagon_across_the_diagonal(name):
    mesh, side = cube(name)
    section = cut(mesh, plane((1, 1, 1), 1.5 * side))
    assert section.areas.sum() == pytest.approx(0.75 * np.sqrt(3) * side**2, rel=1e-12)


@pytest.mark.parametrize("name", ["hexahedron", "tetra", "polyhedron"])
def test_a_plane_through_points_and_faces_is_cut_once(name):
    mesh = SOLIDS[name]
    section = cut(Mesh(np.round(mesh.points), mesh.cells), plane((0, 0, 1), 1.0))
    assert section.areas.sum() == pytest.approx(9.0, rel=1e-12)


@pytest.mark.parametrize("name", SOLIDS)
def test_linear_point_values_are_exact_at_the_polygons(name):
    mesh, slope = SOLIDS[name], np.array([0.3, -1.7, 2.2])
    section = section_of(mesh)
    seen = section.values(mesh.points @ slope, "points")
    height = section.plane.normal * section.plane.level
    places = section.centers @ section.plane.axes + height
    np.testing.assert_allclose(seen, places @ slope, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", CUBES)
def test_cell_values_stay_with_their_cells(name):
    mesh, _ = cube(name)
    section = section_of(mesh)
    assert mesh.is_full[section.cells].all()
    np.testing.assert_array_equal(section.values(np.arange(len(mesh)), "cells"), section.cells)
    heights = mesh.points[:, 2] - section.plane.level
    for cell in section.cells[:5]:
        points = mesh.cells.connectivity[mesh.cells.offsets[cell] : mesh.cells.offsets[cell + 1]]
        assert heights[points].min() < 0 < heights[points].max()


@pytest.mark.parametrize("turn", [np.eye(3), TURN], ids=["aligned", "turned"])
@pytest.mark.parametrize("name", ["quad", "polygon", "pixel", "triangle"])
def test_planar_meshes_are_their_own_section(name, turn):
    mesh = planar(name, plane=turn)
    section = section_of(mesh)
    np.testing.assert_allclose(section.areas, mesh.measures, rtol=1e-12)
    assert section.plane.names == (("x", "y") if turn is not TURN else ("s", "t"))


def test_polygons_of_many_sizes():
    mesh = pentagons(TURN)
    section = section_of(mesh)
    np.testing.assert_allclose(section.areas, mesh.measures, rtol=1e-12)
    assert section.outlines.shape == (len(mesh), 5, 2)
    assert len(section.outline) == 5


@pytest.mark.parametrize("turn", [np.eye(3), TURN], ids=["aligned", "turned"])
def test_one_cell_thick_meshes_show_their_mid_plane(turn):
    flat = planar("quad")
    count, thickness = len(flat.points), 0.2
    points = np.vstack([flat.points, flat.points + np.array([0, 0, thickness])]) @ turn
    rows = flat.cells.connectivity.reshape(-1, 4)
    mesh = Mesh(points, Cells.of_type(12, np.hstack([rows, rows + count])))
    section = section_of(mesh)
    np.testing.assert_allclose(section.areas * thickness, mesh.measures, rtol=1e-10)
    assert "one cell thick" in section.where


def test_the_outline_of_a_block_is_its_square():
    section = section_of(Mesh(np.round(SOLIDS["hexahedron"].points), SOLIDS["hexahedron"].cells))
    lengths = np.sqrt(((section.outline[:, 1] - section.outline[:, 0]) ** 2).sum(axis=1))
    assert lengths.sum() == pytest.approx(12.0)


def test_the_cut_keeps_clear_of_points():
    mesh = SOLIDS["tetra"]
    section = section_of(mesh)
    assert np.abs(mesh.points @ section.plane.normal - section.plane.level).min() > 1e-4
    assert np.ptp(mesh.points, axis=0).argmin() == section.plane.normal.argmax()


def test_a_plane_and_its_opposite_are_the_same():
    one, other = plane((0, 0, 2), 1.0), plane((0, 0, -2), -1.0)
    assert one.level == other.level == 0.5
    np.testing.assert_array_equal(one.axes, other.axes)


def test_what_has_no_area_is_refused():
    with pytest.raises(OptionError, match="neither surface nor volume"):
        section_of(build(np.eye(3), [("line", (0, 1))]))
    with pytest.raises(OptionError, match="meets no cell"):
        cut(SOLIDS["tetra"], plane((0, 0, 1), 99.0))


def test_polyhedra_of_a_quarter_pipe(data):
    path = data / "pipeCyclic.vtu"
    if not path.exists():
        pytest.skip(f"{path.name} is not among the data")
    section = section_of(read_contents(path).mesh)
    # A wedge of 90° about the x axis: at the height z it is 2z wide, and 10 long.
    assert section.areas.sum() == pytest.approx(10 * 2 * section.plane.level, rel=1e-6)


@pytest.mark.parametrize("vtk_type", [24, 25, 26, 27, 29])
def test_a_cut_through_curved_cells_fills_the_block(vtk_type):
    """Cells whose edges are straight: the cut has the area of the block's cross-section, without holes."""
    from tests.high_order import reference, straight

    mesh = straight(reference(vtk_type), 3, np.eye(3))
    section = section_of(mesh)
    assert section.areas.sum() == pytest.approx(9, rel=1e-12)
    assert (np.diff(section.offsets) >= 3).all()


@pytest.mark.parametrize("vtk_type", [22, 23, 28, 34])
def test_curved_surface_cells_are_drawn_around_their_edges(vtk_type):
    from tests.high_order import reference, straight

    section = section_of(straight(reference(vtk_type), 3, np.eye(3)))
    assert section.areas.sum() == pytest.approx(9, rel=1e-12)
    parts = 6 if vtk_type == 34 else 4
    assert len(section.outline) == 12 * parts


@pytest.mark.parametrize("name", SOLIDS)
def test_what_is_nearest_to_each_vertex_fills_the_polygon(name):
    section = section_of(SOLIDS[name])
    x, y = np.moveaxis(section.corners, 2, 0)
    areas = np.abs(np.sum(x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1), axis=1)) / 2
    np.testing.assert_allclose(np.add.reduceat(areas, section.offsets[:-1]), section.areas, rtol=1e-9)


def test_the_main_point_of_a_vertex_is_the_nearest_end_of_its_edge():
    mesh = SOLIDS["tetra"]
    section = section_of(mesh)
    weights = section.weights.toarray()
    np.testing.assert_array_equal(weights[np.arange(len(weights)), section.main_points], weights.max(axis=1))
