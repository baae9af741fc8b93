"""Compiled loops of the element gradients: gather, apply J⁻¹, and sum at points with weights inverse to the sizes of
the cells there.

Of the linear interpolant in a cell that extends from a point in the arms e_k the gradient of a quadratic field is off
by ½ H_kk |e_k|, where the arms are orthogonal: the mean is of second order with weights 1/Π|e_k|. With det e/Π|e_k|² it
is exact for |x|² in a closed fan of any cells, since det e ∇|x|² = Σ_k |e_k|² n_k with the areas n_k of the faces
between the other arms, which two cells share (Max 1999, J. Graphics Tools 4(2), 1, who weights normals so); slivers
count for as little as by their measure. Derivatives of the degree p are off by powers p, hence Π|e_k|^(1 + p).
"""

from __future__ import annotations

import math
from typing import Any

import numba
import numpy as np
from numba import prange

from flowgrad.compiled import PIECE, inlined, kernel
from flowgrad.tensors.eigen import symmetric_eigensystem

# A cell is degenerate where |det J| is below this fraction of the product of J's column lengths; a fit
# where a direction's own part is below this fraction of it.
DEGENERATE = 1e-13

# Means over cells are taken in a metric in which the arms around a point are as long in all directions but for the part
# 1 − ANISOTROPY of their logarithms. At 0 thin cells that do not lie in columns are as wrong as at 1 those that follow
# a curved wall with a sag of more than their height.
ANISOTROPY = 0.8
# Squares that are smaller than this, over the sum of all, are rounding: the arms lie in a plane or on a line.
_FLAT = 1e-13

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


def empty_sums(point_count: int, width: int = 10) -> Any:
    """Sums at points, a copy for each thread (t, n, width): nine components and the weight."""
    return np.zeros((min(numba.get_num_threads(), _MAX_COPIES), point_count, width))


@inlined
def _arm(spans: Any, node: int, k: int, c: Any) -> Any:
    """J times a direction of the reference cell, from the columns of J."""
    x, y, z, dimension = 0.0, 0.0, 0.0, spans.shape[2]
    r = spans[node, k, 0]
    x, y, z = r * c[0], r * c[1], r * c[2]
    if dimension > 1:
        s = spans[node, k, 1]
        x, y, z = x + s * c[3], y + s * c[4], z + s * c[5]
    if dimension > 2:
        t = spans[node, k, 2]
        x, y, z = x + t * c[6], y + t * c[7], z + t * c[8]
    return x, y, z


@inlined
def _extents(points: Any, rows: Any, i: int, dN: Any, spans: Any, a: int) -> Any:
    """The arms e_k in which a cell extends from its node a, and det e; those from its centre, the last site, where the
    cell is collapsed at the node, and 0 where it is there too."""
    dimension, size, node = dN.shape[2], 0.0, a
    e, f, g = (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)
    while node < len(spans):
        columns = _columns(points, rows, i, dN, min(node, len(dN) - 1))
        e = _arm(spans, node, 0, columns)
        squares = e[0] * e[0] + e[1] * e[1] + e[2] * e[2]
        size = math.sqrt(squares)
        if dimension > 1:
            f = _arm(spans, node, 1, columns)
            squares *= f[0] * f[0] + f[1] * f[1] + f[2] * f[2]
            x, y, z = cross(e[0], e[1], e[2], f[0], f[1], f[2])
            if dimension == 2:
                size = math.sqrt(x * x + y * y + z * z)
            else:
                g = _arm(spans, node, 2, columns)
                squares *= g[0] * g[0] + g[1] * g[1] + g[2] * g[2]
                size = abs(x * g[0] + y * g[1] + z * g[2])
        if not size * size > DEGENERATE**2 * squares:
            size = 0.0
        node = len(spans) - 1 if size == 0.0 and node < len(spans) - 1 else len(spans)
    return e, f, g, size


@inlined
def _add_square(x: float, y: float, z: float, total: Any) -> None:
    """Add xx, yy, zz, xy, yz and xz of an arm."""
    total[0] += x * x
    total[1] += y * y
    total[2] += z * z
    total[3] += x * y
    total[4] += y * z
    total[5] += x * z


@kernel(parallel=True)
def add_extents(points: Any, rows: Any, dN: Any, spans: Any, sums: Any) -> None:
    """Add to the sums (t, n, 6) at each point the squares of the arms in which the cells of one type extend from it;
    ``spans`` (k + 1, d, d) are these in the reference cell, at its nodes and its centre."""
    copies, (count, size) = len(sums), rows.shape
    for copy in prange(copies):
        for i in range(copy * count // copies, (copy + 1) * count // copies):
            for a in range(size):
                e, f, g, spanned = _extents(points, rows, i, dN, spans, a)
                total = sums[copy, rows[i, a]]
                if spanned > 0.0:
                    _add_square(e[0], e[1], e[2], total)
                    _add_square(f[0], f[1], f[2], total)
                    _add_square(g[0], g[1], g[2], total)


@kernel()
def add_arms(arms: Any, places: Any, sums: Any) -> None:
    """Add to the sums (t, n, 6) the squares of arms (k, 3) from the points ``places`` (k,)."""
    for i in range(len(arms)):
        _add_square(arms[i, 0], arms[i, 1], arms[i, 2], sums[0, places[i]])


@kernel(parallel=True)
def means_of_squares(sums: Any) -> Any:
    """The sums (t, n, 6) of all threads as tensors (n, 3, 3) of trace 1, or 0 where nothing was added."""
    n = sums.shape[1]
    result = np.empty((n, 3, 3))
    for i in prange(n):
        total = np.zeros(6)
        for copy in range(len(sums)):
            total += sums[copy, i]
        trace = total[0] + total[1] + total[2]
        scale = 1.0 / trace if trace > 0.0 else 0.0
        for k in range(3):
            result[i, k, k] = total[k] * scale
            m = (k + 1) % 3
            result[i, k, m] = result[i, m, k] = total[3 + k] * scale
    return result


@kernel(parallel=True)
def metrics(squares: Any) -> Any:
    """Tensors (n, 3, 3) of squares to the power −:data:`ANISOTROPY`, 0 across a plane or a line of arms."""
    n = len(squares)
    values, vectors, result = np.empty((n, 3)), np.empty((n, 3, 3)), np.zeros((n, 3, 3))
    for piece in prange((n + PIECE - 1) // PIECE):
        rows = slice(piece * PIECE, min((piece + 1) * PIECE, n))
        symmetric_eigensystem(squares[rows], values[rows], vectors[rows])
        for i in range(rows.start, rows.stop):
            for k in range(3):
                power = values[i, k] ** -ANISOTROPY if values[i, k] > _FLAT else 0.0
                for r in range(3):
                    for c in range(3):
                        result[i, r, c] += power * vectors[i, r, k] * vectors[i, c, k]
    return result


@inlined
def _square_in(metric: Any, e: Any) -> float:
    """The square of a vector's length in a metric."""
    x, y, z = e
    return (
        x * x * metric[0, 0]
        + y * y * metric[1, 1]
        + z * z * metric[2, 2]
        + 2 * (x * y * metric[0, 1] + y * z * metric[1, 2] + x * z * metric[0, 2])
    )


@kernel(parallel=True)
def corner_weights(
    points: Any, rows: Any, dN: Any, spans: Any, degree: int, metric: Any, starts: Any, weights: Any
) -> None:
    """Weights of the cells of one type and degree in the means at their points, det e/Π|e_k|^(1 + degree) of the arms
    in the ``metric`` (n, 3, 3) there, from ``starts`` (m,) on in ``weights``; 0 where a cell is degenerate."""
    dimension = dN.shape[2]
    for i in prange(len(rows)):
        for a in range(rows.shape[1]):
            e, f, g, spanned = _extents(points, rows, i, dN, spans, a)
            metric_here = metric[rows[i, a]]
            squares = _square_in(metric_here, e)
            if dimension > 1:
                squares *= _square_in(metric_here, f)
            if dimension > 2:
                squares *= _square_in(metric_here, g)
            weight = spanned / (squares if degree == 1 else squares ** (0.5 * (1 + degree)))
            weights[starts[i] + a] = weight if np.isfinite(weight) else 0.0


@kernel(parallel=True)
def add_point_gradients(points: Any, values: Any, rows: Any, dN: Any, starts: Any, weights: Any, sums: Any) -> None:
    """Add each cell's gradients at its points, with the weights that begin at ``starts`` (m,). dN/dξ (sites, k, d) are
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
                weight = weights[starts[i] + a]
                total = g[0] + g[1] + g[2] + g[3] + g[4] + g[5] + g[6] + g[7] + g[8]
                if weight > 0.0 and np.isfinite(total):
                    s = sums[copy, rows[i, a]]
                    for k in range(9):
                        s[k] += weight * g[k]
                    s[9] += weight


@kernel()
def add_cell_gradients(gradients: Any, weights: Any, offsets: Any, connectivity: Any, cells: Any, sums: Any) -> None:
    """Add the gradients of cells, those that have one, at all their points, with weights (len(connectivity),)."""
    for c in cells:
        known = True
        for k in range(9):
            known &= math.isfinite(gradients[c, k // 3, k % 3])
        if not known:
            continue
        for j in range(offsets[c], offsets[c + 1]):
            s = sums[0, connectivity[j]]
            for k in range(9):
                s[k] += weights[j] * gradients[c, k // 3, k % 3]
            s[9] += weights[j]


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
