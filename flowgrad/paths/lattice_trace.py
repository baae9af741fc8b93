"""Compiled loop: whether straight ways through a lattice stay within its ends and miss its holes."""

from __future__ import annotations

import numpy as np

from flowgrad.compiled import called, inlined, kernel
from flowgrad.paths.spline_kernels import CELLS, FIRST_BREAK, _cell

# A cell of which a way takes up less than this fraction is touched at a corner.
_TOUCHED = 1e-12


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
def _enter(breaks, table, ends, start, end, x, way, cell):  # type: ignore[no-untyped-def]
    """The first coordinates led back into the period, the way from there, and the cell."""
    for a in range(3):
        period = ends[a, 2]
        turns = np.floor((start[a] - ends[a, 0]) / period) if period > 0.0 else 0.0
        x[a], way[a] = start[a] - turns * period, end[a] - start[a]
        cell[a] = _cell(breaks, table[a, FIRST_BREAK], table[a, CELLS], x[a], -1)


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


@inlined
def _is_hole(C, cell):  # type: ignore[no-untyped-def]
    found = False
    for s in range(len(C)):
        found |= C[s, cell[0], cell[1], cell[2], 3] != 0.0
    return found


@called
def _meets_hole(C, breaks, table, ends, start, end, x, way, cell):  # type: ignore[no-untyped-def]
    """Whether the way between coordinates goes through a cell that is a hole of one of the steps (Amanatides & Woo
    1987, A fast voxel traversal algorithm for ray tracing, Eurographics)."""
    _enter(breaks, table, ends, start, end, x, way, cell)
    reached = 0.0
    while True:
        a, fraction = _leave(breaks, table, ends, x, way, cell)
        if fraction - reached > _TOUCHED and _is_hole(C, cell):
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
    it is ``with_holes``, meet one; all else as in :func:`~flowgrad.paths.spline_kernels.sample_spline`."""
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
