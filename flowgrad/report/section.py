"""One file's part of the report, as text that needs nothing of the flow any more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from flowgrad.analysis import Analysis, versions
from flowgrad.flow import Flow
from flowgrad.kinematics import VelocityGradient
from flowgrad.plot import Section
from flowgrad.plot.distribution import measure
from flowgrad.report import evidence, numbers, pictures, statistics, walls
from flowgrad.report.template import render

FAILED = "failed"
_ORIGINS = {
    "found": "found in the data",
    "given": "given, not found in the data",
    "none": "neither stress nor viscosity known",
}


@dataclass(frozen=True)
class FileSection:
    """What the report says of one file: the line of the table, and ``html`` below it (empty for a file
    that failed, whose ``statement`` is the reason)."""

    name: str
    verdict: str
    origin: str
    statement: str
    html: str = ""


def file_section(analysis: Analysis) -> FileSection:
    """The part of the report on one analysis: verdict, evidence, pictures, statistics, method."""
    separation = analysis.separation
    verdict, origin = str(separation.verdict.value), _ORIGINS[separation.origin]
    section = pictures.section_of(analysis)
    html = render(
        "section.html",
        name=analysis.flow.name,
        verdict=verdict,
        origin=origin,
        statement=separation.sentence,
        facts=evidence.facts(separation),
        laws=evidence.laws(separation),
        galleries=_galleries(analysis, section),
        where=section.where if isinstance(section, Section) else section,
        has_fields=isinstance(section, Section),
        at_points=analysis.gradient.location == "points",
        headings=statistics.HEADINGS,
        rows=statistics.rows(analysis),
        measure=measure(analysis.gradient),
        wall_headings=walls.headings(analysis),
        walls=walls.rows(analysis),
        excluded=[
            *analysis.gradient.notes,
            *_unknown(analysis),
            *evidence.exclusions(separation),
            *separation.notes,
            *(f"walls: {note}" for note in walls.notes(analysis)),
        ],
        method=_method(analysis),
        provenance=_provenance(analysis),
    )
    return FileSection(analysis.flow.name, verdict, origin, separation.sentence, html)


def failed_section(name: str, reason: str) -> FileSection:
    """The line of the table on a file that could not be analysed."""
    return FileSection(name, FAILED, "", reason)


def _unknown(analysis: Analysis) -> list[str]:
    names = ", ".join(name.replace("_", " ") for name in analysis.unknown)
    return [f"not known, as the derivatives across the plane are not: {names}"] if names else []


def _galleries(analysis: Analysis, section: Section | str) -> list[list[pictures.Picture]]:
    """Pictures in groups of one kind; none that are empty."""
    fields = pictures.fields(analysis, section) if isinstance(section, Section) else []
    return [group for group in (pictures.curves(analysis), fields, pictures.distributions(analysis)) if group]


def _method(analysis: Analysis) -> dict[str, str]:
    gradient, flow = analysis.gradient, analysis.flow
    types = ", ".join(f"{numbers.count(number)} {name}" for name, number in flow.mesh.type_counts().items())
    return {
        "velocity": f"{flow.velocity_name}, at the {flow.location}",
        "mesh": f"{numbers.count(len(flow.mesh.points))} points; cells: {types or 'none'}",
        "walls": ", ".join(patch.name for patch in flow.boundary) or "no velocity given on the boundary",
        "scheme": gradient.scheme,
        "reason": gradient.reason,
        "gradient": f"{numbers.count(len(gradient))}, at the {gradient.location}",
        "excluded": f"{numbers.count(len(gradient) - int(np.sum(gradient.valid)))} of them",
        **_uncertainty(gradient, flow),
    }


def _uncertainty(gradient: VelocityGradient, flow: Flow) -> dict[str, str]:
    """What is known of the error and of the noise; nothing where nothing is."""
    lines = {}
    if gradient.error is not None:
        lines["error"] = f"{numbers.number(gradient.relative_error)} of |L|, estimated (root mean squares)"
    if flow.noise is not None:
        lines["noise"] = f"{numbers.number(flow.noise_size)}, standard deviation of the velocity (root mean square)"
    if gradient.covariance is not None:
        spread = gradient.std("L")[gradient.valid]
        lines["noise in L"] = f"{numbers.number(float(np.sqrt(np.nanmean(spread**2))))}, the same of a component of L"
    return lines


def _provenance(analysis: Analysis) -> dict[str, str]:
    flow = analysis.flow
    given = analysis.options.given()
    return {
        "input": str(flow.source) if flow.source else "arrays in memory",
        "SHA-256": analysis.digest or "not known",
        "written by": flow.producer or "not known",
        "time in the flow": "not known" if flow.time is None else numbers.number(flow.time),
        "options": "; ".join(f"{key} = {_text(value)}" for key, value in given.items()) or "defaults",
        "versions": ", ".join(f"{name} {number}" for name, number in versions().items()),
    }


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)
