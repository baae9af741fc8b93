"""Tables in a text, each with its columns, its rows and what was written above it, and the groups of columns that make
flow curves: one for each sample that stands side by side."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

from flowgrad.errors import OptionError, ReadError
from flowgrad.rheometer.columns import QUALIFIERS, Column
from flowgrad.rheometer.heads import head, is_named, other_head, title_of
from flowgrad.rheometer.rows import NUMERIC, Row

# Lines of text without the head of a table, after which there is none.
_PATIENCE = 5000
# The first cell of Thermo Haake's rows.
SEGMENT_POINT = re.compile(r"(\d+)\|\d+")
# Rows of a table of something else that are worth a word, and rows that tell the shape of a table.
_FEWEST, _LOOKED_AT = 3, 8


@dataclass(frozen=True)
class Table:
    """Columns and rows of numbers. ``title`` names the sample or the measurement, ``step`` the part of it, as far as
    the lines above tell; ``above`` are the cells of the row over the head. ``is_other``: of no flow curve."""

    columns: list[Column]
    line: int
    title: str = ""
    step: str = ""
    above: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    is_other: bool = False

    def cell(self, row: Row, column: Column) -> str:
        """The text of a row in a column; empty where the row is too short."""
        return row.cells[column.index] if column.index < len(row.cells) else ""


def tables(rows: Iterable[Row], chosen: Mapping[str, str], where: str) -> list[Table]:
    """The tables among rows. ``chosen`` maps roles to the names, or the numbers from 1, of their columns.

    Raises ReadError where no head of a table is found.
    """
    kept = list(rows)
    # Names that are nowhere are missed in the tables that there are.
    for names in (chosen, {}):
        found = _tables(kept, names, where)
        if not all(each.is_other for each in found):
            return found
    if (known := next((each for each in found if each.columns), None)) and not _are_numbers(chosen):
        raise ReadError(
            f"{where}: holds no flow curve: line {known.line} begins a table of {describe(known)}, none of them a "
            "shear rate beside a stress or a viscosity: if two of them are, give --columns rate=NAME,stress=NAME"
        )
    return [_headless(kept, chosen, where)]


def _are_numbers(chosen: Mapping[str, str]) -> bool:
    return bool(chosen) and all(each.lstrip("-").isdigit() for each in chosen.values())


def _tables(kept: Sequence[Row], chosen: Mapping[str, str], where: str) -> list[Table]:
    found: list[Table] = []
    title, step, i, tried, is_open, is_broken = "", "", 0, 0, False, False
    while i < len(kept):
        row = kept[i]
        of_curve = head(kept, i, chosen, where) if row.numbers < 2 else None
        begun = of_curve or (other_head(kept, i, chosen, where) if not row.numbers else None)
        if begun is not None:
            above = kept[i - 1].cells if i and not kept[i - 1].numbers else []
            found.append(Table(begun.columns, row.line, title, step, above, is_other=of_curve is None))
            i, is_open, is_broken = begun.end, True, False
            continue
        named = title_of(kept, i)
        title, step = named.get("title", title), named.get("step", step)
        # A table ends at the title of another one, and at rows of another shape behind a line without numbers.
        ends = bool(named) or (row.cells[:1] != [] and row.cells[0].endswith(":"))
        is_open = is_open and not ends and not (is_broken and row.numbers > 1 and _is_alien(row, found[-1]))
        if is_open and _is_data(row, found[-1], chosen):
            found[-1].rows.append(row)
        elif row.numbers > 1 and found and not is_open and not ends:
            found.append(Table([], row.line, title, step, is_other=True, rows=[row]))
            is_open = True
        is_broken = row.numbers == 0 or (is_broken and row.numbers < 2)
        tried += not row.numbers
        if not found and tried > _PATIENCE:
            break
        i += 1
    return [_aligned(each) for each in found if not each.is_other or len(each.rows) >= _FEWEST]


def _aligned(table: Table) -> Table:
    """The names over their columns where rows begin with a number of their own that has no name: 1, 2, 3 as R writes
    tables, or the segment|point of Thermo Haake."""
    firsts = [row.cells[0] for row in table.rows if len(row.cells) == len(table.columns) + 1 and row.cells[-1]]
    numbered = all(SEGMENT_POINT.fullmatch(each) for each in firsts)
    numbered = numbered or firsts == [str(i) for i in range(1, len(firsts) + 1)]
    if not firsts or len(firsts) < len(table.rows) or not numbered:
        return table
    moved = [replace(each, index=each.index + 1) for each in table.columns]
    return replace(table, columns=[Column(0, "", None, "other", ""), *moved])


def _is_alien(row: Row, table: Table) -> bool:
    """Whether a row has another number of cells, and of numbers, than the rows of a table."""
    return bool(table.rows) and all(
        len(each.cells) != len(row.cells) and each.numbers != row.numbers for each in table.rows[-_LOOKED_AT:]
    )


def _is_data(row: Row, table: Table, chosen: Mapping[str, str]) -> bool:
    """Whether a row has a number where the table has one, or text in as many cells as a row of it."""
    if table.is_other:
        return row.numbers > 1
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
    if not _are_numbers(chosen):
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
