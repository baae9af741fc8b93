"""Finding: the verdict on a fluid as a value, with the curve, fits and evidence that it rests on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from flowgrad.reprs import ReprMixin
from flowgrad.rheology import thresholds
from flowgrad.rheology.evidence import known
from flowgrad.rheology.fit import Fit
from flowgrad.rheology.flow_curve import FlowCurve, Trend, sampled_curve
from flowgrad.rheology.model import Model
from flowgrad.rheology.verdict import Answer, Verdict, decide, of_model


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


NOTHING_KNOWN = Finding(
    sampled_curve(np.zeros(0), np.zeros(0)), Trend(), (), "not known", Verdict.NO_STRESS_KNOWN, MappingProxyType({})
)


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
    are those of :func:`flowgrad.rheology.verdict.decide`.
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

    finding: Finding

    @property
    def newtonian(self) -> Answer:
        """Whether the fluid is Newtonian: ``yes``, ``no`` or ``not known``."""
        return self.finding.newtonian

    @property
    def verdict(self) -> Verdict:
        """What the fluid is, as far as these data show."""
        return self.finding.verdict
