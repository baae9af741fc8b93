"""Sentences for a verdict and its evidence, for a person who did not run the program.

The sentences are templates that name numbers of the evidence: ``{x}`` prints one to three digits, ``{x:2%}`` as a
percentage to two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from flowgrad.rheology import thresholds
from flowgrad.rheology.classes import Verdict
from flowgrad.rheology.finding import Finding
from flowgrad.rheology.fit import Fit
from flowgrad.rheology.model import Model
from flowgrad.rheology.models.basic import Newtonian
from flowgrad.rheology.models.yield_stress import Regularised
from flowgrad.rheology.residuals import is_missed
from flowgrad.typing import FloatArray

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
_NO_LAW = "No law η(γ̇) describes it, nor do these data tell whether each place is Newtonian."
# Why a viscosity is not a function of the shear rate, by the number that shows it; the first that is known.
_NOT_A_FUNCTION = {
    "place_factor": "At equal shear rates the viscosity is not the same everywhere: from place to place it differs by "
    "a factor of {place_factor} at least, beyond its errors. It is not a function of the shear rate: a fluid in "
    f"layers, heated, thixotropic or pressure-dependent. {_NO_LAW}",
    "stress_fall_factor": "Where the shear rate is higher the stress is lower: it falls by a factor of "
    f"{{stress_fall_factor}} at least, beyond its errors, {_RATES}. A viscosity that is a function of the shear rate "
    "alone does not do that in a steady flow, which would break up into bands: a fluid in layers, heated, thixotropic "
    f"or pressure-dependent. {_NO_LAW}",
}


# Where a viscosity of place explains what one of the rate leaves.
_PLACE = (
    "no viscosity that depends on the shear rate alone balances the momentum; one that differs from place to place, "
    "by {of_place:2%} (root mean square), leaves {beside_place:2%} of its squares: a fluid in layers, heated, "
    "thixotropic or pressure-dependent."
)
# What keeps a balance of momentum from telling a fluid, by what the contradiction is called.
_OPEN_BALANCE = {
    "from place to place": "of what a viscosity that depends on the shear rate alone leaves of the balance (as "
    "squares), one that differs from place to place, by {of_place:2%}, leaves {beside_place:2%}: a fluid in layers or "
    "heated, or errors of the velocity that differ so; a finer mesh or less noise is needed",
    "in large balls as in small": "in large parts of the flow {coarse_unbalanced:2%} of the work of the stress is left "
    "over, {coarse_growth} times as much as in small ones, which errors of the velocity do not leave: the flow may be "
    "unsteady, a force may be missing, or the viscosity differ from place to place; give steps in time, or the body "
    "force",
    "constant viscosity leaves only": "a viscosity that goes from {eta_first} to {eta_last} closes the balance best, "
    "but in large parts of the flow a constant one leaves only {coarse_improvement} times as much "
    f"({thresholds.EXPLAINED:g} are needed): errors of the velocity, a change in time or a missing force may be what "
    "is seen; a finer mesh, steps in time or less noise is needed",
    "same at all rates": f"{_RATES} a stress that is the same at all of them closes the balance, as it does in any "
    "flow along one direction; a flow in which the stress varies is needed",
    "parallel": "the flow is along one direction, where a change in time looks like another fluid and nothing tells "
    "them apart: say that it is steady (--steady, steady=True) if it is, or give steps in time",
}


class _Printed(float):
    """A number of the evidence as the sentences print it."""

    def __format__(self, spec: str) -> str:
        if spec.endswith("%"):
            return f"{100 * float(self):.{spec[:-1]}g} %"
        return float.__format__(self, spec or ".3g")


def _filled(template: str, evidence: Evidence) -> str:
    return template.format_map({key: _Printed(value) for key, value in evidence.items()})


def of_flow(finding: Finding, evidence: Evidence, model: Model | None = None) -> str:
    """One or two sentences that name the verdict's reason in numbers; ``model`` is one that was given."""
    if model is not None:
        return _given(finding.verdict, evidence, model) + _balance(evidence)
    if finding.verdict is Verdict.NOT_DECIDED:
        return f"Not decided: {_filled(_missing_in_flow(finding, evidence), evidence)}.{_balance(evidence)}"
    said = _decided(finding, evidence) + _doubt(finding.verdict, evidence) + _balance(evidence)
    return said + (_correlated("the weights of the laws", evidence) if finding.classes else "")


def of_points(finding: Finding, evidence: Evidence) -> str:
    """The same of a measured flow curve."""
    reckoned = _correlated("the errors of the trend and the weights of the laws", evidence)
    if finding.verdict is Verdict.NOT_DECIDED:
        return f"Not decided: {_filled(_missing_in_points(evidence), evidence)}.{reckoned}"
    return _decided(finding, evidence) + reckoned


def of_velocity(finding: Finding, evidence: Evidence, scale_from: str) -> str:
    """The same of a viscosity that was found in the velocity alone; ``scale_from`` is empty where its factor is not
    known."""
    verdict = finding.verdict
    if verdict is Verdict.NOT_DECIDED:
        return f"Not decided from the velocity alone: {_filled(_missing_in_velocity(finding, evidence), evidence)}."
    if verdict is Verdict.NOT_A_FUNCTION_OF_RATE:
        return f"From the velocity alone: {_filled(_PLACE, evidence)} {_NO_LAW}"
    if verdict is Verdict.NEWTONIAN:
        text = _CONSTANT.replace("The", "the", 1).replace("{eta_mean}", "its mean") + f": {verdict}."
    else:
        text = f"the viscosity goes {_PATH} {_RATES}: {verdict}"
        text += f" (which class, {_classes(finding)}, stays open)." if finding.classes else "."
        text += " A constant viscosity leaves {improvement} times as much of the balance of momentum."
    scale = (
        f" Its scale comes from {scale_from}."
        if scale_from
        else " Viscosities and stresses are known up to a common factor, which inertia does not tell here."
    )
    return f"From the velocity alone: {_filled(text, evidence)}{_best(finding.law)}{scale}"


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


def _decided(finding: Finding, evidence: Evidence) -> str:
    verdict = finding.verdict
    if verdict is Verdict.NON_NEWTONIAN:
        return _filled(_varies(evidence) + _open(finding, evidence), evidence)
    if verdict is Verdict.NOT_A_FUNCTION_OF_RATE:
        return _filled(next(text for key, text in _NOT_A_FUNCTION.items() if key in evidence), evidence)
    text = _filled(_DECIDED[verdict], evidence)
    if verdict is Verdict.YIELD_STRESS and finding.law is not None:
        text = _capped(finding.law.model, finding.curve.rate, evidence) or text
    if verdict is not Verdict.VISCOELASTIC:
        if finding.law is None and finding.fits:
            return f"{text} No law of this kind follows the points. {_off(finding.fits[0])}."
        return text + _best(finding.law) + _beside(finding, evidence)
    if "relaxation_time" in evidence:
        text += _filled(" N1/(2ηγ̇²), in shear the relaxation time, is {relaxation_time} (median).", evidence)
    return text


def _capped(model: Model, rate: FloatArray, evidence: Evidence) -> str:
    """The reason for a yield stress that a cap of the viscosity hides at the lowest of the rates (n,); else empty."""
    uncapped = model.uncapped(rate)
    if uncapped[0] or not uncapped.any():
        return ""
    return _filled(
        f"Above the shear rate {rate[uncapped][0]:.3g}, below which a cap holds the viscosity at {{eta_first}}, the "
        "stress tends to {yield_stress} towards rest: yield stress.",
        evidence,
    )


def _varies(evidence: Evidence) -> str:
    """By how much η changes for certain, where its class is open."""
    changes = [
        f"{verb} by a factor of {{{name}_factor}} between the shear rates {{{name}_rate_low}} and {{{name}_rate_high}}"
        for name, verb in (("fall", "falls"), ("rise", "rises"))
        if f"{name}_rate_low" in evidence
    ]
    said = " and ".join(changes) or f"departs from its mean by {{departure_least:2%}} at least {_RATES}"
    return f"The viscosity is not constant, beyond its scatter: it {said}. Non-Newtonian for certain; "


def _open(finding: Finding, evidence: Evidence) -> str:
    """Why the class is open, what remains, and what would decide."""
    if not finding.fits:
        few = "there are too few well-known shear rates to compare laws"
        return f"its class stays open, {_classes(finding, weighted=False)}: {few}."
    first = finding.fits[0]
    if is_missed(first, finding.curve.trusted(finding.margin)):
        return (
            f"its class stays open, {_classes(finding, weighted=False)}: no law suits the points. {_off(first)}, "
            "{misfit_over_scatter} times their scatter, with {runs:.0f} runs of one sign among the "
            f"{first.points} residuals (by chance so few in {{runs_probability:2%}} of cases)."
        )
    needed = "lower shear rates" if Verdict.YIELD_STRESS in finding.classes else "a wider range of shear rates"
    text = f"its class stays open, {_classes(finding)}, by the Akaike weights of the laws"
    return f"{text}: {needed} or less error would tell.{_best(first)}"


def _classes(finding: Finding, weighted: bool = True) -> str:
    """The classes that remain, with their weights."""
    return " or ".join(f"{each} ({weight:.3g})" if weighted else each for each, weight in finding.classes.items())


def _best(fit: Fit | None) -> str:
    return "" if fit is None else f" Best law: {fit}, with a root mean square misfit of {100 * fit.misfit:.2g} %."


def _off(first: Fit) -> str:
    """How far the first law of a ranking is off where none suits; without parameters, which mean nothing then."""
    return f"The best, {first.model.name}, has a root mean square misfit of {100 * first.misfit:.2g} %"


def _beside(finding: Finding, evidence: Evidence) -> str:
    """Why a law with a yield stress is that of a thinning fluid."""
    if finding.verdict is not Verdict.SHEAR_THINNING or "law_yield_stress" not in evidence or finding.law is None:
        return ""
    if isinstance(finding.law.model, Regularised) and evidence["law_yield_share"] >= thresholds.YIELD_SHARE:
        return _filled(
            " Its yield stress of {law_yield_stress} is a regularised one, whose viscosity stays finite towards rest: "
            "the stress vanishes with the shear rate, as that of a thinning fluid.",
            evidence,
        )
    share = "is {law_yield_share:2%} of the stress at the lowest shear rate"
    if evidence["law_yield_share"] < thresholds.YIELD_SHARE:
        why = f"{share}, too little to show there (the limit is {100 * thresholds.YIELD_SHARE:.0f} %)"
    else:
        why = f"{share}, but the stress still rises there with the slope {{low_rate_slope}}"
    return _filled(f" Its yield stress of {{law_yield_stress}} {why}: lower shear rates would tell.", evidence)


def _correlated(what: str, evidence: Evidence) -> str:
    """That residuals on one side of the law count less, where they follow one another."""
    if "residual_correlation" not in evidence:
        return ""
    text = " The residuals follow one another (correlation {residual_correlation:.2g} of neighbours), so that they say "
    return _filled(f"{text}less than as many independent ones: {what} reckon with it.", evidence)


def _given(verdict: Verdict, evidence: Evidence, model: Model) -> str:
    if isinstance(model, Newtonian):
        return f"The viscosity was given as the constant {model.eta:g}, not found in the data: Newtonian by assumption."
    text = f"The viscosity was given as {model}, not found in the data"
    if "rate_min" not in evidence:
        return text + "; nothing moves in this flow, so its law does not show."
    return text + _filled(f"; {_RATES} this law is {verdict}: η goes {_PATH}.", evidence)


def _missing_in_flow(finding: Finding, evidence: Evidence) -> str:
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
    if text := _narrow(evidence):
        return text
    if finding.curve.is_level(finding.margin):
        return (
            f"{_RATES} the stress is the same within a factor of {{stress_span:.3f}}; a plastic material, shear bands "
            "and a viscosity that differs from place to place (in layers, by heat) look alike so; a flow in which the "
            "stress varies is needed"
        )
    return (
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
    text = (
        f"{_RATES} the viscosity may depart from its mean by {{departure_most:2%}}, more than ±{{margin:3%}}, but no "
        "change beyond the noise of {noise:2%} is certain; "
    )
    if "noise_needed" not in evidence:
        return text + "a wider range of shear rates, less noise or more points are needed"
    few = evidence["points_needed"] <= _MOST_POINTS
    more = ", or about {points_needed:.0f} points of this noise" if few else ""
    return f"{text}noise below {{noise_needed:2%}}{more}, or a wider range of shear rates is needed"


def _missing_in_velocity(finding: Finding, evidence: Evidence) -> str:
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
    found = finding.path[0].found
    for part, text in _OPEN_BALANCE.items():
        if part in found:
            return text
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
