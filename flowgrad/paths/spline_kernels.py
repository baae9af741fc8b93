"""Compiled tensor-product cubic spline: values and gradients at many positions, and straight ways past its holes."""

from __future__ import annotations

import numpy as np

from flowgrad.compiled import called, inlined, kernel
from flowgrad.paths.dormand_prince import deform, finish, stage

# Columns of the table of axes: where its breaks begin, cells, where its spans begin, spans, shift, functions.
FIRST_BREAK, CELLS, FIRST_SPAN, SPANS, SHIFT, WIDTH = range(6)
# Bits of a hint for each axis' cell.
BITS = 20
_MASK = (1 << BITS) - 1
# A cell of which a way takes up less than this fraction is touched at a corner.
_TOUCHED = 1e-12


@called
def _cell(breaks, first, cells, x, hint):  # type: ignore[no-untyped-def]
    """The cell of an axis that holds x, walking from a hint (−1: where it would be on an even axis)."""
    if cells < 1:
        return 0
    cell = hint
    if cell < 0:
        cell = int((x - breaks[first]) / (breaks[first + cells] - breaks[first]) * cells)
    cell = min(max(cell, 0), cells - 1)
    while cell > 0 and x < breaks[first + cell]:
        cell -= 1
    while cell < cells - 1 and x >= breaks[first + cell + 1]:
        cell += 1
    return cell


@inlined
def _functions(basis, span, u, values, slopes):  # type: ignore[no-untyped-def]
    """The four functions of a span and their derivatives at the distance u from its start."""
    for r in range(4):
        a, b, c, d = basis[span, r, 0], basis[span, r, 1], basis[span, r, 2], basis[span, r, 3]
        values[r] = a + u * (b + u * (c + u * d))
        slopes[r] = b + u * (2.0 * c + u * 3.0 * d)


@inlined
def _contract(C, s, span, wide, values, slopes, weight, v, G):  # type: ignore[no-untyped-def]
    """Add weight times the spline (3,) to v and its derivatives along the axes (3, 3) to G; component by component, so
    that vector registers take the 16 or more sums along the last axis."""
    first, second, third = span[0], span[1], span[2]
    for c in range(3):
        value, along, up, last = 0.0, 0.0, 0.0, 0.0
        for i in range(wide):
            for j in range(4):
                flat = values[0, i] * values[1, j]
                inner, outer = 0.0, 0.0
                for k in range(4):
                    inner += values[2, k] * C[s, first + i, second + j, third + k, c]
                    outer += slopes[2, k] * C[s, first + i, second + j, third + k, c]
                value += flat * inner
                along += slopes[0, i] * values[1, j] * inner
                up += values[0, i] * slopes[1, j] * inner
                last += flat * outer
        v[c] += weight * value
        G[c, 0] += weight * along
        G[c, 1] += weight * up
        G[c, 2] += weight * last


@inlined
def _locate(position, origin, to_axes, table, ends, breaks, hint, x, cell):  # type: ignore[no-untyped-def]
    """Coordinates along the axes and the cell of a position; whether it is inside."""
    inside = True
    for a in range(3):
        at = 0.0
        for j in range(3):
            at += to_axes[a, j] * (position[j] - origin[j])
        low, high, period = ends[a, 0], ends[a, 1], ends[a, 2]
        if period > 0.0:
            at -= period * np.floor((at - low) / period)
        # Not-a-number is not inside.
        inside &= at >= low and at <= high
        x[a] = at
        first, known = table[a, FIRST_BREAK], (hint >> (BITS * a)) & _MASK
        if hint >= 0 and breaks[first + known] <= at < breaks[first + known + 1]:
            cell[a] = known
        elif inside:
            cell[a] = _cell(breaks, first, table[a, CELLS], at, known if hint >= 0 else -1)
    return inside


@kernel(summing=True)
def step_spline(C, weights, places, y, first, h, cells, stages, within, made):  # type: ignore[no-untyped-def]
    """The ``stages`` (from, to) of a Runge–Kutta step of particles through Σ weights[s] times the spline of C
    (s, nx, ny, nz, 4), whose last component is not zero for the cells of a step that have no velocity; all else as in
    :meth:`~flowgrad.paths.field.Interpolant.advance`.

    The places are ``breaks``, ``starts`` and ``basis``, which hold those of the three axes one after the other, the
    ``table`` (3, 6) of where each begins, the ``ends`` (3, 3), lowest and highest coordinate and the period, ``origin``
    and ``to_axes`` (3, 3): coordinates are the latter times position − origin.
    """
    breaks, starts, basis, table, ends, origin, to_axes = places
    reached, last, error, speed, inside, way = made
    x, v, G, L = np.empty(3), np.empty(3), np.empty((3, 3)), np.empty((3, 3))
    cell, span = np.zeros(3, np.int64), np.zeros(3, np.int64)
    values, slopes = np.empty((3, 4)), np.empty((3, 4))
    z, rates = np.empty(y.shape[1]), np.zeros((y.shape[1], 7))
    for p in range(len(y)):
        size, own = h[p if len(h) > 1 else 0], p if len(weights) > 1 else 0
        rates[:, 0] = first[p]
        for number in range(stages[0], stages[1]):
            stage(number, y[p], size, rates, z)
            inside[p] = _locate(z, origin, to_axes, table, ends, breaks, cells[p], x, cell)
            for s in range(len(C)):
                inside[p] = inside[p] and C[s, cell[0], cell[1], cell[2], 3] == 0.0
            if not inside[p]:
                break
            cells[p] = cell[0] | (cell[1] << BITS) | (cell[2] << (2 * BITS))
            for a in range(3):
                span[a] = min(max(cell[a] - table[a, SHIFT], 0), table[a, SPANS] - 1)
                place = table[a, FIRST_SPAN] + span[a]
                _functions(basis, place, x[a] - starts[place], values[a], slopes[a])
            v[:] = 0.0
            G[:] = 0.0
            for s in range(len(C)):
                weight = weights[own, number - stages[0], s]
                # In a plane there is one function across; a fixed number is faster.
                if table[0, WIDTH] == 4:
                    _contract(C, s, span, 4, values, slopes, weight, v, G)
                else:
                    _contract(C, s, span, table[0, WIDTH], values, slopes, weight, v, G)
            for c in range(3):
                for j in range(3):
                    L[c, j] = G[c, 0] * to_axes[0, j] + G[c, 1] * to_axes[1, j] + G[c, 2] * to_axes[2, j]
            deform(v, L, z, rates[:, number])
        reached[p], last[p] = z, rates[:, stages[1] - 1]
        speed[p] = finish(y[p], size, rates, within, error[p], way[p])


@inlined
def _place(position, origin, to_axes, ends, x):  # type: ignore[no-untyped-def]
    """Coordinates along the axes, not led back into a period; whether they are within the ends."""
    inside = True
    for a in range(3):
        x[a] = 0.0
        for j in range(3):
            x[a] += to_axes[a, j] * (position[j] - origin[j])
        if ends[a, 2] <= 0.0 and not (x[a] >= ends[a, 0] and x[a] <= ends[a, 1]):
            inside = False
    return inside


@inlined
def _leave(breaks, table, ends, x, way, cell):  # type: ignore[no-untyped-def]
    """Across which axis' end of the cell the way goes first, and after what fraction of it; −1 where it ends before."""
    axis, first = -1, 1.0
    for a in range(3):
        ahead = 1 if way[a] > 0.0 else 0
        following = cell[a] + 2 * ahead - 1
        if way[a] == 0.0 or (ends[a, 2] <= 0.0 and (following < 0 or following >= table[a, CELLS])):
            continue
        fraction = (breaks[table[a, FIRST_BREAK] + cell[a] + ahead] - x[a]) / way[a]
        if fraction < first:
            axis, first = a, fraction
    return axis, first


@called
def _meets_hole(C, breaks, table, ends, start, end, x, way, cell):  # type: ignore[no-untyped-def]
    """Whether the way between coordinates goes through a cell that is a hole of one of the steps (Amanatides & Woo
    1987, A fast voxel traversal algorithm for ray tracing, Eurographics)."""
    for a in range(3):
        # Led back into the period.
        period = ends[a, 2]
        turns = np.floor((start[a] - ends[a, 0]) / period) if period > 0.0 else 0.0
        x[a], way[a] = start[a] - turns * period, end[a] - start[a]
        cell[a] = _cell(breaks, table[a, FIRST_BREAK], table[a, CELLS], x[a], -1)
    reached = 0.0
    while True:
        a, fraction = _leave(breaks, table, ends, x, way, cell)
        if fraction - reached > _TOUCHED:
            for s in range(len(C)):
                if C[s, cell[0], cell[1], cell[2], 3] != 0.0:
                    return True
        if a < 0:
            return False
        reached = max(reached, fraction)
        turn = 1 if way[a] > 0.0 else -1
        cell[a] += turn
        if cell[a] < 0 or cell[a] >= table[a, CELLS]:
            cell[a] -= turn * table[a, CELLS]
            x[a] -= turn * ends[a, 2]


@kernel()
def trace_lattice(C, breaks, table, ends, origin, to_axes, ways, with_holes, inside):  # type: ignore[no-untyped-def]
    """Set inside (m,) to False for ``ways`` (m, k, 3), polylines that start inside, which leave the lattice or, where
    it is ``with_holes``, meet one; all else as in :func:`sample_spline`."""
    start, end, x, way = np.empty(3), np.empty(3), np.empty(3), np.empty(3)
    cell = np.empty(3, np.int64)
    for p in range(len(ways)):
        for j in range(ways.shape[1]):
            if not inside[p]:
                break
            inside[p] = _place(ways[p, j], origin, to_axes, ends, end)
            if with_holes and j > 0 and inside[p]:
                inside[p] = not _meets_hole(C, breaks, table, ends, start, end, x, way, cell)
            start[:] = end
