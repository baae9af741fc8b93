"""Bodies in space: only what faces the eye is drawn, from back to front, in projection."""

import numpy as np
import pytest
from matplotlib import colormaps
from matplotlib.collections import TriMesh

from flowgrad import Cells, Flow, Mesh, OptionError, plot
from flowgrad.plot.plane import view
from flowgrad.plot.slice import smooth_triangles
from tests.meshes import SOLIDS, build, planar

BLOCK = Mesh(np.round(SOLIDS["hexahedron"].points), SOLIDS["hexahedron"].cells)


@pytest.mark.parametrize("name", SOLIDS)
@pytest.mark.parametrize("direction", ["auto", "x", "-y", "z", (1, 2, 3)])
def test_what_faces_the_eye_covers_the_shadow(name, direction):
    """The area vectors of a closed surface sum to zero: the sides towards the eye project to as much as the others,
    less what is hidden by what is nearer."""
    mesh = SOLIDS[name]
    section = plot.boundary(mesh, direction)
    area, _ = mesh.topology.boundary_geometry
    shadow = np.abs(area @ section.plane.normal).sum() / 2
    assert 0.8 * shadow < section.areas.sum() < 1.02 * shadow
    assert ((section.shades > 0.5) & (section.shades <= 1)).all()
    assert len(section.outline) == 0


def test_a_cube_seen_from_a_corner_is_a_hexagon_of_three_sides():
    section = plot.boundary(BLOCK, (1, 1, 1))
    assert len(section) == 3 * 9
    assert section.areas.sum() == pytest.approx(9 * np.sqrt(3), rel=1e-12)
    assert len(np.unique(np.round(section.shades, 9))) == 3


def test_nearer_faces_come_later():
    """Two cubes one before the other."""
    twice = Mesh(
        np.vstack([BLOCK.points, BLOCK.points + np.array([0, 0, 10])]),
        Cells.of_type(12, np.vstack([b := BLOCK.blocks[0].rows, b + len(BLOCK.points)])),
    )
    section = plot.boundary(twice, (0.1, 0.2, 1))
    first_of_near = np.flatnonzero(section.cells >= len(BLOCK)).min()
    assert (section.cells[:first_of_near] < len(BLOCK)).sum() == (section.cells < len(BLOCK)).sum()


@pytest.mark.parametrize(("direction", "names"), [("z", ("x", "y")), ("-y", ("x", "z")), ("x", ("y", "z"))])
def test_views_along_an_axis_name_their_axes(direction, names):
    assert view(BLOCK, direction).plane.names == names
    with plot.figure() as ax:
        plot.field(Flow(BLOCK, BLOCK.points, "points"), "velocity", ax, plot.boundary(BLOCK, direction))
        assert (ax.get_xlabel(), ax.get_ylabel()) == tuple(f"{name} [L]" for name in names)


def test_oblique_views_have_a_scale_instead_of_axes():
    with plot.figure(3.4, 3.4) as ax:
        plot.field(Flow(BLOCK, BLOCK.points, "points"), "velocity", ax, plot.boundary(BLOCK))
        texts = [text.get_text() for text in ax.texts]
        assert {"x", "y", "z"} <= set(texts)
        (bar,) = ax.lines
        assert f"{np.ptp(bar.get_xdata()):g} [L]" in texts
        assert not ax.get_xticks().size


def test_flat_bodies_are_seen_from_the_front():
    flat = Mesh(BLOCK.points * [1, 1, 1e-3], BLOCK.cells)
    np.testing.assert_array_equal(view(flat).plane.normal, [0, 0, 1])


def test_axes_are_right_handed_towards_the_eye():
    for direction in ("auto", "x", "-x", "y", "z", "-z", (1, -2, 0.5)):
        frame = view(BLOCK, direction).plane
        np.testing.assert_allclose(np.cross(*frame.axes), frame.normal, atol=1e-15)


def test_surfaces_in_space_show_both_sides():
    sheet = planar("quad")
    assert plot.boundary(sheet, "z").areas.sum() == pytest.approx(sheet.measures.sum())
    assert plot.boundary(sheet, "-z").areas.sum() == pytest.approx(sheet.measures.sum())


@pytest.mark.parametrize("direction", ["w", "xy", (0, 0, 0), (1, np.nan, 0), (1, 2)])
def test_directions_that_are_none_are_refused(direction):
    with pytest.raises(OptionError, match=r"view|give"):
        plot.boundary(BLOCK, direction)


def test_lines_have_no_boundary():
    with pytest.raises(OptionError, match="no boundary"):
        plot.boundary(build(np.eye(3), [("line", (0, 1))]))


def test_point_values_go_over_smoothly_and_each_face_has_its_shade():
    """The speed is x + 1: colours at places of a dim face are those of their x, dimmed."""
    flow = Flow(BLOCK, np.column_stack([BLOCK.points[:, 0] + 1, 0 * BLOCK.points[:, :2]]), "points")
    section = plot.boundary(BLOCK, (0.3, 0.2, 1))
    with plot.figure(3.4, 3.4) as ax:
        plot.field(flow, "velocity", ax, section, limits=(1, 4))
        [mesh] = [each for each in ax.collections if isinstance(each, TriMesh)]
        drawn = mesh.get_facecolor()
    smooth = smooth_triangles(section, section.weights @ (BLOCK.points[:, 0] + 1))
    assert len(smooth.places) > 4 * len(section.vertices)
    colours = colormaps["viridis"]((smooth.values - 1) / 3)[:, :3] * section.shades[smooth.polygons, None]
    np.testing.assert_allclose(drawn[:, :3], colours, atol=1e-12)
