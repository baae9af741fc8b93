"""One file's part of the report, as text that needs nothing of the flow any more."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from flowgrad.files import printable
from flowgrad.flow import Flow
from flowgrad.kinematics import VelocityGradient
from flowgrad.pipeline.analysis import Analysis, versions
from flowgrad.plot import Section
from flowgrad.plot.distribution import measure
from flowgrad.report import evidence, glossary, numbers, pictures, statistics, walls
from flowgrad.report.command import command
from flowgrad.report.template import render

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


def file_section(analysis: Analysis, section: Section | str | None = None) -> FileSection:
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
        where=section.where if isinstance(section, Section) else section,
        has_fields=isinstance(section, Section),
        at_points=analysis.gradient.location == "points",
        headings=statistics.HEADINGS,
        rows=statistics.rows(analysis),
        measure=measure(analysis.gradient),
        wall_headings=walls.headings(analysis),
        walls=walls.rows(analysis),
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
        *(f"walls: {note}" for note in walls.notes(analysis)),
    )
    return list(dict.fromkeys(lines))


def failed_section(name: str, reason: str) -> FileSection:
    """The line of the table on a file that could not be analysed."""
    return FileSection(name, FAILED, "", reason)


def _unknown(analysis: Analysis) -> list[str]:
    names = ", ".join(name.replace("_", " ") for name in analysis.unknown)
    return [f"not known, as the derivatives across the plane are not: {names}"] if names else []


def _galleries(analysis: Analysis, section: Section | str) -> list[list[pictures.Picture]]:
    """Pictures in groups of one kind; none that are empty."""
    fields = pictures.fields(analysis, section) if isinstance(section, Section) else []
    return [group for group in ([*pictures.curves(analysis), *pictures.distributions(analysis)], fields) if group]


def _method(analysis: Analysis) -> dict[str, str]:
    gradient, flow = analysis.gradient, analysis.flow
    types = ", ".join(f"{numbers.count(number)} {name}" for name, number in flow.mesh.type_counts().items())
    return {
        "velocity": f"{flow.velocity_name}, at the {flow.location}",
        "mesh": f"{numbers.count(len(flow.mesh.points))} points; cells: {types or 'none'}",
        "walls": ", ".join(patch.name for patch in flow.boundary) or "no velocity given on the boundary",
        "scheme": gradient.scheme + _what_it_does(gradient.scheme),
        **_order(gradient.scheme),
        "reason": gradient.reason,
        "gradients": f"{numbers.count(len(gradient))}, at the {gradient.location}",
        "left out": f"{numbers.count(len(gradient) - int(np.sum(gradient.valid)))} of them",
        **_uncertainty(gradient, flow),
    }


def _what_it_does(scheme: str) -> str:
    told = (text for name, text in glossary.SCHEMES.items() if scheme.startswith(name))
    return "".join(f": {text}" for text in told)


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
            f"{numbers.percent(gradient.relative_error)} of the gradient, by comparison with a finer scheme (root mean "
            "squares)"
        )
    if flow.noise is not None:
        lines["noise"] = f"{numbers.number(flow.noise_size)}, standard deviation of the velocity (root mean square)"
    if gradient.covariance is not None:
        spread = gradient.std("L")[gradient.valid]
        lines["noise in L"] = f"{numbers.number(float(np.sqrt(np.nanmean(spread**2))))}, the same of a component of L"
    return lines


def _provenance(analysis: Analysis) -> dict[str, str]:
    flow = analysis.flow
    return {
        "input": printable(flow.source) if flow.source else "arrays in memory",
        "SHA-256": analysis.digest or "not known",
        "written by": flow.producer or "not known",
        "time in the flow": "not known" if flow.time is None else numbers.number(flow.time),
        "command": command(analysis.options, flow.source),
        "versions": ", ".join(f"{name} {number}" for name, number in versions().items()),
    }
