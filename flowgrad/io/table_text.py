"""Numbers in columns, as text: the lines of a file, their delimiter and decimal sign, the rows as one array."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.typing import FloatArray

# A table begins within so many lines.
_HEAD = 2000
# Fewer numbers in a row are no positions with velocities.
LEAST = 4
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
_DECIMAL_COMMA = re.compile(r"[+-]?\d*(,\d*)?([eE][+-]?\d+)?$")
_TRUTH = {"true": 1.0, "false": 0.0}
_ROW = re.compile(r"\bat row (\d+)")


def lines_of(path: Path) -> list[str]:
    """The lines of a text file in UTF-8, UTF-16 (with its mark) or Latin-1; ReadError for other files."""
    data = path.read_bytes()
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if data.startswith(mark)), "utf-8")
    if encoding != "utf-16" and b"\0" in data:
        raise ReadError("is no text (it has a byte 0): give the file that the program writes as text")
    try:
        return data.decode(encoding).splitlines()
    except UnicodeDecodeError:
        if encoding == "utf-16":
            raise ReadError("begins as UTF-16 and is not: write it as UTF-8") from None
        return data.decode("latin-1").splitlines()


def first_row(lines: Sequence[str]) -> int:
    """The number of the first line with four numbers or more; ReadError where there is none."""
    for number, line in enumerate(lines[:_HEAD]):
        if _is_row(split(line, delimiter_of(line))):
            return number
    raise ReadError(f"has no row of {LEAST} numbers or more (x, y, u, v): this is no table of velocities")


def _is_row(fields: Sequence[str]) -> bool:
    """Whether nearly all fields are numbers: some may be empty, and two are text, as the name of a block."""
    numbers, empty = sum(map(is_number, fields)), sum(not field for field in fields)
    return numbers >= 2 and numbers + empty >= max(LEAST, len(fields) - 2)


def delimiter_of(row: str) -> str | None:
    """``;``, tab or comma; None for spaces. Commas between spaces are decimal signs."""
    for sign in ";\t":
        if sign in row:
            return sign
    words = row.split()
    is_decimal = len(words) >= LEAST and all(_DECIMAL_COMMA.match(word) for word in words)
    return "," if "," in row and not is_decimal else None


def split(line: str, delimiter: str | None) -> list[str]:
    """The fields of a line; between spaces a unit in brackets belongs to the name before it."""
    line = line.strip("\r\n ")
    if delimiter is None:
        return re.findall(r'"[^"]*"|[^\s"]+(?:\s+(?:\[[^\]]*\]|\([^)]*\)))?', line)
    try:
        return [field.strip() for field in next(csv.reader([line], delimiter=delimiter), [])]
    except csv.Error as error:
        raise ReadError(f"has a line of {len(line)} characters that is no row ({error}): the file is damaged") from None


def is_number(field: str) -> bool:
    """Whether a field is a number, with point or comma, or says true or false."""
    text = field.strip().strip('"').lower()
    try:
        float(text.replace(",", ".") if text.count(",") == 1 and "." not in text else text)
    except ValueError:
        return text in _TRUTH
    return "_" not in text


def rows_of(
    lines: Sequence[str], start: int, delimiter: str | None, columns: Sequence[int] | None = None
) -> FloatArray:
    """The numbers (n, k) of all columns, or some, of the lines from ``start`` on; empty fields are NaN.

    ReadError names the line that is no such row.
    """
    table = [line for line in lines[start:] if line.strip()]
    if delimiter != "," and not any("." in line for line in table) and any("," in line for line in table):
        table = [line.replace(",", ".") for line in table]
    if columns is not None and delimiter is not None:
        _check_alike(lines, start, delimiter)
    try:
        return _loaded(table, delimiter, columns)
    except ValueError as error:
        reason = str(error)
    if delimiter is not None:
        table = [_filled(line, delimiter) for line in table]
    try:
        return _loaded(table, delimiter, columns)
    except ValueError as error:
        reason = str(error)
    raise ReadError(f"{_said(reason, lines, start)}: every row must have as many numbers")


def _check_alike(lines: Sequence[str], start: int, delimiter: str) -> None:
    """ReadError for a line with more fields than the first: NumPy looks at the columns asked for only."""
    due = lines[start].count(delimiter)
    for number, line in enumerate(lines[start:], start + 1):
        if line.count(delimiter) > due and '"' not in line:
            raise ReadError(
                f"line {number} is no row of the table ({line.count(delimiter) + 1} fields instead of {due + 1}): "
                "every row must have as many numbers"
            )


def _loaded(table: Sequence[str], delimiter: str | None, columns: Sequence[int] | None) -> FloatArray:
    return np.loadtxt(table, np.float64, comments=None, delimiter=delimiter, usecols=columns, ndmin=2, quotechar='"')


def _filled(line: str, delimiter: str) -> str:
    fields = [field.strip().strip('"') for field in line.rstrip("\r\n").split(delimiter)]
    return delimiter.join(str(_TRUTH.get(field.lower(), field)) if field else "nan" for field in fields)


def _said(reason: str, lines: Sequence[str], start: int) -> str:
    """What NumPy says, with the line of the file instead of its row."""
    match = _ROW.search(reason)
    reason = re.sub(r"[;:] use `usecols`.*", "", reason)
    if not match:
        return reason
    # It counts from 0 where a number is wrong and from 1 where one is missing.
    row = int(match[1]) - (1 if "number of columns" in reason or "invalid column" in reason else 0)
    filled = [number for number, line in enumerate(lines[start:], start + 1) if line.strip()]
    line = filled[min(max(row, 0), len(filled) - 1)]
    return f"line {line} is no row of the table ({_ROW.sub('there', reason).rstrip('.')})"
