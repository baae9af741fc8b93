"""Every cell's own faces as flat arrays, from the face tables of the reference cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from flowgrad.mesh.mesh import CellFaces
from flowgrad.mesh.ragged import offsets, runs
from flowgrad.typing import IntArray

if TYPE_CHECKING:
    from flowgrad.mesh.mesh import Block, Cells, Mesh


def cell_faces(mesh: Mesh) -> CellFaces:
    """Faces of all cells of dimension 1 to 3, cell after cell; vertices have none."""
    parts = [_block_faces(mesh, block) for block in mesh.blocks]
    parts = [part for part in parts if len(part[0])]
    if len(parts) == 1 and len(parts[0][0]) == len(mesh):
        _, counts, sizes, connectivity = parts[0]
        return CellFaces(connectivity, offsets(sizes), offsets(counts))
    return _interleave(parts, len(mesh))


Part = tuple[IntArray, IntArray, IntArray, IntArray]


def _block_faces(mesh: Mesh, block: Block) -> Part:
    """Cells, faces of each cell, points of each face, and these points, of one block."""
    cells = mesh.cells
    if block.reference.faces:
        return _from_table(cells, block)
    if block.reference.name == "polyhedron":
        return _from_polyhedra(mesh, block)
    if block.reference.name == "polygon":
        return _from_polygons(cells, block)
    if block.reference.name == "poly_line":
        return _from_poly_lines(cells, block)
    none = np.empty(0, np.int64)
    return none, none, none, none


def _from_table(cells: Cells, block: Block) -> Part:
    assert block.rows is not None
    table = block.reference.faces
    count = len(block.cells)
    sizes = np.tile(np.array([len(face) for face in table], np.int64), count)
    flat = np.array([local for face in table for local in face])
    return block.cells, np.full(count, len(table)), sizes, block.rows[:, flat].ravel()


def _from_polyhedra(mesh: Mesh, block: Block) -> Part:
    from flowgrad.mesh.orientation import turned_alike

    faces = mesh.cells.polyhedra
    assert faces is not None
    counts = np.diff(faces.cell_offsets)[block.cells]
    chosen = runs(faces.cell_offsets[block.cells], counts)
    sizes = np.diff(faces.offsets)[chosen]
    return block.cells, counts, sizes, turned_alike(faces, mesh.points)[runs(faces.offsets[chosen], sizes)]


def _from_polygons(cells: Cells, block: Block) -> Part:
    """Each edge from a point to the next, the last one back to the first."""
    starts = cells.offsets[block.cells]
    sizes = np.diff(cells.offsets)[block.cells]
    here = runs(starts, sizes)
    following = here + 1
    ends = np.cumsum(sizes)
    following[ends[sizes > 0] - 1] = starts[sizes > 0]
    edges = np.column_stack([cells.connectivity[here], cells.connectivity[following]])
    return block.cells, sizes, np.full(len(here), 2), edges.ravel()


def _from_poly_lines(cells: Cells, block: Block) -> Part:
    """The two ends of the line."""
    ends = np.column_stack([cells.offsets[block.cells], cells.offsets[block.cells + 1] - 1])
    count = len(block.cells)
    return block.cells, np.full(count, 2), np.ones(2 * count, np.int64), cells.connectivity[ends].ravel()


def _interleave(parts: list[Part], cell_count: int) -> CellFaces:
    """Blocks back in the order of the cells in the file."""
    counts = np.zeros(cell_count, np.int64)
    for cells, block_counts, _, _ in parts:
        counts[cells] = block_counts
    cell_offsets = offsets(counts)
    slots = [runs(cell_offsets[cells], block_counts) for cells, block_counts, _, _ in parts]
    sizes = np.zeros(cell_offsets[-1], np.int64)
    for slot, part in zip(slots, parts, strict=True):
        sizes[slot] = part[2]
    face_offsets = offsets(sizes)
    connectivity = np.empty(face_offsets[-1], np.int64)
    for slot, part in zip(slots, parts, strict=True):
        connectivity[runs(face_offsets[slot], part[2])] = part[3]
    return CellFaces(connectivity, face_offsets, cell_offsets)
