"""Compiled loops of the element gradients: gather, apply J⁻¹, and sum at points."""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numba import prange

from flowgrad.kernels import inlined, kernel

# A cell is degenerate where |det J| is below this fraction of the product of J's column lengths.
DEGENERATE = 1e-13

# Most threads that sum at points: each holds its own copy of the sums.
_MAX_COPIES = 8


@inlined
def _cross(ax: float, ay: float, az: float, bx: float, by: float, bz: float) -> Any:
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
            xs, ys, zs = _cross(xr, yr, zr, 1.0, 0.0, 0.0)
        else:
            xs, ys, zs = _cross(xr, yr, zr, 0.0, 1.0, 0.0)
    scale = 1.0
    if dimension < 3:
        xt, yt, zt = _cross(xr, yr, zr, xs, ys, zs)
        scale = math.sqrt(xt * xt + yt * yt + zt * zt)
        if dimension == 1:
            scale = scale * math.sqrt(xs * xs + ys * ys + zs * zs)
    ax, ay, az = _cross(xs, ys, zs, xt, yt, zt)
    bx, by, bz = _cross(xt, yt, zt, xr, yr, zr)
    cx, cy, cz = _cross(xr, yr, zr, xs, ys, zs)
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
def _total(g: Any) -> float:
    return g[0] + g[1] + g[2] + g[3] + g[4] + g[5] + g[6] + g[7] + g[8]


@inlined
def _store(result: Any, c: int, g: Any) -> None:
    """A gradient is whole or missing: NaN in all components where one is not finite."""
    missing = 0.0 if np.isfinite(_total(g)) else np.nan
    result[c, 0, 0], result[c, 0, 1], result[c, 0, 2] = g[0] + missing, g[1] + missing, g[2] + missing
    result[c, 1, 0], result[c, 1, 1], result[c, 1, 2] = g[3] + missing, g[4] + missing, g[5] + missing
    result[c, 2, 0], result[c, 2, 1], result[c, 2, 2] = g[6] + missing, g[7] + missing, g[8] + missing


@kernel(parallel=True)
def cell_gradients(points: Any, values: Any, rows: Any, dN: Any, cells: Any, result: Any) -> None:
    """Gradients of vectors in cells of one type at one site, dN/dξ (1, k, d), into ``result``."""
    for i in prange(len(rows)):
        _store(result, cells[i], _gradient(points, values, rows, i, dN, 0))


def empty_sums(point_count: int) -> Any:
    """Sums at points, a copy for each thread: nine components and the weight (t, n, 10)."""
    return np.zeros((min(numba.get_num_threads(), _MAX_COPIES), point_count, 10))


@kernel(parallel=True)
def add_point_gradients(points: Any, values: Any, rows: Any, dN: Any, volume: float, sums: Any) -> None:
    """Add each cell's gradients at its points, dN/dξ (sites, k, d), weighted with |det J| · volume."""
    copies = len(sums)
    count, size = rows.shape
    for copy in prange(copies):
        for i in range(copy * count // copies, (copy + 1) * count // copies):
            g = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
            for a in range(size):
                if a < len(dN):
                    g = _gradient(points, values, rows, i, dN, a)
                weight = g[9] * volume
                if weight > 0.0 and np.isfinite(_total(g)):
                    s = sums[copy, rows[i, a]]
                    for k in range(9):
                        s[k] += weight * g[k]
                    s[9] += weight


@kernel()
def add_cell_gradients(gradients: Any, measures: Any, offsets: Any, connectivity: Any, cells: Any, sums: Any) -> None:
    """Add the gradients of cells, weighted with their measures, at all their points."""
    for c in cells:
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


@kernel(parallel=True)
def plane_fits(
    points: Any, values: Any, offsets: Any, connectivity: Any, dimension: int, cells: Any, result: Any
) -> None:
    """Least-squares gradients through the own points of polygons (tangential) or polyhedra."""
    for i in prange(len(cells)):
        start, end = offsets[i], offsets[i + 1]
        size = end - start
        mean = np.zeros(6)
        for j in range(start, end):
            p = connectivity[j]
            for k in range(3):
                mean[k] += points[p, k] / size
                mean[3 + k] += values[p, k] / size
        M = np.zeros((3, 3))
        B = np.zeros((3, 3))
        normal = np.zeros(3)
        d = np.empty(3)
        for j in range(start, end):
            p = connectivity[j]
            q = connectivity[j + 1 if j + 1 < end else start]
            for k in range(3):
                d[k] = points[p, k] - mean[k]
            for k in range(3):
                for m in range(3):
                    M[k, m] += d[k] * d[m]
                    B[k, m] += (values[p, k] - mean[3 + k]) * d[m]
            nx, ny, nz = _cross(
                d[0], d[1], d[2], points[q, 0] - mean[0], points[q, 1] - mean[1], points[q, 2] - mean[2]
            )
            normal[0], normal[1], normal[2] = normal[0] + nx, normal[1] + ny, normal[2] + nz
        _solve(M, B, normal, dimension, cells[i], result)


@inlined
def _solve(M: Any, B: Any, normal: Any, dimension: int, c: int, result: Any) -> None:
    """L = B M⁻¹; for a polygon B has no part along the normal, and M is completed there."""
    spread = M[0, 0] + M[1, 1] + M[2, 2]
    if dimension == 2:
        area2 = normal[0] ** 2 + normal[1] ** 2 + normal[2] ** 2
        for k in range(3):
            along = (B[k, 0] * normal[0] + B[k, 1] * normal[1] + B[k, 2] * normal[2]) / area2
            for m in range(3):
                B[k, m] -= along * normal[m]
        for k in range(3):
            for m in range(3):
                M[k, m] += spread * normal[k] * normal[m] / area2
    ax, ay, az = _cross(M[1, 0], M[1, 1], M[1, 2], M[2, 0], M[2, 1], M[2, 2])
    bx, by, bz = _cross(M[2, 0], M[2, 1], M[2, 2], M[0, 0], M[0, 1], M[0, 2])
    cx, cy, cz = _cross(M[0, 0], M[0, 1], M[0, 2], M[1, 0], M[1, 1], M[1, 2])
    det = M[0, 0] * ax + M[0, 1] * ay + M[0, 2] * az
    if not det > DEGENERATE * spread**3:
        result[c] = np.nan
        return
    for k in range(3):
        result[c, k, 0] = (B[k, 0] * ax + B[k, 1] * bx + B[k, 2] * cx) / det
        result[c, k, 1] = (B[k, 0] * ay + B[k, 1] * by + B[k, 2] * cy) / det
        result[c, k, 2] = (B[k, 0] * az + B[k, 1] * bz + B[k, 2] * cz) / det
    if not np.isfinite(result[c].sum()):
        result[c] = np.nan
