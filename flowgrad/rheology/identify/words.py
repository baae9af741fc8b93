"""The verdict on a viscosity that was found in the velocity alone, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping

from flowgrad.rheology.fit import Fit
from flowgrad.rheology.verdict import Verdict

Evidence = Mapping[str, float]


def sentence(verdict: Verdict, evidence: Evidence, fit: Fit | None, is_absolute: bool, scale_from: str) -> str:
    """One to three sentences that name the verdict's reason in numbers."""
    if verdict is Verdict.NOT_DECIDED:
        return f"Not decided from the velocity alone: {_missing(evidence)}."
    text = f"From the velocity alone: {_course(verdict, evidence)}: {verdict}."
    if verdict is not Verdict.NEWTONIAN:
        text += f" A constant viscosity leaves {evidence['improvement']:.3g} times as much of the balance of momentum."
    if fit is not None:
        text += f" Best law: {fit}, off by {100 * fit.misfit:.2g} %."
    if is_absolute:
        return text + f" Its scale comes from {scale_from}."
    return text + " Viscosities and stresses are known up to a common factor: inertia does not tell it."


def _course(verdict: Verdict, evidence: Evidence) -> str:
    rates = f"over shear rates from {_number(evidence['rate_min'])} to {_number(evidence['rate_max'])}"
    if verdict is Verdict.NEWTONIAN:
        within, margin = 100 * evidence["departure_most"], 100 * evidence["margin"]
        return f"the viscosity stays within ±{within:.2g} % of its mean {rates}, inside the margin of ±{margin:.3g} %"
    return f"the viscosity goes from {_number(evidence['eta_first'])} to {_number(evidence['eta_last'])} {rates}"


def _missing(evidence: Evidence) -> str:
    from flowgrad.rheology.identify.identification import FALLING, UNBALANCED

    low, high = evidence["rate_min"], evidence["rate_max"]
    if evidence["unbalanced"] > UNBALANCED:
        return (
            f"no viscosity that depends on the shear rate alone balances the momentum ({_percent(evidence)} of the "
            f"terms is left over, the limit is {100 * UNBALANCED:g} %); the flow may be unsteady, turbulent, "
            "elastic or too coarse, or a force may be missing: give steps in time, a finer mesh, or the body force"
        )
    if high < 2 * low:
        return (
            f"η is determined at shear rates from {_number(low)} to {_number(high)} only; needed is a flow whose shear "
            "rate varies more from place to place, and not along one direction alone"
        )
    if evidence["stress_fall_factor"] > math.exp(FALLING):
        return (
            f"the balance of momentum is closed best by a stress that falls by a factor of "
            f"{_number(evidence['stress_fall_factor'])} over shear rates from {_number(low)} to {_number(high)}, which "
            "no fluid has in a steady flow; needed are a finer mesh, less noise or a force that is missing"
        )
    return (
        f"over shear rates from {_number(low)} to {_number(high)} the viscosity may depart from its mean by "
        f"{100 * evidence['departure_most']:.2g} %, and no change is certain; needed are less noise, a finer mesh or a "
        "flow that varies more"
    )


def _percent(evidence: Evidence) -> str:
    return f"{100 * evidence['unbalanced']:.2g} %"


def _number(value: float) -> str:
    return f"{value:.3g}"
