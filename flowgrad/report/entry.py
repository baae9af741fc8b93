"""Entry of one file in the index of a run, as JSON types: it waits on disk until all files have ended."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from flowgrad.pipeline.analysis import Analysis
from flowgrad.pipeline.summary import plain
from flowgrad.plot import Slice
from flowgrad.report.flow_section import FAILED, ORIGINS, symbol_of
from flowgrad.report.thumbnail import thumbnail


@dataclass(frozen=True)
class Entry:
    """A file's line of the index: ``verdict``, ``statement`` and numbers, or ``kind`` and ``statement`` of a failure.

    ``statistics`` are those of the analysis, by quantity; ``mesh`` is equal for steps of one series; ``thumbnail`` is
    a ``Thumbnail`` as JSON types; ``page`` the address of the file's own page.
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

    def to_json(self) -> dict[str, Any]:
        """As JSON types, NaN as None."""
        found: dict[str, Any] = plain(asdict(self))
        return found


def entry_of(analysis: Analysis, section: Slice | str) -> Entry:
    """The line on one analysis, with the picture of its ``section`` where there is one."""
    separation, gradient, flow = analysis.separation, analysis.gradient, analysis.flow
    evidence = separation.evidence
    return Entry(
        flow.name,
        str(separation.verdict.value),
        ORIGINS[separation.origin],
        separation.sentence,
        time=flow.time,
        count=len(gradient),
        excluded=int(np.sum(~gradient.valid)),
        error=gradient.relative_error if gradient.error is not None else None,
        viscosity=evidence.get("eta_newtonian"),
        unexplained=evidence.get("unexplained"),
        statistics={
            name: {**asdict(each), "symbol": symbol_of(analysis, name)} for name, each in analysis.statistics.items()
        },
        mesh=[len(flow.mesh.points), len(flow.mesh)],
        thumbnail=None if isinstance(section, str) else thumbnail(analysis, section),
    )


def failed_entry(name: str, kind: str, reason: str) -> Entry:
    """The line on a file that could not be analysed."""
    return Entry(name, FAILED, statement=reason, kind=kind)
