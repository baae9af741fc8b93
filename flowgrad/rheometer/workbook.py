"""Workbooks (Excel, OpenDocument): their sheets as rows of cells, each sheet a step of the measurement."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from flowgrad.errors import MissingDependencyError, ReadError
from flowgrad.files import printable
from flowgrad.rheometer.rows import LARGEST, MOST, Row

# First bytes of a zip archive (xlsx, xlsb, ods) and of an OLE file (xls).
_ARCHIVE, _OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
# An archive that unpacks to more is no table of flow curves.
_UNPACKED = 8 * LARGEST


def is_workbook(path: Path) -> bool:
    """Whether a file begins like a workbook; False for one that cannot be opened."""
    try:
        with path.open("rb") as stream:
            return stream.read(4) in (_ARCHIVE, _OLE)
    except OSError:
        return False


def workbook_rows(path: Path) -> Iterator[Row]:
    """The rows of all sheets, numbered within their sheet; where there are several, ``[step]`` and the name of the
    sheet stand before its rows.

    Raises MissingDependencyError without python-calamine, ReadError for what it cannot read, such as an instrument's
    own project file, and for more than flow curves have.
    """
    name = printable(path)
    try:
        import python_calamine
    except ImportError:
        raise MissingDependencyError(
            f"{name}: is a workbook and needs python-calamine: pip install flowgrad[excel], or save its sheets as CSV"
        ) from None
    _check_size(path, name)
    try:
        # From a stream the kind is told by the content: exports have each other's endings.
        with path.open("rb") as stream, python_calamine.load_workbook(stream) as book:
            sheets = [
                (each, book.get_sheet_by_name(each).to_python(skip_empty_area=False)) for each in book.sheet_names
            ]
    except Exception as error:
        raise ReadError(
            f"{name}: cannot be read as a workbook ({type(error).__name__}: {error}): it may be damaged, locked by a "
            "password, or an instrument's own project: export its table as CSV or text"
        ) from None
    filled = [(title, cells) for title, cells in sheets if any(any(each != "" for each in row) for row in cells)]
    if not filled:
        raise ReadError(f"{name}: is empty: give a table of shear rates and stresses or viscosities")
    if (count := sum(len(cells) for _, cells in filled)) > MOST:
        raise ReadError(f"{name}: has {count} rows, too many for flow curves ({MOST}): give its table alone")
    return _rows(filled)


def _check_size(path: Path, name: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(each.file_size for each in archive.infolist())
    except (zipfile.BadZipFile, OSError):
        size = path.stat().st_size
    if size > _UNPACKED:
        raise ReadError(f"{name}: unpacks to {size / 1e6:.0f} MB, too much for a flow curve: give its table alone")


def _rows(sheets: list[tuple[str, list[list[Any]]]]) -> Iterator[Row]:
    for title, cells in sheets:
        if len(sheets) > 1:
            yield Row(0, ["[step]"])
            yield Row(0, [title])
        for number, row in enumerate(cells, 1):
            texts = [_text(each) for each in row]
            # Rows of numbers stay as wide as the sheet, for their last cells may be empty in all.
            while texts and not texts[-1] and not any(isinstance(each, (int, float)) for each in row):
                texts.pop()
            yield Row(number, texts)


def _text(value: Any) -> str:
    """A cell as text; numbers with a decimal point, whole ones without."""
    if isinstance(value, float) and not isinstance(value, bool):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return str(value).strip()
