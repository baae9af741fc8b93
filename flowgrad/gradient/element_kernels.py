"""Compiled loops of the element gradients: gather, apply J⁻¹, and sum at points."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numba import prange

from flowgrad.compiled import called, inlined, kernel

# A cell is degenerate where |det J| is below this fraction of the product of J's column lengths; a fit
# where a direction's own part is below this fraction of it.
DEGENERATE = 1e-13

# Most threads that sum at points: each holds its own copy of the sums.
_MAX_COPIES = 8


@inlined
def cross(ax: float, ay: float, az: float, bx: float, by: float, bz: float) -> Any:
    """a × b."""
    return ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx


@inlined
def _columns(field: Any, rows: Any, i: int, dN: Any, site: int) -> Any:
    """Σ f_a ⊗ dN_a/dξ of a vector field (n, 3) in one cell, column after column.

    Taken from differences to the first point, so that a large offset of the field costs no digits.
    """
    _, size, dimension = dN.shape
    o = rows[i, 0]
    ox, oy, oz = field[o, 0], field[o, 1], field[o, 2]
    if size == 4 and dimension == 3:
        # A tetrahedron: the columns are its edges. Four times as fast as the sums below.
        a, b, c = rows[i, 1], rows[i, 2], rows[i, 3]
        return (
            field[a, 0] - ox,
            field[a, 1] - oy,
            field[a, 2] - oz,
            field[b, 0] - ox,
            field[b, 1] - oy,
            field[b, 2] - oz,
            field[c, 0] - ox,
            field[c, 1] - oy,
            field[c, 2] - oz,
        )
    xr, yr, zr, xs, ys, zs, xt, yt, zt = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    for a in range(1, size):
        p = rows[i, a]
        x, y, z = field[p, 0] - ox, field[p, 1] - oy, field[p, 2] - oz
        r = dN[site, a, 0]
        xr, yr, zr = xr + x * r, yr + y * r, zr + z * r
        if dimension > 1:
            s = dN[site, a, 1]
            xs, ys, zs = xs + x * s, ys + y * s, zs + z * s
        if dimension > 2:
            t = dN[site, a, 2]
            xt, yt, zt = xt + x * t, yt + y * t, zt + z * t
    return xr, yr, zr, xs, ys, zs, xt, yt, zt


@inlined
def _gradient(points: Any, values: Any, rows: Any, i: int, dN: Any, site: int) -> Any:
    """Gradient of a vector at one site of one cell, and |det J| (NaN and 0 in a degenerate cell).

    On lines and surfaces J is completed by directions normal to the cell, along which the field
    does not change: the result is the tangential gradient.
    """
    dimension = dN.shape[2]
    xr, yr, zr, xs, ys, zs, xt, yt, zt = _columns(points, rows, i, dN, site)
    ur, vr, wr, us, vs, ws, ut, vt, wt = _columns(values, rows, i, dN, site)
    if dimension == 1:
        length = math.sqrt(xr * xr + yr * yr + zr * zr)
        if abs(xr) < 0.6 * length:
            xs, ys, zs = cross(xr, yr, zr, 1.0, 0.0, 0.0)
        else:
            xs, ys, zs = cross(xr, yr, zr, 0.0, 1.0, 0.0)
    scale = 1.0
    if dimension < 3:
        xt, yt, zt = cross(xr, yr, zr, xs, ys, zs)
        scale = math.sqrt(xt * xt + yt * yt + zt * zt)
        if dimension == 1:
            scale = scale * math.sqrt(xs * xs + ys * ys + zs * zs)
    ax, ay, az = cross(xs, ys, zs, xt, yt, zt)
    bx, by, bz = cross(xt, yt, zt, xr, yr, zr)
    cx, cy, cz = cross(xr, yr, zr, xs, ys, zs)
    det = xr * ax + yr * ay + zr * az
    columns = (xr * xr + yr * yr + zr * zr) * (xs * xs + ys * ys + zs * zs) * (xt * xt + yt * yt + zt * zt)
    if not det * det > DEGENERATE**2 * columns:
        n = np.nan
        return n, n, n, n, n, n, n, n, n, 0.0
    q = 1.0 / det
    return (
        (ur * ax + us * bx + ut * cx) * q,
        (ur * ay + us * by + ut * cy) * q,
        (ur * az + us * bz + ut * cz) * q,
        (vr * ax + vs * bx + vt * cx) * q,
        (vr * ay + vs * by + vt * cy) * q,
        (vr * az + vs * bz + vt * cz) * q,
        (wr * ax + ws * bx + wt * cx) * q,
        (wr * ay + ws * by + wt * cy) * q,
        (wr * az + ws * bz + wt * cz) * q,
        abs(det) / scale,
    )


@inlined
def _store(result: Any, c: int, g: Any) -> None:
    """A gradient is whole or missing: NaN in all components where one is not finite."""
    total = g[0] + g[1] + g[2] + g[3] + g[4] + g[5] + g[6] + g[7] + g[8]
    missing = 0.0 if np.isfinite(total) else np.nan
    result[c, 0, 0], result[c, 0, 1], result[c, 0, 2] = g[0] + missing, g[1] + missing, g[2] + missing
    result[c, 1, 0], result[c, 1, 1], result[c, 1, 2] = g[3] + missing, g[4] + missing, g[5] + missing
    result[c, 2, 0], result[c, 2, 1], result[c, 2, 2] = g[6] + missing, g[7] + missing, g[8] + missing


@kernel(parallel=True)
def cell_gradients(points: Any, values: Any, rows: Any, dN: Any, cells: Any, result: Any) -> None:
    """Gradients of vectors in cells of one type, dN/dξ (1, k, d) at a site that all share or (m, k, d) at
    one for each, into ``result``."""
    for i in prange(len(rows)):
        site = np.int64(i) if len(dN) > 1 else 0
        _store(result, cells[i], _gradient(points, values, rows, i, dN, site))


def empty_sums(point_count: int) -> Any:
    """Sums at points, a copy for each thread: nine components and the weight (t, n, 10)."""
    return np.zeros((min(numba.get_num_threads(), _MAX_COPIES), point_count, 10))


@kernel(parallel=True)
def add_point_gradients(points: Any, values: Any, rows: Any, dN: Any, volume: float, sums: Any) -> None:
    """Add each cell's gradients at its points, weighted with |det J| · volume. dN/dξ (sites, k, d) are
    those at the points, then at the centre; a single one where it is the same everywhere."""
    copies = len(sums)
    count, size = rows.shape
    for copy in prange(copies):
        for i in range(copy * count // copies, (copy + 1) * count // copies):
            g = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
            for a in range(size):
                # At a collapsed corner the last site, the centre, stands in.
                site = a
                while site < len(dN):
                    g = _gradient(points, values, rows, i, dN, site)
                    site = len(dN) if g[9] > 0.0 or site == len(dN) - 1 else len(dN) - 1
                weight = g[9] * volume
                total = g[0] + g[1] + g[2] + g[3] + g[4] + g[5] + g[6] + g[7] + g[8]
                if weight > 0.0 and np.isfinite(total):
                    s = sums[copy, rows[i, a]]
                    for k in range(9):
                        s[k] += weight * g[k]
                    s[9] += weight


@kernel()
def add_cell_gradients(gradients: Any, measures: Any, offsets: Any, connectivity: Any, cells: Any, sums: Any) -> None:
    """Add the gradients of cells, those that have one, weighted with their measures, at all their points."""
    for c in cells:
        known = True
        for k in range(9):
            known &= math.isfinite(gradients[c, k // 3, k % 3])
        if not known:
            continue
        for j in range(offsets[c], offsets[c + 1]):
            s = sums[0, connectivity[j]]
            for k in range(9):
                s[k] += measures[c] * gradients[c, k // 3, k % 3]
            s[9] += measures[c]


@kernel(parallel=True)
def mean_of_sums(sums: Any) -> Any:
    """Weighted means (n, 3, 3) of the sums at points; NaN where nothing was added."""
    n = sums.shape[1]
    result = np.empty((n, 3, 3))
    for i in prange(n):
        weight = 0.0
        for copy in range(len(sums)):
            weight += sums[copy, i, 9]
        for k in range(9):
            total = 0.0
            for copy in range(len(sums)):
                total += sums[copy, i, k]
            result[i, k // 3, k % 3] = total / weight if weight > 0.0 else np.nan
    return result


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
