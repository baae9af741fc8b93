"""Classes of fluids: what a law is at the shear rates of a curve, and how much weight the laws of each class have."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache

import numpy as np

from flowgrad.rheology import thresholds
from flowgrad.rheology.evidence import EVIDENCE, EvidenceRecord
from flowgrad.rheology.fit import Fit
from flowgrad.rheology.flow_curve import FlowCurve, Shape, Trend, largest_change, sampled_curve
from flowgrad.rheology.model import Model
from flowgrad.rheology.models.basic import Newtonian
from flowgrad.rheology.residuals import is_missed

# Rates at which a model is looked at.
SAMPLES = 31


class Verdict(StrEnum):
    """What the fluid is, as far as this flow shows."""

    NEWTONIAN = "newtonian"
    NON_NEWTONIAN = "non-newtonian"
    SHEAR_THINNING = "shear-thinning"
    SHEAR_THICKENING = "shear-thickening"
    YIELD_STRESS = "yield-stress"
    VISCOELASTIC = "viscoelastic"
    MIXED = "mixed"
    NOT_A_FUNCTION_OF_RATE = "not-a-function-of-rate"
    NOT_DECIDED = "not-decided"
    NO_STRESS_KNOWN = "no-stress-known"


# Weights that the laws of each class hold together, the largest first.
Weights = Mapping[Verdict, float]

CLASS_OF_SHAPE: Mapping[Shape, Verdict] = {
    "constant": Verdict.NEWTONIAN,
    "falls": Verdict.SHEAR_THINNING,
    "rises": Verdict.SHEAR_THICKENING,
    "both": Verdict.MIXED,
    "open": Verdict.NOT_DECIDED,
}
# Classes that an η of each shape may still have. A stress that falls and rises again may suit a yield-stress model,
# but is none.
POSSIBLE: Mapping[Shape, tuple[Verdict, ...]] = {
    "falls": (Verdict.SHEAR_THINNING, Verdict.YIELD_STRESS),
    "rises": (Verdict.SHEAR_THICKENING,),
    "both": (Verdict.MIXED,),
    "open": (Verdict.SHEAR_THINNING, Verdict.YIELD_STRESS, Verdict.SHEAR_THICKENING, Verdict.MIXED),
}


def weight_key(verdict: Verdict) -> str:
    """The evidence that holds the weight of a class."""
    return f"weight_{verdict.replace('-', '_')}"


EVIDENCE |= {
    weight_key(verdict): EvidenceRecord(f"Akaike weight of models: {verdict}", shown=False) for verdict in Verdict
}


def class_weights(fits: tuple[Fit, ...], curve: FlowCurve, margin: float = thresholds.MARGIN) -> dict[Verdict, float]:
    """The Akaike weights of the fits summed over what each model is at the rates of the curve.

    Models that imitate a yield stress there count as such where true ones hold at least their weight, and
    else as thinning: the data cannot tell them apart.
    """
    weights: dict[Verdict, float] = {}
    imitating = 0.0
    for fit in fits:
        shown = class_of_model(fit.model, curve, margin)
        if shown is Verdict.SHEAR_THINNING and imitates_yield(fit.model, curve):
            imitating += fit.weight
        else:
            weights[shown] = weights.get(shown, 0.0) + fit.weight
    joined = Verdict.YIELD_STRESS if weights.get(Verdict.YIELD_STRESS, 0.0) >= imitating else Verdict.SHEAR_THINNING
    if imitating:
        weights[joined] = weights.get(joined, 0.0) + imitating
    return weights


def remaining(shape: Shape, fits: tuple[Fit, ...], curve: FlowCurve, margin: float) -> dict[Verdict, float]:
    """The classes that are left for an η that certainly varies, with their weights, the largest first; they sum to one.

    One class is left alone where the ``shape`` of the curve allows no other, or its laws hold the weight that is
    certain. Where the best law misses the points by more than their scatter no weight counts: all that the shape allows
    are left, alike.
    """
    possible = POSSIBLE[shape]
    if len(possible) == 1 or not fits or is_missed(fits[0], curve):
        return {each: 1 / len(possible) for each in possible}
    weights = class_weights(fits, curve, margin)
    certain = next((each for each in possible if weights.get(each, 0.0) >= thresholds.CLASS_WEIGHT), None)
    if certain is not None:
        return {certain: 1.0}
    least = (1 - thresholds.CLASS_WEIGHT) / len(possible)
    kept = {each: max(weights.get(each, 0.0), least) for each in possible}
    total = sum(kept.values())
    return {each: weight / total for each, weight in sorted(kept.items(), key=lambda item: -item[1])}


# Weights, the classes that remain and the law of the verdict ask the same of the same laws.
_asked = lru_cache(maxsize=256)


@_asked
def class_of_model(model: Model, curve: FlowCurve, margin: float = thresholds.MARGIN) -> Verdict:
    """What a model is at the rates of a curve: whether it leaves the margin, falls, rises, or does not vanish there."""
    rate = np.geomspace(curve.rate[0], curve.rate[-1], SAMPLES)
    sampled = sampled_curve(rate, model.viscosity(rate))
    log_eta = np.log(sampled.viscosity)
    departure = float(np.max(np.abs(log_eta - log_eta.mean())))
    fall, rise = largest_change(sampled, -log_eta), largest_change(sampled, log_eta)
    shape = CLASS_OF_SHAPE[Trend(fall, rise, departure, departure).shape(margin=margin)]
    return Verdict.YIELD_STRESS if shape is Verdict.SHEAR_THINNING and yields(model, curve) else shape


def law_of(verdict: Verdict, fits: tuple[Fit, ...], curve: FlowCurve, margin: float = thresholds.MARGIN) -> Fit | None:
    """The best law that agrees with a verdict: of its class, as within its margin a Newtonian fluid may suit a law with
    more parameters better; the first of the ranking where the class is open or of no law of the viscosity; None where
    none agrees or the first of all misses the points."""
    if verdict is Verdict.NEWTONIAN:
        return next((fit for fit in fits if isinstance(fit.model, Newtonian)), None)
    if verdict is Verdict.NOT_A_FUNCTION_OF_RATE or not fits or is_missed(fits[0], curve):
        return None
    if verdict in (Verdict.SHEAR_THINNING, Verdict.SHEAR_THICKENING, Verdict.YIELD_STRESS, Verdict.MIXED):
        return next((fit for fit in fits if class_of_model(fit.model, curve, margin) is verdict), None)
    return fits[0]


def yields(model: Model, curve: FlowCurve) -> bool:
    """Whether a model's yield stress shows at the rates of a curve: log τ starts out flat, by the model or by the
    points, and the yield stress is large beside the stress there; above the rates at which a cap hides it."""
    rate = curve.rate[model.uncapped(curve.rate)][:1] if model.uncapped(curve.rate).any() else curve.rate[:1]
    large = model.yielded(rate) >= thresholds.YIELD_SHARE * model.stress(rate)
    log_slope = float((rate * model.stress_slope(rate) / model.stress(rate))[0])
    slope = min(log_slope, curve.low_rate_slope)
    return bool(model.yield_stress > 0 and large[0] and slope <= thresholds.YIELD_SLOPE)


@_asked
def imitates_yield(model: Model, curve: FlowCurve) -> bool:
    """Whether a model without a yield stress looks at the rates of a curve as if it had one.

    With n near 0, or a plateau of η just at the lowest rates, log τ is level somewhere, or starts with a
    small slope that more than doubles; or a Herschel–Bulkley curve of the same slope s and curvature c of
    log τ against log γ̇ has a large yield stress: its share of the stress is c/(s² + c).
    """
    rate = np.geomspace(curve.rate[0], curve.rate[-1], SAMPLES)
    # d log τ / d log γ̇
    slope = rate * model.stress_slope(rate) / model.stress(rate)
    if min(slope[0], curve.low_rate_slope) > thresholds.YIELD_SLOPE:
        return False
    curvature = max(float(np.gradient(slope[:3], np.log(rate[:3]), edge_order=2)[0]), 0.0)
    like_yield = curvature >= thresholds.YIELD_SHARE * (slope[0] ** 2 + curvature) and curvature > 0
    flattens = slope[0] <= min(thresholds.FLAT_SLOPE, slope.max() / 2)
    return bool(like_yield or flattens or slope.min() <= thresholds.LEVEL_SLOPE)
