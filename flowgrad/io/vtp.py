"""Surfaces and lines in VTK's XML format (.vtp)."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.contents import Contents
from flowgrad.io.naming import naming
from flowgrad.io.pieces import joined
from flowgrad.io.vtkxml import Document, open_document
from flowgrad.io.vtu import cell_ends, file_data, integers
from flowgrad.mesh import Cells, Mesh

# VTK numbers the cells of poly data in this order. Each section: the types of cells of 1, 2, …
# points, and the type of those with more.
_SECTIONS: dict[str, tuple[dict[int, int], int]] = {
    "Verts": ({1: 1}, 2),
    "Lines": ({2: 3}, 4),
    "Polys": ({3: 5, 4: 9}, 7),
}


def read_vtp(path: Path) -> Contents:
    """Everything in a file of poly data, its pieces joined; cells in the order verts, lines, polys.

    Raises ReadError for a file that is damaged or contradicts itself, and for triangle strips.
    """
    with open_document(path, "PolyData") as document:
        common = file_data(document)
        return joined([_piece(document, piece, common) for piece in document.pieces()])


def _piece(document: Document, piece: ET.Element, common: Contents) -> Contents:
    strips = document.count(piece, "NumberOfStrips")
    if strips:
        raise ReadError(f"{document.path}: has {strips} triangle strips, which are not read: convert to triangles")
    points = document.points(piece, document.count(piece, "NumberOfPoints"))
    with naming(document.path):
        mesh = Mesh(points, _joined([_section(document, piece, tag) for tag in _SECTIONS]))
    return Contents(
        mesh,
        document.path,
        document.section(piece, "PointData", len(points)),
        document.section(piece, "CellData", len(mesh)),
        common.field_data,
        common.time,
        common.producer,
    )


def _section(document: Document, piece: ET.Element, tag: str) -> Cells:
    count = document.count(piece, f"NumberOf{tag}")
    if not count:
        return Cells.empty()
    arrays = document.section(piece, tag, None)
    with naming(tag):
        connectivity = integers(arrays, "connectivity")
        offsets = cell_ends(arrays, "offsets", count, len(connectivity))
        if offsets[-1] != len(connectivity):
            raise ReadError(f"'connectivity' has {len(connectivity)} values instead of {offsets[-1]}: damaged file")
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
