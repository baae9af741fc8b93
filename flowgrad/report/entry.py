"""Entries of files and curves in tables: a section of a report, and a line of a run's index, read from NAME.json."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

FAILED = "failed"
ORIGINS = {
    "found": "found in the data",
    "given": "given, not found in the data",
    "none": "neither stress nor viscosity known",
}


@dataclass(frozen=True)
class FileSection:
    """One file or curve in the report: its line of a table, and ``html`` of its own (empty for one
    that failed, whose ``statement`` is the reason)."""

    name: str
    verdict: str
    origin: str
    statement: str
    html: str = ""


def failed_section(name: str, reason: str) -> FileSection:
    """The line of the table on a file that could not be analysed."""
    return FileSection(name, FAILED, "", reason)


@dataclass(frozen=True)
class Entry:
    """A file's line of the index: ``verdict``, ``statement`` and numbers, or ``kind`` and ``statement`` of a failure.

    ``statistics`` are those of the analysis, by quantity; ``mesh`` is equal for steps of one series; ``thumbnail`` is
    what ``report.thumbnail`` makes; ``page`` the address of the file's own page.
    """

    name: str
    verdict: str
    origin: str = ""
    statement: str = ""
    kind: str = ""
    time: float | None = None
    count: int = 0
    excluded: int = 0
    error: float | None = None
    viscosity: float | None = None
    unexplained: float | None = None
    statistics: dict[str, dict[str, Any]] = field(default_factory=dict)
    mesh: list[int] = field(default_factory=list)
    thumbnail: dict[str, Any] | None = None
    page: str = ""


def entry_of(name: str, summary: Mapping[str, Any], drawn: Mapping[str, Any], page: str = "") -> Entry:
    """The line on a file from its ``summary``, which is NAME.json, and from what is ``drawn`` of it (``FilePage``)."""
    gradient, evidence, symbols = summary["gradient"], summary.get("evidence", {}), drawn.get("symbols", {})
    return Entry(
        name,
        summary["verdict"],
        ORIGINS[summary["origin"]],
        summary["statement"],
        time=summary["time"],
        count=gradient["count"],
        excluded=gradient["excluded"],
        error=gradient.get("relative_error"),
        viscosity=evidence.get("eta_newtonian"),
        unexplained=evidence.get("unexplained"),
        statistics={
            quantity: {**each, **({"symbol": symbols[quantity]} if quantity in symbols else {})}
            for quantity, each in summary["statistics"].items()
        },
        mesh=[summary["mesh"]["points"], summary["mesh"]["cells"]],
        thumbnail=drawn.get("thumbnail"),
        page=page,
    )


def failed_entry(name: str, kind: str, reason: str) -> Entry:
    """The line on a file that could not be analysed."""
    return Entry(name, FAILED, statement=reason, kind=kind)
