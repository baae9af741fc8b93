"""A linear velocity field must come back to rounding on every cell type, from points and from cells."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from flowgrad import Flow, Mesh, velocity_gradient
from tests import meshes

L = np.array([[0.3, -1.2, 0.7], [2.1, -0.4, 0.5], [-0.6, 0.9, 0.1]])
SCALES = (1.0, 1e-6, 1e6)
ROTATION = Rotation.from_euler("xyz", [0.4, -0.9, 1.7]).as_matrix()
PLANAR = ("triangle", "quad", "pixel", "polygon")


def scaled(mesh, scale):
    return Mesh(scale * (mesh.points + 3.0), mesh.cells)


def flow_of(mesh, location, gradient=L):
    positions = mesh.points if location == "points" else mesh.centroids
    size = np.abs(positions).max()
    return Flow.from_arrays(mesh.points, mesh.cells, positions @ gradient.T + size * np.array([1, -2, 3]), location)


def error(flow, at, gradient=L):
    result = velocity_gradient(flow, at=at)
    assert result.valid.all(), result.notes
    return np.abs(result.L - gradient).max() / np.abs(gradient).max()


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("at", ["points", "cells"])
@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("name", meshes.SOLIDS)
def test_linear_fields_on_solids(name, location, at, scale):
    assert error(flow_of(scaled(meshes.SOLIDS[name], scale), location), at) < 1e-10


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("at", ["points", "cells"])
@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("name", [*PLANAR, "pentagons"])
def test_linear_fields_in_any_plane(name, location, at, scale):
    mesh = meshes.pentagons(ROTATION) if name == "pentagons" else meshes.planar(name, plane=ROTATION)
    tangential = L @ (np.eye(3) - np.outer(ROTATION[2], ROTATION[2]))
    assert error(flow_of(scaled(mesh, scale), location), at, tangential) < 1e-10


@pytest.mark.parametrize("location", ["points", "cells"])
def test_lines(location):
    direction = np.array([1.0, 2.0, -2.0]) / 3
    points = np.cumsum([0, 1, 0.5, 2, 1.5])[:, None] * direction
    mesh = meshes.build(points, [("line", (i, i + 1)) for i in range(4)])
    assert error(flow_of(mesh, location), "cells", L @ np.outer(direction, direction)) < 1e-10


@pytest.mark.parametrize("name", ["hexahedron", "tetra", "wedge", "pyramid", "mixed", "polyhedron"])
@pytest.mark.parametrize("location", ["points", "cells"])
@pytest.mark.parametrize("at", ["points", "cells"])
def test_the_matrices_are_the_operator(name, location, at):
    from flowgrad.gradient import choose_scheme

    mesh = meshes.SOLIDS[name]
    values = np.random.default_rng(3).normal(size=(len(mesh.points) if location == "points" else len(mesh), 3))
    flow = Flow.from_arrays(mesh.points, mesh.cells, values, location)
    operator = choose_scheme(flow, at)[0].prepare(flow, at)
    gradients = operator.apply(values)
    for axis, matrix in enumerate(operator.matrices):
        np.testing.assert_allclose(matrix @ values, gradients[:, :, axis], atol=1e-12 * np.abs(gradients).max())
    np.testing.assert_array_equal(operator.apply(values[:, 0]), gradients[:, 0])
    np.testing.assert_array_equal(operator.apply(values[:, :2]), gradients[:, :2])


@pytest.mark.parametrize("location", ["points", "cells"])
def test_rotated_flows_have_rotated_gradients(location):
    """L(Qx, Qv) = Q L Qᵀ for any field, not only linear ones."""
    mesh = meshes.SOLIDS["mixed"]
    turned = Mesh(mesh.points @ ROTATION.T + 5, mesh.cells)
    values = np.random.default_rng(4).normal(size=(len(mesh.points) if location == "points" else len(mesh), 3))
    plain = velocity_gradient(Flow(mesh, values, location)).L
    rotated = velocity_gradient(Flow(turned, values @ ROTATION.T + 7, location)).L
    np.testing.assert_allclose(rotated, ROTATION @ plain @ ROTATION.T, atol=1e-11 * np.abs(plain).max())


@pytest.mark.parametrize(("location", "order"), [("points", 1.8), ("cells", 0.8)])
def test_observed_order_inside(location, order):
    """Second order at cell centres from points on a smooth mesh; first from cells on distorted tetrahedra."""

    def worst(n):
        mesh = meshes.solid("hexahedron" if location == "points" else "tetra", n)
        smooth = meshes.lattice(n, distortion=0.0)[0] / n
        points = smooth + 0.05 * np.sin(2 * np.pi * smooth[:, ::-1]) if location == "points" else mesh.points / n
        mesh = Mesh(points, mesh.cells)
        where = mesh.points if location == "points" else mesh.centroids
        at = mesh.centroids
        velocity = np.column_stack([np.sin(2 * where[:, 1]), np.cos(where[:, 0]), where[:, 2] ** 2])
        result = velocity_gradient(Flow(mesh, velocity, location), at="cells")
        exact = np.zeros_like(result.L)
        exact[:, 0, 1], exact[:, 1, 0], exact[:, 2, 2] = 2 * np.cos(2 * at[:, 1]), -np.sin(at[:, 0]), 2 * at[:, 2]
        inside = (np.abs(at - 0.5) < 0.3).all(axis=1)
        return np.sqrt(((result.L - exact)[inside] ** 2).mean())

    coarse, fine = worst(6), worst(12)
    assert np.log2(coarse / fine) > order


def test_wall_values_enter_the_fit():
    """Quadratic flow between walls: with the wall values the wall cells' gradient is first order, not wrong."""
    from flowgrad import Patch

    mesh = meshes.SOLIDS["hexahedron"]
    centers = mesh.topology.boundary_geometry[1]
    faces = np.arange(len(centers))
    flow = flow_of(mesh, "cells")
    size = np.abs(mesh.centroids).max()
    walls = Patch("all", faces, centers @ L.T + size * np.array([1, -2, 3]))
    with_walls = Flow(mesh, flow.velocity, "cells", boundary=(walls,))
    assert error(with_walls, "cells") < 1e-10
    wrong = Flow(mesh, flow.velocity, "cells", boundary=(Patch("all", faces, walls.velocity + 1),))
    assert error(wrong, "cells") > 0.1
