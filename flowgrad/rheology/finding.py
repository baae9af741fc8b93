"""Finding: the verdict on a fluid as a value, and the rules by which curve, fits and unexplained stress decide it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

import numpy as np

from flowgrad.reprs import ReprMixin
from flowgrad.rheology import thresholds
from flowgrad.rheology.evidence import EVIDENCE, EvidenceRecord
from flowgrad.rheology.fit import Fit
from flowgrad.rheology.flow_curve import FlowCurve, Trend, largest_change, sampled_curve
from flowgrad.rheology.model import Model
from flowgrad.rheology.models.basic import Newtonian

# Rates at which a model is looked at.
_SAMPLES = 31
# A model that was given is looked at over this factor of rates at least, around those of the flow.
_GIVEN_RATES = 10.0

# Whether the fluid is Newtonian: the first level of a verdict, which its class follows.
Answer = Literal["yes", "no", "not known"]


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


def decide(
    curve: FlowCurve,
    trend: Trend,
    fits: tuple[Fit, ...],
    margin: float = thresholds.MARGIN,
    certain_class: bool = True,
    *,
    unexplained: float = 0.0,
    coherence: float = 0.0,
    nonpositive: float = 0.0,
    error: float = 0.0,
) -> tuple[Answer, Verdict]:
    """Whether a fluid whose stress or viscosity was found in the data is Newtonian, and its class.

    ``fits`` are ranked by AICc; ``unexplained`` is the share of the stress (0 to 1) that no viscosity explains, with
    its ``coherence``, ``nonpositive`` the part of Σ V |τ:D| that has a viscosity that is not positive, ``error`` the
    systematic one that log η may have. Which class of thinning or thickening it is has to be certain by the weights of
    the models, too, unless ``certain_class`` is False.
    """
    unknown: tuple[Answer, Verdict] = ("not known", Verdict.NOT_DECIDED)
    coherent = coherence > thresholds.COHERENT
    if unexplained > thresholds.UNEXPLAINED:
        return ("no", Verdict.VISCOELASTIC) if coherent else unknown
    rate_factor = curve.rate[-1] / curve.rate[0] if len(curve) else 0.0
    if nonpositive > thresholds.NONPOSITIVE or rate_factor < thresholds.RANGE_FACTOR:
        return unknown
    # A model may show beside a little elasticity, a constant does not.
    elastic = coherent and unexplained > thresholds.SUSPECT
    error = max(error, thresholds.ELASTIC_ERROR) if elastic else error
    shape = of_trend(trend, error, margin)
    if shape is Verdict.NEWTONIAN:
        return unknown if elastic else ("yes", shape)
    answer: Answer = "no" if trend.at_least > np.log1p(margin) + error else "not known"
    if shape not in (Verdict.SHEAR_THINNING, Verdict.SHEAR_THICKENING) or not fits:
        return answer, shape
    weights = class_weights(fits, curve, margin)
    # A stress that falls and rises again may suit a yield-stress model, but is none.
    possible = (shape, Verdict.YIELD_STRESS) if shape is Verdict.SHEAR_THINNING else (shape,)
    sure = (verdict for verdict in possible if weights.get(verdict, 0.0) >= thresholds.CLASS_WEIGHT)
    return answer, next(sure, Verdict.NOT_DECIDED if certain_class else shape)


def of_model(model: Model, curve: FlowCurve, trend: Trend) -> tuple[Answer, Verdict]:
    """The same of a model that the user gave, from its trend over the rates of the flow."""
    if isinstance(model, Newtonian):
        return "yes", Verdict.NEWTONIAN
    if model.yield_stress > 0:
        return "no", Verdict.YIELD_STRESS
    verdict = of_trend(trend) if len(curve) else Verdict.NOT_DECIDED
    varies = trend.at_least > thresholds.LOG_MARGIN
    return "yes" if verdict is Verdict.NEWTONIAN else "no" if varies else "not known", verdict


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


def class_of_model(model: Model, curve: FlowCurve, margin: float = thresholds.MARGIN) -> Verdict:
    """What a model is at the rates of a curve: whether it leaves the margin, falls, rises, or does not vanish there."""
    rate = np.geomspace(curve.rate[0], curve.rate[-1], _SAMPLES)
    sampled = sampled_curve(rate, model.viscosity(rate))
    log_eta = np.log(sampled.viscosity)
    departure = float(np.max(np.abs(log_eta - log_eta.mean())))
    fall, rise = largest_change(sampled, -log_eta), largest_change(sampled, log_eta)
    shape = of_trend(Trend(fall, rise, departure, departure), margin=margin)
    return Verdict.YIELD_STRESS if shape is Verdict.SHEAR_THINNING and yields(model, curve) else shape


def model_curve(model: Model, curve: FlowCurve) -> FlowCurve:
    """A model over the shear rates of a flow, widened about their middle to a decade at least."""
    low, high = (curve.rate[0], curve.rate[-1]) if len(curve) else (1.0, 1.0)
    widening = max(1.0, np.sqrt(_GIVEN_RATES * low / high))
    rate = np.geomspace(low / widening, high * widening, _SAMPLES)
    return sampled_curve(rate, model.viscosity(rate))


def yields(model: Model, curve: FlowCurve) -> bool:
    """Whether a model's yield stress shows at the rates of a curve: log τ starts out flat, by the model or by the
    points, and the yield stress is large beside the stress there; above the rates at which a cap hides it."""
    rate = curve.rate[model.uncapped(curve.rate)][:1] if model.uncapped(curve.rate).any() else curve.rate[:1]
    large = model.yielded(rate) >= thresholds.YIELD_SHARE * model.stress(rate)
    log_slope = float((rate * model.stress_slope(rate) / model.stress(rate))[0])
    slope = min(log_slope, curve.low_rate_slope)
    return bool(model.yield_stress > 0 and large[0] and slope <= thresholds.YIELD_SLOPE)


def imitates_yield(model: Model, curve: FlowCurve) -> bool:
    """Whether a model without a yield stress looks at the rates of a curve as if it had one.

    With n near 0, or a plateau of η just at the lowest rates, log τ is level somewhere, or starts with a
    small slope that more than doubles; or a Herschel–Bulkley curve of the same slope s and curvature c of
    log τ against log γ̇ has a large yield stress: its share of the stress is c/(s² + c).
    """
    rate = np.geomspace(curve.rate[0], curve.rate[-1], _SAMPLES)
    # d log τ / d log γ̇
    slope = rate * model.stress_slope(rate) / model.stress(rate)
    if min(slope[0], curve.low_rate_slope) > thresholds.YIELD_SLOPE:
        return False
    curvature = max(float(np.gradient(slope[:3], np.log(rate[:3]), edge_order=2)[0]), 0.0)
    like_yield = curvature >= thresholds.YIELD_SHARE * (slope[0] ** 2 + curvature) and curvature > 0
    flattens = slope[0] <= min(thresholds.FLAT_SLOPE, slope.max() / 2)
    return bool(like_yield or flattens or slope.min() <= thresholds.LEVEL_SLOPE)


EVIDENCE |= {
    f"weight_{verdict.replace('-', '_')}": EvidenceRecord(f"Akaike weight of models: {verdict}", shown=False)
    for verdict in Verdict
}


def known(numbers: Iterable[tuple[str, float]]) -> dict[str, float]:
    """The numbers that are finite, by the keys of their records; KeyError for one without a record."""
    return {key: float(value) for key, value in numbers if np.isfinite(value) and EVIDENCE[key]}


@dataclass(frozen=True, eq=False)
class Finding(ReprMixin, line="newtonian verdict", table="newtonian verdict evidence"):
    """What a flow ``curve`` with its ``trend`` and the models fitted to it (``fits``, the best first) say of a fluid.

    ``newtonian`` is ``yes``, ``no`` or ``not known``, ``verdict`` the class, which may be open (``not-decided``) though
    the fluid is certainly not Newtonian. ``evidence`` are the numbers that these rest on; see ``evidence.EVIDENCE``.
    """

    curve: FlowCurve
    trend: Trend
    fits: tuple[Fit, ...]
    newtonian: Answer
    verdict: Verdict
    evidence: Mapping[str, float]


NOTHING_KNOWN = Finding(sampled_curve(np.zeros(0), np.zeros(0)), Trend(), (), "not known", Verdict.NO_STRESS_KNOWN, {})


def judge(
    curve: FlowCurve,
    trend: Trend,
    fits: tuple[Fit, ...],
    margin: float = thresholds.MARGIN,
    *,
    model: Model | None = None,
    sound: bool = True,
    certain_class: bool = True,
    evidence: Iterable[tuple[str, float]] = (),
    **doubts: float,
) -> Finding:
    """The finding on a fluid, Newtonian where η stays within ±``margin`` of its log-mean.

    ``model`` is one that the user gave, whose trend alone counts. Data that are not ``sound``, as they contradict each
    other, decide nothing. ``certain_class`` and ``doubts`` (``unexplained``, ``coherence``, ``nonpositive``, ``error``)
    are those of :func:`flowgrad.rheology.finding.decide`.
    """
    answer: Answer = "not known"
    verdict = Verdict.NOT_DECIDED
    if model is not None:
        answer, verdict = of_model(model, curve, trend)
    elif sound:
        answer, verdict = decide(curve, trend, fits, margin, certain_class, **doubts)
    return Finding(curve, trend, fits, answer, verdict, known(evidence))


class HasFinding:
    """A result that holds a finding: its verdict, and the numbers behind it, are the result's."""

    @property
    @abstractmethod
    def finding(self) -> Finding:
        """The verdict, with the curve, the fits and the numbers that it rests on."""

    @property
    def newtonian(self) -> Answer:
        """Whether the fluid is Newtonian: ``yes``, ``no`` or ``not known``."""
        return self.finding.newtonian

    @property
    def verdict(self) -> Verdict:
        """What the fluid is, as far as these data show."""
        return self.finding.verdict

    @property
    def trend(self) -> Trend:
        """The certain changes of η with the shear rate, and how far from constant it may be."""
        return self.finding.trend
