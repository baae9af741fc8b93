"""Sparse matrices of the element gradients, found by differentiating unit values.

On the mesh taken apart, each cell with its own copies of its points, a unit value at one point of
every cell gives the weights of that point in all cells at once, three points for each pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.mesh import Cells, Mesh
from flowgrad.mesh.ragged import runs
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def taken_apart(mesh: Mesh, with_measures: bool = False) -> Mesh:
    """The same cells, each with its own copies of its points, perhaps with the measures they had."""
    cells = mesh.cells
    flat = Cells(cells.types, cells.offsets, np.arange(len(cells.connectivity)), None, cells.degrees)
    apart = Mesh(mesh.points[cells.connectivity], flat)
    if with_measures:
        apart.__dict__["measures"] = mesh.measures  # cached; polyhedra have no faces here
    return apart


def cell_matrices(mesh: Mesh, vectors: Callable[[FloatArray], FloatArray]) -> tuple[csr_array, ...]:
    """d/dx, d/dy, d/dz (n_cells, n_points); ``vectors`` gives gradients (n_cells, 3, 3) on the mesh
    taken apart."""
    cells = mesh.cells
    sizes = np.diff(cells.offsets)
    rows = np.repeat(np.arange(len(cells)), sizes)
    weights = np.zeros((len(rows), 3))
    for chosen, column, gradients in _unit_gradients(cells, vectors):
        weights[chosen] = gradients[rows[chosen], column]
    return _assembled(weights, rows, cells.connectivity, (len(cells), len(mesh.points)))


def point_matrices(
    mesh: Mesh, vectors: Callable[[FloatArray], FloatArray], shares: FloatArray
) -> tuple[csr_array, ...]:
    """d/dx, d/dy, d/dz (n_points, n_points); ``vectors`` gives gradients (k, 3, 3) at the points of
    the mesh taken apart, ``shares`` (k,) their weights in the means."""
    cells = mesh.cells
    sizes = np.diff(cells.offsets)
    total = np.bincount(cells.connectivity, shares, minlength=len(mesh.points))
    used = np.flatnonzero(shares > 0)
    parts: list[tuple[FloatArray, IntArray, IntArray]] = []
    for chosen, column, gradients in _unit_gradients(cells, vectors):
        # Every corner of a cell that has a unit value is differentiated with respect to it.
        source = np.full(len(cells), -1)
        source[np.repeat(np.arange(len(cells)), sizes)[chosen]] = chosen
        here = np.repeat(source, sizes)[used]
        corners, sources = used[here >= 0], here[here >= 0]
        target = cells.connectivity[corners]
        scale = (shares[corners] / total[target])[:, None]
        parts.append((scale * gradients[corners, column], target, cells.connectivity[sources]))
    weights, rows, columns = (np.concatenate(each) for each in zip(*parts, strict=True))
    empty = np.flatnonzero(total == 0)
    weights = np.concatenate([weights, np.full((len(empty), 3), np.nan)])
    shape = (len(mesh.points), len(mesh.points))
    return _assembled(weights, np.concatenate([rows, empty]), np.concatenate([columns, empty]), shape)


def mean_matrix(mesh: Mesh) -> csr_array:
    """The measure-weighted means at points of values at full cells (n_points, n_cells)."""
    from scipy.sparse import csr_array

    full = np.flatnonzero(mesh.is_full & (mesh.measures > 0))
    sizes = np.diff(mesh.cells.offsets)[full]
    points = mesh.cells.connectivity[runs(mesh.cells.offsets[full], sizes)]
    cells = np.repeat(full, sizes)
    total = np.bincount(points, mesh.measures[cells], minlength=len(mesh.points))
    values = mesh.measures[cells] / total[points]
    return csr_array((values, (points, cells)), shape=(len(mesh.points), len(mesh)))


def _unit_gradients(
    cells: Cells, vectors: Callable[[FloatArray], FloatArray]
) -> list[tuple[IntArray, int, FloatArray]]:
    """For each local point number: the points of the mesh taken apart that have it, the component
    that carried their unit value, and the gradients of that pass."""
    sizes = np.diff(cells.offsets)
    local = np.arange(len(cells.connectivity)) - np.repeat(cells.offsets[:-1], sizes)
    found = []
    for first in range(0, int(sizes.max(initial=0)), 3):
        gradients = vectors((local[:, None] == first + np.arange(3)).astype(float))
        found += [(np.flatnonzero(local == first + k), k, gradients) for k in range(3)]
    return found


def _assembled(weights: FloatArray, rows: IntArray, columns: IntArray, shape: tuple[int, int]) -> tuple[csr_array, ...]:
    from scipy.sparse import csr_array

    return tuple(csr_array((weights[:, axis], (rows, columns)), shape=shape) for axis in range(3))
