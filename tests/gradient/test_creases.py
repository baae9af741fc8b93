"""Curved surfaces: nothing is differentiated over their edges, nor along tangents that the samples do not tell."""

import numpy as np
import pytest
from scipy.spatial import ConvexHull

from flowgrad import Cells, Flow, Mesh, velocity_gradient
from flowgrad.exact import Waves
from flowgrad.gradient.local_fits.creases import crease_points, misses_surface, up_to_creases
from flowgrad.gradient.local_fits.directions import directions
from flowgrad.gradient.local_fits.fits import LocalFits
from flowgrad.gradient.local_fits.neighbourhoods import Samples, Targets
from flowgrad.mesh.generate import block, quadratic

FLOW = Waves(
    np.array([[0.7, 1.1, -0.3], [-0.4, 0.5, 0.9], [1.0, -0.2, 0.6]]),
    np.array([[1.0, 0.4, -0.3], [-0.5, 1.0, 0.3], [0.2, -0.4, 1.0]]),
    np.array([0.3, 1.1, 2.0]),
)
SCHEMES = ["auto", "finite-difference(order=1)", "finite-difference(order=3)"]


def cube(n=7):
    solid = block("hexahedron", n, jitter=0.0)
    used, rows = np.unique(solid.topology.boundary_polygons[1], return_inverse=True)
    return Mesh(solid.points[used], Cells.of_type(9, rows.reshape(-1, 4)))


def cylinder(around, rows, height, triangles=False, caps=False):
    """Quads or triangles in rows of points on a cylinder of radius 1; with caps of rings of points."""
    angle = 2 * np.pi * np.arange(around) / around
    rings = [(1.0, z) for z in height * np.arange(rows)]
    if caps:
        radii = np.linspace(0.25, 1, 6)[:-1]
        rings = [(r, 0.0) for r in radii] + rings + [(r, height * (rows - 1)) for r in radii[::-1]]
    points = np.array([[r * np.cos(a), r * np.sin(a), z] for a in angle for r, z in rings])
    index = np.arange(len(points)).reshape(around, -1)
    after = np.roll(index, -1, axis=0)
    quads = np.stack([index[:, :-1], after[:, :-1], after[:, 1:], index[:, 1:]], -1).reshape(-1, 4)
    if triangles:
        return Mesh(points, Cells.of_type(5, quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)))
    return Mesh(points, Cells.of_type(9, quads))


def sphere(times):
    """An icosahedron of which every triangle was split in four so many times."""
    golden = (1 + np.sqrt(5)) / 2
    corners = [(0, s, t * golden) for s in (-1, 1) for t in (-1, 1)]
    points = np.array([np.roll(each, k) for each in corners for k in range(3)]) / np.hypot(1, golden)
    for _ in range(times):
        rows = ConvexHull(points).simplices
        middles = np.concatenate([points[rows[:, i]] + points[rows[:, i - 1]] for i in range(3)])
        middles /= np.sqrt((middles**2).sum(axis=1, keepdims=True))
        points = np.unique(np.round(np.concatenate([points, middles]), 12), axis=0)
    return Mesh(points, Cells.of_type(5, ConvexHull(points).simplices))


def errors(mesh, normals, scheme, at="points"):
    """Of L over its root mean square, NaN where there is none, and the result."""
    found = velocity_gradient(Flow(mesh, FLOW.velocity(mesh.points), "points"), scheme, at=at)
    exact = FLOW.gradient(mesh.places(at)) @ (np.eye(3) - normals[:, :, None] * normals[:, None, :])
    assert np.array_equal(found.valid, np.isfinite(found.L).all(axis=(1, 2)))
    return np.sqrt(((found.L - exact) ** 2).sum(axis=(1, 2)) / (exact**2).sum(axis=(1, 2)).mean()), found


def radial(points):
    flat = points * [1, 1, 0]
    return flat / np.sqrt((flat**2).sum(axis=1, keepdims=True))


@pytest.mark.parametrize("scheme", [*SCHEMES, "autodiff"])
def test_each_side_of_a_cube_is_differentiated_on_its_own(scheme):
    mesh = cube()
    arms = np.abs(mesh.points - 0.5)
    sides = np.isclose(arms, 0.5)
    normals = sides / np.sqrt(sides.sum(axis=1, keepdims=True))
    off, found = errors(mesh, normals, scheme)
    on_edges = sides.sum(axis=1) > 1
    assert np.array_equal(np.isnan(off), on_edges)
    assert np.nanmax(off) < 0.05
    assert any("68 of 218 points lie on edges at which the surface turns by more than 40°" in n for n in found.notes)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_linear_fields_on_a_cube_are_exact_up_to_the_edges(scheme):
    mesh, slope = cube(5), np.array([[0.3, -1.2, 0.7], [2.1, -0.4, 0.5], [-0.6, 0.9, 0.1]])
    L = velocity_gradient(Flow(mesh, mesh.points @ slope.T + 3, "points"), scheme).L
    for axis in range(3):
        inner = (np.isclose(np.abs(mesh.points - 0.5), 0.5) == (np.arange(3) == axis)).all(axis=1)
        np.testing.assert_allclose(L[inner], np.tile(slope * (np.arange(3) != axis), (inner.sum(), 1, 1)), atol=1e-11)


@pytest.mark.parametrize("at", ["cells", "points"])
def test_cells_on_both_sides_of_an_edge_are_no_neighbours(at):
    mesh, slope = cube(6), np.array([[0.3, -1.2, 0.7], [2.1, -0.4, 0.5], [-0.6, 0.9, 0.1]])
    values = mesh.centroids @ slope.T + np.where(np.abs(mesh.centroids[:, :1] - 0.5) > 0.49, 100.0, 0.0)
    L = velocity_gradient(Flow(mesh, values, "cells"), "finite-difference(order=2)", at=at).L
    sides = np.isclose(np.abs(mesh.places(at) - 0.5), 0.5)
    inner = sides.sum(axis=1) == 1
    assert np.array_equal(inner, np.isfinite(L).all(axis=(1, 2)))
    np.testing.assert_allclose(L[inner], slope * ~sides[inner][:, None, :], atol=1e-9)


@pytest.mark.parametrize("triangles", [False, True])
def test_caps_and_sides_of_a_cylinder(triangles):
    mesh = cylinder(32, 9, 0.2, triangles, caps=True)
    radius = np.hypot(*mesh.points[:, :2].T)
    on_cap = radius < 0.999
    normals = np.where(on_cap[:, None], [0, 0, 1], radial(mesh.points))
    off, _ = errors(mesh, normals, "auto")
    rim = ~on_cap & (np.isclose(mesh.points[:, 2], 0) | np.isclose(mesh.points[:, 2], 1.6))
    assert np.array_equal(np.isnan(off), rim)
    assert np.nanmax(off) < 0.05


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("triangles", [False, True])
@pytest.mark.parametrize("shape", [1.0, 0.1])
@pytest.mark.parametrize("around", [16, 48])
@pytest.mark.parametrize("rows", [2, 3])
def test_strips_of_few_rows_are_right_or_masked(rows, around, shape, triangles, scheme):
    """Narrow ones wind round in fewer rows than tell their tangents: these points have no gradient. The planes of
    order 1 are chords, as coarse as the strip."""
    mesh = cylinder(around, rows, shape * 2 * np.pi / around, triangles)
    off, found = errors(mesh, radial(mesh.points), scheme)
    missing = np.isnan(off)
    assert np.nanmax(off, initial=0) < (0.6 if "order=1" in scheme else 0.35)
    told = [
        n for n in found.notes if n.startswith(f"{missing.sum()} of {len(mesh.points)} points have no gradient: too")
    ]
    assert len(told) == missing.any()


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("times", [1, 2, 3])
def test_coarse_spheres(times, scheme):
    """80 triangles turn by 20° or so at their edges, 20 by 42°: these are a solid with edges."""
    mesh = sphere(times)
    off, _ = errors(mesh, mesh.points, scheme)
    assert not crease_points(mesh).any()
    assert times == 1 or not np.isnan(off).any()
    assert np.nanmax(off, initial=0) < 0.25
    assert crease_points(sphere(0)).all()


@pytest.mark.parametrize("order", [1, 2, 3])
def test_smooth_surfaces_are_as_they_were(order):
    mesh = sphere(2)
    samples = Samples.of_points(mesh, np.ones(mesh.point_count, bool))
    same, notes = up_to_creases(samples, mesh, "points")
    assert same is samples
    assert not notes
    fits = LocalFits(samples, Targets.at_samples(samples, np.arange(162)), directions(mesh, mesh.points), order)
    assert not misses_surface(fits, mesh).any()
    velocity = FLOW.velocity(mesh.points)
    found = velocity_gradient(Flow(mesh, velocity, "points"), f"finite-difference(order={order})").L
    np.testing.assert_array_equal(found, fits.first(None, velocity)[0])


def test_curved_cells_turn_less_than_their_corners():
    flat = block("triangle", 9, jitter=0.0)
    bent = quadratic(flat)
    x, y, _ = bent.points.T
    bent = Mesh(np.column_stack([np.cos(4 * x), np.sin(4 * x), y]), bent.cells)
    assert not crease_points(bent).any()


def test_the_order_of_the_corners_of_cells_does_not_matter():
    mesh = sphere(2)
    rows = mesh.cells.connectivity.reshape(-1, 3).copy()
    rows[::2] = rows[::2, ::-1]
    turned = Mesh(mesh.points, Cells.of_type(5, rows))
    off, _ = errors(turned, mesh.points, "auto")
    assert not np.isnan(off).any()
    assert off.max() < 0.07
