"""Structured data sets of VTK XML, in one file or in several: images (.vti), rectilinear (.vtr) and curvilinear (.vts)
grids, whose pieces with extents become one lattice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.formats import Arrays, Contents, naming, register_format
from flowgrad.io.ghosts import copies
from flowgrad.io.references import PIECES, check_declared, piece_files
from flowgrad.io.vtk_xml.blocks import LZ4
from flowgrad.io.vtk_xml.document import Document, file_data, open_document
from flowgrad.mesh import Lattice

Shape = tuple[int, int, int]
Ranges = tuple[slice, slice, slice]

# Points along an axis of a data set without any array.
_LONGEST = 1 << 20
Places = list[tuple[int, tuple[slice, slice, slice], np.ndarray]]
_STRAIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)


@dataclass(frozen=True)
class Extent:
    """The first and the last point number along each axis."""

    low: Shape
    high: Shape

    @classmethod
    def parse(cls, text: str) -> Extent:
        """From VTK's six numbers ``i0 i1 j0 j1 k0 k1``; ReadError for anything else."""
        try:
            i0, i1, j0, j1, k0, k1 = map(int, text.split())
        except ValueError:
            raise ReadError(f"has the extent '{text[:60]}' instead of six numbers: the file is damaged") from None
        if max(map(abs, (i0, i1, j0, j1, k0, k1))) > np.iinfo(np.int32).max:
            raise ReadError(f"has the extent '{text[:60]}', beyond 32 bits: the file is damaged")
        return cls((i0, j0, k0), (i1, j1, k1))

    @property
    def shape(self) -> Shape:
        """Number of points along each axis (nx, ny, nz)."""
        nx, ny, nz = (max(high - low + 1, 0) for low, high in zip(self.low, self.high, strict=True))
        return nx, ny, nz

    @property
    def cell_shape(self) -> Shape:
        """Number of cells along each axis: 1 where there is one point."""
        nx, ny, nz = (n - 1 if n > 1 else n for n in self.shape)
        return nx, ny, nz

    def check_inside(self, whole: Extent) -> None:
        """ReadError for a piece that leaves the whole, or is flat along an axis along which the whole is not."""
        pairs = zip(self.low, self.high, whole.low, whole.high, strict=True)
        if any(low < first or high > last or (low == high and first < last) for low, high, first, last in pairs):
            raise ReadError(
                f"has a piece of the extent {self} in a whole of {whole}, which it leaves or of which it is a flat "
                "part: the file is damaged"
            )

    def within(self, whole: Extent, of_cells: bool) -> Ranges:
        """Where this piece's points or cells stand in arrays indexed [k, j, i] of the whole."""
        sizes = self.cell_shape if of_cells else self.shape
        starts = (low - first for low, first in zip(self.low, whole.low, strict=True))
        i, j, k = (slice(start, start + size) for start, size in zip(starts, sizes, strict=True))
        return k, j, i

    def __str__(self) -> str:
        return " ".join(f"{low} {high}" for low, high in zip(self.low, self.high, strict=True))


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
class StructuredData:
    """A kind of structured data set: VTK's name of it, the positions of a piece, and the lattice of them all.

    Its readers raise ReadError for a file that is damaged or contradicts itself, for points or cells in no piece, and
    for axes that make no lattice.
    """

    name: str
    positions: Callable[[Document, ET.Element, Extent], Arrays]
    lattice: Callable[[ET.Element, Extent, Sequence[Part]], Lattice]

    def read(self, path: Path) -> Contents:
        """Everything in a file (.vti, .vtr, .vts), its pieces put together."""
        with open_document(path, self.name) as document:
            return _contents(document, self, list(_parts(document, self)))

    def read_parallel(self, path: Path) -> Contents:
        """Everything in the files that a parallel one (.pvti, .pvtr, .pvts) names."""
        with open_document(path, f"P{self.name}") as document:
            parts: list[Part] = []
            for file in piece_files(document):
                with open_document(file, self.name) as part:
                    parts += _parts(part, self)
            contents = _contents(document, self, parts)
            check_declared(document, contents)
            return contents


def _parts(document: Document, kind: StructuredData) -> Iterator[Part]:
    for piece in document.pieces():
        with naming(document.path):
            extent = Extent.parse(piece.get("Extent", ""))
        if 0 not in extent.shape:
            yield Part(
                document.grid,
                extent,
                document.section(piece, "PointData", math.prod(extent.shape)),
                document.section(piece, "CellData", math.prod(extent.cell_shape)),
                kind.positions(document, piece, extent),
            )


def _contents(document: Document, kind: StructuredData, parts: list[Part]) -> Contents:
    common = file_data(document)
    with naming(document.path):
        whole = Extent.parse(document.grid.get("WholeExtent", ""))
        for part in parts:
            part.extent.check_inside(whole)
        _check_filled(parts, whole)
        if max(whole.shape) > _LONGEST and not any(part.point_data or part.cell_data for part in parts):
            raise ReadError(f"has the extent {whole} and no array, so that the extent cannot be right: check it")
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
    given, due = sum(math.prod(part.extent.shape) for part in parts), math.prod(whole.shape)
    if given < due:
        raise ReadError(f"has {given} points in its pieces for {due} of the extent {whole}: give all of its pieces")
    for what, of_cells, shape in (("points", False, whole.shape), ("cells", True, whole.cell_shape)):
        filled = np.zeros(shape[::-1], bool)
        for part in parts:
            filled[part.extent.within(whole, of_cells)] = True
        if not filled.all():
            raise ReadError(f"lacks {filled.size - filled.sum()} of {filled.size} {what}: give all of its pieces")


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


def image_lattice(grid: ET.Element, whole: Extent, parts: Sequence[Part] = ()) -> Lattice:
    """The lattice of an image's attributes; a spacing below zero turns its axis round."""
    origin = _floats(grid, parts, "Origin", (0.0, 0.0, 0.0))
    spacing = _floats(grid, parts, "Spacing", (1.0, 1.0, 1.0))
    # Columns of VTK's Direction are the axes.
    axes = _floats(grid, parts, "Direction", _STRAIGHT).reshape(3, 3).T
    origin = origin + (spacing * whole.low) @ axes
    lengths = np.where((np.array(whole.shape) == 1) & (spacing == 0), 1.0, np.abs(spacing))
    directions = axes * np.where(spacing < 0, -1.0, 1.0)[:, None]
    return Lattice.uniform(whole.shape, lengths.tolist(), origin.tolist(), directions)


def _floats(grid: ET.Element, parts: Sequence[Part], name: str, default: Sequence[float]) -> np.ndarray:
    """An attribute of the data set, or of all its pieces: VTK writes no Direction into parallel files."""
    texts = {text for element in (grid, *(part.grid for part in parts)) if (text := element.get(name)) is not None}
    found = [_parsed(text, name, len(default)) for text in sorted(texts)]
    if any((each != found[0]).any() for each in found):
        raise ReadError(f"has pieces of different {name} ({' and '.join(sorted(texts))}): write it again")
    return found[0] if found else np.array(default)


def _parsed(text: str, name: str, count: int) -> np.ndarray:
    try:
        values = np.array([float(each) for each in text.split()])
    except ValueError:
        values = np.empty(0)
    if len(values) != count or not np.isfinite(values).all():
        raise ReadError(f"{name} is '{text[:80]}' instead of {count} numbers: the file is damaged")
    return values


def _rectilinear(grid: ET.Element, whole: Extent, parts: Sequence[Part]) -> Lattice:
    axes = []
    for axis, name in enumerate("xyz"):
        coordinates = np.empty(whole.shape[axis])
        for part in parts:
            start = part.extent.low[axis] - whole.low[axis]
            coordinates[start : start + part.extent.shape[axis]] = part.positions[name]
        for part in parts:
            start = part.extent.low[axis] - whole.low[axis]
            if not np.array_equal(coordinates[start : start + part.extent.shape[axis]], part.positions[name]):
                raise ReadError(f"has pieces with different coordinates along {name}: write it again")
        axes.append(coordinates)
    return Lattice.rectilinear(axes[0], axes[1], axes[2])


def _curvilinear(grid: ET.Element, whole: Extent, parts: Sequence[Part]) -> Lattice:
    points = together([part.positions for part in parts], parts, whole, of_cells=False)["points"]
    return Lattice.curvilinear(points.reshape(*whole.shape[::-1], 3).transpose(2, 1, 0, 3))


IMAGE = StructuredData("ImageData", lambda document, piece, extent: {}, image_lattice)
RECTILINEAR = StructuredData(
    "RectilinearGrid",
    lambda document, piece, extent: dict(zip("xyz", document.coordinates(piece, extent.shape), strict=True)),
    _rectilinear,
)
CURVILINEAR = StructuredData(
    "StructuredGrid",
    lambda document, piece, extent: {"points": document.points(piece, math.prod(extent.shape))},
    _curvilinear,
)

for _suffix, _kind in (("vti", IMAGE), ("vtr", RECTILINEAR), ("vts", CURVILINEAR)):
    _keeps = "a grid, point data, cell data, field data, time, blanking"
    register_format((f".{_suffix}",), reader=_kind.read, keeps=_keeps, needs=LZ4, needs_for="LZ4")
    register_format((f".p{_suffix}",), reader=_kind.read_parallel, keeps=PIECES, refers=True)
