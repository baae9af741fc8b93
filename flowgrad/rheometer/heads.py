"""Head of a table: names of columns over one to three rows, with a row of units above them, below or among them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from flowgrad.rheometer.columns import Column, column, is_known, plain, role_of, split
from flowgrad.rheometer.rows import NUMERIC, Row
from flowgrad.rheometer.units import unit

# Rows that names may take, and rows without numbers between them and the numbers: blank ones, units, symbols.
_NAMES, _BELOW = 3, 3
# What stands before the name of a sample or of a measurement, and before that of a step.
_TITLES = {
    "sample", "sample name", "probe", "probenname", "echantillon", "muestra", "campione", "substance", "name",
    "substance sample no", "test", "result", "ergebnis", "resultat", "resultado", "risultato", "messung", "dataset",
}  # fmt: skip
_KEY = re.compile(r"\s*([^:=]{1,60}?)\s*[:=]\s*(\S.*)")
_STRESSES = {"stress", "viscosity", "torque"}


class ColumnHead(NamedTuple):
    """Columns of a head, and the position of the row behind its names and units."""

    columns: list[Column]
    end: int


def head(rows: Sequence[Row], i: int, chosen: Mapping[str, str], where: str) -> ColumnHead | None:
    """The head that begins at a row, if it is one of a flow curve, or an oscillation, or has the ``chosen`` names."""
    start = i
    if _are_units(rows[i]):
        start = next((j for j in range(i + 1, min(i + 1 + _BELOW, len(rows))) if any(rows[j].cells)), i)
    count = _count(rows, start, chosen)
    if not count:
        return None
    columns = _named_columns(rows, start, count)
    above = (i, start) if start > i and len(rows[i].cells) <= len(columns) else None
    return _with_units(columns, rows, start + count, above, where)


def other_head(rows: Sequence[Row], i: int, chosen: Mapping[str, str], where: str) -> ColumnHead | None:
    """The head of a table of something else that begins at a row: names, of which two are known or have units, with
    rows of numbers below."""
    cells = rows[i].cells
    texts = [each for each in cells if each]
    if len(texts) < 2 or _are_units(rows[i]) or title_of(rows, i):
        return None
    below = i + 1
    while below < min(i + 1 + _BELOW + _NAMES, len(rows)) and not rows[below].numbers:
        below += 1
    if below >= len(rows) or rows[below].numbers < 2 or below - i > _BELOW + 1:
        return None
    if any(head(rows, later, chosen, where) for later in range(i + 1, below)):
        return None
    has_units = any(_are_units(each) for each in rows[i + 1 : below])
    columns = [Column(k, each, None, "other", "") for k, each in enumerate(cells)]
    known = sum(is_known(each) for each in texts)
    return ColumnHead(columns, below) if has_units or known > 1 else None


def _count(rows: Sequence[Row], start: int, chosen: Mapping[str, str]) -> int:
    """How many rows from ``start`` name the columns; 0 where none do, or where names begin further down."""
    most = 0
    while start + most < len(rows) and most < _NAMES and _may_name(rows, start + most):
        most += 1
    found = next((n for n in range(1, most + 1) if is_head(_named_columns(rows, start, n), chosen)), 0)
    if found > 1:
        roles = [each.role for each in _named_columns(rows, start, found)]
        for later in range(1, found):
            own = _named_columns(rows, start + later, found - later)
            # A row that only names samples stands above the head.
            if is_head(own, chosen) and [each.role for each in own] == roles[: len(own)]:
                return 0
    while 0 < found < most and not is_head(_named_columns(rows, start + found, 1), chosen):
        before, after = _named_columns(rows, start, found), _named_columns(rows, start, found + 1)
        if [each.role for each in before] == [each.role for each in after] or not is_head(after, chosen):
            break
        found += 1
    return found


def _may_name(rows: Sequence[Row], i: int) -> bool:
    """Whether a row can hold names: texts that are no units and no title."""
    row = rows[i]
    if not any(row.cells) or row.numbers > 1 or len(row.cells) < 2 or _are_units(row):
        return False
    return not title_of(rows, i) or is_head(_named_columns(rows, i, 1), {})


def _named_columns(rows: Sequence[Row], start: int, count: int) -> list[Column]:
    width = max(len(each.cells) for each in rows[start : start + count])
    names = [
        " ".join(each.cells[k] for each in rows[start : start + count] if k < len(each.cells) and each.cells[k])
        for k in range(width)
    ]
    return [column(k, each) if each else Column(k, "", None, "other", "") for k, each in enumerate(names)]


def is_head(columns: Sequence[Column], chosen: Mapping[str, str]) -> bool:
    """Whether columns are those of a flow curve or of an oscillation, or have the ``chosen`` names."""
    names = [name.lstrip("-") for name in chosen.values() if not name.lstrip("-").isdigit()]
    if names:
        return all(any(is_named(each, name) for each in columns) for name in names)
    roles = [each.role for each in columns if each.name]
    return ("rate" in roles and not _STRESSES.isdisjoint(roles)) or roles.count("oscillation") > 1


def is_named(column: Column, name: str) -> bool:
    """Whether a name given by the user is that of a column, with or without its unit."""
    name = name.strip().casefold()
    return name in (column.name.casefold(), split(column.name)[0].casefold()) or plain(name) == plain(column.name) != ""


def _are_units(row: Row) -> bool:
    """Whether most texts of a row are units, and none the name of what is read."""
    stated = [each for each in row.cells if each.strip("[](){}- ")]
    if not stated or any(role_of(each)[0] not in ("other", "oscillation") for each in stated):
        return False
    return 2 * sum(unit(each) is not None for each in stated) >= len(stated)


def _with_units(
    columns: list[Column], rows: Sequence[Row], start: int, above: tuple[int, int] | None, where: str
) -> ColumnHead:
    """The columns with the units of a row below their names, or else above, and where the numbers begin."""
    read = [each.index for each in columns if each.measures]
    for i in range(start, min(start + _BELOW, len(rows))):
        row = rows[i]
        is_data = any(j < len(row.cells) and NUMERIC.fullmatch(row.cells[j]) for j in read)
        if is_data or title_of(rows, i):
            break
        if _are_units(row):
            return ColumnHead(_stated(columns, row, where), i + 1)
    if above is not None:
        columns = _stated(columns, rows[above[0]], where)
    return ColumnHead(columns, start)


def _stated(columns: list[Column], row: Row, where: str) -> list[Column]:
    found = list(columns)
    for j, text in enumerate(row.cells[: len(columns)]):
        if text.strip("[](){}- "):
            found[j] = found[j].with_unit(text, f"{where}, line {row.line}")
    return found


def title_of(rows: Sequence[Row], i: int) -> dict[str, str]:
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
