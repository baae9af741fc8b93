"""Page of a file that was analysed in parts, made from its summary."""

from __future__ import annotations

from typing import Any

from flowgrad.kinematics import QUANTITIES
from flowgrad.report import template as written
from flowgrad.report.entry import ORIGINS, FileSection
from flowgrad.report.flow_section import FilePage
from flowgrad.report.page import page_text
from flowgrad.report.template import render
from flowgrad.report.walls_section import HEADINGS

_VALUES = ("minimum", "percentile_5", "median", "mean", "percentile_95", "maximum")


def part_page(summary: dict[str, Any]) -> FilePage:
    """The page of a summary as NAME.json has it."""
    gradient, origin = summary["gradient"], ORIGINS[summary["origin"]]
    html = render(
        "blocks.html",
        name=summary["file"],
        verdict=summary["verdict"],
        statement=summary["statement"],
        note=summary["blocks"]["note"],
        accuracy=written.percent(summary["blocks"]["percentile_error"]),
        headings=HEADINGS,
        rows=[
            (name.replace("_", " "), QUANTITIES[name].description, [written.number(each[key]) for key in _VALUES])
            for name, each in summary["statistics"].items()
        ],
        notes=gradient["notes"],
        facts=_facts(summary),
    )
    section = FileSection(summary["file"], summary["verdict"], origin, summary["statement"], html)
    return FilePage(page_text(section), {})


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
