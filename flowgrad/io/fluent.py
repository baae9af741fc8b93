"""Fluent's .cas with the .dat beside it: whether its sections are whole; VTK takes what there is, without a word.

Layout: Ansys Fluent user's guide 2022 R1, appendix B, "Case and data file formats".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from flowgrad.errors import ReadError
from flowgrad.io.naming import naming

_TEXT = re.compile(rb'"[^"]*"')
# Sections of binary numbers have indices from 2000 on, and an end of their own.
_BINARY = re.compile(rb"^\((?:20|30|[23]3)\d\d\s*\(", re.MULTILINE)
_END = b"End of Binary Section"
_SECTION = re.compile(rb"\(\s*\d+\s")
_VALUES = re.compile(rb"\(\s*300\s*\((?:\s*\d+){7}\s*\)\s*\(")


def check_sections(path: Path) -> None:
    """ReadError where brackets do not match or hold no section, in either file; in binary ones, where one has no
    end."""
    for file in (path, path.with_suffix(".dat")):
        if file.is_file():
            with naming(file):
                _check(file.read_bytes())


def _check(data: bytes) -> None:
    begun, ended = len(_BINARY.findall(data)), data.count(_END)
    if begun > ended:
        raise ReadError(f"has {begun} binary sections and {ended} ends of such: the file was cut off")
    if ended:
        return
    for section in _sections(_TEXT.sub(b"", data)):
        is_values = re.match(rb"\(\s*300\s", section)
        if not (_VALUES if is_values else _SECTION).match(section):
            said = section[:40].decode("latin-1").split("\n")[0]
            raise ReadError(f"has '{said}' where a section should begin: the file is damaged")


def _sections(data: bytes) -> Iterator[bytes]:
    """What stands between brackets that are in no others; ReadError where they do not match, and for more."""
    depth = start = stop = 0
    for match in re.finditer(rb"[()]", data):
        depth += 1 if match[0] == b"(" else -1
        if depth == 1 and match[0] == b"(":
            start = match.start()
            if data[stop:start].strip():
                raise ReadError("has something between two sections: the file is damaged")
        if depth == 0:
            stop = match.end()
            yield data[start : start + 200]
        if depth < 0:
            break
    if depth or data[stop:].strip():
        raise ReadError("has brackets that do not match: the file is damaged or was cut off")
