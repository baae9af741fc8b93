"""Measured flow curve: every viscosity model fitted to its points, and the verdict on the fluid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad.errors import OptionError
from flowgrad.reprs import ReprMixin
from flowgrad.rheology import thresholds
from flowgrad.rheology.evidence import Numbers, of_curve, of_trend
from flowgrad.rheology.fit import MIN_POINTS, SMALLEST_MISFIT, Fit, fit_models
from flowgrad.rheology.flow_curve import FlowCurve, Trend, departure
from flowgrad.rheology.measured_trend import (
    MEDIAN_DEVIATION,
    Noise,
    bound_quantile,
    certain_quantile,
    degree_of,
    law_departure,
    noise_of,
    point_trend,
    typical_noise,
)
from flowgrad.rheology.model import Model
from flowgrad.rheology.models import Newtonian
from flowgrad.rheology.verdict import Observed, Verdict, class_of_law, class_weights, decide, rate_factor
from flowgrad.rheology.wording import measured_sentence
from flowgrad.typing import FloatArray

_REASONS = {
    "missing": "without a number",
    "nonpositive_rate": "with a shear rate that is not positive",
    "nonpositive_stress": "with a stress that is not positive",
    "nonpositive_sigma": "with a standard deviation that is not positive",
    "repeated_row": "that repeat another one",
}


@dataclass(frozen=True, eq=False)
class Points(ReprMixin):
    """Usable points sorted by rate: ``rate``, ``stress`` and, where known, ``sigma`` (m,); ``used`` (m,) are their rows
    among those given, ``excluded`` counts the others by reason."""

    rate: FloatArray
    stress: FloatArray
    sigma: FloatArray | None
    used: NDArray[np.intp]
    excluded: Mapping[str, int]

    @property
    def notes(self) -> list[str]:
        """What was left out and what stands more than once, in words."""
        notes = [
            f"left out: {count} point{'s' * (count > 1)} {_REASONS[reason]}" for reason, count in self.excluded.items()
        ]
        repeats = len(self.rate) - len(np.unique(self.rate))
        if repeats:
            notes.append(f"{repeats} shear rate{'s' * (repeats > 1)} measured more than once: each point counts")
        return notes


def usable_points(rate: ArrayLike, stress: ArrayLike, sigma: ArrayLike | None = None) -> Points:
    """The points that a flow curve can use, of shear rates, stresses and standard deviations (n,).

    Left out and counted are rows with a NaN, with a rate, stress or standard deviation that is not positive, and
    repeated rows. Raises OptionError for what are no numbers or not (n,) each, for a stress of the wrong sign, and
    for fewer than four points or different shear rates.
    """
    columns = [_column(rate, "shear rates"), _column(stress, "stresses")]
    columns += [] if sigma is None else [_column(sigma, "sigma")]
    if len({len(column) for column in columns}) != 1:
        raise OptionError(f"the columns have {[len(c) for c in columns]} values: give as many stresses as shear rates")
    why = _why_not(columns)
    _check_sign(*columns[:2])
    used = np.flatnonzero(why == "")
    excluded = {reason: int(np.sum(why == reason)) for reason in _REASONS if (why == reason).any()}
    _check_count(columns[0][used], len(why), excluded)
    used = used[np.argsort(columns[0][used], kind="stable")]
    return Points(columns[0][used], columns[1][used], None if sigma is None else columns[2][used], used, excluded)


def _column(values: Any, name: str) -> FloatArray:
    if np.ma.isMaskedArray(values):
        values = np.ma.filled(values.astype(float), np.nan)
    try:
        array = np.asarray(values, float)
    except (TypeError, ValueError):
        raise OptionError(f"the {name} are not all numbers: give an array (n,) of them") from None
    if array.ndim != 1:
        raise OptionError(f"the {name} have the shape {array.shape}: give an array (n,)")
    return array


def _why_not(columns: list[FloatArray]) -> NDArray[np.str_]:
    """The reason why each row cannot be used; empty for one that can."""
    why = np.full(len(columns[0]), "", "U20")
    rows = np.stack(columns, axis=1)
    _, first = np.unique(rows, axis=0, return_index=True)
    why[np.setdiff1d(np.arange(len(rows)), first)] = "repeated_row"
    for reason, column in reversed(list(zip(list(_REASONS)[1:], columns, strict=False))):
        why[~(column > 0)] = reason
    why[~np.isfinite(rows).all(axis=1)] = "missing"
    return why


def _check_sign(rate: FloatArray, stress: FloatArray) -> None:
    sheared = np.isfinite(rate) & np.isfinite(stress) & (rate > 0)
    negative = int(np.sum(stress[sheared] < 0))
    if 2 * negative > np.sum(sheared):
        raise OptionError(
            f"{negative} of {int(np.sum(sheared))} stresses are negative at positive shear rates: give the stress "
            "with the other sign"
        )


def _check_count(rate: FloatArray, given: int, excluded: Mapping[str, int]) -> None:
    different = len(np.unique(rate))
    if different >= MIN_POINTS:
        return
    left_out = "; ".join(f"{count} {_REASONS[reason]}" for reason, count in excluded.items())
    raise OptionError(
        f"{len(rate)} of {given} points can be used, at {different} different shear rates"
        f"{f' (left out: {left_out})' if left_out else ''}, which cannot tell one law from another: give at least "
        f"{MIN_POINTS}"
    )


# Advice is for a little more than what would just do.
_SLACK = 0.9


def numbers(found: FlowCurveFit) -> dict[str, float]:
    """The range, the trend, the noise, the classes' weights, the points left out, and what is missing."""
    known: dict[str, float] = {"margin": found.margin, "points": len(found.rate), "noise": found.noise.size}
    known |= dict(of_curve(found.curve)) | dict(of_trend(found.trend))
    known |= {f"weight_{name.replace('-', '_')}": weight for name, weight in found.weights.items()}
    known |= {f"excluded_{reason}": count for reason, count in found.excluded.items()}
    if found.verdict is Verdict.YIELD_STRESS:
        known["yield_stress"] = found.best.model.yield_stress or float(found.best.model.stress(found.rate[0]))
    if found.verdict is Verdict.NOT_DECIDED:
        known |= dict(_missing(found))
    return {name: float(value) for name, value in known.items() if np.isfinite(value)}


def _missing(found: FlowCurveFit) -> Numbers:
    """How much less noise, or how many points of this noise, would tell whether η leaves the margin."""
    log_margin, freedom = np.log1p(found.margin), found.noise.freedom
    if rate_factor(found.curve) < thresholds.RANGE_FACTOR or found.trend.at_least > log_margin:
        return
    degree, bound = degree_of(found.curve), bound_quantile(freedom)
    bare = departure(found.curve, 0.0, degree)
    spread = (departure(found.curve, bound, degree) - bare) / bound
    estimate = max(bare, law_departure(found.curve, found.contrary))
    inside = estimate < log_margin
    # With more points the quantiles are those of a known noise.
    allowed = (log_margin - estimate) / bound_quantile(np.inf) if inside else estimate - log_margin
    allowed /= 1.0 if inside else certain_quantile(np.inf)
    factor = _SLACK * min(1.0, allowed / max(spread, 1e-300))
    yield "noise_needed", found.noise.size * factor
    yield "points_needed", np.ceil(len(found.rate) / max(factor, 1e-3) ** 2)


# A point further from the best law than so many times the noise is an outlier.
_OUTLYING = 5.0


def fit_flow_curve(
    rate: ArrayLike,
    stress: ArrayLike,
    sigma: ArrayLike | None = None,
    *,
    absolute_sigma: bool = False,
    models: Iterable[str | type[Model]] | None = None,
    margin: float = thresholds.MARGIN,
    residual: str = "relative",
) -> FlowCurveFit:
    """Fit every viscosity law to a measured flow curve and say whether the fluid is Newtonian.

    ``rate`` (n,) are shear rates (1/T), ``stress`` (n,) shear stresses. Residuals are weighted by 1/stress, or by
    1/``sigma`` (n,), standard deviations of the stress: relative ones, whose size the scatter gives, or with
    ``absolute_sigma`` as they are. ``models`` are the laws to compare (all of them by default). Newtonian means
    that η stays within ±``margin`` of its log-mean over the measured range, with 95 % confidence. ``residual`` is
    ``relative``, (model − stress)/stress, or ``log``.

    Rows that cannot be used are left out and counted. Raises OptionError for what are no numbers or not (n,) each,
    a stress of the wrong sign, fewer than four different shear rates, unknown laws and an impossible margin.
    """
    if not 0 < margin < 1:
        raise OptionError(f"the margin is {margin:g}: give a part of the viscosity between 0 and 1, such as 0.05")
    points = usable_points(rate, stress, sigma)
    ranking = fit_models(
        points.rate, points.stress, points.sigma, models, residual, SMALLEST_MISFIT, absolute_sigma=absolute_sigma
    )
    if not ranking:
        raise OptionError(f"{len(points.rate)} points are too few for the laws that were asked for: give more points")
    return FlowCurveFit(points, ranking, margin, absolute_sigma)


@dataclass(frozen=True, eq=False)
class FlowCurveFit(
    ReprMixin,
    line="points margin",
    table="verdict sentence best rate stress viscosity weights excluded notes",
):
    """What a flow curve shows: the ``ranking`` of the laws by Akaike's criterion, best first, and the verdict.

    Holds the ``points`` that were used and the ``margin`` of a constant viscosity.
    """

    points: Points
    ranking: tuple[Fit, ...] = field(repr=False)
    margin: float = thresholds.MARGIN
    absolute_sigma: bool = False

    @property
    def rate(self) -> FloatArray:
        """Shear rates (m,) of the points used, rising."""
        return self.points.rate

    @property
    def stress(self) -> FloatArray:
        """Stresses (m,) of the points used."""
        return self.points.stress

    @property
    def viscosity(self) -> FloatArray:
        """η = τ/γ̇ (m,) of the points used."""
        return self.points.stress / self.points.rate

    @property
    def excluded(self) -> Mapping[str, int]:
        """How many points were left out, by reason."""
        return self.points.excluded

    @cached_property
    def best(self) -> Fit:
        """The best law that agrees with the verdict, as within its margin a Newtonian fluid may suit a law with
        more parameters better; the first of the ranking where none does."""
        if self.verdict is Verdict.NEWTONIAN:
            constant = [fit for fit in self.ranking if isinstance(fit.model, Newtonian)]
            return (constant or self.ranking)[0]
        agrees = (fit for fit in self.ranking if class_of_law(fit.model, self.curve, self.margin) is self.verdict)
        return next(agrees, self.ranking[0])

    @cached_property
    def noise(self) -> Noise:
        """The points' scatter as a part of the stress (root mean square), with its degrees of freedom."""
        if self.absolute_sigma:
            return Noise(float(np.sqrt(np.mean(self._scale**2))), np.inf)
        return noise_of(self._curve(np.zeros(len(self.rate))), self._scale, self.ranking[0], SMALLEST_MISFIT)

    @cached_property
    def curve(self) -> FlowCurve:
        """The points with the standard error of each log η."""
        return self._curve(self._scale * (1.0 if self.absolute_sigma else self.noise.size))

    @cached_property
    def trend(self) -> Trend:
        """The certain changes of η with the shear rate, and how far from constant it may be."""
        return point_trend(self.curve, self.contrary, self.noise.freedom)

    @property
    def contrary(self) -> tuple[Fit, ...]:
        """The laws where they exclude a constant viscosity; else none, for a law may suit a single odd point."""
        constant = self.weights.get(Verdict.NEWTONIAN, 0.0)
        return self.ranking if constant <= 1 - thresholds.CLASS_WEIGHT else ()

    @cached_property
    def verdict(self) -> Verdict:
        """What the fluid is, as far as these points show."""
        return decide(Observed(self.curve, self.trend, self.ranking, margin=self.margin))

    @cached_property
    def weights(self) -> dict[Verdict, float]:
        """The laws' Akaike weights, summed over what each law is in the measured range."""
        return class_weights(self.ranking, self.curve, self.margin)

    @cached_property
    def outliers(self) -> NDArray[np.bool_]:
        """Which points (m,) the best law misses by more than five times their typical deviation."""
        deviation = np.abs(self.best.residuals / self._scale)
        return deviation > _OUTLYING * max(float(np.median(deviation)) / MEDIAN_DEVIATION, SMALLEST_MISFIT)

    @cached_property
    def evidence(self) -> dict[str, float]:
        """The numbers that the verdict rests on."""
        return numbers(self)

    @cached_property
    def sentence(self) -> str:
        """The verdict and its reason, in words."""
        return measured_sentence(self.verdict, self.evidence, self.best)

    @property
    def notes(self) -> tuple[str, ...]:
        """What else a reader has to know: points left out, repeated rates, outliers, a stress that falls."""
        notes = self.points.notes
        if self.outliers.any():
            at = ", ".join(f"{rate:.3g}" for rate in self.rate[self.outliers])
            notes.append(f"far from the best law, but used: the points at the shear rates {at}")
        if self._falling:
            low, high = self._falling
            notes.append(
                f"the stress falls between the shear rates {low:.3g} and {high:.3g}: no homogeneous steady flow does "
                "that, so slip, shear bands or a transient may be seen there"
            )
        return tuple(notes)

    def __str__(self) -> str:
        return self.sentence

    @property
    def _scale(self) -> FloatArray:
        """Relative error of each point in units of the noise; its own where sigma is absolute."""
        if self.points.sigma is None:
            return np.ones(len(self.rate))
        relative = self.points.sigma / self.points.stress
        return relative if self.absolute_sigma else relative * np.sqrt(np.mean(relative**-2.0))

    @property
    def _falling(self) -> tuple[float, float] | None:
        """Shear rates between which the stress falls for certain."""
        stress = self.stress
        drop = np.triu(np.subtract.outer(np.log(stress), np.log(stress)), 1)
        error = self._scale * max(typical_noise(self.curve, self._scale), SMALLEST_MISFIT)
        drop -= thresholds.CERTAIN * np.hypot.outer(error, error)
        low, high = np.unravel_index(int(np.argmax(drop)), drop.shape)
        return (float(self.rate[low]), float(self.rate[high])) if drop[low, high] > 0 and low < high else None

    def _curve(self, errors: FloatArray) -> FlowCurve:
        eta, count = self.viscosity, len(self.rate)
        shares = np.full(count, 1 / count)
        return FlowCurve(self.rate, eta, eta, eta, shares, np.ones(count, np.int64), errors, self.excluded)
