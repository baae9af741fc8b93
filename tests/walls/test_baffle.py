"""A plate within the mesh, both of whose sides have points of their own at the same places."""

import numpy as np
import pytest

from flowgrad import Cells, Flow, Mesh, Patch, at_walls, velocity_gradient
from flowgrad.mesh.generate import block

N = 5


def two_boxes():
    """Hexahedra below and above z = 1 with the points there twice, and quads on both sides of the plate."""
    lower = block("hexahedron", N, jitter=0.0)
    height = np.ptp(lower.points[:, 2])
    points = np.concatenate([lower.points, lower.points + np.array([0, 0, height])])
    hexahedra = np.concatenate([lower.blocks[0].rows, lower.blocks[0].rows + len(lower.points)])
    _, faces = lower.topology.boundary_polygons
    _, centre = lower.topology.boundary_geometry
    quads = faces.reshape(-1, 4)
    top = quads[np.isclose(centre[:, 2], lower.points[:, 2].max())]
    bottom = quads[np.isclose(centre[:, 2], lower.points[:, 2].min())] + len(lower.points)
    types = np.repeat([12, 9], [len(hexahedra), len(top) + len(bottom)]).astype(np.uint8)
    sizes = np.repeat([8, 4], [len(hexahedra), len(top) + len(bottom)])
    connectivity = np.concatenate([hexahedra.ravel(), top.ravel(), bottom.ravel()])
    mesh = Mesh(points, Cells(types, np.concatenate([[0], np.cumsum(sizes)]), connectivity))
    marks = np.repeat([0.0, 1.0, 2.0], [len(hexahedra), len(top), len(bottom)])
    return mesh, marks, points[:, 2] - lower.points[:, 2].max(), np.arange(len(points)) < len(lower.points)


MESH, MARKS, Z, BELOW = two_boxes()
SHEAR = np.where(BELOW, -Z, 3 * Z)[:, None] * [1, 0, 0]
SLIP = np.where(BELOW, 1.0, 5.0)[:, None] * [1, 0, 0]


@pytest.mark.parametrize(("side", "normal", "rate"), [(1, 1, 1), (2, -1, 3)])
def test_each_side_is_a_wall_of_its_own(side, normal, rate):
    walls = at_walls(Flow(MESH, SHEAR, "points", cell_data={"mark": MARKS}), f"mark={side}", viscosity=1.0)
    assert len(walls) == (side == MARKS).sum()
    np.testing.assert_allclose(walls.normals, np.broadcast_to([0, 0, normal], (len(walls), 3)), atol=1e-14)
    np.testing.assert_allclose(walls.force(), [rate * walls.areas.sum(), 0, 0], atol=1e-10)


def test_a_file_of_one_side_matches_the_faces_that_look_its_way():
    quads = MESH.cells.connectivity[MESH.cells.offsets[:-1][MARKS == 1][:, None] + np.arange(4)]
    used, rows = np.unique(quads, return_inverse=True)
    for turned in (False, True):
        ring = rows.reshape(-1, 4)[:, :: -1 if turned else 1]
        cells = Cells.of_type(9, ring)
        faces = MESH.topology.match(MESH.points[used].copy(), cells.offsets, cells.connectivity)
        assert (faces >= 0).all()
        assert len(np.unique(faces)) == len(faces)
        z = MESH.topology.boundary_geometry[0][faces][:, 2]
        assert (np.sign(z) == np.sign(z[0])).all()


@pytest.mark.parametrize("of", ["points", "cells"])
def test_the_velocity_at_positions_is_that_of_their_side(of):
    middle = MESH.points[:, :2].mean(axis=0)
    positions = np.array([[*middle, Z.min() * 0 + h] for h in (0.01, -0.01, 0.03, -0.03)])
    positions[:, 2] += MESH.points[:, 2].mean()
    cells = np.where(MESH.centroids[:, 2:] > MESH.points[:, 2].mean(), 5.0, 1.0) * [1, 0, 0]
    cells[MARKS > 0] = 0  # files store something in cells that are faces
    flow = Flow(MESH, SLIP if of == "points" else cells, of)
    gradient = velocity_gradient(flow, "autodiff" if of == "points" else "auto", at=positions)
    np.testing.assert_allclose(gradient["velocity"][:, 0], [5, 1, 5, 1], atol=1e-12)


def test_patches_give_the_points_on_them_their_velocity():
    lower = block("hexahedron", N)
    exact = lower.centroids[:, 1:2] * [1.0, 0, 0] + [1, 0, 0]
    centres = lower.topology.boundary_geometry[1]
    every = np.arange(len(centres))
    patch = Patch("all", every, centres[:, 1:2] * [1.0, 0, 0] + [1, 0, 0])
    found = velocity_gradient(Flow(lower, exact, "cells", boundary=(patch,)), at="points")["velocity"]
    np.testing.assert_allclose(found, lower.points[:, 1:2] * [1.0, 0, 0] + [1, 0, 0], atol=1e-12)
    still = Patch("all", every, 0 * patch.velocity)
    found = velocity_gradient(Flow(lower, exact, "cells", boundary=(still,)), at="points")["velocity"]
    assert not found[np.unique(lower.topology.boundary_polygons[1])].any()
