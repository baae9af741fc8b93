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


CONFIDENCE = 0.95
# A parameter whose interval spans more than this factor is not determined by the data, and neither is one
# of which the data do not exclude a value by this factor off with a confidence far beyond the interval's:
# of forty plateaus that were not reached, one looks as if it were at 95 %.
UNDETERMINED_FACTOR = 10.0
DETERMINED_CONFIDENCE = 0.9999
_REACH = float(np.log(UNDETERMINED_FACTOR))
# Of the statistic at an interval's end. Where it suits already, the linear interval is the profile's.
_TOLERANCE = 5e-3
_ROUNDS = 12
_STEPS = 40
_DECREASE = 1e-8


@dataclass(frozen=True, eq=False)
class Optimum:
    """A fit's minimum: logarithms ``x`` (p,) of the parameters, its cost, derivatives (p, n), bounds (p,) each,
    the variance of its residuals and its degrees of ``freedom``, and ``others`` (r, p) from which valleys
    elsewhere may be found."""

    residuals: Residuals
    x: FloatArray
    cost: float
    jacobian: FloatArray
    bounds: tuple[FloatArray, FloatArray]
    variance: float
    freedom: float
    others: FloatArray

    def covariance(self) -> FloatArray:
        """Linear, of the logarithms (p, p); huge, not infinite, along directions that the data do not see."""
        _, singular, directions = np.linalg.svd(self.jacobian.T, full_matrices=False)
        singular = np.maximum(singular, 1e-10 * max(singular[0], 1e-300))
        scaled = directions / singular[:, None]
        return self.variance * scaled.T @ scaled


def quantile(freedom: float, confidence: float) -> float:
    """Two-sided quantile of Student's distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + confidence / 2))


def profile_intervals(optimum: Optimum) -> list[tuple[float, float] | None]:
    """The interval of each parameter; None where the data do not determine it: where an end is
    not reached within the bounds, or the interval spans more than a factor of 10."""
    ends, far = _ends(optimum).reshape(-1, 2), _suits_far_away(optimum)
    pairs: list[tuple[float, float] | None] = []
    for x, (below, above), elsewhere in zip(optimum.x, ends, far, strict=True):
        known = below + above <= _REACH and not elsewhere
        pairs.append((float(np.exp(x - below)), float(np.exp(x + above))) if known else None)
    return pairs


def _suits_far_away(optimum: Optimum) -> NDArray[np.bool_]:
    """Whether a value of each parameter (p,) a factor of 10 off suits the data, too, perhaps in another valley: η0 and
    η∞ of a model can change places."""
    others, count = optimum.others, len(optimum.x)
    which, sign = np.repeat(np.arange(count), 2 * len(others)), np.tile(np.repeat([-1.0, 1.0], len(others)), count)
    end = np.clip(optimum.x[which] + sign * _REACH, optimum.bounds[0][which], optimum.bounds[1][which])
    found = _conditional(optimum, np.tile(others, (2 * count, 1)), which, end - optimum.x[which])
    limit = quantile(optimum.freedom, DETERMINED_CONFIDENCE)
    suits = found.cost <= optimum.cost + 0.5 * limit**2 * optimum.variance
    return np.bincount(which, suits, count) > 0


@dataclass
class _Search:
    """For the ends of m intervals: the ``live`` ones still looked for, the last parameters ``x`` (m, p), their
    ``distance`` and ``statistic`` (m,), and the distances between which the limit lies, with the statistics there."""

    live: NDArray[np.intp]
    x: FloatArray
    distance: FloatArray
    statistic: FloatArray
    low: FloatArray
    at_low: FloatArray
    high: FloatArray
    at_high: FloatArray

    @classmethod
    def at(cls, x: FloatArray, count: int) -> _Search:
        """At the optimum x (p,), where the statistic is 0."""
        distance, statistic, low, at_low = np.zeros((4, count))
        high, at_high = np.full((2, count), np.inf)
        return cls(np.arange(count), np.tile(x, (count, 1)), distance, statistic, low, at_low, high, at_high)

    def narrow(self, distance: FloatArray, x: FloatArray, statistic: FloatArray, limit: float) -> None:
        """Take over what was found for the live ends at ``distance`` (m,)."""
        rows, at = self.live, distance[self.live]
        self.x[rows], self.distance[rows], self.statistic[rows] = x, at, statistic
        under = statistic < limit
        self.low[rows[under]], self.at_low[rows[under]] = at[under], statistic[under]
        self.high[rows[~under]], self.at_high[rows[~under]] = at[~under], statistic[~under]

    def ended(self, most: FloatArray, limit: float) -> NDArray[np.bool_]:
        """Which live ends are found, or need not be: the interval is too wide already."""
        wide = np.repeat(self.low[::2] + self.low[1::2] > _REACH, 2)
        narrow = self.high - self.low <= _TOLERANCE * self.low
        found = np.abs(self.statistic - limit) <= _TOLERANCE * limit
        return (found | narrow | wide | (self.distance >= most) & (self.statistic < limit))[self.live]

    def next(self, most: FloatArray, limit: float) -> FloatArray:
        """Distances (m,) by interpolation, the statistic being nearly linear; by extrapolation before a high one."""
        width = self.high - self.low
        with np.errstate(invalid="ignore", divide="ignore"):
            part = np.clip((limit - self.at_low) / (self.at_high - self.at_low), 0.1, 0.9)
            beyond = self.low * np.clip(limit / self.at_low, 1.05, 5.0)
        beyond = np.where(beyond > 0.7 * most, most, beyond)
        return np.where(np.isfinite(self.high), self.low + part * width, np.where(np.isfinite(beyond), beyond, most))


def _ends(optimum: Optimum) -> FloatArray:
    """Distances in log parameter at which the profile ends (2p,): down and up of each; inf where it does not."""
    count, t = len(optimum.x), quantile(optimum.freedom, CONFIDENCE)
    which, sign = np.repeat(np.arange(count), 2), np.tile([-1.0, 1.0], count)
    room = np.stack([optimum.x - optimum.bounds[0], optimum.bounds[1] - optimum.x], axis=1).ravel()
    most = np.minimum(room, _REACH)
    errors = np.sqrt(np.diag(optimum.covariance()))
    distance = np.minimum(t * errors[which], most)
    search = _Search.at(optimum.x, 2 * count)
    for _ in range(_ROUNDS):
        live = search.live
        found = _conditional(optimum, search.x[live], which[live], (sign * distance)[live])
        statistic = np.sqrt(np.maximum(2 * (found.cost - optimum.cost), 0.0) / optimum.variance)
        search.narrow(distance, found.x, statistic, t)
        search.live = search.live[~search.ended(most, t)]
        if not len(search.live):
            break
        distance = search.next(most, t)
    without_end = (search.statistic < (1 - _TOLERANCE) * t) & (search.distance >= most)
    return np.where(without_end, np.inf, search.distance)


def _conditional(optimum: Optimum, start: FloatArray, which: NDArray[np.intp], shift: FloatArray) -> Minima:
    """The best parameters (m, p) where one of them, ``which`` (m,), is ``shift`` (m,) from its optimum."""
    rows = np.arange(len(which))
    x = np.clip(start, *optimum.bounds)
    x[rows, which] = optimum.x[which] + shift
    held = np.zeros(x.shape, bool)
    held[rows, which] = True
    return minimised(
        optimum.residuals, evaluated(optimum.residuals, x), optimum.bounds, _STEPS, held, decrease=_DECREASE
    )
