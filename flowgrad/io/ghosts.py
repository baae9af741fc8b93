"""VTK's marks of ghosts: copies that another piece owns, and what is blanked (vtkDataSetAttributes.h, VTK 9)."""

from __future__ import annotations

import logging

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.contents import Arrays, Contents
from flowgrad.io.selection import selected
from flowgrad.mesh import Lattice, Mesh
from flowgrad.typing import BoolArray

log = logging.getLogger("flowgrad")

GHOSTS = "vtkGhostType"
# The older name, whose numbers count layers: every number but 0 is a copy.
_LEVELS = "vtkGhostLevels"
_COPY = 1
HIDDEN_POINT = 2
HIDDEN_CELL = 32 | 8  # hidden, and refined by cells elsewhere


def copies(data: Arrays, count: int) -> BoolArray:
    """Points or cells (count,) that another piece owns."""
    if GHOSTS not in data and _LEVELS in data:
        return marks_of(data, _LEVELS, count) > 0
    return (marks_of(data, GHOSTS, count) & _COPY) > 0


def marks_of(data: Arrays, name: str, count: int) -> np.ndarray:
    """Marks (count,) of an array, zeros where it is not there; ReadError for one that is no list of marks."""
    marks = data.get(name)
    if marks is None:
        return np.zeros(count, np.uint8)
    if marks.ndim != 1 or marks.dtype.kind not in "iu":
        raise ReadError(f"'{name}' is {marks.dtype} {marks.shape}, not one whole number each: the file is damaged")
    return marks


def without_hidden(contents: Contents, velocity: np.ndarray, where: str) -> tuple[Contents, np.ndarray]:
    """The contents and the velocity (n, 3) at ``points`` or ``cells`` without what the file blanks.

    A cell with a hidden corner is hidden, and so is a point of none but hidden cells. On a lattice the
    velocity is NaN there; where that does not tell the hidden cells apart, and on other meshes, the
    mesh goes without them.
    """
    points = (marks_of(contents.point_data, GHOSTS, contents.mesh.point_count) & HIDDEN_POINT) > 0
    cells = (marks_of(contents.cell_data, GHOSTS, len(contents.mesh)) & HIDDEN_CELL) > 0
    if not points.any() and not cells.any():
        return contents, velocity
    points, cells = _closed(points, cells, contents.mesh)
    log.info("%s: %d points and %d cells are blanked and left out", contents.source, points.sum(), cells.sum())
    told = where == "cells" or not (cells & ~_any(points, contents.mesh)).any()
    if (isinstance(contents.mesh, Lattice) and told) or not len(contents.mesh):
        return contents, np.where((cells if where == "cells" else points)[:, None], np.nan, velocity)
    kept = ~points if where == "points" else ~cells
    return selected(contents, ~points, ~cells), velocity[kept]


def _closed(points: BoolArray, cells: BoolArray, mesh: Mesh) -> tuple[BoolArray, BoolArray]:
    """With the cells that have a hidden corner, and the points of none but hidden cells."""
    cells = cells | _any(points, mesh)
    seen, used = np.zeros(len(points), bool), np.zeros(len(points), bool)
    sizes = np.diff(mesh.cells.offsets)
    used[mesh.cells.connectivity] = True
    seen[mesh.cells.connectivity[np.repeat(~cells, sizes)]] = True
    return points | (used & ~seen), cells


def _any(points: BoolArray, mesh: Mesh) -> BoolArray:
    """Cells with one of some points at least (n,)."""
    if not points.any():
        return np.zeros(len(mesh), bool)
    found = np.concatenate([[0], np.cumsum(points[mesh.cells.connectivity])])
    return np.diff(found[mesh.cells.offsets]) > 0
