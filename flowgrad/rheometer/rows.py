"""Rows of cells of a text file: encoding, separator, decimal mark."""

from __future__ import annotations

import codecs
import csv
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from flowgrad.errors import ReadError
from flowgrad.files import printable

# No table of a rheometer is longer; a longer file is something else.
LARGEST = 64_000_000
_START = 65536
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_ALIEN = {
    b"%PDF": "a PDF: export the table as CSV or text",
}
# Control characters that text has: tab, line feed, form feed, carriage return, and the old end of file.
_CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13, 26})


def read_text(path: Path) -> str:
    """The text of a file. Raises ReadError for a file that cannot be opened, is empty, is too large or is not text."""
    name = printable(path)
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise ReadError(f"{name}: has {size / 1e6:.0f} MB, too much for a flow curve: give its table alone")
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReadError(f"{name}: cannot be read ({reason}): check its name and its permissions") from None
    return decoded(data, name)


def decoded(data: bytes, name: str = "the table") -> str:
    """Bytes as text; ReadError, with the file's ``name``, for bytes that are not text."""
    for magic, what in _ALIEN.items():
        if data.startswith(magic):
            raise ReadError(f"{name}: is {what}")
    encoding = next((each for mark, each in _MARKS.items() if data.startswith(mark)), None) or _without_mark(data)
    if encoding is None:
        raise ReadError(f"{name}: is binary, not text: export the table as CSV or text")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        # Windows-1252 has no character for five bytes; Latin-1 has one for each.
        text = data.decode("cp1252", "replace") if encoding == "utf-8" else ""
    if not text.strip("\ufeff\x00\x1a \t\r\n"):
        raise ReadError(f"{name}: is empty: give a table of shear rates and stresses or viscosities")
    return text


def _without_mark(data: bytes) -> str | None:
    """The encoding of bytes without a mark; None for what is no text."""
    start = data[:_START]
    if b"\x00" in start:
        even, odd = start[::2].count(0), start[1::2].count(0)
        half = len(start) // 2
        if max(even, odd) > 0.5 * half and min(even, odd) < 0.05 * half:
            return "utf-16-le" if odd > even else "utf-16-be"
        return None
    controls = len(start) - len(start.translate(None, _CONTROLS))
    return None if controls > 0.01 * len(start) else "utf-8"


_COMMENT = re.compile(r"^\s*(?:#+|//+|%+(?=\s*[^\W\d])|!+|;;+)\s*")
# Thousands may be apart by commas before a point, by points before a comma, by apostrophes and by narrow or unbroken
# spaces.
_GROUPED = (
    r"\d{1,3}(?:,\d{3}){2,}(?:\.\d*)?|\d{1,3},\d{3}\.\d*|"
    r"\d{1,3}(?:\.\d{3})+,\d+|\d{1,3}(?:['’\u00a0\u202f\u2009 ]\d{3})+(?:[.,]\d*)?"
)
GAPS = re.compile("(?<=\\d)['’\u00a0\u202f\u2009 ](?=\\d{3})")
_NUMBER = rf"[+-]?(?:{_GROUPED}|\d+(?:[.,]\d*)?|[.,]\d+)(?:[eEdD][+-]?\d+)?"
NUMERIC = re.compile(rf"\s*{_NUMBER}\s*")
_SEPARATORS = ("\t", ";", "|", ",", " ")
# A longer line is not a row of a table, and a longer file not a flow curve.
_LONGEST, MOST = 20_000, 60_000
# Lines that tell how a table is separated.
_LOOKED_AT = 2000


class Row(NamedTuple):
    """A line of the file (counted from 1) as cells without the spaces around them."""

    line: int
    cells: list[str]

    @property
    def numbers(self) -> int:
        """How many cells are numbers."""
        return sum(1 for cell in self.cells if cell and NUMERIC.fullmatch(cell))


def rows(text: str, where: str) -> Iterator[Row]:
    """The lines of a text, separated by whatever separates most numbers; comment marks are taken off.

    Raises ReadError, with the name of the file, for more lines than flow curves have.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "").lstrip("\ufeff").split("\n")
    if len(lines) > MOST:
        raise ReadError(f"{where}: has {len(lines)} lines, too many for flow curves ({MOST}): give its table alone")
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
    counts = dict.fromkeys(_SEPARATORS, 0)
    for separator in _SEPARATORS:
        numbers = (Row(0, cells(line[:4000], separator)).numbers for line in shown[::step])
        counts[separator] = sum(count for count in numbers if count > 1)
    # Blanks may also stand between thousands.
    others = max(counts[each] for each in ("\t", ";", "|"))
    if others > 0.5 * counts[" "]:
        counts[" "] = 0
    if not any(counts.values()):
        counts = {each: sum(line.count(each) for line in shown[::step]) for each in _SEPARATORS[:-1]}
    return max(counts, key=lambda each: counts[each])


def cells(line: str, separator: str) -> list[str]:
    """A line's cells; quotes hold separators together."""
    if '"' in line and line.count('"') % 2 == 0:
        quoted = [each.strip() for each in next(csv.reader([line], delimiter=separator), [])]
        return quoted if separator != " " else [each for each in quoted if each]
    if separator == " ":
        return _of_blanks(line)
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
    """The number of a cell, with a point or a comma; NaN for other texts."""
    try:
        return float(text)
    except ValueError:
        pass
    if not NUMERIC.fullmatch(text):
        return math.nan
    text = GAPS.sub("", text).replace("d", "e").replace("D", "e")
    if text.count(",") == 1 and 0 <= text.find(".") < text.find(","):
        text = text.replace(".", "")
    return float(text.replace(",", "") if text.count(",") > 1 or "." in text else text.replace(",", "."))
