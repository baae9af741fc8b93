"""Section of the report on one rheometer curve."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from markupsafe import Markup
from matplotlib.axes import Axes

from flowgrad import plot
from flowgrad.files import printable
from flowgrad.pipeline.summary import versions
from flowgrad.plot.flow_curve import symbol
from flowgrad.plot.style import Drawing, drawing
from flowgrad.report import evidence
from flowgrad.report.embed import inline
from flowgrad.report.entry import FileSection
from flowgrad.report.evidence import LEAST_WEIGHT, law_and_verdict, mark
from flowgrad.report.pictures import Picture, picture
from flowgrad.report.template import count, html, number, percent, render
from flowgrad.rheology import Fit
from flowgrad.rheology.evidence import EVIDENCE
from flowgrad.rheometer.curve import counted
from flowgrad.rheometer.fitted import Examined
from flowgrad.rheometer.reduction import Reduction

# Of figures in inches, in files and on the page.
_SIZE = (4.25, 3.4)
# By the ends of their files' names.
_FIGURES: dict[str, tuple[Callable[[Examined, Axes], Axes], str]] = {
    "": (
        plot.rheometer_curve,
        "Stress against shear rate: all laws that were fitted, and the 95 % band of the best that suits.",
    ),
    "-viscosity": (plot.rheometer_viscosity, "Viscosity against shear rate."),
}
_OF_REDUCTION: dict[str, Callable[[Reduction, Axes], Axes]] = {
    "-curves": plot.reduced_curves,
    "-table": plot.reduced_by,
}


def drawings_of(examined: Examined, reduction: Reduction | None = None) -> dict[str, Drawing]:
    """The figures of a curve, and of the ``reduction`` it comes from, by the ends of their files' names."""
    draws: dict[str, Callable[[Axes], Axes]] = {name: partial(draw, examined) for name, (draw, _) in _FIGURES.items()}
    if reduction is not None:
        draws |= {name: partial(draw, reduction) for name, draw in _OF_REDUCTION.items()}
    found = {}
    for name, draw in draws.items():
        with plot.figure(*_SIZE) as ax:
            found[name] = drawing(draw(ax))
    return found


def curve_section(
    examined: Examined,
    drawings: Mapping[str, Drawing],
    source: Path,
    digest: str = "",
    reduction: Reduction | None = None,
) -> FileSection:
    """The part of the report on one curve: verdict, laws with intervals, its ``drawings`` if there are any, what was
    left out, and the ``reduction`` of several that it comes from."""
    curve, fit = examined.curve, examined.fit
    verdict = str(fit.verdict.value)
    is_named = curve.name.startswith(source.stem) or reduction is not None
    name = curve.name if is_named else f"{source.stem}: {curve.name}"
    text = render(
        "curve.html",
        name=printable(name),
        verdict=verdict,
        meaning=evidence.VERDICTS.get(verdict, ""),
        statement=fit.sentence,
        facts=_facts(examined),
        newtonian=fit.newtonian,
        classes=[] if examined.probabilities else evidence.remaining_classes(fit),
        probabilities=[
            (str(each.value), evidence.VERDICTS[each.value], percent(weight), percent(drawn))
            for each, (weight, drawn) in examined.probabilities.items()
        ],
        path=[str(step) for step in fit.finding.path],
        laws=[_law(each, mark(verdict, each, fit.finding.law)) for each in fit.ranking],
        ranking=law_and_verdict(fit.ranking[0], fit.best, verdict),
        correlation=_correlation(fit.best),
        pictures=_pictures(examined, drawings) if drawings else [],
        excluded=[f"{counted(count)} {reason}." for reason, count in curve.excluded.items()],
        notes=examined.notes,
        provenance=_provenance(examined, source, digest),
        together="" if reduction is None else _reduction(reduction, drawings),
    )
    return FileSection(printable(name), verdict, "", fit.sentence, text)


def _pictures(examined: Examined, drawings: Mapping[str, Drawing]) -> list[Picture]:
    """The figures of the files, and what the laws miss."""
    found = [Picture(inline(drawings[name].svg, caption), caption) for name, (_, caption) in _FIGURES.items()]
    return [*found, picture(partial(plot.residuals, examined), "What each law misses of each stress.", *_SIZE)]


def _reduction(reduction: Reduction, drawings: Mapping[str, Drawing]) -> Markup:
    """Figures and table of what several curves were made one by."""
    keys = list(reduction.rows()[0])
    text = render(
        "reduction.html",
        statement=f"{reduction.statement[0].upper()}{reduction.statement[1:]}.",
        pictures=[
            Picture(inline(drawings[name].svg, caption), caption)
            for name, caption in zip(_OF_REDUCTION, reduction.captions, strict=True)
            if name in drawings
        ],
        headings=[reduction.headings[key] for key in keys],
        rows=[[number(row[key]) for key in keys] for row in reduction.rows()],
        notes=reduction.notes,
    )
    return Markup(text)


def _facts(examined: Examined) -> list[tuple[str, str]]:
    """Names and values of what a reader looks for first."""
    curve = examined.curve
    unit = {"rate": "1/s", "stress": "Pa", "viscosity": "Pa s"} if curve.is_si else dict.fromkeys(_QUANTITIES, "")
    facts = [("points in the fit", count(len(curve)))]
    for name, values in zip(_QUANTITIES, (curve.rate, curve.stress, curve.viscosity), strict=True):
        ends = f"{number(float(values.min()))} to {number(float(values.max()))}"
        facts.append((_QUANTITIES[name], f"{ends} {unit[name]}".strip()))
    if curve.temperature is not None:
        facts.append(("temperature", f"{number(curve.temperature)} °C"))
    if curve.ramp:
        facts.append(("ramp", curve.ramp))
    known = examined.fit.evidence
    for key, form in _OF_RESIDUALS.items():
        if key in known:
            facts.append((EVIDENCE[key].name, form(known[key])))
    if examined.loop is not None:
        facts.append(("loop of the ramps over the area", percent(examined.loop.relative)))
    return facts


# How closely the law of the verdict follows the points.
_OF_RESIDUALS: dict[str, Callable[[float], str]] = {
    "misfit": percent,
    "misfit_over_scatter": number,
    "runs": count,
    "runs_probability": percent,
}
_QUANTITIES = {"rate": "shear rate", "stress": "stress", "viscosity": "viscosity"}


def _law(fit: Fit, marked: str) -> dict[str, object]:
    """A row of the table of laws."""
    weight = percent(fit.weight) if fit.weight > LEAST_WEIGHT else f"< {percent(LEAST_WEIGHT)}"
    return {
        "name": fit.model.name,
        "mark": marked,
        "citation": fit.model.citation,
        "parameters": Markup("<br>").join(_parameter(fit, name) for name in fit.model.parameters),
        "chi2": number(fit.chi2),
        "misfit": percent(fit.misfit),
        "weight": weight,
    }


def _parameter(fit: Fit, name: str) -> Markup:
    value = number(fit.parameters[name]) if name in fit.parameters else "?"
    ends = ""
    if name in fit.intervals:
        low, high = fit.intervals[name]
        ends = f" ({number(low)} to {number(high)})"
    return Markup('<span class="pair">{} = {}{}</span>').format(html(symbol(name)), value, ends)


def _correlation(fit: Fit) -> list[tuple[Markup, list[str]]]:
    """Rows of the correlation of the best law's parameters; none for a single one."""
    names = list(fit.model.parameters)
    if len(names) < 2 or fit.correlation.shape != (len(names), len(names)):
        return []
    rows = zip(names, fit.correlation.tolist(), strict=True)
    return [(html(symbol(name)), [number(value, 2) for value in row]) for name, row in rows]


def _provenance(examined: Examined, source: Path, digest: str) -> dict[str, str]:
    return {
        "input": printable(source),
        "SHA-256": digest or "not known",
        "units": "SI" if examined.curve.is_si else "not stated in the file",
        "versions": ", ".join(f"{name} {number}" for name, number in versions().items()),
    }
