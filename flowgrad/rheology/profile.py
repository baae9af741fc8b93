"""Profile likelihood of a fit's parameters: their intervals, and whether the data determine them at all.

The interval of a parameter ends where the least cost with that parameter held is as much above the fit's as Student's
distribution allows (Bates & Watts 1988, Nonlinear Regression Analysis and Its Applications, section 6.1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from flowgrad.rheology.least_squares import Problem, descents
from flowgrad.typing import FloatArray

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
# Of a search that is only to say whether its cost is small enough.
_FAR_DECREASE = 1e-3


@dataclass(frozen=True, eq=False)
class Optimum:
    """A fit's minimum: logarithms ``x`` (p,) of the parameters, its cost, derivatives (p, n) of the residuals, their
    variance and degrees of ``freedom``, and ``others`` (r, p) from which valleys elsewhere may be found.

    ``inflation`` (p,) is how much larger each parameter's variance is than that of independent residuals,
    ``least_variance`` what no variance is below, as the data are known no better.
    """

    problem: Problem
    x: FloatArray
    cost: float
    jacobian: FloatArray
    variance: float
    freedom: float
    others: FloatArray
    inflation: FloatArray
    least_variance: float = 0.0

    def covariance(self) -> FloatArray:
        """Linear, of the logarithms (p, p); huge, not infinite, along directions that the data do not see."""
        _, singular, directions = np.linalg.svd(self.jacobian.T, full_matrices=False)
        singular = np.maximum(singular, 1e-10 * max(singular[0], 1e-300))
        scaled = directions / singular[:, None]
        size = np.sqrt(self.inflation)
        return self.variance * scaled.T @ scaled * np.outer(size, size)


def quantile(freedom: float, confidence: float) -> float:
    """Two-sided quantile of Student's distribution."""
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 0.5 + confidence / 2))


def profile_intervals(optimum: Optimum) -> list[tuple[float, float] | None]:
    """The interval of each parameter; None where the data do not determine it: where an end is
    not reached within the bounds, or the interval spans more than a factor of 10."""
    pairs: list[tuple[float, float] | None] = []
    for k, (below, above) in enumerate(_ends(optimum).reshape(-1, 2)):
        known = below + above <= _REACH and not _suits_far_away(optimum, k)
        x = optimum.x[k]
        pairs.append((float(np.exp(x - below)), float(np.exp(x + above))) if known else None)
    return pairs


def _suits_far_away(optimum: Optimum, k: int) -> bool:
    """Whether a value of parameter k a factor of 10 off suits the data, too, perhaps in another valley: η0 and η∞ of a
    model can change places."""
    problem = optimum.problem
    size = quantile(optimum.freedom, DETERMINED_CONFIDENCE)
    enough = optimum.cost + 0.5 * size**2 * optimum.variance * optimum.inflation[k]
    for sign in (-1.0, 1.0):
        x = optimum.others.copy()
        x[:, k] = np.clip(optimum.x[k] + sign * _REACH, problem.lower[k], problem.upper[k])
        if descents(problem, x, _STEPS, enough, _FAR_DECREASE, k)[0].min() <= enough:
            return True
    return False


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
    problem, count, t = optimum.problem, len(optimum.x), quantile(optimum.freedom, CONFIDENCE)
    which, sign = np.repeat(np.arange(count), 2), np.tile([-1.0, 1.0], count)
    most = np.minimum(np.stack([optimum.x - problem.lower, problem.upper - optimum.x], axis=1).ravel(), _REACH)
    size = np.sqrt(optimum.variance * optimum.inflation)[which]
    distance = np.minimum(t * np.sqrt(np.diag(optimum.covariance()))[which], most)
    search = _Search.at(optimum.x, 2 * count)
    for _ in range(_ROUNDS):
        live = search.live
        x = search.x[live]
        x[np.arange(len(live)), which[live]] = optimum.x[which[live]] + (sign * distance)[live]
        cost, _, _ = descents(problem, x, _STEPS, -np.inf, _DECREASE, which[live])
        statistic = np.sqrt(np.maximum(2 * (cost - optimum.cost), 0.0)) / size[live]
        search.narrow(distance, x, statistic, t)
        search.live = search.live[~search.ended(most, t)]
        if not len(search.live):
            break
        distance = search.next(most, t)
    without_end = (search.statistic < (1 - _TOLERANCE) * t) & (search.distance >= most)
    return np.where(without_end, np.inf, search.distance)
