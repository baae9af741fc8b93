"""The verdict on a measured flow curve in words, and what is missing where there is none."""

from __future__ import annotations

from flowgrad.rheology import sentence as words
from flowgrad.rheology import thresholds
from flowgrad.rheology.fit import Fit
from flowgrad.rheology.verdict import Verdict

# More points than these are no advice.
_MOST_POINTS = 1000


def sentence(verdict: Verdict, evidence: words.Evidence, best: Fit) -> str:
    """One or two sentences that name the verdict's reason in numbers."""
    if verdict is not Verdict.NOT_DECIDED:
        return words.sentence(verdict, evidence, best)
    return f"Not decided: {_missing(evidence)}."


def _missing(evidence: words.Evidence) -> str:
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


def _needed(evidence: words.Evidence) -> str:
    if "noise_needed" not in evidence:
        return "; needed is a wider range of shear rates, less noise or more points"
    points = evidence["points_needed"]
    more = f", or about {points:.0f} points of this noise" if points <= _MOST_POINTS else ""
    return f"; needed is noise below {100 * evidence['noise_needed']:.2g} %{more}, or a wider range of shear rates"


def _contested(evidence: words.Evidence) -> str:
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


def _change(evidence: words.Evidence) -> str:
    fall, rise = evidence["fall_factor"], evidence["rise_factor"]
    name, factor = ("falls", fall) if fall >= rise else ("rises", rise)
    return f"it {name} by a factor of {factor:.3g} beyond the noise"
