"""Lattice detection: unstructured cells, or points without cells, that are a lattice in some numbering."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from flowgrad.compiled import kernel
from flowgrad.mesh.axis import Axis
from flowgrad.mesh.cells import Cells
from flowgrad.mesh.reference.cell import VTK
from flowgrad.typing import FloatArray, IntArray

# Cells of these types can be those of a lattice; corner c of the type is the lattice's corner here.
_CORNERS = {
    VTK.PIXEL: (0, 1, 2, 3),
    VTK.QUAD: (0, 1, 3, 2),
    VTK.VOXEL: (0, 1, 2, 3, 4, 5, 6, 7),
    VTK.HEXAHEDRON: (0, 1, 3, 2, 4, 5, 7, 6),
}
# Points lie on straight axes where they are this near to them, as a fraction of the lattice's size:
# the rounding of sums of three coordinates.
_STRAIGHT = 1e-14
# What a ``Lattice`` is made of: its axes, steps, origin, and the points of a curvilinear one in their order.
Geometry = tuple[tuple[Axis, Axis, Axis], FloatArray, FloatArray, FloatArray | None]


@dataclass(frozen=True, eq=False)
class LatticeOf:
    """The lattice that a mesh is, ``Lattice(*geometry)``, and where its points (n,) and cells (m,) stand in the
    mesh."""

    geometry: Geometry
    points: IntArray
    cells: IntArray


def find_lattice(points: FloatArray, cells: Cells) -> LatticeOf | None:
    """The lattice that points (n, 3) and cells are, quads and pixels or hexahedra and voxels, or None.

    Cells must be joined as one block of nx × ny × nz in any numbering, with no unused point. Points without
    cells must be all combinations of their own x, y and z, written with the same digits. Nothing else is a lattice.
    """
    if not len(cells):
        return _of_cloud(points) if len(points) > 1 else None
    corners = _corners(cells)
    around = np.bincount(corners.ravel(), minlength=len(points))
    in_order = _in_order(around, corners.shape[1].bit_length() - 1)
    return _numbered(points, corners, in_order) or _numbered(points, corners, _by_distances(corners, around))


def _of_cloud(points: FloatArray) -> LatticeOf | None:
    if not np.isfinite(points).all():
        return None
    axes, places = [], []
    for column in points.T:
        coordinates, place = np.unique(column, return_inverse=True)
        axes.append(coordinates)
        places.append(place.ravel())
        if np.prod([len(axis) for axis in axes]) > len(points):
            return None
    shape = [len(axis) for axis in axes]
    number = places[0] + shape[0] * (places[1] + shape[1] * places[2])
    if np.prod(shape) != len(points) or (np.bincount(number, minlength=len(points)) != 1).any():
        return None
    x, y, z = (Axis(coordinates) for coordinates in axes)
    return LatticeOf(((x, y, z), np.eye(3), np.zeros(3), None), np.argsort(number), np.empty(0, np.int64))


def _corners(cells: Cells) -> IntArray:
    """Points of each cell in the order of a lattice's corners (n, 4 or 8)."""
    rows = cells.connectivity.reshape(len(cells), -1)
    result = np.empty_like(rows)
    for vtk_type in cells.present_types.tolist():
        chosen = cells.types == vtk_type
        result[chosen] = rows[chosen][:, list(_CORNERS[vtk_type])]
    return result


def _in_order(around: IntArray, dimension: int) -> IntArray | None:
    """Indices (n, 3) of points that are numbered as a lattice's, the first index fastest, judging by the
    numbers of its corners."""
    ends, n = np.flatnonzero(around == 1), len(around)
    nx = int(ends[1]) + 1
    ny = (int(ends[2]) // nx + 1) if dimension == 3 else n // nx
    if ends[0] or nx * ny == 0 or n % (nx * ny) or (dimension == 2 and nx * ny != n):
        return None
    number = np.arange(n)
    return np.column_stack([number % nx, number // nx % ny, number // (nx * ny)])


def _by_distances(corners: IntArray, around: IntArray) -> IntArray | None:
    """Indices (n, 3) of the points, if they are a lattice: the number of edges between two points is then
    the sum of the differences of their indices, so that the distances from its corners give them."""
    index = np.zeros((len(around), 3), np.int64)
    dimension = corners.shape[1].bit_length() - 1
    neighbours, fits = edge_neighbours(corners, len(around))
    if not fits:
        return None
    ends = np.flatnonzero(around == 1)
    total, others = edge_distances(neighbours, ends[0]), ends[1:]
    for a in range(dimension):
        if not len(others):
            return None
        corner = others[np.argmin(total[others])]
        index[:, a] = (total - edge_distances(neighbours, corner) + total[corner]) // 2
        others = others[index[others, a] == 0]
    return index


@kernel()
def edge_neighbours(corners: Any, point_count: int) -> Any:
    """Points (n, 2 d) joined to each point by an edge of a cell, then -1; and whether these are enough."""
    cell_count, size = corners.shape
    most = 4 if size == 4 else 6
    found = np.full((point_count, most), -1)
    for c in range(cell_count):
        for m in range(size):
            here, bit = corners[c, m], 1
            while bit < size:
                there, slot = corners[c, m ^ bit], 0
                while slot < most and found[here, slot] >= 0 and found[here, slot] != there:
                    slot += 1
                if slot == most:
                    return found, False
                found[here, slot] = there
                bit *= 2
    return found, True


@kernel()
def edge_distances(neighbours: Any, start: int) -> Any:
    """Number of edges on the shortest way from one point to each other one (n,); -1 without a way."""
    distance = np.full(len(neighbours), -1)
    queue = np.empty(len(neighbours), np.int64)
    queue[0], head, tail = start, 0, 1
    distance[start] = 0
    while head < tail:
        here = queue[head]
        head += 1
        for there in neighbours[here]:
            if there >= 0 and distance[there] < 0:
                distance[there] = distance[here] + 1
                queue[tail] = there
                tail += 1
    return distance


def _number(index: IntArray, shape: IntArray) -> IntArray:
    return index[..., 0] + shape[0] * (index[..., 1] + shape[1] * index[..., 2])


def _cell_numbers(corners: IntArray, index: IntArray, shape: IntArray) -> IntArray | None:
    """Number of each cell in the lattice (m,), where all of them are cells of it, each one once."""
    cell_shape = np.maximum(shape - 1, 1)
    if np.prod(cell_shape) != len(corners):
        return None
    base = lowest_corners(corners, index)
    if (base < 0).any():
        return None
    number = _number(base, cell_shape)
    return number if (np.bincount(number, minlength=len(corners)) == 1).all() else None


@kernel()
def lowest_corners(corners: Any, index: Any) -> Any:
    """Lowest indices (m, 3) of the points of each cell; -1 where these do not stand in it as in a cell of
    a lattice: the edges along each of its own axes are one step along one axis, another one for each."""
    count, size = corners.shape
    result = np.full((count, 3), -1)
    for c in range(count):
        low = np.minimum(index[corners[c, 0]], index[corners[c, size - 1]])
        good, axes, bit = True, 0, 1
        while bit < size:
            step, along = 0, -1
            for a in range(3):
                difference = index[corners[c, bit], a] - index[corners[c, 0], a]
                if difference != 0:
                    step, along = difference, a if along < 0 else 3
            good &= along >= 0 and along < 3 and abs(step) == 1
            if good:
                axes |= 1 << along
                for m in range(size):
                    for a in range(3):
                        difference = index[corners[c, m | bit], a] - index[corners[c, m & ~bit], a]
                        good &= difference == (step if a == along else 0)
            bit *= 2
        taken = (axes & 1) + (axes >> 1 & 1) + (axes >> 2 & 1)
        if good and 1 << taken == size:
            result[c] = low
    return result


def _along_coordinates(index: IntArray, points: FloatArray) -> IntArray:
    """The same indices with the axes named and turned so that they run along x, y and z as best they can."""
    way = np.zeros((3, 3))
    for a in range(3):
        if index[:, a].any():
            way[a] = points[index[:, a] == index[:, a].max()].mean(axis=0) - points[index[:, a] == 0].mean(axis=0)
    way /= np.maximum(np.abs(way).max(axis=1, keepdims=True), np.finfo(float).tiny)
    best = max(permutations(range(3)), key=lambda order: sum(abs(way[a, m]) for m, a in enumerate(order)))
    turned = index[:, list(best)]
    for m, a in enumerate(best):
        if way[a, m] < 0:
            turned[:, m] = turned[:, m].max() - turned[:, m]
    return turned


def _numbered(points: FloatArray, corners: IntArray, index: IntArray | None) -> LatticeOf | None:
    """The lattice of points with these indices, if it is one."""
    if index is None:
        return None
    shape = index.max(axis=0) + 1
    # Every point of the lattice is there once.
    if (index < 0).any() or np.prod(shape.astype(float)) != len(index):
        return None
    if (np.bincount(_number(index, shape), minlength=len(index)) != 1).any():
        return None
    index = _along_coordinates(index, points)
    shape = index.max(axis=0) + 1
    cells = _cell_numbers(corners, index, shape)
    if cells is None:
        return None
    order = np.argsort(_number(index, shape))
    return LatticeOf(lattice_geometry(points[order], shape), order, np.argsort(cells))


def lattice_geometry(points: FloatArray, shape: IntArray) -> Geometry:
    """The geometry of the lattice of points (n, 3) in its order, the first index fastest: with straight axes where
    they are, to rounding."""
    straight = _straight(np.moveaxis(points.reshape(*shape[::-1], 3), (0, 1, 2), (2, 1, 0)))
    if straight is not None:
        return straight
    x, y, z = (Axis(np.arange(n, dtype=float)) for n in shape)
    return (x, y, z), np.eye(3), np.zeros(3), points


def _straight(grid: np.ndarray) -> Geometry | None:
    if not np.isfinite(grid).all():
        return None
    first = grid[0, 0, 0]
    lines = [grid[:, 0, 0], grid[0, :, 0], grid[0, 0, :]]
    x, y, z = (line - first for line in lines)
    rounding = _STRAIGHT * np.abs(grid).max()
    if np.abs(grid - first - x[:, None, None] - y[:, None] - z).max() > rounding:
        return None
    # Unit vectors from the first to the last point of each line; 0 for a single point.
    lengths = [np.linalg.norm(line[-1]) for line in (x, y, z)]
    ways = [line[-1] / length if length > 0 else np.zeros(3) for line, length in zip((x, y, z), lengths, strict=True)]
    along = [line @ way for line, way in zip((x, y, z), ways, strict=True)]
    bent = [
        np.abs(line - c[:, None] * way).max() > rounding for line, c, way in zip((x, y, z), along, ways, strict=True)
    ]
    if any(bent) or not all(len(c) == 1 or (np.diff(c) > 0).all() for c in along):
        return None
    steps = np.array(ways)
    if np.count_nonzero(steps) == np.count_nonzero(np.diagonal(steps)):
        own = [Axis(lines[a][:, a]) for a in range(3)]
        return (own[0], own[1], own[2]), np.eye(3), np.zeros(3), None
    return (Axis(along[0]), Axis(along[1]), Axis(along[2])), steps, first, None
