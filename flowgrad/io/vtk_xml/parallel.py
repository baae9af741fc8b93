"""Parallel (.pvtu, .pvtp) and multi-block (.vtm) data sets of VTK XML: files that name those of their parts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

from flowgrad.errors import ReadError
from flowgrad.io.formats import Contents, read_contents, register_format
from flowgrad.io.pieces import merged, with_patches
from flowgrad.io.references import PIECES, check_declared, piece_files, referred
from flowgrad.io.vtk_xml.document import Document, file_data, open_document
from flowgrad.io.vtk_xml.unstructured import read_vtp, read_vtu

# By suffix VTK's name of the whole, and the reader of a piece.
_KINDS: dict[str, tuple[str, Callable[[Path], Contents]]] = {
    ".pvtu": ("PUnstructuredGrid", read_vtu),
    ".pvtp": ("PPolyData", read_vtp),
}
# Data sets that may be blocks.
_DATA_SETS = (".vtu", ".pvtu", ".vtp", ".pvtp", ".vti", ".pvti", ".vtr", ".pvtr", ".vts", ".pvts")
# What a block without a file may have.
_EMPTY = frozenset(("index", "name", "group", "part", "timestep"))


def read_pieces(path: Path) -> Contents:
    """Everything in the unstructured grids or the poly data that a file names, as one mesh without ghosts.

    Raises ReadError for pieces that are missing, damaged or elsewhere than in the folder of the file, for
    arrays that it declares and a piece lacks, and for point numbers that contradict the coordinates.
    """
    kind, read = _KINDS[path.suffix.lower()]
    with open_document(path, kind) as document:
        pieces = [read(piece) for piece in piece_files(document)]
        whole = merged([dataclasses.replace(piece, source=path) for piece in pieces])
        common = file_data(document)
        check_declared(document, whole)
    return _with_common(whole, common)


def _with_common(whole: Contents, common: Contents) -> Contents:
    """The contents with the field data and the time of the file that names their files."""
    time = whole.time if common.time is None else common.time
    return dataclasses.replace(whole, field_data={**whole.field_data, **common.field_data}, time=time)


def read_vtm(path: Path) -> Contents:
    """Everything in the blocks of a multi-block file: its mesh, several that meet as one, and surfaces of its boundary
    as patches.

    Raises ReadError for meshes that lie on each other, for arrays that one of them has and another has not, and for
    blocks that are missing, damaged or elsewhere than in the folder of the file.
    """
    with open_document(path, "vtkMultiBlockDataSet") as document:
        blocks = _blocks(document)
        common = file_data(document)
    whole = with_patches(path, {name: _read(path, file) for name, file in blocks.items()}, unite=False)
    return _with_common(whole, common)


def _blocks(document: Document) -> dict[str, Path]:
    """The files of the blocks by name; by number too where a name comes twice."""
    found: dict[str, Path] = {}
    for number, element in enumerate(document.grid.iter("DataSet")):
        name = element.get("file", "")
        if not name and not _EMPTY.issuperset(element.attrib):
            raise ReadError(
                f"{document.path}: has a block that names no file ({', '.join(element.attrib)}): it is damaged"
            )
        if name:
            file = referred(document.path, name)
            key = element.get("name") or file.stem
            found[f"{key} {number}" if key in found else key] = file
    return found


def _read(path: Path, file: Path) -> Contents:
    if file.suffix.lower() not in _DATA_SETS:
        raise ReadError(f"{path}: names the file '{file.name}', which is not one of {' '.join(_DATA_SETS)}: convert it")
    return read_contents(file)


register_format(tuple(_KINDS), reader=read_pieces, keeps=PIECES, refers=True)
register_format((".vtm",), reader=read_vtm, keeps="its blocks as one mesh, its boundary as patches, time", refers=True)
