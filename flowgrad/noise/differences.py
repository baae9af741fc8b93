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
# Windows, in spacings, that are tried; longer ones are the flow's own, not an instrument's.
WINDOWS, _LONGER = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0, 4.0, 5.0), (6.0, 8.0, 12.0)
# Differences agree where their standard deviations do within this part and so many standard errors.
_AGREE, _ERRORS = 0.04, 2.5
# Orders at stride 1 that must agree, and how far what a flow adds at stride 2 must have fallen at the highest order.
_FLAT, _RESOLVED = 4, 0.5
# Fewer differences than this tell nothing.
_FEWEST = 30
# An axis of fewer places tells nothing.
SHORTEST = 12
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
    grid = _middle(values.reshape(lattice.shape[::-1]), most)
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


def _middle(grid: FloatArray, most: int) -> FloatArray:
    """A block of at most so many values, with whole lines along each axis."""
    while grid.size > most:
        axis = int(np.argmax(grid.shape))
        n = grid.shape[axis]
        grid = np.take(grid, range(n // 6, n - n // 6), axis)
    return grid


def falls_with_order(lattice: Lattice, velocity: FloatArray) -> bool:
    """Whether differences in the middle of a lattice, of some component along some axis, go on falling fast with their
    order, or vanish, as those of a field without noise do; also where the lattice is too short to tell."""
    size, told = np.sqrt(np.nansum(np.nanvar(velocity[:: max(1, len(velocity) // 4000)], axis=0))), False
    grids = [column.reshape(lattice.shape[::-1]) for column in velocity.T]
    for a in lattice.active:
        axis, n = 2 - a, lattice.shape[a]
        if n < SHORTEST:
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


def window_chances(lattice: Lattice, velocity: FloatArray, most: int = 400_000) -> FloatArray:
    """The chance of each of the :data:`WINDOWS` (k,) that noise is a running mean over it, by the correlation, across
    the axis, of the highest differences along it, in which little is left of the flow. None has any where they
    resemble each other further than windows share, and all are NaN on a single axis."""
    lags, found = np.arange(1, int(_LONGER[0]) + 2), []
    for column in velocity.T:
        grid = _middle(column.reshape(lattice.shape[::-1]), most)
        for a, b in ((2 - a, 2 - b) for a in lattice.active for b in lattice.active if a != b):
            order = min(_ORDERS[-1], grid.shape[a] - 2)
            if order >= _FLAT and grid.shape[b] > lags[-1]:
                signs = np.moveaxis(np.sign(differences_along(grid, a, order, 1)), b, 0)
                both = [signs[lag:] * signs[:-lag] for lag in lags]
                found.append([np.nanmean(each) if np.isfinite(each).sum() > _FEWEST else np.nan for each in both])
    if not np.isfinite(found).any():
        return np.full(len(WINDOWS), np.nan)
    # Of normal variables by their signs, which outliers change little (Blomqvist 1950, Ann. Math. Stat. 21, 593).
    told = np.isfinite(found).any(axis=0)
    seen, lags = np.sin(0.5 * np.pi * np.array(found)[:, told]), lags[told]
    spread = float(np.nanmean(np.nanvar(seen, axis=0))) / max(len(seen) - 1, 1) + 1 / velocity.size
    tried = (*WINDOWS, *_LONGER)
    off = np.array([np.nansum((np.nanmean(seen, axis=0) - np.maximum(0.0, 1 - lags / T)) ** 2) for T in tried])
    chances = np.exp(-0.5 * (off - off.min()) / spread)
    return chances[: len(WINDOWS)] / chances.sum() if off.argmin() < len(WINDOWS) else np.zeros(len(WINDOWS))


def plateau(found: Differences, window: float) -> tuple[float, float, int, bool]:
    """Of noise correlated over a window: the logarithm of its standard deviation, its standard error, how many
    differences agree, and whether they are noise.

    It is where the highest orders at stride 1 agree, along the axis that has the least. At stride 2 noise has the same
    size, and what a resolved flow adds falls with the order; turbulence that goes on to the smallest places does not.
    """
    logs = found.relative_to(window)
    order, stride = np.array([each[1:] for each in found.kinds]).T
    axis = np.array([each[0] for each in found.kinds])
    top = np.flatnonzero((stride == 1) & (order >= order[stride == 1].max() - 1))
    anchor = top[np.argmin(logs[top] + found.error[top])]
    tolerance = _AGREE + _ERRORS * np.hypot(found.error, found.error[anchor])
    agree = np.abs(logs - logs[anchor]) < tolerance
    weights = found.error[agree] ** -2.0
    level = float(weights @ logs[agree] / weights.sum())
    near = (stride == 1) & (axis == axis[anchor]) & (order > order[stride == 1].max() - _FLAT)
    seen = bool(agree[near].all()) and all(
        _falls(logs[rows], level, tolerance[rows])
        for a in np.unique(axis)
        if len(rows := np.flatnonzero((axis == a) & (stride == 2))) > 2
    )
    return level, float(found.error[agree].min()), int(agree.sum()), seen


def _falls(logs: FloatArray, level: float, tolerance: FloatArray) -> bool:
    """Whether what is there beyond a level of noise vanishes, or falls with the order."""
    beyond = np.maximum(np.exp(2 * logs) - np.exp(2 * (level + tolerance)), 0.0)
    half = len(logs) // 2 - 1
    return bool(beyond[-1] <= _RESOLVED**2 * beyond[half])
