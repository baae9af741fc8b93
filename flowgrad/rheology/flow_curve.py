"""Flow curve η(γ̇) of a field, as binned medians with their scatter and share of the volume; its certain changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from flowgrad.moments import interpolated_quantiles
from flowgrad.reprs import ReprMixin
from flowgrad.rheology.correlation import correlations
from flowgrad.rheology.thresholds import BOUND, CERTAIN, GRADIENT_ERROR, MARGIN, RANGE_FACTOR
from flowgrad.typing import FloatArray

# What η does with the shear rate, as far as that is certain.
Shape = Literal["constant", "falls", "rises", "both", "open"]
# Keys of the evidence with their values.
Numbers: TypeAlias = Iterator[tuple[str, float]]

# Below this fraction of the largest rate, of shear or of spin, a cell is at rest: the rounding of float32
# velocities.
NEGLIGIBLE_RATE = 1e-6
# A field whose largest shear rate is below this fraction of its largest rate turns as a rigid body: float32
# (6e-8) coordinates or velocities differenced over 1 cell in 1000 leave a shear rate of 6e-5.
RIGID = 1e-4
BINS_PER_DECADE = 10
_FEWEST_BINS = 8
# A bin holds at least so many cells, and at least this share of all: a few odd cells are no bin.
MIN_CELLS = 5
MIN_SHARE = 1e-3
# A bin's own scatter counts as that of so many cells less: few cells know little of their scatter.
_PRIOR_CELLS = 10
# A shear rate that may be wrong by more than this part of itself is not known.
RATE_UNKNOWN = 0.5
# Bins within this factor of the lowest rate show how log τ starts out (three of them at least).
_LOW_RATES = 10.0
# For a normal distribution: 10–90 % range over σ, and error of the median over that of the mean.
_DECILES = 2.5631
_MEDIAN_ERROR = 1.2533


@dataclass(frozen=True, eq=False)
class FlowCurve(ReprMixin):
    """Median viscosity against median shear rate in bins, rising in rate.

    ``rate`` and ``viscosity`` (b,) are medians weighted by volume, ``low`` and ``high`` (b,) the 10 %
    and 90 % quantiles of η, ``share`` (b,) the part of the volume, ``count`` (b,) the cells,
    ``uncertainty`` (b,) the standard error of log η. Where something is known of the error of the gradient,
    ``rate_known_to`` (b,) is the systematic relative error of the rate and ``rate_error`` (b,) what it does to log η,
    which is in the uncertainty. ``excluded`` counts the cells left out. ``rho`` is the correlation of the errors of
    neighbours.
    """

    rate: FloatArray
    viscosity: FloatArray
    low: FloatArray
    high: FloatArray
    share: FloatArray
    count: NDArray[np.int64]
    uncertainty: FloatArray
    excluded: Mapping[str, int]
    rate_error: FloatArray | None = None
    rate_known_to: FloatArray | None = None
    rho: float = 0.0

    def __len__(self) -> int:
        return len(self.rate)

    @property
    def stress(self) -> FloatArray:
        """ηγ̇ (b,)."""
        return self.viscosity * self.rate

    @property
    def low_rate_slope(self) -> float:
        """d log τ / d log γ̇ over the lowest decade of rates: 0 for a yield stress, 1 for a plateau of η."""
        count = max(3, int(np.sum(self.rate <= _LOW_RATES * self.rate[0])))
        return float(np.polyfit(np.log(self.rate[:count]), np.log(self.stress[:count]), 1)[0])

    def trusted(self, margin: float = MARGIN) -> FlowCurve:
        """The bins whose shear rate is known to within the margin: what laws are told apart by. All where nothing is
        known of its error."""
        if self.rate_known_to is None or (chosen := self.rate_known_to <= margin).all():
            return self
        arrays: dict[str, Any] = {name: each for name, each in vars(self).items() if isinstance(each, np.ndarray)}
        return dataclasses.replace(self, **{name: values[chosen] for name, values in arrays.items()})

    def spanning(self, margin: float = MARGIN) -> FlowCurve:
        """The trusted bins where they span rates that show a law; else all, with their errors."""
        well = self.trusted(margin)
        return well if len(well) >= _FEWEST_BINS // 2 and well.rate[-1] >= RANGE_FACTOR * well.rate[0] else self

    @property
    def stress_fall(self) -> float:
        """The greatest certain fall of log τ with the rate."""
        return largest_change(self, -np.log(self.stress)).size if len(self) else 0.0

    def is_level(self, margin: float = MARGIN) -> bool:
        """Whether the stress is the same at all rates: two values differ by twice the margin at most, and no more than
        their errors beyond it."""
        return bool(len(self) and np.ptp(np.log(self.stress)) <= 2 * np.log1p(margin) + np.median(self.uncertainty))

    def of_bins(self) -> Numbers:
        """Evidence: the bins and their scatter."""
        yield "bins", len(self)
        yield "cells", int(self.count.sum())
        yield "scatter", np.median(self.high / self.low) - 1
        if self.rate_error is not None:
            yield "gradient_error", np.median(self.rate_error)

    def numbers(self) -> Numbers:
        """Evidence: the ends of the curve, its extremes and slopes."""
        yield "rate_min", self.rate[0]
        yield "rate_max", self.rate[-1]
        yield "eta_first", self.viscosity[0]
        yield "eta_last", self.viscosity[-1]
        yield "eta_min", self.viscosity.min()
        yield "eta_max", self.viscosity.max()
        yield "eta_mean", np.exp(np.mean(np.log(self.viscosity)))
        yield "stress_span", np.exp(np.ptp(np.log(self.stress)))
        if len(self) > 2:
            yield "low_rate_slope", self.low_rate_slope
            yield "flow_index", np.polyfit(np.log(self.rate), np.log(self.stress), 1)[0]


def flow_curve(
    rate: FloatArray,
    viscosity: FloatArray,
    weights: FloatArray,
    bin_by: FloatArray | None = None,
    moving: NDArray[np.bool_] | None = None,
    one_sided: NDArray[np.bool_] | None = None,
    error: FloatArray | None = None,
    of_stress: bool = False,
) -> FlowCurve:
    """The flow curve of cells with shear rates, viscosities and volumes (n,), NaN where unknown.

    Cells are binned by the logarithm of their shear rate, or of ``bin_by`` (n,). Left out, and
    counted, are cells without a value or a volume, cells whose gradient is ``one_sided`` (n,), cells
    at rest (where ``moving`` (n,) is False; by default see ``at_shear``), and cells of a viscosity
    that is not positive. Cells whose ``bin_by`` is not positive and finite have no bin.

    ``error`` (n,) is the systematic relative error of the shear rates, NaN where not known: where it is more than
    half, cells are left out, and of the others the median enters each bin's uncertainty, as far as it moves η(γ̇);
    ``of_stress`` says that the viscosity is a stress over these rates, and so wrong with them.
    """
    usable, excluded = _usable(
        viscosity,
        known=np.isfinite(rate) & np.isfinite(viscosity) & (weights > 0),
        moving=at_shear(rate) if moving is None else moving,
        one_sided=np.zeros(len(rate), bool) if one_sided is None else one_sided,
    )
    if error is not None:
        unknown = usable & (error > RATE_UNKNOWN)
        usable &= ~unknown
        excluded["unknown_rate"] = int(unknown.sum())
    if bin_by is not None:
        usable &= np.isfinite(bin_by) & (bin_by > 0)
    key = np.log((rate if bin_by is None else bin_by)[usable])
    order = np.argsort(key, kind="stable")
    chosen = np.flatnonzero(usable)[order]
    starts = _starts(key[order])
    groups = [cells for cells in np.split(chosen, starts[1:]) if len(cells)]
    bins = [_bin(np.log(rate[cells]), np.log(viscosity[cells]), weights[cells]) for cells in groups]
    rows = np.array(bins).reshape(-1, 8)
    ranked = np.argsort(rows[:, 0], kind="stable")
    curve = _assembled(rows[ranked], excluded)
    if error is None or not len(curve):
        return curve
    # The shift of log η at its rates is (s + 1)e of a stress and s e of a viscosity, s the slope d log η/d log γ̇. Of a
    # systematic error no number of cells makes less; bins whose error is not known take the largest.
    finite = [error[groups[i]][np.isfinite(error[groups[i]])] for i in ranked]
    medians = np.array([np.median(each) if len(each) else np.nan for each in finite])
    known = _without_dips(np.where(np.isnan(medians), np.max(medians, where=~np.isnan(medians), initial=0.0), medians))
    slope = np.gradient(np.log(curve.viscosity), np.log(curve.rate)) if len(curve) > 1 else np.zeros(1)
    shift = np.abs(slope + of_stress) * known
    uncertainty = np.hypot(curve.uncertainty, shift)
    return dataclasses.replace(curve, uncertainty=uncertainty, rate_error=shift, rate_known_to=known)


def _without_dips(error: FloatArray) -> FloatArray:
    """Errors (b,) no smaller than both neighbours': where a profile is symmetric two schemes agree by chance."""
    padded = np.pad(error, 1, mode="reflect") if len(error) > 1 else np.pad(error, 1)
    return np.maximum(error, np.minimum(padded[:-2], padded[2:]))


def _usable(
    viscosity: FloatArray, known: NDArray[np.bool_], moving: NDArray[np.bool_], one_sided: NDArray[np.bool_]
) -> tuple[NDArray[np.bool_], dict[str, int]]:
    trusted = known & ~one_sided
    deforming = trusted & moving
    usable = deforming & (viscosity > 0)
    excluded = {
        "invalid": int(np.sum(~known)),
        "one_sided": int(np.sum(known & one_sided)),
        "negligible_rate": int(np.sum(trusted & ~moving)),
        "nonpositive_viscosity": int(np.sum(deforming & ~usable)),
    }
    return usable, excluded


def at_shear(rate: FloatArray, size: FloatArray | None = None) -> NDArray[np.bool_]:
    """Where the shear rate (n,) is not negligible beside the largest, nor beside the largest ``size``
    √2 |L| (n,) of a gradient: nowhere in a body that turns as a whole."""
    fastest, largest = (
        float(np.max(each, where=np.isfinite(each), initial=0.0)) for each in (rate, rate if size is None else size)
    )
    largest = max(fastest, largest)
    return (rate > NEGLIGIBLE_RATE * largest) & (fastest > RIGID * largest)


def _starts(key: FloatArray) -> NDArray[np.int64]:
    """First positions of the bins of sorted logarithms, sparse bins joined with the next."""
    if not len(key):
        return np.zeros(1, np.int64)
    width = min(np.log(10) / BINS_PER_DECADE, (key[-1] - key[0]) / _FEWEST_BINS)
    if width <= 0:
        return np.zeros(1, np.int64)
    starts, fewest = [0], max(MIN_CELLS, int(MIN_SHARE * len(key)))
    for edge in np.searchsorted(key, np.arange(key[0], key[-1], width)):
        if edge - starts[-1] >= fewest:
            starts.append(int(edge))
    if len(starts) > 1 and len(key) - starts[-1] < fewest:
        starts.pop()
    return np.array(starts)


def _bin(log_rate: FloatArray, log_eta: FloatArray, weights: FloatArray) -> tuple[float, ...]:
    rate = interpolated_quantiles(log_rate, weights, (0.5,))[0]
    low, median, high = interpolated_quantiles(log_eta, weights, (0.1, 0.5, 0.9))
    # Kish's effective number: a bin of one large and many small cells is worth little more than one.
    effective = weights.sum() ** 2 / np.sum(weights**2)
    # Standard error of a median of any distribution, also that of two fluids in one bin: from the order statistics at
    # as many standard errors as a certain change needs, for a step from one fluid to the other has no tangent; nor
    # less than lets a change be the largest gap among the values, which is the other fluid's distance.
    reach = CERTAIN * 0.5 / np.sqrt(effective)
    below, above = interpolated_quantiles(log_eta, weights, (0.5 - reach, 0.5 + reach))
    gaps = np.diff(np.clip(np.sort(log_eta), low, high))
    error = float(max((above - below) / 2, np.max(gaps, initial=0.0))) / CERTAIN
    return rate, low, median, high, weights.sum(), len(weights), effective, error


def _assembled(bins: FloatArray, excluded: Mapping[str, int]) -> FlowCurve:
    rate, low, median, high, volume, count, effective, error = bins.T
    scatter = (high - low) / _DECILES
    pooled = np.median(scatter) if len(scatter) else 0.0
    variance = (count * scatter**2 + _PRIOR_CELLS * pooled**2) / (count + _PRIOR_CELLS)
    return FlowCurve(
        rate=np.exp(rate),
        viscosity=np.exp(median),
        low=np.exp(low),
        high=np.exp(high),
        share=volume / max(volume.sum(), 1e-300),
        count=count.astype(np.int64),
        uncertainty=np.maximum(error, _MEDIAN_ERROR * np.sqrt(variance / np.maximum(effective, 1.0))),
        excluded=excluded,
    )


def sampled_curve(rate: FloatArray, viscosity: FloatArray) -> FlowCurve:
    """The curve of a model, exact at shear rates (b,) that rise."""
    shares = np.full(len(rate), 1 / max(len(rate), 1))
    count = np.ones(len(rate), np.int64)
    return FlowCurve(rate, viscosity, viscosity, viscosity, shares, count, np.zeros(len(rate)), {})


@dataclass(frozen=True)
class Change:
    """A change of log η by ``size`` between two shear rates ``low`` < ``high``; size 0 for none."""

    size: float = 0.0
    low: float = np.nan
    high: float = np.nan


@dataclass(frozen=True)
class Trend:
    """What a flow curve does: the greatest certain ``fall`` and ``rise`` of log η with rate, and by
    how much log η departs from its mean: ``at_least`` for certain (0 where nothing is), ``at_most``
    as far as the scatter leaves possible (95 %)."""

    fall: Change = Change()
    rise: Change = Change()
    at_least: float = 0.0
    at_most: float = np.inf

    def shape(self, error: float = 0.0, margin: float = MARGIN) -> Shape:
        """Constant within the margin, falling, rising, both, or not known well enough to say, where log η may have a
        systematic error that differs by ``error`` from bin to bin."""
        log_margin = np.log1p(margin)
        if self.at_least <= log_margin + error:
            return "constant" if self.at_most <= log_margin else "open"
        smaller, larger = sorted((self.fall.size, self.rise.size))
        if smaller > 2 * log_margin + error:
            return "both"
        if not larger:
            return "open"
        return "falls" if self.fall.size == larger else "rises"

    def numbers(self) -> Numbers:
        """Evidence: how far from constant the viscosity is, and its certain changes."""
        yield "departure_least", np.expm1(self.at_least)
        yield "departure_most", np.expm1(max(self.at_most, self.at_least))
        for name, change in (("fall", self.fall), ("rise", self.rise)):
            yield f"{name}_factor", np.exp(change.size)
            if change.size:
                yield f"{name}_rate_low", change.low
                yield f"{name}_rate_high", change.high


def trend(curves: Sequence[FlowCurve]) -> Trend:
    """The trend that all curves of one field agree on: of each number the least.

    For curves that differ by more than errors of a gradient do, what may be is the most.
    An error of the gradient makes η fall within bins of equal rate, an error of the stress makes it
    rise within bins of equal stress; the truth lies between the two (Frisch 1934, bounds of the
    regression with errors in both variables).
    """
    each = [_trend(curve) for curve in curves if len(curve)]
    if not each:
        return Trend()
    least, most = (choice(t.at_most for t in each) for choice in (min, max))
    return Trend(
        fall=min((t.fall for t in each), key=lambda change: change.size),
        rise=min((t.rise for t in each), key=lambda change: change.size),
        at_least=min(t.at_least for t in each),
        at_most=most if most - least > CERTAIN * GRADIENT_ERROR else least,
    )


def _trend(curve: FlowCurve) -> Trend:
    log_eta = np.log(curve.viscosity)
    certain = np.abs(log_eta - log_eta.mean()) - CERTAIN * curve.uncertainty
    return Trend(
        fall=largest_change(curve, -log_eta),
        rise=largest_change(curve, log_eta),
        at_least=max(0.0, float(certain.max())),
        # Where two fluids share the bins their median may be flat: no bound is below the bins' own error.
        at_most=max(departure(curve), float(np.sqrt(np.sum(curve.share * curve.uncertainty**2)))),
    )


def largest_change(curve: FlowCurve, values: FloatArray, certain: float = CERTAIN) -> Change:
    """The greatest increase of the values from a lower to a higher rate, less ``certain`` standard errors."""
    error = np.hypot.outer(curve.uncertainty, curve.uncertainty)
    gain = np.triu(values[None, :] - values[:, None] - certain * error, 1)
    if not gain.size or gain.max() <= 0:
        return Change()
    low, high = np.unravel_index(np.argmax(gain), gain.shape)
    return Change(float(gain.max()), float(curve.rate[low]), float(curve.rate[high]))


def departure(curve: FlowCurve, bound: float = BOUND, degree: int = 2) -> float:
    """Largest departure of a polynomial through log η(log γ̇) from its mean, plus ``bound`` standard errors."""
    log_eta = np.log(curve.viscosity)
    if len(curve) < 2:
        return np.inf
    x = np.log(curve.rate / curve.rate[0])
    basis = np.vander(x / max(x[-1], 1e-300), min(degree + 1, len(curve)))
    errors = np.maximum(curve.uncertainty, 1e-6)
    weighted = basis / errors[:, None]
    coefficients, _, _, _ = np.linalg.lstsq(weighted, log_eta / errors, rcond=None)
    centred = basis - basis.mean(axis=0)
    # How much larger the residuals' variance is than the scatter within the bins explains, at least 1.
    freedom = len(log_eta) - basis.shape[1]
    square = float(np.sum(((log_eta - basis @ coefficients) / errors) ** 2))
    excess = max(1.0, square / freedom) if freedom > 0 else 1.0
    inverse = np.linalg.pinv(weighted.T @ weighted)
    covariance = inverse * excess
    if curve.rho:
        covariance = covariance @ (weighted.T @ correlations(len(curve), curve.rho) @ weighted) @ inverse
    spread = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", centred, covariance, centred), 0.0))
    return float(np.max(np.abs(centred @ coefficients) + bound * spread))
