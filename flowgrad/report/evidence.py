"""Evidence of a verdict and tables of laws, as the report shows them, and a glossary of its other words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from markupsafe import Markup

from flowgrad.plot.flow_curve import symbol
from flowgrad.plot.scalar_field import dimension_of
from flowgrad.report.template import count, html, number, percent
from flowgrad.rheology import Fit, Verdict
from flowgrad.rheology.evidence import EVIDENCE, EXCLUDED
from flowgrad.rheology.finding import HasFinding

if TYPE_CHECKING:
    from flowgrad.separation import Separation

VERDICTS = {
    "newtonian": "the viscosity is the same however fast the fluid is sheared, as in water or honey",
    "shear-thinning": "the faster the fluid is sheared, the lower its viscosity, as in paint or blood",
    "shear-thickening": "the faster the fluid is sheared, the higher its viscosity, as in corn starch in water",
    "yield-stress": "the fluid stays solid until the stress exceeds a threshold, the yield stress, as toothpaste does",
    "viscoelastic": "the stress depends on how the fluid was deformed before, as in polymer solutions; no viscosity "
    "alone describes it",
    "mixed": "the viscosity falls at some shear rates and rises at others",
    "non-newtonian": "the viscosity certainly changes with the shear rate, but the data leave open in which way; the "
    "classes that remain are named, with weights where the laws give them",
    "not-a-function-of-rate": "the viscosity depends on more than the shear rate: at equal rates it differs from place "
    "to place, or the stress is lower where the rate is higher, as in layers of two liquids, a heated fluid, one that "
    "remembers how long it was sheared, or grains under pressure",
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


@dataclass(frozen=True)
class Fact:
    """A number with its name, symbol and dimension, and what it is in words."""

    name: str
    symbol: Markup
    value: str
    dimension: str = ""
    meaning: str = ""


# Weights of laws below this are as good as none.
LEAST_WEIGHT = 1e-4
# Laws that are shown though they have no weight.
_MOST_LAWS = 5
_FORMS: dict[str, Callable[[float], str]] = {"number": number, "percent": percent, "count": count}


def facts(separation: Separation) -> list[Fact]:
    """The evidence that says something, in a fixed order."""
    known = separation.evidence
    return [
        Fact(
            record.name,
            html(record.symbol) if record.symbol else Markup(),
            _FORMS[record.form](known[key]),
            dimension_of(record.dimension, separation.gradient),
            record.meaning.replace(" %", "\u00a0%"),
        )
        for key, record in EVIDENCE.items()
        if record.shown and key in known and record.least <= known[key] <= record.most
    ]


def exclusions(separation: Separation) -> list[str]:
    """Cells that the flow curve leaves out, and why."""
    return [
        f"{count(separation.evidence[key])} {record.meaning}: not in the flow curve."
        for key, record in EXCLUDED.items()
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
    """The laws that were compared; none where one was given, or no law describes the fluid."""
    if separation.origin == "given" or separation.verdict is Verdict.NOT_A_FUNCTION_OF_RATE:
        return []
    found, pair = [], Markup('<span class="pair">{} = {}</span>')
    for fit in _shown(separation):
        values = {
            name: number(fit.parameters[name], 3) if name in fit.parameters else "?" for name in fit.model.parameters
        }
        parameters = Markup(", ").join(pair.format(html(symbol(name)), value) for name, value in values.items())
        weight = percent(fit.weight) if fit.weight > LEAST_WEIGHT else f"< {percent(LEAST_WEIGHT)}"
        marked = mark(str(separation.verdict.value), fit, separation.fit)
        found.append(Law(fit.model.name, parameters, percent(fit.misfit), weight, marked))
    return found


def _shown(separation: Separation) -> list[Fit]:
    """The laws with a weight, the best ones whatever theirs, and the one of the verdict."""
    return [
        fit
        for rank, fit in enumerate(separation.fits)
        if rank < _MOST_LAWS or fit.weight > LEAST_WEIGHT or fit is separation.fit
    ]


def remaining_classes(found: HasFinding) -> list[tuple[str, str, str]]:
    """The classes that remain where the class is open: each with what it means and its weight, which is empty where
    no weight tells them apart."""
    alike = len(set(found.classes.values())) == 1
    return [
        (str(each.value), VERDICTS[each.value], "" if alike else percent(weight))
        for each, weight in found.classes.items()
    ]


def other_laws(separation: Separation) -> str:
    """The laws that the table leaves out, with the least of their misfits; empty where there are none."""
    if separation.origin == "given" or separation.verdict is Verdict.NOT_A_FUNCTION_OF_RATE:
        return ""
    shown = _shown(separation)
    others = [fit for fit in separation.fits if all(fit is not each for each in shown)]
    if not others:
        return ""
    names = ", ".join(fit.model.name for fit in others)
    least = percent(min(fit.misfit for fit in others))
    return f"Without weight beside these, with a misfit of {least} or more: {names}."


def ranking(separation: Separation) -> str:
    """Why the marked law is not the first of the ranking, where it is not; else empty."""
    if not separation.fits or separation.fit is None or separation.origin == "given":
        return ""
    return law_and_verdict(separation.fits[0], separation.fit, str(separation.verdict.value))


def mark(verdict: str, fit: Fit, best: Fit | None) -> str:
    """Mark of the ``best`` law in the table; empty for the others, and where nothing was decided."""
    if fit is not best or verdict in ("not-decided", "non-newtonian"):
        return ""
    return "law of the viscosity" if verdict == "viscoelastic" else "law of the verdict"


def law_and_verdict(first: Fit, best: Fit, verdict: str) -> str:
    """In words, what the ``best`` law has to do with the verdict where it is not the ``first`` of the ranking, or no
    law of the viscosity describes the fluid; empty where it is plain."""
    if verdict == "viscoelastic":
        return (
            "These laws are of the viscosity alone. The verdict rests on the part of the stress that no viscosity "
            "explains, and does not show how the viscosity depends on the shear rate."
        )
    if first is best or verdict in ("not-decided", "non-newtonian"):
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
