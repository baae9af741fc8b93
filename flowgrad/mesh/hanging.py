"""Hanging nodes: faces of refined cells that together cover a face of a larger one, which lie between these cells."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flowgrad.mesh.cells import offsets, successor, take
from flowgrad.typing import BoolArray, FloatArray, IntArray

# Faces lie in one plane, and within each other, to these fractions of the smaller one's size, for refined cells follow
# curved geometry; together they cover one where their areas add up to its own within the last.
_OFF, _BEYOND, _COVER = 0.2, 0.1, 0.05


@dataclass(frozen=True, eq=False)
class OpenFaces:
    """Faces (b,) with one cell: offsets (b + 1,), point numbers and coordinates of their corners, the unit ``normals``
    (b, 3) out of the cell and the ``sizes`` (b,): areas of polygons, lengths of edges."""

    start: IntArray
    corners: IntArray
    x: FloatArray
    normals: FloatArray
    sizes: FloatArray
    is_solid: bool

    def covered(self, large: IntArray, small: IntArray) -> tuple[IntArray, IntArray]:
        """Pairs (m,), (m,) of a large face and each of the smaller ones that cover it from the other side; to begin
        with pairs that share a point and look at each other."""
        count = len(self.sizes)
        new = np.unique(large * count + small)
        tried, found = new, new[:0]
        while len(new):
            new = new[self._nested(new // count, new % count)]
            found = np.union1d(found, new)
            # Those that share a point with these, and look the same way, may cover the rest.
            new = np.setdiff1d(self._beside(new // count, new % count), tried)
            tried = np.union1d(tried, new)
        one, other = found // count, found % count
        kept = (np.bincount(one, self.sizes[other], count) >= (1 - _COVER) * self.sizes)[one]
        return one[kept], other[kept]

    @cached_property
    def _at_points(self) -> tuple[IntArray, IntArray]:
        """The faces at each point: offsets and faces."""
        order = np.argsort(self.corners, kind="stable")
        faces = np.repeat(np.arange(len(self.sizes)), np.diff(self.start))[order]
        return offsets(np.bincount(self.corners)), faces

    def _beside(self, large: IntArray, small: IntArray) -> IntArray:
        """Pairs, large · b + small, of the large faces and smaller ones beside the small ones."""
        begin, points = take(self.start, self.corners, small)
        of = np.repeat(large, np.diff(begin))
        begin, other = take(*self._at_points, points)
        of = np.repeat(of, np.diff(begin))
        facing = (self.normals[of] * self.normals[other]).sum(axis=1) < 0
        kept = facing & (self.sizes[other] < self.sizes[of])
        return np.unique(of[kept] * len(self.sizes) + other[kept])

    def _nested(self, large: IntArray, small: IntArray) -> BoolArray:
        """Which of the small faces lie within the large ones (m,)."""
        begin, points = take(self.start, self.x, small)
        counts = np.diff(begin)
        of = np.repeat(large, counts)
        scale = np.repeat(self.sizes[small] ** (0.5 if self.is_solid else 1.0), counts)
        off = np.abs(((points - self._middles[of]) * self.normals[of]).sum(axis=1))
        inside = (off <= _OFF * scale) & (self._beyond(of, points) <= _BEYOND * scale)
        return np.asarray(np.logical_and.reduceat(inside, begin[:-1]) if len(small) else np.zeros(0, bool))

    @cached_property
    def _middles(self) -> FloatArray:
        return np.asarray(np.add.reduceat(self.x, self.start[:-1], axis=0) / np.diff(self.start)[:, None])

    @cached_property
    def _sides(self) -> FloatArray:
        """Unit normals (c, 3) out of the face of the side from each corner to the next."""
        counts = np.diff(self.start)
        across = np.cross(self.x[successor(self.start)] - self.x, np.repeat(self.normals, counts, axis=0))
        outward = ((self.x - np.repeat(self._middles, counts, axis=0)) * across).sum(axis=1)
        length = np.sqrt((across**2).sum(axis=1)) * np.where(outward < 0, -1.0, 1.0)
        return np.asarray(across / np.where(length != 0, length, 1.0)[:, None])

    def _beyond(self, of: IntArray, points: FloatArray) -> FloatArray:
        """How far points (n, 3) lie beyond the sides of the faces ``of`` (n,); zero and less within."""
        if not self.is_solid:
            first, last = self.x[self.start[of]], self.x[self.start[of + 1] - 1]
            place = ((points - first) * (last - first)).sum(axis=1) / self.sizes[of]
            return np.maximum(-place, place - self.sizes[of])
        begin, origins = take(self.start, self.x, of)
        arms = np.repeat(points, np.diff(begin), axis=0) - origins
        return np.asarray(np.maximum.reduceat((arms * take(self.start, self._sides, of)[1]).sum(axis=1), begin[:-1]))
