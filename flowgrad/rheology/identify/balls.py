"""Balls inside a flow, of many sizes and places: the supports of the test functions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowgrad.mesh import Mesh
from flowgrad.mesh.distance import clearance
from flowgrad.typing import FloatArray, IntArray

# Each size is this part of the one before; centres of one size keep this part of the radius from each other.
_RATIO = 0.7
_SPACING = 0.5
_SIZES = 14
# The smallest radius, in distances between the nodes of cells. Balls that have to shrink below this part of their size
# wait for the next one.
_SMALLEST = 4.0
_SHRUNK = 0.7
# So many balls of one size tell enough.
_OF_A_SIZE = 400


@dataclass(frozen=True, eq=False)
class Balls:
    """Centres (n, d), radii (n,), and the number of the size that each belongs to (n,)."""

    centres: FloatArray
    radii: FloatArray
    sizes: IntArray

    def __len__(self) -> int:
        return len(self.radii)


def balls(mesh: Mesh, axes: FloatArray, unknown: FloatArray) -> Balls:
    """Balls around centroids of cells that lie within the mesh, along ``axes`` (d, 3), and hold none of the
    ``unknown`` positions (k, d). The choice depends on the numbering of the cells and not on how the mesh is
    turned or scaled."""
    full = np.flatnonzero(mesh.is_full)
    centres = mesh.centroids[full]
    room = _less_unknown(clearance(mesh, centres, axes), centres @ axes.T, unknown)
    x, smallest = centres @ axes.T, _SMALLEST * _cell_sizes(mesh, axes)[full]
    found: list[tuple[IntArray, FloatArray, int]] = []
    shuffled = np.random.default_rng(0).permutation(len(x))
    for number in range(_SIZES):
        size = float(room.max(initial=0.0)) * _RATIO**number
        fits = shuffled[(np.minimum(room, size) >= np.maximum(_SHRUNK * size, smallest))[shuffled]]
        chosen = _spread(x[fits], _SPACING * size)
        found.append((fits[chosen], np.minimum(size, room[fits[chosen]]), number))
    rows = np.concatenate([each[0] for each in found])
    sizes = np.concatenate([np.full(len(each[0]), each[2]) for each in found])
    return Balls(np.ascontiguousarray(x[rows]), np.concatenate([each[1] for each in found]), sizes)


def _less_unknown(room: FloatArray, x: FloatArray, unknown: FloatArray) -> FloatArray:
    from scipy.spatial import cKDTree

    return np.minimum(room, cKDTree(unknown).query(x)[0]) if len(unknown) else room


def _cell_sizes(mesh: Mesh, axes: FloatArray) -> FloatArray:
    """About the edge of a square or cube as wide as each cell (n,), over the degree of its shape functions."""
    sizes = np.diff(mesh.cells.offsets)
    arms = (mesh.points[mesh.cells.connectivity] - np.repeat(mesh.centroids, sizes, axis=0)) @ axes.T
    farthest = np.maximum.reduceat((arms**2).sum(axis=1), mesh.cells.offsets[:-1])
    width = 2 * np.sqrt(farthest / len(axes))
    for block in mesh.blocks:
        width[block.cells] /= block.reference.degree
    return width


def _spread(x: FloatArray, spacing: float) -> IntArray:
    """The first positions, and of the others those that keep a distance from all chosen before."""
    from scipy.spatial import cKDTree

    if not len(x):
        return np.empty(0, np.int64)
    tree, free, chosen = cKDTree(x), np.ones(len(x), bool), []
    for i in range(len(x)):
        if free[i]:
            chosen.append(i)
            free[tree.query_ball_point(x[i], spacing)] = False
            if len(chosen) == _OF_A_SIZE:
                break
    return np.array(chosen)
