"""Which cells may hold which positions: boxes around the cells, and a grid over the positions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numba import prange

from flowgrad.compiled import kernel
from flowgrad.mesh.ragged import offsets

if TYPE_CHECKING:
    from flowgrad.mesh.mesh import Mesh
    from flowgrad.typing import FloatArray, IntArray

# Intervals along an axis at most: finer ones save nothing, as the cells are larger than they.
_MOST_INTERVALS = 64


def boxes(mesh: Mesh, pad: float) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest corner (n, 3) of a box around each cell, curved edges included, widened by
    ``pad`` times its diagonal on all sides."""
    low, high = node_boxes(mesh.points, mesh.cells.offsets, mesh.cells.connectivity)
    growth = np.ones(len(mesh))
    for block in mesh.blocks:
        if block.reference.is_curved:
            growth[block.cells] = block.reference.lebesgue
    middle, half = (low + high) / 2, (high - low) / 2
    half = growth[:, None] * half + pad * np.sqrt((half**2).sum(axis=1))[:, None]
    return middle - half, middle + half


def candidate_pairs(low: FloatArray, high: FloatArray, positions: FloatArray) -> tuple[IntArray, IntArray]:
    """Cells and positions, one number each a pair, of all positions in the cells' boxes (NaN has none).

    The grid's intervals hold as many positions each along every axis, however these are spread.
    """
    # Positions beyond all boxes would waste intervals.
    reached = np.flatnonzero(
        ((positions >= np.nanmin(low, axis=0)) & (positions <= np.nanmax(high, axis=0))).all(axis=1)
    )
    if not len(reached):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    x = positions[reached]
    edges = _edges(x)
    bins = sum(np.searchsorted(edges[k], x[:, k], "right") * (edges.shape[1] + 1) ** k for k in range(3))
    order = np.argsort(bins, kind="stable")
    start = offsets(np.bincount(bins, minlength=(edges.shape[1] + 1) ** 3))
    none = np.empty(0, np.int64)
    counts = pairs_in_boxes(low, high, edges, start, x[order], none, none)
    ends = offsets(counts)
    found = np.empty(ends[-1], np.int64)
    pairs_in_boxes(low, high, edges, start, x[order], ends, found)
    return np.repeat(np.arange(len(low)), counts), reached[order[found]]


def _edges(x: FloatArray) -> FloatArray:
    """Inner ends of the intervals along each axis (3, b)."""
    count = int(np.clip(round(len(x) ** (1 / 3)), 1, _MOST_INTERVALS))
    return np.ascontiguousarray(np.quantile(x, np.arange(1, count) / count, axis=0).T)


@kernel(parallel=True)
def node_boxes(points: Any, offsets: Any, connectivity: Any) -> Any:
    """Lowest and highest coordinates of each cell's points; NaN for a cell without points."""
    n = len(offsets) - 1
    low, high = np.full((n, 3), np.nan), np.full((n, 3), np.nan)
    for i in prange(n):
        for j in range(offsets[i], offsets[i + 1]):
            for k in range(3):
                x = points[connectivity[j], k]
                if j == offsets[i] or x < low[i, k]:
                    low[i, k] = x
                if j == offsets[i] or x > high[i, k]:
                    high[i, k] = x
    return low, high


@kernel(parallel=True)
def pairs_in_boxes(low: Any, high: Any, edges: Any, start: Any, x: Any, ends: Any, found: Any) -> Any:
    """How many of the positions, sorted by grid cell, lie in each box (n,); their numbers go to
    ``found`` where ``ends`` tells the places, none where it is empty."""
    n, width = len(low), edges.shape[1] + 1
    counts = np.zeros(n, np.int64)
    for i in prange(n):
        a, last_a = np.searchsorted(edges[0], low[i, 0], "right"), np.searchsorted(edges[0], high[i, 0], "right")
        b, last_b = np.searchsorted(edges[1], low[i, 1], "right"), np.searchsorted(edges[1], high[i, 1], "right")
        c, last_c = np.searchsorted(edges[2], low[i, 2], "right"), np.searchsorted(edges[2], high[i, 2], "right")
        count = 0
        for z in range(c, last_c + 1):
            for y in range(b, last_b + 1):
                row = (z * width + y) * width
                for j in range(start[row + a], start[row + last_a + 1]):
                    if (
                        low[i, 0] <= x[j, 0] <= high[i, 0]
                        and low[i, 1] <= x[j, 1] <= high[i, 1]
                        and low[i, 2] <= x[j, 2] <= high[i, 2]
                    ):
                        if len(ends):
                            found[ends[i] + count] = j
                        count += 1
        counts[i] = count
    return counts
