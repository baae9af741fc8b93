"""Thin cells along curved walls: the distance of points and cells from the wall that they lie along.

A wall whose facets sag by more than the cells along it are high is no plane to these cells, and a polynomial in x, y, z
cannot follow it. In the offset along the wall and the distance from it the layers are flat (mapped least squares:
Diskin & Thomas 2008, NIA report 2008-12; Thomas, Diskin & Rumsey 2008, AIAA J. 46, 3070).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import prange

from flowgrad.compiled import called, kernel
from flowgrad.mesh.cells import Cells, offsets, successor, take
from flowgrad.mesh.wall_march import LONG, Layer, March
from flowgrad.reprs import ReprMixin
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from flowgrad.mesh.topology import Topology

# Faces belong to one smooth wall where their normals differ by less than this from one to the next (50°), and by no
# more than so many times what they do at the next edges: else there is a crease.
_CREASE, _SUDDEN = 0.85, 4.0
# A wall whose normals turn by less than this (sine) is flat.
_FLAT = 1e-4
# No wall has fewer faces than the first, and no mesh with layers a smaller part of thin cells than the second: a few
# are long by chance.
_FEWEST, _FEW = 12, 1e-4
# A moment below this part of the largest is none.
_ROUNDING = 1e-20


@dataclass(frozen=True, eq=False)
class WallDistances(ReprMixin):
    """Distances of places (n,) from the walls that they lie along: place ``i`` has the entries ``start[i]`` to
    ``start[i + 1]``, each with the number of its ``wall``, the ``distance`` (m,) from it, the unit ``normal`` (m, 3)
    out of it, and ``bent`` (m,), from 0 where the wall may be taken as flat to 1. ``slope`` (m, 3) is ∂distance/∂x in a
    cell, the normal at points."""

    start: IntArray
    wall: IntArray
    distance: FloatArray
    normal: FloatArray
    slope: FloatArray
    bent: FloatArray

    @classmethod
    def none(cls, count: int) -> WallDistances:
        """No entry for any of so many places."""
        empty, vectors = np.empty(0), np.empty((0, 3))
        return cls(np.zeros(count + 1, np.int64), np.empty(0, np.int64), empty, vectors, vectors, empty)

    def __getitem__(self, chosen: IntArray) -> WallDistances:
        start, entries = take(self.start, np.arange(len(self.wall)), chosen)
        names = ("wall", "distance", "normal", "slope", "bent")
        return WallDistances(start, *(getattr(self, name)[entries] for name in names))

    def followed_by(self, other: WallDistances) -> WallDistances:
        """These places and others after them."""
        names = ("wall", "distance", "normal", "slope", "bent")
        start = np.concatenate([self.start, self.start[-1] + other.start[1:]])
        return WallDistances(start, *(np.concatenate([getattr(self, n), getattr(other, n)]) for n in names))

    def turned(self, basis: FloatArray) -> WallDistances:
        """Normals and slopes in another orthonormal basis, its vectors rows (3, 3)."""
        return WallDistances(
            self.start, self.wall, self.distance, self.normal @ basis.T, self.slope @ basis.T, self.bent
        )

    @property
    def most(self) -> FloatArray:
        """How far each place (n,) is bent along any wall."""
        most = np.zeros(len(self.start) - 1)
        np.maximum.at(most, np.repeat(np.arange(len(most)), np.diff(self.start)), self.bent)
        return most

    def entries(self, places: IntArray, walls: IntArray) -> IntArray:
        """The entries of pairs of a place and a wall (k,), -1 for pairs without one."""
        if not len(self.wall):
            return np.full(len(places), -1)
        width = int(max(self.wall.max(), walls.max(initial=0))) + 1
        keys = np.repeat(np.arange(len(self.start) - 1), np.diff(self.start)) * width + self.wall
        order, wanted = np.argsort(keys), places * width + walls
        found = order[np.minimum(np.searchsorted(keys[order], wanted), len(keys) - 1)]
        return np.where(keys[found] == wanted, found, -1)

    def nearest(self) -> IntArray:
        """The entry of the nearest wall along which a place (n,) is bent, -1 where it is along none."""
        place = np.repeat(np.arange(len(self.start) - 1), np.diff(self.start))
        chosen = np.flatnonzero(self.bent > 0)
        order = chosen[np.lexsort((self.distance[chosen], place[chosen]))]
        found = np.full(len(self.start) - 1, -1)
        found[place[order[::-1]]] = order[::-1]
        return found


@dataclass(frozen=True, eq=False)
class WallLayers(ReprMixin):
    """Thin cells along curved walls, with the distances of the ``points`` and ``cells`` of a mesh."""

    topology: Topology
    points: WallDistances
    cells: WallDistances

    def on_faces(self, faces: IntArray) -> WallDistances:
        """Distances of boundary faces (k,), rows of ``topology.boundary``: those of their points, in the mean. They
        are as bent as the cells that they bound, and their normals are their own."""
        topology = self.topology
        face, wall, distance = _of_all_points(self.points, *topology.face_points(faces))
        entry = self.cells.entries(topology.boundary_cells[faces][face], wall)
        bent = np.where(entry >= 0, np.append(self.cells.bent, 0.0)[entry], 0.0)
        area = -topology.boundary_geometry[0][faces][face]
        normal = area / np.sqrt((area**2).sum(axis=1, keepdims=True))
        return WallDistances(_starts(face, len(faces)), wall, distance, normal, normal, bent)

    def within(self, cells: IntArray, arms: FloatArray) -> WallDistances:
        """Distances of places from the walls along which the cells (k,) are bent that hold them, ``arms`` (k, 3) from
        their centroids; none for cells -1. Their normals turn in the cell as those of its points."""
        found = self.cells.nearest()[cells]
        place = np.flatnonzero((cells >= 0) & (found >= 0))
        entry, own, arms = found[place], cells[place], arms[place]
        walls, normal, slope = (getattr(self.cells, name)[entry] for name in ("wall", "normal", "slope"))
        start, corners = take(self.topology.cells.offsets, self.topology.cells.connectivity, own)
        at_points = self.points.normal[self.points.entries(corners, np.repeat(walls, np.diff(start)))]
        turns = _slopes(self.topology.points[corners], at_points, start)
        normal = normal + np.einsum("nij,nj->ni", turns, arms)
        normal /= np.sqrt((normal**2).sum(axis=1, keepdims=True))
        distance = self.cells.distance[entry] + (arms * slope).sum(axis=1)
        return WallDistances(_starts(place, len(cells)), walls, distance, normal, normal, self.cells.bent[entry])


def layers_note(bent: int, count: int, places: str) -> str:
    """That fits follow the walls at some of the places."""
    return f"thin layers along curved walls: at {bent} of {count} {places} the fits follow the distance from the wall"


def may_be_layers(points: FloatArray, cells: Cells) -> bool:
    """Whether cells are so many and so thin that they may lie in layers: a quick look, without the topology."""
    count = thin_cells(points, cells.offsets, cells.connectivity, cells.dimension, LONG)
    return bool(count >= max(_FEWEST, _FEW * len(cells)))


def find_layers(topology: Topology, centroids: FloatArray) -> WallLayers | None:
    """The thin cells, with centroids (n, 3), along the curved walls of a mesh; None where there are none."""
    start, points = topology.boundary_polygons
    area = topology.boundary_geometry[0]
    size = np.sqrt((area**2).sum(axis=1, keepdims=True))
    normals = -area / np.where(size > 0, size, 1.0)
    number = _walls(start, points, normals, len(topology.points), topology.cells.dimension)
    walls = np.unique(number[number >= 0])
    if not len(walls):
        return None
    march, found = March(topology), []
    for wall in walls:
        faces = np.flatnonzero(number == wall)
        found.append(march.from_wall(*take(start, points, faces), normals[faces]))
    found = [each for each in found if len(each.cells)]
    return _layers(topology, centroids, found) if found else None


def _layers(topology: Topology, centroids: FloatArray, found: list[Layer]) -> WallLayers:
    """What was found along each wall, by points and by cells."""
    place, cell = (np.concatenate([getattr(each, name) for each in found]) for name in ("points", "cells"))
    of_points, of_cells = (
        np.repeat(np.arange(len(found)), [len(getattr(each, name)) for each in found]) for name in ("points", "cells")
    )
    distance, normal, bent = (
        np.concatenate([getattr(each, name) for each in found]) for name in ("distance", "normal", "bent")
    )
    # A point is as bent as the most bent of the cells around it.
    start, corners = take(topology.cells.offsets, topology.cells.connectivity, cell)
    count = len(topology.points)
    keys, which = np.unique(of_points * count + place, return_inverse=True)
    most = np.zeros(len(keys))
    corner_wall = np.repeat(of_cells, np.diff(start))
    np.maximum.at(most, np.searchsorted(keys, corner_wall * count + corners), np.repeat(bent, np.diff(start)))
    order = np.argsort(place, kind="stable")
    at_points = (distance[order], normal[order], normal[order], most[which.ravel()][order])
    points = WallDistances(_starts(place, count), of_points[order], *at_points)
    order = np.argsort(cell, kind="stable")
    cells = _of_cells(topology, centroids, points, cell[order], of_cells[order], bent[order])
    return WallLayers(topology, points, cells)


def _of_cells(
    topology: Topology, centroids: FloatArray, points: WallDistances, cell: IntArray, wall: IntArray, bent: FloatArray
) -> WallDistances:
    """Distances of cells (m,) from walls (m,): that at the points, linear in the cell, at its centroid."""
    start, corners = take(topology.cells.offsets, topology.cells.connectivity, cell)
    sizes, owner = np.diff(start), np.repeat(np.arange(len(cell)), np.diff(start))
    entry = points.entries(corners, wall[owner])
    arms = topology.points[corners] - centroids[cell][owner]
    distance, normal = points.distance[entry], np.add.reduceat(points.normal[entry], start[:-1])
    normal /= np.sqrt((normal**2).sum(axis=1, keepdims=True))
    middle = np.add.reduceat(arms, start[:-1]) / sizes[:, None]
    mean = np.add.reduceat(distance, start[:-1]) / sizes
    # Least squares for what the slope is other than the normal.
    rest = distance - (arms * normal[owner]).sum(axis=1)
    slope = normal + _slopes(arms, rest[:, None], start)[:, 0]
    at_centroid = mean - (middle * slope).sum(axis=1)
    return WallDistances(_starts(cell, len(centroids)), wall, at_centroid, normal, slope, bent)


def _slopes(x: FloatArray, values: FloatArray, start: IntArray) -> FloatArray:
    """Slopes ∂values/∂x (m, k, 3) of values (s, k) at places x (s, 3), run by run, by least squares; along directions
    in which the places do not differ they are nothing."""
    sizes, run = np.diff(start)[:, None], np.repeat(np.arange(len(start) - 1), np.diff(start))
    x, values = (each - (np.add.reduceat(each, start[:-1]) / sizes)[run] for each in (x, values))
    moments = np.add.reduceat(x[:, :, None] * x[:, None, :], start[:-1])
    squares, axes = np.linalg.eigh(moments)
    known = squares > _ROUNDING * squares[:, -1:]
    right = np.add.reduceat(values[:, :, None] * x[:, None, :], start[:-1]) @ axes
    along = np.where(known, 1 / np.where(known, squares, 1.0), 0.0)
    return np.asarray((right * along[:, None, :]) @ axes.transpose(0, 2, 1))


def _starts(place: IntArray, count: int) -> IntArray:
    return offsets(np.bincount(place, minlength=count))


def _of_all_points(known: WallDistances, start: IntArray, points: IntArray) -> tuple[IntArray, IntArray, FloatArray]:
    """Of runs of points the numbers, walls and mean distances: for each wall from which all points have a distance."""
    run = np.repeat(np.arange(len(start) - 1), np.diff(start))
    own = known[points]
    at = np.repeat(run, np.diff(own.start))
    width = int(own.wall.max(initial=0)) + 1
    keys, which, count = np.unique(at * width + own.wall, return_inverse=True, return_counts=True)
    total = np.bincount(which.ravel(), own.distance, minlength=len(keys))
    whole = count == np.diff(start)[keys // width]
    return keys[whole] // width, keys[whole] % width, (total / np.maximum(count, 1))[whole]


def _walls(start: IntArray, points: IntArray, normals: FloatArray, count: int, dimension: int) -> IntArray:
    """The number of the smooth curved wall that each boundary face belongs to (b,), -1 for flat ones: faces that share
    an edge without a crease."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    face = np.repeat(np.arange(len(normals)), np.diff(start))
    if dimension == 3:
        ends = np.sort(np.column_stack([points, points[successor(start)]]), axis=1)
        keys = ends[:, 0] * count + ends[:, 1]
    else:
        keys = points
    order = np.argsort(keys, kind="stable")
    same = np.flatnonzero(keys[order][1:] == keys[order][:-1])
    one, other = face[order[same]], face[order[same + 1]]
    turn = np.sqrt(((normals[one] - normals[other]) ** 2).sum(axis=1))
    slight = turn < _CREASE
    one, other, turn = one[slight], other[slight], turn[slight]
    largest, next_one = _two_largest(one, other, turn, len(normals))
    beside = np.maximum(*(np.where(turn == largest[each], next_one[each], largest[each]) for each in (one, other)))
    smooth = turn < _SUDDEN * beside + _FLAT
    one, other, turn = one[smooth], other[smooth], turn[smooth]
    graph = coo_array((np.ones(len(one)), (one, other)), shape=(len(normals), len(normals)))
    number, label = connected_components(graph, directed=False)
    curved = np.zeros(number, bool)
    curved[label[one[turn > _FLAT]]] = True
    curved &= np.bincount(label) >= _FEWEST
    return np.where(curved[label], label, -1)


def _two_largest(one: IntArray, other: IntArray, values: FloatArray, count: int) -> tuple[FloatArray, FloatArray]:
    """Of the values of pairs the largest and the next one for each of their members (count,), 0 without."""
    member, both = np.concatenate([one, other]), np.concatenate([values, values])
    order = np.lexsort((-both, member))
    member, both = member[order], both[order]
    first = np.searchsorted(member, np.arange(count))
    found = []
    for place in (first, first + 1):
        there = np.minimum(place, max(len(member) - 1, 0))
        has = (place < len(member)) & (member[there] == np.arange(count)) if len(member) else np.zeros(count, bool)
        found.append(np.where(has, both[there] if len(member) else 0.0, 0.0))
    return found[0], found[1]


@called
def _extreme(a: float, b: float, c: float, d: float, e: float, f: float, dimension: int) -> Any:
    """The largest and smallest principal moment of (a, d, f; d, b, e; f, e, c), in a plane without the zero across it
    (Smith 1961, Comm. ACM 4, 168)."""
    mean = (a + b + c) / 3
    squares = d * d + e * e + f * f
    p = math.sqrt(((a - mean) ** 2 + (b - mean) ** 2 + (c - mean) ** 2 + 2 * squares) / 6)
    if not p > 0.0:
        return mean, mean
    a, b, c, d, e, f = (a - mean) / p, (b - mean) / p, (c - mean) / p, d / p, e / p, f / p
    half = (a * (b * c - e * e) - d * (d * c - e * f) + f * (d * e - b * f)) / 2
    angle = math.acos(min(max(half, -1.0), 1.0)) / 3
    largest = mean + 2 * p * math.cos(angle)
    smallest = mean + 2 * p * math.cos(angle + 2 * math.pi / 3)
    if dimension == 2:
        smallest = 3 * mean - largest - smallest
    return largest, smallest


@kernel(parallel=True)
def thin_cells(points: Any, offsets: Any, connectivity: Any, dimension: int, longest: float) -> Any:
    """How many cells are longer than high by more than ``longest``, by the moments of their points."""
    total, square = 0, longest * longest
    # No cell so long has invariants above these, whatever its middle moment.
    most = 4 * square / (1 + square) ** 2
    for c in prange(len(offsets) - 1):
        first, last = offsets[c], offsets[c + 1]
        x, y, z = 0.0, 0.0, 0.0
        for j in range(first, last):
            p = connectivity[j]
            x, y, z = x + points[p, 0], y + points[p, 1], z + points[p, 2]
        n = max(last - first, 1)
        x, y, z = x / n, y / n, z / n
        a, b, c_, d, e, f = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
        for j in range(first, last):
            p = connectivity[j]
            u, v, w = points[p, 0] - x, points[p, 1] - y, points[p, 2] - z
            a, b, c_ = a + u * u, b + v * v, c_ + w * w
            d, e, f = d + u * v, e + v * w, f + u * w
        trace = a + b + c_
        if dimension == 2:
            may_be = 4 * (a * b - d * d + b * c_ - e * e + a * c_ - f * f) < 1.01 * most * trace * trace
        else:
            det = a * (b * c_ - e * e) - d * (d * c_ - e * f) + f * (d * e - b * f)
            may_be = 27 * det < 1.01 * most * trace * trace * trace
        if may_be:
            largest, smallest = _extreme(a, b, c_, d, e, f, dimension)
            total += largest > square * smallest
    return total
