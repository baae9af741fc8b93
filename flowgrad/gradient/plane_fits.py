"""Least-squares gradients through the own points of cells without an interpolant: polygons and polyhedra."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import prange

from flowgrad.compiled import called, kernel
from flowgrad.gradient.element_kernels import DEGENERATE, cross


@called
def _tangents(d: Any, basis: Any) -> None:
    """Two unit tangents of a polygon with the points d (n, 3) about its mean, into two rows: the
    first along the farthest point, which is exact where the polygon is long and thin."""
    nx, ny, nz, largest, farthest = 0.0, 0.0, 0.0, -1.0, 0
    for j in range(len(d)):
        q = j + 1 if j + 1 < len(d) else 0
        x, y, z = cross(d[j, 0], d[j, 1], d[j, 2], d[q, 0], d[q, 1], d[q, 2])
        nx, ny, nz = nx + x, ny + y, nz + z
        length2 = d[j, 0] ** 2 + d[j, 1] ** 2 + d[j, 2] ** 2
        if length2 > largest:
            largest, farthest = length2, j
    size = math.sqrt(nx * nx + ny * ny + nz * nz)
    nx, ny, nz = nx / size, ny / size, nz / size
    x, y, z = d[farthest, 0], d[farthest, 1], d[farthest, 2]
    along = x * nx + y * ny + z * nz
    x, y, z = x - along * nx, y - along * ny, z - along * nz
    size = math.sqrt(x * x + y * y + z * z)
    basis[0, 0], basis[0, 1], basis[0, 2] = x / size, y / size, z / size
    x, y, z = cross(nx, ny, nz, x / size, y / size, z / size)
    basis[1, 0], basis[1, 1], basis[1, 2] = x, y, z


@called
def _dot(A: Any, B: Any, k: int, m: int) -> float:
    """Inner product of two columns."""
    total = 0.0
    for j in range(len(A)):
        total += A[j, k] * B[j, m]
    return total


@called
def _least_squares(A: Any, B: Any, R: Any, g: Any) -> bool:
    """Solve A gᵀ = B in the sense of least squares, for A (n, r), B (n, 3), g (3, r) and room for
    R (r, r); False where A is degenerate.

    Modified Gram-Schmidt, each column orthogonalised twice: unlike with normal equations the error
    grows with the aspect ratio of the cell, not with its square.
    """
    count = A.shape[1]
    for k in range(count):
        length = math.sqrt(_dot(A, A, k, k))
        for m in range(k):
            R[m, k] = 0.0
        for _ in range(2):
            for m in range(k):
                share = _dot(A, A, m, k)
                R[m, k] += share
                for j in range(len(A)):
                    A[j, k] -= share * A[j, m]
        R[k, k] = math.sqrt(_dot(A, A, k, k))
        if not R[k, k] > DEGENERATE * length:
            return False
        for j in range(len(A)):
            A[j, k] /= R[k, k]
    for row in range(3):
        for k in range(count - 1, -1, -1):
            total = _dot(A, B, k, row)
            for m in range(k + 1, count):
                total -= R[k, m] * g[row, m]
            g[row, k] = total / R[k, k]
    return True


@kernel(parallel=True)
def plane_fits(
    points: Any, values: Any, offsets: Any, connectivity: Any, dimension: int, cells: Any, result: Any
) -> None:
    """Least-squares gradients through the own points of polygons (tangential) or polyhedra."""
    for i in prange(len(cells)):
        _plane_fit(points, values, connectivity[offsets[i] : offsets[i + 1]], dimension, result[cells[i]])


@called
def _plane_fit(points: Any, values: Any, row: Any, dimension: int, L: Any) -> None:
    size = len(row)
    d, dv, A = np.empty((size, 3)), np.empty((size, 3)), np.zeros((size, dimension))
    for k in range(3):
        x, v = 0.0, 0.0
        for j in range(size):
            x += points[row[j], k] / size
            v += values[row[j], k] / size
        for j in range(size):
            d[j, k] = points[row[j], k] - x
            dv[j, k] = values[row[j], k] - v
    basis, R, g = np.zeros((3, 3)), np.zeros((dimension, dimension)), np.zeros((3, dimension))
    for k in range(3):
        basis[k, k] = 1.0
    if dimension == 2:
        _tangents(d, basis)
    for j in range(size):
        for n in range(dimension):
            for m in range(3):
                A[j, n] += d[j, m] * basis[n, m]
    total = 0.0 if _least_squares(A, dv, R, g) else np.nan
    for k in range(3):
        for m in range(3):
            L[k, m] = 0.0
            for n in range(dimension):
                L[k, m] += g[k, n] * basis[n, m]
            total += L[k, m]
    if not np.isfinite(total):
        for k in range(3):
            for m in range(3):
                L[k, m] = np.nan
