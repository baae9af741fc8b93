"""Sentences for a verdict and its evidence, for a person who did not run the program."""

from __future__ import annotations

import math
from collections.abc import Mapping

from flowgrad.rheology import thresholds
from flowgrad.rheology.fit import Fit
from flowgrad.rheology.model import Model
from flowgrad.rheology.models import Newtonian
from flowgrad.rheology.verdict import Verdict

Evidence = Mapping[str, float]

_MARGIN = f"±{100 * thresholds.MARGIN:.0f} %"


def sentence(verdict: Verdict, evidence: Evidence, fit: Fit | None, law: Model | None = None) -> str:
    """One or two sentences that name the verdict's reason in numbers; ``law`` is one that was given."""
    if law is not None:
        return _given(verdict, evidence, law) + _balance(evidence)
    text = _FOUND[verdict](evidence)
    if fit is not None and verdict not in (Verdict.NOT_DECIDED, Verdict.VISCOELASTIC):
        text += f" Best law: {fit}, off by {100 * fit.misfit:.2g} %."
    return text + _doubt(verdict, evidence) + _balance(evidence)


def nothing_known(candidates: list[str], eddy: list[str]) -> str:
    """Why there is no verdict, and which option would give one."""
    text = (
        "Neither a stress nor a viscosity is known, so nothing can be said about the fluid: "
        "give --stress=NAME, --viscosity=NAME, a number or a law"
    )
    if candidates:
        text += f" (this file suggests {' or '.join(candidates)})"
    text += ", or --viscosity=identify, which looks for it in the velocity alone"
    if eddy:
        text += f". Of the flow and not of the fluid are turbulent eddy viscosities: {', '.join(eddy)}"
    return text + "."


def _given(verdict: Verdict, evidence: Evidence, law: Model) -> str:
    if isinstance(law, Newtonian):
        return f"The viscosity was given as the constant {law.eta:g}, not found in the data: Newtonian by assumption."
    text = f"The viscosity was given as {law}, not found in the data"
    if "rate_min" not in evidence:
        return text + "; nothing moves in this flow, so its law does not show."
    return f"{text}; {_over_rates(evidence)} this law is {verdict}: η goes {_eta_path(evidence)}."


def _newtonian(evidence: Evidence) -> str:
    return (
        f"The viscosity stays within ±{100 * evidence['departure_most']:.2g} % of {_number(evidence['eta_mean'])} "
        f"{_over_rates(evidence)}, inside the margin of ±{100 * evidence['margin']:.3g} %: Newtonian."
    )


def _thinning(evidence: Evidence) -> str:
    return (
        f"The viscosity falls with the shear rate, {_eta_path(evidence)} {_over_rates(evidence)}, "
        f"beyond its scatter by a factor of {_number(evidence['fall_factor'])}: shear-thinning."
    )


def _thickening(evidence: Evidence) -> str:
    return (
        f"The viscosity rises with the shear rate, {_eta_path(evidence)} {_over_rates(evidence)}, "
        f"beyond its scatter by a factor of {_number(evidence['rise_factor'])}: shear-thickening."
    )


def _mixed(evidence: Evidence) -> str:
    parts = [
        f"{verb} by a factor of {_number(evidence[f'{key}_factor'])} between the shear rates "
        f"{_number(evidence[f'{key}_rate_low'])} and {_number(evidence[f'{key}_rate_high'])}"
        for verb, key in (("falls", "fall"), ("rises", "rise"))
    ]
    return f"The viscosity {parts[0]} and {parts[1]}: neither thinning nor thickening throughout (mixed)."


def _yield_stress(evidence: Evidence) -> str:
    return (
        f"The stress does not vanish with the shear rate: it tends to {_number(evidence['yield_stress'])} "
        f"(log τ rises with slope {_number(evidence['low_rate_slope'])} at the lowest rates): yield stress."
    )


def _viscoelastic(evidence: Evidence) -> str:
    text = (
        f"Viscoelastic: {_unexplained(evidence)} (the limit is {100 * thresholds.UNEXPLAINED:.0f} %) and points where "
        f"an elastic fluid's would; no scalar viscosity explains it."
    )
    if "relaxation_time" in evidence:
        text += f" N1/(2ηγ̇²), in shear the relaxation time, is {_number(evidence['relaxation_time'])} (median)."
    return text


def _not_decided(evidence: Evidence) -> str:
    return f"Not decided: {_missing(evidence)}."


def _missing(evidence: Evidence) -> str:
    unexplained, coherence = evidence.get("unexplained", 0.0), evidence.get("coherence", 0.0)
    if unexplained > thresholds.SUSPECT and coherence > thresholds.COHERENT:
        return (
            f"{_unexplained(evidence)}, as in a weakly elastic fluid or with a systematic error of the gradient; "
            f"needed is a gradient of another scheme or a finer mesh"
        )
    if unexplained > thresholds.UNEXPLAINED:
        return (
            f"{_unexplained(evidence)}, but in no consistent direction, so stress and gradient do not fit each "
            f"other; needed is a better gradient, or the right order of the stress components"
        )
    if "rate_min" not in evidence:
        return (
            "no cell has both a shear rate that counts and a positive viscosity; needed is a flow that deforms the "
            "fluid"
        )
    if evidence.get("nonpositive", 0.0) > thresholds.NONPOSITIVE:
        return (
            f"{100 * evidence['nonpositive']:.3g} % of Σ V|τ:D| is in cells whose viscosity is not positive (the limit "
            f"is {100 * thresholds.NONPOSITIVE:.0f} %); needed is a better gradient, or a stress with its right sign "
            f"and order of components"
        )
    if evidence["rate_max"] < thresholds.RANGE_FACTOR * evidence["rate_min"]:
        return (
            f"the shear rates span only {_number(evidence['rate_min'])} to {_number(evidence['rate_max'])}; needed "
            f"is a factor of {thresholds.RANGE_FACTOR:g} at least"
        )
    return (
        f"{_over_rates(evidence)} the viscosity may depart from its mean by {100 * evidence['departure_most']:.2g} %, "
        f"more than {_MARGIN}, but no change beyond the scatter and the error of the gradient is certain; needed are "
        f"more cells, a better gradient or a wider range of shear rates"
    )


def _doubt(verdict: Verdict, evidence: Evidence) -> str:
    unexplained = evidence.get("unexplained", 0.0)
    if verdict in (Verdict.VISCOELASTIC, Verdict.NOT_DECIDED) or unexplained <= thresholds.SUSPECT:
        return ""
    if evidence["coherence"] > thresholds.COHERENT:
        return f" But {_unexplained(evidence)} and points where an elastic fluid's would: weakly elastic besides."
    return f" But {_unexplained(evidence)}, in no consistent direction: this may be an error of the gradient."


def _balance(evidence: Evidence) -> str:
    """What the balance of momentum needs beside the known stress."""
    if "balance_tests" not in evidence:
        return ""
    if "balance_viscosity" not in evidence:
        return " The momentum balance does not determine a viscosity beside this."
    low, high = evidence["balance_low"], evidence["balance_high"]
    range_ = f"{_number(evidence['balance_viscosity'])} (95 %: {_number(low)} to {_number(high)})"
    left = f"{100 * evidence['balance_unbalanced']:.2g} % of the forces stay unbalanced"
    if low > 0:
        return (
            f" The momentum balance needs a Newtonian viscosity of {range_} besides, such as a solvent's, "
            f"{100 * evidence['balance_share']:.3g} % of the whole; {left}."
        )
    if high < 0:
        return (
            f" The momentum balance does not hold with this stress: it asks for a negative viscosity, "
            f"{range_}, besides; check stress, pressure, body force and whether the flow is steady."
        )
    return f" The momentum balance holds without any other viscosity: {range_}; {left}."


def _unexplained(evidence: Evidence) -> str:
    return (
        f"the part of the stress that is not along the rate of deformation measures "
        f"{100 * evidence['unexplained']:.3g} % of the whole"
    )


def _over_rates(evidence: Evidence) -> str:
    return f"over shear rates from {_number(evidence['rate_min'])} to {_number(evidence['rate_max'])}"


def _eta_path(evidence: Evidence) -> str:
    return f"from {_number(evidence['eta_first'])} to {_number(evidence['eta_last'])}"


def _number(value: float) -> str:
    return f"{value:.3g}"


_FOUND = {
    Verdict.NEWTONIAN: _newtonian,
    Verdict.SHEAR_THINNING: _thinning,
    Verdict.SHEAR_THICKENING: _thickening,
    Verdict.MIXED: _mixed,
    Verdict.YIELD_STRESS: _yield_stress,
    Verdict.VISCOELASTIC: _viscoelastic,
    Verdict.NOT_DECIDED: _not_decided,
}


# More points than these are no advice.
_MOST_POINTS = 1000


def measured_sentence(verdict: Verdict, evidence: Evidence, best: Fit) -> str:
    """One or two sentences that name the verdict's reason in numbers."""
    if verdict is not Verdict.NOT_DECIDED:
        return sentence(verdict, evidence, best)
    return f"Not decided: {_missing_from_points(evidence)}."


def _missing_from_points(evidence: Evidence) -> str:
    if evidence["rate_max"] < thresholds.RANGE_FACTOR * evidence["rate_min"]:
        return (
            f"the shear rates span only {evidence['rate_min']:.3g} to {evidence['rate_max']:.3g}; needed is a factor "
            f"of {thresholds.RANGE_FACTOR:g} at least"
        )
    if evidence["departure_least"] > evidence["margin"]:
        return _contested(evidence)
    text = (
        f"over shear rates from {evidence['rate_min']:.3g} to {evidence['rate_max']:.3g} the viscosity may depart from "
        f"its mean by {100 * evidence['departure_most']:.2g} %, more than ±{100 * evidence['margin']:.3g} %, but no "
        f"change beyond the noise of {100 * evidence['noise']:.2g} % is certain"
    )
    return text + _needed(evidence)


def _needed(evidence: Evidence) -> str:
    if "noise_needed" not in evidence:
        return "; needed is a wider range of shear rates, less noise or more points"
    points = evidence["points_needed"]
    more = f", or about {points:.0f} points of this noise" if points <= _MOST_POINTS else ""
    return f"; needed is noise below {100 * evidence['noise_needed']:.2g} %{more}, or a wider range of shear rates"


def _contested(evidence: Evidence) -> str:
    """η changes for certain, but the laws that suit the points differ in kind."""
    kinds = {name: evidence.get(f"weight_{name.replace('-', '_')}", 0.0) for name in Verdict}
    first, second = sorted(kinds, key=lambda name: -kinds[name])[:2]
    text = (
        f"the viscosity is not constant ({_change(evidence)}), but laws that are {first} (Akaike weight "
        f"{kinds[first]:.3f}) and {second} ({kinds[second]:.3f}) suit the points alike"
    )
    lower = Verdict.YIELD_STRESS in (first, second)
    return text + (
        "; needed are lower shear rates or less noise" if lower else "; needed are less noise or more points"
    )


def _change(evidence: Evidence) -> str:
    fall, rise = evidence["fall_factor"], evidence["rise_factor"]
    name, factor = ("falls", fall) if fall >= rise else ("rises", rise)
    return f"it {name} by a factor of {factor:.3g} beyond the noise"


def identified_sentence(
    verdict: Verdict, evidence: Evidence, fit: Fit | None, is_absolute: bool, scale_from: str
) -> str:
    """One to three sentences that name the verdict's reason in numbers."""
    if verdict is Verdict.NOT_DECIDED:
        return f"Not decided from the velocity alone: {_missing_from_velocity(evidence)}."
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


def _missing_from_velocity(evidence: Evidence) -> str:
    low, high = evidence["rate_min"], evidence["rate_max"]
    if evidence["unbalanced"] > thresholds.UNBALANCED:
        return (
            f"no viscosity that depends on the shear rate alone balances the momentum ({_percent(evidence)} of the "
            f"terms is left over, the limit is {100 * thresholds.UNBALANCED:g} %); the flow may be unsteady, "
            "turbulent, elastic or too coarse, or a force may be missing: give steps in time, a finer mesh, or the "
            "body force"
        )
    if high < 2 * low:
        return (
            f"η is determined at shear rates from {_number(low)} to {_number(high)} only; needed is a flow whose shear "
            "rate varies more from place to place, and not along one direction alone"
        )
    if evidence["stress_fall_factor"] > math.exp(thresholds.FALLING):
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
