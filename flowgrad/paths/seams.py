"""Curvilinear lattices that close upon themselves, such as around a cylinder: the cells over the seam."""

from __future__ import annotations

import numpy as np

from flowgrad.mesh import Cells, Lattice, Mesh

_CELL_TYPES = {2: 9, 3: 12}
# VTK's order of the corners of a lattice's cell, the first axis fastest.
_RING = [0, 1, 3, 2, 4, 5, 7, 6]


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
    return Mesh(mesh.points, Cells.of_type(_CELL_TYPES[mesh.dimension], _rows(index.squeeze())))


def _rows(index: np.ndarray) -> np.ndarray:
    """The corners (m, 4 or 8) of the cells of a block of point numbers."""
    corners = []
    for c in _RING[: 2**index.ndim]:
        ahead = [c >> a & 1 for a in range(index.ndim)]
        corners.append(index[tuple(slice(s, n - 1 + s) for s, n in zip(ahead, index.shape, strict=True))].ravel())
    return np.stack(corners, axis=1)
