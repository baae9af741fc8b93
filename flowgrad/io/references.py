"""References between files: only to those in the folder of the file that names them or below, and only if these hold
what it declares.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from flowgrad.errors import ReadError
from flowgrad.io.formats import Contents
from flowgrad.io.vtk_xml.document import Document

# Kept of the files that name pieces.
PIECES = "the same of the pieces that it names, as one, without ghosts"


def referred(path: Path, name: str) -> Path:
    """The file that ``path`` calls ``name``; ReadError for one elsewhere, and for one that is not there."""
    found = inside(path, name)
    if not found.is_file():
        raise ReadError(f"{path}: names the file '{name}', which is not there: put it beside, or write both again")
    return found


def different(path: Path, files: Sequence[Path]) -> list[Path]:
    """The files that ``path`` names as its parts; ReadError where it names one twice."""
    twice = [file.name for file, count in Counter(files).items() if count > 1]
    if twice:
        raise ReadError(f"{path}: names the file '{twice[0]}' twice: write it again")
    return list(files)


def inside(path: Path, name: str) -> Path:
    """The same, whether it is there or not."""
    if not name.strip():
        raise ReadError(f"{path}: names a file without a name: write it again")
    if "\0" in name or Path(name).is_absolute() or os.path.normpath(name).split(os.sep)[0] == os.pardir:
        raise ReadError(f"{path}: names the file '{name}', which is not in its folder: put it there, or read it itself")
    return path.parent / os.path.normpath(name)


def piece_files(document: Document) -> list[Path]:
    """The files of the pieces of a parallel data set."""
    return different(document.path, [referred(document.path, each.get("Source", "")) for each in document.pieces()])


def check_declared(document: Document, contents: Contents) -> None:
    """ReadError for an array that a parallel file declares and its pieces do not have."""
    for tag, data in (("PPointData", contents.point_data), ("PCellData", contents.cell_data)):
        for element in document.grid.iterfind(f"{tag}/*"):
            name = element.get("Name", "")
            if element.tag != "PDataArray" or element.get("type") == "String" or name in data:
                continue
            raise ReadError(
                f"{document.path}: declares the array '{name}' in {tag}, which its pieces lack: write them again"
            )
