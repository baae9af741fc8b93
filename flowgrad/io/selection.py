"""A part of what was read: some of the points and cells, with their arrays."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from flowgrad.io.contents import Contents
from flowgrad.mesh import CellFaces, Cells, Mesh, ragged
from flowgrad.typing import BoolArray


def selected(contents: Contents, points: BoolArray, cells: BoolArray) -> Contents:
    """The marked points (n,) and cells (m,), in their order; the cells must use none but marked points."""
    if points.all() and cells.all():
        return contents
    number = np.cumsum(points) - 1
    chosen = np.flatnonzero(cells)
    taken = contents.mesh.cells.take(chosen)
    faces = contents.mesh.cells.polyhedra
    kept = dataclasses.replace(
        taken,
        connectivity=number[taken.connectivity],
        polyhedra=None if faces is None else _renumbered(_faces_of(faces, chosen), number),
    )
    return dataclasses.replace(
        contents,
        mesh=Mesh(contents.mesh.points[points], kept),
        point_data={name: values[points] for name, values in contents.point_data.items()},
        cell_data={name: values[cells] for name, values in contents.cell_data.items()},
    )


def reordered(contents: Contents, order: NDArray[np.int64]) -> Contents:
    """The same with its cells in another order."""
    cells: Cells = contents.mesh.cells.take(order)
    faces = contents.mesh.cells.polyhedra
    return dataclasses.replace(
        contents,
        mesh=Mesh(
            contents.mesh.points,
            dataclasses.replace(cells, polyhedra=None if faces is None else _faces_of(faces, order)),
        ),
        cell_data={name: values[order] for name, values in contents.cell_data.items()},
    )


def _faces_of(faces: CellFaces, cells: NDArray[np.int64]) -> CellFaces:
    counts = np.diff(faces.cell_offsets)[cells]
    chosen = ragged.runs(faces.cell_offsets[cells], counts)
    sizes = np.diff(faces.offsets)[chosen]
    connectivity = faces.connectivity[ragged.runs(faces.offsets[chosen], sizes)]
    return CellFaces(connectivity, ragged.offsets(sizes), ragged.offsets(counts))


def _renumbered(faces: CellFaces, number: NDArray[np.int64]) -> CellFaces:
    return dataclasses.replace(faces, connectivity=number[faces.connectivity])
