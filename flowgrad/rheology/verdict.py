"""Verdict on a fluid, from its flow curve, the fits and the unexplained stress together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from flowgrad.rheology import thresholds
from flowgrad.rheology.fit import Fit
from flowgrad.rheology.flow_curve import FlowCurve, Trend, largest_change, sampled_curve
from flowgrad.rheology.model import Model
from flowgrad.rheology.models import Newtonian
from flowgrad.typing import FloatArray

# Bins within this factor of the lowest rate show how log τ starts out (three of them at least).
_LOW_RATES = 10.0
# Rates at which a fitted law is looked at.
_LAW_POINTS = 31
# A law that was given is looked at over this factor of rates at least, around those of the flow.
_LAW_RATES = 10.0


class Verdict(StrEnum):
    """What the fluid is, as far as this flow shows."""

    NEWTONIAN = "newtonian"
    SHEAR_THINNING = "shear-thinning"
    SHEAR_THICKENING = "shear-thickening"
    YIELD_STRESS = "yield-stress"
    VISCOELASTIC = "viscoelastic"
    MIXED = "mixed"
    NOT_DECIDED = "not-decided"
    NO_STRESS_KNOWN = "no-stress-known"


@dataclass(frozen=True, eq=False)
class Observed:
    """What a verdict rests on: the flow curve with its trend, the fits ranked by AICc, the
    ``unexplained`` share of the stress (0 to 1) with its ``coherence``, the systematic ``error``
    that log η may have, and the part of Σ V |τ:D| that has a ``nonpositive`` viscosity."""

    curve: FlowCurve
    trend: Trend
    fits: tuple[Fit, ...] = ()
    unexplained: float = 0.0
    coherence: float = 0.0
    error: float = 0.0
    nonpositive: float = 0.0
    margin: float = thresholds.MARGIN


def decide(seen: Observed) -> Verdict:
    """The verdict on a fluid whose stress or viscosity was found in the data."""
    coherent = seen.coherence > thresholds.COHERENT
    if seen.unexplained > thresholds.UNEXPLAINED:
        return Verdict.VISCOELASTIC if coherent else Verdict.NOT_DECIDED
    if seen.nonpositive > thresholds.NONPOSITIVE or rate_factor(seen.curve) < thresholds.RANGE_FACTOR:
        return Verdict.NOT_DECIDED
    if coherent and seen.unexplained > thresholds.SUSPECT:
        return _of_weak_elasticity(seen)
    return _of_curve(seen, seen.error)


def _of_weak_elasticity(seen: Observed) -> Verdict:
    """A law that shows beside a little elasticity; without one, no verdict."""
    verdict = _of_curve(seen, max(seen.error, thresholds.ELASTIC_ERROR))
    return Verdict.NOT_DECIDED if verdict is Verdict.NEWTONIAN else verdict


def _of_curve(seen: Observed, error: float) -> Verdict:
    """What the trend is certain of; which class of thinning or thickening it is has to be certain, too."""
    shape = of_trend(seen.trend, error, seen.margin)
    if shape not in (Verdict.SHEAR_THINNING, Verdict.SHEAR_THICKENING) or not seen.fits:
        return shape
    weights = class_weights(seen.fits, seen.curve, seen.margin)
    # A stress that falls and rises again may suit a yield-stress law, but is none.
    possible = (shape, Verdict.YIELD_STRESS) if shape is Verdict.SHEAR_THINNING else (shape,)
    sure = (verdict for verdict in possible if weights.get(verdict, 0.0) >= thresholds.CLASS_WEIGHT)
    return next(sure, Verdict.NOT_DECIDED)


def class_weights(fits: tuple[Fit, ...], curve: FlowCurve, margin: float = thresholds.MARGIN) -> dict[Verdict, float]:
    """The Akaike weights of the fits summed over what each law is at the rates of the curve.

    Laws that imitate a yield stress there count as such where true ones hold at least their weight, and
    else as thinning: the data cannot tell them apart.
    """
    weights: dict[Verdict, float] = {}
    imitating = 0.0
    for fit in fits:
        shown = class_of_law(fit.model, curve, margin)
        if shown is Verdict.SHEAR_THINNING and imitates_yield(fit.model, curve):
            imitating += fit.weight
        else:
            weights[shown] = weights.get(shown, 0.0) + fit.weight
    joined = Verdict.YIELD_STRESS if weights.get(Verdict.YIELD_STRESS, 0.0) >= imitating else Verdict.SHEAR_THINNING
    if imitating:
        weights[joined] = weights.get(joined, 0.0) + imitating
    return weights


def class_of_law(law: Model, curve: FlowCurve, margin: float = thresholds.MARGIN) -> Verdict:
    """What a law is at the rates of a curve: whether it leaves the margin, falls, rises, or does not vanish there."""
    rate = _rates(curve)
    sampled = sampled_curve(rate, law.viscosity(rate))
    log_eta = np.log(sampled.viscosity)
    departure = float(np.max(np.abs(log_eta - log_eta.mean())))
    fall, rise = largest_change(sampled, -log_eta), largest_change(sampled, log_eta)
    shape = of_trend(Trend(fall, rise, departure, departure), margin=margin)
    return Verdict.YIELD_STRESS if shape is Verdict.SHEAR_THINNING and yields(law, curve) else shape


def of_law(law: Model, curve: FlowCurve, trend: Trend) -> Verdict:
    """The verdict on a law that the user gave, from its trend over the rates of the flow."""
    if isinstance(law, Newtonian):
        return Verdict.NEWTONIAN
    if law.yield_stress > 0:
        return Verdict.YIELD_STRESS
    return of_trend(trend) if len(curve) else Verdict.NOT_DECIDED


def law_curve(law: Model, curve: FlowCurve) -> FlowCurve:
    """A law over the shear rates of a flow, widened about their middle to a decade at least."""
    low, high = (curve.rate[0], curve.rate[-1]) if len(curve) else (1.0, 1.0)
    widening = max(1.0, np.sqrt(_LAW_RATES * low / high))
    rate = np.geomspace(low / widening, high * widening, 31)
    return sampled_curve(rate, law.viscosity(rate))


def of_trend(trend: Trend, error: float = 0.0, margin: float = thresholds.MARGIN) -> Verdict:
    """Falling, rising, both, neither, or not known well enough to say, where log η may have a
    systematic error that differs by ``error`` from bin to bin."""
    log_margin = np.log1p(margin)
    if trend.at_least <= log_margin + error:
        newtonian = trend.at_most <= log_margin
        return Verdict.NEWTONIAN if newtonian else Verdict.NOT_DECIDED
    smaller, larger = sorted((trend.fall.size, trend.rise.size))
    if smaller > 2 * log_margin + error:
        return Verdict.MIXED
    if not larger:
        return Verdict.NOT_DECIDED
    return Verdict.SHEAR_THINNING if trend.fall.size == larger else Verdict.SHEAR_THICKENING


def rate_factor(curve: FlowCurve) -> float:
    """Highest over lowest median shear rate; 0 without any."""
    return float(curve.rate[-1] / curve.rate[0]) if len(curve) else 0.0


def yields(law: Model, curve: FlowCurve) -> bool:
    """Whether a law's yield stress shows at the rates of a curve: log τ starts out flat, by the law or by the points,
    and the yield stress is large beside the stress there."""
    rate = _rates(curve)[:1]
    large = law.yielded(rate) >= thresholds.YIELD_SHARE * law.stress(rate)
    slope = min(float(_log_slope(law, rate)[0]), low_rate_slope(curve))
    return bool(law.yield_stress > 0 and large[0] and slope <= thresholds.YIELD_SLOPE)


def imitates_yield(law: Model, curve: FlowCurve) -> bool:
    """Whether a law without a yield stress looks at the rates of a curve as if it had one.

    With n near 0, or a plateau of η just at the lowest rates, log τ is level somewhere, or starts with a
    small slope that more than doubles; or a Herschel–Bulkley curve of the same slope s and curvature c of
    log τ against log γ̇ has a large yield stress: its share of the stress is c/(s² + c).
    """
    rate = _rates(curve)
    slope = _log_slope(law, rate)
    if min(slope[0], low_rate_slope(curve)) > thresholds.YIELD_SLOPE:
        return False
    curvature = max(float(np.gradient(slope[:3], np.log(rate[:3]), edge_order=2)[0]), 0.0)
    like_yield = curvature >= thresholds.YIELD_SHARE * (slope[0] ** 2 + curvature) and curvature > 0
    flattens = slope[0] <= min(thresholds.FLAT_SLOPE, slope.max() / 2)
    return bool(like_yield or flattens or slope.min() <= thresholds.LEVEL_SLOPE)


def _log_slope(law: Model, rate: FloatArray) -> FloatArray:
    """d log τ / d log γ̇."""
    return rate * law.stress_slope(rate) / law.stress(rate)


def _rates(curve: FlowCurve) -> FloatArray:
    """Where a fitted law is looked at."""
    return np.geomspace(curve.rate[0], curve.rate[-1], _LAW_POINTS)


def low_rate_slope(curve: FlowCurve) -> float:
    """d log τ / d log γ̇ over the lowest decade of rates: 0 for a yield stress, 1 for a plateau of η."""
    count = max(3, int(np.sum(curve.rate <= _LOW_RATES * curve.rate[0])))
    return float(np.polyfit(np.log(curve.rate[:count]), np.log(curve.stress[:count]), 1)[0])
