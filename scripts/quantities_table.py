#!/usr/bin/env python3
"""The table of all quantities, docs/quantities.md, from their records."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from flowgrad.kinematics import GIVEN, QUANTITIES, Record
from flowgrad.paths import RECORDS as OF_PATHS
from flowgrad.walls import OVER_TIME
from flowgrad.walls import RECORDS as OF_WALLS

FILE = Path(__file__).resolve().parent.parent / "docs" / "quantities.md"

_HEAD = """# Quantities

Made from their records, which labels, colours and units of figures come from too, by `scripts/quantities_table.py`.
M, L and T in the dimensions are mass, length and time; of two dimensions the first is that of dynamic values (with a
density), the second that of values divided by the density. Figures: [figures.md](figures.md).
"""
_COLUMNS = "| name | symbol | dimension | definition | reference |\n|---|---|---|---|---|"

# Heading, what gives them, and the records.
_SECTIONS: tuple[tuple[str, str, dict[str, Record]], ...] = (
    (
        "Of the velocity gradient",
        'What `gradient["NAME"]` and `--quantities NAME,…` give.',
        dict(QUANTITIES),
    ),
    (
        "Given with the flow",
        "What is drawn beside them, `plot.field(gradient, NAME, ax)` and `flowgrad plot --quantity NAME`.",
        GIVEN,
    ),
    (
        "On walls",
        "What `flowgrad.at_walls(…)` knows, as `arrays`, attributes or methods, and the file `…_walls.vtu` of "
        "`flowgrad run --walls`; `plot.scalar_field(walls, NAME)` has values and label. They are no quantities of a "
        "velocity gradient, and no names for `--quantities`.",
        OF_WALLS,
    ),
    (
        "On walls, over time",
        "What `flowgrad.wall_statistics(…)` of a series knows, as `arrays` and attributes (`mean_vector`), and "
        "the file `…_walls_over_time.vtu` of `flowgrad run --walls … --series-statistics`; "
        "`plot.field(statistics, NAME, ax)` draws them on the walls.",
        OVER_TIME,
    ),
    (
        "Of paths",
        "What `flowgrad.paths.deformation(…)` has as attributes, and `ftle` the `values` of `flowgrad.paths.ftle(…)`. "
        "Given a mesh for the points, both are drawn by `plot.field(result, NAME, ax)`; no names for `--quantities` "
        "either.",
        OF_PATHS,
    ),
)


def table() -> str:
    """The page as Markdown."""
    sections = (f"## {name}\n\n{text}\n\n{_rows(records.values())}\n" for name, text, records in _SECTIONS)
    return "\n".join([_HEAD, *sections])


def _rows(records: Iterable[Record]) -> str:
    rows = [_COLUMNS]
    for each in records:
        symbol, meaning = each.symbol.replace("|", r"\vert "), each.description.replace("|", r"\|")
        rows.append(f"| `{each.name}` | ${symbol}$ | {each.dimension} | {meaning} | {each.reference} |")
    return "\n".join(rows)


if __name__ == "__main__":
    FILE.write_text(table())
