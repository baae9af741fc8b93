"""Hanging nodes: faces of refined cells that together cover a face of a larger one, which lie between these cells."""

from __future__ import annotations

from typing import Any

import numpy as np

from flowgrad.compiled import kernel
from flowgrad.mesh.bounding_tree import LEAF, BoxTree
from flowgrad.mesh.cells import CellFaces, Cells, successor, take
from flowgrad.mesh.geometry import polygon_geometry
from flowgrad.typing import BoolArray, FloatArray, IntArray

# Faces lie in one plane, and within each other, to these fractions of their own size; together they cover one where
# their areas add up to its own within the last.
_OFF, _BEYOND, _COVER = 0.05, 0.01, 0.01
# Normals of faces that look at each other: the cosine between them is below minus this.
_FACING = 0.95
# A face is larger than another beyond rounding.
_LARGER = 1.0001
# Deepest tree of boxes: it holds 2⁶⁰ of them.
_DEEPEST = 64


def hanging_faces(
    points: FloatArray, cells: Cells, faces: CellFaces, rows: IntArray, owner: IntArray, plates: IntArray | None
) -> tuple[IntArray, IntArray]:
    """Pairs (m,), (m,) of a large and a small one of the faces ``rows`` (b,) with one cell, ``owner`` (b,), where the
    small ones cover the large one from its other side; none of ``plates``."""
    none = np.empty(0, np.int64)
    if cells.dimension < 2 or len(rows) < 3:
        return none, none
    start, corners = faces.take(rows)
    low, high = (each.reduceat(points[corners], start[:-1], axis=0) for each in (np.minimum, np.maximum))
    reach = _OFF * np.sqrt(((high - low) ** 2).sum(axis=1, keepdims=True))
    middles = np.add.reduceat(points[corners], start[:-1], axis=0) / np.diff(start)[:, None]
    size = np.sqrt(((high - low) ** 2).sum(axis=1))
    tree = BoxTree.of(low - reach, high + reach, np.arange(len(rows)))
    large, small = _pairs(tree, middles, size)
    if plates is not None:
        kept = ~np.isin(rows[large], plates) & ~np.isin(rows[small], plates)
        large, small = large[kept], small[kept]
    if not len(large):
        return none, none
    used, number = np.unique(np.concatenate([large, small]), return_inverse=True)
    own = _Faces.of(points, cells, faces, rows[used], owner[used])
    one, other = number[: len(large)], number[len(large) :]
    nested = own.nested(one, other)
    one, other = one[nested], other[nested]
    covered = np.bincount(one, own.sizes[other], len(used)) >= (1 - _COVER) * own.sizes
    kept = covered[one]
    return used[one[kept]], used[other[kept]]


def _pairs(tree: BoxTree, middles: FloatArray, size: FloatArray) -> tuple[IntArray, IntArray]:
    """Faces with another one's middle in their box, and that other one, which is smaller."""
    none = np.empty(0, np.int64)
    count = boxes_around(tree.boxes, tree.members, middles, size, none, none)
    large, small = np.empty(count, np.int64), np.empty(count, np.int64)
    if count:
        boxes_around(tree.boxes, tree.members, middles, size, large, small)
    return large, small


@kernel()
def boxes_around(boxes: Any, members: Any, x: Any, size: Any, large: Any, small: Any) -> Any:
    """How many pairs there are of a position (m, 3) and a box of larger ``size`` (m,) that holds it; their numbers go
    to ``large`` and ``small`` where these have room."""
    count, leaves = 0, len(boxes) // 2
    stack = np.empty(_DEEPEST, np.int64)
    for i in range(len(x)):
        stack[0], top = 1, 1
        while top > 0:
            top -= 1
            node, outside = stack[top], False
            for k in range(3):
                outside |= not boxes[node, k] <= x[i, k] <= boxes[node, 3 + k]
            if outside:
                continue
            if node < leaves:
                stack[top], stack[top + 1] = 2 * node, 2 * node + 1
                top += 2
                continue
            first = (node - leaves) * LEAF
            for s in members[first : first + LEAF]:
                if size[s] > _LARGER * size[i]:
                    if len(large):
                        large[count], small[count] = s, i
                    count += 1
    return count


class _Faces:
    """Faces (f,) as polygons or edges, with their outward normals (f, 3) and sizes (f,)."""

    def __init__(self, x: FloatArray, start: IntArray, normals: FloatArray, sizes: FloatArray, is_solid: bool) -> None:
        self.x, self.start, self.normals, self.sizes, self.is_solid = x, start, normals, sizes, is_solid

    @classmethod
    def of(cls, points: FloatArray, cells: Cells, faces: CellFaces, rows: IntArray, owner: IntArray) -> _Faces:
        """Those of some rows of the faces of the cells ``owner`` (f,)."""
        start, corners = faces.take(rows)
        x = points[corners]
        begin, around = take(cells.offsets, cells.connectivity, owner)
        within = np.add.reduceat(points[around], begin[:-1], axis=0) / np.diff(begin)[:, None]
        middles = np.add.reduceat(x, start[:-1], axis=0) / np.diff(start)[:, None]
        if cells.dimension == 3:
            vectors, _ = polygon_geometry(points, start, corners)
            sizes = np.sqrt((vectors**2).sum(axis=1))
            vectors = vectors * np.where(((middles - within) * vectors).sum(axis=1) < 0, -1.0, 1.0)[:, None]
        else:
            along = x[start[1:] - 1] - x[start[:-1]]
            sizes = np.sqrt((along**2).sum(axis=1))
            unit = along / np.where(sizes > 0, sizes, 1.0)[:, None]
            arms = middles - within
            vectors = arms - (arms * unit).sum(axis=1, keepdims=True) * unit
        length = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
        return cls(x, start, vectors / np.where(length > 0, length, 1.0), sizes, cells.dimension == 3)

    def nested(self, large: IntArray, small: IntArray) -> BoolArray:
        """Which pairs (m,) look at each other, the small face within the large one."""
        facing = (self.normals[large] * self.normals[small]).sum(axis=1) < -_FACING
        good = np.flatnonzero(facing)
        begin, points = take(self.start, self.x, small[good])
        sizes = np.diff(begin)
        of = np.repeat(large[good], sizes)
        origin = self.x[self.start[of]]
        scale = self.sizes[small[good]] ** (0.5 if self.is_solid else 1.0)
        off = np.abs(((points - origin) * self.normals[of]).sum(axis=1)) <= np.repeat(_OFF * scale, sizes)
        inside = off & (self._beyond(of, points) <= np.repeat(_BEYOND * scale, sizes))
        found = np.zeros(len(large), bool)
        found[good] = np.logical_and.reduceat(inside, begin[:-1]) if len(good) else False
        return found

    def _beyond(self, of: IntArray, points: FloatArray) -> FloatArray:
        """How far points (n, 3) lie beyond the sides of the faces ``of`` (n,), at most zero within."""
        if not self.is_solid:
            ends = self.x[self.start[of]], self.x[self.start[of + 1] - 1]
            along = (ends[1] - ends[0]) / self.sizes[of][:, None]
            place = ((points - ends[0]) * along).sum(axis=1)
            return np.maximum(-place, place - self.sizes[of])
        ahead = self.x[successor(self.start)] - self.x
        middles = np.add.reduceat(self.x, self.start[:-1], axis=0) / np.diff(self.start)[:, None]
        counts = np.diff(self.start)
        number = np.repeat(np.arange(len(counts)), counts)
        across = np.cross(ahead, self.normals[number])
        across *= np.where((across * (self.x - middles[number])).sum(axis=1) < 0, -1.0, 1.0)[:, None]
        length = np.sqrt((across**2).sum(axis=1, keepdims=True))
        across = across / np.where(length > 0, length, 1.0)
        begin, origin = take(self.start, self.x, of)
        _, outward = take(self.start, across, of)
        arms = np.repeat(points, np.diff(begin), axis=0) - origin
        return np.maximum.reduceat((arms * outward).sum(axis=1), begin[:-1])
