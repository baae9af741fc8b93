"""Tables of positions and velocities: CSV, and the text files of programs for particle image velocimetry."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.columns import coordinate_names, grouped
from flowgrad.io.contents import Arrays, Contents
from flowgrad.io.counts import listed
from flowgrad.io.naming import naming
from flowgrad.io.samples import contents_of
from flowgrad.io.table_head import Head, head_of, is_of_elements
from flowgrad.io.table_text import delimiter_of, first_row, is_number, lines_of, rows_of, split

log = logging.getLogger("flowgrad")


def read_table(path: Path) -> Contents:
    """Positions, velocity and every other column of numbers; a lattice where the positions are one.

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
        return _contents(path, head, columns)


def read_dat(path: Path) -> Contents:
    """A file in Tecplot's form: a table where its zone is a grid, through meshio where it is of elements."""
    with path.open("rb") as file:
        beginning = file.read(1 << 16)
    if is_of_elements(beginning.decode("latin-1")):
        from flowgrad.io.meshio_guard import read_with_meshio

        return read_with_meshio(path)
    return read_table(path)


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
        _check_texts(texts, names, lines[start + 1 :], delimiter)
        log.info("%s: the columns %s are text and are left out", path, ", ".join(f"'{name}'" for name in texts))
    values = rows_of(lines, start, delimiter, None if len(chosen) == len(row) else chosen)
    return {names[i]: np.ascontiguousarray(column) for i, column in zip(chosen, values.T, strict=True)}


def _check_texts(texts: Sequence[str], names: Sequence[str], below: Sequence[str], delimiter: str | None) -> None:
    """ReadError for a column that is text in its first row alone."""
    second = next((split(line, delimiter) for line in below if line.strip()), [])
    for name, field in zip(names, second, strict=False):
        if name in texts and is_number(field):
            raise ReadError(f"has text in the first row of '{name}' and numbers below: leave it empty, or write nan")


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


def _contents(path: Path, head: Head, columns: Arrays) -> Contents:
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
    if head.has_zeros:
        _tell_zeros(path, columns)
    units = {**head.units, **({"x": head.units[names[0]]} if names[0] in head.units else {})}
    data = grouped({name: values for name, values in columns.items() if name not in names})
    return contents_of(path, points, data, head.shape, units, head.time)


def _tell_zeros(path: Path, columns: Arrays) -> None:
    zeros = int(np.all([columns[name] == 0 for name in "uvw" if name in columns], axis=0).sum())
    if zeros:
        log.warning(
            "%s: %d vectors are exactly zero, which is how DaVis writes masked ones; the file does not say so, and "
            "they are taken as measured: export a table with the column 'isValid' to leave them out",
            path,
            zeros,
        )
