"""Inclusion in cells without shape functions: polygons as triangles about their vertex mean, polyhedra
as tetrahedra over their faces, fanned about the faces' vertex means, as their volumes are computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from flowgrad.mesh.inverse_map import inverse_rows
from flowgrad.mesh.ragged import offsets, runs

if TYPE_CHECKING:
    from flowgrad.mesh.mesh import Mesh
    from flowgrad.typing import FloatArray, IntArray


def outside_fans(mesh: Mesh, cells: IntArray, positions: FloatArray, near: float) -> FloatArray:
    """How far outside of its cell each position (q, 3) lies (q,), in barycentric coordinates of the
    nearest simplex of its fan; infinite more than ``near`` of a polygon's size off its plane."""
    simplices, counts = _simplices(mesh, cells)
    owner = np.repeat(np.arange(len(cells)), counts)
    columns = simplices[:, 1:] - simplices[:, :1]
    arm = positions[owner] - simplices[:, 0]
    shares = np.einsum("sdi,si->sd", inverse_rows(columns), arm)
    outside = np.maximum((-shares).max(axis=1, initial=-np.inf), shares.sum(axis=1) - 1)
    off = arm - np.einsum("sd,sdi->si", shares, columns)
    size = np.abs(columns).max(axis=(1, 2), initial=0)
    outside[~(np.abs(off).max(axis=1, initial=0) <= near * size)] = np.inf
    result = np.full(len(cells), np.inf)
    np.minimum.at(result, owner, outside)
    return result


def _simplices(mesh: Mesh, cells: IntArray) -> tuple[FloatArray, IntArray]:
    """Corners (s, d + 1, 3) of the simplices, cell after cell, and their number in each cell (q,)."""
    if mesh.dimension == 1:
        return _pieces(mesh, cells)
    if mesh.dimension == 2:
        start = mesh.cells.offsets[cells]
        triangles, _ = _fan(mesh, mesh.cells.connectivity, start, np.diff(mesh.cells.offsets)[cells])
        return triangles, np.diff(mesh.cells.offsets)[cells]
    faces = mesh.faces
    counts = np.diff(faces.cell_offsets)[cells]
    chosen = runs(faces.cell_offsets[cells], counts)
    sizes = np.diff(faces.offsets)[chosen]
    triangles, face = _fan(mesh, faces.connectivity, faces.offsets[chosen], sizes)
    owner = np.repeat(np.arange(len(cells)), counts)[face]
    middle = mesh.centroids[cells][owner]
    return np.concatenate([middle[:, None], triangles], axis=1), np.bincount(owner, minlength=len(cells))


def _fan(mesh: Mesh, connectivity: IntArray, start: IntArray, sizes: IntArray) -> tuple[FloatArray, IntArray]:
    """Triangles (t, 3, 3) of polygons, each from the vertex mean to a side, and their polygons (t,)."""
    here = runs(start, sizes)
    ring = offsets(sizes)
    following = np.arange(1, len(here) + 1)
    following[ring[1:][sizes > 0] - 1] = ring[:-1][sizes > 0]
    corners = mesh.points[connectivity[here]]
    polygon = np.repeat(np.arange(len(sizes)), sizes)
    sums = np.column_stack([np.bincount(polygon, corners[:, k], len(sizes)) for k in range(3)])
    means = sums / np.maximum(sizes, 1)[:, None]
    return np.stack([means[polygon], corners, corners[following]], axis=1), polygon


def _pieces(mesh: Mesh, cells: IntArray) -> tuple[FloatArray, IntArray]:
    """The straight pieces (s, 2, 3) of poly-lines."""
    sizes = np.maximum(np.diff(mesh.cells.offsets)[cells] - 1, 0)
    here = runs(mesh.cells.offsets[cells], sizes)
    ends = mesh.cells.connectivity[np.column_stack([here, here + 1])]
    return mesh.points[ends], sizes
