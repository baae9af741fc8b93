"""Tables of positions and velocities as text: CSV, and the files of programs for particle image velocimetry.

Forms of the head: one line of names (generic, PIVlab, OpenPIV, ParaView, Fluent, CFD-Post, STAR-CCM+, COMSOL);
``VARIABLES=`` and ``ZONE`` of Tecplot, as TSI's Insight writes them; DaVis' ``#DaVis``.
"""

from __future__ import annotations

import csv
import dataclasses
import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.formats import Arrays, Step, listed, naming, register_format, whole
from flowgrad.io.point_samples import DAVIS, contents_of, coordinate_names, grouped, name_and_unit, position_unit
from flowgrad.io.table_times import steps_of_rows
from flowgrad.io.tecplot import element_steps
from flowgrad.typing import FloatArray

log = logging.getLogger("flowgrad")

# A table begins within so many lines.
_HEAD = 2000
# Fewer numbers in a row are no positions with velocities.
LEAST = 4
_BYTE_ORDER_MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"\xef\xbb\xbf": "utf-8-sig"}
_DECIMAL_COMMA = re.compile(r"[+-]?\d*(,\d*)?([eE][+-]?\d+)?$")
_TRUTH = {"true": 1.0, "false": 0.0}
_ROW = re.compile(r"\bat row (\d+)")

_BARE = {4: ["x", "y", "u", "v"], 6: ["x", "y", "z", "u", "v", "w"]}
_DAVIS = re.compile(r"#DaVis\s+\S+\s+(?P<kind>\S+-vector)\s+\d+\s+(?P<rows>\d+)\s+(?P<columns>\d+)(?P<axes>.*)")
_QUOTED = re.compile(r'"([^"]*)"')
_VARIABLES = re.compile(
    r"\bVARIABLES\s*=\s*(?P<names>.*?)(?=\b(?:ZONE|DATASETAUXDATA|AUXDATA|FILETYPE|$))", re.S | re.I
)
_ZONE = re.compile(r"\bZONE\b(?P<about>.*)", re.S | re.I)
_SIZE = re.compile(r"\b([IJK])\s*=\s*(\d+)", re.I)
_ELEMENTS = re.compile(r"\b(?:N|NODES|E|ELEMENTS)\s*=\s*\d+", re.I)
_TIME = re.compile(r"\bSOLUTIONTIME\s*=\s*([-+.\dEe]+)", re.I)
# Before the names, signs of a comment.
_COMMENT = "#%/!* \t"


def lines_of(path: Path) -> list[str]:
    """The lines of a text file in UTF-8, UTF-16 (with its mark) or Latin-1; ReadError for other files."""
    data = path.read_bytes()
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if data.startswith(mark)), "utf-8")
    if encoding != "utf-16" and b"\0" in data:
        raise ReadError("is not text (it has a byte 0): give the file that the program writes as text")
    try:
        return data.decode(encoding).splitlines()
    except UnicodeDecodeError:
        if encoding == "utf-16":
            raise ReadError("begins as UTF-16 and is not: write it as UTF-8") from None
        return data.decode("latin-1").splitlines()


def first_row(lines: Sequence[str]) -> int:
    """The number of the first line with four numbers or more; ReadError where there is none."""
    for number, line in enumerate(lines[:_HEAD]):
        fields = split(line, delimiter_of(line))
        numbers, empty = sum(map(is_number, fields)), sum(not each for each in fields)
        # Some fields may be empty, and two are text, as the name of a block.
        if numbers >= 2 and numbers + empty >= max(LEAST, len(fields) - 2):
            return number
    raise ReadError(f"has no row of {LEAST} numbers or more (x, y, u, v): this is not a table of velocities")


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
        raise ReadError(
            f"has a line of {len(line)} characters that is not a row ({error}): the file is damaged"
        ) from None


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
    load = partial(np.loadtxt, dtype=np.float64, comments=None, delimiter=delimiter, usecols=columns, ndmin=2)
    try:
        return load(table, quotechar='"')
    except ValueError as error:
        reason = str(error)
    if delimiter is not None:
        filled = []
        for line in table:
            fields = [field.strip().strip('"') for field in line.rstrip("\r\n").split(delimiter)]
            filled.append(delimiter.join(str(_TRUTH.get(each.lower(), each)) if each else "nan" for each in fields))
        table = filled
    try:
        return load(table, quotechar='"')
    except ValueError as error:
        reason = str(error)
    raise ReadError(f"{_said(reason, lines, start)}: every row must have as many numbers")


def _check_alike(lines: Sequence[str], start: int, delimiter: str) -> None:
    """ReadError for a line with more fields than the first: NumPy looks at the columns asked for only."""
    due = lines[start].count(delimiter)
    for number, line in enumerate(lines[start:], start + 1):
        if line.count(delimiter) > due and '"' not in line:
            raise ReadError(
                f"line {number} is not a row of the table ({line.count(delimiter) + 1} fields instead of {due + 1}): "
                "every row must have as many numbers"
            )


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
    return f"line {line} is not a row of the table ({_ROW.sub('there', reason).rstrip('.')})"


@dataclass(frozen=True)
class Head:
    """Names of the columns, units by name, size of the grid where it is told, whether each column stands in one
    block, the time, whether DaVis wrote it, and how many vectors a plane has."""

    names: Sequence[str]
    units: dict[str, str] = field(default_factory=dict)
    shape: tuple[int, int, int] | None = None
    is_blocked: bool = False
    time: float | None = None
    is_davis: bool = False
    plane: int = 1


def head_of(lines: Sequence[str], row: Sequence[str], delimiter: str | None) -> Head:
    """The head in the ``lines`` above the first ``row`` of a table; ReadError where it does not tell the columns."""
    text = "\n".join(lines)
    if _VARIABLES.search(text):
        return _tecplot(text)
    match = _DAVIS.match(lines[0]) if lines else None
    if match:
        return _davis(match, len(row))
    if lines and lines[0].startswith("#DaVis"):
        raise ReadError(f"has a header of DaVis' that is not one of vectors ({lines[0][:60]!a}): export it again")
    return _named(lines, row, delimiter)


def _tecplot(text: str) -> Head:
    match, zones = _VARIABLES.search(text), re.findall(r"\bZONE\b", text, re.I)
    assert match is not None
    if len(zones) > 1:
        raise ReadError(f"has {len(zones)} zones: write each to a file of its own")
    texts = _QUOTED.findall(match["names"]) or re.split(r"[\s,]+", match["names"].strip().strip(","))
    about = re.sub(r'"[^"]*"', "", _ZONE.search(text)["about"]) if zones else ""  # type: ignore[index]
    if re.search(r"CELLCENTERED", about, re.I):
        raise ReadError("has values at the cells of a zone: write them at the points")
    sizes = {name.upper(): whole(size) for name, size in _SIZE.findall(about)}
    names, units = _split_units(texts)
    return Head(
        names,
        units,
        (sizes["I"], sizes.get("J", 1), sizes.get("K", 1)) if "I" in sizes else None,
        bool(re.search(r"\b(?:DATAPACKING|F)\s*=\s*BLOCK", about, re.I)),
        _time(about),
    )


def _time(about: str) -> float | None:
    found = _TIME.search(about)
    if found is not None and not is_number(found[1]):
        raise ReadError(f"has the time '{found[1][:40]}', which is not a number: write it again")
    return None if found is None else float(found[1])


def _davis(match: re.Match[str], count: int) -> Head:
    quoted = _QUOTED.findall(match["axes"])
    if count not in _BARE:
        raise ReadError(f"has {count} columns below DaVis' header: export x, y, u, v, or x, y, z, u, v, w")
    names = _BARE[count]
    units = quoted[1::2]
    velocity = dict.fromkeys(names[len(names) // 2 :], units[-1]) if units else {}
    plane = whole(match["rows"]) * whole(match["columns"])
    return Head(names, {"x": units[0], **velocity} if units else {}, is_davis=True, plane=plane)


def _named(lines: Sequence[str], row: Sequence[str], delimiter: str | None) -> Head:
    """The last line above the rows as names, or the columns x, y, u, v where nothing is said of them."""
    filled = [line for line in lines if line.strip()]
    last = filled[-1].strip().lstrip(_COMMENT) if filled else ""
    # Rows may end with a delimiter.
    counts = (len(row), len(row) - 1) if row[-1] == "" else (len(row),)
    for sign in dict.fromkeys((delimiter, "\t", ",", ";", None)):
        texts = split(last, sign)
        if len(texts) in counts and len(texts) > 2 and 0 < sum(map(is_number, texts)) < len(texts) / 2:
            raise ReadError(f"has numbers among the names of its columns, {listed(texts)}: name each")
        if len(texts) in counts and any(texts) and not any(map(is_number, texts)):
            names, units = _split_units(texts)
            if coordinate_names(names):
                return Head(names, units)
            raise ReadError(f"has no columns of positions among {listed(names)}: name them x, y and, in space, z")
    said = _split_units(split(last, delimiter))[0] if filled else []
    if coordinate_names(said) or any(name.lower() in _BARE[6] for name in said):
        raise ReadError(f"names {len(said)} columns above rows of {len(row)} numbers: name each")
    if len(row) not in _BARE:
        raise ReadError(f"has rows of {len(row)} numbers and no line of names above: write one, such as x,y,u,v,flags")
    return Head(_BARE[len(row)])


def _split_units(texts: Sequence[str]) -> tuple[list[str], dict[str, str]]:
    pairs = [name_and_unit(text) for text in texts]
    names = [name for name, _ in pairs]
    twice = sorted(name for name, count in Counter(names).items() if name and count > 1)
    if twice:
        raise ReadError(f"has {names.count(twice[0])} columns named '{twice[0]}': rename them")
    return names, {name: unit for name, unit in pairs if unit}


def table_steps(path: Path) -> Sequence[Step]:
    """Positions, velocity and every other column of numbers; a lattice where the positions are one; a step for each
    time where a column tells several.

    Columns are told apart by tabs, semicolons, commas or spaces; numbers may have decimal commas. Raises ReadError
    where the columns of the positions are not known, and for rows that are not alike.
    """
    with naming(path):
        lines = lines_of(path)
        start = first_row(lines)
        delimiter = delimiter_of(lines[start])
        row = split(lines[start], delimiter)
        head = head_of(lines[:start], row, delimiter)
        columns = _columns(path, head, lines, start, delimiter, row)
        if head.shape is None and head.plane == 1:
            _tell_open_end(path)
        return _steps(path, head, columns)


def _tell_open_end(path: Path) -> None:
    """A warning where the last row has no line break: a number in it may be cut."""
    with path.open("rb") as file:
        file.seek(-1, 2)
        if file.read(1) not in b"\n\r\x1a\0":
            log.warning("%s: its last row has no line break: if the file was cut off there, that row is wrong", path)


def dat_steps(path: Path) -> Sequence[Step]:
    """A file in Tecplot's form: a table where its zone is a grid; zones of elements: :mod:`flowgrad.io.tecplot`."""
    with path.open("rb") as file:
        beginning = file.read(1 << 16)
    zone = _ZONE.search(beginning.decode("latin-1"))
    if zone is not None and _ELEMENTS.search(zone["about"].split("\n\n")[0]):
        with naming(path):
            lines = lines_of(path)
        return element_steps(path, lines)
    return table_steps(path)


def _columns(
    path: Path, head: Head, lines: Sequence[str], start: int, delimiter: str | None, row: Sequence[str]
) -> Arrays:
    if head.is_blocked:
        return _blocks(head, lines, start)
    ends_empty = len(head.names) == len(row) - 1 and row[-1] == ""
    if len(head.names) != len(row) and not ends_empty:
        raise ReadError(f"names {len(head.names)} columns above rows of {len(row)} numbers: name each")
    names = [*head.names, ""] if ends_empty else list(head.names)
    nameless = [i for i, name in enumerate(names) if not name and row[i]]
    if nameless:
        raise ReadError(f"has no name for its column {nameless[0] + 1}: name each")
    chosen = [i for i, each in enumerate(row) if names[i] and (is_number(each) or not each)]
    texts = [name for i, name in enumerate(names) if name and i not in chosen]
    if texts:
        second = next((split(line, delimiter) for line in lines[start + 1 :] if line.strip()), [])
        for name, text in zip(names, second, strict=False):
            if name in texts and is_number(text):
                raise ReadError(
                    f"has text in the first row of '{name}' and numbers below: leave it empty, or write nan"
                )
        log.info("%s: the columns %s are text and are left out", path, ", ".join(f"'{name}'" for name in texts))
    values = rows_of(lines, start, delimiter, None if len(chosen) == len(row) else chosen)
    return {names[i]: np.ascontiguousarray(column) for i, column in zip(chosen, values.T, strict=True)}


def _blocks(head: Head, lines: Sequence[str], start: int) -> Arrays:
    """Columns that stand one after the other, with any number of values a line."""
    words = " ".join(lines[start:]).replace(",", " ").split()
    if len(words) % len(head.names):
        raise ReadError(f"has {len(words)} numbers for {len(head.names)} variables: the file is damaged")
    try:
        values = np.array(words, np.float64).reshape(len(head.names), -1)
    except ValueError as error:
        raise ReadError(f"has a block that is not of numbers ({error}): the file is damaged") from None
    return dict(zip(head.names, values, strict=True))


def _steps(path: Path, head: Head, columns: Arrays) -> Sequence[Step]:
    names = coordinate_names(list(columns))
    if not names:
        raise ReadError(f"has no columns of positions among {listed(columns)}: name them x, y and, in space, z")
    count = len(columns[names[0]])
    if head.shape is not None and int(np.prod(head.shape)) != count:
        raise ReadError(f"declares {head.shape} points but has {count}: the file is cut off")
    if not head.plane or count % head.plane:
        raise ReadError(f"declares {head.plane} vectors in a plane but has {count}: the file is cut off")
    points = np.zeros((count, 3))
    for axis, name in enumerate(names):
        points[:, axis] = columns[name]
    unit = position_unit(names[0], head.units.get(names[0], ""))
    units = {**head.units, **({"x": unit} if unit else {})}
    data = grouped({name: values for name, values in columns.items() if name not in names})
    several = steps_of_rows(path, points, data, units) if head.shape is None else None
    if several is not None:
        return several
    contents = contents_of(path, points, data, head.shape, units, head.time)
    if head.is_davis:
        contents = dataclasses.replace(contents, producer=DAVIS)
    return (Step(path, head.time, lambda: contents),)


_KEEPS = "points or a grid, point data, masks, times of a column"
register_format((".csv", ".tsv", ".txt", ".vec", ".v3d"), steps=table_steps, keeps=_KEEPS)
register_format((".dat", ".tec", ".plt"), steps=dat_steps, keeps=_KEEPS)
