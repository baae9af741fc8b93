"""Elements of higher degree: fields of their space come back to rounding, and VTK's cells agree on the rest."""

from functools import cache

import numpy as np
import pytest

from flowgrad import Autodiff, Flow, Mesh
from tests.high_order import bent, elevated, polynomial, reference, straight
from tests.meshes import SOLIDS

QUADRATIC = (21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 37)
# Degree of the polynomials that a type holds whole, where it is not 2.
COMPLETE = {30: 1, 31: 1, 35: 3}
CASES = [(t, None, COMPLETE.get(t, 2)) for t in QUADRATIC]
CASES += [(t, (p, p, p), p) for t in range(68, 74) for p in (1, 2, 4)]
CASES += [(74, (1, 1, 1), 1), (74, (2, 2, 2), 2), (72, (4, 2, 3), 2), (70, (2, 3, 1), 2), (73, (3, 3, 2), 2)]
# VTK's pyramid of 13 points holds no squares of x and y, ours does; it has no Lagrange pyramid, no derivatives on
# most lines, and on its quadratic-linear quad not even those of linear fields.
LIKE_VTK = [case for case in CASES if case[0] not in (21, 27, 30, 68, 74)]


def each_of(cases):
    ids = [f"{t}-{degrees[:3] if degrees else ''}" for t, degrees, _ in cases]
    return pytest.mark.parametrize(("vtk_type", "degrees", "complete"), cases, ids=ids)


CELLS = each_of(CASES)


def gradients(mesh, velocity, at):
    return Autodiff().prepare(Flow(mesh, velocity, "points"), at).vectors(velocity)


@cache
def mesh_of(vtk_type, degrees):
    return straight(reference(vtk_type, degrees), 1 if vtk_type > 60 else 2, degrees=degrees)


def interior(mesh, count=200, seed=0):
    """Positions inside cells, with their cells and reference coordinates."""
    (block,) = mesh.blocks
    rng = np.random.default_rng(seed)
    sites = block.reference.family.gauss(5)[0]
    cells, xi = rng.integers(0, len(mesh), count), sites[rng.integers(0, len(sites), count)]
    x = np.einsum("mk,mki->mi", block.reference.values(xi), mesh.points[block.rows[cells]])
    return x, cells, xi


def tangential(mesh, gradient, at):
    """Only the part along the cells of a surface or line, straight and all in one direction."""
    spans = np.linalg.svd(mesh.points - mesh.points.mean(axis=0), full_matrices=False)[2][: mesh.dimension]
    return gradient @ (spans.T @ spans)


@CELLS
def test_polynomials_of_the_degree_are_exact_on_straight_cells(vtk_type, degrees, complete):
    mesh = mesh_of(vtk_type, degrees)
    field, gradient = polynomial(complete)
    velocity = field(mesh.points)
    (block,) = mesh.blocks
    centers = np.einsum("k,nki->ni", block.reference.values(block.reference.center[None])[0], mesh.points[block.rows])
    for at, where in (("cells", centers), ("points", mesh.points), (interior(mesh)[0],) * 2):
        exact = tangential(mesh, gradient(where), at)
        np.testing.assert_allclose(gradients(mesh, velocity, at), exact, atol=1e-10 * np.abs(exact).max())


@CELLS
def test_linear_fields_are_exact_on_curved_cells(vtk_type, degrees, complete):
    mesh = mesh_of(vtk_type, degrees)
    mesh = bent(mesh) if mesh.dimension == 3 else within(mesh)
    slope = np.random.default_rng(1).normal(size=(3, 3))
    for at in ("cells", "points", interior(mesh)[0]):
        found = gradients(mesh, mesh.points @ slope.T + 3, at)
        exact = tangential(mesh, np.broadcast_to(slope, found.shape), at)
        np.testing.assert_allclose(found, exact, atol=1e-10)


def within(mesh):
    """Points of a plane or straight mesh moved within it, so that its cells are curved but flat."""
    spans = np.linalg.svd(mesh.points - mesh.points.mean(axis=0), full_matrices=False)[2][: mesh.dimension]
    return Mesh(mesh.points + 0.05 * np.sin(1.3 * mesh.points @ spans.T) @ spans, mesh.cells)


@pytest.mark.parametrize(("vtk_type", "degrees"), [(25, None), (29, None), (24, None), (27, None), (72, (3, 3, 3))])
@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_exact_at_any_scale(vtk_type, degrees, scale):
    mesh = mesh_of(vtk_type, degrees)
    field, gradient = polynomial(2)
    scaled = Mesh(scale * mesh.points, mesh.cells)
    exact = gradient(mesh.points) / scale
    for at, expected in (("points", exact), (scaled.points, exact)):
        found = gradients(scaled, field(mesh.points), at)
        np.testing.assert_allclose(found, expected, atol=1e-10 * np.abs(exact).max())


@each_of(LIKE_VTK)
def test_random_fields_on_curved_cells_have_the_derivatives_of_vtk(vtk_type, degrees, complete):
    """At positions in the cells, which are curved within their plane or line where they have one, as VTK
    takes others for flat."""
    pytest.importorskip("vtkmodules", reason="vtk is not installed")
    from tests.mesh.test_reference_cells import in_vtk
    from tests.vtk_peer import vtk_grid

    mesh = mesh_of(vtk_type, degrees)
    mesh = bent(mesh) if mesh.dimension == 3 else within(mesh)
    velocity = np.random.default_rng(2).normal(size=mesh.points.shape)
    x, cells, xi = interior(mesh, 20)
    grid = vtk_grid(mesh, velocity)
    _with_degrees(grid, degrees)
    (block,) = mesh.blocks
    found = gradients(mesh, velocity, x)
    for c, place, L in zip(cells, xi, found, strict=True):
        derivatives = np.zeros(9)
        values = velocity[block.rows[c]].ravel()
        grid.GetCell(int(c)).Derivatives(0, in_vtk(block.reference, place), values, 3, derivatives)
        np.testing.assert_allclose(L, derivatives.reshape(3, 3), atol=1e-9 * np.abs(L).max())


def _with_degrees(grid, degrees):
    from vtkmodules.util.numpy_support import numpy_to_vtk

    if degrees is not None:
        array = numpy_to_vtk(np.tile(np.array(degrees, float), (grid.GetNumberOfCells(), 1)), deep=True)
        array.SetName("HigherOrderDegrees")
        grid.GetCellData().SetHigherOrderDegrees(array)


@pytest.mark.parametrize(("vtk_type", "degrees"), [(24, None), (25, None), (27, None), (22, None), (71, (3, 3, 3))])
@pytest.mark.parametrize("where", ["cells", "points", "positions"])
def test_the_matrices_are_the_operator(vtk_type, degrees, where):
    mesh = mesh_of(vtk_type, degrees)
    values = np.random.default_rng(3).normal(size=(len(mesh.points), 3))
    at = np.vstack([interior(mesh, 50)[0], [[99.0, 0, 0]]]) if where == "positions" else where
    operator = Autodiff().prepare(Flow(mesh, values, "points"), at)
    found = operator.apply(values)
    for axis, matrix in enumerate(operator.matrices):
        np.testing.assert_allclose(matrix @ values, found[:, :, axis], atol=1e-12 * np.nanmax(np.abs(found)))


@pytest.mark.parametrize("vtk_type", [24, 25, 26, 27, 29, 22, 28])
def test_observed_order_of_convergence(vtk_type):
    """Quadratic elements: second order at the points of a smoothly curved mesh."""

    def worst(n):
        mesh = straight(reference(vtk_type), n, np.eye(3))
        x = (mesh.points - 0.5) / n
        if mesh.dimension == 3:
            x = x + 0.03 * np.sin(np.pi * x[:, ::-1])
        mesh = Mesh(x, mesh.cells)
        velocity = np.column_stack([np.sin(3 * x[:, 1]), np.cos(2 * x[:, 0]), x[:, 2] ** 3])
        exact = np.zeros((len(x), 3, 3))
        exact[:, 0, 1], exact[:, 1, 0] = 3 * np.cos(3 * x[:, 1]), -2 * np.sin(2 * x[:, 0])
        exact[:, 2, 2] = 3 * x[:, 2] ** 2
        return np.sqrt(((gradients(mesh, velocity, "points") - exact) ** 2).mean())

    assert np.log2(worst(4) / worst(8)) > 1.8


def test_a_straight_quadratic_mesh_gives_what_the_linear_one_gives_for_a_linear_interpolant():
    """The values of the linear elements at the added nodes make the same field, cell by cell."""
    linear = SOLIDS["tetra"]
    quadratic = elevated(linear, reference(24))
    values = np.random.default_rng(4).normal(size=(len(linear.points), 3))
    (block,) = linear.blocks
    lifted = np.zeros((len(quadratic.points), 3))
    N = block.reference.values(reference(24).nodes)
    lifted[quadratic.blocks[0].rows] = np.einsum("ak,nki->nai", N, values[block.rows])
    np.testing.assert_allclose(gradients(quadratic, lifted, "cells"), gradients(linear, values, "cells"), atol=1e-12)
