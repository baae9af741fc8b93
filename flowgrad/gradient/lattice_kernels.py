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

from flowgrad.kernels import called, inlined, kernel

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


@inlined
def _blocks(nx: int, ny: int, nz: int) -> Any:
    return (nx + _PIECE - 1) // _PIECE, (ny + _LINES - 1) // _LINES, (nz + _PLANES - 1) // _PLANES


@kernel(parallel=True)
def straight_gradients(values: Any, shape: Any, x: Any, y: Any, z: Any, dual: Any, aligned: bool, result: Any) -> None:
    """Gradients of vectors, (3 n,) into (9 n,), on a lattice with straight axes.

    ``x``, ``y``, ``z`` are the stencils of the axes, see ``AxisStencils.packed``; rows of ``dual`` (3, 3)
    are the gradients of the axes' coordinates, the unit vectors where ``aligned``.
    """
    nx, ny, nz = shape
    mi, mj, mk = _blocks(nx, ny, nz)
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
def _cross(ax: float, ay: float, az: float, bx: float, by: float, bz: float) -> Any:
    return ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx


@inlined
def _normal(ax: float, ay: float, az: float) -> Any:
    """A direction normal to a vector."""
    if abs(ax) < 0.6 * math.sqrt(ax * ax + ay * ay + az * az):
        return 0.0, az, -ay
    return -az, 0.0, ax


@called
def _complete(J: Any, single: int, count: int) -> None:
    """Fill the columns of J along axes of one point, on surfaces (``single`` 1, 2, 4) and lines (3, 5, 6),
    with normal directions: nothing changes along these, the gradient is the tangential one."""
    for p in range(count):
        ax, ay, az, bx, by, bz, cx, cy, cz = _columns(J, p)
        if single == 3:
            bx, by, bz = _normal(cx, cy, cz)
        elif single == 5:
            cx, cy, cz = _normal(bx, by, bz)
        elif single == 6:
            bx, by, bz = _normal(ax, ay, az)
        if single & 1:
            ax, ay, az = _cross(bx, by, bz, cx, cy, cz)
        elif single == 2:
            bx, by, bz = _cross(cx, cy, cz, ax, ay, az)
        else:
            cx, cy, cz = _cross(ax, ay, az, bx, by, bz)
        J[0, p], J[1, p], J[2, p], J[3, p], J[4, p], J[5, p] = ax, ay, az, bx, by, bz
        J[6, p], J[7, p], J[8, p] = cx, cy, cz


@inlined
def _columns(J: Any, p: int) -> Any:
    return J[0, p], J[1, p], J[2, p], J[3, p], J[4, p], J[5, p], J[6, p], J[7, p], J[8, p]


@called
def _invert(J: Any, count: int) -> None:
    """Columns of J to rows of J⁻¹, in place; NaN where J has no inverse."""
    for p in range(count):
        ax, ay, az, bx, by, bz, cx, cy, cz = _columns(J, p)
        dx, dy, dz = _cross(bx, by, bz, cx, cy, cz)
        ex, ey, ez = _cross(cx, cy, cz, ax, ay, az)
        fx, fy, fz = _cross(ax, ay, az, bx, by, bz)
        det = ax * dx + ay * dy + az * dz
        lengths = (ax * ax + ay * ay + az * az) * (bx * bx + by * by + bz * bz) * (cx * cx + cy * cy + cz * cz)
        s = 1.0 / det if det * det > DEGENERATE**2 * lengths else np.nan
        J[0, p], J[1, p], J[2, p] = dx * s, dy * s, dz * s
        J[3, p], J[4, p], J[5, p] = ex * s, ey * s, ez * s
        J[6, p], J[7, p], J[8, p] = fx * s, fy * s, fz * s


@called
def _store_product(along: Any, J: Any, count: int, out: Any) -> None:
    """Rows of ∂v/∂ξ times J⁻¹, point after point."""
    for p in range(count):
        first = np.uint64(9) * np.uint64(p)
        for m in range(3):
            u, v, w = along[m, p], along[3 + m, p], along[6 + m, p]
            for n in range(3):
                out[first + np.uint64(3 * m + n)] = u * J[n, p] + v * J[3 + n, p] + w * J[6 + n, p]


@called
def _split(line: Any, out: Any) -> None:
    """The components of a line of vectors, one after another: loops over these use vector registers."""
    for p in range(len(line) // 3):
        first = np.uint64(3) * np.uint64(p)
        out[0, p], out[1, p], out[2, p] = line[first], line[first + np.uint64(1)], line[first + np.uint64(2)]


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
    mi, mj, mk = _blocks(nx, ny, nz)
    shifted = shifts.any()
    for block in prange(mi * mj * mk):
        lines, along, J = np.empty((3, 3 * _PIECE)), np.empty((9, _PIECE)), np.empty((9, _PIECE))
        i, first, deep = _PIECE * (block % mi), _LINES * (block // mi % mj), _PLANES * (block // (mi * mj))
        count = min(_PIECE, nx - i)
        a, b, c = lines[0, : 3 * count], lines[1, : 3 * count], lines[2, : 3 * count]
        for k in range(deep, min(deep + _PLANES, nz)):
            for j in range(first, min(first + _LINES, ny)):
                _three(values, i, j, k, nx, ny, x, y, z, a, b, c)
                for m in range(3):
                    _split(lines[m, : 3 * count], along[3 * m : 3 * m + 3])
                _three(points, i, j, k, nx, ny, x, y, z, a, b, c)
                if shifted:
                    _go_around(a, b, c, x[6][i : i + count], y[6][j], z[6][k], shifts)
                for m in range(3):
                    _split(lines[m, : 3 * count], J[3 * m : 3 * m + 3])
                if single:
                    _complete(J, single, count)
                _invert(J, count)
                start = 9 * (i + nx * (j + ny * k))
                _store_product(along, J, count, result[start : start + 9 * count])
