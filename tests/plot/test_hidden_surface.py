"""What is nearer hides what is farther, as rays from the eye find it."""

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection, TriMesh
from matplotlib.path import Path

from flowgrad import plot
from flowgrad.flow import Flow
from flowgrad.mesh import Cells, Mesh
from tests.meshes import SOLIDS, build, planar

CORNERS = np.array([(0, 0, 0), (1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 0, 1), (1, 0, 1), (1, 1, 1), (0, 1, 1)])
# Three bars, each of which lies behind one of the others and before the other.
CIRCLE = np.array(
    [
        ((-5, -1.5, -0.5), (5, -0.5, 0.5)),
        ((-0.5, -5, -1.5), (0.5, 5, -0.5)),
        ((-1.5, -0.5, -5), (-0.5, 0.5, 5)),
    ]
)


def solid(boxes):
    """A hexahedron for each box (k, 2, 3), from its lowest to its highest corner."""
    points = boxes[:, :1] + CORNERS * (boxes[:, 1:] - boxes[:, :1])
    return Mesh(points.reshape(-1, 3), Cells.of_type(12, np.arange(8 * len(boxes)).reshape(-1, 8)))


def apart(rng, count):
    """Boxes of any shape that do not touch."""
    boxes = np.empty((0, 2, 3))
    while len(boxes) < count:
        low = rng.uniform(0, 10, 3)
        box = np.stack([low, low + np.exp(rng.uniform(np.log(0.2), np.log(8), 3))])
        if ((box[0] > boxes[:, 1]) | (box[1] < boxes[:, 0])).any(axis=1).all():
            boxes = np.concatenate([boxes, box[None]])
    return boxes


def hit(boxes, frame, places):
    """The box that a ray from the eye hits first at each place (m, 2) of the page, −1 for none."""
    sides = (boxes[None] - (places @ frame.axes)[:, None, None]) / frame.normal
    enter, leave = sides.min(axis=2).max(axis=2), sides.max(axis=2).min(axis=2)
    leave = np.where(enter < leave, leave, -np.inf)
    return np.where(np.isfinite(leave.max(axis=1)), leave.argmax(axis=1), -1)


def painted(section, places):
    """The cell whose polygon is painted last over each place, −1 for none."""
    found = np.full(len(places), -1)
    for cell, outline in zip(section.cells, np.split(section.vertices, section.offsets[1:-1]), strict=True):
        near = np.flatnonzero(((places >= outline.min(axis=0)) & (places <= outline.max(axis=0))).all(axis=1))
        found[near[Path(outline).contains_points(places[near])]] = cell
    return found


def wrong(boxes, eye, count=4000):
    """Share of random places where another box is painted than is seen, and the section."""
    section = plot.boundary(solid(boxes), eye)
    places = np.random.default_rng(0).uniform(*section.bounds, (count, 2))
    return (painted(section, places) != hit(boxes, section.plane, places)).mean(), section


@pytest.mark.parametrize("seed", range(12))
def test_boxes_in_any_arrangement(seed):
    rng = np.random.default_rng(seed)
    share, _ = wrong(apart(rng, rng.integers(2, 25)), rng.normal(size=3))
    assert share < 1e-3


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("eye", [(1, 1, 1), (1, 2, 1.5), (-1, 1, 1)])
def test_bars_that_hide_each_other_in_a_circle_are_cut(scale, eye):
    share, section = wrong(scale * (CIRCLE + np.array([7, -3, 4])), eye)
    assert share < 1e-3
    assert (len(section) > 9) == (min(eye) > 0)


@pytest.mark.parametrize("seed", range(3))
def test_boxes_that_go_through_each_other(seed):
    rng = np.random.default_rng(seed)
    low = rng.uniform(0, 6, (6, 3))
    share, _ = wrong(np.stack([low, low + rng.uniform(1, 6, (6, 3))], axis=1), rng.normal(size=3))
    assert share < 2e-3


def test_a_cube_on_a_long_bar():
    """The bar's face reaches nearer to the eye than the cube does, and is behind it."""
    boxes = np.array([((0, 0, 0), (1, 20, 1)), ((0, 14, 1), (1, 15, 2))], float)
    assert wrong(boxes, (0.2, -1, 0.5))[0] < 1e-3


def test_parts_carry_linear_fields_unchanged():
    mesh = solid(CIRCLE)
    section = plot.boundary(mesh, (1, 2, 1.5))
    assert len(section) > 9
    np.testing.assert_allclose(
        section.at_vertices(mesh.points @ section.plane.axes.T, "points"), section.vertices, atol=1e-12
    )


def sphere(order):
    """A closed surface of triangles and quadrilaterals in an order (k,) of its rings of cells."""
    polar, around = np.linspace(0.1, np.pi - 0.1, 25), np.linspace(0, 2 * np.pi, 49)[:-1]
    t, p = np.meshgrid(polar, around, indexing="ij")
    points = np.stack([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)], -1).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(24), np.arange(48), indexing="ij")
    quads = np.stack([48 * i + j, 48 * i + 48 + j, 48 * i + 48 + (j + 1) % 48, 48 * i + (j + 1) % 48], -1)
    quads = quads.reshape(-1, 4)[::order]
    cells = [
        each
        for q in quads
        for each in ([("quad", q)] if q[0] % 3 else [("triangle", q[:3]), ("triangle", q[[0, 2, 3]])])
    ]
    return build(points, cells)


@pytest.mark.parametrize("order", [1, -1])
def test_the_near_side_of_a_closed_surface_hides_the_far_one(order):
    mesh = sphere(order)
    section = plot.section_of(mesh)
    assert section.where.startswith("the curved surface seen from")
    towards = mesh.points @ section.plane.eye
    heights = section.values(towards, "points")
    radii = np.hypot(*section.centers.T)
    inside = (radii > 0.3) & (radii < 0.95)
    assert heights[inside].min() > 0
    assert len(section) < 0.6 * len(mesh)


@pytest.mark.parametrize("at", ["points", "cells"])
def test_triangles_and_quadrilaterals_are_painted_in_one_order(at):
    mesh = sphere(1)
    eye = np.array([0.3, -1, 0.4])
    values = mesh.points if at == "points" else mesh.centroids
    flow = Flow(mesh, np.outer(values @ eye + 2, [1.0, 0, 0]), at)
    with plot.figure(3, 3) as ax:
        plot.field(flow, "velocity", ax, plot.boundary(mesh, eye))
        drawn = [each for each in ax.collections if isinstance(each, TriMesh | PolyCollection)]
        canvas = FigureCanvasAgg(ax.figure)
        canvas.draw()
        low, high = ax.transData.transform([(-0.5, -0.5), (0.5, 0.5)]).astype(int)
        picture = np.asarray(canvas.buffer_rgba())[::-1]
    assert len(drawn) == 1
    # The far side is dark blue in viridis, the near one green to yellow.
    middle = picture[low[1] : high[1], low[0] : high[0], :3].astype(int)
    assert (middle[..., 1] > middle[..., 2]).all()


def test_a_surface_that_hides_nothing_is_left_as_it_is():
    flat = planar("quad")
    bent = Mesh(flat.points + np.outer(0.2 * np.sin(flat.points[:, 0]), [0, 0, 1]), flat.cells)
    for mesh in (flat, bent):
        section = plot.section_of(mesh)
        assert section.shades is None
        np.testing.assert_array_equal(section.cells, np.arange(len(mesh)))
        assert len(section.outline)


def test_faces_smaller_than_a_pixel_are_kept():
    x = np.linspace(0, 1, 5)
    rows = np.concatenate([np.linspace(0, 1e-4, 9), [1.0]])
    points = np.stack([*np.meshgrid(x, rows, indexing="ij"), np.zeros((5, 10))], -1).reshape(-1, 3)
    points = np.concatenate([points, points + np.array([0, 0, 1])])
    i = (np.arange(4)[:, None] * 10 + np.arange(9)).ravel()
    base = np.stack([i, i + 10, i + 11, i + 1], -1)
    mesh = Mesh(points, Cells.of_type(12, np.hstack([base, base + 50])))
    section = plot.boundary(mesh, (0.5, -1, 0.7))
    area, _ = mesh.topology.boundary_geometry
    assert section.areas.sum() == pytest.approx(np.abs(area @ section.plane.normal).sum() / 2, rel=1e-12)
    assert set(section.cells) == set(range(36))


@pytest.mark.parametrize("name", SOLIDS)
def test_what_is_painted_is_the_nearest_face(name):
    """Of all faces of the body, as triangles about their vertex means, the one whose depth there is the highest."""
    mesh = SOLIDS[name]
    section = plot.boundary(mesh, (1, -2, 0.8))
    start, points = mesh.topology.boundary_polygons
    places = np.random.default_rng(2).uniform(*section.bounds, (1000, 2))
    nearest, owner = np.full(1000, -np.inf), np.full(1000, -1)
    for k, cell in enumerate(mesh.topology.boundary_cells):
        corners = mesh.points[points[start[k] : start[k + 1]]] @ np.vstack([section.plane.axes, section.plane.normal]).T
        middle = corners.mean(axis=0)
        for a, b in zip(corners - middle, np.roll(corners, -1, axis=0) - middle, strict=True):
            shares = np.linalg.solve(np.column_stack([a[:2], b[:2]]), (places - middle[:2]).T)
            here = middle[2] + shares.T @ [a[2], b[2]]
            nearer = (shares >= 0).all(axis=0) & (shares.sum(axis=0) <= 1) & (here > nearest)
            nearest[nearer], owner[nearer] = here[nearer], cell
    assert (painted(section, places) == owner).mean() > 0.995
