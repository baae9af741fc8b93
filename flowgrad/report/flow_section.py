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
from flowgrad.report.entry import ORIGINS, FileSection
from flowgrad.report.page import page_text
from flowgrad.report.template import command, count, html, number, percent, render
from flowgrad.report.walls_section import HEADINGS, over_time, taken
from flowgrad.walls import walls_summary
from flowgrad.walls.records import record_on

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


def wall_table(analysis: Analysis) -> tuple[tuple[str, ...], list[tuple[str, list[str]]]]:
    """Headings of the columns after the patch, and each patch with its numbers; both empty without walls."""
    walls = analysis.walls
    if walls is None:
        return (), []

    def heading(name: str, what: str = "") -> str:
        return f"{name.replace('_', ' ')}{what} [{record_on(walls, name).dimension}]"

    headings: tuple[str, ...] = (
        "faces",
        heading("area"),
        heading("wall_shear_rate", ", mean"),
        "its error",
        "greatest",
    )
    if walls.viscosity is not None:
        stress = (heading("wall_shear_stress", ", mean"), "greatest")
        headings = (*headings, *stress, heading("force", " x"), "y", "z")
    units = walls.wall_units
    headings = (*headings, *(heading(name, ", mean" if name != "y_plus" else ", greatest") for name in units))
    rows = []
    for name, patch in walls_summary(walls)["patches"].items():
        rate, stress = patch["wall_shear_rate"], patch.get("wall_shear_stress")
        values = [patch["faces"], patch["area"], rate["mean"], patch["wall_shear_rate_error"]["mean"]]
        values.append(rate["maximum"])
        values += [stress["mean"], stress["maximum"], *patch["force"]] if stress else []
        values += [patch[unit]["mean" if unit != "y_plus" else "maximum"] for unit in units]
        rows.append((name, [number(value) for value in values]))
    return headings, rows


def file_section(analysis: Analysis, section: Slice | str | None = None) -> FileSection:
    """Contents of the page on one analysis: verdict, evidence, pictures, statistics, method.

    ``section`` is what the fields are drawn on, or the reason why there is none.
    """
    separation = analysis.separation
    verdict, origin = str(separation.verdict.value), ORIGINS[separation.origin]
    section = section or pictures.section_of(analysis)
    wall_headings, walls = wall_table(analysis)
    fields = pictures.fields(analysis, section) if isinstance(section, Slice) else []
    galleries = [pictures.curves(analysis), fields]
    if analysis.gradient.covariance is not None:
        galleries.reverse()  # of measured flows the vorticity comes first
    html = render(
        "section.html",
        name=analysis.flow.name,
        verdict=verdict,
        meaning=glossary.VERDICTS.get(verdict, ""),
        origin=origin,
        statement=separation.sentence,
        facts=evidence.facts(separation),
        laws=evidence.laws(separation),
        newtonian=separation.newtonian,
        classes=evidence.remaining_classes(separation),
        path=[str(step) for step in separation.finding.path],
        ranking=evidence.ranking(separation),
        other_laws=evidence.other_laws(separation),
        galleries=[group for group in galleries if group],
        where=section.where if isinstance(section, Slice) else section,
        has_fields=isinstance(section, Slice),
        at_points=analysis.gradient.location == "points",
        headings=HEADINGS,
        rows=[_row(analysis, name) for name in analysis.statistics if name not in _LEFT_OUT],
        measure=measure(analysis.gradient),
        wall_headings=wall_headings,
        walls=walls,
        walls_taken=[] if analysis.walls is None else taken(analysis.walls),
        walls_over_time="" if analysis.walls_over_time is None else over_time(analysis.walls_over_time),
        excluded=_excluded(analysis),
        method=_method(analysis),
        provenance=_provenance(analysis),
    )
    return FileSection(analysis.flow.name, verdict, origin, separation.sentence, html)


def _excluded(analysis: Analysis) -> list[str]:
    """Notes on left out cells and on what is worth knowing, each once."""
    names = ", ".join(name.replace("_", " ") for name in analysis.unknown)
    walls = () if analysis.walls is None else analysis.walls.notes
    lines = (
        *analysis.gradient.notes,
        *([f"not known, as the derivatives across the plane are not: {names}"] if names else []),
        *evidence.exclusions(analysis.separation),
        *analysis.separation.notes,
        *(f"walls: {note}" for note in walls if note not in analysis.gradient.notes),
    )
    return list(dict.fromkeys(lines))


def _method(analysis: Analysis) -> dict[str, str]:
    gradient, flow = analysis.gradient, analysis.flow
    on_walls = None if analysis.walls is None else analysis.walls.gradient
    types = ", ".join(f"{count(number)} {name}" for name, number in flow.mesh.type_counts().items())
    records = [kind.record for name, kind in SCHEMES.items() if gradient.scheme.startswith(name)]
    summaries = "".join(f": {record.summary}" for record in records if record)
    order = re.search(r"order=(\d+)", gradient.scheme)
    exact = (
        f"{order[1]}: exact where the velocity is a polynomial of degree {order[1]} in the coordinates" if order else ""
    )
    return {
        "velocity": f"{flow.velocity_name}, at the {flow.location}",
        "mesh": f"{count(len(flow.mesh.points))} points; cells: {types or 'none'}",
        "walls": ", ".join(patch.name for patch in flow.boundary) or "no velocity given on the boundary",
        "scheme": gradient.scheme + summaries,
        **({"order": exact} if exact else {}),
        "reason": gradient.reason,
        **({} if on_walls is None else {"on walls": f"{on_walls.scheme}: {on_walls.reason}"}),
        "gradients": f"{count(len(gradient))}, at the {gradient.location}",
        "left out": f"{count(len(gradient) - int(np.sum(gradient.valid)))} of them",
        **_uncertainty(gradient, flow),
    }


def _uncertainty(gradient: VelocityGradient, flow: Flow) -> dict[str, str]:
    """Lines on the estimated error and on the noise."""
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


@dataclass(frozen=True)
class FilePage:
    """A page as HTML, and what is ``drawn`` for the index, as JSON types, that NAME.json does not have: the ``symbols``
    of the quantities and a ``thumbnail``."""

    html: str
    drawn: dict[str, Any]


def file_page(analysis: Analysis) -> FilePage:
    """The page on one analysis and what is drawn for the index; the same for the same input and options, wherever they
    are made."""
    section = pictures.section_of(analysis)
    drawn: dict[str, Any] = {"symbols": {name: symbol_of(analysis, name) for name in analysis.statistics}}
    if not isinstance(section, str):
        drawn["thumbnail"] = pictures.thumbnail(analysis, section)
    return FilePage(page_text(file_section(analysis, section)), drawn)
