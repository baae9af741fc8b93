"""Ghost and hidden points and cells by VTK's marks (vtkDataSetAttributes.h, VTK 9), and contents without them."""

from __future__ import annotations

import dataclasses
import logging

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import ReadError
from flowgrad.io.formats import Arrays, Contents
from flowgrad.mesh import CellFaces, Lattice, Mesh
from flowgrad.mesh import cells as ragged
from flowgrad.typing import BoolArray

log = logging.getLogger("flowgrad")

GHOSTS = "vtkGhostType"
# The older name, whose numbers count layers: every number but 0 is a copy.
_LEVELS = "vtkGhostLevels"
_COPY = 1
HIDDEN_POINT = 2
HIDDEN_CELL = 32 | 8  # hidden, and refined by cells elsewhere


def selected(contents: Contents, points: BoolArray, cells: BoolArray) -> Contents:
    """The marked points (n,) and cells (m,), in their order; the cells must use none but marked points."""
    if points.all() and cells.all():
        return contents
    number = np.cumsum(points) - 1
    chosen = np.flatnonzero(cells)
    taken = contents.mesh.cells.take(chosen)
    faces = contents.mesh.cells.polyhedra
    if faces is not None:
        faces = _faces_of(faces, chosen)
        faces = dataclasses.replace(faces, connectivity=number[faces.connectivity])
    kept = dataclasses.replace(taken, connectivity=number[taken.connectivity], polyhedra=faces)
    return dataclasses.replace(
        contents,
        mesh=Mesh(contents.mesh.points[points], kept),
        point_data={name: values[points] for name, values in contents.point_data.items()},
        cell_data={name: values[cells] for name, values in contents.cell_data.items()},
    )


def reordered(contents: Contents, order: NDArray[np.int64]) -> Contents:
    """The same with its cells in another order."""
    faces = contents.mesh.cells.polyhedra
    faces = None if faces is None else _faces_of(faces, order)
    cells = dataclasses.replace(contents.mesh.cells.take(order), polyhedra=faces)
    return dataclasses.replace(
        contents,
        mesh=Mesh(contents.mesh.points, cells),
        cell_data={name: values[order] for name, values in contents.cell_data.items()},
    )


def _faces_of(faces: CellFaces, cells: NDArray[np.int64]) -> CellFaces:
    counts = np.diff(faces.cell_offsets)[cells]
    chosen = ragged.runs(faces.cell_offsets[cells], counts)
    sizes = np.diff(faces.offsets)[chosen]
    connectivity = faces.connectivity[ragged.runs(faces.offsets[chosen], sizes)]
    return CellFaces(connectivity, ragged.offsets(sizes), ragged.offsets(counts))


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
    cells = cells | _any(points, contents.mesh)
    points = points | _only_of(cells, contents.mesh)
    log.info("%s: %d points and %d cells are blanked and left out", contents.source, points.sum(), cells.sum())
    told = where == "cells" or not (cells & ~_any(points, contents.mesh)).any()
    if (isinstance(contents.mesh, Lattice) and told) or not len(contents.mesh):
        return contents, np.where((cells if where == "cells" else points)[:, None], np.nan, velocity)
    kept = ~points if where == "points" else ~cells
    return selected(contents, ~points, ~cells), velocity[kept]


def _only_of(cells: BoolArray, mesh: Mesh) -> BoolArray:
    """Points (n,) of none but some cells, and of one at least."""
    others = np.zeros(mesh.point_count, bool)
    used = others.copy()
    used[mesh.cells.connectivity] = True
    others[mesh.cells.connectivity[np.repeat(~cells, np.diff(mesh.cells.offsets))]] = True
    return used & ~others


def _any(points: BoolArray, mesh: Mesh) -> BoolArray:
    """Cells with one of some points at least (n,)."""
    if not points.any():
        return np.zeros(len(mesh), bool)
    found = np.concatenate([[0], np.cumsum(points[mesh.cells.connectivity])])
    return np.diff(found[mesh.cells.offsets]) > 0
