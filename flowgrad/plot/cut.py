"""Slices of a mesh: its own surface cells, the polygons in which a plane cuts it, and its boundary in space."""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import ArrayLike
from scipy.sparse import csr_array

from flowgrad.errors import OptionError
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import offsets, runs, successor, take
from flowgrad.mesh.geometry import polygon_geometry, rings
from flowgrad.mesh.planar import FLAT
from flowgrad.plot.hidden_surface import seen
from flowgrad.plot.plane import Plane, middle_plane, plane_of_surface, view
from flowgrad.plot.slice import Slice
from flowgrad.plot.subdivide import subdivided
from flowgrad.typing import BoolArray, FloatArray, IntArray

# A point within this fraction of the mesh's size of the plane lies on it.
_ON_PLANE = 1e-9
# Light on a surface that is seen edgewise, where that from the front is 1.
_DARKEST = 0.72


def section_of(mesh: Mesh) -> Slice:
    """The slice that shows a mesh best: its own cells where it is a surface, the mid-plane where
    it is one cell thick, else a cut through its middle normal to the shortest side of its box.

    Raises OptionError for a mesh without surface or volume cells.
    """
    if mesh.dimension == 3:
        return cut(mesh, middle_plane(mesh))
    if mesh.dimension == 2:
        plane = plane_of_surface(mesh)
        chosen = np.flatnonzero(mesh.is_full & (np.diff(mesh.cells.offsets) > 2))
        surface, _, depths = _outer_faces(mesh, chosen, plane, plane.eye)
        if not len(surface) or np.ptp(depths) <= FLAT * surface.spans.max():
            return surface
        # Of a curved surface what is seen; itself where nothing is hidden.
        shaded = dataclasses.replace(surface, shades=np.ones(len(surface)))
        found = seen(shaded, depths)
        return surface if found is shaded else found
    raise OptionError("the mesh has neither surface nor volume cells, so there is nothing to draw: give cells")


def cut(mesh: Mesh, plane: Plane) -> Slice:
    """The exact polygons in which a plane cuts the volume cells of a mesh; curved cells as their subdivision.

    The vertices of a cell's polygon are ordered by angle, which is exact for every cell whose cut is
    star-shaped about its vertex mean, as those of convex cells are. Raises OptionError for a mesh without volume
    cells and where the plane meets none.
    """
    if mesh.dimension != 3:
        raise OptionError(f"a plane ({plane.where}) cuts volume cells, and the mesh has none: leave the slice out")
    above = _sides(mesh, plane)
    cells = _crossed(mesh, above)
    if not len(cells):
        heights = mesh.points @ plane.normal
        low, high = float(heights.min()), float(heights.max())
        raise OptionError(
            f"the plane ({plane.where}) meets no cell of the mesh, which reaches from {low:.6g} to {high:.6g} along "
            "its normal: choose another"
        )
    curved = _is_curved(mesh)[cells]
    parts = [_cut_cells(mesh, cells[~curved], above, plane)] if not curved.all() else []
    if curved.any():
        fine = subdivided(mesh, cells[curved])
        above = _sides(fine.mesh, plane)
        parts.append(_cut_cells(fine.mesh, _crossed(fine.mesh, above), above, plane).of(fine))
    return Slice.joined(parts)


def boundary(mesh: Mesh, direction: str | ArrayLike = "auto") -> Slice:
    """The outer faces of a solid mesh, or the cells of a surface in space, as they are seen from a ``direction``:
    ``auto``, ``x``, ``-x``, …, or a vector (3,) that points to the eye.

    Faces that look away or are hidden are left out, the others come in an order in which the nearer is painted over the
    farther, shaded by their angle to the light. Raises OptionError for a mesh without surface or
    volume cells and for another direction.
    """
    if mesh.dimension < 2:
        raise OptionError("the mesh has neither surface nor volume cells, so it has no boundary to draw: give cells")
    seen_from = view(mesh, direction)
    plane = seen_from.plane
    section, normals, depths = _outer_faces(mesh, np.flatnonzero(mesh.is_full), plane, plane.normal)
    size = np.sqrt((normals**2).sum(axis=1))
    facing, light = normals @ plane.normal, normals @ seen_from.light
    if mesh.dimension == 2:
        facing, light = np.abs(facing), np.abs(light)
    towards_eye = facing > 1e-6 * size
    shades = _DARKEST + (1 - _DARKEST) * np.maximum(light, 0) / np.where(towards_eye, size, 1)
    section = dataclasses.replace(section, shades=shades)
    depths = depths[np.repeat(towards_eye, np.diff(section.offsets))]
    return seen(section.take(np.flatnonzero(towards_eye)), depths)


def _is_curved(mesh: Mesh) -> BoolArray:
    """Mask (n,) of the cells that have more points than their corners."""
    curved = np.zeros(len(mesh), bool)
    for block in mesh.blocks:
        curved[block.cells] = block.reference.is_curved
    return curved


def _outer_faces(mesh: Mesh, chosen: IntArray, plane: Plane, eye: FloatArray) -> tuple[Slice, FloatArray, FloatArray]:
    """Polygons and area vectors (k, 3) of the chosen cells' outer faces, in a surface of the cells themselves, and the
    depths of their vertices towards the eye (m,); of curved cells those of their subdivision."""
    curved = _is_curved(mesh)[chosen]
    found = [_straight_faces(mesh, chosen[~curved], plane, eye)] if not curved.all() or not len(chosen) else []
    if curved.any():
        fine = subdivided(mesh, chosen[curved])
        section, normals, depths = _straight_faces(fine.mesh, np.arange(len(fine.mesh)), plane, eye)
        found.append((section.of(fine), normals, depths))
    sections = Slice.joined([part[0] for part in found])
    return sections, np.concatenate([part[1] for part in found]), np.concatenate([part[2] for part in found])


def _straight_faces(
    mesh: Mesh, chosen: IntArray, plane: Plane, eye: FloatArray
) -> tuple[Slice, FloatArray, FloatArray]:
    if mesh.dimension == 2:
        cells = chosen
        start, points = rings(mesh.cells, chosen)
        normals, _ = polygon_geometry(mesh.points, start, points)
    else:
        topology = mesh.topology
        own = np.zeros(len(mesh), bool)
        own[chosen] = True
        rows = np.flatnonzero(own[topology.boundary_cells])
        start, points = take(*topology.boundary_polygons, rows)
        cells, normals = topology.boundary_cells[rows], topology.boundary_geometry[0][rows]
    count, places = len(points), mesh.points[points]
    weights = csr_array((np.ones(count), points, np.arange(count + 1)), (count, mesh.point_count))
    return Slice(places @ plane.axes.T, start, cells, weights, points, plane), normals, places @ eye


def _sides(mesh: Mesh, plane: Plane) -> BoolArray:
    """Points above the plane (n,); those on it are below, or above where all the others are below."""
    heights = _heights(mesh, plane)
    above = heights > 0
    return above if above.any() else heights >= 0


def _heights(mesh: Mesh, plane: Plane) -> FloatArray:
    """Distances from the plane (n,), zero where they are rounding."""
    heights = mesh.points @ plane.normal - plane.level
    size = float(np.nanmax(np.ptp(mesh.points, axis=0), initial=0))
    heights[np.abs(heights) <= _ON_PLANE * size] = 0.0
    return heights


def _crossed(mesh: Mesh, above: BoolArray) -> IntArray:
    """Cells of full dimension with points on both sides."""
    start = mesh.cells.offsets
    counts = np.diff(offsets(above[mesh.cells.connectivity].astype(np.int64))[start])
    return np.flatnonzero(mesh.is_full & (counts > 0) & (counts < np.diff(start)))


def _cut_cells(mesh: Mesh, cells: IntArray, above: BoolArray, plane: Plane) -> Slice:
    """Polygons of straight cells, those of three corners at least."""
    owner, ends = _crossed_edges(mesh, cells, above)
    below, over = _heights(mesh, plane)[ends].T
    shares = below / (below - over)
    ends = np.where(shares[:, None] == 0, ends[:, :1], ends)
    ends = np.where(shares[:, None] == 1, ends[:, 1:], ends)
    first, second = mesh.points[ends[:, 0]], mesh.points[ends[:, 1]]
    vertices = (first + shares[:, None] * (second - first)) @ plane.axes.T
    # By owner and by angle about the mean of the owner's vertices.
    counts = np.maximum(np.bincount(owner, minlength=len(cells)), 1)[:, None]
    means = np.column_stack([np.bincount(owner, vertices[:, k], len(cells)) for k in range(2)]) / counts
    x, y = (vertices - means[owner]).T
    order = np.lexsort((np.arctan2(y, x), owner))
    keys = ends[:, 0] * mesh.point_count + ends[:, 1]
    order = order[_distinct(owner[order], keys[order])]
    sizes = np.bincount(owner[order], minlength=len(cells))
    order = order[sizes[owner[order]] > 2]
    cells, sizes = cells[sizes > 2], sizes[sizes > 2]
    ahead = shares[order]
    weights = csr_array(
        (np.column_stack([1 - ahead, ahead]).ravel(), ends[order].ravel(), 2 * np.arange(len(order) + 1)),
        (len(order), mesh.point_count),
    )
    return Slice(vertices[order], offsets(sizes), cells, weights, keys[order], plane)


def _crossed_edges(mesh: Mesh, cells: IntArray, above: BoolArray) -> tuple[IntArray, IntArray]:
    """Edges of the cells' faces with one end on each side: row in ``cells`` (m,) and points (m, 2), the lower
    number first, so that an edge gives the same vertex to the rounding from each of its faces."""
    rows = np.arange(len(cells))
    if mesh.cells.polyhedra is None:
        # The faces of the other cells, which are most, need not be known.
        mesh, cells = Mesh(mesh.points, mesh.cells.take(cells)), rows
    faces = mesh.faces
    counts = np.diff(faces.cell_offsets)[cells]
    start, points = take(faces.offsets, faces.connectivity, runs(faces.cell_offsets[cells], counts))
    pairs = np.column_stack([points, points[successor(start)]])
    owner = np.repeat(np.repeat(rows, counts), np.diff(start))
    crossing = above[pairs[:, 0]] != above[pairs[:, 1]]
    return owner[crossing], np.sort(pairs[crossing], axis=1)


def _distinct(owner: IntArray, keys: IntArray) -> BoolArray:
    """Each edge belongs to two faces of its cell: keep one of each vertex."""
    numbered = np.lexsort((keys, owner))
    distinct = np.zeros(len(owner), bool)
    first = np.ones(len(owner), bool)
    first[1:] = (owner[numbered][1:] != owner[numbered][:-1]) | (keys[numbered][1:] != keys[numbered][:-1])
    distinct[numbered[first]] = True
    return distinct
