"""Conforming decomposition of a mesh into triangles or tetrahedra, and their neighbours.

Faces are fanned from their lowest-numbered vertex, whichever cell they are seen from. A convex standard cell is
cut into tetrahedra from its own lowest-numbered vertex to the triangles of the faces that do not contain it
(Dompierre, Labbé, Vallet & Camarero 1999, How to subdivide pyramids, prisms and hexahedra into tetrahedra, 8th
International Meshing Roundtable); all others from a point added at the mean of their vertices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from flowgrad.compiled import inlined, kernel
from flowgrad.errors import MeshError
from flowgrad.mesh.bounding_tree import BoxTree
from flowgrad.mesh.cells import Block, Cells, offsets, runs, successor, take
from flowgrad.mesh.faces import turned_alike
from flowgrad.mesh.geometry import FLAT_CELL
from flowgrad.mesh.lattice import RING, Lattice
from flowgrad.mesh.mesh import Mesh
from flowgrad.mesh.planar import FLAT
from flowgrad.mesh.reference import shapes
from flowgrad.mesh.reference.cell import VTK
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
    elif block.reference.family is shapes.TETRA:
        pieces.add(block.rows[:, :4], block.cells)
    else:
        rows, faces = _corners(block)
        for part in np.array_split(np.arange(len(rows)), 1 + len(rows) // _AT_ONCE):
            _cut_standard(mesh, block.cells[part], rows[part], faces, pieces)


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
    a, b, c = np.moveaxis(facets, -1, 0)
    proper = (a != b) & (b != c) & (c != a)
    cell, own = np.nonzero((facets != lowest[:, None, None]).all(axis=2) & proper)
    corners = np.column_stack([lowest[cell], facets[cell, own]])
    volumes, scale = sizes(mesh.points, corners)
    turn = np.sign(np.bincount(cell, volumes, len(rows)))[cell]
    from_lowest = np.ones(len(rows), bool)
    from_lowest[cell[~(volumes * turn > THIN * scale)]] = False
    good = from_lowest[cell]
    pieces.add(corners[good], cells[cell[good]])
    rest = np.flatnonzero(~from_lowest)
    if len(rest):
        owner = np.repeat(np.arange(len(rest)), facets.shape[1])
        count = np.full(len(rest), rows.shape[1])
        pieces.add_centred(cells[rest], rows[rest].ravel(), count, facets[rest].reshape(-1, 3), owner)


def fanned(rings: IntArray) -> IntArray:
    """Triangles (m, s − 2, 3) of polygons (m, s), from their lowest-numbered points."""
    size = rings.shape[1]
    turns = (rings.argmin(axis=1)[:, None] + np.arange(size)) % size
    turned = np.take_along_axis(rings, turns, axis=1)
    first = np.broadcast_to(turned[:, :1], (len(rings), size - 2))
    return np.stack([first, turned[:, 1:-1], turned[:, 2:]], axis=2)


def sizes(
    points: FloatArray, corners: NDArray[np.integer], normal: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Signed volumes of tetrahedra (k,) times 6, or areas of triangles times 2 about a normal, and the products of
    the lengths of the edges at the first corner."""
    volumes, lengths = np.empty(len(corners)), np.empty(len(corners))
    for part in np.array_split(np.arange(len(corners)), 1 + len(corners) // _AT_ONCE):
        edges = points[corners[part, 1:]] - points[corners[part, :1]]
        lengths[part] = np.sqrt((edges**2).sum(axis=2)).prod(axis=1)
        third = edges[:, 2] if normal is None else normal
        volumes[part] = (np.cross(edges[:, 0], edges[:, 1]) * third).sum(axis=1)
    return volumes, lengths


def _cut_polyhedra(mesh: Mesh, block: Block, pieces: Pieces) -> None:
    faces = mesh.cells.polyhedra
    assert faces is not None
    chosen, counts = faces.of(block.cells)
    facets, ring = _fans(turned_alike(faces, mesh.points), faces.offsets[chosen], np.diff(faces.offsets)[chosen])
    owner = np.repeat(np.arange(len(block.cells)), counts)[ring]
    start, around = take(mesh.cells.offsets, mesh.cells.connectivity, block.cells)
    pieces.add_centred(block.cells, around, np.diff(start), facets, owner)


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
        start, around = take(mesh.cells.offsets, mesh.cells.connectivity, block.cells)
        sides = np.column_stack([around, around[successor(start)]])
        owner = np.repeat(np.arange(len(block.cells)), np.diff(start))
        pieces.add_centred(block.cells, around, np.diff(start), sides, owner)
    elif block.reference.family is shapes.TRIANGLE:
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


def without_seams(mesh: Mesh) -> Mesh:
    """The same points with cells between the last and the first ones of a lattice's axes that close there; any other
    mesh as it is. An axis whose last points repeat its first leaves no gap, and one that goes on displaced no
    neighbours."""
    if not isinstance(mesh, Lattice) or not mesh.is_curved:
        return mesh
    open_ends = [a for a in mesh.active if mesh.axes[a].period == mesh.shape[a] and not mesh.shifts[a].any()]
    if not open_ends or mesh.dimension < 2:
        return mesh
    index = mesh.grid(np.arange(mesh.point_count))
    for a in open_ends:
        index = np.concatenate([index, np.take(index, [0], axis=a)], axis=a)
    index = index.squeeze()
    corners = [
        index[tuple(slice(c >> a & 1, n - 1 + (c >> a & 1)) for a, n in enumerate(index.shape))].ravel()
        for c in RING[: 2**index.ndim]
    ]
    kind = VTK.QUAD if index.ndim == 2 else VTK.HEXAHEDRON
    return Mesh(mesh.points, Cells.of_type(kind, np.stack(corners, axis=1)))


@dataclass(frozen=True, eq=False)
class Simplices:
    """The cells of full dimension d of a mesh, cut into simplices that fit each other across all types of cells.

    ``points`` (n + c, 3) are the mesh's, and after them one within each of the cells ``centred`` (c,), at the mean of
    the ``around[start[i]:start[i + 1]]``. ``corners`` (k, d + 1) are turned to positive volumes; ``owners`` (k,) are
    the cells. ``folded`` (k,) are simplices that had another orientation than the rest of their cell, which they
    overlap: only badly warped or concave cells have any; ``flat`` (k,) those without an extent, or with one that is
    rounding, which no position is in. ``normal`` (3,) is that of a planar mesh, zero for a solid. ``plates`` (p, 2) are
    simplices, and the corners opposite to faces of theirs on plates of no thickness.
    """

    points: FloatArray
    corners: NDArray[np.int32]
    owners: IntArray
    centred: IntArray
    start: IntArray
    around: IntArray
    normal: FloatArray
    folded: BoolArray
    flat: BoolArray
    plates: IntArray

    def __len__(self) -> int:
        return len(self.corners)

    @property
    def dimension(self) -> int:
        """3 for tetrahedra, 2 for triangles."""
        return self.corners.shape[1] - 1

    @cached_property
    def measures(self) -> FloatArray:
        """Volume or area of each simplex (k,)."""
        normal = self.normal if self.dimension == 2 else None
        return np.abs(sizes(self.points, self.corners, normal)[0]) / (6 if self.dimension == 3 else 2)

    @cached_property
    def neighbours(self) -> NDArray[np.int32]:
        """The simplex across the face opposite each corner (k, d + 1), −1 at the boundary of the mesh, −2 where it
        is flat and −3 at plates, behind which the mesh goes on; flat ones have no neighbours."""
        # A power of two with room to spare.
        size = 1 << int(np.ceil(np.log2(1.25 * self.corners.size + 2)))
        found: NDArray[np.int32] = across_faces(self.corners, size)
        found[self.flat] = -1
        found[(found >= 0) & self.flat[found]] = -2
        found[tuple(self.plates.T)] = -3
        return found

    @cached_property
    def tree(self) -> BoxTree:
        """Finds the simplices around a position, those that are not flat."""
        kept = np.flatnonzero(~self.flat)
        low, high = self.points[self.corners[kept, 0]], self.points[self.corners[kept, 0]]
        for corner in self.corners[kept, 1:].T:
            np.minimum(low, self.points[corner], out=low)
            np.maximum(high, self.points[corner], out=high)
        # Points of planar meshes may lie off their plane by as much.
        reach = 2 * FLAT * np.abs(self.normal) * np.ptp(low, axis=0).max(initial=0)
        return BoxTree.of(low - reach, high + reach, kept)

    @cached_property
    def on_boundary(self) -> NDArray[np.uint8]:
        """Which edges lie in faces of the boundary (k,): bit i for the i-th of the pairs of corners 01, 02, …"""
        beyond = np.argwhere(np.isin(self.neighbours, (-1, -3)) & ~self.flat[:, None])
        facets = [np.delete(self.corners[beyond[beyond[:, 1] == i, 0]], i, axis=1) for i in range(self.dimension + 1)]
        edges = np.concatenate([self._keys(facet) for facet in facets]).ravel()
        touching = np.zeros(len(self.points), bool)
        touching[np.concatenate([facet.ravel() for facet in facets])] = True
        near = np.flatnonzero(touching[self.corners].sum(axis=1) > 1)
        bits = np.isin(self._keys(self.corners[near]), edges)
        result = np.zeros(len(self), np.uint8)
        result[near] = bits @ (1 << np.arange(bits.shape[1]))
        return result

    def _keys(self, corners: NDArray[np.int32]) -> IntArray:
        """A number for each edge (k, …) of simplices."""
        first, second = np.triu_indices(corners.shape[1], 1)
        ends = np.sort(np.stack([corners[:, first], corners[:, second]]).astype(np.int64), axis=0)
        return np.asarray(ends[0] * len(self.points) + ends[1])

    def means(self, values: FloatArray) -> FloatArray:
        """Means (c, …) of values at the ``around`` points over those around each added point."""
        if not len(self.centred):
            return values[:0]
        count = np.diff(self.start).reshape(-1, *(1,) * (values.ndim - 1))
        return np.asarray(np.add.reduceat(values, self.start[:-1]) / count)


_known: WeakKeyDictionary[Mesh, Simplices] = WeakKeyDictionary()


def simplices_of(mesh: Mesh) -> Simplices:
    """The simplices of a mesh, made once and kept as long as the mesh.

    Of curved cells they fill the straight cells between the same corners; a curvilinear lattice that closes upon itself
    has cells over its seam too, numbered as if it were a mesh of its own. Raises MeshError for scattered points, lines
    and surfaces that are curved in space.
    """
    if mesh not in _known:
        normal, whole = normal_of_motion(mesh), without_seams(mesh)
        _known[mesh] = _assembled(whole, cut(whole), normal)
    return _known[mesh]


def normal_of_motion(mesh: Mesh) -> FloatArray:
    """The unit normal (3,) of a planar mesh, zero for a solid; MeshError for scattered points, lines and surfaces that
    are curved in space."""
    if mesh.dimension < 2:
        what = "lines" if mesh.dimension else "points without cells"
        raise MeshError(f"the mesh has only {what}, and nothing for particles to move in: give surface or solid cells")
    if mesh.dimension == 2:
        found = mesh.structure.normal
        if found is None:
            raise MeshError(
                "the mesh is a surface that is curved in space: particles move in solid cells or in a plane; "
                "give one of these"
            )
        return found
    return np.zeros(3)


def _assembled(mesh: Mesh, pieces: Pieces, normal: FloatArray) -> Simplices:
    none = np.empty(0, np.int64)
    start = offsets(np.concatenate([none, *pieces.sizes]))
    around = np.concatenate([none, *pieces.around])
    points, count = mesh.points, len(mesh.points)
    if len(around):
        means = np.add.reduceat(points[around], start[:-1]) / np.diff(start)[:, None]
        points = np.concatenate([points, means])
    corners, owners = np.concatenate(pieces.corners), np.concatenate(pieces.owners)
    corners = np.where(corners < 0, count - 1 - corners, corners)
    volumes, scale = sizes(points, corners, normal if mesh.dimension == 2 else None)
    turn = np.sign(np.bincount(owners, np.nan_to_num(volumes), len(mesh)))[owners]
    inverted = volumes < 0
    corners[inverted, :2] = corners[inverted, 1::-1]
    against = volumes * turn < 0
    flat = ~(np.abs(volumes) > np.where(against, THIN, FLAT_CELL) * scale)
    folded = against & ~flat
    centred = np.concatenate([none, *pieces.centred])
    plates = _on_plates(mesh, corners, owners)
    return Simplices(points, corners.astype(np.int32), owners, centred, start, around, normal, folded, flat, plates)


def _on_plates(mesh: Mesh, corners: IntArray, owners: IntArray) -> IntArray:
    """Simplices with a face on one of the mesh's plates, and the corner opposite to it (p, 2)."""
    if mesh.plates is None or not len(mesh.plates):
        return np.empty((0, 2), np.int64)
    start, around = mesh.faces.take(mesh.plates)
    cells = np.searchsorted(mesh.faces.cell_offsets, mesh.plates, "right") - 1
    order = np.argsort(cells, kind="stable")
    near = np.flatnonzero(np.isin(owners, cells))
    first = np.searchsorted(cells, owners[near], sorter=order)
    counts = np.searchsorted(cells, owners[near], "right", sorter=order) - first
    simplex, plate = np.repeat(near, counts), order[runs(first, counts)]
    count = len(mesh.points)
    known = np.repeat(np.arange(len(start) - 1), np.diff(start)) * count + around
    own = corners[simplex]
    on_it = np.isin(plate[:, None] * count + own, known) & (own < count)
    row, opposite = np.nonzero(~on_it & (on_it.sum(axis=1) == mesh.dimension)[:, None])
    return np.column_stack([simplex[row], opposite])


@inlined
def _facet(corners: Any, s: Any, i: Any) -> Any:
    """The corners of a simplex without the i-th, in rising order; −1 first for a triangle."""
    a, b, c = np.int64(-1), np.int64(-1), np.int64(-1)
    for j in range(corners.shape[1]):
        if j != i:
            p = np.int64(corners[s, j])
            if p > c:
                a, b, c = b, c, p
            elif p > b:
                a, b = b, p
            else:
                a = p
    return a, b, c


@kernel()
def across_faces(corners: Any, size: int) -> Any:
    """Neighbours (k, d + 1) of simplices by a hash table of their faces, of a power of two; the first two that share a
    face are neighbours."""
    k, d = corners.shape
    neighbours = np.full((k, d), -1, np.int32)
    table = np.full(size, -1, np.int32)
    for s in range(k):
        for i in range(d):
            a, b, c = _facet(corners, s, i)
            key = np.uint64(a + 1) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(b) * np.uint64(0xC2B2AE3D27D4EB4F)
            key = (key ^ (key >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9) + np.uint64(c)
            key = (key ^ (key >> np.uint64(32))) * np.uint64(0x94D049BB133111EB)
            slot = np.int64((key >> np.uint64(20)) & np.uint64(size - 1))
            while table[slot] >= 0:
                t, j = table[slot] // d, table[slot] % d
                p, q, r = _facet(corners, t, j)
                if p == a and q == b and r == c:
                    if neighbours[t, j] < 0:
                        neighbours[t, j], neighbours[s, i] = s, t
                    break
                slot = (slot + 1) & (size - 1)
            if table[slot] < 0:
                table[slot] = s * d + i
    return neighbours
