"""Gradients at points as measure-weighted means of those of the cells around."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.gradient import element_kernels as kernels
from flowgrad.gradient.scheme import Composed, Operator, handed_on
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import take
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


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
