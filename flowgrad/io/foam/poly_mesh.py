"""Mesh of OpenFOAM's polyMesh: faces between an owner and a neighbour become cells, in VTK's order of points.

Cells of the faces of a hexahedron, prism, pyramid or tetrahedron become that; others are polyhedra. A face's points are
so ordered that its normal points away from its owner (OpenFOAM User Guide, chapter 4.1).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flowgrad.compiled import called, kernel
from flowgrad.errors import ReadError
from flowgrad.mesh import CellFaces, Cells, Mesh
from flowgrad.mesh import cells as ragged
from flowgrad.typing import BoolArray, FloatArray, IntArray

_POLYHEDRON, _TRIANGLE, _QUAD, _POLYGON = 42, 5, 9, 7
# By VTK's type: points of a tetrahedron, hexahedron, prism and pyramid.
_POINTS = np.zeros(256, np.int64)
_POINTS[[10, 12, 13, 14]] = 4, 8, 6, 5


@dataclass(frozen=True, eq=False)
class PolyMesh:
    """Points (n, 3), faces (offsets and points), the owner of each and the neighbour of the first ones."""

    points: FloatArray
    offsets: IntArray
    corners: IntArray
    owner: IntArray
    neighbour: IntArray

    def __post_init__(self) -> None:
        faces, inner = len(self.offsets) - 1, len(self.neighbour)
        if len(self.owner) != faces or inner > faces:
            raise ReadError(f"has {faces} faces, {len(self.owner)} owners and {inner} neighbours: the mesh is damaged")
        for name, values, count in (
            ("faces", self.corners, len(self.points)),
            ("owner", self.owner, faces),
            ("neighbour", self.neighbour, self.count),
        ):
            low, high = values.min(initial=0), values.max(initial=0)
            if low < 0 or high >= max(count, 1):
                raise ReadError(f"'{name}' has the numbers {low} to {high} of {count}: the mesh is damaged")

    @cached_property
    def count(self) -> int:
        """Cells."""
        return int(self.owner.max(initial=-1)) + 1

    def mesh(self) -> Mesh:
        """The cells as a mesh, in the order of the case."""
        return Mesh(self.points, _cells(self))

    def patch(self, start: int, count: int) -> Mesh:
        """The faces from ``start`` on as a surface, with its own points."""
        if count < 0 or start < len(self.neighbour) or start + count > len(self.owner):
            raise ReadError(
                f"has a patch of the faces {start} to {start + count}; those of the boundary are "
                f"{len(self.neighbour)} to {len(self.owner)}: the mesh is damaged"
            )
        offsets = self.offsets[start : start + count + 1]
        used, corners = np.unique(self.corners[offsets[0] : offsets[-1]], return_inverse=True)
        sizes = np.diff(offsets)
        types = np.select([sizes == 3, sizes == 4], [_TRIANGLE, _QUAD], _POLYGON).astype(np.uint8)
        return Mesh(self.points[used], Cells(types, offsets - offsets[0], corners.reshape(-1)))


def _cells(given: PolyMesh) -> Cells:
    """All cells, those of known shapes in VTK's order of points, others as polyhedra."""
    count = given.count
    starts, face, outward = faces_of_cells(given.owner, given.neighbour, count)
    few = np.diff(starts) < 4
    if few.any():
        thin = int(np.argmax(few))
        raise ReadError(f"has {starts[thin + 1] - starts[thin]} faces at the cell {thin}: the mesh is damaged")
    types, nodes = known_shapes(given.offsets, given.corners, starts, face, outward)
    sizes = _POINTS[types]
    rows = np.flatnonzero(types == _POLYHEDRON)
    if not len(rows):
        filled = np.arange(8) < sizes[:, None]
        return Cells(types, ragged.offsets(sizes), nodes.ravel() if filled.all() else nodes[filled])
    points, counts, faces = _polyhedra(given, starts, face, outward, rows)
    sizes[rows] = counts
    offsets = ragged.offsets(sizes)
    connectivity = np.empty(offsets[-1], np.int64)
    connectivity[ragged.runs(offsets[rows], counts)] = points
    others = np.flatnonzero(types != _POLYHEDRON)
    filled = np.arange(8) < sizes[others, None]
    connectivity[ragged.runs(offsets[others], sizes[others])] = nodes[others][filled]
    return Cells(types, offsets, connectivity, faces)


@kernel()
def faces_of_cells(owner: IntArray, neighbour: IntArray, count: int) -> tuple[IntArray, IntArray, BoolArray]:
    """Where the faces of each cell begin in one list (count + 1,), the list, and whether each is the owner's."""
    starts = np.zeros(count + 1, np.int64)
    for cell in owner:
        starts[cell + 1] += 1
    for cell in neighbour:
        starts[cell + 1] += 1
    for cell in range(count):
        starts[cell + 1] += starts[cell]
    face, outward, filled = np.empty(starts[count], np.int64), np.empty(starts[count], np.bool_), starts[:-1].copy()
    for i in range(len(owner)):
        cell = owner[i]
        face[filled[cell]], outward[filled[cell]] = i, True
        filled[cell] += 1
    for i in range(len(neighbour)):
        cell = neighbour[i]
        face[filled[cell]], outward[filled[cell]] = i, False
        filled[cell] += 1
    return starts, face, outward


@called
def _corner(offsets: IntArray, corners: IntArray, face: int, outward: bool, i: int) -> int:
    """Point i of a face, in the order in which it is seen from outside its cell; i may be the number of its points."""
    size = offsets[face + 1] - offsets[face]
    i = 0 if i == size else i
    return corners[offsets[face] + (i if outward else size - 1 - i)]


@kernel()
def known_shapes(
    offsets: IntArray, corners: IntArray, starts: IntArray, face: IntArray, outward: BoolArray
) -> tuple[NDArray[np.uint8], IntArray]:
    """VTK's types of cells (n,), and the points (n, 8) of those that are no polyhedra."""
    count = len(starts) - 1
    types, nodes = np.full(count, np.uint8(42)), np.zeros((count, 8), np.int64)
    for cell in range(count):
        first, last = starts[cell], starts[cell + 1]
        triangles = quads = 0
        base = first
        for k in range(first, last):
            size = offsets[face[k] + 1] - offsets[face[k]]
            triangles += size == 3
            quads += size == 4
        if triangles + quads != last - first:
            continue
        if triangles == 0 and quads == 6:
            kind, width = 12, 4
        elif triangles == 2 and quads == 3:
            kind, width = 13, 3
        elif triangles == 4 and quads == 1:
            kind, width = 14, 4
        elif triangles == 4 and quads == 0:
            kind, width = 10, 3
        else:
            continue
        while offsets[face[base] + 1] - offsets[face[base]] != width:
            base += 1
        for i in range(width):
            # Seen from inside; vtkWedge's documentation says from outside, its shape functions have it so.
            nodes[cell, i] = _corner(offsets, corners, face[base], not outward[base], i)
        top = 1 if kind == 14 or kind == 10 else width
        good = True
        for i in range(width):
            found = 0
            above = -1
            for k in range(first, last):
                if k == base:
                    continue
                size = offsets[face[k] + 1] - offsets[face[k]]
                for j in range(size):
                    if _corner(offsets, corners, face[k], outward[k], j) != nodes[cell, i]:
                        continue
                    next_one = _corner(offsets, corners, face[k], outward[k], j + 1)
                    inside = False
                    for m in range(width):
                        inside |= next_one == nodes[cell, m]
                    if not inside:
                        found += 1
                        above = next_one
            good &= found == 1
            if top == 1:
                good &= i == 0 or above == nodes[cell, width]
                nodes[cell, width] = above
            else:
                for m in range(i):
                    good &= nodes[cell, width + m] != above
                nodes[cell, width + i] = above
        if good:
            types[cell] = kind
    return types, nodes


def _polyhedra(
    given: PolyMesh, starts: IntArray, face: IntArray, outward: BoolArray, rows: IntArray
) -> tuple[IntArray, IntArray, CellFaces]:
    """Points of some cells in one list, how many each has, and their faces, none of the others."""
    own = np.diff(starts)[rows]
    places = ragged.runs(starts[rows], own)
    faces, out = face[places], outward[places]
    sizes = np.diff(given.offsets)[faces]
    begin = given.offsets[faces] + np.where(out, 0, sizes - 1)
    along = ragged.runs(np.zeros(len(sizes), np.int64), sizes)
    corners = given.corners[np.repeat(begin, sizes) + np.repeat(np.where(out, 1, -1), sizes) * along]
    cell = np.repeat(np.repeat(np.arange(len(rows)), own), sizes)
    pairs = np.unique(cell * np.int64(len(given.points)) + corners)
    counts = np.zeros(len(starts) - 1, np.int64)
    counts[rows] = own
    return (
        pairs % len(given.points),
        np.bincount(pairs // len(given.points), minlength=len(rows)),
        CellFaces(corners, ragged.offsets(sizes), ragged.offsets(counts)),
    )
