"""Slabs of a lattice in a file, some planes of its arrays at a time, read and written (.vti, .vtr, NetCDF)."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np

from flowgrad.io.formats import Contents, check_only_time, naming, native, number_at
from flowgrad.io.netcdf import Layout
from flowgrad.io.subprocess_reader import guarded
from flowgrad.io.vtk_xml.arrays import TYPES, Slices, components_of, slices
from flowgrad.io.vtk_xml.document import Document, file_data, open_document
from flowgrad.io.vtk_xml.structured import IMAGE, RECTILINEAR, Extent, Part, StructuredData
from flowgrad.io.vtk_xml.write import TENSOR
from flowgrad.mesh import Cells, Lattice, Mesh

# What marks the places with a result, as in the files of whole results.
VALID = "valid"

# Files whose planes can be read alone.
_VTK = {".vti": IMAGE, ".vtr": RECTILINEAR}
SLAB_SUFFIXES = (*_VTK, ".nc", ".nc4", ".cdf")


@dataclass(frozen=True)
class Declared:
    """An array that a file declares: components of each row, and its type in the file."""

    components: int
    dtype: np.dtype


@dataclass(frozen=True, eq=False)
class SlabFile:
    """A lattice in a file: ``declared`` arrays by location and name, and ``planes(location, names, start, stop)``, the
    rows (n,) or (n, k) of some arrays between two planes across the slowest axis that the lattice has."""

    path: Path
    lattice: Lattice
    declared: Mapping[str, Mapping[str, Declared]]
    planes: Callable[[str, Sequence[str], int, int], list[np.ndarray]]
    time: float | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    # Why the file is read as a whole only; the lattice tells no more than its shape then.
    refusal: str = ""

    @property
    def size(self) -> int:
        """Bytes of all arrays in memory, floats as float64."""
        counts = {"points": self.lattice.point_count, "cells": len(self.lattice)}
        return sum(
            counts[location] * each.components * (8 if each.dtype.kind == "f" else each.dtype.itemsize)
            for location, arrays in self.declared.items()
            for each in arrays.values()
        )

    def sample(self) -> Contents:
        """Contents of one row of each array, no two alike, to choose among the names."""
        data = {
            location: {name: _row(number, each) for number, (name, each) in enumerate(arrays.items())}
            for location, arrays in self.declared.items()
        }
        point = Mesh(np.zeros((1, 3)), Cells.empty())
        return Contents(point, self.path, data["points"], data["cells"], units=self.units, attributes=self.attributes)


def _row(number: int, declared: Declared) -> np.ndarray:
    values = np.full((1, declared.components), float(number))
    values = values[:, 0] if declared.components == 1 else values
    return values if declared.dtype.kind == "f" else values.astype(declared.dtype)


def open_slabs(path: Path, time: float | None) -> AbstractContextManager[SlabFile] | None:
    """The lattice of a file at a time, open as long as the context is; None for other than ``SLAB_SUFFIXES``.

    The context raises ReadError for a file that is damaged or of which no part can be read alone, OptionError for a
    time that it does not hold.
    """
    suffix = path.suffix.lower()
    if suffix in _VTK:
        return _open_vtk(path, time, _VTK[suffix])
    return _open_netcdf(path, time) if suffix in SLAB_SUFFIXES else None


@contextmanager
def _open_vtk(path: Path, time: float | None, kind: StructuredData) -> Iterator[SlabFile]:
    with open_document(path, kind.name) as document:
        common = file_data(document)
        check_only_time(common.time, time, path)
        with naming(path):
            piece, whole = document.pieces()[0], Extent.parse(document.grid.get("WholeExtent", ""))
            refusal = _refusal(document, whole)
            if refusal:
                lattice = Lattice.uniform(whole.shape)
            else:
                part = Part(document.grid, whole, {}, {}, kind.positions(document, piece, whole))
                lattice = kind.lattice(document.grid, whole, [part])
            elements = {
                location: {each.get("Name", ""): each for each in document.grid.iterfind(f"Piece/{tag}/DataArray")}
                for location, tag in (("points", "PointData"), ("cells", "CellData"))
            }
            declared = {
                location: {
                    name: Declared(components_of(each), TYPES[each.get("type", "")])
                    for name, each in arrays.items()
                    if each.get("type") in TYPES
                }
                for location, arrays in elements.items()
            }
        opened: dict[tuple[str, str], Slices] = {}

        def planes(location: str, names: Sequence[str], start: int, stop: int) -> list[np.ndarray]:
            found = []
            for name in names:
                with naming(f"{path}: array '{name}'"):
                    width = declared[location][name].components
                    if (location, name) not in opened:
                        count = lattice.point_count if location == "points" else len(lattice)
                        element = elements[location][name]
                        opened[location, name] = slices(element, count * width, document.encoding, document.appended)
                    count = plane_size(lattice, location) * width
                    values = native(opened[location, name].values(start * count, stop * count))
                    found.append(values if width == 1 else values.reshape(-1, width))
            return found

        yield SlabFile(path, lattice, declared, planes, common.time, refusal=refusal)


def _refusal(document: Document, whole: Extent) -> str:
    """Why no part of a document can be read alone; empty where it can."""
    pieces = document.pieces()
    if len(pieces) > 1 or Extent.parse(pieces[0].get("Extent", "")) != whole:
        return f"has {len(pieces)} pieces, which are not read in blocks: write it in one"
    return ""


def slab_axis(lattice: Lattice) -> int:
    """The axis across which the planes of a lattice lie: the slowest that it has."""
    return lattice.active[-1]


def plane_count(lattice: Lattice, location: str) -> int:
    """Number of planes of points, or of cells."""
    return (lattice.shape if location == "points" else lattice.cell_shape)[slab_axis(lattice)]


def plane_size(lattice: Lattice, location: str) -> int:
    """Points, or cells, of one plane."""
    return math.prod(lattice.shape if location == "points" else lattice.cell_shape) // plane_count(lattice, location)


@contextmanager
def _open_netcdf(path: Path, time: float | None) -> Iterator[SlabFile]:
    with naming(path):
        number = number_at(guarded("netCDF4", "flowgrad.io.netcdf:times_in", path), time, path)
        layout: Layout = guarded("netCDF4", "flowgrad.io.netcdf:layout_in", path, number)
    declared = {"points": {name: Declared(1, dtype) for name, dtype in layout.declared.items()}, "cells": {}}

    def planes(location: str, names: Sequence[str], start: int, stop: int) -> list[np.ndarray]:
        with naming(path):
            found = guarded("netCDF4", "flowgrad.io.netcdf:planes_in", path, layout, names, start, stop)
        return cast(list[np.ndarray], found)

    yield SlabFile(path, layout.lattice, declared, planes, layout.time, layout.units, layout.attributes, layout.refusal)


class SlabWriter:
    """A file that is written from the first plane to the last: arrays with so many ``components`` at the points or
    cells of a lattice with straight axes, along x, y and z where they are uneven; and ``valid``, which is there in
    the end only if some places have no result.

    The head takes its room first and is written last.
    """

    def __init__(
        self,
        handle: BinaryIO,
        lattice: Lattice,
        location: str,
        components: Mapping[str, int],
        dtype: np.dtype,
        time: float | None = None,
    ) -> None:
        self._handle, self._lattice, self._location, self._time = handle, lattice, location, time
        self._types = {name: dtype.newbyteorder("<") for name in components} | {VALID: np.dtype("u1")}
        self._components = {**components, VALID: 1}
        self._plane = plane_size(lattice, location)
        count = self._plane * plane_count(lattice, location)
        self._places, place = {}, 0
        for name, width in self._components.items():
            self._places[name] = place
            place += 8 + width * count * self._types[name].itemsize
        self._end, self._count, self._written = place, count, 0
        self._start = len(self._head(True))
        self._all_valid = True

    def write(self, arrays: Mapping[str, np.ndarray], valid: np.ndarray) -> None:
        """The next planes of all arrays, (n, …) each, and where they are valid (n,)."""
        self._all_valid &= bool(valid.all())
        for name, values in {**arrays, VALID: valid}.items():
            dtype, width = self._types[name], self._components[name]
            at = self._start + self._places[name] + 8 + self._written * width * dtype.itemsize
            self._handle.seek(at)
            with np.errstate(over="ignore"):
                self._handle.write(np.ascontiguousarray(values, dtype).data.cast("B"))
        self._written += len(valid)

    def finish(self) -> None:
        """The head, the sizes and the end, when all planes are written."""
        assert self._written == self._count
        names = [name for name in self._places if name != VALID or not self._all_valid]
        for name in names:
            size = self._components[name] * self._count * self._types[name].itemsize
            self._handle.seek(self._start + self._places[name])
            self._handle.write(size.to_bytes(8, "little"))
        end = self._start + (self._places[VALID] if self._all_valid else self._end)
        self._handle.seek(end)
        self._handle.truncate()
        self._handle.write(b"\n</AppendedData>\n</VTKFile>\n")
        self._handle.seek(0)
        self._handle.write(self._head(not self._all_valid, self._start))

    def _head(self, with_valid: bool, length: int = 0) -> bytes:
        """The file up to its appended data, filled up with spaces to a length."""
        kind = "ImageData" if all(axis.is_uniform for axis in self._lattice.axes) else "RectilinearGrid"
        extent = " ".join(f"0 {n - 1}" for n in self._lattice.shape)
        image = _image(self._lattice) if kind == "ImageData" else ""
        fields = ""
        if self._time is not None:
            array = f'type="Float64" Name="TimeValue" NumberOfTuples="1" format="ascii">{self._time!r}'
            fields = f"<FieldData>\n<DataArray {array}</DataArray>\n</FieldData>\n"
        head = (
            '<?xml version="1.0"?>\n'
            f'<VTKFile type="{kind}" version="1.0" byte_order="LittleEndian" header_type="UInt64">\n'
            f'<{kind} WholeExtent="{extent}"{image}>\n{fields}<Piece Extent="{extent}">\n'
            f"{self._sections(with_valid)}{_coordinates(self._lattice) if not image else ''}</Piece>\n</{kind}>\n"
        )
        end = '<AppendedData encoding="raw">\n_'
        return f"{head}{' ' * (length - len(head.encode()) - len(end))}{end}".encode()

    def _sections(self, with_valid: bool) -> str:
        types = {name: f"{'Float' if t.kind == 'f' else 'UInt'}{8 * t.itemsize}" for name, t in self._types.items()}
        arrays = "".join(
            f'<DataArray type="{types[name]}" Name="{escape(name)}" NumberOfComponents="{width}" '
            f'format="appended" offset="{self._places[name]}"{" " + TENSOR if width == 9 else ""}/>\n'
            for name, width in self._components.items()
            if with_valid or name != VALID
        )
        here, there = ("PointData", "CellData") if self._location == "points" else ("CellData", "PointData")
        sections = {here: f"<{here}>\n{arrays}</{here}>\n", there: f"<{there}>\n</{there}>\n"}
        return sections["PointData"] + sections["CellData"]


def _image(lattice: Lattice) -> str:
    first = np.array([axis.coordinates[0] for axis in lattice.axes])
    spacing = np.sqrt((lattice.steps**2).sum(axis=1))
    # Columns of VTK's Direction are the axes.
    direction = (lattice.steps / spacing[:, None]).T + 0.0
    origin = lattice.origin + first @ lattice.steps
    return f' Origin="{_text(origin)}" Spacing="{_text(spacing)}" Direction="{_text(direction)}"'


def _coordinates(lattice: Lattice) -> str:
    lines = [
        f'<DataArray type="Float64" Name="{name}" format="ascii">{_text(axis.coordinates * step + start)}</DataArray>\n'
        for name, axis, step, start in zip("xyz", lattice.axes, np.diagonal(lattice.steps), lattice.origin, strict=True)
    ]
    return f"<Coordinates>\n{''.join(lines)}</Coordinates>\n"


def _text(values: np.ndarray) -> str:
    return " ".join(repr(float(value)) for value in values.ravel())
