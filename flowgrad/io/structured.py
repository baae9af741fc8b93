"""Structured data sets of VTK-XML, in one file or in several: pieces with extents become one lattice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.contents import Arrays, Contents
from flowgrad.io.extents import Extent
from flowgrad.io.ghosts import copies
from flowgrad.io.naming import naming
from flowgrad.io.references import check_declared, different, referred
from flowgrad.io.vtkxml import Document, open_document
from flowgrad.io.vtu import file_data
from flowgrad.mesh import Lattice

# Points along an axis of a data set without any array.
_LONGEST = 1 << 20


@dataclass(frozen=True, eq=False)
class Part:
    """One piece: its data set's element, its extent, its arrays, and the positions that it gives, named by
    the kind of data set."""

    grid: ET.Element
    extent: Extent
    point_data: Arrays
    cell_data: Arrays
    positions: Arrays = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """A structured data set: VTK's name of it, the positions of a piece, and the lattice of them all."""

    name: str
    positions: Callable[[Document, ET.Element, Extent], Arrays]
    lattice: Callable[[ET.Element, Extent, Sequence[Part]], Lattice]


def read_structured(path: Path, kind: Kind) -> Contents:
    """Everything in a structured data set of one file, its pieces put together."""
    with open_document(path, kind.name) as document:
        return _contents(document, kind, list(_parts(document, kind)))


def read_parallel(path: Path, kind: Kind) -> Contents:
    """Everything in the files that a parallel structured data set (.pvti, .pvtr, .pvts) names."""
    with open_document(path, f"P{kind.name}") as document:
        parts: list[Part] = []
        files = [referred(path, piece.get("Source", "")) for piece in document.pieces()]
        for file in different(path, files):
            with open_document(file, kind.name) as part:
                parts += _parts(part, kind)
        contents = _contents(document, kind, parts)
        check_declared(document, contents)
        return contents


def _parts(document: Document, kind: Kind) -> Iterator[Part]:
    for piece in document.pieces():
        with naming(document.path):
            extent = Extent.parse(piece.get("Extent", ""))
        if not extent.is_empty:
            yield Part(
                document.grid,
                extent,
                document.section(piece, "PointData", extent.point_count),
                document.section(piece, "CellData", extent.cell_count),
                kind.positions(document, piece, extent),
            )


def _contents(document: Document, kind: Kind, parts: list[Part]) -> Contents:
    common = file_data(document)
    with naming(document.path):
        whole = Extent.parse(document.grid.get("WholeExtent", ""))
        for part in parts:
            part.extent.check_inside(whole)
        _check_filled(parts, whole)
        _check_size(parts, whole)
        lattice = kind.lattice(document.grid, whole, parts)
        return Contents(
            lattice,
            document.path,
            together([part.point_data for part in parts], parts, whole, of_cells=False),
            together([part.cell_data for part in parts], parts, whole, of_cells=True),
            common.field_data,
            common.time,
            common.producer,
        )


def _check_filled(parts: Sequence[Part], whole: Extent) -> None:
    """ReadError for points or cells of the whole that no piece has."""
    if not parts:
        raise ReadError(f"has no points in the extent {whole}: write it again")
    if len(parts) == 1 and parts[0].extent == whole:
        return
    # Sizes first, which a damaged extent makes enormous.
    given = sum(part.extent.point_count for part in parts)
    if given < whole.point_count:
        raise ReadError(f"has {given} points in its pieces for {whole.point_count} of the extent {whole}: pieces lack")
    for what, of_cells, shape in (("points", False, whole.shape), ("cells", True, whole.cell_shape)):
        filled = np.zeros(shape[::-1], bool)
        for part in parts:
            filled[part.extent.within(whole, of_cells)] = True
        if not filled.all():
            raise ReadError(f"lacks {filled.size - filled.sum()} of {filled.size} {what}: give all of its pieces")


def _check_size(parts: Sequence[Part], whole: Extent) -> None:
    """ReadError for axes whose lengths no array of the file bears out."""
    if max(whole.shape) > _LONGEST and not any(part.point_data or part.cell_data for part in parts):
        raise ReadError(f"has the extent {whole} and no array, so that the extent cannot be right: check it")


def together(data: Sequence[Arrays], parts: Sequence[Part], whole: Extent, of_cells: bool) -> Arrays:
    """Arrays of the whole from those of its pieces; where pieces overlap the owner's values count, and the
    last piece's where there are several."""
    if len(parts) == 1 and parts[0].extent == whole:
        return data[0]
    names = list(dict.fromkeys(name for arrays in data for name in arrays))
    for name in names:
        missing = [number for number, arrays in enumerate(data) if name not in arrays]
        if missing:
            raise ReadError(f"piece {missing[0]} of {len(parts)} lacks the array '{name}': write it in all pieces")
    order = _owners_last(data, parts, whole, of_cells)
    return {name: _filled([arrays[name] for arrays in data], order, whole, name, of_cells) for name in names}


Places = list[tuple[int, tuple[slice, slice, slice], np.ndarray]]


def _owners_last(data: Sequence[Arrays], parts: Sequence[Part], whole: Extent, of_cells: bool) -> Places:
    """The pieces' places and the entries that are put there: first the copies of what others own."""
    first: Places = []
    last: Places = []
    for number, (arrays, part) in enumerate(zip(data, parts, strict=True)):
        shape = part.extent.cell_shape if of_cells else part.extent.shape
        where = part.extent.within(whole, of_cells)
        copied = copies(arrays, int(np.prod(shape))).reshape(shape[::-1])
        if copied.any():
            first.append((number, where, copied))
        last.append((number, where, ~copied))
    return first + last


def _filled(arrays: list[np.ndarray], places: Places, whole: Extent, name: str, of_cells: bool) -> np.ndarray:
    tails = {array.shape[1:] for array in arrays}
    if len(tails) > 1:
        counts = " and ".join(str(int(np.prod(tail))) for tail in sorted(tails))
        raise ReadError(f"'{name}' has {counts} components in different pieces: write it alike")
    shape = (whole.cell_shape if of_cells else whole.shape)[::-1]
    result = np.empty(shape + arrays[0].shape[1:], np.result_type(*arrays))
    for number, where, chosen in places:
        values = arrays[number].reshape(chosen.shape + arrays[number].shape[1:])
        if chosen.all():
            result[where] = values
        else:
            result[where][chosen] = values[chosen]
    return result.reshape(-1, *arrays[0].shape[1:])
