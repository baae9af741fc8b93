"""The tables of a text: where each begins, its columns, its rows, and what was written above it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from flowgrad.errors import ReadError
from flowgrad.rheometer.header import Column, column, split
from flowgrad.rheometer.names import plain
from flowgrad.rheometer.rows import NUMERIC, Row
from flowgrad.rheometer.units import unit

# Lines of text without the head of a table, after which there is none.
_PATIENCE = 5000
# Blank lines and lines of units that may follow the head.
_BELOW = 3
# What stands before the name of a sample or of a measurement, and before that of a step.
_TITLES = {"sample", "sample name", "probe", "probenname", "echantillon", "muestra", "campione", "substance", "name"}
_TITLES |= {
    "substance sample no",
    "test",
    "result",
    "ergebnis",
    "resultat",
    "resultado",
    "risultato",
    "messung",
    "dataset",
}
_KEY = re.compile(r"\s*([^:=]{1,60}?)\s*[:=]\s*(\S.*)")


@dataclass(frozen=True)
class Table:
    """Columns and rows of numbers. ``title`` names the sample or the measurement, ``step`` the part of it, as far as
    the lines above tell; ``above`` are the cells of the row over the head."""

    columns: list[Column]
    line: int
    title: str = ""
    step: str = ""
    above: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)

    def cell(self, row: Row, column: Column) -> str:
        """The text of a row in a column; empty where the row is too short."""
        return row.cells[column.index] if column.index < len(row.cells) else ""


def tables(rows: Iterable[Row], chosen: Mapping[str, str], where: str) -> list[Table]:
    """The tables among rows. ``chosen`` maps roles to the names, or the numbers from 1, of their columns.

    Raises ReadError where no head of a table is found.
    """
    kept = list(rows)
    # Names that are nowhere are missed in the tables that there are.
    return _tables(kept, chosen, where) or _tables(kept, {}, where) or [_headless(kept, chosen, where)]


def _tables(kept: Sequence[Row], chosen: Mapping[str, str], where: str) -> list[Table]:
    found: list[Table] = []
    title, step, i, tried = "", "", 0, 0
    while i < len(kept):
        row = kept[i]
        head = _head(kept, i, chosen)
        if head is not None:
            columns, below = _with_units(head[0], kept, i + head[1], where)
            above = kept[i - 1].cells if i and not kept[i - 1].numbers else []
            found.append(Table(columns, row.line, title, step, above))
            i = below
            continue
        named = _named(kept, i)
        title, step = named.get("title", title), named.get("step", step)
        if found and not named and _is_data(row, found[-1], chosen):
            found[-1].rows.append(row)
        tried += not row.numbers
        if not found and tried > _PATIENCE:
            break
        i += 1
    return found


def _head(rows: Sequence[Row], i: int, chosen: Mapping[str, str]) -> tuple[list[Column], int] | None:
    """The columns, if a table begins at a row, and the number of rows that their names take."""
    cells = rows[i].cells
    if len(cells) < 2 or sum(map(bool, cells)) < 2 or rows[i].numbers > 1:
        return None
    if _is_head(columns := _columns(cells), chosen):
        return columns, 1
    if i + 1 < len(rows) and len(rows[i + 1].cells) == len(cells) and not rows[i + 1].numbers:
        joined = [f"{a} {b}".strip() for a, b in zip(cells, rows[i + 1].cells, strict=True)]
        if _is_head(columns := _columns(joined), chosen):
            return columns, 2
    return None


def _columns(cells: Sequence[str]) -> list[Column]:
    return [column(i, each) if each else Column(i, "", None, "other", "") for i, each in enumerate(cells)]


def _is_head(columns: Sequence[Column], chosen: Mapping[str, str]) -> bool:
    names = [name.lstrip("-") for name in chosen.values() if not name.lstrip("-").isdigit()]
    if names:
        return all(any(is_named(each, name) for each in columns) for name in names)
    roles = [each.role for each in columns if each.name]
    return ("rate" in roles and bool({"stress", "viscosity", "torque"} & set(roles))) or roles.count("oscillation") > 1


def is_named(column: Column, name: str) -> bool:
    """Whether a name given by the user is that of a column, with or without its unit."""
    name = name.strip().casefold()
    return name in (column.name.casefold(), split(column.name)[0].casefold()) or plain(name) == plain(column.name) != ""


def _with_units(columns: list[Column], rows: Sequence[Row], start: int, where: str) -> tuple[list[Column], int]:
    """The columns with the units of a row below their names, if there is one, and where the numbers begin."""
    read = [each.index for each in columns if each.measures]
    for i in range(start, min(start + _BELOW, len(rows))):
        row = rows[i]
        if row.is_blank:
            continue
        stated = [(j, each) for j, each in enumerate(row.cells[: len(columns)]) if each.strip("[]() ")]
        known = sum(unit(each) is not None for _, each in stated)
        is_data = any(j < len(row.cells) and NUMERIC.fullmatch(row.cells[j]) for j in read)
        if is_data or not stated or 2 * known < len(stated) or _named(rows, i):
            return columns, i
        for j, text in stated:
            columns[j] = columns[j].with_unit(text, f"{where}, line {row.line}")
        return columns, i + 1
    return columns, start


def _named(rows: Sequence[Row], i: int) -> dict[str, str]:
    """The title or the step that a line gives: ``Sample name<TAB>Emulsion``, ``Test: ramp``, ``[step]`` and a name."""
    cells = [each for each in rows[i].cells if each]
    if not cells or len(cells) > 3:
        return {}
    if cells[0].casefold() == "[step]" and i + 1 < len(rows):
        return {"step": " ".join(rows[i + 1].cells).strip()}
    match = _KEY.fullmatch(cells[0]) if len(cells) == 1 else None
    key, value = match.groups() if match else (cells[0], cells[1] if len(cells) > 1 else "")
    if plain(key) not in _TITLES or not value or NUMERIC.fullmatch(value):
        return {}
    return {"title": value, "step": ""}


def _is_data(row: Row, table: Table, chosen: Mapping[str, str]) -> bool:
    """Whether a row has a number where the table has one, or text in as many cells as a row of it."""
    read = [each for each in table.columns if chosen or each.measures or each.role == "oscillation"]
    if any(NUMERIC.fullmatch(table.cell(row, each)) for each in read):
        return True
    return sum(bool(table.cell(row, each)) for each in read) > 1 and 2 * sum(map(bool, row.cells)) > len(table.columns)


def _headless(rows: Sequence[Row], chosen: Mapping[str, str], where: str) -> Table:
    """Rows of numbers without names, whose columns are given by their numbers."""
    numeric = [row for row in islice(rows, 100_000) if row.numbers > 1]
    if len(numeric) < 3:
        names = f" with the columns {', '.join(chosen.values())}" if chosen else ""
        raise ReadError(
            f"{where}: has no table of shear rates and stresses or viscosities{names}: "
            "give their names with --columns rate=NAME,stress=NAME"
        )
    if not chosen or not all(each.lstrip("-").isdigit() for each in chosen.values()):
        raise ReadError(
            f"{where}: line {numeric[0].line} begins a table of {len(numeric[0].cells)} columns whose names do not say "
            "which holds the shear rate and which the stress: give --columns rate=1,stress=2 (or viscosity=2)"
        )
    count = max(len(row.cells) for row in numeric)
    columns = [Column(i, f"column {i + 1}", None, "other", "") for i in range(count)]
    table = Table(columns, numeric[0].line)
    read = [columns[int(each.lstrip("-")) - 1] for each in chosen.values() if 0 < int(each.lstrip("-")) <= count]
    return replace(table, rows=[row for row in rows if any(NUMERIC.fullmatch(table.cell(row, each)) for each in read)])


def describe(table: Table) -> str:
    """The names of the columns, for messages."""
    return ", ".join(f"'{each.name}'" for each in table.columns if each.name)


def is_oscillatory(table: Table) -> bool:
    """Whether the columns that hold numbers are of an oscillation, with no shear rate among them."""
    filled = {
        each.role for each in table.columns if any(NUMERIC.fullmatch(table.cell(row, each)) for row in table.rows)
    }
    return "oscillation" in filled and "rate" not in filled
