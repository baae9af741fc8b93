"""Compiled loops of finite differences on lattices: line after line, three derivatives at a time.

Lines run along the first axis. Derivatives across them are sums of whole lines, those along them sums
of one shifted line: plain loops over consecutive numbers. Lattices are cut into blocks whose lines
stay in the cache while the derivatives across need them again.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import prange

from flowgrad.compiled import called, inlined, kernel, summing
from flowgrad.gradient.element_kernels import cross

# Points along the first axis, lines along the second and planes along the third in one block.
_PIECE, _LINES, _PLANES = 256, 16, 64

# A point is degenerate where |det J| is below this fraction of the product of J's column lengths.
DEGENERATE = 1e-13


@kernel(parallel=True)
def all_finite(values: Any) -> Any:
    """Whether no number of a flat array is infinite or NaN."""
    bad = 0
    for block in prange((len(values) + 4095) // 4096):
        a, b, c, d = 0.0, 0.0, 0.0, 0.0
        part = values[4096 * block : 4096 * (block + 1)]
        quarter = len(part) // 4
        for i in range(quarter):
            a += part[4 * i] * 0.0
            b += part[4 * i + 1] * 0.0
            c += part[4 * i + 2] * 0.0
            d += part[4 * i + 3] * 0.0
        for i in range(4 * quarter, len(part)):
            a += part[i] * 0.0
        if a + b + c + d != 0.0:
            bad += 1
    return bad == 0


@called
def _weighted_sum(values: Any, start: int, stride: int, columns: Any, weights: Any, out: Any) -> None:
    """Σ w_m times the piece of a line at start + column_m · stride, two terms at a time."""
    first, count = True, len(columns)
    for m in range((count + 1) // 2):
        n = count - 1 - m
        p, q = weights[m], weights[n] if n > m else 0.0
        if p != 0.0 or q != 0.0:
            one = values[start + columns[m] * stride :][: len(out)]
            two = values[start + columns[n] * stride :][: len(out)]
            if first:
                for t in range(len(out)):
                    out[t] = p * one[t] + q * two[t]
            else:
                for t in range(len(out)):
                    out[t] += p * one[t] + q * two[t]
            first = False
    if first:
        out[:] = 0.0


@called
def _at_ends(values: Any, start: int, begin: int, end: int, shift: int, columns: Any, weights: Any, out: Any) -> None:
    """Derivatives along a line, point by point, into the piece that begins at the point ``shift``."""
    for i in range(begin, end):
        x, y, z = 0.0, 0.0, 0.0
        for m in range(columns.shape[1]):
            w, o = weights[i, m], start + 3 * columns[i, m]
            x, y, z = x + w * values[o], y + w * values[o + 1], z + w * values[o + 2]
        t = 3 * (i - shift)
        out[t], out[t + 1], out[t + 2] = x, y, z


@called
def _along(values: Any, start: int, begin: int, axis: Any, out: Any) -> None:
    """Derivatives along a line, of its points from ``begin`` on. Inside, where windows are centred, lines
    are shifted and summed, with weights that are the same, or of each component, rows of ``spread``."""
    columns, weights, spread, inside, outside, is_even, _ = axis
    end, size = begin + len(out) // 3, columns.shape[1]
    low = min(max(inside, begin), end)
    high = max(min(outside, end), low)
    _at_ends(values, start, begin, low, begin, columns, weights, out)
    _at_ends(values, start, high, end, begin, columns, weights, out)
    if high <= low:
        return
    part = out[3 * (low - begin) : 3 * (high - begin)]
    if is_even:
        _weighted_sum(values, start + 3 * low, 3, columns[inside] - inside, weights[inside], part)
        return
    part[:] = 0.0
    for m in range(size):
        w = spread[m, 3 * low : 3 * high]
        source = values[start + 3 * (low + m - size // 2) :][: len(part)]
        for t in range(len(part)):
            part[t] += w[t] * source[t]


@called
def _three(
    values: Any, i: int, j: int, k: int, nx: int, ny: int, x: Any, y: Any, z: Any, a: Any, b: Any, c: Any
) -> None:
    """Derivatives along the three axes of a piece of a line that starts at the point (i, j, k)."""
    _along(values, 3 * nx * (j + ny * k), i, x, a)
    _weighted_sum(values, 3 * (i + nx * ny * k), 3 * nx, y[0][j], y[1][j], b)
    _weighted_sum(values, 3 * (i + nx * j), 3 * nx * ny, z[0][k], z[1][k], c)


@called
def _store_aligned(a: Any, b: Any, c: Any, out: Any) -> None:
    # Unsigned numbers cannot count from the end of an array, which lets the loop use vector stores.
    for t in range(len(a)):
        o = np.uint64(3) * np.uint64(t)
        out[o], out[o + np.uint64(1)], out[o + np.uint64(2)] = a[t], b[t], c[t]


@called
def _store_turned(a: Any, b: Any, c: Any, dual: Any, out: Any) -> None:
    for t in range(len(a)):
        for m in range(3):
            out[3 * t + m] = a[t] * dual[0, m] + b[t] * dual[1, m] + c[t] * dual[2, m]


@kernel(parallel=True)
def straight_gradients(values: Any, shape: Any, x: Any, y: Any, z: Any, dual: Any, aligned: bool, result: Any) -> None:
    """Gradients of vectors, (3 n,) into (9 n,), on a lattice with straight axes.

    ``x``, ``y``, ``z`` are the stencils of the axes, see ``AxisStencils.packed``; rows of ``dual`` (3, 3)
    are the gradients of the axes' coordinates, the unit vectors where ``aligned``.
    """
    nx, ny, nz = shape
    mi, mj, mk = (nx + _PIECE - 1) // _PIECE, (ny + _LINES - 1) // _LINES, (nz + _PLANES - 1) // _PLANES
    for block in prange(mi * mj * mk):
        lines = np.empty((3, 3 * _PIECE))
        i, first, deep = _PIECE * (block % mi), _LINES * (block // mi % mj), _PLANES * (block // (mi * mj))
        size = 3 * min(_PIECE, nx - i)
        a, b, c = lines[0, :size], lines[1, :size], lines[2, :size]
        for k in range(deep, min(deep + _PLANES, nz)):
            for j in range(first, min(first + _LINES, ny)):
                _three(values, i, j, k, nx, ny, x, y, z, a, b, c)
                start = 9 * (i + nx * (j + ny * k))
                out = result[start : start + 3 * size]
                if aligned:
                    _store_aligned(a, b, c, out)
                else:
                    _store_turned(a, b, c, dual, out)


@inlined
def _normal(ax: float, ay: float, az: float) -> Any:
    """A direction normal to a vector."""
    if abs(ax) < 0.6 * math.sqrt(ax * ax + ay * ay + az * az):
        return 0.0, az, -ay
    return -az, 0.0, ax


@inlined
def _at(line: Any, p: int) -> Any:
    # Unsigned numbers cannot count from the end of an array, which spares the loops a comparison.
    first = np.uint64(3) * np.uint64(p)
    return line[first], line[first + np.uint64(1)], line[first + np.uint64(2)]


@called
def _complete(a: Any, b: Any, c: Any, single: int) -> None:
    """Fill the columns of J along axes of one point, on surfaces (``single`` 1, 2, 4) and lines (3, 5, 6),
    with normal directions: nothing changes along these, the gradient is the tangential one."""
    for p in range(len(a) // 3):
        (ax, ay, az), (bx, by, bz), (cx, cy, cz) = _at(a, p), _at(b, p), _at(c, p)
        if single == 3:
            bx, by, bz = _normal(cx, cy, cz)
        elif single == 5:
            cx, cy, cz = _normal(bx, by, bz)
        elif single == 6:
            bx, by, bz = _normal(ax, ay, az)
        if single & 1:
            ax, ay, az = cross(bx, by, bz, cx, cy, cz)
        elif single == 2:
            bx, by, bz = cross(cx, cy, cz, ax, ay, az)
        else:
            cx, cy, cz = cross(ax, ay, az, bx, by, bz)
        a[3 * p], a[3 * p + 1], a[3 * p + 2] = ax, ay, az
        b[3 * p], b[3 * p + 1], b[3 * p + 2] = bx, by, bz
        c[3 * p], c[3 * p + 1], c[3 * p + 2] = cx, cy, cz


@summing
def _store_curved(a: Any, b: Any, c: Any, d: Any, e: Any, f: Any, out: Any) -> None:
    """∂v/∂ξ, with the columns a, b, c, times the inverse of J, with the columns d, e, f, point after point;
    NaN where J has no inverse."""
    for p in range(len(a) // 3):
        (dx, dy, dz), (ex, ey, ez), (fx, fy, fz) = _at(d, p), _at(e, p), _at(f, p)
        kx, ky, kz = cross(ex, ey, ez, fx, fy, fz)
        lx, ly, lz = cross(fx, fy, fz, dx, dy, dz)
        mx, my, mz = cross(dx, dy, dz, ex, ey, ez)
        det = dx * kx + dy * ky + dz * kz
        lengths = (dx * dx + dy * dy + dz * dz) * (ex * ex + ey * ey + ez * ez) * (fx * fx + fy * fy + fz * fz)
        s = 1.0 / det if det * det > DEGENERATE**2 * lengths else np.nan
        for row in range(3):
            o = np.uint64(3) * np.uint64(p) + np.uint64(row)
            u, v, w = a[o] * s, b[o] * s, c[o] * s
            o *= np.uint64(3)
            out[o], out[o + np.uint64(1)] = u * kx + v * lx + w * mx, u * ky + v * ly + w * my
            out[o + np.uint64(2)] = u * kz + v * lz + w * mz


@called
def _go_around(a: Any, b: Any, c: Any, x: Any, y: float, z: float, shifts: Any) -> None:
    """Add to the columns of J what the points gain around periodic axes."""
    for t in range(len(x)):
        for m in range(3):
            a[3 * t + m] += x[t] * shifts[0, m]
            b[3 * t + m] += y * shifts[1, m]
            c[3 * t + m] += z * shifts[2, m]


@kernel(parallel=True)
def curved_gradients(
    values: Any, points: Any, shape: Any, x: Any, y: Any, z: Any, shifts: Any, single: int, result: Any
) -> None:
    """Gradients of vectors, (3 n,) into (9 n,), on a curvilinear lattice with the points (3 n,).

    The points are differentiated with the stencils of the values. Rows of ``shifts`` (3, 3) lead from
    the first point of a periodic axis to the one after the last; ``single`` has the bit 2^a set where
    axis a has one point.
    """
    nx, ny, nz = shape
    mi, mj, mk = (nx + _PIECE - 1) // _PIECE, (ny + _LINES - 1) // _LINES, (nz + _PLANES - 1) // _PLANES
    shifted = shifts.any()
    for block in prange(mi * mj * mk):
        lines = np.empty((6, 3 * _PIECE))
        i, first, deep = _PIECE * (block % mi), _LINES * (block // mi % mj), _PLANES * (block // (mi * mj))
        size = 3 * min(_PIECE, nx - i)
        a, b, c = lines[0, :size], lines[1, :size], lines[2, :size]
        d, e, f = lines[3, :size], lines[4, :size], lines[5, :size]
        for k in range(deep, min(deep + _PLANES, nz)):
            for j in range(first, min(first + _LINES, ny)):
                _three(values, i, j, k, nx, ny, x, y, z, a, b, c)
                _three(points, i, j, k, nx, ny, x, y, z, d, e, f)
                if shifted:
                    _go_around(d, e, f, x[6][i : i + size // 3], y[6][j], z[6][k], shifts)
                if single:
                    _complete(d, e, f, single)
                start = 9 * (i + nx * (j + ny * k))
                _store_curved(a, b, c, d, e, f, result[start : start + 3 * size])
