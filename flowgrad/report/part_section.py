"""Page of a file that was analysed in parts, made from its summary."""

from __future__ import annotations

from typing import Any

from flowgrad.kinematics import QUANTITIES
from flowgrad.report import Entry, FilePage, FileSection, page_text
from flowgrad.report import formatting as written
from flowgrad.report.flow_section import HEADINGS, ORIGINS
from flowgrad.report.template import render

_VALUES = ("minimum", "percentile_5", "median", "mean", "percentile_95", "maximum")


def part_page(summary: dict[str, Any]) -> FilePage:
    """The page and the entry of a summary as NAME.json has it."""
    gradient, origin = summary["gradient"], ORIGINS[summary["origin"]]
    html = render(
        "blocks.html",
        name=summary["file"],
        verdict=summary["verdict"],
        statement=summary["statement"],
        note=summary["blocks"]["note"],
        accuracy=written.percent(summary["blocks"]["percentile_error"]),
        headings=HEADINGS,
        rows=[_row(name, each) for name, each in summary["statistics"].items()],
        notes=gradient["notes"],
        facts=_facts(summary),
    )
    section = FileSection(summary["file"], summary["verdict"], origin, summary["statement"], html)
    entry = Entry(
        *(summary["file"], summary["verdict"], origin, summary["statement"]),
        time=summary["time"],
        count=gradient["count"],
        excluded=gradient["excluded"],
        statistics=summary["statistics"],
        mesh=[summary["mesh"]["points"], summary["mesh"]["cells"]],
    )
    return FilePage(page_text(section), entry)


def _row(name: str, statistics: dict[str, Any]) -> tuple[str, str, list[str]]:
    values = [written.number(statistics[key]) for key in _VALUES]
    return name.replace("_", " "), QUANTITIES[name].description, values


def _facts(summary: dict[str, Any]) -> dict[str, str]:
    gradient, mesh, velocity = summary["gradient"], summary["mesh"], summary["velocity"]
    provenance = summary["provenance"]
    return {
        "velocity": f"{velocity['name']}, at the {velocity['location']}",
        "mesh": f"{written.count(mesh['points'])} points, {written.count(mesh['cells'])} cells",
        "scheme": f"{gradient['scheme']}: {gradient['reason']}",
        "gradients": f"{written.count(gradient['count'])}, of which {written.count(gradient['excluded'])} are left out",
        "input": provenance["input"],
        "SHA-256": provenance["sha256"],
        "options": "; ".join(f"{key} = {value}" for key, value in provenance["options"].items()) or "defaults",
        "versions": ", ".join(f"{name} {number}" for name, number in provenance["versions"].items()),
    }
