"""Meshes of high-order cells for the tests: linear ones with nodes added where the reference cells have them."""

import dataclasses
from functools import cache

import numpy as np

from flowgrad import Cells, Mesh
from flowgrad.mesh import LAGRANGE_CELLS, REFERENCE_CELLS
from flowgrad.mesh.reference.lagrange import lagrange_cell
from tests import meshes

SOLID_OF = {"tetra": "tetra", "hexahedron": "hexahedron", "wedge": "wedge", "pyramid": "pyramid"}


def reference(vtk_type, degrees=None):
    """The reference cell of a type, of a Lagrange type at some degrees."""
    if vtk_type not in LAGRANGE_CELLS:
        return REFERENCE_CELLS[vtk_type]
    return lagrange_cell(vtk_type, LAGRANGE_CELLS[vtk_type].count(*degrees), degrees)


def straight(cell, n=2, transform=None, degrees=None):
    """A block of cells of a reference cell's family: n cubes a side (squares, lines), turned and sheared."""
    transform = np.array([[1.1, 0.3, -0.2], [-0.4, 0.9, 0.1], [0.2, -0.3, 1.2]]) if transform is None else transform
    coarse = _coarse(cell.family.name, n)
    return elevated(Mesh(coarse.points @ transform.T + 0.5, coarse.cells), cell, degrees)


@cache
def _coarse(family, n):
    if family in SOLID_OF:
        points, _ = meshes.lattice(n, distortion=0.0)
        mesh = meshes.solid(family, n)
        return Mesh(np.vstack([points, np.round(2 * mesh.points[len(points) :]) / 2]), mesh.cells)
    if family == "line":
        return Mesh(np.arange(n + 1.0)[:, None] * [1, 0, 0], Cells.of_type(3, _line_rows(n)))
    mesh = meshes.planar(family, n)
    return Mesh(np.round(mesh.points), mesh.cells)


def _line_rows(n):
    return np.column_stack([np.arange(n), np.arange(1, n + 1)])


def elevated(coarse, cell, degrees=None):
    """The same cells with the nodes of a reference cell; nodes of neighbours at one place are one."""
    (block,) = [b for b in coarse.blocks if b.reference.family is cell.family]
    corners = coarse.points[block.rows]
    nodes = np.einsum("ak,nki->nai", block.reference.values(cell.nodes), corners)
    flat = nodes.reshape(-1, 3)
    _, first, inverse = np.unique(np.round(flat, 6), axis=0, return_index=True, return_inverse=True)
    cells = Cells.of_type(cell.vtk_type, inverse.reshape(len(nodes), -1))
    if degrees is not None:
        cells = dataclasses.replace(cells, degrees=np.tile(degrees, (len(nodes), 1)))
    return Mesh(flat[first], cells)


def bent(mesh, size=0.05):
    """The same mesh with its points moved smoothly, so that edges and faces are curved."""
    x = mesh.points
    return Mesh(x + size * np.sin(1.3 * x[:, [1, 2, 0]] + [0, 1, 2]), mesh.cells)


def polynomial(degree, seed=0):
    """A vector of complete polynomials of a degree, as a function of positions, and its gradient."""
    exponents = np.array(
        [(i, j, k) for i in range(degree + 1) for j in range(degree + 1 - i) for k in range(degree + 1 - i - j)]
    )
    weights = np.random.default_rng(seed).normal(size=(3, len(exponents)))

    def terms(x, powers):
        return np.prod(x[:, None, :] ** np.maximum(powers, 0), axis=2)

    def gradient(x):
        columns = []
        for axis in range(3):
            lowered = exponents - np.eye(3, dtype=int)[axis]
            columns.append((terms(x, lowered) * exponents[:, axis]) @ weights.T)
        return np.stack(columns, axis=2)

    return lambda x: terms(x, exponents) @ weights.T, gradient
