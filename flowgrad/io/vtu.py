"""Unstructured grids in VTK's XML format (.vtu)."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import ReadError
from flowgrad.io.contents import Arrays, Contents
from flowgrad.io.higher_order import degrees_name, in_todays_order, with_degrees
from flowgrad.io.naming import naming
from flowgrad.io.pieces import joined
from flowgrad.io.polyhedra import POLYHEDRON, from_lists, from_stream
from flowgrad.io.vtkxml import Document, open_document
from flowgrad.mesh import CellFaces, Cells, Mesh
from flowgrad.typing import IntArray

# foamToVTK begins its files with a comment on the case or the patch.
_OPENFOAM = re.compile(r"\s*(case='[^']*' region=|patch=')")
_STREAM = ("faces", "faceoffsets")
_LISTS = ("face_connectivity", "face_offsets", "polyhedron_to_faces", "polyhedron_offsets")


def read_vtu(path: Path) -> Contents:
    """Everything in an unstructured grid, its pieces joined.

    Raises ReadError for a file that is damaged, contradicts itself or holds cells that are not read.
    """
    with open_document(path, "UnstructuredGrid") as document:
        common = file_data(document)
        return joined([_piece(document, piece, common) for piece in document.pieces()])


def file_data(document: Document) -> Contents:
    """What belongs to all of a file: field data, time and producer; the mesh is still empty."""
    # foamToVTK writes those of a .vtm behind the blocks.
    fields = document.section(document.grid, "FieldData", None) or document.section(document.root, "FieldData", None)
    producer = "OpenFOAM" if any(_OPENFOAM.match(comment) for comment in document.comments) else ""
    empty = Mesh(np.empty((0, 3)), Cells.empty())
    return Contents(empty, document.path, field_data=fields, time=time_of(fields), producer=producer)


def time_of(fields: Arrays) -> float | None:
    """The time in field data, if they tell one."""
    for name in ("TimeValue", "TIME"):
        if name in fields and fields[name].size == 1:
            value = float(fields[name].reshape(-1)[0])
            # A time kept as float32 is the decimal number that the solver printed, 0.1 and not
            # 0.10000000149.
            return float(str(np.float32(value))) if abs(value) < 1e38 and float(np.float32(value)) == value else value
    return None


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
    arrays = document.section(piece, "Cells", None) if count else {}
    cell_data = document.section(piece, "CellData", count)
    with naming(document.path):
        cells = _cells(arrays, count) if count else Cells.empty()
        mesh = Mesh(points, with_degrees(cells, degrees_name(piece), cell_data))
    return Contents(
        in_todays_order(mesh, document.version),
        document.path,
        document.section(piece, "PointData", len(points)),
        cell_data,
        common.field_data,
        common.time,
        common.producer,
    )


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
        return _with_faces(from_lists(len(types), *(integers(arrays, name) for name in _LISTS)), types)
    if _STREAM[0] not in arrays:
        raise ReadError(f"has {count} polyhedra but neither 'faces' nor 'face_connectivity': write it with faces")
    stream, ends = (integers(arrays, name) for name in _STREAM)
    if len(ends) != len(types):
        raise ReadError(f"'faceoffsets' has {len(ends)} values for {len(types)} cells: the file is damaged")
    return from_stream(stream, ends, types)


def _with_faces(faces: CellFaces, types: NDArray[np.uint8]) -> CellFaces:
    faceless = np.flatnonzero((types == POLYHEDRON) != (np.diff(faces.cell_offsets) > 0))
    if len(faceless):
        raise ReadError(
            f"'polyhedron_offsets' do not give faces to the polyhedra and to nothing else, as at cell "
            f"{faceless[0]}: the file is damaged"
        )
    return faces
