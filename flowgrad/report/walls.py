"""The table of walls: a line for each patch."""

from __future__ import annotations

from typing import Any

from flowgrad.pipeline.analysis import Analysis
from flowgrad.report import numbers
from flowgrad.walls import Walls, walls_summary
from flowgrad.walls.records import record_on


def headings(analysis: Analysis) -> tuple[str, ...]:
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


def rows(analysis: Analysis) -> list[tuple[str, list[str]]]:
    """Each patch and its numbers."""
    if analysis.walls is None:
        return []
    patches: dict[str, dict[str, Any]] = walls_summary(analysis.walls)["patches"]
    return [(name, [numbers.number(value) for value in _values(each)]) for name, each in patches.items()]


def notes(analysis: Analysis) -> list[str]:
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
