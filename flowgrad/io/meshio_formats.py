"""Formats that meshio reads (AVS, HMF, MED, MOAB, TetGen), through a process of their own.

meshio may print, call ``sys.exit``, raise anything, crash in a C library or never return; here all of
that becomes one ReadError. Cells or arrays that it leaves out silently are an error too, as
far as the file tells how many there are.
"""

from __future__ import annotations

import builtins
import io
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.formats import Arrays, Contents, naming, native, register_format, time_of
from flowgrad.io.node_order import WEDGE, in_vtk_order
from flowgrad.io.subprocess_reader import guarded
from flowgrad.mesh import LAGRANGE_CELLS, REFERENCE_CELLS, Cells, Mesh
from flowgrad.mesh.reference.cell import VTK
from flowgrad.mesh.reference.lagrange import lagrange_cell

log = logging.getLogger("flowgrad")

# Of the suffixes of meshio 5.3 those that flowgrad does not read itself (.vtu: meshio misplaces the data of
# polyhedra), that no other reader knows better (.cgns, Exodus) and of which meshio reads a velocity. Legacy VTK and
# Tecplot's zones of elements come here too, through their own modules.
SUFFIXES = (".avs", ".ele", ".h5m", ".hmf", ".med", ".node")
# meshio's names of cells, and their VTK numbers; the wedge too as Exodus and VTK number it.
TYPES = {kind.meshio: int(kind) for kind in VTK if kind.meshio} | {"pyramid14": 74, "wedge6": 13}
# Some of meshio's readers ask for the next line for ever at the end of a file that was cut off.
_PATIENCE = 100


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


# What is looked at before meshio reads, because it does not.
_CHECKS: dict[str, Callable[[Path], None]] = {".node": check_rows, ".ele": check_rows}


def read_with_meshio(path: Path, timeout: float | None = None, field_data: Arrays | None = None) -> Contents:
    """Everything that meshio finds in a file, and ``field_data`` that it does not find; 2-D points get z = 0.

    Raises ReadError with a one-line reason if meshio fails in any way, takes longer than ``timeout``
    seconds (default: that of :func:`guarded`), finds cells that are not supported or leaves out what the file declares.
    """
    with naming(path):
        if path.suffix.lower() in _CHECKS:
            _CHECKS[path.suffix.lower()](path)
        parts = guarded("meshio", "flowgrad.io.meshio_formats:parts", path, timeout=timeout)
        return contents_of_parts(path, parts, field_data)


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
    blocks = []
    for name, _, rows in parts["cells"]:
        vtk_type = TYPES[name]
        if vtk_type in LAGRANGE_CELLS:
            rows = in_vtk_order(lagrange_cell(vtk_type, rows.shape[1]), points, rows)
        elif REFERENCE_CELLS[vtk_type].is_curved:
            rows = in_vtk_order(REFERENCE_CELLS[vtk_type], points, rows)
        blocks.append((vtk_type, rows[:, WEDGE] if name == "wedge" else rows))
    return Mesh(points, _cells(blocks))


def _check_types(blocks: list[tuple[str, int, np.ndarray | None]]) -> None:
    unknown: dict[str, int] = {}
    for name, count, rows in blocks:
        is_odd = rows is None or rows.ndim != 2 or (name == "wedge" and rows.shape[1] != len(WEDGE))
        if is_odd or name not in TYPES:
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


def parts(path: Path) -> dict[str, Any]:
    """The points, cells and arrays that meshio finds in a file."""
    import meshio

    builtins.open = _opened
    return parts_of(meshio.read(str(path)))


class _Ending:
    """A file that raises EOFError where lines are read on and on behind its end."""

    empty = 0

    def readline(self, size: int = -1, /) -> Any:
        line = super().readline(size)  # type: ignore[misc]
        self.empty = 0 if line else self.empty + 1
        if self.empty > _PATIENCE:
            raise EOFError("it ends too early")
        return line


class _Bytes(_Ending, io.BufferedReader):  # type: ignore[misc]
    """Of bytes."""


class _Text(_Ending, io.TextIOWrapper):  # type: ignore[misc]
    """Of text."""


def _opened(file: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
    """A file, as by ``open``, that raises EOFError where lines are read on and on behind its end."""
    if mode not in ("r", "rb") or rest:
        return open(file, mode, *rest, **more)
    binary = _Bytes(io.FileIO(file))
    return binary if mode == "rb" else _Text(binary, **more)


def parts_of(mesh: Any) -> dict[str, Any]:
    """The same of a meshio.Mesh."""
    return {
        "points": np.asarray(mesh.points),
        "cells": [(str(block.type), len(block.data), _array(block.data, "iu")) for block in mesh.cells],
        "point_data": {name: np.asarray(values) for name, values in mesh.point_data.items()},
        "cell_data": {name: [np.asarray(part) for part in parts] for name, parts in mesh.cell_data.items()},
        "field_data": {name: _array(values, "fiub") for name, values in mesh.field_data.items()},
    }


def _array(data: Any, kinds: str) -> np.ndarray | None:
    """An array of some kinds of numbers; None for others, and for lists of different lengths."""
    try:
        array = np.asarray(data)
    except ValueError:
        return None
    return array if array.dtype.kind in kinds else None


register_format(
    SUFFIXES,
    reader=read_with_meshio,
    keeps="points, cells, point data, cell data",
    needs={"h5py": "flowgrad[hdf5]"},
    needs_for="HDF5",
)
