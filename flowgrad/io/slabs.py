"""Lattices that are read slab by slab: what a file declares, and the way to some planes of one of its arrays."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast
from xml.etree import ElementTree as ET

import numpy as np

from flowgrad.io.contents import Contents, native
from flowgrad.io.extents import Extent
from flowgrad.io.guarded import guarded
from flowgrad.io.lattices import IMAGE, RECTILINEAR
from flowgrad.io.naming import naming
from flowgrad.io.netcdf import Layout, netcdf_times
from flowgrad.io.steps import check_only_time, number_at
from flowgrad.io.structured import Kind, Part
from flowgrad.io.vtkxml import Document, natural, open_document
from flowgrad.io.vtkxml_arrays import TYPES
from flowgrad.io.vtkxml_slices import Slices, slices
from flowgrad.io.vtu import file_data
from flowgrad.mesh import Cells, Lattice, Mesh


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
    # Flags at the points (see :mod:`flowgrad.io.columns`) are honoured.
    has_flags: bool = False
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
        """Contents of one row of each array, no two alike, for whoever only chooses among the names."""
        data = {
            location: {name: _row(number, each) for number, (name, each) in enumerate(arrays.items())}
            for location, arrays in self.declared.items()
        }
        point = Mesh(np.zeros((1, 3)), Cells.empty())
        return Contents(point, self.path, data["points"], data["cells"], units=self.units)


def _row(number: int, declared: Declared) -> np.ndarray:
    values = np.full((1, declared.components), float(number))
    values = values[:, 0] if declared.components == 1 else values
    return values if declared.dtype.kind == "f" else values.astype(declared.dtype)


def open_slabs(path: Path, time: float | None) -> AbstractContextManager[SlabFile] | None:
    """The lattice of a file at a time, open as long as the context is; None for formats that are read as a whole only.

    The context raises ReadError for a file that is damaged or of which no part can be read alone, OptionError for a
    time that it does not hold.
    """
    suffix = path.suffix.lower()
    if suffix in (".vti", ".vtr"):
        return _open_vtk(path, time, IMAGE if suffix == ".vti" else RECTILINEAR)
    return _open_netcdf(path, time) if suffix in (".nc", ".nc4", ".cdf") else None


@contextmanager
def _open_vtk(path: Path, time: float | None, kind: Kind) -> Iterator[SlabFile]:
    with open_document(path, kind.name) as document:
        common = file_data(document)
        check_only_time(common.time, time, path)
        with naming(path):
            piece, whole = document.pieces()[0], Extent.parse(document.grid.get("WholeExtent", ""))
            refusal = _refusal(document, whole)
            lattice = Lattice.uniform(whole.shape) if refusal else _lattice(document, piece, whole, kind)
            elements = {
                location: {each.get("Name", ""): each for each in document.grid.iterfind(f"Piece/{tag}/DataArray")}
                for location, tag in (("points", "PointData"), ("cells", "CellData"))
            }
            declared = {
                location: {name: _declared(each) for name, each in arrays.items() if each.get("type") in TYPES}
                for location, arrays in elements.items()
            }
        opened: dict[tuple[str, str], Slices] = {}

        def rows(location: str, name: str, start: int, stop: int) -> np.ndarray:
            with naming(f"{path}: array '{name}'"):
                width = declared[location][name].components
                if (location, name) not in opened:
                    count = lattice.point_count if location == "points" else len(lattice)
                    element = elements[location][name]
                    opened[location, name] = slices(element, count * width, document.encoding, document.appended)
                count = plane_size(lattice, location) * width
                values = native(opened[location, name].values(start * count, stop * count))
                return values if width == 1 else values.reshape(-1, width)

        def planes(location: str, names: Sequence[str], start: int, stop: int) -> list[np.ndarray]:
            return [rows(location, name, start, stop) for name in names]

        yield SlabFile(path, lattice, declared, planes, common.time, refusal=refusal)


def _refusal(document: Document, whole: Extent) -> str:
    """Why no part of a document can be read alone; empty where it can."""
    pieces = document.pieces()
    if len(pieces) > 1 or Extent.parse(pieces[0].get("Extent", "")) != whole:
        return f"has {len(pieces)} pieces, which are not read in blocks: write it in one"
    return ""


def _lattice(document: Document, piece: ET.Element, whole: Extent, kind: Kind) -> Lattice:
    part = Part(document.grid, whole, {}, {}, kind.positions(document, piece, whole))
    return kind.lattice(document.grid, whole, [part])


def _declared(element: ET.Element) -> Declared:
    return Declared(max(natural(element, "NumberOfComponents", 1), 1), TYPES[element.get("type", "")])


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
        number = number_at(netcdf_times(path), time, path)
        layout: Layout = guarded("netCDF4", "flowgrad.io.netcdf:layout_in", path, number)
    declared = {"points": {name: Declared(1, dtype) for name, dtype in layout.declared.items()}, "cells": {}}

    def planes(location: str, names: Sequence[str], start: int, stop: int) -> list[np.ndarray]:
        with naming(path):
            found = guarded("netCDF4", "flowgrad.io.netcdf:planes_in", path, layout, names, start, stop)
        return cast(list[np.ndarray], found)

    yield SlabFile(path, layout.lattice, declared, planes, layout.time, layout.units, True, layout.refusal)
