"""Measured flow curve: every viscosity model fitted to its points, and the verdict on the fluid."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad.errors import OptionError
from flowgrad.reprs import ReprMixin
from flowgrad.rheology import thresholds, wording
from flowgrad.rheology.bootstrap import selection_frequencies
from flowgrad.rheology.classes import Verdict, class_weights, weight_key
from flowgrad.rheology.evidence import EXCLUDED
from flowgrad.rheology.finding import Finding, HasFinding, judge, known
from flowgrad.rheology.fit import MIN_POINTS, SMALLEST_MISFIT, Fit, fit_models
from flowgrad.rheology.flow_curve import FlowCurve
from flowgrad.rheology.measured_trend import (
    MEDIAN_DEVIATION,
    Noise,
    differences,
    noise_of,
    noise_that_decides,
    point_trend,
)
from flowgrad.rheology.model import Model
from flowgrad.rheology.residuals import is_missed
from flowgrad.typing import FloatArray

# Why a point cannot be used, the first that holds; each has a record among the evidence.
_REASONS = ("missing", "nonpositive_rate", "nonpositive_stress", "nonpositive_sigma", "repeated_row")


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
    def left_out(self) -> list[str]:
        """Numbers and reasons of the points that were left out, in words."""
        reasons = [(count, EXCLUDED[f"excluded_{reason}"].meaning) for reason, count in self.excluded.items()]
        return [f"{count} point{'s' * (count > 1)} {meaning}" for count, meaning in reasons]

    @property
    def notes(self) -> list[str]:
        """What was left out and what stands more than once, in words."""
        notes = [f"left out: {each}" for each in self.left_out]
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
    sheared = np.isfinite(columns[0]) & np.isfinite(columns[1]) & (columns[0] > 0)
    negative = int(np.sum(columns[1][sheared] < 0))
    if 2 * negative > np.sum(sheared):
        raise OptionError(
            f"{negative} of {int(np.sum(sheared))} stresses are negative at positive shear rates: give the stress "
            "with the other sign"
        )
    used = np.flatnonzero(why == "")
    used = used[np.argsort(columns[0][used], kind="stable")]
    excluded = {reason: int(np.sum(why == reason)) for reason in _REASONS if (why == reason).any()}
    kept = [column[used] for column in columns]
    points = Points(kept[0], kept[1], kept[2] if len(kept) > 2 else None, used, excluded)
    different = len(np.unique(points.rate))
    if different < MIN_POINTS:
        left_out = f" (left out: {'; '.join(points.left_out)})" if excluded else ""
        raise OptionError(
            f"{len(used)} of {len(why)} points can be used, at {different} different shear rates{left_out}, which "
            f"cannot tell one law from another: give at least {MIN_POINTS}"
        )
    return points


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
    for reason, column in reversed(list(zip(_REASONS[1:], columns, strict=False))):
        why[~(column > 0)] = reason
    why[~np.isfinite(rows).all(axis=1)] = "missing"
    return why


# A point further from the best model than so many times the noise is an outlier.
_OUTLYING = 5.0
# Residuals of a smaller correlation than the first, or that widen no interval by the second, are not worth a note.
_CORRELATED, _WIDENED = 0.3, 1.05


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
    """Fit every viscosity model to a measured flow curve and say whether the fluid is Newtonian.

    ``rate`` (n,) are shear rates (1/T), ``stress`` (n,) shear stresses. Residuals are weighted by 1/stress, or by
    1/``sigma`` (n,), standard deviations of the stress: relative ones, whose size the scatter gives, or with
    ``absolute_sigma`` as they are. ``models`` are the models to compare (all of them by default). Newtonian means
    that η stays within ±``margin`` of its log-mean over the measured range, with 95 % confidence. ``residual`` is
    ``relative``, (model − stress)/stress, or ``log``.

    Rows that cannot be used are left out and counted. Raises OptionError for what are no numbers or not (n,) each,
    a stress of the wrong sign, fewer than four different shear rates, unknown models and an impossible margin.
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
    HasFinding,
    line="points margin",
    table="verdict sentence best rate stress viscosity weights excluded notes",
):
    """What a flow curve shows: the ``ranking`` of the models by Akaike's criterion, best first, and the verdict.

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

    @property
    def best(self) -> Fit:
        """The best model that agrees with the verdict, as within its margin a Newtonian fluid may suit a model with
        more parameters better; the first of the ranking where none does."""
        return self.finding.law or self.ranking[0]

    @cached_property
    def noise(self) -> Noise:
        """The points' scatter as a part of the stress (root mean square), with its degrees of freedom."""
        if self.absolute_sigma:
            return Noise(float(np.sqrt(np.mean(self._scale**2))), np.inf)
        return noise_of(self.rate, self.viscosity, self._scale, self.ranking[0], SMALLEST_MISFIT)

    @cached_property
    def curve(self) -> FlowCurve:
        """The points with the standard error of each log η."""
        eta, count = self.viscosity, len(self.rate)
        shares, ones = np.full(count, 1 / count), np.ones(count, np.int64)
        errors = self._scale * (1.0 if self.absolute_sigma else self.noise.size)
        return FlowCurve(self.rate, eta, eta, eta, shares, ones, errors, self.excluded, rho=self.noise.rho)

    @cached_property
    def weights(self) -> dict[Verdict, float]:
        """The models' Akaike weights, summed over what each model is in the measured range."""
        return class_weights(self.ranking, self.curve, self.margin)

    @cached_property
    def bootstrapped(self) -> dict[Verdict, float]:
        """How often the best law of a curve that the best one may have made is of each class: 100 draws, 0.2 s for 25
        points; none where the best law misses the points, which it then has not made."""
        if is_missed(self.ranking[0], self.curve):
            return {}
        drawn = selection_frequencies(self.ranking)
        fits = tuple(replace(fit, weight=float(each)) for fit, each in zip(self.ranking, drawn, strict=True))
        return class_weights(fits, self.curve, self.margin)

    @property
    def contrary(self) -> tuple[Fit, ...]:
        """The models where they exclude a constant viscosity; else none, for a model may suit a single odd point."""
        constant = self.weights.get(Verdict.NEWTONIAN, 0.0)
        return self.ranking if constant <= 1 - thresholds.CLASS_WEIGHT else ()

    @cached_property
    def finding(self) -> Finding:
        """The verdict, with the trend and the numbers that it rests on."""
        trend = point_trend(self.curve, self.contrary, self.noise)
        evidence: list[tuple[str, float]] = [("margin", self.margin), ("points", len(self.rate))]
        evidence += [("noise", self.noise.size), *self.curve.numbers(), *trend.numbers()]
        evidence += [(weight_key(name), weight) for name, weight in self.weights.items()]
        evidence += [(f"excluded_{reason}", count) for reason, count in self.excluded.items()]
        return judge(self.curve, trend, self.ranking, self.margin, evidence=evidence)

    @cached_property
    def evidence(self) -> dict[str, float]:
        """The numbers of the finding, the yield stress, and what would decide where nothing is."""
        more = dict(self.finding.of_law())
        if self.verdict is Verdict.NOT_DECIDED:
            more |= noise_that_decides(self.curve, self.trend, self.noise, self.contrary, self.margin)
        return {**self.finding.evidence, **known(more.items())}

    @cached_property
    def sentence(self) -> str:
        """The verdict and its reason, in words."""
        return wording.of_points(self.finding, self.evidence)

    def __str__(self) -> str:
        return self.sentence

    @cached_property
    def outliers(self) -> NDArray[np.bool_]:
        """Which points (m,) the best model misses by more than five times their typical deviation."""
        deviation = np.abs(self.best.residuals / self._scale)
        typical = float(np.median(deviation)) / MEDIAN_DEVIATION
        return deviation > _OUTLYING * max(typical, SMALLEST_MISFIT)

    @property
    def notes(self) -> tuple[str, ...]:
        """What else a reader has to know: points left out, repeated rates, outliers, a stress that falls."""
        notes = self.points.notes
        if self.outliers.any():
            at = ", ".join(f"{rate:.3g}" for rate in self.rate[self.outliers])
            notes.append(f"far from the best law, but used: the points at the shear rates {at}")
        serial = self.best.serial_correlation
        if serial and serial.rho > _CORRELATED and serial.inflation.max() > _WIDENED**2 and self.best.intervals:
            notes.append(str(serial))
        log_stress = np.log(self.stress)
        # By a median, which steps and outliers do not raise.
        local = np.median(np.abs(differences(self.rate, self.viscosity, self._scale)))
        error = self._scale * max(float(local) / MEDIAN_DEVIATION, SMALLEST_MISFIT)
        drop = np.triu(np.subtract.outer(log_stress, log_stress), 1)
        drop -= thresholds.CERTAIN * np.hypot.outer(error, error)
        low, high = np.unravel_index(int(np.argmax(drop)), drop.shape)
        if drop[low, high] > 0 and low < high:
            notes.append(
                f"the stress falls between the shear rates {self.rate[low]:.3g} and {self.rate[high]:.3g}: no "
                "homogeneous steady flow does that, so slip, shear bands or a transient may be seen there"
            )
        return tuple(notes)

    @property
    def _scale(self) -> FloatArray:
        """Relative error of each point in units of the noise; its own where sigma is absolute."""
        if self.points.sigma is None:
            return np.ones(len(self.rate))
        relative = self.points.sigma / self.points.stress
        return relative if self.absolute_sigma else relative * np.sqrt(np.mean(relative**-2.0))
