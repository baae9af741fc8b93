"""Bounding-volume tree of axis-aligned boxes: finds the simplices that may hold a position."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowgrad.typing import FloatArray, IntArray

# Simplices in a leaf, and intervals along each axis.
LEAF = 8
_INTERVALS = 1 << 10
# Boxes are wider by these fractions of their own size and of the coordinates.
_WIDER, _ROUNDING = 1e-8, 1e-15


@dataclass(frozen=True, eq=False)
class BoxTree:
    """A complete binary tree: node i has the children 2i and 2i + 1, the root is 1.

    ``boxes`` (2 m, 6) are lowest and highest coordinates; the nodes from m on are leaves, of which the i-th has the
    ``members[8 i : 8 i + 8]``.
    """

    boxes: FloatArray
    members: NDArray[np.int32]

    @classmethod
    def of(cls, low: FloatArray, high: FloatArray, numbers: IntArray) -> BoxTree:
        """The tree of boxes from ``low`` to ``high`` (k, 3), whose members have the given numbers (k,)."""
        order = np.argsort(_along_curve(low, high), kind="stable")
        leaves = 1 << max(0, int(np.ceil(np.log2(max(len(order), 1) / LEAF))))
        low, high = low[order], high[order]
        pad = _WIDER * (high - low).max(axis=1, keepdims=True) + _ROUNDING * np.maximum(np.abs(low), np.abs(high))
        boxes = np.empty((2 * leaves, 6))
        boxes[:, :3], boxes[:, 3:] = np.inf, -np.inf
        first = np.arange(0, len(order), LEAF)
        if len(order):
            boxes[leaves : leaves + len(first), :3] = np.minimum.reduceat(low - pad, first)
            boxes[leaves : leaves + len(first), 3:] = np.maximum.reduceat(high + pad, first)
        level = leaves
        while level > 1:
            pairs = boxes[level : 2 * level].reshape(-1, 2, 6)
            boxes[level // 2 : level, :3] = pairs[:, :, :3].min(axis=1)
            boxes[level // 2 : level, 3:] = pairs[:, :, 3:].max(axis=1)
            level //= 2
        return cls(boxes, numbers[order].astype(np.int32))


def _along_curve(low: FloatArray, high: FloatArray) -> IntArray:
    """Places (k,) along Morton's curve through intervals that hold as many middles each along every axis: graded
    meshes are split as evenly as others (Morton 1966; Lauterbach et al. 2009, Comput. Graph. Forum 28, 375)."""
    code = np.zeros(len(low), np.int64)
    for axis in range(3):
        middle = low[:, axis] + high[:, axis]
        few = np.sort(middle[:: max(1, len(middle) // (16 * _INTERVALS))])
        edges = few[np.linspace(0, len(few) - 1, _INTERVALS).astype(int)[1:-1]] if len(few) else few
        code |= spread_bits(np.searchsorted(edges, middle)) << axis
    return code


def spread_bits(numbers: IntArray) -> IntArray:
    """Numbers below 1024 with two zeros between their binary digits."""
    x = numbers.astype(np.int64)
    for shift, mask in ((16, 0x030000FF), (8, 0x0300F00F), (4, 0x030C30C3), (2, 0x09249249)):
        x = (x | (x << shift)) & mask
    return x
