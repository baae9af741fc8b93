"""Operators composed of others: rows of one, its means at points, what lower cells take from those that they bound."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from flowgrad.gradient import element_kernels as kernels
from flowgrad.gradient.scheme import Operator
from flowgrad.mesh import Mesh
from flowgrad.mesh.ragged import take
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, eq=False)
class MatrixOperator(Operator):
    """Operator that is nothing but its matrices d/dx, d/dy, d/dz (m, n), for schemes of other packages."""

    derivatives: tuple[csr_array, ...]

    @property
    def matrices(self) -> tuple[csr_array, ...]:
        """The matrices (m, n)."""
        return self.derivatives

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (m, 3, 3) of the samples (n, 3)."""
        return np.stack([matrix @ values for matrix in self.derivatives], axis=-1)


@dataclass(frozen=True, eq=False)
class Composed(Operator):
    """An operator made of an ``inner`` one; :func:`handed_on` gives what it takes over from that."""

    inner: Operator

    def takes(self, values: FloatArray) -> bool:
        """As the inner operator does."""
        return self.inner.takes(values)

    def keep(self) -> None:
        """What the inner operator keeps."""
        self.inner.keep()


def handed_on(inner: Operator, **others: Any) -> dict[str, Any]:
    """Notes, boundary faces, one-sided places and directions of an operator, for one that is composed of it."""
    names = ("notes", "faces", "one_sided", "directions")
    return {**{name: getattr(inner, name) for name in names}, **others}


@dataclass(frozen=True, eq=False)
class OnRows(Composed):
    """Rows of another operator: gradient i is its ``rows[i]`` (m,), NaN for -1. It sees the samples ``used`` (k,) of
    those that there are, all unless given."""

    rows: IntArray
    used: IntArray | None = None

    def takes(self, values: FloatArray) -> bool:
        """As the inner operator does of the samples that it sees."""
        return self.inner.takes(values if self.used is None else values[self.used])

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (m, 3, 3) of vectors (n, 3)."""
        return self._placed(self.inner.vectors(values if self.used is None else values[self.used]))

    def second(self, values: FloatArray) -> FloatArray:
        """Second derivatives (m, 3, 3, 3) of vectors (n, 3)."""
        return self._placed(self.inner.second(values if self.used is None else values[self.used]))

    def covariance(self, noise: float | FloatArray) -> FloatArray:
        """That of the rows."""
        seen = noise if self.used is None or np.ndim(noise) == 0 else np.asarray(noise)[self.used]
        return self._placed(self.inner.covariance(seen))

    def _placed(self, derivatives: FloatArray) -> FloatArray:
        if not len(derivatives):
            return np.full((len(self.rows), *derivatives.shape[1:]), np.nan)
        placed = derivatives[self.rows]
        placed[self.rows < 0] = np.nan
        return placed

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (m, n)."""
        from scipy.sparse import csr_array

        if self.used is None:
            return tuple(spread_rows(matrix, self.rows) for matrix in self.inner.matrices)
        shape, chosen = (len(self.rows), len(self.rows)), [matrix[self.rows] for matrix in self.inner.matrices]
        return tuple(csr_array((each.data, self.used[each.indices], each.indptr), shape=shape) for each in chosen)


def on_rows(inner: Operator, rows: IntArray, used: IntArray | None = None) -> OnRows:
    """Rows of an operator, -1 for none, that sees some of the samples."""
    one_sided = None if inner.one_sided is None else inner.one_sided[rows] & (rows >= 0)
    return OnRows(inner, rows, used, **handed_on(inner, one_sided=one_sided))


def on_owners(mesh: Mesh, operator: Operator) -> Operator:
    """An operator on the cells of full dimension for all: lower ones carry the gradient of one that they bound."""
    return operator if mesh.is_full.all() else on_rows(operator, mesh.topology.owners)


@dataclass(frozen=True, eq=False)
class PointMeans(Composed):
    """Gradients at the points: the measure-weighted mean of those of the full cells around."""

    mesh: Mesh

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (n_points, n)."""
        from scipy.sparse import csr_array

        mesh = self.mesh
        full = np.flatnonzero(mesh.is_full & (mesh.measures > 0))
        start, points = take(mesh.cells.offsets, mesh.cells.connectivity, full)
        cells = np.repeat(full, np.diff(start))
        total = np.bincount(points, mesh.measures[cells], minlength=len(mesh.points))
        values = mesh.measures[cells] / total[points]
        mean = csr_array((values, (points, cells)), shape=(len(mesh.points), len(mesh)))
        return tuple((mean @ matrix).tocsr() for matrix in self.inner.matrices)

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (n_points, 3, 3) of the samples."""
        sums = kernels.empty_sums(len(self.mesh.points))
        add_to_points(self.mesh, self.inner.vectors(values), np.flatnonzero(self.mesh.is_full), sums)
        return kernels.mean_of_sums(sums)


def mean_to_points(mesh: Mesh, cells: Operator) -> Operator:
    """The operator at the points that takes the means of one at the cells."""
    return PointMeans(cells, mesh, **handed_on(cells, one_sided=None))


def add_to_points(mesh: Mesh, gradients: FloatArray, cells: IntArray, sums: FloatArray) -> None:
    """Add the gradients of cells, weighted with their measures, to the sums at their points."""
    cells = cells[np.isfinite(gradients[cells]).all(axis=(1, 2))]
    kernels.add_cell_gradients(gradients, mesh.measures, mesh.cells.offsets, mesh.cells.connectivity, cells, sums)


def from_owners(mesh: Mesh, gradients: FloatArray) -> FloatArray:
    """Cells of lower dimension carry the derivatives (cells, 3, 3, ...) of the full cell that they bound;
    NaN without one."""
    lower = np.flatnonzero(~mesh.is_full)
    if len(lower):
        owners = mesh.topology.owners[lower]
        gradients[lower] = gradients[owners]
        gradients[lower[owners < 0]] = np.nan
    return gradients


def spread_rows(matrix: csr_array, sources: IntArray) -> csr_array:
    """The rows of a matrix that ``sources`` (m,) name, NaN for -1."""
    from scipy.sparse import csr_array, diags_array

    if not matrix.shape[0]:
        places = np.arange(len(sources)), np.zeros(len(sources), np.int64)
        return csr_array((np.full(len(sources), np.nan), places), shape=(len(sources), matrix.shape[1]))
    known = diags_array(np.where(sources >= 0, 1.0, np.nan))
    return (known @ matrix[np.maximum(sources, 0)]).tocsr()
