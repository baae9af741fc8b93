"""Viscosity models fitted to a rheometer's curves: verdict, loop of two ramps, confidence band of the fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.rheology.classes import Verdict
from flowgrad.rheology.fit import Fit
from flowgrad.rheology.measured_curve import FlowCurveFit, fit_flow_curve
from flowgrad.rheometer.curve import RheometerCurve
from flowgrad.rheometer.options import deviation
from flowgrad.rheometer.quality import Hysteresis, hysteresis
from flowgrad.typing import FloatArray

# Of the band about a fit.
_CONFIDENCE = 0.95
# Combinations of parameters that the data see less than this part of the best known are not known.
_SEEN = 1e-6
# Classes of a smaller weight and probability are not told.
_LEAST = 1e-3
# A loop whose area is a smaller part of that under the ramp up is within what a ramp repeats.
THIXOTROPIC = 0.02


@dataclass(frozen=True, eq=False)
class Examined:
    """A curve, the fit with its verdict and, for a ramp up with the ramp ``down`` after it, their ``loop``."""

    curve: RheometerCurve
    fit: FlowCurveFit
    loop: Hysteresis | None = None
    down: RheometerCurve | None = None
    bootstrap: bool = False

    @property
    def probabilities(self) -> dict[Verdict, tuple[float, float]]:
        """Akaike weight and bootstrapped probability of each class that has one of a thousandth, the likeliest first;
        none unless the class is open or ``bootstrap`` asks for them, and where no law suits the points."""
        drawn = self.fit.bootstrapped if self.bootstrap or self.fit.classes else {}
        weights = self.fit.classes or self.fit.weights
        both = {each: (weights.get(each, 0.0), drawn.get(each, 0.0)) for each in {**weights, **drawn} if drawn}
        ranked = sorted(both.items(), key=lambda item: item[1], reverse=True)
        return {each: pair for each, pair in ranked if max(pair) >= _LEAST}

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know: of the reading, of the fit, of the loop."""
        loop = () if self.loop is None else (loop_in_words(self.loop),)
        tail = (tail_in_words(self.curve),) if self.curve.tail else ()
        # The fit says the same of a falling tail, less of it.
        of_fit = [each for each in self.fit.notes if not (tail and each.startswith("the stress falls"))]
        return (*self.curve.notes, *tail, *of_fit, *loop)

    def summary(self) -> dict[str, Any]:
        """Everything a machine may want to know, as Python types."""
        curve, fit, known = self.curve, self.fit, self.probabilities
        return {
            "name": curve.name,
            **fit.told,
            **({"bootstrapped": {each.value: drawn for each, (_, drawn) in known.items()}} if known else {}),
            "statement": fit.sentence,
            "evidence": dict(fit.evidence),
            "ranking": [_described(each) for each in fit.ranking],
            "sample": curve.sample,
            "ramp": curve.ramp or None,
            "temperature": curve.temperature,
            "units": {"rate": "1/s", "stress": "Pa", "viscosity": "Pa s"} if curve.is_si else None,
            "points": {
                "rate": curve.rate,
                "stress": curve.stress,
                **({} if curve.sigma is None else {"sigma": curve.sigma}),
            },
            "excluded": {**curve.excluded, **fit.excluded},
            "set_aside": [{"reason": e.reason, "rate": e.rate, "stress": e.stress} for e in curve.set_aside],
            "limits": vars(curve.limits),
            "hysteresis": None if self.loop is None else vars(self.loop),
            "notes": list(self.notes),
        }


def _described(fit: Fit) -> dict[str, Any]:
    return {
        "law": fit.model.name,
        "model": str(fit.model),
        "parameters": fit.parameters,
        "intervals": {key: list(ends) for key, ends in fit.intervals.items()},
        "undetermined": list(fit.undetermined),
        "chi2": fit.chi2,
        "misfit": fit.misfit,
        "aicc": fit.aicc,
        "weight": fit.weight,
        "correlation": fit.correlation,
        "residuals": fit.residuals,
        "citation": fit.model.citation,
    }


def examine(
    curves: Sequence[RheometerCurve],
    models: Iterable[str] | None = None,
    margin: float = 0.05,
    sigma: FloatArray | float | str | None = None,
    bootstrap: bool = False,
) -> list[Examined]:
    """Fit the laws to every curve, and measure the loop of each ramp up with the ramp down after it.

    ``sigma`` is the standard deviation of the stress, taken as it is: a number [Pa], or a text such as ``3%`` of the
    stress or ``3%+0.1``, both; without it, the column of the table gives weights, and without that all stresses are
    known to the same fraction; the size is found from the scatter. ``bootstrap`` asks for class probabilities of every
    curve. A curve of too few points is left out, which the
    notes of the others say; OptionError where none has enough.
    """
    chosen = None if models is None else list(models)
    found: list[Examined] = []
    failures: list[OptionError] = []
    for curve, after in zip(curves, [*curves[1:], None], strict=True):
        try:
            found.append(replace(_examined(curve, after, chosen, margin, sigma), bootstrap=bootstrap))
        except OptionError as error:
            failures.append(error)
    if failures and not found:
        raise failures[0]
    notes = [f"left out of this file: {'; '.join(map(str, failures))}"] if failures else []
    return [replace(each, curve=each.curve.noted(*notes)) for each in found]


def _examined(
    curve: RheometerCurve, after: RheometerCurve | None, models: list[str] | None, margin: float, sigma: Any
) -> Examined:
    known, absolute = curve.sigma, sigma is not None
    if absolute:
        relative, floor = deviation(sigma)
        known = np.hypot(relative * curve.stress, floor)
    try:
        fit = fit_flow_curve(curve.rate, curve.stress, known, absolute_sigma=absolute, models=models, margin=margin)
    except OptionError as error:
        raise OptionError(f"{curve.name}: {error}") from None
    if after is None or (curve.ramp, after.ramp) != ("up", "down") or curve.sample != after.sample:
        return Examined(curve, fit)
    # A falling tail is no part of a loop.
    end = len(curve) - curve.tail
    up = replace(curve, rate=curve.rate[:end], stress=curve.stress[:end])
    return Examined(curve, fit, hysteresis(up, after), after)


def tail_in_words(curve: RheometerCurve) -> str:
    """What a stress that falls at the highest rates may mean."""
    low, high = curve.rate[-curve.tail - 1], curve.rate[-1]
    return (
        f"the stress falls with the shear rate from {low:.4g} to {high:.4g}, as where a sample leaves the gap, slips "
        f"or breaks: leave these {curve.tail} points out with --rates :{low:.4g} if so"
    )


def loop_in_words(loop: Hysteresis) -> str:
    """What the loop of two ramps says."""
    size = f"{100 * abs(loop.relative):.2g} % of the area under the ramp up, {abs(loop.area):.3g} Pa/s"
    span = f"between the shear rates {loop.low:.4g} and {loop.high:.4g}"
    if loop.absolute < THIXOTROPIC:
        return f"the ramps up and down agree {span} (the loop is {size}): no thixotropy seen"
    if abs(loop.relative) < 0.5 * loop.absolute:
        return f"the ramps up and down cross {span}: they differ by {100 * loop.absolute:.2g} % of the area under one"
    kind = "thixotropic" if loop.relative > 0 else "anti-thixotropic (rheopectic)"
    return f"the ramps up and down form a loop {span}, {size}: {kind}, so a single law is that of one history"


def band(fit: Fit, rate: FloatArray, at: FloatArray, sigma: FloatArray | None = None) -> FloatArray:
    """Factors (m,) by which the stress at shear rates ``at`` (m,) may be off, with 95 % confidence.

    Linear propagation of the scatter about the law at the data's ``rate`` (n,), weighted by 1/``sigma``² (n,) if
    given. Source: Seber & Wild 1989, Nonlinear Regression, section 5.1.
    """
    from scipy.special import stdtrit

    here, there = _sensitivity(fit, rate), _sensitivity(fit, at)
    weights = np.ones(len(rate)) if sigma is None else fit.model.stress(rate) / sigma
    weights = weights / np.sqrt(np.mean(weights**2))
    freedom = max(len(rate) - here.shape[1], 1)
    _, singular, directions = np.linalg.svd(here * weights[:, None], full_matrices=False)
    known = singular > _SEEN * singular[0]
    spread = (there @ directions[known].T) / singular[known]
    scatter = fit.misfit * np.sqrt(len(rate) / freedom)
    return np.exp(stdtrit(freedom, 0.5 + _CONFIDENCE / 2) * scatter * np.sqrt(np.sum(spread**2, axis=1)))


def _sensitivity(fit: Fit, rate: FloatArray) -> FloatArray:
    """∂ log τ/∂ log p (n, p) of each parameter p."""
    slopes = fit.model.stress_sensitivity(rate)
    scaled = [slopes[key] * value for key, value in fit.model.parameters.items()]
    return np.stack(scaled, axis=1) / fit.model.stress(rate)[:, None]
