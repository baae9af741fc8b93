"""Unstructured and poly data in several files: .pvtu and .pvtp."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from flowgrad.io.contents import Contents
from flowgrad.io.merging import merged
from flowgrad.io.references import check_declared, different, referred
from flowgrad.io.vtkxml import Document, open_document
from flowgrad.io.vtp import read_vtp
from flowgrad.io.vtu import file_data, read_vtu


def read_pvtu(path: Path) -> Contents:
    """Everything in the unstructured grids that a file names, as one mesh without ghosts.

    Raises ReadError for pieces that are missing, damaged or elsewhere than in the folder of the file, for
    arrays that it declares and a piece lacks, and for point numbers that contradict the coordinates.
    """
    with open_document(path, "PUnstructuredGrid") as document:
        return _whole(document, [read_vtu(piece) for piece in piece_files(document)])


def read_pvtp(path: Path) -> Contents:
    """Everything in the poly data that a file names, as one mesh without ghosts; the same errors."""
    with open_document(path, "PPolyData") as document:
        return _whole(document, [read_vtp(piece) for piece in piece_files(document)])


def pieces_of(path: Path) -> list[Path]:
    """The files that a .pvtu names, for whoever reads one after the other (with their ghosts)."""
    with open_document(path, "PUnstructuredGrid") as document:
        return piece_files(document)


def piece_files(document: Document) -> list[Path]:
    """The files of the pieces of a parallel data set."""
    files = [referred(document.path, piece.get("Source", "")) for piece in document.pieces()]
    return different(document.path, files)


def _whole(document: Document, pieces: list[Contents]) -> Contents:
    whole = merged([dataclasses.replace(piece, source=document.path) for piece in pieces])
    common = file_data(document)
    check_declared(document, whole)
    return dataclasses.replace(
        whole,
        field_data={**whole.field_data, **common.field_data},
        time=whole.time if common.time is None else common.time,
    )
