"""Section of the report on one flow: verdict, evidence, pictures, tables of quantities and walls, method."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from flowgrad.files import printable
from flowgrad.flow import Flow
from flowgrad.gradient import SCHEMES
from flowgrad.kinematics import QUANTITIES, VelocityGradient
from flowgrad.pipeline.analysis import Analysis
from flowgrad.pipeline.summary import versions
from flowgrad.plot import Slice
from flowgrad.plot.distribution import measure
from flowgrad.plot.scalar_field import component, dimension_of
from flowgrad.report import evidence, pictures
from flowgrad.report import evidence as glossary
from flowgrad.report.formatting import count, html, number, percent
from flowgrad.report.template import command, render
from flowgrad.walls import Walls, walls_summary
from flowgrad.walls.records import record_on

HEADINGS = ("least", "5 %", "median", "mean", "95 %", "greatest")
# Directions have no statistics worth reading.
_LEFT_OUT = ("principal_directions",)


@dataclass(frozen=True)
class QuantityRow:
    """One quantity: name, what it is, symbol, dimension, and the numbers of ``HEADINGS``."""

    name: str
    description: str
    symbol: Markup
    dimension: str
    values: tuple[str, ...]


def rows(analysis: Analysis) -> list[QuantityRow]:
    """One row a quantity, weighted by the measure of the cells."""
    return [_row(analysis, name) for name in analysis.statistics if name not in _LEFT_OUT]


def _row(analysis: Analysis, name: str) -> QuantityRow:
    record, each = QUANTITIES[name], analysis.statistics[name]
    values = (each.minimum, each.percentile_5, each.median, each.mean, each.percentile_95, each.maximum)
    dimension = "–" if record.dimension == "1" else dimension_of(record.dimension, analysis.gradient)
    written = tuple(number(value) for value in values)
    return QuantityRow(name.replace("_", " "), record.description, html(symbol_of(analysis, name)), dimension, written)


def symbol_of(analysis: Analysis, name: str) -> str:
    """Of what the numbers are, in mathtext: of the quantity, of its magnitude, or of its one component."""
    symbol, only = QUANTITIES[name].symbol, analysis.statistics[name].component
    if only:
        return component(symbol, "xyz".index(only))
    return symbol if analysis.gradient[name].ndim == 1 else f"|{symbol}|"


def wall_headings(analysis: Analysis) -> tuple[str, ...]:
    """Of the columns after the patch; none without walls."""
    if analysis.walls is None:
        return ()
    walls = analysis.walls
    found = ("faces", _heading(walls, "area"), _heading(walls, "wall_shear_rate", ", mean"), "greatest")
    if walls.viscosity is None:
        return found
    return (
        *found,
        _heading(walls, "wall_shear_stress", ", mean"),
        "greatest",
        _heading(walls, "force", " x"),
        "y",
        "z",
    )


def wall_rows(analysis: Analysis) -> list[tuple[str, list[str]]]:
    """Each patch and its numbers."""
    if analysis.walls is None:
        return []
    patches: dict[str, dict[str, Any]] = walls_summary(analysis.walls)["patches"]
    return [(name, [number(value) for value in _values(each)]) for name, each in patches.items()]


def wall_notes(analysis: Analysis) -> list[str]:
    """What to know of the walls, that is not told of the flow."""
    found = () if analysis.walls is None else analysis.walls.notes
    return [each for each in found if each not in analysis.gradient.notes]


def _heading(walls: Walls, name: str, what: str = "") -> str:
    """Name and dimension as the record has them."""
    record = record_on(walls, name)
    return f"{name.replace('_', ' ')}{what} [{record.dimension}]"


def _values(patch: dict[str, Any]) -> list[float]:
    rate, stress = patch["wall_shear_rate"], patch.get("wall_shear_stress")
    found = [patch["faces"], patch["area"], rate["mean"], rate["maximum"]]
    return [*found, stress["mean"], stress["maximum"], *patch["force"]] if stress else found


FAILED = "failed"
ORIGINS = {
    "found": "found in the data",
    "given": "given, not found in the data",
    "none": "neither stress nor viscosity known",
}


@dataclass(frozen=True)
class FileSection:
    """What the report says of one file or curve: its line of a table, and ``html`` of its own (empty for one
    that failed, whose ``statement`` is the reason)."""

    name: str
    verdict: str
    origin: str
    statement: str
    html: str = ""


def file_section(analysis: Analysis, section: Slice | str | None = None) -> FileSection:
    """What the page on one analysis holds: verdict, evidence, pictures, statistics, method.

    ``section`` is what the fields are drawn on, or the reason why there is none.
    """
    separation = analysis.separation
    verdict, origin = str(separation.verdict.value), ORIGINS[separation.origin]
    section = section or pictures.section_of(analysis)
    html = render(
        "section.html",
        name=analysis.flow.name,
        verdict=verdict,
        meaning=glossary.VERDICTS.get(verdict, ""),
        origin=origin,
        statement=separation.sentence,
        facts=evidence.facts(separation),
        laws=evidence.laws(separation),
        ranking=evidence.ranking(separation),
        other_laws=evidence.other_laws(separation),
        galleries=_galleries(analysis, section),
        where=section.where if isinstance(section, Slice) else section,
        has_fields=isinstance(section, Slice),
        at_points=analysis.gradient.location == "points",
        headings=HEADINGS,
        rows=rows(analysis),
        measure=measure(analysis.gradient),
        wall_headings=wall_headings(analysis),
        walls=wall_rows(analysis),
        excluded=_excluded(analysis),
        method=_method(analysis),
        provenance=_provenance(analysis),
    )
    return FileSection(analysis.flow.name, verdict, origin, separation.sentence, html)


def _excluded(analysis: Analysis) -> list[str]:
    """What was left out and what is worth knowing, each once."""
    lines = (
        *analysis.gradient.notes,
        *_unknown(analysis),
        *evidence.exclusions(analysis.separation),
        *analysis.separation.notes,
        *(f"walls: {note}" for note in wall_notes(analysis)),
    )
    return list(dict.fromkeys(lines))


def failed_section(name: str, reason: str) -> FileSection:
    """The line of the table on a file that could not be analysed."""
    return FileSection(name, FAILED, "", reason)


def _unknown(analysis: Analysis) -> list[str]:
    names = ", ".join(name.replace("_", " ") for name in analysis.unknown)
    return [f"not known, as the derivatives across the plane are not: {names}"] if names else []


def _galleries(analysis: Analysis, section: Slice | str) -> list[list[pictures.Picture]]:
    """Pictures in groups of one kind; none that are empty."""
    fields = pictures.fields(analysis, section) if isinstance(section, Slice) else []
    return [group for group in ([*pictures.curves(analysis), *pictures.distributions(analysis)], fields) if group]


def _method(analysis: Analysis) -> dict[str, str]:
    gradient, flow = analysis.gradient, analysis.flow
    types = ", ".join(f"{count(number)} {name}" for name, number in flow.mesh.type_counts().items())
    return {
        "velocity": f"{flow.velocity_name}, at the {flow.location}",
        "mesh": f"{count(len(flow.mesh.points))} points; cells: {types or 'none'}",
        "walls": ", ".join(patch.name for patch in flow.boundary) or "no velocity given on the boundary",
        "scheme": gradient.scheme + _what_it_does(gradient.scheme),
        **_order(gradient.scheme),
        "reason": gradient.reason,
        "gradients": f"{count(len(gradient))}, at the {gradient.location}",
        "left out": f"{count(len(gradient) - int(np.sum(gradient.valid)))} of them",
        **_uncertainty(gradient, flow),
    }


def _what_it_does(scheme: str) -> str:
    told = (kind.record for name, kind in SCHEMES.items() if scheme.startswith(name))
    return "".join(f": {record.summary}" for record in told if record)


def _order(scheme: str) -> dict[str, str]:
    found = re.search(r"order=(\d+)", scheme)
    if found is None:
        return {}
    return {"order": f"{found[1]}: exact where the velocity is a polynomial of degree {found[1]} in the coordinates"}


def _uncertainty(gradient: VelocityGradient, flow: Flow) -> dict[str, str]:
    """What is known of the error and of the noise."""
    lines = {"error": "not estimated: --error does, with a finer scheme"}
    if gradient.error is not None:
        lines["error"] = (
            f"{percent(gradient.relative_error)} of the gradient, by comparison with a finer scheme (root mean squares)"
        )
    if flow.noise is not None:
        lines["noise"] = f"{number(flow.noise_size)}, standard deviation of the velocity (root mean square)"
    if gradient.covariance is not None:
        spread = gradient.std("L")[gradient.valid]
        lines["noise in L"] = f"{number(float(np.sqrt(np.nanmean(spread**2))))}, the same of a component of L"
    return lines


def _provenance(analysis: Analysis) -> dict[str, str]:
    flow = analysis.flow
    return {
        "input": printable(flow.source) if flow.source else "arrays in memory",
        "SHA-256": analysis.digest or "not known",
        "written by": flow.producer or "not known",
        "time in the flow": "not known" if flow.time is None else number(flow.time),
        "command": command(analysis.options, flow.source),
        "versions": ", ".join(f"{name} {number}" for name, number in versions().items()),
    }
