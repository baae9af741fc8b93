"""Gradients on a uniform lattice by NumPy and by findiff, for comparison."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

import numpy as np

from flowgrad.typing import FloatArray

Derivatives = Callable[[FloatArray, float, int], FloatArray]


def by_numpy(grid: FloatArray, h: float, _order: int) -> FloatArray:
    """L (n, 3, 3) of velocities [k, j, i, component] by np.gradient, second order at the ends too."""
    rows = [np.stack(list(np.gradient(grid[..., i], h, edge_order=2))[::-1], axis=-1) for i in range(3)]
    return np.stack(rows, axis=-2).reshape(-1, 3, 3)


def by_findiff(grid: FloatArray, h: float, order: int) -> FloatArray:
    """The same by findiff, of even orders."""
    operators = [import_module("findiff").Diff(axis, h, acc=order) for axis in (2, 1, 0)]
    rows = [np.stack([d(np.ascontiguousarray(grid[..., i])) for d in operators], axis=-1) for i in range(3)]
    return np.stack(rows, axis=-2).reshape(-1, 3, 3)
