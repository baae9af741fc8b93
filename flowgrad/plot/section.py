"""The planar polygons of a mesh, exactly as its cells give them: nothing is resampled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad.errors import OptionError
from flowgrad.mesh import Mesh
from flowgrad.mesh.geometry import rings
from flowgrad.mesh.ragged import offsets, runs
from flowgrad.plot.plane import Plane, middle_plane, plane_of_surface

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Section:
    """Polygons in a plane: polygon ``i`` has the ``vertices[offsets[i]:offsets[i + 1]]`` and belongs
    to the mesh's cell ``cells[i]``.

    ``vertices`` (m, 2) are coordinates along ``plane.axes``. Vertex ``j`` lies on the way from the
    mesh's point ``ends[j, 0]`` to ``ends[j, 1]``, at the share ``shares[j]`` of it.
    """

    vertices: FloatArray
    offsets: IntArray
    cells: IntArray
    ends: IntArray
    shares: FloatArray
    plane: Plane

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def where(self) -> str:
        """Where the section is, in words for a caption."""
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
        return self._means(self.vertices)

    @cached_property
    def areas(self) -> FloatArray:
        """Area of each polygon (k,), by the shoelace formula about its vertex mean."""
        arms = self.vertices - np.repeat(self.centers, np.diff(self.offsets), axis=0)
        x, y = arms.T
        u, v = arms[self._following].T
        return np.abs(np.add.reduceat(x * v - y * u, self.offsets[:-1])) / 2

    @cached_property
    def outlines(self) -> FloatArray:
        """The polygons as one array (k, n, 2); shorter ones repeat their last vertex."""
        sizes = np.diff(self.offsets)
        columns = np.minimum(np.arange(sizes.max(initial=1)), sizes[:, None] - 1)
        return self.vertices[self.offsets[:-1, None] + columns]

    @cached_property
    def outline(self) -> FloatArray:
        """Sides that belong to one polygon only, as segments (s, 2, 2)."""
        _, number = np.unique(self.ends, axis=0, return_inverse=True)
        sides = np.sort(np.column_stack([number, number[self._following]]), axis=1)
        _, first, counts = np.unique(sides, axis=0, return_index=True, return_counts=True)
        alone = first[counts == 1]
        return np.stack([self.vertices[alone], self.vertices[self._following[alone]]], axis=1)

    def values(self, values: ArrayLike, location: str) -> FloatArray:
        """One value for each polygon (k, ...): its cell's, or the mean over its vertices of point
        values, which are interpolated along the edges that the plane cuts."""
        values = np.asarray(values, float)
        if location not in ("points", "cells"):
            raise OptionError(f"values at {location} cannot be drawn on a section: take them at points or cells")
        if location == "cells":
            return values[self.cells]
        ahead = self.shares.reshape(-1, *[1] * (values.ndim - 1))
        return self._means((1 - ahead) * values[self.ends[:, 0]] + ahead * values[self.ends[:, 1]])

    @property
    def _following(self) -> IntArray:
        following = np.arange(1, len(self.vertices) + 1)
        following[self.offsets[1:] - 1] = self.offsets[:-1]
        return following

    def _means(self, at_vertices: FloatArray) -> FloatArray:
        sums = np.add.reduceat(at_vertices, self.offsets[:-1], axis=0)
        return sums / np.diff(self.offsets).reshape(-1, *[1] * (at_vertices.ndim - 1))


def section_of(mesh: Mesh) -> Section:
    """The section that shows a mesh best: its own cells where it is a surface, the mid-plane where
    it is one cell thick, else a cut through its middle normal to the shortest side of its box.

    Raises OptionError for a mesh without surface or volume cells.
    """
    if mesh.dimension == 3:
        return cut(mesh, middle_plane(mesh))
    if mesh.dimension == 2:
        return _surface(mesh, plane_of_surface(mesh))
    raise OptionError("the mesh has neither surface nor volume cells, so there is no area to draw: give cells")


def _surface(mesh: Mesh, plane: Plane) -> Section:
    chosen = np.flatnonzero(mesh.is_full & (np.diff(mesh.cells.offsets) > 2))
    start, points = rings(mesh, chosen)
    ends = np.column_stack([points, points])
    return Section(mesh.points[points] @ plane.axes.T, start, chosen, ends, np.zeros(len(points)), plane)


def cut(mesh: Mesh, plane: Plane) -> Section:
    """The exact polygons in which a plane cuts the volume cells of a mesh.

    The vertices of a cell's polygon are ordered by angle, which is exact for every cell whose cut is
    star-shaped about its vertex mean, as those of convex cells are. Raises OptionError where the
    plane meets no cell.
    """
    heights = mesh.points @ plane.normal - plane.level
    cells = _crossed(mesh, heights > 0)
    if not len(cells):
        raise OptionError(f"the plane ({plane.where}) meets no cell of the mesh: choose another")
    owner, ends = _crossed_edges(mesh, cells, heights > 0)
    below, above = heights[ends].T
    shares = below / (below - above)
    first, second = mesh.points[ends[:, 0]], mesh.points[ends[:, 1]]
    vertices = (first + shares[:, None] * (second - first)) @ plane.axes.T
    order = _around(owner, vertices)
    order = order[_distinct(owner[order], vertices[order])]
    start = offsets(np.bincount(owner[order], minlength=len(cells)))
    return Section(vertices[order], start, cells, ends[order], shares[order], plane)


def _crossed(mesh: Mesh, above: NDArray[np.bool_]) -> IntArray:
    """Cells of full dimension with points on both sides; of curved cells the points on their edges count."""
    start = mesh.cells.offsets
    counts = np.diff(offsets(above[mesh.cells.connectivity].astype(np.int64))[start])
    crossed = mesh.is_full & (counts > 0) & (counts < np.diff(start))
    for block in mesh.blocks:
        if block.reference.is_curved and block.rows is not None:
            edges = np.unique(np.concatenate(block.reference.faces))
            ahead = above[block.rows[:, edges]]
            crossed[block.cells] &= ahead.any(axis=1) & ~ahead.all(axis=1)
    return np.flatnonzero(crossed)


def _crossed_edges(mesh: Mesh, cells: IntArray, above: NDArray[np.bool_]) -> tuple[IntArray, IntArray]:
    """Edges of the cells with one end on each side: row in ``cells`` (m,) and points (m, 2), the lower
    number first, so that an edge gives the same vertex to the rounding from each of its faces."""
    counts, sizes, points = _faces(mesh, cells)
    following = np.arange(1, len(points) + 1)
    following[np.cumsum(sizes) - 1] -= sizes
    pairs = np.column_stack([points, points[following]])
    owner = np.repeat(np.repeat(np.arange(len(cells)), counts), sizes)
    crossing = above[pairs[:, 0]] != above[pairs[:, 1]]
    return owner[crossing], np.sort(pairs[crossing], axis=1)


def _faces(mesh: Mesh, cells: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Faces of the cells: their number, the points of each face, and these points. Without polyhedra
    the faces of the other cells need not be known, which are most."""
    if mesh.cells.polyhedra is None:
        mesh, cells = Mesh(mesh.points, mesh.cells.take(cells)), np.arange(len(cells))
    faces = mesh.faces
    counts = np.diff(faces.cell_offsets)[cells]
    chosen = runs(faces.cell_offsets[cells], counts)
    sizes = np.diff(faces.offsets)[chosen]
    return counts, sizes, faces.connectivity[runs(faces.offsets[chosen], sizes)]


def _around(owner: IntArray, vertices: FloatArray) -> IntArray:
    """The order by owner and by angle about the mean of the owner's vertices."""
    counts = np.bincount(owner)[:, None]
    means = np.column_stack([np.bincount(owner, vertices[:, k]) for k in range(2)]) / counts
    x, y = (vertices - means[owner]).T
    return np.lexsort((np.arctan2(y, x), owner))


def _distinct(owner: IntArray, vertices: FloatArray) -> NDArray[np.bool_]:
    """Each edge belongs to two faces of its cell: keep the first of equal neighbours."""
    distinct = np.ones(len(owner), bool)
    distinct[1:] = (owner[1:] != owner[:-1]) | (vertices[1:] != vertices[:-1]).any(axis=1)
    return distinct
