"""Gradients at points as measure-weighted means of those of the cells around."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.gradient import element_kernels as kernels
from flowgrad.gradient.scheme import Composed
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import take
from flowgrad.typing import FloatArray

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
        mesh, gradients = self.mesh, self.inner.vectors(values)
        corners, full = (mesh.cells.offsets, mesh.cells.connectivity), np.flatnonzero(mesh.is_full)
        kernels.add_cell_gradients(gradients, mesh.measures, *corners, full, sums)
        return kernels.mean_of_sums(sums)
