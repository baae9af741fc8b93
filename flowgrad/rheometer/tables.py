"""Tables in a text, each with its columns, its rows and what was written above it, and the groups of columns that make
flow curves: one for each sample that stands side by side."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from flowgrad.errors import OptionError, ReadError
from flowgrad.rheometer.columns import QUALIFIERS, Column, column, plain, split, unit
from flowgrad.rheometer.rows import NUMERIC, Row

# Lines of text without the head of a table, after which there is none.
_PATIENCE = 5000
# Blank lines and lines of units that may follow the head.
_BELOW = 3
# What stands before the name of a sample or of a measurement, and before that of a step.
_TITLES = {
    "sample", "sample name", "probe", "probenname", "echantillon", "muestra", "campione", "substance", "name",
    "substance sample no", "test", "result", "ergebnis", "resultat", "resultado", "risultato", "messung", "dataset",
}  # fmt: skip
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
    heads = [cells]
    if i + 1 < len(rows) and len(rows[i + 1].cells) == len(cells) and not rows[i + 1].numbers:
        heads.append([f"{a} {b}".strip() for a, b in zip(cells, rows[i + 1].cells, strict=True)])
    for count, names in enumerate(heads, 1):
        columns = [column(k, each) if each else Column(k, "", None, "other", "") for k, each in enumerate(names)]
        if _is_head(columns, chosen):
            return columns, count
    return None


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
        if not any(row.cells):
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


_STRESSES = ("stress", "viscosity", "torque")


@dataclass(frozen=True)
class Group:
    """Columns of one sample by their roles, and its ``label`` (empty where the file gives none). ``turned``: the sign
    of the stress is to be changed."""

    columns: Mapping[str, Column]
    label: str = ""
    turned: bool = False


def groups(table: Table, chosen: Mapping[str, str], where: str) -> list[Group]:
    """The groups of columns of a table. ``chosen`` maps roles to names or numbers; a stress named ``-NAME`` is turned.

    Raises ReadError for oscillatory tables and where a column is missing, OptionError where two could be meant.
    """
    columns = _chosen(table, chosen, where)
    rates = [each for each in columns if each.role == "rate"]
    if not rates and is_oscillatory(table):
        raise ReadError(
            f"{where}: is an oscillatory table (G', G'' against frequency or amplitude) and holds no flow curve: "
            "give a table of steady shear"
        )
    if not rates or not any(each.role in _STRESSES for each in columns):
        what = "shear rate" if not rates else "stress or viscosity"
        raise ReadError(
            f"{where}: no column holds the {what} among {describe(table)}: give --columns rate=NAME,stress=NAME"
        )
    found = _of_one_rate(rates[0], columns, table) if len(rates) == 1 else _of_rates(rates, columns, table)
    if not found:
        read = [f"'{each.name}' (column {each.index + 1})" for each in columns if each.role in ("rate", *_STRESSES)]
        listed = ", ".join(read[:6])
        raise OptionError(f"{where}: {listed} could be meant: say which, with --columns rate=NAME,stress=NAME")
    turned = chosen.get("stress", chosen.get("viscosity", "")).startswith("-")
    return [Group(each.columns, each.label, turned) for each in found]


def _chosen(table: Table, chosen: Mapping[str, str], where: str) -> list[Column]:
    """The columns, with the roles that the user gave to some of them, and no others of these roles."""
    given: dict[int, str] = {}
    for role, name in chosen.items():
        given[_find(table, name if not name.startswith("-") else name[1:], role, where).index] = role
    found = []
    for each in table.columns:
        if each.index in given:
            found.append(replace(each, role=given[each.index], label=""))
        elif each.role not in chosen:
            found.append(each)
    return found


def _find(table: Table, name: str, role: str, where: str) -> Column:
    if name.isdigit() and 0 < int(name) <= len(table.columns):
        return table.columns[int(name) - 1]
    found = [each for each in table.columns if each.name and is_named(each, name)]
    exact = [each for each in found if each.name.casefold() == name.strip().casefold()]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if found:
        numbers = " or ".join(f"{role}={each.index + 1}" for each in found)
        raise OptionError(f"{where}: {len(found)} columns are called '{name}': give the number, --columns {numbers}")
    raise OptionError(f"{where}: no column is called '{name}': there are {describe(table)}")


def _of_one_rate(rate: Column, columns: Sequence[Column], table: Table) -> list[Group]:
    """One group, or as many as there are stresses (or else viscosities) with labels of their own."""
    counts = Counter(each.role for each in columns)
    role = next((each for each in _STRESSES if counts[each]), "")
    stresses = [each for each in columns if each.role == role]
    if len(stresses) == 1:
        return [_group([each for each in columns if each.role not in _STRESSES or counts[each.role] == 1], "")]
    if len({each.label for each in stresses}) < len(stresses) and len({each.name for each in stresses}) > 1:
        return []
    if any(each.label.casefold() in QUALIFIERS for each in stresses):
        return []
    found = []
    for number, stress in enumerate(stresses, 1):
        # With the rate, the temperature and the steps of all, and whatever else has the label of this stress.
        own = [
            each
            for each in columns
            if each.label == stress.label or each.role in ("temperature", "step", "sample")
            if each.role != role and each is not rate
        ]
        found.append(_group([rate, stress, *own], _label(stress, table, number)))
    return found


def _of_rates(rates: Sequence[Column], columns: Sequence[Column], table: Table) -> list[Group]:
    """Groups of one label, or else columns that stand side by side in the same order."""
    labels = [each.label for each in rates]
    if len(set(labels)) == len(labels):
        found = [_group([each for each in columns if each.label == label], label) for label in labels]
        are_qualified = not QUALIFIERS.isdisjoint(each.casefold() for each in labels)
        if all(set(each.columns) & set(_STRESSES) for each in found) and not are_qualified:
            return found
    read = [each for each in columns if each.role in ("rate", "sigma", "sigma_viscosity", "temperature", *_STRESSES)]
    width = len(read) // len(rates)
    parts = [read[i : i + width] for i in range(0, len(read), width)]
    if [[each.role for each in part] for part in parts] != [[each.role for each in parts[0]]] * len(rates) or width < 2:
        return []
    if {each.role for each in parts[0]}.isdisjoint(_STRESSES):
        return []
    return [_group(part, _label(part[0], table, i)) for i, part in enumerate(parts, 1)]


def _group(columns: Sequence[Column], label: str) -> Group:
    """The first column of each role."""
    return Group({each.role: each for each in reversed(columns)}, label)


def _label(column: Column, table: Table, number: int) -> str:
    """What the name adds, or the text over the column (that of a merged cell stands over its first), or a number."""
    if column.label:
        return column.label
    over = [each for each in table.above[: column.index + 1] if each]
    return over[-1] if len(set(filter(None, table.above))) > 1 and over else str(number)
