"""Unstructured grids (.vtu) and poly data (.vtp) of VTK XML."""

from __future__ import annotations

import logging
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import ReadError
from flowgrad.io.formats import Arrays, Contents, naming, register_format
from flowgrad.io.ghosts import reordered
from flowgrad.io.node_order import DEGREES, in_todays_order, with_degrees
from flowgrad.io.pieces import joined
from flowgrad.io.vtk_xml.blocks import LZ4
from flowgrad.io.vtk_xml.document import Document, file_data, open_document
from flowgrad.io.vtk_xml.polyhedra import POLYHEDRON, from_lists, from_stream
from flowgrad.mesh import LAGRANGE_CELLS, CellFaces, Cells, Mesh
from flowgrad.mesh import cells as ragged
from flowgrad.typing import IntArray

log = logging.getLogger("flowgrad")

_STREAM = ("faces", "faceoffsets")
_LISTS = ("face_connectivity", "face_offsets", "polyhedron_to_faces", "polyhedron_offsets")

_EMPTY, _STRIP = 0, 6
# What describes each cell by one number.
_BY_CELL = ("types", "offsets", "faceoffsets", "polyhedron_offsets")
# VTK numbers the cells of poly data in this order. Each section: the types of cells of 1, 2, …
# points, and the type of those with more.
_SECTIONS: dict[str, tuple[dict[int, int], int]] = {
    "Verts": ({1: 1}, 2),
    "Lines": ({2: 3}, 4),
    "Polys": ({3: 5, 4: 9}, 7),
    "Strips": ({}, _STRIP),
}


def read_vtu(path: Path) -> Contents:
    """Everything in an unstructured grid, its pieces joined.

    Raises ReadError for a file that is damaged, contradicts itself or holds cells that are not read.
    """
    with open_document(path, "UnstructuredGrid") as document:
        common = file_data(document)
        pieces = [_piece(document, piece, common) for piece in document.pieces()]
        return joined(pieces) if len(pieces) > 1 else pieces[0]


def cell_ends(arrays: Arrays, name: str, count: int, stop: int) -> IntArray:
    """The ends of ``count`` cells in a connectivity of length ``stop``, as offsets (count + 1,)."""
    ends = integers(arrays, name)
    if len(ends) != count or (count and (ends.min() < 0 or ends.max() > stop)):
        raise ReadError(
            f"'{name}' has {len(ends)} values for {count} cells, up to {ends.max(initial=0)} "
            f"with {stop} in 'connectivity': the file is damaged"
        )
    return np.concatenate([[0], ends])


def integers(arrays: Arrays, name: str) -> IntArray:
    """An array of the cells' description (n,); ReadError if it is missing or not made of integers."""
    if name not in arrays:
        raise ReadError(f"has no array '{name}' in the description of its cells: the file is damaged")
    values = arrays[name]
    if values.dtype.kind == "f" or values.ndim != 1:
        raise ReadError(f"'{name}' is {values.dtype} {values.shape}, not a list of integers: the file is damaged")
    if values.dtype == np.uint64 and values.max(initial=0) > np.iinfo(np.int64).max:
        raise ReadError(f"'{name}' has the number {values.max()}: the file is damaged")
    return values.astype(np.int64, copy=False)


def _piece(document: Document, piece: ET.Element, common: Contents) -> Contents:
    points = document.points(piece, document.count(piece, "NumberOfPoints"))
    count = document.count(piece, "NumberOfCells")
    arrays = _with_whole_types(document, document.section(piece, "Cells", None)) if count else {}
    cell_data = document.section(piece, "CellData", count)
    filled = np.asarray(arrays.get("types", [])) != _EMPTY
    sizes = np.diff(np.asarray(arrays.get("offsets", [])).astype(np.int64), prepend=0)
    if count and len(filled) == len(sizes) == count and not filled.all() and not sizes[~filled].any():
        log.info("%s: %d cells are empty and left out", document.path, count - filled.sum())
        cell_data = {name: values[filled] for name, values in cell_data.items()}
        arrays |= {name: arrays[name][filled] for name in _BY_CELL if len(arrays.get(name, ())) == count}
        count = int(filled.sum())
    with naming(document.path):
        cells = _cells(arrays, count) if count else Cells.empty()
        is_lagrange = bool(np.isin(cells.types, list(LAGRANGE_CELLS)).any())
        if is_lagrange:
            section = piece.find("CellData")
            cells = with_degrees(cells, DEGREES if section is None else section.get(DEGREES, DEGREES), cell_data)
        mesh = Mesh(points, cells)
    return Contents(
        in_todays_order(mesh, document.version) if is_lagrange else mesh,
        document.path,
        document.section(piece, "PointData", len(points)),
        cell_data,
        common.field_data,
        common.time,
        common.producer,
    )


def _with_whole_types(document: Document, arrays: Arrays) -> Arrays:
    """The description of cells with their types as integers; pyevtk 1.7.0 writes them as it is given them, as floats
    where these are."""
    types = arrays.get("types")
    if types is None or types.dtype.kind != "f" or not np.isin(types, np.arange(256)).all():
        return arrays
    log.info("%s: 'types' in Cells are floats, as pyevtk may write them, all of them whole", document.path)
    return {**arrays, "types": types.astype(np.uint8)}


def _cells(arrays: Arrays, count: int) -> Cells:
    types = integers(arrays, "types")
    if len(types) != count or types.min(initial=0) < 0 or types.max(initial=0) > 255:
        raise ReadError(
            f"'types' has {len(types)} values up to {types.max(initial=0)} for {count} cells: the file is damaged"
        )
    connectivity = integers(arrays, "connectivity")
    offsets = cell_ends(arrays, "offsets", count, len(connectivity))
    narrow = types.astype(np.uint8)
    return Cells(narrow, offsets, connectivity, _polyhedra(arrays, narrow))


def _polyhedra(arrays: Arrays, types: NDArray[np.uint8]) -> CellFaces | None:
    count = int((types == POLYHEDRON).sum())
    if not count:
        return None
    if _LISTS[0] in arrays:
        faces = from_lists(len(types), *(integers(arrays, name) for name in _LISTS))
        faceless = np.flatnonzero((types == POLYHEDRON) != (np.diff(faces.cell_offsets) > 0))
        if len(faceless):
            raise ReadError(
                f"'polyhedron_offsets' do not give faces to the polyhedra and to nothing else, as at cell "
                f"{faceless[0]}: the file is damaged"
            )
        return faces
    if _STREAM[0] not in arrays:
        raise ReadError(f"has {count} polyhedra but neither 'faces' nor 'face_connectivity': write it with faces")
    stream, ends = (integers(arrays, name) for name in _STREAM)
    if len(ends) != len(types):
        raise ReadError(f"'faceoffsets' has {len(ends)} values for {len(types)} cells: the file is damaged")
    return from_stream(stream, ends, types)


def read_vtp(path: Path) -> Contents:
    """Everything in a file of poly data, its pieces joined: all verts, then all lines, polys and strips.

    A strip becomes its triangles, each with the strip's values. Raises ReadError for a file that is
    damaged or contradicts itself.
    """
    with open_document(path, "PolyData") as document:
        common = file_data(document)
        pieces = [_poly_piece(document, piece, common) for piece in document.pieces()]
    if len(pieces) == 1:
        return pieces[0][0]
    # VTK joins them section by section.
    sections = np.concatenate([of_cells for _, of_cells in pieces])
    return reordered(joined([piece for piece, _ in pieces]), np.argsort(sections, kind="stable"))


def _poly_piece(document: Document, piece: ET.Element, common: Contents) -> tuple[Contents, IntArray]:
    """One piece, and the number of the section of each of its cells (n,)."""
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
    return contents, sections if of_cell is None else sections[of_cell]


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


_KEEPS = "points, cells, point data, cell data, field data, time"
register_format((".vtu",), reader=read_vtu, keeps=_KEEPS, needs=LZ4, needs_for="LZ4")
register_format((".vtp",), reader=read_vtp, keeps=_KEEPS, needs=LZ4, needs_for="LZ4")
