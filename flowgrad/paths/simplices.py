"""The tetrahedra or triangles that fill a mesh, and who lies beside whom."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from flowgrad.compiled import inlined, kernel
from flowgrad.errors import MeshError
from flowgrad.mesh import Mesh
from flowgrad.mesh.curved_geometry import FLAT_CELL
from flowgrad.mesh.mesh import FLAT
from flowgrad.mesh.plane import normal_of
from flowgrad.mesh.ragged import offsets
from flowgrad.paths.box_tree import BoxTree
from flowgrad.paths.cutting import THIN, Pieces, cut, sizes
from flowgrad.paths.seams import without_seams
from flowgrad.typing import BoolArray, FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Simplices:
    """The cells of full dimension d of a mesh, cut into simplices that fit each other across all types of cells.

    ``points`` (n + c, 3) are the mesh's, and after them one within each of the cells ``centred`` (c,), at the mean of
    the ``around[start[i]:start[i + 1]]``. ``corners`` (k, d + 1) are turned to positive volumes; ``owners`` (k,) are
    the cells. ``folded`` (k,) are simplices that had another orientation than the rest of their cell, which they
    overlap: only badly warped or concave cells have any; ``flat`` (k,) those without an extent, or with one that is
    rounding, which no position is in. ``normal`` (3,) is that of a planar mesh, zero for a solid.
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
        """The simplex across the face opposite each corner (k, d + 1), −1 at the boundary of the mesh and −2 where it
        is flat; flat ones have no neighbours."""
        found: NDArray[np.int32] = across_faces(self.corners, _table_size(self.corners.size))
        found[self.flat] = -1
        found[(found >= 0) & self.flat[found]] = -2
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
        beyond = np.argwhere((self.neighbours == -1) & ~self.flat[:, None])
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
        _known[mesh] = _made(without_seams(mesh))
    return _known[mesh]


def _made(mesh: Mesh) -> Simplices:
    normal = np.zeros(3)
    if mesh.dimension < 2:
        what = "lines" if mesh.dimension else "points without cells"
        raise MeshError(f"the mesh has only {what}, and nothing for particles to move in: give surface or solid cells")
    if mesh.dimension == 2:
        found = normal_of(mesh)
        if found is None:
            raise MeshError(
                "the mesh is a surface that is curved in space: particles move in solid cells or in a plane; "
                "give one of these"
            )
        normal = found
    return _assembled(mesh, cut(mesh), normal)


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
    return Simplices(points, corners.astype(np.int32), owners, centred, start, around, normal, folded, flat)


def _table_size(faces: int) -> int:
    """A power of two with room to spare."""
    return 1 << int(np.ceil(np.log2(1.25 * faces + 2)))


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
