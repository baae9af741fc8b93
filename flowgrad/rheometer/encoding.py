"""The bytes of an exported table as text: UTF-8, UTF-16 or Latin-1, or the reason why they are none."""

from __future__ import annotations

import codecs
from pathlib import Path

from flowgrad.errors import ReadError
from flowgrad.files import printable

# No table of a rheometer is longer; a longer file is something else.
LARGEST = 64_000_000
_LOOKED_AT = 65536
_MARKS = {codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_ALIEN = {
    b"PK\x03\x04": "an Excel or OpenDocument workbook: save its sheet as CSV (UTF-8) and give that",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook or a rheometer's own project: export the table as CSV or text",
    b"%PDF": "a PDF: export the table as CSV or text",
}
# Control characters that text has: tab, line feed, form feed, carriage return, and the old end of file.
_CONTROLS = bytes(set(range(32)) - {9, 10, 12, 13, 26})


def read_text(path: Path) -> str:
    """The text of a file. Raises ReadError for a file that cannot be opened, is empty, is too large or is no text."""
    name = printable(path)
    try:
        size = path.stat().st_size
        if size > LARGEST:
            raise ReadError(f"{name}: has {size / 1e6:.0f} MB, too much for a flow curve: give its table alone")
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ReadError(f"{name}: cannot be read ({reason}): check its name and its permissions") from None
    return decoded(data, name)


def decoded(data: bytes, name: str = "the table") -> str:
    """Bytes as text; ReadError, with the file's ``name``, for bytes that are none."""
    for magic, what in _ALIEN.items():
        if data.startswith(magic):
            raise ReadError(f"{name}: is {what}")
    encoding = next((each for mark, each in _MARKS.items() if data.startswith(mark)), None) or _without_mark(data)
    if encoding is None:
        raise ReadError(f"{name}: is binary, not text: export the table as CSV or text")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        # Windows-1252 has no character for five bytes; Latin-1 has one for each.
        text = data.decode("cp1252", "replace") if encoding == "utf-8" else ""
    if not text.strip("\ufeff\x00\x1a \t\r\n"):
        raise ReadError(f"{name}: is empty: give a table of shear rates and stresses or viscosities")
    return text


def _without_mark(data: bytes) -> str | None:
    """The encoding of bytes without a mark; None for what is no text."""
    start = data[:_LOOKED_AT]
    if b"\x00" in start:
        even, odd = start[::2].count(0), start[1::2].count(0)
        half = len(start) // 2
        if max(even, odd) > 0.5 * half and min(even, odd) < 0.05 * half:
            return "utf-16-le" if odd > even else "utf-16-be"
        return None
    controls = len(start) - len(start.translate(None, _CONTROLS))
    return None if controls > 0.01 * len(start) else "utf-8"
