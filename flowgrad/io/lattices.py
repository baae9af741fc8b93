"""Images (.vti), rectilinear (.vtr) and structured grids (.vts) of VTK-XML, and their parallel files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.contents import Arrays, Contents
from flowgrad.io.extents import Extent
from flowgrad.io.structured import Kind, Part, read_parallel, read_structured, together
from flowgrad.io.vtkxml import Document
from flowgrad.mesh import Lattice


def read_vti(path: Path) -> Contents:
    """Everything in an image: a lattice of even spacing, turned as its Direction says.

    Like the other readers here it raises ReadError for a file that is damaged or contradicts itself,
    for points or cells in no piece, and for axes that make no lattice.
    """
    return read_structured(path, IMAGE)


def read_vtr(path: Path) -> Contents:
    """Everything in a rectilinear grid."""
    return read_structured(path, RECTILINEAR)


def read_vts(path: Path) -> Contents:
    """Everything in a structured grid: a lattice with its points anywhere."""
    return read_structured(path, _STRUCTURED)


def read_pvti(path: Path) -> Contents:
    """Everything in the images that a parallel file names."""
    return read_parallel(path, IMAGE)


def read_pvtr(path: Path) -> Contents:
    """Everything in the rectilinear grids that a parallel file names."""
    return read_parallel(path, RECTILINEAR)


def read_pvts(path: Path) -> Contents:
    """Everything in the structured grids that a parallel file names."""
    return read_parallel(path, _STRUCTURED)


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


def _nothing(document: Document, piece: ET.Element, extent: Extent) -> Arrays:
    return {}


def _coordinates(document: Document, piece: ET.Element, extent: Extent) -> Arrays:
    return dict(zip("xyz", document.coordinates(piece, extent.shape), strict=True))


def _points(document: Document, piece: ET.Element, extent: Extent) -> Arrays:
    return {"points": document.points(piece, extent.point_count)}


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


_STRAIGHT = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
IMAGE = Kind("ImageData", _nothing, image_lattice)
RECTILINEAR = Kind("RectilinearGrid", _coordinates, _rectilinear)
_STRUCTURED = Kind("StructuredGrid", _points, _curvilinear)
