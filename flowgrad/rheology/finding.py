"""Finding: the verdict on a fluid as a value, and the questions by which curve, fits and doubts decide it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np

from flowgrad.reprs import ReprMixin
from flowgrad.rheology import thresholds
from flowgrad.rheology.classes import CLASS_OF_SHAPE, SAMPLES, Verdict, Weights, law_of, remaining
from flowgrad.rheology.evidence import EVIDENCE
from flowgrad.rheology.fit import Fit
from flowgrad.rheology.flow_curve import FlowCurve, Numbers, Trend, sampled_curve
from flowgrad.rheology.model import Model
from flowgrad.rheology.models.basic import Newtonian
from flowgrad.rheology.residuals import is_missed, of_residuals

# A model that was given is looked at over this factor of rates at least, around those of the flow.
_GIVEN_RATES = 10.0

# Whether the fluid is Newtonian: the first level of a verdict, which its class follows.
Answer = Literal["yes", "no", "not known"]
# The answer, the class, and the classes that remain where it is open.
_Outcome: TypeAlias = tuple[Answer, Verdict, Weights]
_UNKNOWN: _Outcome = ("not known", Verdict.NOT_DECIDED, {})


@dataclass(frozen=True)
class Question:
    """A question on the path of a decision: what was ``asked`` and ``found``, and what followed (empty: go on)."""

    asked: str
    found: str
    follows: str = ""

    def __str__(self) -> str:
        return f"{self.asked}: {self.found}" + (f" → {self.follows}" if self.follows else "")


@dataclass(frozen=True)
class Doubts:
    """What may keep a flow curve from telling a fluid, all zero for one that was measured or found otherwise.

    ``unexplained`` is the share of the stress (0 to 1) that no viscosity explains, with its ``coherence``;
    ``nonpositive`` the part of Σ V |τ:D| that has a viscosity that is not positive; ``error`` the systematic one that
    log η may have; ``elsewhere`` by how much log η certainly differs from place to place at equal shear rates, beyond
    its errors; ``is_field`` whether the curve comes from different places of a flow.
    """

    unexplained: float = 0.0
    coherence: float = 0.0
    nonpositive: float = 0.0
    error: float = 0.0
    elsewhere: float = 0.0
    is_field: bool = False

    @property
    def elastic(self) -> bool:
        """Whether a part of the stress points where that of an elastic fluid does."""
        return self.coherence > thresholds.COHERENT and self.unexplained > thresholds.SUSPECT

    def most_elsewhere(self, margin: float) -> float:
        """How far log η may differ between places at equal shear rates while it is a function of the rate."""
        return float(2 * np.log1p(margin)) + (thresholds.ELASTIC_ERROR if self.elastic else 0.0)

    def against_a_law(self, curve: FlowCurve, margin: float) -> Numbers:
        """Evidence: what keeps the η of a field from being a function of the shear rate, where something does."""
        if self.elsewhere > self.most_elsewhere(margin):
            yield "place_factor", np.exp(self.elsewhere)
        fall = curve.spanning(margin).stress_fall if self.is_field else 0.0
        if fall > thresholds.FALLING + self.error:
            yield "stress_fall_factor", np.exp(fall)


def decided(
    curve: FlowCurve, trend: Trend, fits: tuple[Fit, ...], margin: float, certain_class: bool, doubts: Doubts
) -> tuple[_Outcome, tuple[Question, ...]]:
    """Whether a fluid whose stress or viscosity was found in the data is Newtonian, its class, and the path there."""
    path = []
    for step, outcome in _questions(curve, trend, fits, margin, certain_class, doubts):
        path.append(step)
        if outcome is not None:
            return outcome, tuple(path)
    raise AssertionError("the last question decides")


def _questions(
    curve: FlowCurve, trend: Trend, fits: tuple[Fit, ...], margin: float, certain_class: bool, doubts: Doubts
) -> Iterator[tuple[Question, _Outcome | None]]:
    """The questions in their order, each with its outcome; None where the next is asked."""
    asked = "stress that no viscosity explains"
    found = (
        f"{doubts.unexplained:.3g} of the whole (limit {thresholds.UNEXPLAINED:g}), coherence {doubts.coherence:.2g}"
    )
    if doubts.unexplained > thresholds.UNEXPLAINED:
        if doubts.coherence > thresholds.COHERENT:
            yield Question(asked, found, "viscoelastic"), ("no", Verdict.VISCOELASTIC, {})
        yield Question(asked, f"{found}, which is no direction", "not decided"), _UNKNOWN
    if doubts.unexplained:
        yield Question(asked, found), None
    if doubts.nonpositive > thresholds.NONPOSITIVE:
        limit = f"{doubts.nonpositive:.3g} of the dissipation (limit {thresholds.NONPOSITIVE:g})"
        yield Question("viscosity that is not positive", limit, "not decided"), _UNKNOWN
    factor = curve.rate[-1] / curve.rate[0] if len(curve) else 0.0
    narrow = factor < thresholds.RANGE_FACTOR
    found = f"a factor of {factor:.3g} ({thresholds.RANGE_FACTOR:g} is needed)"
    yield Question("range of shear rates", found, "not decided" if narrow else ""), _UNKNOWN if narrow else None
    if doubts.is_field:
        yield from _of_places(curve, margin, doubts)
    yield from _of_trend(curve, trend, fits, margin, certain_class, doubts)


def _of_places(curve: FlowCurve, margin: float, doubts: Doubts) -> Iterator[tuple[Question, _Outcome | None]]:
    """Whether η is the same wherever the shear rate is, and the stress one that depends on it."""
    against, limit = dict(doubts.against_a_law(curve, margin)), np.expm1(doubts.most_elsewhere(margin))
    found = f"η differs by {np.expm1(doubts.elsewhere):.2g} for certain (limit {limit:.2g})"
    asked = "equal shear rates at different places"
    if "place_factor" in against:
        yield Question(asked, found, "not a function of the rate"), ("not known", Verdict.NOT_A_FUNCTION_OF_RATE, {})
    yield Question(asked, found), None
    if "stress_fall_factor" in against:
        limit, factor = np.exp(thresholds.FALLING + doubts.error), against["stress_fall_factor"]
        found = f"the stress falls by a factor of {factor:.3g} for certain (limit {limit:.2g})"
        asked = "stress at higher shear rates"
        yield Question(asked, found, "not a function of the rate"), ("not known", Verdict.NOT_A_FUNCTION_OF_RATE, {})
    if curve.is_level(margin):
        found = f"the stress changes by {np.expm1(np.ptp(np.log(curve.stress))):.2g} only"
        yield Question("stress at different shear rates", found, "not decided"), _UNKNOWN


def _of_trend(
    curve: FlowCurve, trend: Trend, fits: tuple[Fit, ...], margin: float, certain_class: bool, doubts: Doubts
) -> Iterator[tuple[Question, _Outcome | None]]:
    """Whether η is constant, and if not, what it does and which laws allow it."""
    # A model may show beside a little elasticity, a constant does not.
    error = max(doubts.error, thresholds.ELASTIC_ERROR) if doubts.elastic else doubts.error
    shape = trend.shape(error, margin)
    asked = f"departure of η from its mean (margin {margin:g})"
    found = f"{np.expm1(trend.at_least):.2g} to {np.expm1(max(trend.at_most, trend.at_least)):.2g}"
    if error:
        found += f", with a systematic error of {np.expm1(error):.2g}"
    if shape == "constant":
        if doubts.elastic:
            yield Question(asked, f"{found}, but some of the stress is as an elastic fluid's", "not decided"), _UNKNOWN
        yield Question(asked, found, "newtonian"), ("yes", Verdict.NEWTONIAN, {})
    if trend.at_least <= np.log1p(margin) + error:
        yield Question(asked, found, "not decided"), _UNKNOWN
    yield Question(asked, found, "not Newtonian"), None
    asked = "certain changes of η with the shear rate"
    found = f"falls by a factor of {np.exp(trend.fall.size):.3g}, rises by {np.exp(trend.rise.size):.3g}"
    if shape == "both" or (not certain_class and shape != "open"):
        yield Question(asked, found, CLASS_OF_SHAPE[shape]), ("no", CLASS_OF_SHAPE[shape], {})
    yield Question(asked, found), None
    left = remaining(shape, fits, curve.trusted(margin), margin)
    missed = not fits or is_missed(fits[0], curve.trusted(margin))
    asked = "classes that remain, alike as no law suits" if missed else "classes whose laws remain, by Akaike weight"
    found = ", ".join(f"{each} {weight:.3g}" for each, weight in left.items())
    first = next(iter(left))
    if len(left) == 1:
        yield Question(asked, found, first), ("no", first, {})
    yield Question(asked, found, "non-Newtonian, its class open"), ("no", Verdict.NON_NEWTONIAN, left)


def of_model(model: Model, curve: FlowCurve, trend: Trend) -> tuple[_Outcome, tuple[Question, ...]]:
    """The same of a model that the user gave, from its trend over the rates of the flow."""
    answer: Answer = "no"
    if isinstance(model, Newtonian):
        answer, verdict = "yes", Verdict.NEWTONIAN
    elif model.yield_stress > 0:
        verdict = Verdict.YIELD_STRESS
    else:
        verdict = CLASS_OF_SHAPE[trend.shape()] if len(curve) else Verdict.NOT_DECIDED
        varies = trend.at_least > thresholds.LOG_MARGIN
        answer = "yes" if verdict is Verdict.NEWTONIAN else "no" if varies else "not known"
    if verdict is Verdict.NOT_DECIDED and answer == "no":
        verdict = Verdict.NON_NEWTONIAN
    return (answer, verdict, {}), (Question("law of the viscosity", f"given as {model}", verdict),)


def model_curve(model: Model, curve: FlowCurve) -> FlowCurve:
    """A model over the shear rates of a flow, widened about their middle to a decade at least."""
    low, high = (curve.rate[0], curve.rate[-1]) if len(curve) else (1.0, 1.0)
    widening = max(1.0, np.sqrt(_GIVEN_RATES * low / high))
    rate = np.geomspace(low / widening, high * widening, SAMPLES)
    return sampled_curve(rate, model.viscosity(rate))


def known(numbers: Iterable[tuple[str, float]]) -> dict[str, float]:
    """The numbers that are finite, by the keys of their records; KeyError for one without a record."""
    return {key: float(value) for key, value in numbers if np.isfinite(value) and EVIDENCE[key]}


@dataclass(frozen=True, eq=False)
class Finding(ReprMixin, line="newtonian verdict", table="newtonian verdict classes evidence path"):
    """What a flow ``curve`` with its ``trend`` and the models fitted to it (``fits``, the best first) say of a fluid.

    ``newtonian`` is ``yes``, ``no`` or ``not known``, ``verdict`` the class; where that is open though the fluid is
    certainly not Newtonian (``non-newtonian``), ``classes`` are those that remain, with weights that sum to one.
    ``evidence`` are the numbers that these rest on (see ``evidence.EVIDENCE``), ``path`` the steps of the decision.
    """

    curve: FlowCurve
    trend: Trend
    fits: tuple[Fit, ...]
    newtonian: Answer
    verdict: Verdict
    evidence: Mapping[str, float]
    classes: Weights = field(default_factory=dict)
    path: tuple[Question, ...] = ()
    margin: float = thresholds.MARGIN

    @cached_property
    def law(self) -> Fit | None:
        """The best law that agrees with the verdict (:func:`flowgrad.rheology.classes.law_of`)."""
        if len(self.fits) == 1 and not self.fits[0].points:
            return self.fits[0]
        return law_of(self.verdict, self.fits, self.curve.trusted(self.margin), self.margin)

    def of_law(self) -> Numbers:
        """Evidence: the yield stress of the law, and its residuals beside the scatter of the points; of the best one
        where none is near enough."""
        law, curve = self.law, self.curve.trusted(self.margin)
        if law is None and self.newtonian == "no" and self.fits:
            law = self.fits[0]
        if law is None:
            return
        if law.points:
            yield from of_residuals(law, curve)
        if self.verdict is Verdict.YIELD_STRESS:
            yield "yield_stress", law.model.yield_stress
        elif law.points and law.model.yield_stress:
            yield "law_yield_stress", law.model.yield_stress
            yield "law_yield_share", float((law.model.yielded(curve.rate) / law.model.stress(curve.rate))[0])


NOTHING_KNOWN = Finding(sampled_curve(np.zeros(0), np.zeros(0)), Trend(), (), "not known", Verdict.NO_STRESS_KNOWN, {})


def judge(
    curve: FlowCurve,
    trend: Trend,
    fits: tuple[Fit, ...],
    margin: float = thresholds.MARGIN,
    *,
    model: Model | None = None,
    contradiction: str = "",
    certain_class: bool = True,
    doubts: Doubts | None = None,
    evidence: Iterable[tuple[str, float]] = (),
) -> Finding:
    """The finding on a fluid, Newtonian where η stays within ±``margin`` of its log-mean.

    ``model`` is one that the user gave, whose trend alone counts. Data with a ``contradiction`` decide nothing.
    ``certain_class`` asks that the class of a thinning or thickening fluid be certain by the weights of the laws, too.
    """
    outcome: _Outcome = _UNKNOWN
    path: tuple[Question, ...] = (Question("contradiction in the data", contradiction, "not decided"),)
    if model is not None:
        outcome, path = of_model(model, curve, trend)
    elif not contradiction:
        doubts = doubts or Doubts()
        outcome, path = decided(curve, trend, fits, margin, certain_class, doubts)
        evidence = [*evidence, *doubts.against_a_law(curve, margin)]
        if fits and (fits[0].rho or fits[0].share < 1) and (serial := fits[0].serial_correlation):
            evidence += [("residual_correlation", fits[0].rho or serial.rho)]
    answer, verdict, classes = outcome
    return Finding(curve, trend, fits, answer, verdict, known(evidence), classes, path, margin)


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
    def classes(self) -> Weights:
        """The classes that remain where the fluid is ``non-newtonian``, with their weights."""
        return self.finding.classes

    @property
    def told(self) -> dict[str, object]:
        """Both levels of the verdict and the path to it, for a machine."""
        finding = self.finding
        return {
            "newtonian": finding.newtonian,
            "verdict": str(finding.verdict.value),
            "classes": {str(each.value): weight for each, weight in finding.classes.items()},
            "path": [str(step) for step in finding.path],
        }

    @property
    def trend(self) -> Trend:
        """The certain changes of η with the shear rate, and how far from constant it may be."""
        return self.finding.trend
