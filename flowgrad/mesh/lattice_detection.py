"""Lattice detection: unstructured cells, or points without cells, that are a lattice in some numbering."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations
from typing import Any

import numpy as np

from flowgrad.compiled import kernel
from flowgrad.mesh.lattice import Axis, Lattice
from flowgrad.mesh.mesh import Mesh
from flowgrad.mesh.sited import SitedMesh
from flowgrad.typing import FloatArray, IntArray

# Cells of these types can be those of a lattice; corner c of the type is the lattice's corner here.
_CORNERS = {
    8: (0, 1, 2, 3),
    9: (0, 1, 3, 2),
    11: (0, 1, 2, 3, 4, 5, 6, 7),
    12: (0, 1, 3, 2, 4, 5, 7, 6),
}
# Points lie on straight axes where they are this near to them, as a fraction of the lattice's size:
# the rounding of sums of three coordinates.
_STRAIGHT = 1e-14
# Lines along an axis that are looked at in each of the other two directions.
_LINES = 8


@dataclass(frozen=True, eq=False)
class Recognised:
    """A lattice, and where its points (n,) and cells (m,) stand in the mesh that it is."""

    lattice: Lattice
    points: IntArray
    cells: IntArray


def as_lattice(mesh: Mesh) -> Recognised | None:
    """The lattice that a mesh is, or None.

    Cells must be quads and pixels, or hexahedra and voxels, joined as one block of nx × ny × nz in
    any numbering, with no other cell and no unused point. Points without cells must be all
    combinations of their own x, y and z, written with the same digits. Nothing else is a lattice, and
    cells whose values sit elsewhere than at their centroids are none.
    """
    if isinstance(mesh, SitedMesh):
        return None
    if len(mesh):
        return _of_cells(mesh)
    return _of_cloud(mesh.points) if len(mesh.points) > 1 else None


def roughness(lattice: Lattice) -> float:
    """How unevenly the points of a curvilinear lattice lie: the largest third difference along its axes,
    as a fraction of the first difference there, on some hundred lines along each axis. 0.04 for
    spacings that grow by a fifth each, 0.3 where one is a third larger than the one before."""
    return max(_unevenness(_some_lines(lattice, a)) for a in lattice.active)


def _some_lines(lattice: Lattice, a: int) -> np.ndarray:
    """Points of lines along an axis, (n, lines, lines, 3), evenly chosen with both the first and last."""
    grid = np.moveaxis(lattice.grid(lattice.points), a, 0)
    chosen = [np.unique(np.linspace(0, n - 1, min(n, _LINES)).astype(int)) for n in grid.shape[1:3]]
    return grid[:, chosen[0][:, None], chosen[1]]


def _unevenness(lines: np.ndarray) -> float:
    first = np.diff(lines, axis=0)
    third = np.linalg.norm(np.diff(first, 2, axis=0), axis=-1)
    spacing = np.linalg.norm(first[1:-1], axis=-1)
    return float(np.nanmax(third[spacing > 0] / spacing[spacing > 0], initial=0.0))


def _of_cloud(points: FloatArray) -> Recognised | None:
    if not np.isfinite(points).all():
        return None
    axes, places = [], []
    for column in points.T:
        coordinates, place = np.unique(column, return_inverse=True)
        axes.append(coordinates)
        places.append(place.ravel())
        if np.prod([len(each) for each in axes]) > len(points):
            return None
    shape = [len(each) for each in axes]
    number = places[0] + shape[0] * (places[1] + shape[1] * places[2])
    if np.prod(shape) != len(points) or (np.bincount(number, minlength=len(points)) != 1).any():
        return None
    x, y, z = axes
    return Recognised(Lattice.rectilinear(x, y, z), np.argsort(number), np.empty(0, np.int64))


def _of_cells(mesh: Mesh) -> Recognised | None:
    types = mesh.cells.types
    kinds = set(np.flatnonzero(np.bincount(types, minlength=13)[:13]).tolist()) if types.max() < 13 else set()
    if not kinds or not (kinds <= {8, 9} or kinds <= {11, 12}):
        return None
    corners = _corners(mesh)
    around = np.bincount(corners.ravel(), minlength=len(mesh.points))
    if not _has_counts(around, corners.shape[1]):
        return None
    dimension = corners.shape[1].bit_length() - 1
    return _numbered(mesh, corners, _in_order(around, dimension)) or _numbered(
        mesh, corners, _by_distances(corners, around)
    )


def _corners(mesh: Mesh) -> IntArray:
    """Points of each cell in the order of a lattice's corners (n, 4 or 8)."""
    types, rows = mesh.cells.types, mesh.cells.connectivity.reshape(len(mesh), -1)
    result = np.empty_like(rows)
    for vtk_type in np.unique(types):
        order = list(_CORNERS[int(vtk_type)])
        chosen = types == vtk_type
        result[chosen] = rows[chosen][:, order]
    return result


def _has_counts(cells_around: IntArray, size: int) -> bool:
    """Whether the points have 1, 2, 4 or 8 cells around them, and as many as a block has corners just
    one: quick to refuse."""
    seen = np.bincount(cells_around, minlength=size + 1)
    powers = [2**a for a in range(size.bit_length())]
    return len(seen) == size + 1 and seen[1] == size and int(seen[powers].sum()) == len(cells_around)


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


def _shape(index: IntArray) -> IntArray | None:
    """Number of points along each axis, where every one of the lattice is there once."""
    shape = index.max(axis=0) + 1
    if (index < 0).any() or np.prod(shape.astype(float)) != len(index):
        return None
    number = _number(index, shape)
    return shape if (np.bincount(number, minlength=len(index)) == 1).all() else None


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


def _numbered(mesh: Mesh, corners: IntArray, index: IntArray | None) -> Recognised | None:
    """The lattice of points with these indices, if it is one."""
    if index is None:
        return None
    shape = _shape(index)
    if shape is None:
        return None
    index = _along_coordinates(index, mesh.points)
    shape = index.max(axis=0) + 1
    cells = _cell_numbers(corners, index, shape)
    if cells is None:
        return None
    order = np.argsort(_number(index, shape))
    return Recognised(lattice_of(mesh.points[order], shape), order, np.argsort(cells))


def lattice_of(points: FloatArray, shape: IntArray) -> Lattice:
    """The lattice of points (n, 3) in its order, the first index fastest: with straight axes where they are, to
    rounding."""
    grid = np.moveaxis(points.reshape(*shape[::-1], 3), (0, 1, 2), (2, 1, 0))
    return _straight(grid) or Lattice.curvilinear(grid)


def _straight(grid: np.ndarray) -> Lattice | None:
    if not np.isfinite(grid).all():
        return None
    first = grid[0, 0, 0]
    lines = [grid[:, 0, 0], grid[0, :, 0], grid[0, 0, :]]
    x, y, z = (line - first for line in lines)
    rounding = _STRAIGHT * np.abs(grid).max()
    if np.abs(grid - first - x[:, None, None] - y[:, None] - z).max() > rounding:
        return None
    ways = [_way(line) for line in (x, y, z)]
    along = [line @ way for line, way in zip((x, y, z), ways, strict=True)]
    bent = [
        np.abs(line - c[:, None] * way).max() > rounding for line, c, way in zip((x, y, z), along, ways, strict=True)
    ]
    if any(bent) or not all(len(c) == 1 or (np.diff(c) > 0).all() for c in along):
        return None
    steps = np.array(ways)
    if np.count_nonzero(steps) == np.count_nonzero(np.diagonal(steps)):
        return Lattice.rectilinear(lines[0][:, 0], lines[1][:, 1], lines[2][:, 2])
    return Lattice((Axis(along[0]), Axis(along[1]), Axis(along[2])), steps, first)


def _way(line: FloatArray) -> FloatArray:
    """Unit vector from the first to the last point of a line that starts at 0; 0 for a single point."""
    length = np.linalg.norm(line[-1])
    return line[-1] / length if length > 0 else np.zeros(3)
