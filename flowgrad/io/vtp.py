"""Surfaces and lines in VTK's XML format (.vtp)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import ReadError
from flowgrad.io.contents import Contents
from flowgrad.io.naming import naming
from flowgrad.io.pieces import joined
from flowgrad.io.selection import reordered
from flowgrad.io.vtkxml import Document, open_document
from flowgrad.io.vtu import cell_ends, file_data, integers
from flowgrad.mesh import Cells, Mesh, ragged

_STRIP = 6
# VTK numbers the cells of poly data in this order. Each section: the types of cells of 1, 2, …
# points, and the type of those with more.
_SECTIONS: dict[str, tuple[dict[int, int], int]] = {
    "Verts": ({1: 1}, 2),
    "Lines": ({2: 3}, 4),
    "Polys": ({3: 5, 4: 9}, 7),
    "Strips": ({}, _STRIP),
}


def read_vtp(path: Path) -> Contents:
    """Everything in a file of poly data, its pieces joined: all verts, then all lines, polys and strips.

    A strip becomes its triangles, each with the strip's values. Raises ReadError for a file that is
    damaged or contradicts itself.
    """
    with open_document(path, "PolyData") as document:
        common = file_data(document)
        return _in_sections([_piece(document, piece, common) for piece in document.pieces()])


@dataclass(frozen=True, eq=False)
class _PolyPiece:
    """One piece, and the number of the section of each of its cells (n,)."""

    contents: Contents
    sections: NDArray[np.int64]


def _in_sections(pieces: list[_PolyPiece]) -> Contents:
    """The pieces of one data set as VTK joins them, section by section."""
    whole = joined([piece.contents for piece in pieces])
    if len(pieces) == 1:
        return whole
    return reordered(whole, np.argsort(np.concatenate([piece.sections for piece in pieces]), kind="stable"))


def _piece(document: Document, piece: ET.Element, common: Contents) -> _PolyPiece:
    points = document.points(piece, document.count(piece, "NumberOfPoints"))
    found = [_section(document, piece, tag) for tag in _SECTIONS]
    cells = _joined(found)
    data = document.section(piece, "CellData", len(cells))
    sections = np.repeat(np.arange(len(found)), [len(section) for section in found])
    with naming(document.path):
        cells, of_cell = _triangulated(cells)
        mesh = Mesh(points, cells)
    contents = Contents(
        mesh,
        document.path,
        document.section(piece, "PointData", len(points)),
        data if of_cell is None else {name: values[of_cell] for name, values in data.items()},
        common.field_data,
        common.time,
        common.producer,
    )
    return _PolyPiece(contents, sections if of_cell is None else sections[of_cell])


def _section(document: Document, piece: ET.Element, tag: str) -> Cells:
    attribute = f"NumberOf{tag}"
    if attribute not in piece.attrib and not any(map(len, document.section(piece, tag, None).values())):
        return Cells.empty()
    count = document.count(piece, attribute)
    if not count:
        return Cells.empty()
    arrays = document.section(piece, tag, None)
    with naming(f"{document.path}: {tag}"):
        connectivity = integers(arrays, "connectivity")
        offsets = cell_ends(arrays, "offsets", count, len(connectivity))
        if offsets[-1] != len(connectivity) or (offsets[1:] < offsets[:-1]).any():
            raise ReadError(
                f"'connectivity' has {len(connectivity)} values instead of {offsets[-1]}, or 'offsets' fall: the file "
                "is damaged"
            )
    return Cells(_types(np.diff(offsets), tag), offsets, connectivity)


def _types(sizes: np.ndarray, tag: str) -> np.ndarray:
    by_size, otherwise = _SECTIONS[tag]
    types = np.full(len(sizes), otherwise, np.uint8)
    for size, vtk_type in by_size.items():
        types[sizes == size] = vtk_type
    return types


def _joined(sections: list[Cells]) -> Cells:
    sizes = np.concatenate([np.diff(section.offsets) for section in sections])
    return Cells(
        np.concatenate([section.types for section in sections]),
        np.concatenate([[0], np.cumsum(sizes)]),
        np.concatenate([section.connectivity for section in sections]),
    )


def _triangulated(cells: Cells) -> tuple[Cells, NDArray[np.int64] | None]:
    """Cells with triangles for strips, and the cell that each came from; None where there are no strips.

    Triangle t of a strip has its points t, t + 1, t + 2, every second one turned round (vtkTriangleStrip).
    """
    strips = cells.types == _STRIP
    if not strips.any():
        return cells, None
    sizes = np.diff(cells.offsets)
    counts = sizes[strips] - 2
    if counts.min() < 1:
        raise ReadError(f"has a triangle strip of {counts.min() + 2} points: the file is damaged")
    first = ragged.runs(cells.offsets[:-1][strips], counts)
    odd = (ragged.runs(np.zeros(len(counts), np.int64), counts) % 2).astype(bool)
    places = np.column_stack([first + odd, first + ~odd, first + 2])
    others = int((~strips).sum())
    before = int(cells.offsets[others])
    triangles = Cells.of_type(5, cells.connectivity[places].reshape(-1, 3))
    plain = Cells(cells.types[:others], cells.offsets[: others + 1], cells.connectivity[:before])
    of_cell = np.concatenate([np.arange(others), np.repeat(np.flatnonzero(strips), counts)])
    return _joined([plain, triangles]), of_cell
