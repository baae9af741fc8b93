"""Cells cut into simplices so that neighbours of all types fit each other.

Faces are fanned from their lowest-numbered vertex, whichever cell they are seen from. A convex standard cell is
cut into tetrahedra from its own lowest-numbered vertex to the triangles of the faces that do not contain it
(Dompierre, Labbé, Vallet & Camarero 1999, How to subdivide pyramids, prisms and hexahedra into tetrahedra, 8th
International Meshing Roundtable); all others from a point added at the mean of their vertices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flowgrad.mesh import Mesh, families
from flowgrad.mesh.mesh import Block
from flowgrad.mesh.orientation import turned_alike
from flowgrad.mesh.ragged import offsets, runs
from flowgrad.typing import BoolArray, FloatArray, IntArray

# A simplex of less than this fraction of the product of its edges is flat, or would be but for float32 coordinates:
# its cell is cut from its centre instead.
THIN = 1e-6
# Cells or simplices worked on together, so that what is needed for each does not fill the memory.
_AT_ONCE = 1 << 17


@dataclass(eq=False)
class Pieces:
    """Simplices collected block by block: ``corners`` (k, d + 1) and the cells (k,) that they are cut from.

    Vertices of the ``centred`` cells (c,), which have an added point, are listed in ``around``; the added points are
    numbered −1, −2, … until all are known.
    """

    corners: list[IntArray] = field(default_factory=list)
    owners: list[IntArray] = field(default_factory=list)
    centred: list[IntArray] = field(default_factory=list)
    around: list[IntArray] = field(default_factory=list)
    sizes: list[IntArray] = field(default_factory=list)

    def add(self, corners: IntArray, owners: IntArray) -> None:
        """Simplices, but for those with a corner twice: collapsed faces and cells have such."""
        ordered = np.sort(corners, axis=1)
        proper = (ordered[:, 1:] != ordered[:, :-1]).all(axis=1)
        self.corners.append(corners[proper])
        self.owners.append(owners[proper])

    def add_centred(
        self, cells: IntArray, around: IntArray, sizes: IntArray, facets: IntArray, owner: IntArray
    ) -> None:
        """Simplices from the centres of cells to the ``facets`` (t, d) of the cells ``cells[owner]``."""
        first = -1 - sum(len(each) for each in self.centred)
        self.centred.append(cells)
        self.around.append(around)
        self.sizes.append(sizes)
        self.add(np.column_stack([first - owner, facets]), cells[owner])


def cut(mesh: Mesh) -> Pieces:
    """The cells of full dimension of a solid or planar mesh as simplices."""
    pieces = Pieces()
    for block in mesh.blocks:
        if block.reference.dimension == mesh.dimension:
            (_cut_solids if mesh.dimension == 3 else _cut_surfaces)(mesh, block, pieces)
    return pieces


def _cut_solids(mesh: Mesh, block: Block, pieces: Pieces) -> None:
    if block.rows is None:
        _cut_polyhedra(mesh, block, pieces)
    elif block.reference.family is families.TETRA:
        pieces.add(block.rows[:, :4], block.cells)
    else:
        rows, faces = _corners(block)
        for part in _portions(np.arange(len(rows))):
            _cut_standard(mesh, block.cells[part], rows[part], faces, pieces)


def _portions(array: NDArray[np.integer]) -> list[NDArray[np.integer]]:
    return np.array_split(array, 1 + len(array) // _AT_ONCE)


def _corners(block: Block) -> tuple[IntArray, tuple[tuple[int, ...], ...]]:
    """The corners of the cells (m, c), without the other nodes of curved ones, and the faces between them."""
    assert block.rows is not None
    reference = block.reference
    if reference.family is None or not reference.is_curved:
        return block.rows, reference.faces
    return block.rows[:, : len(reference.family.corners)], reference.family.faces


def _cut_standard(
    mesh: Mesh, cells: IntArray, rows: IntArray, faces: tuple[tuple[int, ...], ...], pieces: Pieces
) -> None:
    """From the lowest vertex where all its tetrahedra have an extent and one orientation, else from the centre."""
    facets = np.concatenate([fanned(rows[:, list(face)]) for face in faces], axis=1)
    lowest = rows.min(axis=1)
    cell, own = np.nonzero((facets != lowest[:, None, None]).all(axis=2) & _proper(facets))
    corners = np.column_stack([lowest[cell], facets[cell, own]])
    from_lowest = ~_is_spoilt(mesh.points, corners, cell, len(rows))
    good = from_lowest[cell]
    pieces.add(corners[good], cells[cell[good]])
    rest = np.flatnonzero(~from_lowest)
    if len(rest):
        owner = np.repeat(np.arange(len(rest)), facets.shape[1])
        sizes = np.full(len(rest), rows.shape[1])
        pieces.add_centred(cells[rest], rows[rest].ravel(), sizes, facets[rest].reshape(-1, 3), owner)


def _proper(facets: IntArray) -> BoolArray:
    """Triangles (…, 3) with three different corners."""
    a, b, c = np.moveaxis(facets, -1, 0)
    return np.asarray((a != b) & (b != c) & (c != a))


def fanned(rings: IntArray) -> IntArray:
    """Triangles (m, s − 2, 3) of polygons (m, s), from their lowest-numbered points."""
    size = rings.shape[1]
    turns = (rings.argmin(axis=1)[:, None] + np.arange(size)) % size
    turned = np.take_along_axis(rings, turns, axis=1)
    first = np.broadcast_to(turned[:, :1], (len(rings), size - 2))
    return np.stack([first, turned[:, 1:-1], turned[:, 2:]], axis=2)


def _is_spoilt(points: FloatArray, corners: IntArray, owner: IntArray, count: int) -> BoolArray:
    """Cells (count,) some of whose simplices are flat or turned against the others."""
    volumes, scale = sizes(points, corners)
    turn = np.sign(np.bincount(owner, volumes, count))[owner]
    spoilt = np.zeros(count, bool)
    spoilt[owner[~(volumes * turn > THIN * scale)]] = True
    return spoilt


def sizes(
    points: FloatArray, corners: NDArray[np.integer], normal: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Signed volumes of tetrahedra (k,) times 6, or areas of triangles times 2 about a normal, and the products of
    the lengths of the edges at the first corner."""
    parts = [_sizes(points, part, normal) for part in _portions(corners)]
    return np.concatenate([volumes for volumes, _ in parts]), np.concatenate([lengths for _, lengths in parts])


def _sizes(
    points: FloatArray, corners: NDArray[np.integer], normal: FloatArray | None
) -> tuple[FloatArray, FloatArray]:
    edges = points[corners[:, 1:]] - points[corners[:, :1]]
    lengths = np.sqrt((edges**2).sum(axis=2)).prod(axis=1)
    third = edges[:, 2] if normal is None else normal
    return np.asarray((np.cross(edges[:, 0], edges[:, 1]) * third).sum(axis=1)), lengths


def _cut_polyhedra(mesh: Mesh, block: Block, pieces: Pieces) -> None:
    faces = mesh.cells.polyhedra
    assert faces is not None
    counts = np.diff(faces.cell_offsets)[block.cells]
    chosen = runs(faces.cell_offsets[block.cells], counts)
    facets, ring = _fans(turned_alike(faces, mesh.points), faces.offsets[chosen], np.diff(faces.offsets)[chosen])
    owner = np.repeat(np.arange(len(block.cells)), counts)[ring]
    pieces.add_centred(block.cells, *_listed(mesh, block), facets, owner)


def _listed(mesh: Mesh, block: Block) -> tuple[IntArray, IntArray]:
    """The points of cells one after another, and their numbers."""
    start, size = mesh.cells.offsets[block.cells], np.diff(mesh.cells.offsets)[block.cells]
    return mesh.cells.connectivity[runs(start, size)], size


def _fans(connectivity: IntArray, start: IntArray, size: IntArray) -> tuple[IntArray, IntArray]:
    """Triangles (t, 3) of polygons of any size, from their lowest-numbered points, and their polygons (t,)."""
    ring = np.flatnonzero(size >= 3)
    start, size = start[ring], size[ring]
    own = connectivity[runs(start, size)]
    ends = offsets(size)
    lows = np.repeat(np.minimum.reduceat(own, ends[:-1]), size) if len(own) else own
    place = np.where(own == lows, np.arange(len(own)), len(own))
    first = np.minimum.reduceat(place, ends[:-1]) - ends[:-1] if len(own) else place
    which = np.repeat(np.arange(len(ring)), size - 2)
    step = runs(np.ones(len(ring), np.int64), size - 2)
    turns = [first[which], first[which] + step, first[which] + step + 1]
    return np.column_stack([own[ends[which] + turn % size[which]] for turn in turns]), ring[which]


def _cut_surfaces(mesh: Mesh, block: Block, pieces: Pieces) -> None:
    if block.rows is None:
        _cut_polygons(mesh, block, pieces)
    elif block.reference.family is families.TRIANGLE:
        pieces.add(block.rows[:, :3], block.cells)
    else:
        rows, faces = _corners(block)
        for triangles in _halves(mesh.points, rows[:, [face[0] for face in faces]]):
            pieces.add(triangles, block.cells)


def _halves(points: FloatArray, rings: IntArray) -> Iterator[IntArray]:
    """Quadrilaterals (m, 4) in ring order along the diagonal from their lowest vertex, or the other one where only
    that lies within."""
    turned = np.take_along_axis(rings, (rings.argmin(axis=1)[:, None] + np.arange(4)) % 4, axis=1)
    a, b, c, d = points[turned].transpose(1, 0, 2)
    along = (np.cross(b - a, c - a) * np.cross(c - a, d - a)).sum(axis=1)
    across = (np.cross(b - a, d - a) * np.cross(c - b, d - b)).sum(axis=1)
    scale = ((c - a) ** 2).sum(axis=1) * ((d - b) ** 2).sum(axis=1)
    other = (along <= THIN * scale) & (across > along)
    turned[other] = np.roll(turned[other], -1, axis=1)
    yield turned[:, [0, 1, 2]]
    yield turned[:, [0, 2, 3]]


def _cut_polygons(mesh: Mesh, block: Block, pieces: Pieces) -> None:
    around, size = _listed(mesh, block)
    ends = offsets(size)
    following = np.arange(1, len(around) + 1)
    following[ends[1:][size > 0] - 1] = ends[:-1][size > 0]
    owner = np.repeat(np.arange(len(size)), size)
    pieces.add_centred(block.cells, around, size, np.column_stack([around, around[following]]), owner)
