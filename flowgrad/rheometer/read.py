"""A file of a rheometer as flow curves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from flowgrad.errors import OptionError, ReadError
from flowgrad.files import printable
from flowgrad.rheometer.choice import groups
from flowgrad.rheometer.curve import RheometerCurve
from flowgrad.rheometer.encoding import read_text
from flowgrad.rheometer.header import Column, check
from flowgrad.rheometer.measured import Measured, measured
from flowgrad.rheometer.names import plain
from flowgrad.rheometer.points import curves_of
from flowgrad.rheometer.ramps import is_held
from flowgrad.rheometer.reading import Reading
from flowgrad.rheometer.rows import rows
from flowgrad.rheometer.settings import settings
from flowgrad.rheometer.tables import Table, is_oscillatory, tables
from flowgrad.rheometer.units import unit
from flowgrad.spec import nearest


def read_flow_curves(path: str | Path, reading: Reading | None = None) -> tuple[RheometerCurve, ...]:
    """The flow curves of a text file: one for each sample, step, temperature and ramp in it.

    Reads tables separated by tabs, semicolons, commas or blanks, with points or commas in numbers, in UTF-8, UTF-16
    or Latin-1, and the exports of common instruments; ``reading`` says what the file does not. Rows without numbers,
    at rest or with a stress that is not positive are left out and counted. Raises ReadError for a file that holds no
    flow curve, OptionError where two columns could be meant or what is asked for is not there.
    """
    path, reading = Path(path), reading or Reading()
    where = printable(path)
    found, refused = [], []
    for table in tables(rows(read_text(path), where), reading.columns, where):
        if is_oscillatory(table) and not reading.columns:
            refused.append(f"'{table.step or table.title or 'a table'}' is oscillatory")
            continue
        found += list(_of_table(table, reading, where))
    refused += [f"'{piece.name}' {piece.reason}" for piece in found if piece.reason]
    pieces = _chosen([piece for piece in found if not piece.reason], reading.sample, where)
    if not pieces:
        raise ReadError(
            f"{where}: holds no flow curve: {_listed(refused)}: give a table of steady shear at several rates"
        )
    curves = [each for piece in pieces for each in curves_of(piece.measured, piece.names, reading, path)]
    notes = [f"left out of this file: {_listed(refused)}"] if refused else []
    return tuple(each.noted(*notes) for each in _distinct(curves))


def _listed(reasons: Sequence[str], most: int = 4) -> str:
    more = f" and {len(reasons) - most} more" if len(reasons) > most else ""
    return "; ".join(reasons[:most]) + more


@dataclass(frozen=True, eq=False)
class _Piece:
    """The rows of one sample, step and temperature, with the ``names`` of the sample and of the curve; ``reason`` why
    they make none."""

    names: tuple[str, str]
    measured: Measured
    reason: str = ""

    @property
    def name(self) -> str:
        """That of the curve."""
        return self.names[1]


def _of_table(table: Table, reading: Reading, where: str) -> Iterator[_Piece]:
    place = f"{where}, line {table.line}"
    _check_width(table, place)
    for group in groups(table, reading.columns, place):
        told = replace(group, columns={role: _told(each, role, reading) for role, each in group.columns.items()})
        check(list(told.columns.values()), place)
        for name, step, part in settings(measured(table, told, reading.radius, place)):
            sample = _joined(table.title, group.label, name) or Path(where).stem
            full = _joined(table.title, table.step, step, group.label, name) or Path(where).stem
            yield _Piece((sample, full), part, _no_curve(part))


def _joined(*parts: str) -> str:
    return " ".join(dict.fromkeys(filter(None, parts)))


def _check_width(table: Table, place: str) -> None:
    """ReadError where the head has more names than the rows have cells: a comma in a name, most likely."""
    names, cells = (
        sum(bool(each.name) for each in table.columns),
        max((len(row.cells) for row in table.rows), default=0),
    )
    if 0 < cells < names:
        raise ReadError(f"{place}: has {names} names of columns over rows of {cells} cells: put names in quotes")


def _told(column: Column, role: str, reading: Reading) -> Column:
    """The column with the unit that the user gives to its role."""
    return replace(column, unit=unit(reading.units[role])) if role in reading.units else column


def _no_curve(part: Measured) -> str:
    """Why these rows are no flow curve; empty if they are one."""
    known = np.isfinite(part.rate) & np.isfinite(part.stress)
    if not known.any():
        return "has no row with numbers"
    rate = np.abs(part.rate[known & (part.rate != 0)])
    if not len(rate):
        return "is at rest throughout"
    return f"stays at one shear rate, {np.median(rate):.4g}" if len(rate) > 1 and is_held(rate) else ""


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
    by_ramp = [f"{each.name} {each.ramp}" if each.ramp else each.name for each in curves]
    counts = Counter(each.name for each in curves)
    names = [new if counts[each.name] > 1 else each.name for each, new in zip(curves, by_ramp, strict=True)]
    seen: Counter[str] = Counter()
    found = []
    for each, name in zip(curves, names, strict=True):
        seen[name] += 1
        found.append(replace(each, name=f"{name} ({seen[name]})" if seen[name] > 1 else name))
    return found
