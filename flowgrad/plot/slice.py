"""Slice of a mesh: the polygons in which it is drawn, exactly as its cells give them, and their triangles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array, vstack

from flowgrad.errors import OptionError
from flowgrad.mesh.cells import offsets, successor, take
from flowgrad.plot.plane import Plane
from flowgrad.plot.subdivide import Subdivision
from flowgrad.typing import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Slice:
    """Polygons in a plane: polygon ``i`` has the ``vertices[offsets[i]:offsets[i + 1]]`` and belongs
    to the mesh's cell ``cells[i]``.

    ``vertices`` (m, 2) are coordinates along ``plane.axes``; ``weights`` (m, points) give the values at them from
    those at the mesh's points, and vertices with the same of the ``keys`` (m,) are one. ``shades`` (k,) dim the
    polygons of a surface that is seen in space; they are drawn in their order. None in a plane.
    """

    vertices: FloatArray
    offsets: IntArray
    cells: IntArray
    weights: csr_array
    keys: IntArray
    plane: Plane
    shades: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.cells)

    @classmethod
    def joined(cls, parts: Sequence[Slice], *, share_keys: bool = False) -> Slice:
        """The polygons of several slices in one plane, whose keys mean the same vertices only where they
        ``share_keys``."""
        if len(parts) == 1:
            return parts[0]
        steps = np.cumsum([0, *(int(part.keys.max(initial=0)) + 1 for part in parts[:-1])]) * (not share_keys)
        shades = [part.shades for part in parts if part.shades is not None]
        return cls(
            np.concatenate([part.vertices for part in parts]),
            offsets(np.concatenate([np.diff(part.offsets) for part in parts])),
            np.concatenate([part.cells for part in parts]),
            csr_array(vstack([part.weights for part in parts])),
            np.concatenate([part.keys + step for part, step in zip(parts, steps, strict=True)]),
            parts[0].plane,
            np.concatenate(shades) if len(shades) == len(parts) else None,
        )

    def of(self, subdivision: Subdivision) -> Slice:
        """This slice of a subdivision as one of the mesh that was subdivided."""
        weights = csr_array(self.weights @ subdivision.weights)
        return replace(self, cells=subdivision.owners[self.cells], weights=weights)

    def take(self, chosen: IntArray) -> Slice:
        """Some of the polygons, in the order given."""
        start, rows = take(self.offsets, np.arange(len(self.vertices)), chosen)
        shades = None if self.shades is None else self.shades[chosen]
        cells, keys = self.cells[chosen], self.keys[rows]
        return Slice(self.vertices[rows], start, cells, self.weights[rows], keys, self.plane, shades)

    @property
    def where(self) -> str:
        """Where the slice is, in words for a caption."""
        return self.plane.where

    @cached_property
    def bounds(self) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest in-plane coordinates, (2,) each."""
        return self.vertices.min(axis=0), self.vertices.max(axis=0)

    @property
    def spans(self) -> FloatArray:
        """Width and height (2,)."""
        return self.bounds[1] - self.bounds[0]

    @cached_property
    def centers(self) -> FloatArray:
        """Vertex mean of each polygon (k, 2)."""
        return self.means(self.vertices)

    @cached_property
    def areas(self) -> FloatArray:
        """Area of each polygon (k,), by the shoelace formula about its vertex mean."""
        arms = self.vertices - np.repeat(self.centers, np.diff(self.offsets), axis=0)
        x, y = arms.T
        u, v = arms[self.following].T
        return np.abs(np.add.reduceat(x * v - y * u, self.offsets[:-1])) / 2

    @cached_property
    def outlines(self) -> FloatArray:
        """The polygons as one array (k, n, 2); shorter ones repeat their last vertex."""
        sizes = np.diff(self.offsets)
        columns = np.minimum(np.arange(sizes.max(initial=1)), sizes[:, None] - 1)
        return self.vertices[self.offsets[:-1, None] + columns]

    @cached_property
    def outline(self) -> FloatArray:
        """Sides that belong to one polygon only, as segments (s, 2, 2); none of a surface in space, which may hide
        its own."""
        if self.shades is not None:
            return np.empty((0, 2, 2))
        _, number = np.unique(self.keys, return_inverse=True)
        low, high = np.sort(np.stack([number, number[self.following]]), axis=0)
        _, first, counts = np.unique(low * len(number) + high, return_index=True, return_counts=True)
        alone = first[counts == 1]
        alone = alone[self.keys[alone] != self.keys[self.following[alone]]]
        return np.stack([self.vertices[alone], self.vertices[self.following[alone]]], axis=1)

    def values(self, values: ArrayLike, location: str) -> FloatArray:
        """One value for each polygon (k, ...): its cell's, or the mean over its vertices of point
        values, which are interpolated as the cell's shape functions say."""
        if location == "cells":
            return np.asarray(values, float)[self.cells]
        return self.means(self.at_vertices(values, location))

    def at_vertices(self, values: ArrayLike, location: str) -> FloatArray:
        """Point values at the vertices (m, ...); cell values at those of their cells. OptionError for others."""
        values = np.asarray(values, float)
        if location not in ("points", "cells"):
            raise OptionError(f"values at {location} cannot be drawn on a slice: take them at points or cells")
        if location == "cells":
            return np.repeat(values[self.cells], np.diff(self.offsets), axis=0)
        found = self.weights @ values.reshape(len(values), -1)
        return np.asarray(found).reshape(len(self.vertices), *values.shape[1:])

    def vertex_means(self, values: ArrayLike, location: str) -> FloatArray:
        """Point values at the vertices (m, ...); of cells the means of those around each vertex, by area, without
        those that are not known."""
        found = self.at_vertices(values, location)
        if location == "points":
            return found
        _, number = np.unique(self.keys, return_inverse=True)
        count = int(number.max(initial=0)) + 1
        areas = np.repeat(self.areas, np.diff(self.offsets))
        columns = []
        for each in found.reshape(len(found), -1).T:
            known = np.isfinite(each)
            sums = np.bincount(number[known], (areas * each)[known], count)
            with np.errstate(invalid="ignore"):
                columns.append((sums / np.bincount(number[known], areas[known], count))[number])
        return np.stack(columns, axis=1).reshape(found.shape)

    @cached_property
    def main_points(self) -> IntArray:
        """The mesh's point that has most weight at each vertex (m,)."""
        rows = np.repeat(np.arange(len(self.vertices)), np.diff(self.weights.indptr))
        order = np.lexsort((-self.weights.data, rows))
        return self.weights.indices[order[self.weights.indptr[:-1]]].astype(np.int64)

    @property
    def corners(self) -> FloatArray:
        """The part of a polygon that is nearest to each vertex (m, 4, 2): between the vertex, the middles of its two
        sides and the vertex mean; all parts of a polygon fill it."""
        middles = (self.vertices + self.vertices[self.following]) / 2
        centers = self.centers[self.owners]
        return np.stack([self.vertices, middles, centers, middles[self.preceding]], axis=1)

    @property
    def owners(self) -> IntArray:
        """The polygon that each vertex belongs to (m,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    @property
    def following(self) -> IntArray:
        """The next vertex around its polygon (m,)."""
        return successor(self.offsets)

    @property
    def preceding(self) -> IntArray:
        """The vertex before each around its polygon (m,)."""
        preceding = np.arange(-1, len(self.vertices) - 1)
        preceding[self.offsets[:-1]] = self.offsets[1:] - 1
        return preceding

    def means(self, at_vertices: FloatArray) -> FloatArray:
        """Means (k, ...) of values at the vertices (m, ...) over those of each polygon."""
        sums = np.add.reduceat(at_vertices, self.offsets[:-1], axis=0)
        return sums / np.diff(self.offsets).reshape(-1, *[1] * (at_vertices.ndim - 1))


# As many triangles at least, by cutting each side into at most so many parts.
_ENOUGH, _PARTS = 5_000, 12


def triangles_of(section: Slice, at_vertices: FloatArray) -> tuple[FloatArray, FloatArray, IntArray, IntArray]:
    """Triangles that fill the polygons, those of more than three sides about their vertex mean: places (p, 2) and
    values (p,) of their corners, the corners (t, 3), and the polygon (t,) of each, in the polygons' order."""
    sizes = np.diff(section.offsets)
    is_triangle = sizes == 3
    own = section.offsets[:-1][is_triangle][:, None] + np.arange(3)
    others = np.flatnonzero(~is_triangle)
    number = np.zeros(len(sizes), np.int64)
    number[others] = len(section.vertices) + np.arange(len(others))
    polygon = section.owners
    sides = np.flatnonzero(~is_triangle[polygon])
    fans = np.column_stack([sides, section.following[sides], number[polygon[sides]]])
    places = np.concatenate([section.vertices, section.centers[others]])
    values = np.concatenate([at_vertices, section.means(at_vertices)[others]])
    owners = np.concatenate([np.flatnonzero(is_triangle), polygon[sides]])
    order = np.argsort(owners, kind="stable")
    return places, values, np.concatenate([own, fans])[order], owners[order]


@dataclass(frozen=True, eq=False)
class Smooth:
    """Triangles (t, 3) between ``places`` (p, 2) with ``values`` (p,), NaN in a polygon with a vertex without value;
    ``owners`` (t,) are the polygons of the triangles."""

    places: FloatArray
    values: FloatArray
    triangles: IntArray
    owners: IntArray

    @property
    def polygons(self) -> IntArray:
        """The polygon (p,) of each place; polygons share none."""
        found = np.empty(len(self.places), np.int64)
        found[self.triangles] = self.owners[:, None]
        return found


def areas_of(places: FloatArray, triangles: IntArray) -> FloatArray:
    """The part of the area (p,) that each of the ``places`` (p, 2) stands for: a third of its ``triangles``' (t, 3)."""
    a, b, c = (places[triangles[:, corner]] for corner in range(3))
    (x1, y1), (x2, y2) = (b - a).T, (c - a).T
    thirds = np.repeat(np.abs(x1 * y2 - x2 * y1) / 6, 3)
    return np.bincount(triangles.ravel(), thirds, len(places)).astype(np.float64)


def smooth_triangles(section: Slice, at_vertices: FloatArray) -> Smooth:
    """The triangles of ``triangles_of``, cut into smaller ones where there are few, whose values lie in the planes of
    the larger."""
    places, values, triangles, owners = triangles_of(section, at_vertices)
    parts = int(np.clip(np.ceil(np.sqrt(_ENOUGH / max(len(triangles), 1))), 1, _PARTS))
    if parts > 1:
        # Shares (s, 3) of the corners at the sites in a triangle whose sides are cut, and its parts.
        sites = [(i, j) for i in range(parts + 1) for j in range(parts + 1 - i)]
        number = {site: k for k, site in enumerate(sites)}
        upright = [(number[i, j], number[i + 1, j], number[i, j + 1]) for i, j in sites if i + j < parts]
        hanging = [(number[i + 1, j], number[i + 1, j + 1], number[i, j + 1]) for i, j in sites if i + j < parts - 1]
        at = np.array(sites) / parts
        shares, pieces = np.column_stack([1 - at.sum(axis=1), at]), np.array(upright + hanging)
        corners = pieces + len(shares) * np.arange(len(triangles))[:, None, None]
        places, values = (shares @ places[triangles]).reshape(-1, 2), (values[triangles] @ shares.T).ravel()
        triangles, owners = corners.reshape(-1, 3), np.repeat(owners, len(pieces))
    cut = Smooth(places, values, triangles, owners)
    missing = np.isnan(section.means(at_vertices))
    return replace(cut, values=np.where(missing[cut.polygons], np.nan, values))
