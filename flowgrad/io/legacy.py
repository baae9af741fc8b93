"""Legacy VTK files (.vtk): by meshio, or by VTK where meshio does not know the kind or the version."""

from __future__ import annotations

import re
from pathlib import Path

from flowgrad.io.contents import Contents
from flowgrad.io.legacy_vtk import declared
from flowgrad.io.meshio_guard import read_with_meshio
from flowgrad.io.naming import naming
from flowgrad.io.vtk_readers import read_with_vtk

_VERSION = re.compile(rb"#\s*vtk DataFile Version\s+(\d+)")
_DATASET = re.compile(rb"^\s*DATASET\s+(\w+)", re.MULTILINE | re.IGNORECASE)


def read_legacy(path: Path) -> Contents:
    """Everything in a legacy file. Poly data, and grids of version 5, need VTK.

    Raises ReadError for a file that is damaged or from which something would be left out, and
    MissingDependencyError where it needs VTK and that is not there.
    """
    with path.open("rb") as file:
        head = file.read(4096)
    version, kind = _VERSION.match(head), _DATASET.search(head)
    name = kind[1].upper() if kind else b""
    if name == b"POLYDATA" or (version and int(version[1]) >= 5 and name not in (b"", b"UNSTRUCTURED_GRID")):
        with naming(path):
            said = declared(path)
            said.check_size(path.stat().st_size)
        contents = read_with_vtk(path)
        with naming(path):
            said.check(contents)
        return contents
    return read_with_meshio(path)
