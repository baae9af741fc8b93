"""The verdict on the fluid: what the flow curve, the fits and the unexplained stress say together."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from flowgrad.rheology import thresholds
from flowgrad.rheology.curve import FlowCurve, sampled_curve
from flowgrad.rheology.fit import Fit
from flowgrad.rheology.model import Model
from flowgrad.rheology.models import Newtonian
from flowgrad.rheology.trend import Trend

# Bins within this factor of the lowest rate show how log τ starts out (three of them at least).
_LOW_RATES = 10.0
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
    shape = of_trend(seen.trend, error)
    # A stress that falls and rises again may suit a yield-stress law, but is none.
    if shape is Verdict.SHEAR_THINNING and yields(seen.curve, seen.fits):
        return Verdict.YIELD_STRESS
    return shape


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


def of_trend(trend: Trend, error: float = 0.0) -> Verdict:
    """Falling, rising, both, neither, or not known well enough to say, where log η may have a
    systematic error that differs by ``error`` from bin to bin."""
    if trend.at_least <= thresholds.LOG_MARGIN + error:
        newtonian = trend.at_most <= thresholds.LOG_MARGIN
        return Verdict.NEWTONIAN if newtonian else Verdict.NOT_DECIDED
    smaller, larger = sorted((trend.fall.size, trend.rise.size))
    if smaller > 2 * thresholds.LOG_MARGIN + error:
        return Verdict.MIXED
    if not larger:
        return Verdict.NOT_DECIDED
    return Verdict.SHEAR_THINNING if trend.fall.size == larger else Verdict.SHEAR_THICKENING


def rate_factor(curve: FlowCurve) -> float:
    """Highest over lowest median shear rate; 0 without any."""
    return float(curve.rate[-1] / curve.rate[0]) if len(curve) else 0.0


def yields(curve: FlowCurve, fits: tuple[Fit, ...]) -> bool:
    """Whether a yield stress is certain: laws with one win, τ0 is determined and large beside the
    stress at the lowest rate, and log τ starts out flat there."""
    weight = sum(fit.weight for fit in fits if fit.model.yield_stress > 0)
    if weight < thresholds.YIELD_WEIGHT or not fits[0].model.yield_stress or "tau0" in fits[0].undetermined:
        return False
    large = fits[0].model.yield_stress > thresholds.YIELD_SHARE * curve.stress[0]
    return large and low_rate_slope(curve) <= thresholds.YIELD_SLOPE


def low_rate_slope(curve: FlowCurve) -> float:
    """d log τ / d log γ̇ over the lowest decade of rates: 0 for a yield stress, 1 for a plateau of η."""
    count = max(3, int(np.sum(curve.rate <= _LOW_RATES * curve.rate[0])))
    return float(np.polyfit(np.log(curve.rate[:count]), np.log(curve.stress[:count]), 1)[0])
