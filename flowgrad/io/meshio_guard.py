"""Formats that meshio reads, through a process of their own.

meshio may print, call ``sys.exit``, raise anything, crash in a C library or never return; here all of
that becomes one ReadError. Cells or arrays that it leaves out without a word are an error too, as
far as the file tells how many there are.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io import legacy_vtk
from flowgrad.io.contents import Arrays, Contents, native
from flowgrad.io.gmsh_sections import check_sections
from flowgrad.io.guarded import guarded
from flowgrad.io.naming import naming
from flowgrad.io.node_order import in_vtk_order
from flowgrad.io.tetgen_rows import check_rows
from flowgrad.io.vtu import time_of
from flowgrad.mesh import LAGRANGE_CELLS, REFERENCE_CELLS, Cells, Mesh
from flowgrad.mesh.reference.lagrange import lagrange_cell

log = logging.getLogger("flowgrad")

# Of the suffixes of meshio 5.3 those that flowgrad does not read itself (.vtu: meshio misplaces the data of
# polyhedra), that no other reader knows better (.cgns, Exodus) and of which meshio reads a velocity.
SUFFIXES = (".avs", ".dat", ".ele", ".h5m", ".hmf", ".med", ".msh", ".node", ".tec", ".vtk")

# What is looked at before meshio reads, because it does not.
_CHECKS: dict[str, Callable[[Path], None]] = {".msh": check_sections, ".node": check_rows, ".ele": check_rows}

# meshio's names of the cells that flowgrad differentiates, and their VTK numbers.
TYPES = {
    "vertex": 1,
    "line": 3,
    "triangle": 5,
    "polygon": 7,
    "pixel": 8,
    "quad": 9,
    "tetra": 10,
    "hexahedron": 12,
    "wedge": 13,
    "pyramid": 14,
    "penta_prism": 15,
    "hexa_prism": 16,
    "line3": 21,
    "triangle6": 22,
    "quad8": 23,
    "tetra10": 24,
    "hexahedron20": 25,
    "wedge15": 26,
    "pyramid13": 27,
    "quad9": 28,
    "hexahedron27": 29,
    "quad6": 30,
    "wedge12": 31,
    "wedge18": 32,
    "hexahedron24": 33,
    "triangle7": 34,
    "line4": 35,
    "pyramid14": 74,
    # As Exodus numbers it, and VTK.
    "wedge6": 13,
    **{f"VTK_{kind.name.upper()}": kind.vtk_type for kind in LAGRANGE_CELLS.values()},
}
# meshio's wedge is Gmsh's, whose first triangle looks inward.
WEDGE = [0, 2, 1, 3, 5, 4]


def read_with_meshio(path: Path, timeout: float | None = None) -> Contents:
    """Everything that meshio finds in a file; 2-D points get z = 0.

    Raises ReadError with a one-line reason if meshio fails in any way, takes longer than ``timeout``
    seconds (default: that of :func:`guarded`), finds cells that are not supported or leaves out what the file declares.
    """
    with naming(path):
        declared = legacy_vtk.declared(path) if path.suffix.lower() == ".vtk" else legacy_vtk.Declared()
        declared.check_size(path.stat().st_size)
        if path.suffix.lower() in _CHECKS:
            _CHECKS[path.suffix.lower()](path)
        parts = guarded("meshio", "flowgrad.io.meshio_worker:parts", path, timeout=timeout)
        contents = contents_of_parts(path, parts, declared.field_data)
        declared.check(contents)
    return contents


def contents_of_parts(path: Path, parts: dict[str, Any], field_data: Arrays | None = None) -> Contents:
    """The Contents of what the worker finds, with more field data; ReadError for what makes no mesh."""
    fields = (field_data or {}) | _numeric(parts["field_data"], path)
    contents = Contents(
        _mesh(parts),
        path,
        _numeric(parts["point_data"], path),
        _numeric({name: np.concatenate(blocks) for name, blocks in parts["cell_data"].items()}, path),
        fields,
        time_of(fields),
    )
    _check_lengths(contents)
    return contents


def _mesh(parts: dict[str, Any]) -> Mesh:
    points = parts["points"]
    if points.ndim == 2 and points.shape[1] == 2:
        points = np.column_stack([points, np.zeros(len(points))])
    if points.ndim != 2 or points.dtype.kind not in "fiu":
        raise ReadError(f"has points of the shape {points.shape} and type {points.dtype}: convert it to .vtu")
    _check_types(parts["cells"])
    blocks = [(TYPES[name], rows[:, WEDGE] if name == "wedge" else rows) for name, _, rows in parts["cells"]]
    return Mesh(points, _cells([(vtk_type, _vtk_order(vtk_type, points, rows)) for vtk_type, rows in blocks]))


def _vtk_order(vtk_type: int, points: np.ndarray, rows: np.ndarray) -> np.ndarray:
    if vtk_type not in LAGRANGE_CELLS and not REFERENCE_CELLS[vtk_type].is_curved:
        return rows
    cell = lagrange_cell(vtk_type, rows.shape[1]) if vtk_type in LAGRANGE_CELLS else REFERENCE_CELLS[vtk_type]
    return in_vtk_order(cell, points, rows)


def _check_types(blocks: list[tuple[str, int, np.ndarray | None]]) -> None:
    unknown: dict[str, int] = {}
    for name, count, rows in blocks:
        if name not in TYPES or rows is None or (name == "wedge" and rows.shape[1] != len(WEDGE)):
            unknown[name] = unknown.get(name, 0) + count
    if unknown:
        listed = ", ".join(f"{count} of the type {name}" for name, count in unknown.items())
        raise ReadError(f"has cells that are not read through meshio ({listed}): convert it to .vtu")


def _cells(blocks: list[tuple[int, np.ndarray]]) -> Cells:
    if not blocks:
        return Cells.empty()
    sizes = np.concatenate([np.full(len(rows), rows.shape[1], np.int64) for _, rows in blocks])
    return Cells(
        np.concatenate([np.full(len(rows), vtk_type, np.uint8) for vtk_type, rows in blocks]),
        np.concatenate([[0], np.cumsum(sizes)]),
        np.concatenate([rows.ravel() for _, rows in blocks]).astype(np.int64),
    )


def _numeric(arrays: dict[str, np.ndarray | None], path: Path) -> Arrays:
    kept: Arrays = {}
    for name, values in arrays.items():
        if values is None or values.dtype.kind not in "fiub":
            log.info("%s: '%s' is not numeric and is left out", path, name)
        else:
            kept[str(name)] = _flat(values)
    return kept


def _flat(values: np.ndarray) -> np.ndarray:
    """Scalars as (n,), tensors (n, 3, 3) as (n, 9)."""
    if values.ndim < 2:
        return native(values)
    rows = values.reshape(len(values), int(np.prod(values.shape[1:])))
    return native(rows[:, 0] if rows.shape[1] == 1 else rows)


def _check_lengths(contents: Contents) -> None:
    counts = (
        ("point", contents.point_data, len(contents.mesh.points)),
        ("cell", contents.cell_data, len(contents.mesh)),
    )
    for location, arrays, count in counts:
        for name, values in arrays.items():
            if values.ndim < 1 or len(values) != count:
                raise ReadError(
                    f"meshio gives {values.shape} values of '{name}' for {count} {location}s: convert it to .vtu"
                )
