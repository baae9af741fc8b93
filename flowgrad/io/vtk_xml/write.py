"""Writer of unstructured grids of VTK XML (.vtu): appended raw, uncompressed, as ParaView opens it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.files import replacing
from flowgrad.io.node_order import DEGREES, LAGRANGE_HEXAHEDRON
from flowgrad.io.vtk_xml.polyhedra import to_stream
from flowgrad.mesh import Mesh

Values = Mapping[str, ArrayLike]

_KINDS = {"f": "Float", "i": "Int", "u": "UInt"}
_HEAD = (
    '<?xml version="1.0"?>\n'
    '<VTKFile type="UnstructuredGrid" version="{version}" byte_order="LittleEndian" header_type="UInt64">\n'
)
# ParaView shows these instead of 0 to 8.
TENSOR = " ".join(f'ComponentName{i}="{name}"' for i, name in enumerate(f"{a}{b}" for a in "XYZ" for b in "XYZ"))


@dataclass
class _Layout:
    """The XML as it grows, and the arrays that follow it in the same order."""

    version: str = "1.0"
    lines: list[str] = field(default_factory=list)
    arrays: list[np.ndarray] = field(default_factory=list)
    offset: int = 0

    @contextmanager
    def element(self, tag: str, attributes: str = "") -> Iterator[None]:
        self.lines.append(f"<{tag}{attributes}>\n")
        yield
        self.lines.append(f"</{tag}>\n")

    def add(self, name: str, values: np.ndarray, extra: str = "") -> None:
        kind = f"{_KINDS[values.dtype.kind]}{8 * values.dtype.itemsize}"
        components = values.shape[1] if values.ndim > 1 else 1
        self.lines.append(
            f'<DataArray type="{kind}" Name="{escape(name)}" NumberOfComponents="{components}" '
            f'format="appended" offset="{self.offset}"{extra}{" " + TENSOR if components == 9 else ""}/>\n'
        )
        self.arrays.append(values)
        self.offset += 8 + values.nbytes


def write_vtu(
    path: Path,
    mesh: Mesh,
    point_data: Values | None = None,
    cell_data: Values | None = None,
    field_data: Values | None = None,
) -> None:
    """Write a mesh and its arrays: point data (n_points, …), cell data (n_cells, …), field data of any
    length, ``TimeValue`` among them for the time.

    Values are (n,), (n, k) or tensors (n, 3, 3), which become 9 components row by row; types are
    kept, bool becomes UInt8. The file appears complete or not at all. Raises OptionError for an
    array of another length or shape or without a numeric type, WriteError if the file cannot be
    written.
    """
    layout = _Layout("2.1" if (mesh.cells.types == LAGRANGE_HEXAHEDRON).any() else "1.0")
    degrees = mesh.cells.degrees
    with layout.element("UnstructuredGrid"):
        _add_section(layout, "FieldData", _checked(field_data, None, "field"))
        with layout.element("Piece", f' NumberOfPoints="{len(mesh.points)}" NumberOfCells="{len(mesh)}"'):
            _add_section(layout, "PointData", _checked(point_data, len(mesh.points), "points"))
            cell_arrays = dict(cell_data or {}) | ({} if degrees is None else {DEGREES: degrees.astype(float)})
            marked = "" if degrees is None else f' {DEGREES}="{DEGREES}"'
            _add_section(layout, "CellData", _checked(cell_arrays, len(mesh), "cells"), marked)
            _add_section(layout, "Points", {"Points": mesh.points})
            _add_section(layout, "Cells", _cell_arrays(mesh))
    with replacing(Path(path)) as handle:
        _write(handle, layout)


def _write(handle: BinaryIO, layout: _Layout) -> None:
    handle.write(
        (_HEAD.format(version=layout.version) + "".join(layout.lines) + '<AppendedData encoding="raw">\n_').encode()
    )
    for values in layout.arrays:
        handle.write(values.nbytes.to_bytes(8, "little"))
        if values.size:
            handle.write(values.data.cast("B"))
    handle.write(b"\n</AppendedData>\n</VTKFile>\n")


def _add_section(layout: _Layout, tag: str, arrays: Mapping[str, np.ndarray], attributes: str = "") -> None:
    with layout.element(tag, attributes):
        for name, values in arrays.items():
            layout.add(name, values, f' NumberOfTuples="{len(values)}"' if tag == "FieldData" else "")


def _checked(data: Values | None, count: int | None, location: str) -> dict[str, np.ndarray]:
    """Arrays as they are written, (n,) or (n, k) of a type that VTK has."""
    return {name: _flat(name, values, count, location) for name, values in (data or {}).items()}


def _flat(name: str, values: ArrayLike, count: int | None, location: str) -> np.ndarray:
    array = np.atleast_1d(np.asarray(values))
    if array.dtype.kind not in "fiub":
        raise OptionError(f"'{name}' on {location} has the type {array.dtype}: give real numbers")
    if count is not None and len(array) != count:
        raise OptionError(f"'{name}' has {len(array)} rows but there are {count} {location}: give one for each")
    if array.ndim > 3 or (array.ndim > 1 and not all(array.shape[1:])):
        raise OptionError(f"'{name}' on {location} has the shape {array.shape}: give (n,), (n, k) or (n, 3, 3)")
    if array.ndim == 3:
        array = array.reshape(len(array), array.shape[1] * array.shape[2])
    # The array's own type wherever VTK has it, little-endian.
    dtype = array.dtype.newbyteorder("<")
    if dtype.kind == "b":
        dtype = np.dtype(np.uint8)
    elif dtype.kind == "f":
        dtype = np.dtype("<f4" if dtype.itemsize <= 4 else "<f8")
    return np.ascontiguousarray(array, dtype)


def _cell_arrays(mesh: Mesh) -> dict[str, np.ndarray]:
    cells = mesh.cells
    arrays = {
        "connectivity": _narrow(cells.connectivity),
        "offsets": _narrow(cells.offsets[1:]),
        "types": np.ascontiguousarray(cells.types),
    }
    if cells.polyhedra is not None:
        faces, ends = to_stream(cells.polyhedra, cells.types)
        arrays |= {"faces": _narrow(faces), "faceoffsets": _narrow(ends)}
    return arrays


def _narrow(values: np.ndarray) -> np.ndarray:
    """Int32 where the numbers fit (less to write and to read), else Int64."""
    fits = not len(values) or max(values.max(), -values.min()) <= np.iinfo(np.int32).max
    return np.ascontiguousarray(values, "<i4" if fits else "<i8")
