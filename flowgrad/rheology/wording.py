"""Sentences for a verdict and its evidence, for a person who did not run the program.

The sentences are templates that name numbers of the evidence: ``{x}`` prints one to three digits, ``{x:2%}`` as a
percentage to two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from flowgrad.rheology import thresholds
from flowgrad.rheology.finding import Verdict
from flowgrad.rheology.fit import Fit
from flowgrad.rheology.model import Model
from flowgrad.rheology.models.basic import Newtonian

Evidence = Mapping[str, float]

# More points than these are no advice.
_MOST_POINTS = 1000

_RATES = "over shear rates from {rate_min} to {rate_max}"
_PATH = "from {eta_first} to {eta_last}"
_ASIDE = "the part of the stress that is not along the rate of deformation measures {unexplained:3%} of the whole"
_CONSTANT = (
    f"The viscosity stays within ±{{departure_most:2%}} of {{eta_mean}} {_RATES}, inside the margin of ±{{margin:3%}}"
)

_DECIDED = {
    Verdict.NEWTONIAN: _CONSTANT + ": Newtonian.",
    Verdict.SHEAR_THINNING: f"The viscosity falls with the shear rate, {_PATH} {_RATES}, beyond its scatter by a "
    "factor of {fall_factor}: shear-thinning.",
    Verdict.SHEAR_THICKENING: f"The viscosity rises with the shear rate, {_PATH} {_RATES}, beyond its scatter by a "
    "factor of {rise_factor}: shear-thickening.",
    Verdict.MIXED: "The viscosity falls by a factor of {fall_factor} between the shear rates {fall_rate_low} and "
    "{fall_rate_high} and rises by a factor of {rise_factor} between the shear rates {rise_rate_low} and "
    "{rise_rate_high}: neither thinning nor thickening throughout (mixed).",
    Verdict.YIELD_STRESS: "The stress does not vanish with the shear rate: it tends to {yield_stress} (log τ rises "
    "with slope {low_rate_slope} at the lowest rates): yield stress.",
    Verdict.VISCOELASTIC: f"Viscoelastic: {_ASIDE} (the limit is {100 * thresholds.UNEXPLAINED:.0f} %) and points "
    "where an elastic fluid's would; no scalar viscosity explains it.",
}


class _Printed(float):
    """A number of the evidence as the sentences print it."""

    def __format__(self, spec: str) -> str:
        if spec.endswith("%"):
            return f"{100 * float(self):.{spec[:-1]}g} %"
        return float.__format__(self, spec or ".3g")


def _filled(template: str, evidence: Evidence) -> str:
    return template.format_map({key: _Printed(value) for key, value in evidence.items()})


def of_flow(verdict: Verdict, evidence: Evidence, fit: Fit | None, model: Model | None = None) -> str:
    """One or two sentences that name the verdict's reason in numbers; ``model`` is one that was given."""
    if model is not None:
        return _given(verdict, evidence, model) + _balance(evidence)
    if verdict is Verdict.NOT_DECIDED:
        return f"Not decided: {_filled(_missing_in_flow(evidence), evidence)}.{_balance(evidence)}"
    return _decided(verdict, evidence, fit) + _doubt(verdict, evidence) + _balance(evidence)


def of_points(verdict: Verdict, evidence: Evidence, fit: Fit) -> str:
    """The same of a measured flow curve."""
    if verdict is Verdict.NOT_DECIDED:
        return f"Not decided: {_filled(_missing_in_points(evidence), evidence)}."
    return _decided(verdict, evidence, fit)


def of_velocity(verdict: Verdict, evidence: Evidence, fit: Fit | None, scale_from: str) -> str:
    """The same of a viscosity that was found in the velocity alone; ``scale_from`` is empty where its factor is not
    known."""
    if verdict is Verdict.NOT_DECIDED:
        return f"Not decided from the velocity alone: {_filled(_missing_in_velocity(evidence), evidence)}."
    if verdict is Verdict.NEWTONIAN:
        text = _CONSTANT.replace("The", "the", 1).replace("{eta_mean}", "its mean") + f": {verdict}."
    else:
        text = (
            f"the viscosity goes {_PATH} {_RATES}: {verdict}. A constant viscosity leaves {{improvement}} times as "
            "much of the balance of momentum."
        )
    scale = (
        f" Its scale comes from {scale_from}."
        if scale_from
        else " Viscosities and stresses are known up to a common factor, which inertia does not tell here."
    )
    return f"From the velocity alone: {_filled(text, evidence)}{_best(fit)}{scale}"


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
        text += f". Turbulent eddy viscosities ({', '.join(eddy)}) belong to the flow, not to the fluid"
    return text + "."


def _decided(verdict: Verdict, evidence: Evidence, fit: Fit | None) -> str:
    text = _filled(_DECIDED[verdict], evidence)
    if verdict is not Verdict.VISCOELASTIC:
        return text + _best(fit)
    if "relaxation_time" in evidence:
        text += _filled(" N1/(2ηγ̇²), in shear the relaxation time, is {relaxation_time} (median).", evidence)
    return text


def _best(fit: Fit | None) -> str:
    return "" if fit is None else f" Best law: {fit}, with a root mean square misfit of {100 * fit.misfit:.2g} %."


def _given(verdict: Verdict, evidence: Evidence, model: Model) -> str:
    if isinstance(model, Newtonian):
        return f"The viscosity was given as the constant {model.eta:g}, not found in the data: Newtonian by assumption."
    text = f"The viscosity was given as {model}, not found in the data"
    if "rate_min" not in evidence:
        return text + "; nothing moves in this flow, so its law does not show."
    return text + _filled(f"; {_RATES} this law is {verdict}: η goes {_PATH}.", evidence)


def _missing_in_flow(evidence: Evidence) -> str:
    unexplained, coherence = evidence.get("unexplained", 0.0), evidence.get("coherence", 0.0)
    if unexplained > thresholds.SUSPECT and coherence > thresholds.COHERENT:
        return (
            f"{_ASIDE}, as in a weakly elastic fluid or with a systematic error of the gradient; a gradient of another "
            "scheme or a finer mesh is needed"
        )
    if unexplained > thresholds.UNEXPLAINED:
        return (
            f"{_ASIDE}, but in no consistent direction, so stress and gradient do not fit each other; a better "
            "gradient is needed, or the right order of the stress components"
        )
    if "rate_min" not in evidence:
        return (
            "no cell has both a shear rate that counts and a positive viscosity; a flow that deforms the fluid is "
            "needed"
        )
    if evidence.get("nonpositive", 0.0) > thresholds.NONPOSITIVE:
        return (
            "{nonpositive:3%} of Σ V|τ:D| is in cells whose viscosity is not positive (the limit is "
            f"{100 * thresholds.NONPOSITIVE:.0f} %); a better gradient is needed, or a stress with its right sign and "
            "order of components"
        )
    return _narrow(evidence) or (
        f"{_RATES} the viscosity may depart from its mean by {{departure_most:2%}}, more than ±{{margin:3%}}, but no "
        "change beyond the scatter and the error of the gradient is certain; more cells, a better gradient or a wider "
        "range of shear rates is needed"
    )


def _narrow(evidence: Evidence) -> str:
    if evidence["rate_max"] >= thresholds.RANGE_FACTOR * evidence["rate_min"]:
        return ""
    return (
        "the shear rates span only {rate_min} to {rate_max}; a factor of "
        f"{thresholds.RANGE_FACTOR:g} at least is needed"
    )


def _missing_in_points(evidence: Evidence) -> str:
    if text := _narrow(evidence):
        return text
    if evidence["departure_least"] > evidence["margin"]:
        return _contested(evidence)
    text = (
        f"{_RATES} the viscosity may depart from its mean by {{departure_most:2%}}, more than ±{{margin:3%}}, but no "
        "change beyond the noise of {noise:2%} is certain; "
    )
    if "noise_needed" not in evidence:
        return text + "a wider range of shear rates, less noise or more points are needed"
    few = evidence["points_needed"] <= _MOST_POINTS
    more = ", or about {points_needed:.0f} points of this noise" if few else ""
    return f"{text}noise below {{noise_needed:2%}}{more}, or a wider range of shear rates is needed"


def _contested(evidence: Evidence) -> str:
    """η changes for certain, but the models that suit the points differ in kind."""
    kinds = {name: evidence.get(f"weight_{name.replace('-', '_')}", 0.0) for name in Verdict}
    first, second = sorted(kinds, key=lambda name: -kinds[name])[:2]
    falls = evidence["fall_factor"] >= evidence["rise_factor"]
    change = "falls by a factor of {fall_factor}" if falls else "rises by a factor of {rise_factor}"
    needed = (
        "lower shear rates or less noise is needed"
        if Verdict.YIELD_STRESS in (first, second)
        else "less noise or more points are needed"
    )
    return (
        f"the viscosity is not constant (it {change} beyond the noise), but laws that are {first} (Akaike weight "
        f"{kinds[first]:.3f}) and {second} ({kinds[second]:.3f}) suit the points alike; {needed}"
    )


def _missing_in_velocity(evidence: Evidence) -> str:
    if evidence["unbalanced"] > thresholds.UNBALANCED:
        return (
            "no viscosity that depends on the shear rate alone balances the momentum ({unbalanced:2%} of the terms is "
            f"left over, the limit is {100 * thresholds.UNBALANCED:g} %); the flow may be unsteady, turbulent, elastic "
            "or too coarse, or a force may be missing: give steps in time, a finer mesh, or the body force"
        )
    if evidence["rate_max"] < thresholds.RANGE_FACTOR * evidence["rate_min"]:
        return (
            "η is determined at shear rates from {rate_min} to {rate_max} only; a flow whose shear rate varies more "
            "from place to place, and not along one direction alone, is needed"
        )
    if evidence["stress_fall_factor"] > math.exp(thresholds.FALLING):
        return (
            f"the balance of momentum is closed best by a stress that falls by a factor of {{stress_fall_factor}} "
            f"{_RATES}, which no fluid has in a steady flow; a finer mesh, less noise or the missing force is "
            "needed"
        )
    return (
        f"{_RATES} the viscosity may depart from its mean by {{departure_most:2%}}, and no change is certain; less "
        "noise, a finer mesh or a flow that varies more is needed"
    )


def _doubt(verdict: Verdict, evidence: Evidence) -> str:
    unexplained = evidence.get("unexplained", 0.0)
    if verdict is Verdict.VISCOELASTIC or unexplained <= thresholds.SUSPECT:
        return ""
    if evidence["coherence"] > thresholds.COHERENT:
        return _filled(f" But {_ASIDE} and points where an elastic fluid's would: weakly elastic besides.", evidence)
    return _filled(f" But {_ASIDE}, in no consistent direction: this may be an error of the gradient.", evidence)


def _balance(evidence: Evidence) -> str:
    """What the balance of momentum needs beside the known stress."""
    if "balance_tests" not in evidence:
        return ""
    if "balance_viscosity" not in evidence:
        return " The momentum balance does not determine a viscosity beside this."
    interval = "{balance_viscosity} (95 %: {balance_low} to {balance_high})"
    left = "{balance_unbalanced:2%} of the forces stay unbalanced"
    if evidence["balance_low"] > 0:
        text = (
            f" The momentum balance needs a Newtonian viscosity of {interval} besides, such as a solvent's, "
            f"{{balance_share:3%}} of the whole; {left}."
        )
    elif evidence["balance_high"] < 0:
        text = (
            f" The momentum balance does not hold with this stress: it asks for a negative viscosity, {interval}, "
            "besides; check stress, pressure, body force and whether the flow is steady."
        )
    else:
        text = f" The momentum balance holds without any other viscosity: {interval}; {left}."
    return _filled(text, evidence)
