"""Decimal marks and marks between thousands of a table, by what its numbers allow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.rheometer.columns import Column
from flowgrad.rheometer.rows import GAPS, NUMERIC, parsed
from flowgrad.rheometer.tables import Table

# 50,000: a decimal fraction or fifty thousand. 1,234,567 and 1,234.5 have marks between thousands. 50.000 is fifty
# thousand only beside decimal commas, or where the column is smooth only so.
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_POINTED = re.compile(r"[+-]?[1-9]\d{0,2}\.\d{3}")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d*|[+-]?\d{1,3}(,\d{3}){2,}")
_REVERSED = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+")
# One reading is taken over the other where the column changes by so much less.
_SMOOTHER = 0.7


@dataclass(frozen=True)
class Marks:
    """How marks are read in each column: between thousands are commas in those whose indices are ``grouped`` and points
    in those that are ``pointed``, decimal marks elsewhere. ``notes`` say where that had to be found out."""

    grouped: frozenset[int] = frozenset()
    pointed: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()

    def parsed(self, text: str, column: Column) -> float:
        """The number of a cell; NaN for other texts."""
        if column.index in self.grouped or _THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
        if column.index in self.pointed:
            text = text.replace(".", "")
        return parsed(text)


def marks_of(table: Table, columns: Sequence[Column], decimal: str | None, where: str) -> Marks:
    """The marks of the ``columns`` that are read. ``decimal`` is the mark that the user gives.

    Raises ReadError where points and commas both are decimal marks in one column, and where a comma could be either.
    """
    texts = {each.index: [table.cell(row, each) for row in table.rows] for each in table.columns if each.name}
    kinds = {index: _kinds(each) for index, each in texts.items()}
    everywhere = frozenset().union(*kinds.values())
    grouped, pointed, notes = set(), set(), []
    for column in columns:
        own = texts.get(column.index) or [table.cell(row, column) for row in table.rows]
        if decimal != "." and _is_pointed(own, everywhere):
            example = next(each for each in own if _POINTED.fullmatch(each.strip()))
            pointed.add(column.index)
            notes.append(f"'{example}' of '{column.name}' is read as {example.strip().replace('.', '')}")
        else:
            _check(own, table, column, where)
        if "either" not in (kinds.get(column.index) or _kinds(own)):
            continue
        example = next(each for each in own if _EITHER.fullmatch(each.strip()))
        if decimal is None and _is_grouped(own, everywhere) is None:
            number = float(example.replace(",", "."))
            raise ReadError(
                f"{where}: '{example}' of '{column.name}' may be {number:g} or {1000 * number:.0f}: say which mark is "
                "the decimal one, with --decimal . or --decimal ,"
            )
        if decimal == "." or (decimal is None and _is_grouped(own, everywhere)):
            grouped.add(column.index)
            notes.append(f"'{example}' of '{column.name}' is read as {float(example.replace(',', '')):.0f}")
    return Marks(frozenset(grouped), frozenset(pointed), tuple(notes))


def _kinds(texts: Sequence[str]) -> frozenset[str]:
    """What the numbers of a column are: with a decimal ``comma`` or ``point``, with ``thousands``, or ``either``."""
    found = set()
    for text in map(str.strip, texts):
        if _EITHER.fullmatch(text):
            found.add("either")
        elif _THOUSANDS.fullmatch(text):
            found.add("thousands")
        elif _REVERSED.fullmatch(text):
            found.add("comma")
        elif NUMERIC.fullmatch(text):
            found |= {name for name, mark in (("comma", ","), ("point", ".")) if mark in text}
    return frozenset(found)


def _is_grouped(texts: Sequence[str], everywhere: frozenset[str]) -> bool | None:
    """Whether commas that could be either stand between thousands; None where nothing tells."""
    for kinds in (_kinds(texts), everywhere):
        has_comma, has_point = "comma" in kinds, not kinds.isdisjoint(("point", "thousands"))
        if has_comma != has_point:
            return has_point
    changes = _changes(texts, ",")
    if min(changes) > _SMOOTHER * max(changes):
        return None
    return changes[0] < changes[1]


def _is_pointed(texts: Sequence[str], everywhere: frozenset[str]) -> bool:
    """Whether points stand between thousands: all may, and commas are decimal marks, or the column is smoother so."""
    numbers = [each.strip() for each in texts if NUMERIC.fullmatch(each)]
    has_reversed = any(map(_REVERSED.fullmatch, numbers))
    pointed = [each for each in numbers if "." in each and not _REVERSED.fullmatch(each)]
    if not pointed or not all(map(_POINTED.fullmatch, pointed)):
        return False
    if has_reversed or any("," in each for each in numbers):
        return has_reversed
    if "comma" in everywhere:
        return True
    grouped, decimal = _changes(texts, ".")
    return grouped < _SMOOTHER * decimal


def _changes(texts: Sequence[str], mark: str) -> tuple[float, float]:
    """Σ |Δ log x| of the numbers with a mark taken as one between thousands, and as a decimal one."""
    numbers = [GAPS.sub("", each.strip()) for each in texts if NUMERIC.fullmatch(each)]
    readings = ([float(each.replace(mark, meant)) for each in numbers] for meant in ("", "."))
    logs = (np.log([abs(value) for value in values if value]) for values in readings)
    grouped, decimal = (float(np.sum(np.abs(np.diff(each)))) for each in logs)
    return grouped, decimal


def _check(texts: Sequence[str], table: Table, column: Column, where: str) -> None:
    """ReadError where points and commas both are decimal marks."""
    at = {mark: [i for i, text in enumerate(texts) if _kinds([text]) == {mark}] for mark in ("comma", "point")}
    if at["comma"] and at["point"]:
        comma, point = at["comma"][0], at["point"][0]
        raise ReadError(
            f"{where}: '{column.name}' has '{texts[point]}' in line {table.rows[point].line} and '{texts[comma]}' in "
            f"line {table.rows[comma].line}: write all numbers with one decimal mark and none between thousands"
        )
