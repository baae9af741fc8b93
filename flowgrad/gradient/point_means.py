"""Gradients at points as means of those of the cells around, exact where these are those of quadratic fields at the
centroids: Σ w_c (x_c − x_p) = 0, the linear consistency of Holmes & Connell (1989, AIAA 89-1932), begun with inverse
distances (Frink 1994, AIAA 94-0061)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from flowgrad.compiled import inlined, kernel
from flowgrad.gradient import element_kernels as kernels
from flowgrad.gradient.scheme import Composed
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import corners
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Weights that linear consistency would make smaller than this share of what they were stay: at a boundary, around which
# the cells lie on one side.
_LEAST = 0.1
# Added to the matrix of the arms, of its trace: nothing is asked for across a plane.
_FLAT = 1e-9


@dataclass(frozen=True, eq=False)
class PointMeans(Composed):
    """Gradients at the points: the weighted mean of those of the full cells around."""

    mesh: Mesh

    @cached_property
    def _weights(self) -> tuple[IntArray, FloatArray]:
        """The full cells with a measure, and the weights at their points (len(connectivity),)."""
        mesh, cells = self.mesh, self.mesh.cells
        full = np.flatnonzero(mesh.is_full & (mesh.measures > 0))
        weights = np.zeros(len(cells.connectivity))
        _consistent(mesh.points, mesh.centroids, cells.offsets, cells.connectivity, full, weights)
        return full, weights

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (n_points, n)."""
        from scipy.sparse import csr_array

        mesh, (full, weights) = self.mesh, self._weights
        places, cells = corners(mesh.cells, full)
        points = mesh.cells.connectivity[places]
        total = np.bincount(points, weights[places], minlength=mesh.point_count)
        shape = (mesh.point_count, len(mesh))
        mean = csr_array((weights[places] / total[points], (points, cells)), shape=shape)
        return tuple((mean @ matrix).tocsr() for matrix in self.inner.matrices)

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (n_points, 3, 3) of the samples."""
        cells, gradients, (full, weights) = self.mesh.cells, self.inner.vectors(values), self._weights
        sums = kernels.empty_sums(self.mesh.point_count)
        kernels.add_cell_gradients(gradients, weights, cells.offsets, cells.connectivity, full, sums)
        return kernels.mean_of_sums(sums)


@inlined
def _arm(points: Any, centroids: Any, p: int, c: int) -> Any:
    return centroids[c, 0] - points[p, 0], centroids[c, 1] - points[p, 1], centroids[c, 2] - points[p, 2]


@inlined
def _slope(s: Any) -> Any:
    """λ of A λ = −b, by Cramer's rule, for the sums b and those of squares, A."""
    small = _FLAT * (s[3] + s[4] + s[5])
    xx, yy, zz, xy, yz, xz = s[3] + small, s[4] + small, s[5] + small, s[6], s[7], s[8]
    a, b, c = yy * zz - yz * yz, xx * zz - xz * xz, xx * yy - xy * xy
    d, e, f = xz * yz - xy * zz, xy * xz - xx * yz, xy * yz - xz * yy
    inverse = -1.0 / (xx * a + xy * d + xz * f)
    return (
        inverse * (a * s[0] + d * s[1] + f * s[2]),
        inverse * (d * s[0] + b * s[1] + e * s[2]),
        inverse * (f * s[0] + e * s[1] + c * s[2]),
    )


@kernel()
def _consistent(points: Any, centroids: Any, offsets: Any, connectivity: Any, cells: Any, weights: Any) -> None:
    """Weights (1 + λ·a)/|a| of the cells at their points, with the arms a to the centroids: λ makes Σ w a = 0."""
    n = len(points)
    sums, lowest = np.zeros((n, 9)), np.ones(n)
    for c in cells:
        for j in range(offsets[c], offsets[c + 1]):
            s = sums[connectivity[j]]
            x, y, z = _arm(points, centroids, connectivity[j], c)
            weights[j] = w = 1.0 / math.sqrt(x * x + y * y + z * z)
            s[0], s[1], s[2] = s[0] + w * x, s[1] + w * y, s[2] + w * z
            s[3], s[4], s[5] = s[3] + w * x * x, s[4] + w * y * y, s[5] + w * z * z
            s[6], s[7], s[8] = s[6] + w * x * y, s[7] + w * y * z, s[8] + w * x * z
    for p in range(n):
        sums[p, 0], sums[p, 1], sums[p, 2] = _slope(sums[p])
    for c in cells:
        for j in range(offsets[c], offsets[c + 1]):
            p = connectivity[j]
            x, y, z = _arm(points, centroids, p, c)
            lowest[p] = min(lowest[p], 1.0 + sums[p, 0] * x + sums[p, 1] * y + sums[p, 2] * z)
    for c in cells:
        for j in range(offsets[c], offsets[c + 1]):
            p = connectivity[j]
            if lowest[p] >= _LEAST:
                x, y, z = _arm(points, centroids, p, c)
                weights[j] *= 1.0 + sums[p, 0] * x + sums[p, 1] * y + sums[p, 2] * z
