"""Lines of text as rows of cells: the separator, the decimal mark, numbers."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator
from typing import NamedTuple

from flowgrad.errors import ReadError

_COMMENT = re.compile(r"^\s*(?:#+|//+|%+(?=\s*[^\W\d])|!+|;;+)\s*")
_NUMBER = r"[+-]?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:[eEdD][+-]?\d+)?"
NUMERIC = re.compile(rf"\s*{_NUMBER}\s*")
_SEPARATORS = ("\t", ";", "|", ",", " ")
# A longer line is no row of a table, and more of them are no flow curve.
_LONGEST, _MOST = 20_000, 60_000
# Lines that tell how a table is separated.
_LOOKED_AT = 2000


class Row(NamedTuple):
    """A line of the file (counted from 1) as cells without the spaces around them."""

    line: int
    cells: list[str]

    @property
    def is_blank(self) -> bool:
        """Whether nothing is in it."""
        return not any(self.cells)

    @property
    def numbers(self) -> int:
        """How many cells are numbers."""
        return sum(1 for cell in self.cells if cell and NUMERIC.fullmatch(cell))


def rows(text: str, where: str) -> Iterator[Row]:
    """The lines of a text, separated by whatever separates most numbers; comment marks are taken off.

    Raises ReadError, with the name of the file, for more lines than flow curves have.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").lstrip("\ufeff").split("\n")
    if len(lines) > _MOST:
        raise ReadError(f"{where}: has {len(lines)} lines, too many for flow curves ({_MOST}): give its table alone")
    separator = separator_of(lines)
    for number, line in enumerate(lines, 1):
        if number == 1 and line.lower().startswith("sep="):
            continue
        yield Row(number, cells(_COMMENT.sub("", line), separator) if len(line) < _LONGEST else [])


def separator_of(lines: list[str]) -> str:
    """Tab, semicolon, bar, comma, or a space for runs of blanks: the one that separates most numbers.

    Of the lines that hold the most, since what stands above a table is separated anyhow.
    """
    shown = [line for line in lines if any(each.isdigit() for each in line[:200])]
    step = max(1, len(shown) // _LOOKED_AT)
    counts = {each: _numbers_in(shown[::step], each) for each in _SEPARATORS}
    if not any(counts.values()):
        counts = {each: sum(line.count(each) for line in shown[::step]) for each in _SEPARATORS[:-1]}
    return max(counts, key=lambda each: counts[each])


def _numbers_in(lines: list[str], separator: str) -> int:
    counts = (Row(0, cells(line[:4000], separator)).numbers for line in lines)
    return sum(count for count in counts if count > 1)


def cells(line: str, separator: str) -> list[str]:
    """A line's cells; quotes hold separators together."""
    if separator == " ":
        return _of_blanks(line)
    if '"' in line and line.count('"') % 2 == 0:
        return [each.strip() for each in next(csv.reader([line], delimiter=separator), [])]
    return [each.strip() for each in line.split(separator)]


def _of_blanks(line: str) -> list[str]:
    """Numbers are apart by any blank; names by two, or by the bracket at the end of a unit."""
    parts = line.split()
    if parts and all(NUMERIC.fullmatch(each) for each in parts):
        return parts
    if re.search(r"\S(\s{2,}|\t)\S", line.strip()):
        return re.split(r"\s{2,}|\t", line.strip())
    if re.search(r"[\])]\s+\S", line):
        return re.split(r"(?<=[\])])\s+", line.strip())
    return parts


def parsed(text: str) -> float:
    """The number of a cell, with a point or a comma; NaN for what is none."""
    try:
        return float(text)
    except ValueError:
        pass
    if not NUMERIC.fullmatch(text):
        return math.nan
    return float(text.replace(",", ".").replace("d", "e").replace("D", "e"))
