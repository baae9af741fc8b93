"""Flow curves from a rheometer's text file or workbook: one for each sample, step, temperature and ramp in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from flowgrad.errors import OptionError, ReadError
from flowgrad.files import printable
from flowgrad.rheometer.columns import Column, check, plain
from flowgrad.rheometer.cox_merz import cox_merz
from flowgrad.rheometer.curve import RheometerCurve
from flowgrad.rheometer.curves import Measured, measured, settings
from flowgrad.rheometer.intervals import no_curve
from flowgrad.rheometer.options import Reading
from flowgrad.rheometer.quality import curves_of
from flowgrad.rheometer.rows import NUMERIC, read_text, rows
from flowgrad.rheometer.tables import Group, Table, groups, is_oscillatory, tables
from flowgrad.rheometer.workbook import is_workbook, workbook_rows
from flowgrad.spec import nearest

# Reasons that are listed why a file holds no flow curve.
_LISTED = 4


def read_flow_curves(path: str | Path, reading: Reading | None = None) -> tuple[RheometerCurve, ...]:
    """The flow curves of a text file or a workbook: one for each sample, step, temperature and ramp in it.

    Reads tables separated by tabs, semicolons, commas or blanks, with points or commas in numbers, in UTF-8, UTF-16
    or Latin-1, the sheets of Excel and OpenDocument workbooks (with python-calamine), and the exports of common
    instruments; ``reading`` says what the file does not. Rows without numbers,
    at rest or with a stress that is not positive are left out and counted; intervals that are no flow curve are left
    out and named in the notes. Raises ReadError for a file that holds no flow curve, OptionError where two columns
    could be meant or what is asked for is not there.
    """
    path, reading = Path(path), reading or Reading()
    where = printable(path)
    lines = workbook_rows(path) if is_workbook(path) else rows(read_text(path), where)
    pieces, refused, failures = _pieces(tables(lines, reading.columns, where), reading, where)
    curves: list[RheometerCurve] = []
    for piece in _chosen(pieces, reading.sample, where):
        try:
            curves += curves_of(piece.rows, (piece.sample, piece.name), reading, path)
        except OptionError as error:
            failures.append(error)
    if not curves and failures:
        raise failures[0]
    refused += [str(each).removeprefix(f"{where}").lstrip(":, ") for each in failures]
    listed = "; ".join(refused[:_LISTED]) + (f" and {len(refused) - _LISTED} more" if len(refused) > _LISTED else "")
    if not curves:
        raise ReadError(f"{where}: holds no flow curve: {listed}: give a table of steady shear at several rates")
    notes = [f"left out of this file: {listed}"] if refused else []
    return tuple(each.noted(*notes) for each in _distinct(curves))


@dataclass(frozen=True, eq=False)
class _Piece:
    """The rows of one ``sample``, step and temperature, the ``name`` of their curve, and the ``reason`` why they are
    not one."""

    sample: str
    name: str
    rows: Measured
    reason: str


def _pieces(
    found: Sequence[Table], reading: Reading, where: str
) -> tuple[list[_Piece], list[str], list[OptionError | ReadError]]:
    """The pieces that are curves, what is said of the others, and the errors of tables that cannot be read."""
    pieces: list[_Piece] = []
    refused: list[str] = []
    failures: list[OptionError | ReadError] = []
    for table in found:
        name = " ".join(filter(None, (table.title, table.step))) or f"the table of line {table.line}"
        if table.is_other:
            names = ", ".join(f"'{each.name}'" for each in table.columns if each.name) or "columns without names"
            refused.append(f"'{name}' is no flow curve ({names})")
        elif is_oscillatory(table) and reading.cox_merz:
            try:
                part = cox_merz(table, reading, f"{where}, line {table.line}")
            except ReadError as error:
                failures.append(error)
                continue
            if reason := no_curve(part).replace("shear rate", "frequency"):
                refused.append(f"'{name}' {reason}")
            else:
                label = " ".join(filter(None, (table.title, table.step))) or Path(where).stem
                pieces.append(_Piece(table.title or Path(where).stem, label, part, ""))
        elif is_oscillatory(table) and not reading.columns:
            refused.append(f"'{name}' is oscillatory (--cox-merz takes |η*|(ω) as η(γ̇))")
        else:
            try:
                of_table = list(_of_table(table, reading, where))
            except (OptionError, ReadError) as error:
                failures.append(error)
                continue
            pieces += [piece for piece in of_table if not piece.reason]
            refused += [f"'{piece.name}' {piece.reason}" for piece in of_table if piece.reason]
    return pieces, refused, failures


def _of_table(table: Table, reading: Reading, where: str) -> Iterator[_Piece]:
    place = f"{where}, line {table.line}"
    names = sum(bool(each.name) for each in table.columns)
    cells = max((len(row.cells) for row in table.rows), default=0)
    if 0 < cells < names:  # a comma in a name, most likely
        raise ReadError(f"{place}: has {names} names of columns over rows of {cells} cells: put names in quotes")
    nameless = [row for row in table.rows if any(map(NUMERIC.fullmatch, row.cells[len(table.columns) :]))]
    if len(nameless) > 0.5 * len(table.rows):
        raise ReadError(
            f"{place}: has {len(table.columns)} names of columns over rows of {cells} numbers, so which is which is "
            "not known: name all columns, or separate them by semicolons if commas are decimal marks"
        )
    for group in groups(table, reading.columns, place):
        columns = {role: each for role, each in group.columns.items() if not _is_spare(each, group)}
        for role in columns.keys() & reading.units.keys():
            columns[role] = columns[role].given(reading.units[role])
        check(list(columns.values()), place)
        for label, step, part in settings(measured(table, replace(group, columns=columns), reading, place)):
            of_sample, of_curve = (table.title, group.label, label), (table.title, table.step, step, group.label, label)
            sample, name = (" ".join(dict.fromkeys(filter(None, parts))) for parts in (of_sample, of_curve))
            reason = no_curve(part, f"{table.step} {step}")
            yield _Piece(sample or Path(where).stem, name or Path(where).stem, part, reason)


def _is_spare(column: Column, group: Group) -> bool:
    """Whether a torque in percent, say, stands beside the stress: it is not read."""
    needed = column.role not in ("torque", "temperature") or group.columns.keys().isdisjoint(("stress", "viscosity"))
    return not needed and column.unit is not None and column.unit.dimension != column.measures


def _chosen(pieces: Sequence[_Piece], sample: str | None, where: str) -> list[_Piece]:
    if sample is None:
        return list(pieces)
    found = [each for each in pieces if plain(sample) == plain(each.name)]
    found = found or [each for each in pieces if f" {plain(sample)} " in f" {plain(each.name)} "]
    if pieces and not found:
        names = [each.name for each in pieces]
        raise OptionError(f"{where}: has no sample '{sample}'{nearest(sample, names)}: it has {', '.join(names)}")
    return found


def _distinct(curves: Sequence[RheometerCurve]) -> list[RheometerCurve]:
    """The curves with their ramp behind names that occur twice, or else a number."""
    counts = Counter(each.name for each in curves)
    seen: Counter[str] = Counter()
    found = []
    for each in curves:
        name = f"{each.name} {each.ramp}" if each.ramp and counts[each.name] > 1 else each.name
        seen[name] += 1
        found.append(replace(each, name=f"{name} ({seen[name]})" if seen[name] > 1 else name))
    return found
