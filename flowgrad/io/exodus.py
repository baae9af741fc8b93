"""Exodus II (.e, .exo, .ex2): all times, read with netCDF4 in a process of its own.

Layout: Schoof & Yarberry 1994, SAND92-2137. Blocks of elements become cells in the order of the file, the cell array
``block`` has their ids; variables of nodes, elements and of the whole become point, cell and field data.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.formats import Contents, Step, naming, register_format
from flowgrad.io.meshio_formats import contents_of_parts
from flowgrad.io.netcdf import opened
from flowgrad.io.subprocess_reader import guarded

# Names of elements begin so; the number of their nodes says the rest. The types are called as in meshio.
_LINES, _TRIANGLES = {2: "line", 3: "line3"}, {3: "triangle", 6: "triangle6", 7: "triangle7"}
_QUADS = {3: "triangle", 4: "quad", 8: "quad8", 9: "quad9"}
_ELEMENTS: dict[str, dict[int, str]] = {
    "SPHERE": {1: "vertex"},
    "CIRCLE": {1: "vertex"},
    **dict.fromkeys(("BAR", "BEAM", "TRUSS", "EDGE"), _LINES),
    "TRI": _TRIANGLES,
    "QUAD": _QUADS,
    "SHELL": _QUADS,
    "TET": {4: "tetra", 10: "tetra10"},
    "PYR": {5: "pyramid", 13: "pyramid13", 14: "pyramid14"},
    "WED": {6: "wedge6", 15: "wedge15", 18: "wedge18"},
    "HEX": {8: "hexahedron", 20: "hexahedron20", 27: "hexahedron27"},
}
_PREFIX = re.compile("|".join(sorted(_ELEMENTS, key=len, reverse=True)))


def exodus_steps(path: Path) -> Sequence[Step]:
    """The times of a file; one step without them.

    Steps raise ReadError for elements that are not read, by name and count.
    """
    with naming(path):
        times = guarded("netCDF4", "flowgrad.io.exodus:times_in", path)
    return [Step(path, time, partial(_read, path, number)) for number, time in enumerate(times)]


def _read(path: Path, number: int) -> Contents:
    with naming(path):
        parts = guarded("netCDF4", "flowgrad.io.exodus:parts_in", path, number)
        return dataclasses.replace(contents_of_parts(path, parts), time=parts["time"])


def times_in(path: Path) -> list[float | None]:
    """The times in a file; run by the worker."""
    with opened(path) as data:
        if "time_whole" not in data.variables:
            return [None]
        return [float(time) for time in data.variables["time_whole"][:]] or [None]


def parts_in(path: Path, number: int) -> dict[str, Any]:
    """The mesh and the arrays at one time, as meshio's worker sends them; run by the worker."""
    with opened(path) as data:
        variables = data.variables
        blocks = sorted(int(name[7:]) for name in variables if re.fullmatch(r"connect\d+", name))
        cells = [_block(variables[f"connect{block}"]) for block in blocks]
        _check_count(data, cells)
        _check_named(variables)
        ids = variables["eb_prop1"][:].tolist() if "eb_prop1" in variables else blocks
        cell_data = {"block": [np.full(len(rows), ids[i]) for i, (_, _, rows) in enumerate(cells)]} if cells else {}
        cell_data |= _element_data(variables, number, blocks, [len(rows) for _, _, rows in cells])
        times = variables.get("time_whole")
        fields, names = {}, _names(variables, "glo")
        if names and "vals_glo_var" in variables:
            values = np.ma.filled(variables["vals_glo_var"][number], np.nan)
            fields = {name: np.atleast_1d(value) for name, value in zip(names, values, strict=True)}
        return {
            "points": _points(variables),
            "cells": cells,
            "point_data": _node_data(variables, number),
            "cell_data": cell_data,
            "field_data": fields,
            "time": None if times is None or not len(times) else float(times[number]),
        }


def _check_count(data: Any, cells: list[tuple[str, int, np.ndarray]]) -> None:
    found = sum(count for _, count, _ in cells)
    declared = data.dimensions["num_elem"].size if "num_elem" in data.dimensions else 0
    if found != declared:
        raise ReadError(f"declares {declared} elements and has {found} in its blocks: the file is damaged")


def _check_named(variables: Any) -> None:
    """ReadError for values of a variable without a name, which could not be kept."""
    found = filter(None, (re.fullmatch(r"vals_(nod|elem)_var(\d*)(?:eb\d+)?", name) for name in variables))
    for match in found:
        count = len(_names(variables, match[1]))
        if count < int(match[2] or 1):
            raise ReadError(f"has the values {match[0]} and {count} names of such variables: the file is damaged")


def _points(variables: Any) -> np.ndarray:
    """Positions of the nodes (n, 2 or 3)."""
    if "coord" in variables:
        return np.asarray(variables["coord"][:].T, np.float64)
    axes = [np.asarray(variables[name][:], np.float64) for name in ("coordx", "coordy", "coordz") if name in variables]
    if len(axes) < 2:
        raise ReadError("has no coordinates of its nodes in two directions: it is not a mesh")
    return np.column_stack(axes)


def _block(variable: Any) -> tuple[str, int, np.ndarray]:
    """Type, number and the nodes, from 0, of a block's elements."""
    name = str(getattr(variable, "elem_type", "")).upper()
    rows = np.asarray(variable[:], np.int64)
    match = _PREFIX.match(name)
    kind = _ELEMENTS[match[0]].get(rows.shape[-1]) if match and rows.ndim == 2 else None
    if kind is None:
        raise ReadError(f"has {len(rows)} elements {name} of {rows.shape[-1]} nodes, which are not read: convert them")
    return kind, len(rows), rows - 1


def _names(variables: Any, kind: str) -> list[str]:
    if f"name_{kind}_var" not in variables:
        return []
    rows = np.ma.filled(variables[f"name_{kind}_var"][:], b"")
    names = [b"".join(row.tolist()).split(b"\0")[0].decode(errors="replace").strip() for row in rows]
    if not all(names) or len(set(names)) < len(names):
        raise ReadError(f"names its variables {', '.join(map(repr, names))}: each needs a name of its own")
    return names


def _values(variables: Any, name: str, number: int, index: int) -> np.ndarray | None:
    """Values of one variable at one time, in either of the two layouts; None where there are none."""
    if f"{name}{index + 1}" in variables:
        return np.ma.filled(variables[f"{name}{index + 1}"][number], np.nan)
    if name in variables:
        return np.ma.filled(variables[name][number, index], np.nan)
    return None


def _node_data(variables: Any, number: int) -> dict[str, np.ndarray]:
    found = {}
    for index, name in enumerate(_names(variables, "nod")):
        values = _values(variables, "vals_nod_var", number, index)
        if values is None:
            raise ReadError(f"names the variable '{name}' and has no values of it: the file is damaged")
        found[name] = values
    return found


def _element_data(variables: Any, number: int, blocks: list[int], counts: list[int]) -> dict[str, list[np.ndarray]]:
    """Values of the elements by block, NaN in blocks that do not have the variable."""
    result = {}
    for index, name in enumerate(_names(variables, "elem")):
        keys = [f"vals_elem_var{index + 1}eb{block}" for block in blocks]
        result[name] = [
            np.ma.filled(variables[key][number], np.nan) if key in variables else np.full(count, np.nan)
            for key, count in zip(keys, counts, strict=True)
        ]
    return result


register_format(
    (".e", ".exo", ".ex2", ".exii", ".g"),
    steps=exodus_steps,
    keeps="points, cells, point data, cell data, field data, times",
    needs={"netCDF4": "flowgrad[netcdf]"},
)
