"""The verdict in words, for a person who did not run the program."""

from __future__ import annotations

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
