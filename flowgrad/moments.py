"""Weighted moments and percentiles: running moments at many places, and statistics of a field, whole or in parts.

Sums of products of deviations are updated, never those of the values themselves, so that a large mean costs
no digits (Welford 1962, Technometrics 4, 419; with weights West 1979, Comm. ACM 22, 532), and sums that were taken
apart merge to the whole (Chan, Golub & LeVeque 1983, Am. Stat. 37, 242).

Percentiles of a field are values that it has, the first by which the share of the measure is reached; those of the few
values of a flow curve's interval are interpolated, so that no direction is preferred.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flowgrad.compiled import over_rows
from flowgrad.errors import OptionError
from flowgrad.reprs import ReprMixin
from flowgrad.tensors import finite_rows
from flowgrad.typing import FloatArray

_SHARES = (0.05, 0.5, 0.95)
# Percentiles of parts come from bins of values that share the sign, the exponent and so many bits of the fraction of
# float32.
_FRACTION_BITS = 11
_SHIFT = 23 - _FRACTION_BITS
# The largest error of such a percentile, relative to it: half a bin.
PERCENTILE_ERROR = 2.0 ** -(_FRACTION_BITS + 1)
_SIGN = np.uint32(1 << 31)
# Products of components that are summed for a vector; others have those of each component with itself.
_OF_VECTORS = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2))


@dataclass(frozen=True, eq=False)
class Moments(ReprMixin):
    """What is summed of one quantity at n places, its values of ``shape`` as k columns.

    ``count`` (n,) and ``weight`` (n,) are the number of values and the sum of their weights, ``mean`` (n, k) the
    weighted mean (0 where there is no value), ``scatter`` (n, p) the weighted sums of products of deviations from it,
    ``lowest`` and ``highest`` (n, k) the extremes. Components that are ``missing`` (k,) have been known nowhere; a
    place has a value where all others are finite.
    """

    shape: tuple[int, ...]
    count: NDArray[np.int64]
    weight: FloatArray
    mean: FloatArray
    scatter: FloatArray
    lowest: FloatArray
    highest: FloatArray
    missing: NDArray[np.bool_]

    @classmethod
    def of_sample(cls, values: np.ndarray, weight: float) -> Moments:
        """Those of one value at each place; a place where a component is not finite that is finite at others has
        none."""
        columns = np.asarray(values, float).reshape(len(values), -1)
        known, extremes, missing = finite_rows(columns), columns, np.zeros(columns.shape[1], bool)
        if not known.all():
            finite = np.isfinite(columns)
            missing = ~finite.any(axis=0)
            known = finite[:, ~missing].all(axis=1) & finite.any()
            columns, extremes = (np.where(known[:, None] & ~missing, columns, rest) for rest in (0.0, np.nan))
        scatter = np.broadcast_to(0.0, (len(columns), len(_pairs(values.shape[1:]))))
        count = known.astype(np.int64)
        weights = np.where(known, weight, 0.0)
        return cls(values.shape[1:], count, weights, columns, scatter, extremes, extremes, missing)

    def empty(self) -> Moments:
        """Those of no values, of the same size."""
        n, k = self.mean.shape
        return Moments(
            self.shape,
            np.zeros(n, np.int64),
            np.zeros(n),
            np.zeros((n, k)),
            np.zeros(self.scatter.shape),
            np.full((n, k), np.nan),
            np.full((n, k), np.nan),
            np.ones(k, bool),
        )

    def merge(self, other: Moments) -> Moments:
        """Those of both sets of values; OptionError for another size."""
        result = self.empty()
        result.absorb(self)
        result.absorb(other)
        return result

    def absorb(self, other: Moments) -> None:
        """Add another set of values, in place; OptionError for another size."""
        if (self.shape, len(self.mean)) != (other.shape, len(other.mean)):
            own, new = ((len(each.mean), *each.shape) for each in (self, other))
            raise OptionError(f"values of the shape {new} do not fit to those before, {own}: give steps of one series")
        if (self.missing & ~other.missing).any():
            # What was taken for a component that nobody knows was one that these values lack.
            self._forget()
        found = self.missing & other.missing
        if (other.missing & ~self.missing).any():
            return
        self.missing[:] = found
        over_rows(lambda rows: self._absorb(other, rows), len(self.mean))

    def _forget(self) -> None:
        for sums in (self.count, self.weight, self.mean, self.scatter):
            sums[...] = 0
        for extremes in (self.lowest, self.highest):
            extremes[...] = np.nan

    def _absorb(self, other: Moments, rows: slice) -> None:
        before, added = self.weight[rows], other.weight[rows]
        total = before + added
        share = np.divide(added, total, out=np.zeros(len(total)), where=total > 0)
        apart = other.mean[rows] - self.mean[rows]
        product = before * share
        for p, (i, j) in enumerate(_pairs(self.shape)):
            self.scatter[rows, p] += other.scatter[rows, p] + product * apart[:, i] * apart[:, j]
        self.mean[rows] += share[:, None] * apart
        self.weight[rows] = total
        self.count[rows] += other.count[rows]
        np.fmin(self.lowest[rows], other.lowest[rows], out=self.lowest[rows])
        np.fmax(self.highest[rows], other.highest[rows], out=self.highest[rows])

    def known(self, columns: FloatArray) -> FloatArray:
        """Columns (n, k) in the quantity's own shape, NaN where there is no value."""
        there = (self.weight[:, None] > 0) & ~self.missing
        return np.where(there, columns, np.nan).reshape(len(columns), *self.shape)

    @property
    def variance(self) -> FloatArray:
        """Weighted mean square of the deviations (n, *shape)."""
        weight = np.where(self.weight > 0, self.weight, 1.0)
        return self.known(self.scatter[:, : self.mean.shape[1]] / weight[:, None])

    @property
    def covariance(self) -> FloatArray:
        """Weighted mean products of the deviations of a vector (n, 3, 3); OptionError for others."""
        if self.shape != (3,):
            raise OptionError(f"a quantity of the shape (n, {self.shape}) has no covariance here: choose a vector")
        products = self.scatter / np.where(self.weight > 0, self.weight, 1.0)[:, None]
        result = np.empty((len(products), 3, 3))
        for p, (i, j) in enumerate(_OF_VECTORS):
            result[:, i, j] = result[:, j, i] = products[:, p]
        result[self.weight == 0] = np.nan
        result[:, self.missing] = result[:, :, self.missing] = np.nan
        return result


def _pairs(shape: tuple[int, ...]) -> tuple[tuple[int, int], ...]:
    """The components whose products are summed, those of a component with itself first."""
    return _OF_VECTORS if shape == (3,) else tuple((i, i) for i in range(math.prod(shape)))


@dataclass(frozen=True)
class Statistics:
    """Measure-weighted statistics of one quantity: of its magnitude for vectors and tensors, of the
    ``component`` (x, y or z) of a vector of which no other is known."""

    minimum: float
    maximum: float
    mean: float
    percentile_5: float
    median: float
    percentile_95: float
    component: str = field(default="", kw_only=True)

    @classmethod
    def of(cls, values: np.ndarray, weights: FloatArray) -> Statistics:
        """Those of values (n, …) that stand for measures (n,); what is not finite does not count, NaN of nothing."""
        component = ""
        if values.ndim == 2:
            known = np.flatnonzero(np.isfinite(values).any(axis=0))
            component = "xyz"[known[0]] if len(known) == 1 else ""
        values, weights = _counted(values[:, "xyz".index(component)] if component else values, weights)
        if not len(values):
            return cls(*[math.nan] * 6)
        mean = float((weights * values).sum() / weights.sum())
        order = np.argsort(values)
        share = np.cumsum(weights[order])
        positions = np.searchsorted(share, np.array(_SHARES) * share[-1])
        percentiles = [float(values[order[min(i, len(order) - 1)]]) for i in positions]
        return cls(float(values.min()), float(values.max()), mean, *percentiles, component=component)


class RunningStatistics:
    """Statistics of one quantity whose values come in parts. Minimum, maximum and mean are exact, percentiles those of
    bins, each within ``PERCENTILE_ERROR`` of its value."""

    def __init__(self) -> None:
        self._minimum, self._maximum = math.inf, -math.inf
        self._sums: list[float] = []
        self._measures: list[float] = []
        self._bins = np.zeros(1 << (32 - _SHIFT))

    def add(self, values: np.ndarray, weights: FloatArray) -> None:
        """Values (n, …) that stand for measures (n,); those that are not finite, or stand for none, do not count."""
        values, weights = _counted(values, weights)
        if not len(values):
            return
        self._minimum, self._maximum = min(self._minimum, float(values.min())), max(self._maximum, float(values.max()))
        self._sums.append(float((weights * values).sum()))
        self._measures.append(float(weights.sum()))
        # A float's bits rise with its value, once those of negative ones are turned round.
        largest = np.finfo(np.float32).max
        bits = np.clip(values, -largest, largest).astype(np.float32).view(np.uint32)
        codes = (np.where(bits & _SIGN, ~bits, bits | _SIGN) >> np.uint32(_SHIFT)).astype(np.int64)
        self._bins += np.bincount(codes, weights, minlength=len(self._bins))

    def result(self) -> Statistics:
        """The statistics of all that was added; NaN of nothing."""
        if not self._measures:
            return Statistics(*[math.nan] * 6)
        mean = math.fsum(self._sums) / math.fsum(self._measures)
        share = np.cumsum(self._bins)
        codes = np.searchsorted(share, np.array(_SHARES) * share[-1]).astype(np.uint32)
        # The middles of bins; what float32 keeps with fewer digits is zero.
        bits = (codes << np.uint32(_SHIFT)) | np.uint32(1 << (_SHIFT - 1))
        middles = np.where(bits & _SIGN, bits ^ _SIGN, ~bits).astype(np.uint32).view(np.float32).astype(np.float64)
        middles = np.where(np.abs(middles) < np.finfo(np.float32).tiny, 0.0, middles)
        inside = np.clip(middles, self._minimum, self._maximum)
        return Statistics(self._minimum, self._maximum, mean, *inside.tolist())


def _counted(values: np.ndarray, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Values, or magnitudes of vectors and tensors, with their measures, where both count."""
    if values.ndim > 1:
        values = np.sqrt((values.reshape(len(values), -1) ** 2).sum(axis=1))
    counts = (weights > 0) & np.isfinite(values)
    return (values, weights) if counts.all() else (values[counts], weights[counts])


def interpolated_quantiles(values: FloatArray, weights: FloatArray, levels: tuple[float, ...]) -> FloatArray:
    """Weighted quantiles of values (n,), interpolated so that reversing the order of the values changes nothing."""
    order = np.argsort(values)
    cumulated = np.cumsum(weights[order])
    centres = (cumulated - 0.5 * weights[order]) / cumulated[-1]
    return np.interp(levels, centres, values[order])
