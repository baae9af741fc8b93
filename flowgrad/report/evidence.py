"""Evidence of a verdict, tables of laws, and a glossary of the report's words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from markupsafe import Markup

from flowgrad.kinematics import QUANTITIES
from flowgrad.plot.flow_curve import symbol
from flowgrad.plot.scalar_field import STRESS, VISCOSITY, dimension_of
from flowgrad.report.formatting import count, html, number, percent
from flowgrad.rheology import Fit
from flowgrad.separation import Separation

VERDICTS = {
    "newtonian": "the viscosity is the same however fast the fluid is sheared, as in water or honey",
    "shear-thinning": "the faster the fluid is sheared, the lower its viscosity, as in paint or blood",
    "shear-thickening": "the faster the fluid is sheared, the higher its viscosity, as in corn starch in water",
    "yield-stress": "the fluid stays solid until the stress exceeds a threshold, the yield stress, as toothpaste does",
    "viscoelastic": "the stress depends on how the fluid was deformed before, as in polymer solutions; no viscosity "
    "alone describes it",
    "mixed": "the viscosity falls at some shear rates and rises at others",
    "not-decided": "the data do not suffice for a verdict; the sentence says what is missing",
    "no-stress-known": "the file holds the motion only; without a stress or a viscosity nothing can be said of the "
    "fluid",
    "failed": "the file could not be analysed; the reason is given",
}

# Kinds of failure, as the manifest has them.
FAILURES = {
    "refused": "cannot be analysed as it is",
    "access": "could not be opened or written",
    "dependency": "needs a package that is not installed",
    "memory": "needed more memory than was allowed",
    "timeout": "took longer than was allowed",
    "signal": "ended the process that worked on it",
    "lost": "the machine that worked on it was lost",
    "disk": "its results could not be stored",
}

# Key of the evidence → what the number is, in words.
EVIDENCE = {
    "rate_min": "the shear rate is how fast neighbouring layers of fluid slide past each other",
    "eta_first": "the viscosity is stress over shear rate, the resistance to sliding",
    "eta_newtonian": "the one viscosity that dissipates as much energy as the whole flow does",
    "fall_factor": "how many times lower it gets, what may be chance left out",
    "rise_factor": "how many times higher it gets, what may be chance left out",
    "departure_least": "how far the viscosity certainly is from constant; Newtonian is within ±5 %",
    "departure_most": "how far it may be from constant; Newtonian is within ±5 %",
    "scatter": "of cells that have nearly the same shear rate",
    "flow_index": "τ grows as this power of the shear rate: 1 Newtonian, less thinning, more thickening",
    "low_rate_slope": "1 for a viscosity that levels off at low rates, near 0 for a yield stress",
    "yield_stress": "the stress below which the fluid does not flow",
    "unexplained": "the part of the stress that is not along the rate of deformation; elastic fluids have it",
    "coherence": "from 0 (any direction, as errors have) to 100 % (one direction, as elastic stress has)",
    "relaxation_time": "how long an elastic stress lasts; N1 is the first normal stress difference",
    "weissenberg_max": "relaxation time times shear rate: elastic effects matter above about 1",
    "balance_viscosity": "such as a solvent's: with it the forces on each cell balance best",
    "balance_unbalanced": "of all forces on the cells",
    "plug_volume": "where the fluid moves like a solid",
    "low_plateau_volume": "where the viscosity has reached its value at rest, within the margin",
    "high_plateau_volume": "where the viscosity has reached its value at the highest rates, within the margin",
    "gradient_error": "as estimated by comparing two schemes",
    "bins": "cells of similar shear rate form a bin, whose median is one point of the curve",
}


_RATE = QUANTITIES["shear_rate"]


@dataclass(frozen=True)
class Fact:
    """A number with its name, symbol and dimension, and what it is in words."""

    name: str
    symbol: Markup
    value: str
    dimension: str = ""
    meaning: str = ""


# Key of the evidence → name, symbol, how it is written, dimension; in the order of the page.
_FACTS = {
    "rate_min": ("lowest shear rate", _RATE.symbol, number, _RATE.dimension),
    "rate_max": ("highest shear rate", _RATE.symbol, number, _RATE.dimension),
    "eta_first": ("viscosity at the lowest rate", r"\eta", number, VISCOSITY),
    "eta_last": ("viscosity at the highest rate", r"\eta", number, VISCOSITY),
    "eta_mean": ("mean viscosity (of its logarithm)", r"\eta", number, VISCOSITY),
    "eta_newtonian": ("Newtonian viscosity (by dissipation)", r"\eta_N", number, VISCOSITY),
    "fall_factor": ("fall of the viscosity beyond its scatter, factor", "", number, ""),
    "rise_factor": ("rise of the viscosity beyond its scatter, factor", "", number, ""),
    "departure_least": ("departure of η from its mean, at least", "", percent, ""),
    "departure_most": ("departure of η from its mean, at most", "", percent, ""),
    "scatter": ("scatter of η within a bin (10–90 %)", "", percent, ""),
    "flow_index": ("flow index d log τ/d log γ̇", "n", number, ""),
    "low_rate_slope": ("slope of log τ at the lowest rates", "", number, ""),
    "yield_stress": ("yield stress", r"\tau_0", number, STRESS),
    "unexplained": ("stress that no viscosity explains", "", percent, ""),
    "coherence": ("part of it that keeps one direction to the motion", "", percent, ""),
    "relaxation_time": ("relaxation time N1/(2ηγ̇²), median", r"\lambda", number, "T"),
    "weissenberg_max": ("highest Weissenberg number", "Wi", number, ""),
    "balance_viscosity": ("viscosity that the momentum balance needs besides", r"\eta_s", number, VISCOSITY),
    "balance_low": ("the same, at least (95 %)", r"\eta_s", number, VISCOSITY),
    "balance_high": ("the same, at most (95 %)", r"\eta_s", number, VISCOSITY),
    "balance_share": ("its share of the whole viscosity", "", percent, ""),
    "balance_unbalanced": ("forces left unbalanced with it", "", percent, ""),
    "balance_without": ("forces left unbalanced without it", "", percent, ""),
    "plug_volume": ("plug (stress below the yield stress), of the volume", "", percent, ""),
    "low_plateau_volume": ("low-rate plateau of η, of the volume", "", percent, ""),
    "low_plateau_dissipation": ("low-rate plateau of η, of the dissipation", "", percent, ""),
    "high_plateau_volume": ("high-rate plateau of η, of the volume", "", percent, ""),
    "high_plateau_dissipation": ("high-rate plateau of η, of the dissipation", "", percent, ""),
    "gradient_error": ("error of η by that of the gradient, median", "", percent, ""),
    "bins": ("bins of the flow curve", "", count, ""),
    "cells": ("cells in them", "", count, ""),
}
# Weights of laws below this are as good as none.
LEAST_WEIGHT = 1e-4
# Laws that are shown though they have no weight.
_MOST_LAWS = 5
# Ranges that say something; other values are not shown: no change, and a departure that the factors tell better.
_TELLING = {"fall_factor": (1.0005, inf), "rise_factor": (1.0005, inf)}
_TELLING |= {"departure_least": (5e-4, 1.0), "departure_most": (5e-4, 1.0), "scatter": (5e-4, inf)}
_EXCLUDED = {
    "excluded_invalid": "without a gradient or a stress",
    "excluded_negligible_rate": "at rest (negligible shear rate)",
    "excluded_nonpositive_viscosity": "whose viscosity is not positive",
    "excluded_unknown_rate": "whose shear rate may be wrong by more than half (noise or error of the gradient)",
    "excluded_one_sided": "whose gradient is one-sided (an open boundary without values)",
}


def facts(separation: Separation) -> list[Fact]:
    """The evidence that says something, in a fixed order."""
    known = separation.evidence
    return [
        Fact(
            name,
            html(mathtext) if mathtext else Markup(),
            written(known[key]),
            dimension_of(dimension, separation.gradient),
            EVIDENCE.get(key, ""),
        )
        for key, (name, mathtext, written, dimension) in _FACTS.items()
        if key in known and _tells(key, known[key])
    ]


def _tells(key: str, value: float) -> bool:
    low, high = _TELLING.get(key, (-inf, inf))
    return low <= value <= high


def exclusions(separation: Separation) -> list[str]:
    """What the flow curve leaves out, and why."""
    return [
        f"{count(separation.evidence[key])} {why}: not in the flow curve."
        for key, why in _EXCLUDED.items()
        if separation.evidence.get(key)
    ]


@dataclass(frozen=True)
class Law:
    """A fitted law: its name, its parameters, its misfit and its weight among the laws, and the ``mark`` of the
    first that agrees with the verdict."""

    name: str
    parameters: Markup
    misfit: str
    weight: str
    mark: str = ""


def laws(separation: Separation) -> list[Law]:
    """The laws that were compared; none where one was given."""
    if separation.origin == "given":
        return []
    return [
        Law(
            fit.model.name,
            Markup(", ").join(_parameters(fit.model.parameters, fit.parameters)),
            percent(fit.misfit),
            percent(fit.weight) if fit.weight > LEAST_WEIGHT else f"< {percent(LEAST_WEIGHT)}",
            mark(str(separation.verdict.value), fit, separation.fit),
        )
        for fit in _shown(separation)
    ]


def _shown(separation: Separation) -> list[Fit]:
    """The laws with a weight, the best ones whatever theirs, and the one of the verdict."""
    return [
        fit
        for rank, fit in enumerate(separation.fits)
        if rank < _MOST_LAWS or fit.weight > LEAST_WEIGHT or fit is separation.fit
    ]


def other_laws(separation: Separation) -> str:
    """The laws that the table leaves out, with the least of their misfits; empty where there are none."""
    if separation.origin == "given":
        return ""
    shown = _shown(separation)
    others = [fit for fit in separation.fits if all(fit is not each for each in shown)]
    if not others:
        return ""
    names = ", ".join(fit.model.name for fit in others)
    least = percent(min(fit.misfit for fit in others))
    return f"Of no weight beside these, and off by {least} or more: {names}."


def ranking(separation: Separation) -> str:
    """What the marked law has to do with the verdict where that is not plain; empty where it is."""
    if not separation.fits or separation.fit is None or separation.origin == "given":
        return ""
    return law_and_verdict(separation.fits[0], separation.fit, str(separation.verdict.value))


def mark(verdict: str, fit: Fit, best: Fit | None) -> str:
    """What the ``best`` law is to the verdict; empty for the others, and where nothing was decided."""
    if fit is not best or verdict == "not-decided":
        return ""
    return "law of the viscosity" if verdict == "viscoelastic" else "law of the verdict"


def law_and_verdict(first: Fit, best: Fit, verdict: str) -> str:
    """In words, what the ``best`` law has to do with the verdict where it is not the ``first`` of the ranking, or no
    law of the viscosity describes the fluid; empty where it is plain."""
    if verdict == "viscoelastic":
        return (
            "These laws are of the viscosity alone. The verdict rests on the part of the stress that no viscosity "
            "explains, and says nothing of how the viscosity depends on the shear rate."
        )
    if first is best or verdict == "not-decided":
        return ""
    if verdict == "newtonian":
        return (
            f"{first.model.name} stands first because its additional parameters follow the points a little closer; the "
            f"viscosity stays within the margin all the same, so {best.model.name}, marked, describes it."
        )
    return (
        f"{first.model.name} stands first, and yet the verdict is {verdict}. The ranking compares the laws alone and "
        "prefers the one that needs the fewest parameters for its misfit; with few points a simple law can win though "
        "it misses a change that is certain. The verdict rests on that change: whether the viscosity differs from one "
        f"shear rate to another by more than its scatter. {best.model.name}, marked, is the best law that agrees."
    )


def _parameters(all_: dict[str, float], determined: dict[str, float]) -> Iterator[Markup]:
    for name in all_:
        value = number(determined[name], 3) if name in determined else "?"
        yield Markup('<span class="pair">{} = {}</span>').format(html(symbol(name)), value)
