"""Topology of a mesh: cells that share faces and points, the boundary, and patches matched to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import prange

from flowgrad.compiled import inlined, kernel
from flowgrad.mesh.cells import CellFaces, Cells, offsets, successor, take
from flowgrad.mesh.faces import hashed
from flowgrad.mesh.geometry import polygon_geometry, rings
from flowgrad.mesh.hanging import OpenFaces
from flowgrad.reprs import ReprMixin
from flowgrad.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Points of a patch lie on the mesh's within this fraction of the mesh's size: float32 files.
_MATCH = 1e-5
# Faces look the opposite way where the cosine between their normals is below minus the first, and are as large as each
# other within the second.
_FACING, _ALIKE = 0.95, 1e-3


@dataclass(frozen=True, eq=False)
class Topology(ReprMixin):
    """Topology of the cells of full dimension.

    ``pairs`` (m, 2) are cells that share a face, which is the first one's ``pair_faces`` (m,); ``boundary`` (b,) the
    faces with one cell, ``boundary_cells`` (b,) that cell. Faces are rows of ``mesh.faces``.

    Of a face that smaller ones cover, as where cells beside it are refined, each of these makes a pair. ``joined`` is
    the topology of the mesh whose points are joined, with which own point is which of those (q,), (q,); None where
    none are.
    """

    points: FloatArray
    cells: Cells
    faces: CellFaces
    signed_measures: Callable[[], FloatArray]
    pairs: IntArray
    pair_faces: IntArray
    boundary: IntArray
    boundary_cells: IntArray
    joined: tuple[Topology, IntArray, IntArray] | None = None

    @cached_property
    def boundary_polygons(self) -> tuple[IntArray, IntArray]:
        """Points of the boundary faces: offsets (b + 1,) and connectivity."""
        return self.faces.take(self.boundary)

    @cached_property
    def boundary_geometry(self) -> tuple[FloatArray, FloatArray]:
        """Outward area vectors (b, 3) and centroids (b, 3) of the boundary faces of a solid mesh.

        For the edges of surfaces the vector is the outward normal in the surface times their length, the area
        per unit depth; for the ends of lines it is zero. The centroid of both is the mean of their points.
        """
        start, points = self.boundary_polygons
        if self.cells.dimension == 3:
            area, centroid = polygon_geometry(self.points, start, points)
            outward = np.sign(self.signed_measures()[self.boundary_cells])
            return area * outward[:, None], centroid
        sums = np.add.reduceat(self.points[points], start[:-1]) if len(start) > 1 else np.empty((0, 3))
        centroid = sums / np.diff(start)[:, None]
        if self.cells.dimension != 2:
            return np.zeros((len(centroid), 3)), centroid
        # Each edge, which runs along its cell's ring, times the unit normal of that ring.
        along = self.points[points[start[1:] - 1]] - self.points[points[start[:-1]]]
        cells, number = np.unique(self.boundary_cells, return_inverse=True)
        area, _ = polygon_geometry(self.points, *rings(self.cells, cells))
        size = np.sqrt((area**2).sum(axis=1, keepdims=True))
        return np.cross(along, (area / np.where(size > 0, size, 1.0))[number]), centroid

    def face_points(self, faces: IntArray) -> tuple[IntArray, IntArray]:
        """Points of some boundary faces, rows of ``boundary``: offsets (k + 1,) and point numbers."""
        return take(*self.boundary_polygons, faces)

    def points_on(self, faces: IntArray) -> BoolArray:
        """Which points (n,) are those of some boundary faces, rows of ``boundary``, or one with them."""
        marked = np.zeros(len(self.points), bool)
        marked[self.face_points(faces)[1]] = True
        if self.joined is not None:
            _, own, joint = self.joined
            there = np.bincount(joint, marked[own]) > 0
            marked[own[there[joint]]] = True
        return marked

    def face_means(self, faces: IntArray) -> csr_array:
        """Sparse (k, n): values at the n points to their means over k boundary faces.

        Faces are fanned about their vertex mean, and the values linear in each triangle: the mean of a linear field is
        its value at the face's centroid. Over edges it is the mean of their points.
        """
        from scipy.sparse import csr_array

        start, points = self.face_points(faces)
        sizes = np.diff(start)
        share = np.repeat(1.0 / sizes, sizes)
        if self.cells.dimension == 3:
            share = share / 3 + _corner_shares(self.points[points], start)
        return csr_array((share, points, start), shape=(len(sizes), len(self.points)))

    @cached_property
    def point_cells(self) -> tuple[IntArray, IntArray]:
        """Cells of full dimension around each point: offsets (n + 1,) and cell numbers."""
        if self.joined is not None:
            whole, own, joint = self.joined
            start, cells = take(*whole.point_cells, joint)
            return offsets(np.bincount(own, np.diff(start), len(self.points)).astype(np.int64)), cells
        full = np.flatnonzero(self.cells.is_full)
        start, points = take(self.cells.offsets, self.cells.connectivity, full)
        order = np.argsort(points, kind="stable")
        return offsets(np.bincount(points, minlength=len(self.points))), np.repeat(full, np.diff(start))[order]

    @cached_property
    def owners(self) -> IntArray:
        """For each cell of lower dimension a cell of full dimension that has all its points (the
        lowest number), -1 without one; a full cell is its own owner (n,)."""
        if self.joined is not None:
            return self.joined[0].owners
        lower = np.flatnonzero(~self.cells.is_full)
        result = np.arange(len(self.cells))
        if len(lower):
            result[lower] = _owners(self.cells.offsets, self.cells.connectivity, lower, *self.point_cells)
        return result

    def match(self, points: FloatArray, polygon_offsets: IntArray, connectivity: IntArray) -> IntArray:
        """Rows of ``boundary`` that have the same points as the given polygons, -1 where none does.

        Polygons of the mesh's own points have the same numbers. Others have the same places, to the rounding of
        float32 files; of two faces at one place (a baffle) they are the one with their normal.
        """
        start, own = self.boundary_polygons
        if not len(own):
            return np.full(len(polygon_offsets) - 1, -1)
        found = np.full(len(polygon_offsets) - 1, -1)
        if points is self.points:
            found = self._same_faces(point_set_keys(start, own), point_set_keys(polygon_offsets, connectivity), None)
            if self.joined is None:
                return found
        places, known = _places(self.points, np.unique(own), points)
        keys = point_set_keys(start, places[own])
        wanted = point_set_keys(polygon_offsets, known[connectivity])
        normals = polygon_geometry(points, polygon_offsets, connectivity)[0] if self.cells.dimension == 3 else None
        return np.where(found < 0, self._same_faces(keys, wanted, normals), found)

    @cached_property
    def behind(self) -> IntArray:
        """For each boundary face (b,) that at the same place, on the other side of a plate; −1 where there is none."""
        start, own = self.boundary_polygons
        found = np.full(len(self.boundary), -1)
        if len(own):
            places, _ = _places(self.points, np.unique(own), self.points[:0])
            first, second, _ = same_keys(point_set_keys(start, places[own]))
            found[first], found[second] = second, first
        return found

    def match_inner(self, points: FloatArray, polygon_offsets: IntArray, connectivity: IntArray) -> IntArray:
        """Faces between two cells (rows of ``mesh.faces``) at the same places as the given polygons, −1 where there is
        none."""
        start, own = self.faces.take(self.pair_faces)
        if not len(own):
            return np.full(len(polygon_offsets) - 1, -1)
        places, known = _places(self.points, np.unique(own), points)
        keys, wanted = point_set_keys(start, places[own]), point_set_keys(polygon_offsets, known[connectivity])
        order = np.argsort(keys, kind="stable")
        first = np.minimum(np.searchsorted(keys, wanted, sorter=order), len(keys) - 1)
        return np.where(keys[order[first]] == wanted, self.pair_faces[order[first]], -1)

    def _same_faces(self, keys: IntArray, wanted: IntArray, normals: FloatArray | None) -> IntArray:
        """The boundary face with each wanted key, -1 without one; of several the one whose normal is the same, and
        none where that does not tell them apart."""
        order = np.argsort(keys, kind="stable")
        first = np.searchsorted(keys, wanted, sorter=order)
        several = np.searchsorted(keys, wanted, "right", sorter=order) - first
        found = np.where(several > 0, order[np.minimum(first, len(keys) - 1)], -1)
        for row in np.flatnonzero(several > 1):
            faces = order[first[row] : first[row] + several[row]]
            along = np.zeros(len(faces)) if normals is None else self.boundary_geometry[0][faces] @ normals[row]
            found[row] = faces[along.argmax()] if (along > 0).sum() == 1 else -1
        return found


def _places(own: FloatArray, used: IntArray, points: FloatArray) -> tuple[IntArray, IntArray]:
    """Numbers of the places of a mesh's own points (n,), the same for those that coincide, -1 for those that are not
    ``used``, and of other points, -1 where they are at none of these."""
    from scipy.spatial import cKDTree

    distinct, number = np.unique(own[used], axis=0, return_inverse=True)
    places = np.full(len(own), -1)
    places[used] = number.ravel()
    reach = _MATCH * np.ptp(distinct, axis=0).max()
    _, nearest = cKDTree(distinct).query(points, distance_upper_bound=reach)
    return places, np.append(np.arange(len(distinct)), -1)[nearest]


def _corner_shares(x: FloatArray, start: IntArray) -> FloatArray:
    """A third of the part that the two triangles at each point have in their face's area."""
    sizes, ahead = np.diff(start), successor(start)
    arms = x - np.repeat(np.add.reduceat(x, start[:-1]) / sizes[:, None], sizes, axis=0)
    triangles = np.cross(arms, arms[ahead])
    whole = np.add.reduceat(triangles, start[:-1])
    parts = (triangles * np.repeat(whole / (whole**2).sum(axis=1, keepdims=True), sizes, axis=0)).sum(axis=1)
    both = parts.copy()
    both[ahead] += parts
    return both / 3


def topology(
    points: FloatArray,
    cells: Cells,
    faces: CellFaces,
    signed_measures: Callable[[], FloatArray],
    plates: IntArray | None = None,
) -> Topology:
    """Topology of the cells of full dimension of a mesh; their signed measures are asked for when the boundary's
    normals are. Nothing is joined across the faces ``plates``."""
    chosen, owner, start, corners = proper_faces(cells, faces)
    first, second, alone = same_keys(point_set_keys(start, corners))
    apart = np.zeros(len(first), bool) if plates is None else np.isin(chosen[first], plates)
    alone[first[apart]] = alone[second[apart]] = True
    first, second = first[~apart], second[~apart]
    boundary = np.flatnonzero(alone)
    can_hang = boundary if plates is None else boundary[~np.isin(chosen[boundary], plates)]
    large, small = _hanging(points, cells, owner[can_hang], *take(start, corners, can_hang))
    pairs = np.concatenate(
        [
            np.column_stack([owner[first], owner[second]]),
            np.column_stack([owner[can_hang[small]], owner[can_hang[large]]]),
        ]
    )
    pair_faces = np.concatenate([chosen[first], chosen[can_hang[small]]])
    alone[can_hang[small]] = alone[can_hang[large]] = False
    return Topology(points, cells, faces, signed_measures, pairs, pair_faces, chosen[alone], owner[alone])


def _hanging(
    points: FloatArray, cells: Cells, owner: IntArray, start: IntArray, corners: IntArray
) -> tuple[IntArray, IntArray]:
    """Pairs (m,), (m,) of a large and a small one of the faces (b,) with one cell, ``owner`` (b,), where small ones
    together cover the large one from its other side, as beside refined cells.

    They share its corners, and look the opposite way: nothing else has to be looked at closely.
    """
    none = np.empty(0, np.int64)
    if cells.dimension < 2 or not len(owner):
        return none, none
    x, counts = points[corners], np.diff(start)
    middles = np.add.reduceat(x, start[:-1], axis=0) / counts[:, None]
    begin, around = take(cells.offsets, cells.connectivity, owner)
    outward = middles - np.add.reduceat(points[around], begin[:-1], axis=0) / np.diff(begin)[:, None]
    if cells.dimension == 3:
        normals = polygon_geometry(points, start, corners)[0]
        sizes = np.sqrt((normals**2).sum(axis=1))
        normals *= np.where((outward * normals).sum(axis=1) < 0, -1.0, 1.0)[:, None]
    else:
        along = x[start[1:] - 1] - x[start[:-1]]
        sizes = np.sqrt((along**2).sum(axis=1))
        square = np.where(sizes > 0, sizes**2, 1.0)
        normals = outward - along * ((outward * along).sum(axis=1) / square)[:, None]
    length = np.sqrt((normals**2).sum(axis=1, keepdims=True))
    normals = normals / np.where(length > 0, length, 1.0)
    large, small = _facing(normals, sizes, corners, np.repeat(np.arange(len(counts)), counts))
    if not len(large):
        return none, none
    return OpenFaces(start, corners, x, normals, sizes, cells.dimension == 3).covered(large, small)


def _facing(normals: FloatArray, sizes: FloatArray, corners: IntArray, face: IntArray) -> tuple[IntArray, IntArray]:
    """Pairs of a larger and a smaller face at one point that look the opposite way; ``corners`` (c,) are the points of
    each ``face`` (c,)."""
    order = np.argsort(corners, kind="stable")
    corners, face = corners[order], face[order]
    found = []
    for step in range(1, int(np.bincount(corners).max())):
        if not len(same := np.flatnonzero(corners[step:] == corners[:-step])):
            break
        one, other = face[same], face[same + step]
        facing = (normals[one] * normals[other]).sum(axis=1) < -_FACING
        found.append(np.column_stack([one[facing], other[facing]]))
    pairs = np.concatenate([*found, np.empty((0, 2), np.int64)])
    swap = sizes[pairs[:, 0]] < sizes[pairs[:, 1]]
    pairs[swap] = pairs[swap, ::-1]
    differ = sizes[pairs[:, 0]] > (1 + _ALIKE) * sizes[pairs[:, 1]]
    large, small = pairs[differ].T
    return large, small


def proper_faces(
    cells: Cells, faces: CellFaces, number: IntArray | None = None
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """The faces of the cells of full dimension that have an extent, not collapsed to an edge: rows of the faces (f,),
    their cells (f,), offsets (f + 1,) and points, in other ``number`` (n,) where given."""
    full = np.flatnonzero(cells.is_full)
    chosen, counts = faces.of(full)
    owner = np.repeat(full, counts)
    every = len(full) == len(cells)
    start, corners = (faces.offsets, faces.connectivity) if every else faces.take(chosen)
    corners = corners if number is None else number[corners]
    proper = _have_points(start, corners, cells.dimension)
    if not proper.all():
        kept = np.flatnonzero(proper)
        chosen, owner = chosen[kept], owner[kept]
        start, corners = take(start, corners, kept)
    return chosen, owner, start, corners


@kernel()
def same_keys(keys: Any) -> Any:
    """Pairs of faces (m,), (m,) with the same key, in the order of the second ones, and which faces have a key of their
    own (f,). Keys are hashes: their last digits tell the chain of faces in which to look for one."""
    size = 1
    while size < len(keys):
        size *= 2
    newest, before = np.full(size, -1, np.int64), np.empty(len(keys), np.int64)
    first, second = np.empty(len(keys), np.int64), np.empty(len(keys), np.int64)
    alone, count = np.ones(len(keys), np.bool_), 0
    for f in range(len(keys)):
        chain = keys[f] & (size - 1)
        other = newest[chain]
        while other >= 0 and keys[other] != keys[f]:
            other = before[other]
        if other >= 0:
            first[count], second[count] = other, f
            alone[other] = alone[f] = False
            count += 1
        before[f], newest[chain] = newest[chain], f
    return first[:count].copy(), second[:count].copy(), alone


def seen_from(
    joined: Topology, points: FloatArray, cells: Cells, faces: CellFaces, own: IntArray, joint: IntArray
) -> Topology:
    """The topology of a mesh from that of the mesh with its points joined, whose cells and faces have the same numbers:
    own point ``own[i]`` is ``joint[i]`` there."""
    return replace(joined, points=points, cells=cells, faces=faces, joined=(joined, own, joint))


@kernel(parallel=True)
def point_set_keys(start: Any, connectivity: Any) -> Any:
    """A 64-bit key of each face that depends on its set of points only, not on their order; a point
    that follows itself (a quad collapsed to a triangle) counts once.

    The sum of a strong hash of the point numbers: for 10⁷ faces the chance that any two differing ones share a key is
    10⁻⁵.
    """
    keys = np.zeros(len(start) - 1, np.int64)
    for f in prange(len(keys)):
        total, last = np.uint64(0), start[f + 1] - 1
        for j in range(start[f], last + 1):
            if not _is_repeated(connectivity, start[f], last, j):
                total += hashed(connectivity[j])
        keys[f] = np.int64(total)
    return keys


@kernel(parallel=True)
def _have_points(start: Any, connectivity: Any, least: int) -> Any:
    """Which faces have at least so many points that do not stand right before themselves."""
    found = np.zeros(len(start) - 1, np.bool_)
    for f in prange(len(found)):
        count, last = 0, start[f + 1] - 1
        for j in range(start[f], last + 1):
            count += not _is_repeated(connectivity, start[f], last, j)
        found[f] = count >= least
    return found


@inlined
def _is_repeated(connectivity: Any, first: int, last: int, j: int) -> bool:
    """Whether a point stands right before itself in the ring of its face."""
    return last > first and connectivity[j] == connectivity[j + 1 if j < last else first]


@kernel()
def _owners(offsets: Any, connectivity: Any, lower: Any, around: Any, cells: Any) -> Any:
    """The first full cell around a lower cell's first point that has all the others too."""
    owners = np.full(len(lower), -1)
    for i in range(len(lower)):
        start, end = offsets[lower[i]], offsets[lower[i] + 1]
        first = connectivity[start]
        for c in cells[around[first] : around[first + 1]]:
            found = 0
            for j in range(start, end):
                for p in connectivity[offsets[c] : offsets[c + 1]]:
                    if p == connectivity[j]:
                        found += 1
                        break
            if found == end - start:
                owners[i] = c
                break
    return owners
