"""Gradients at any positions: exact for linear fields in every kind of cell, missing outside."""

import numpy as np
import pytest

from flowgrad import Autodiff, Flow, Mesh, velocity_gradient
from flowgrad.mesh.locate import locate
from tests import meshes
from tests.high_order import bent, polynomial, reference, straight

L = np.array([[0.3, -1.2, 0.7], [2.1, -0.4, 0.5], [-0.6, 0.9, 0.1]])


def linear(mesh):
    return Flow(mesh, mesh.points @ L.T + [1, -2, 3], "points")


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
@pytest.mark.parametrize("name", meshes.SOLIDS)
def test_linear_fields_in_solids(name, scale):
    mesh = Mesh(scale * (meshes.SOLIDS[name].points + 3), meshes.SOLIDS[name].cells)
    low, high = mesh.points.min(axis=0), mesh.points.max(axis=0)
    x = np.random.default_rng(0).uniform(low, high, (300, 3))
    operator = Autodiff().prepare(linear(mesh), x)
    gradients = operator.vectors(linear(mesh).velocity)
    inside = locate(mesh, x).inside
    assert 0.3 < inside.mean() <= 1
    np.testing.assert_allclose(gradients[inside], np.broadcast_to(L, (inside.sum(), 3, 3)), atol=1e-10)
    assert np.isnan(gradients[~inside]).all()


@pytest.mark.parametrize("name", ["hexahedron", "polyhedron", "mixed"])
def test_the_matrices_are_the_operator(name):
    mesh = meshes.SOLIDS[name]
    x = np.random.default_rng(1).uniform(-0.5, 3.5, (200, 3))
    values = np.random.default_rng(2).normal(size=mesh.points.shape)
    operator = Autodiff().prepare(Flow(mesh, values, "points"), x)
    gradients = operator.apply(values)
    assert np.isnan(gradients).any()
    for axis, matrix in enumerate(operator.matrices):
        assert matrix.shape == (200, len(mesh.points))
        np.testing.assert_allclose(matrix @ values, gradients[:, :, axis], atol=1e-12)


@pytest.mark.parametrize("name", ["triangle", "quad", "polygon", "pixel"])
def test_in_a_plane(name):
    turn, _ = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))
    mesh = meshes.planar(name, plane=turn)
    x = np.random.default_rng(4).uniform(0.5, 3.5, (100, 2)) @ turn[:2]
    result = velocity_gradient(linear(mesh), "autodiff", at=np.vstack([x, x + turn[2]]))
    assert result.valid.tolist() == [True] * 100 + [False] * 100
    tangential = L @ (np.eye(3) - np.outer(turn[2], turn[2]))
    np.testing.assert_allclose(result.L[:100], np.broadcast_to(tangential, (100, 3, 3)), atol=1e-11)


def test_where_positions_are_the_points_of_one_cell_it_is_the_gradient_at_points():
    mesh = bent(straight(reference(29), 1))
    field, _ = polynomial(3)
    flow = Flow(mesh, field(mesh.points), "points")
    at_points = Autodiff().prepare(flow, "points").vectors(flow.velocity)
    np.testing.assert_allclose(Autodiff().prepare(flow, mesh.points).vectors(flow.velocity), at_points, atol=1e-9)


def test_along_a_line_through_quadratic_cells():
    """A parabolic profile is exact, and so is its shear rate, from wall to wall."""
    mesh = straight(reference(25), 3, np.eye(3))
    y = mesh.points[:, 1] - 0.5
    flow = Flow(mesh, np.column_stack([y * (3 - y), 0 * y, 0 * y]), "points")
    along = np.linspace(0, 3, 61)
    line = np.column_stack([np.full(61, 1.7), along + 0.5, np.full(61, 2.1)])
    result = velocity_gradient(flow, "autodiff", at=line)
    np.testing.assert_allclose(result["shear_rate"], np.abs(3 - 2 * along), atol=1e-10)


def test_what_lies_outside_is_told():
    mesh = meshes.SOLIDS["tetra"]
    result = velocity_gradient(linear(mesh), "autodiff", at=[[1.5, 1.5, 1.5], [9, 9, 9], [np.nan, 0, 0]])
    assert result.valid.tolist() == [True, False, False]
    assert "2 of 3 positions lie outside the mesh" in result.notes


def test_nowhere_inside():
    mesh = meshes.SOLIDS["tetra"]
    operator = Autodiff().prepare(linear(mesh), np.full((2, 3), 99.0))
    assert np.isnan(operator.vectors(mesh.points)).all()
    assert all(matrix.shape == (2, len(mesh.points)) for matrix in operator.matrices)
    assert np.isnan(operator.matrices[0] @ np.ones(len(mesh.points))).all()


@pytest.mark.parametrize("vtk_type", [24, 25, 29])
def test_cell_data_on_curved_cells_are_fitted_over_their_faces(vtk_type):
    mesh = bent(straight(reference(vtk_type), 3))
    result = velocity_gradient(Flow(mesh, mesh.centroids @ L.T, "cells"), "finite-difference(order=1)")
    np.testing.assert_allclose(result.L, np.broadcast_to(L, result.L.shape), atol=1e-10)
