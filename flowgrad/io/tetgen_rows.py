"""TetGen's files (.node, .ele): meshio does not look at what stands behind the rows that the first line announces.

Layout: Si 2020, TetGen user's manual 1.6, sections 5.2.1 and 5.2.2.
"""

from __future__ import annotations

from pathlib import Path

from flowgrad.errors import ReadError


def check_rows(path: Path) -> None:
    """ReadError where the .node or the .ele file of this name has more or fewer rows than its first line says."""
    for file in (path.with_suffix(".node"), path.with_suffix(".ele")):
        if file.is_file():
            _check(file)


def _check(file: Path) -> None:
    rows = [line for line in file.read_bytes().splitlines() if line.split(b"#")[0].strip()]
    declared = rows[0].split()[0] if rows else b""
    said = declared.decode() if declared.isdigit() and len(declared) < 20 else "no number"
    if said != str(len(rows) - 1):
        raise ReadError(
            f"'{file.name}' declares {said} of rows and has {max(len(rows) - 1, 0)}: the file is damaged or was cut off"
        )
