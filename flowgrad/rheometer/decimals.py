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

# 50,000: a decimal fraction or fifty thousand. 1,234,567 and 1,234.5 have marks between thousands.
_EITHER = re.compile(r"[+-]?[1-9]\d{0,2},\d{3}")
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(,\d{3})+\.\d*|[+-]?\d{1,3}(,\d{3}){2,}")
_REVERSED = re.compile(r"[+-]?\d{1,3}(\.\d{3})+,\d+")
# One reading is taken over the other where the column changes by so much less.
_SMOOTHER = 0.7


@dataclass(frozen=True)
class Marks:
    """How commas are read in each column: between thousands in those whose indices are ``grouped``, else as decimal
    marks. ``notes`` say where that had to be found out."""

    grouped: frozenset[int] = frozenset()
    notes: tuple[str, ...] = ()

    def parsed(self, text: str, column: Column) -> float:
        """The number of a cell; NaN for other texts."""
        if column.index in self.grouped or _THOUSANDS.fullmatch(text):
            text = text.replace(",", "")
        return parsed(text)


def marks_of(table: Table, columns: Sequence[Column], decimal: str | None, where: str) -> Marks:
    """The marks of the ``columns`` that are read. ``decimal`` is the mark that the user gives.

    Raises ReadError where points and commas both are decimal marks in one column, and where a comma could be either.
    """
    texts = {each.index: [table.cell(row, each) for row in table.rows] for each in table.columns if each.name}
    kinds = {index: _kinds(each) for index, each in texts.items()}
    everywhere = frozenset().union(*kinds.values())
    grouped, notes = set(), []
    for column in columns:
        own = texts.get(column.index) or [table.cell(row, column) for row in table.rows]
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
    return Marks(frozenset(grouped), tuple(notes))


def _kinds(texts: Sequence[str]) -> frozenset[str]:
    """What the numbers of a column are: with a decimal ``comma`` or ``point``, with ``thousands``, or ``either``."""
    found = set()
    for text in map(str.strip, texts):
        if _EITHER.fullmatch(text):
            found.add("either")
        elif _THOUSANDS.fullmatch(text):
            found.add("thousands")
        elif NUMERIC.fullmatch(text):
            found |= {name for name, mark in (("comma", ","), ("point", ".")) if mark in text}
    return frozenset(found)


def _is_grouped(texts: Sequence[str], everywhere: frozenset[str]) -> bool | None:
    """Whether commas that could be either stand between thousands; None where nothing tells."""
    for kinds in (_kinds(texts), everywhere):
        has_comma, has_point = "comma" in kinds, not kinds.isdisjoint(("point", "thousands"))
        if has_comma != has_point:
            return has_point
    numbers = [each.strip() for each in texts if NUMERIC.fullmatch(each)]
    changes = []
    for mark in ("", "."):
        values = np.abs([float(GAPS.sub("", each).replace(",", mark)) for each in numbers])
        changes.append(float(np.sum(np.abs(np.diff(np.log(values[values > 0]))))))
    if min(changes) > _SMOOTHER * max(changes):
        return None
    return changes[0] < changes[1]


def _check(texts: Sequence[str], table: Table, column: Column, where: str) -> None:
    """ReadError where points and commas both are decimal marks, or a point stands between thousands."""
    found = {}
    for name, mark in (("comma", ","), ("point", ".")):
        found[name] = next((i for i, text in enumerate(texts) if mark in text and _kinds([text]) == {name}), None)
    reversed_at = next((i for i, text in enumerate(texts) if _REVERSED.fullmatch(text.strip())), None)
    comma, point = (found["comma"], found["point"]) if reversed_at is None else (reversed_at, reversed_at)
    if comma is not None and point is not None:
        raise ReadError(
            f"{where}: '{column.name}' has '{texts[point]}' in line {table.rows[point].line} and '{texts[comma]}' in "
            f"line {table.rows[comma].line}: write all numbers with one decimal mark and none between thousands"
        )
