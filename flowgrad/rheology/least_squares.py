"""Bounded non-linear least squares from many starts at once, with exact derivatives.

Levenberg's and Marquardt's method (Marquardt 1963, J. SIAM 11, 431) with the damping of Nielsen (1999,
IMM-REP-1999-05); a parameter at a bound that wants to leave is held there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowgrad.typing import FloatArray

# Parameters (b, p) → residuals (b, n) and their derivatives (b, p, n).
Residuals = Callable[[FloatArray], tuple[FloatArray, FloatArray]]

_FIRST_DAMPING = 1e-3
_LEAST_DAMPING = 1e-13
# A short step says that a minimum is near only where little damping shortens it.
_FREE_DAMPING = 1e-2
_MOST_DAMPING = 1e12
# No parameter's logarithm moves further in one step.
_LONGEST_STEP = 3.0
_SMALLEST_PIVOT = 1e-30


@dataclass
class Minima:
    """Where b searches stand: parameters ``x`` (b, p), half the sums of squares ``cost`` (b,), residuals
    (b, n) and their derivatives (b, p, n)."""

    x: FloatArray
    cost: FloatArray
    residuals: FloatArray
    jacobian: FloatArray

    def chosen(self, rows: NDArray[np.intp]) -> Minima:
        """Some of the searches."""
        return Minima(self.x[rows], self.cost[rows], self.residuals[rows], self.jacobian[rows])

    def put(self, rows: NDArray[np.intp], other: Minima, which: NDArray[np.bool_]) -> None:
        """Take over ``which`` of another's searches into ``rows``."""
        goal = rows[which]
        self.x[goal], self.cost[goal] = other.x[which], other.cost[which]
        self.residuals[goal], self.jacobian[goal] = other.residuals[which], other.jacobian[which]


@dataclass
class _Damping:
    """Nielsen's damping of each search: ``size`` and by how much the next failure raises it."""

    size: FloatArray
    growth: FloatArray

    def update(self, rows: NDArray[np.intp], better: NDArray[np.bool_], gain: FloatArray) -> None:
        """After a step whose cost fell by ``gain`` of what was promised."""
        shrink = np.maximum(1 / 3, 1 - (2 * np.clip(gain, 0, 1) - 1) ** 3)
        self.size[rows] *= np.where(better, shrink, self.growth[rows])
        self.growth[rows] = np.where(better, 2.0, 2 * self.growth[rows])


def evaluated(residuals: Residuals, x: FloatArray) -> Minima:
    """The searches at their start."""
    with np.errstate(all="ignore"):
        r, jacobian = residuals(x)
        cost = 0.5 * np.sum(r**2, axis=1)
    whole = np.isfinite(cost) & np.isfinite(jacobian).all(axis=(1, 2))
    return Minima(x.copy(), np.where(whole, cost, np.inf), r, np.where(whole[:, None, None], jacobian, 0.0))


def minimised(
    residuals: Residuals,
    start: Minima,
    bounds: tuple[FloatArray, FloatArray],
    steps: int,
    held: NDArray[np.bool_] | None = None,
    enough: float = 0.0,
    decrease: float = 1e-13,
) -> Minima:
    """The minima that searches reach from ``start`` within ``bounds`` (p,) each, in at most so many steps.

    ``held`` (b, p) are parameters that do not move; once a cost is below ``enough`` all searches end, and each one
    does where a step lowers its cost by no more than the part ``decrease``.
    """
    count = len(start.x)
    damping = _Damping(np.full(count, _FIRST_DAMPING), np.full(count, 2.0))
    live = np.flatnonzero(np.isfinite(start.cost))
    for _ in range(steps):
        if not len(live) or start.cost.min() <= enough:
            break
        now = start.chosen(live)
        step, predicted = _step(now, bounds, damping.size[live], None if held is None else held[live])
        trial = evaluated(residuals, np.clip(now.x + step, *bounds))
        gain = now.cost - trial.cost
        better = gain > 0
        with np.errstate(over="ignore"):
            damping.update(live, better, gain / np.maximum(predicted, 1e-300))
        start.put(live, trial, better)
        least = decrease * now.cost
        small = (predicted <= least) | (better & (gain <= least))
        done = small & (damping.size[live] < _FREE_DAMPING) | (damping.size[live] > _MOST_DAMPING)
        live = live[~done]
    return start


def _step(
    now: Minima, bounds: tuple[FloatArray, FloatArray], damping: FloatArray, held: NDArray[np.bool_] | None
) -> tuple[FloatArray, FloatArray]:
    """The damped Gauss–Newton step (b, p) within the bounds and the decrease of the cost that it promises (b,).

    Parameters that would leave go to their bound, and the others' step is the best one beside that.
    """
    gradient = np.einsum("bpn,bn->bp", now.jacobian, now.residuals)
    normal = now.jacobian @ now.jacobian.transpose(0, 2, 1)
    stuck = ((now.x <= bounds[0]) & (gradient > 0)) | ((now.x >= bounds[1]) & (gradient < 0))
    stuck = stuck if held is None else stuck | held
    low, high = (np.clip(bound - now.x, -_LONGEST_STEP, _LONGEST_STEP) for bound in bounds)
    low, high = (np.where(stuck, 0.0, end) for end in (low, high))
    step = _solved(normal, gradient, damping, stuck, np.zeros_like(low))
    leaves = ~stuck & ((step < low) | (step > high))
    if leaves.any():
        step = _solved(normal, gradient, damping, stuck | leaves, np.where(leaves, np.clip(step, low, high), 0.0))
    step = np.clip(step, low, high)
    predicted = -np.sum(gradient * step, axis=1) - 0.5 * np.einsum("bp,bpq,bq->b", step, normal, step)
    return step, predicted


def _solved(
    normal: FloatArray, gradient: FloatArray, damping: FloatArray, fixed: NDArray[np.bool_], given: FloatArray
) -> FloatArray:
    """The damped step (b, p) whose ``fixed`` components are ``given``."""
    free = ~fixed
    right = -np.where(free, gradient + np.einsum("bpq,bq->bp", normal, given), 0.0)
    diagonal = np.maximum(np.einsum("bpp->bp", normal), _SMALLEST_PIVOT) * (1 + damping[:, None] + _LEAST_DAMPING)
    root = np.sqrt(diagonal)
    matrix = normal / root[:, :, None] / root[:, None, :] * (free[:, :, None] & free[:, None, :])
    np.einsum("bpp->bp", matrix)[...] = 1.0
    return np.where(free, np.nan_to_num(np.linalg.solve(matrix, (right / root)[:, :, None])[:, :, 0] / root), given)
