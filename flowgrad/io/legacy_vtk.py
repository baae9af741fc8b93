"""Legacy VTK files (.vtk): read by meshio, or by VTK where meshio does not know the kind or the version.

What a file declares is compared with what was read, and field data are read here: meshio drops those that stand before
the points, where OpenFOAM and VTK write the time.
"""

from __future__ import annotations

import dataclasses
import logging
import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

import numpy as np

from flowgrad.errors import MissingDependencyError, ReadError
from flowgrad.io.formats import Arrays, Contents, naming, native, register_format, whole
from flowgrad.io.legacy_counts import check_numbers
from flowgrad.io.meshio_formats import read_with_meshio
from flowgrad.io.vtk_library import vtk_steps

log = logging.getLogger("flowgrad")

_SIZES = {"char": 1, "short": 2, "int": 4, "long": 8}
_TYPES = {
    "float": ">f4",
    "double": ">f8",
    **{name: f">i{size}" for name, size in _SIZES.items()},
    **{f"unsigned_{name}": f">u{size}" for name, size in _SIZES.items()},
    "vtktypeint64": ">i8",
    "vtktypeuint64": ">u8",
    # VTK writes its own ids as 32 bits.
    "vtkidtype": ">i4",
}

# Lines that say how much there is. Binary data between them match only by a very odd chance.
_LINE = re.compile(
    rb"^(?:(POINTS|CELL_TYPES|POINT_DATA|CELL_DATA)[ \t]+(\d+)"
    rb"|DIMENSIONS[ \t]+(\d+)[ \t]+(\d+)[ \t]+(\d+)"
    rb"|(?:SCALARS|VECTORS|TENSORS)[ \t]+(\S+)[ \t]+\w+"
    rb"|(\S+)[ \t]+(\d+)[ \t]+(\d+)[ \t]+(" + "|".join(_TYPES).encode() + rb")[ \t]*\r?\n)",
    re.MULTILINE | re.IGNORECASE,
)

_VERSION = re.compile(rb"#\s*vtk DataFile Version\s+(\d+)")
_DATASET = re.compile(rb"^\s*DATASET\s+(\w+)", re.MULTILINE | re.IGNORECASE)


@dataclass
class LegacyHeader:
    """Numbers of points and cells, names of arrays by section, and the field data themselves."""

    points: int | None = None
    cells: int | None = None
    names: dict[str, set[str]] = field(default_factory=lambda: {"": set(), "POINT_DATA": set(), "CELL_DATA": set()})
    field_data: Arrays = field(default_factory=dict)

    def check_size(self, size: int) -> None:
        """ReadError where a file of so many bytes cannot hold what it declares: a velocity takes 3 at least."""
        for what, count in (("points", self.points), ("cells", self.cells)):
            if count is not None and count > size:
                raise ReadError(f"declares {count} {what} but has {size} bytes: the file is cut off or damaged")

    def checked(self, contents: Contents) -> Contents:
        """What was read, under the names that are meant; ReadError names what is missing."""
        pairs = ("points", self.points, len(contents.mesh.points)), ("cells", self.cells, len(contents.mesh))
        for what, count, found in pairs:
            if count not in (None, found):
                raise ReadError(f"declares {count} {what} but {found} were read: convert it to .vtu")
        for section, arrays in (("POINT_DATA", contents.point_data), ("CELL_DATA", contents.cell_data)):
            missing = sorted(self.names[section] - set(map(unquote, arrays)))
            if missing:
                raise ReadError(f"declares '{missing[0]}' in {section} but it was not read: convert it to .vtu")
        # VTK writes blanks and the like in names as %20.
        point_data, cell_data = (
            {unquote(name): values for name, values in arrays.items()}
            for arrays in (contents.point_data, contents.cell_data)
        )
        return dataclasses.replace(contents, point_data=point_data, cell_data=cell_data)


def declared(data: bytes) -> LegacyHeader:
    """Read what a file declares, without its mesh."""
    result, section = LegacyHeader(), ""
    for match in _LINE.finditer(data):
        keyword = (match[1] or b"").decode().upper()
        if keyword.endswith("_DATA"):
            section = keyword
        elif keyword or match[3]:
            _count(result, keyword, match)
        else:
            name = unquote((match[6] or match[7]).decode(errors="replace"))
            result.names[section].add(name)
            if not section and match[7]:
                result.field_data |= _field(name, match, data)
    return result


def _count(result: LegacyHeader, keyword: str, match: re.Match[bytes]) -> None:
    if keyword == "POINTS":
        result.points = whole(match[2])
    elif keyword == "CELL_TYPES":
        result.cells = whole(match[2])
    else:
        dimensions = [whole(match[i]) for i in (3, 4, 5)]
        result.points = math.prod(dimensions)
        result.cells = math.prod(max(count - 1, 1) for count in dimensions)


def _field(name: str, match: re.Match[bytes], data: bytes) -> Arrays:
    components, tuples, dtype = whole(match[8]), whole(match[9]), np.dtype(_TYPES[match[10].decode().lower()])
    count = components * tuples
    try:
        if count > len(data):
            raise ValueError
        if b"BINARY" in data[: match.start()].upper().split(b"\n", 3)[2]:
            values = np.frombuffer(data, dtype, count, match.end())
        else:
            values = np.array(data[match.end() :].split(None, count)[:count], np.float64).astype(dtype)
        return {name: native(values.reshape(tuples, components) if components > 1 else values)}
    except (ValueError, IndexError):
        raise ReadError(f"field data '{name}' are not {count} numbers: the file is damaged") from None


def read_legacy(path: Path) -> Contents:
    """Everything in a legacy file, through meshio; of poly data, of grids of version 5 and of what meshio does not
    read through VTK.

    Raises ReadError for a file that is damaged or from which something would be left out, and
    MissingDependencyError where it needs VTK and that is not there.
    """
    data = path.read_bytes()
    with naming(path):
        said = declared(data)
        said.check_size(len(data))
        if data[:1000].count(b"\n") > 2 and data[:1000].upper().split(b"\n", 3)[2].strip() == b"ASCII":
            check_numbers(data)
    version, kind = _VERSION.match(data), _DATASET.search(data[:4096])
    name = kind[1].upper() if kind else b""
    if name == b"POLYDATA" or (version and int(version[1]) >= 5 and name not in (b"", b"UNSTRUCTURED_GRID")):
        return _through_vtk(path, said)
    try:
        contents = read_with_meshio(path, field_data=said.field_data)
        with naming(path):
            return said.checked(contents)
    except ReadError as error:
        reason = error
    try:
        contents = _through_vtk(path, said)
    except MissingDependencyError as error:
        raise ReadError(f"{reason}; or install flowgrad[vtk], through which more forms are read") from error
    except ReadError as error:
        raise ReadError(f"{reason}; VTK: {str(error).removeprefix(f'{path}: ')}") from None
    log.info("%s: read through VTK, because %s", path, reason)
    return contents


def _through_vtk(path: Path, said: LegacyHeader) -> Contents:
    contents = vtk_steps(path)[-1].contents()
    with naming(path):
        return said.checked(contents)


register_format(
    (".vtk",),
    reader=read_legacy,
    keeps="points, cells, point data, cell data, field data, time",
    needs={"vtkmodules": "flowgrad[vtk]"},
    needs_for="grids of version 5",
)
