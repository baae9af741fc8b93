"""Difference sequences along the axes of a lattice: variance of the noise and the windows over which it is correlated.

A difference of order p with weights of unit norm has the variance of independent noise, and what it leaves of a smooth
field falls with p (Hall, Kay & Titterington 1990, Biometrika 77, 521). Neighbouring interrogation windows share
pixels: their noise is a running mean over T spacings, of the correlation max(0, 1 − lag/T), T = 2 for an overlap of
50 %, 4 for 75 %. That T is taken for which most orders and strides agree with the highest order.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import comb

import numpy as np

from flowgrad.mesh import Lattice
from flowgrad.typing import FloatArray

_ORDERS, _STRIDES = tuple(range(2, 9)), (1, 2, 3, 4)
# Windows, in spacings, that are tried.
WINDOWS = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
# Differences agree where their standard deviations do within this part and so many standard errors.
_AGREE, _ERRORS = 0.04, 2.5
# Fewer differences than this tell nothing.
_FEWEST = 30
# An axis of fewer places tells nothing.
_SHORTEST = 12
# Of blocks that are looked at first, half the length across an axis; what is left of noise, at least, from one even
# order to the next (of running means over few spacings .8), and what is none beside the velocity.
_QUICK, _FALLING, _NOTHING = {1: 500, 2: 32, 3: 12}, 0.7, 1e-5
# The median of |x| for x of unit variance.
_MAD = 0.6744897501960817


@dataclass(frozen=True, eq=False)
class Differences:
    """Of one component: log standard deviations (k,) by (axis, order, stride), with standard errors (k,)."""

    kinds: tuple[tuple[int, int, int], ...]
    log_deviation: FloatArray
    error: FloatArray

    def relative_to(self, window: float) -> FloatArray:
        """Logarithms (k,) of the standard deviation of noise correlated over a window, if there were no more."""
        return self.log_deviation - 0.5 * np.log([_gain(p, s, window) for _, p, s in self.kinds])


def unit_weights(order: int) -> FloatArray:
    """Binomial weights (order + 1,) of a difference, of unit norm."""
    weights = np.array([(-1) ** k * comb(order, k) for k in range(order + 1)], float)
    return weights / np.linalg.norm(weights)


def _gain(order: int, stride: int, window: float) -> float:
    """The variance of a difference of noise of unit variance."""
    c = unit_weights(order)
    lag = stride * np.abs(np.subtract.outer(np.arange(len(c)), np.arange(len(c))))
    return float(c @ np.maximum(0.0, 1 - lag / window) @ c)


def differences_along(grid: FloatArray, axis: int, order: int, stride: int) -> FloatArray:
    """Differences of unit norm of a field (nz, ny, nx) along one of its axes."""
    n, c = grid.shape[axis], unit_weights(order)
    length = n - order * stride
    parts = (w * np.take(grid, range(k * stride, k * stride + length), axis) for k, w in enumerate(c))
    return np.asarray(sum(parts))


def differences_of(lattice: Lattice, values: FloatArray, most: int = 400_000) -> Differences:
    """Of one component (N,) on a lattice, NaN where there is none; from a part of it where it is larger."""
    grid = values.reshape(lattice.shape[::-1])
    while grid.size > most:  # whole lines along each axis are needed: a block in the middle
        axis = int(np.argmax(grid.shape))
        n = grid.shape[axis]
        grid = np.take(grid, range(n // 6, n - n // 6), axis)
    kinds, logs, errors = [], [], []
    for a in lattice.active:
        for stride in _STRIDES:
            for order in _ORDERS:
                if grid.shape[2 - a] <= order * stride + 1:
                    continue
                found = differences_along(grid, 2 - a, order, stride)
                found = np.abs(found[np.isfinite(found)])
                if len(found) < _FEWEST:
                    continue
                scale = float(np.median(found)) / _MAD
                kinds.append((a, order, stride))
                logs.append(np.log(max(scale, 1e-300)))
                # Of the median, in differences that share samples.
                errors.append(1.17 * np.sqrt((1 + 0.5 * order) / len(found)))
    return Differences(tuple(kinds), np.array(logs), np.array(errors))


def falls_with_order(lattice: Lattice, velocity: FloatArray) -> bool:
    """Whether differences in the middle of a lattice, of some component along some axis, go on falling fast with their
    order, or vanish, as those of a field without noise do; also where the lattice is too short to tell."""
    size, told = np.sqrt(np.nansum(np.nanvar(velocity[:: max(1, len(velocity) // 4000)], axis=0))), False
    grids = [column.reshape(lattice.shape[::-1]) for column in velocity.T]
    for a in lattice.active:
        axis, n = 2 - a, lattice.shape[a]
        if n < _SHORTEST:
            continue
        extent = [_QUICK[len(lattice.active)] if b != axis else 3 * _QUICK[len(lattice.active)] for b in range(3)]
        block = tuple(
            slice(max(0, (m - e) // 2), (m + e) // 2) for m, e in zip(lattice.shape[::-1], extent, strict=True)
        )
        for grid in grids:
            low, high = (differences_along(grid[block], axis, p, 1) for p in (6, 8))
            if np.isfinite(high).sum() < _FEWEST:
                continue
            told = True
            one, two = (float(np.nanmedian(np.abs(each))) for each in (low, high))
            if two <= _NOTHING * size or two < _FALLING * one:
                return True
    return not told


def agreement(found: Differences, window: float) -> tuple[float, float, int]:
    """The logarithm of the noise's standard deviation, its standard error, and how many differences agree with the
    highest order along the axis that has the least, were the noise correlated over a window."""
    logs = found.relative_to(window)
    near = [i for i, (_, _, stride) in enumerate(found.kinds) if stride == 1]
    highest = max(found.kinds[i][1] for i in near)
    top = [i for i in near if found.kinds[i][1] >= highest - 1]
    anchor = min(top, key=lambda i: logs[i] + found.error[i])
    tolerance = _AGREE + _ERRORS * np.hypot(found.error, found.error[anchor])
    agree = np.flatnonzero(np.abs(logs - logs[anchor]) < tolerance)
    weights = found.error[agree] ** -2.0
    return float(weights @ logs[agree] / weights.sum()), float(found.error[agree].min()), len(agree)
