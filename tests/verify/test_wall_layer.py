"""Layers on the walls of any mesh: known exactly, and found where they are."""

from dataclasses import replace

import numpy as np
import pytest

from flowgrad import Flow, Mesh, Patch
from flowgrad.exact.wall_layer import WallLayer
from flowgrad.mesh.distance import SmoothWall
from flowgrad.mesh.generate import block
from flowgrad.verify import Manufactured, Trial, verify, walls_of
from scripts.round_meshes import pipe, sphere_shell
from tests import axial, meshes

ALONG = np.array([1.0, 0.6, -0.4])


def at_rest(mesh, location="points", **fields):
    return Flow(mesh, np.zeros_like(mesh.places(location)), location, **fields)


def all_faces(mesh):
    return np.arange(len(mesh.topology.boundary))


def inner_faces(shell):
    return np.flatnonzero((shell.topology.boundary_geometry[1] ** 2).sum(axis=1) < 1.5)


def ring(n=48, layers=12):
    """Quads around a circle of radius 1, in layers that grow from 0.001."""
    r = 1 + np.concatenate([[0], np.cumsum(1e-3 * 1.3 ** np.arange(layers))])
    angle = 2 * np.pi * np.arange(n) / n
    points = np.stack([np.outer(np.cos(angle), r), np.outer(np.sin(angle), r), np.zeros((n, len(r)))], -1)
    index = np.arange(n * len(r)).reshape(n, -1)
    after = np.roll(index, -1, axis=0)
    quads = np.stack([index[:, :-1], index[:, 1:], after[:, 1:], after[:, :-1]], -1).reshape(-1, 4)
    return meshes.build(points.reshape(-1, 3), [("quad", row) for row in quads])


@pytest.mark.parametrize(
    "mesh",
    [
        block("tetra", 6),
        block("hexahedron", 6),
        block("triangle", 9),
        ring(),
        sphere_shell("wedge", 6),
        pipe("tetra", 4),
    ],
    ids=["tetra", "hexahedron", "triangle", "ring", "shell", "pipe"],
)
def test_the_gradient_is_that_of_the_velocity(mesh):
    """By central differences at cells, but for the few that lie between two faces of a round wall, as near to both."""
    layer = WallLayer.on(mesh, all_faces(mesh), ALONG)
    x = mesh.centroids
    step = 1e-6 * min(layer.thickness)
    moves = step * np.eye(3)
    found = np.stack([(layer.velocity(x + m) - layer.velocity(x - m)) / (2 * step) for m in moves], -1)
    planar = np.arange(3) < mesh.dimension
    off = np.abs((found - layer.gradient(x)) * planar).max(axis=(1, 2)) * min(layer.thickness)
    assert np.quantile(off, 0.95) < 1e-6
    assert off.max() < 0.02


def test_the_distance_from_a_sphere_is_that_of_its_faces():
    shell = sphere_shell("hexahedron", 16)
    (wall,) = SmoothWall.of(shell, inner_faces(shell))
    distance, away = wall.distance(shell.centroids, 10.0)
    r = np.sqrt((shell.centroids**2).sum(axis=1))
    # A chord of the angle a stands 1 − cos a off the sphere.
    assert np.abs(distance - (r - 1)).max() < 2 * (1 - np.cos(np.pi / 32))
    assert ((away * shell.centroids).sum(axis=1) / r).min() > np.cos(np.pi / 24)
    on_it = np.unique(shell.topology.face_points(inner_faces(shell))[1])
    normals = wall.distance(shell.points[on_it], 1.0)[1]
    assert (normals * shell.points[on_it]).sum(axis=1).min() > np.cos(np.pi / 32)


def test_beyond_what_is_asked_for_there_is_none():
    (wall,) = SmoothWall.of(shell := sphere_shell("wedge", 6), inner_faces(shell))
    distance, away = wall.distance(shell.centroids, 0.1)
    near = np.isfinite(distance)
    assert 0 < near.sum() < len(shell)
    assert distance[near].max() <= 0.1
    assert not away[~near].any()


def test_corners_into_which_the_fluid_reaches_part_walls_and_others_do_not():
    box = block("hexahedron", 5)
    assert len(SmoothWall.of(box, all_faces(box))) == 6
    shell = sphere_shell("hexahedron", 8)
    assert len(SmoothWall.of(shell, all_faces(shell))) == 2
    # A square in the middle of a square: the outer sides part, the inner ones do not.
    square = block("quad", 10, jitter=0.0)
    hole = Mesh(
        square.points, square.cells.take(np.flatnonzero(np.abs(square.centroids[:, :2] - 0.5).max(axis=1) > 0.2))
    )
    parts = SmoothWall.of(hole, all_faces(hole))
    assert sorted(len(part.faces) for part in parts) == [9, 9, 9, 9, 12]


def test_walls_are_the_patches_at_rest():
    mesh = block("hexahedron", 5)
    middles = mesh.topology.boundary_geometry[1]
    floor, lid = (np.flatnonzero(np.abs(middles[:, 2] - z) < 1e-9) for z in (0.0, 1.0))
    patches = Patch("floor", floor, np.zeros((len(floor), 3))), Patch("lid", lid, np.ones((len(lid), 3)))
    none = np.empty((0, 3))
    assert np.array_equal(walls_of(at_rest(mesh, "cells", boundary=patches), none), floor)
    assert len(walls_of(at_rest(mesh, "cells", boundary=patches[1:]), none)) == len(middles)


def test_the_axis_of_a_meridian_plane_is_no_wall():
    flow = at_rest(block("quad", 8), axisymmetric="x")
    middles = flow.mesh.topology.boundary_geometry[1]
    assert middles[walls_of(flow, np.empty((0, 3)))][:, 1].min() > 0


def test_layers_are_as_thick_as_several_cells():
    made = Manufactured.of(at_rest(ring(layers=20), "cells"))
    assert min(made.layer.thickness) == pytest.approx(4e-3, rel=0.02)
    assert Manufactured.of(at_rest(axial.wedge(8, 6), "cells")).layer is None


def test_the_layer_shows_what_the_waves_do_not():
    """Around a circle in thin layers, chords stand farther off it than the cells are thick: polynomials in x and y
    that serve the waves do not serve the layer, and the recommendation says so."""
    trial = Trial(Manufactured.of(at_rest(ring(), "cells")), "cells")
    by_name = {each.name: each for each in trial.tried}
    assert all(np.isfinite(each.layer) for each in trial.tried)
    assert by_name["fits, order 1"].layer > 2 * by_name["fits, order 1"].deviation.overall
    lines = [line for line, _ in verify(at_rest(ring(), "cells"))]
    assert any(line.startswith("and one with layers on the walls, 0.00399") for line in lines)
    assert sum("layer    largest" in line for line in lines) == 2


def test_every_scheme_is_nearer_in_a_finer_layer():
    errors = []
    for n in (9, 17):
        mesh = block("hexahedron", n, jitter=0.0)
        user = Manufactured.of(at_rest(mesh, "cells"))
        thick = WallLayer(user.layer.parts, (0.25,) * 6, ALONG)
        errors.append({each.name: each.layer for each in Trial(replace(user, layer=thick), "cells").tried})
    for name, order in (("fits, order 1", 1), ("fits, order 2", 2), ("fits, order 3", 3)):
        assert np.log2(errors[0][name] / errors[1][name]) > order - 0.4
