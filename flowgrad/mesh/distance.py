"""Distance to the boundary of a mesh: the size of the ball that fits around a place, and the way from a wall."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import prange

from flowgrad.compiled import called, kernel
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import runs, successor
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.spatial import cKDTree

# Faces whose normals have less than this part (sine) in the directions of the flow lie in front of it or behind.
_ACROSS = 1e-3
_NEAREST = 8
# Faces of a wall that are looked at from each place.
_CANDIDATES = 16
# Faces as near as the nearest but for this part of the distance are as near; below this part of their size they are
# touched.
_ALIKE, _ROUNDING = 1e-6, 1e-12
# Neighbouring faces whose normals turn by more than this angle do not belong to one smooth surface.
CREASE = math.radians(40)


def clearance(mesh: Mesh, centres: FloatArray, axes: FloatArray) -> FloatArray:
    """Distances (c,) of centres (c, 3) from the boundary of a mesh along ``axes`` (d, 3), never too large.

    The nearest faces are measured, those of one size together; a face that is not among them cannot be nearer than
    its middle, less its size.
    """
    parts = boundary_parts(mesh, axes)
    x = centres @ axes.T
    middles = parts.mean(axis=1)
    sizes = np.sqrt(((parts - middles[:, None]) ** 2).sum(axis=2).max(axis=1))
    octaves = np.round(np.log2(np.maximum(sizes, 1e-6 * max(float(sizes.max()), 1e-300)) + 1e-300))
    distance = np.full(len(x), np.inf)
    for octave in np.unique(octaves):
        chosen = octaves == octave
        distance = np.minimum(distance, _nearest(x, parts[chosen], middles[chosen], float(sizes[chosen].max())))
    return distance


def boundary_parts(mesh: Mesh, axes: FloatArray) -> FloatArray:
    """The boundary as points, segments or triangles (k, d, d) in d directions."""
    topology = mesh.topology
    start, points = topology.boundary_polygons
    d = len(axes)
    x = mesh.points[points] @ axes.T
    if d < mesh.dimension:
        area = topology.boundary_geometry[0]
        along = ((area @ axes.T) ** 2).sum(axis=1) > (_ACROSS**2) * (area**2).sum(axis=1)
    else:
        along = np.ones(len(start) - 1, bool)
    sizes = np.diff(start)
    if d == 1:
        return x[runs(start[:-1][along], sizes[along])][:, None]
    if d == 2:
        return _segments(x, start[:-1][along], sizes[along], closed=mesh.dimension == 3)
    # Fans about the first point of each face.
    second = runs(start[:-1] + 1, sizes - 2)
    return np.stack([x[np.repeat(start[:-1], sizes - 2)], x[second], x[second + 1]], axis=1)


def _segments(x: FloatArray, start: IntArray, sizes: IntArray, closed: bool) -> FloatArray:
    """Between the points that follow each other in each face, and round about where it is a polygon."""
    first = runs(start, sizes if closed else sizes - 1)
    second = first + 1
    if closed:
        last = start + sizes
        wrapped = np.isin(second, last) & (second == np.repeat(last, sizes))
        second = np.where(wrapped, np.repeat(start, sizes), second)
    found = np.stack([x[first], x[second]], axis=1)
    return found[((found[:, 0] - found[:, 1]) ** 2).sum(axis=1) > 0]


def _nearest(x: FloatArray, parts: FloatArray, middles: FloatArray, size: float) -> FloatArray:
    from scipy.spatial import cKDTree

    count = min(_NEAREST, len(parts))
    found, near = cKDTree(middles).query(x, k=list(range(1, count + 1)))
    distance = np.min([distance_from(x, parts[near[:, k]]) for k in range(count)], axis=0)
    return distance if count == len(parts) else np.minimum(distance, np.maximum(found[:, -1] - size, 0.0))


def distance_from(x: FloatArray, parts: FloatArray) -> FloatArray:
    """Distance of each position (c, d) from its own point, segment or triangle (c, 1 to 3, d)."""
    count = parts.shape[1]
    if count == 1:
        return np.sqrt(((x - parts[:, 0]) ** 2).sum(axis=1))
    sides = [_from_segment(x, parts[:, i], parts[:, (i + 1) % count]) for i in range(1 if count == 2 else 3)]
    distance = np.min(sides, axis=0)
    return distance if count == 2 else np.minimum(distance, _from_inside(x, parts))


def _from_segment(x: FloatArray, a: FloatArray, b: FloatArray) -> FloatArray:
    way, arm = b - a, x - a
    square = np.maximum((way**2).sum(axis=1), 1e-300)
    share = np.clip((arm * way).sum(axis=1) / square, 0.0, 1.0)
    return np.sqrt(((arm - share[:, None] * way) ** 2).sum(axis=1))


def _from_inside(x: FloatArray, triangles: FloatArray) -> FloatArray:
    """The height over triangles (c, 3, 3) where its foot is inside, else infinity."""
    a, b, c = triangles.transpose(1, 0, 2)
    normal = np.cross(b - a, c - a)
    size = np.sqrt((normal**2).sum(axis=1))
    inner = [(np.cross(q - p, x - p) * normal).sum(axis=1) >= 0 for p, q in ((a, b), (b, c), (c, a))]
    height = np.abs(((x - a) * normal).sum(axis=1)) / np.maximum(size, 1e-300)
    return np.where(np.logical_and.reduce(inner) & (size > 0), height, np.inf)


@dataclass(frozen=True, eq=False)
class SmoothWall:
    """A smooth part of a boundary: its ``faces`` (k,), and these as triangles, edges as flat ones (m, 3, 3), with unit
    ``normals`` (m, 3) into the fluid."""

    faces: IntArray
    triangles: FloatArray
    normals: FloatArray

    @classmethod
    def of(cls, mesh: Mesh, faces: IntArray) -> tuple[SmoothWall, ...]:
        """The parts of boundary faces (k,) between the corners into which the fluid reaches."""
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        topology = mesh.topology
        area, middles = (each[faces] for each in topology.boundary_geometry)
        size = np.sqrt((area**2).sum(axis=1, keepdims=True))
        inward = -area / np.where(size > 0, size, 1.0)
        start, points = topology.face_points(faces)
        a, b = _beside(start, points, mesh.dimension).T
        rises = ((middles[b] - middles[a]) * inward[a]).sum(axis=1) > 0
        turns = (inward[a] * inward[b]).sum(axis=1) < math.cos(CREASE)
        a, b = a[~(rises & turns)], b[~(rises & turns)]
        count, label = connected_components(coo_array((np.ones(len(a)), (a, b)), shape=(len(faces),) * 2), False)
        triangles, face = _triangles(mesh.points, start, points, mesh.dimension)
        parts = (np.flatnonzero(label[face] == part) for part in range(count))
        return tuple(cls(np.unique(faces[face[own]]), triangles[own], inward[face[own]]) for own in parts)

    @cached_property
    def _tree(self) -> cKDTree:
        from scipy.spatial import cKDTree

        return cKDTree(self.triangles.mean(axis=1))

    @cached_property
    def _size(self) -> float:
        arms = self.triangles - self.triangles.mean(axis=1, keepdims=True)
        return float(np.sqrt((arms**2).sum(axis=2).max()))

    def distance(self, x: FloatArray, most: float) -> tuple[FloatArray, FloatArray]:
        """Distances (n,) of positions (n, 3), infinite beyond ``most``, and the unit vectors away from the wall (n, 3):
        the mean of those from all faces that are as near, 0 beyond."""
        distance, away = np.full(len(x), np.inf), np.zeros((len(x), 3))
        count = min(_CANDIDATES, len(self.triangles))
        _, near = self._tree.query(x, k=list(range(1, count + 1)), distance_upper_bound=most + self._size)
        reached = np.flatnonzero(near[:, 0] < len(self.triangles))
        found, ways = _ways(x[reached], near[reached], self.triangles, self.normals, self._size)
        within = found <= most
        distance[reached[within]], away[reached[within]] = found[within], ways[within]
        return distance, away


def _beside(start: IntArray, points: IntArray, dimension: int) -> IntArray:
    """Pairs (p, 2) of faces that share an edge, of those of solids, or an end, of edges."""
    face = np.repeat(np.arange(len(start) - 1), np.diff(start))
    if dimension == 2:
        keys, face = (
            points[np.column_stack([start[:-1], start[1:] - 1]).ravel()],
            np.repeat(np.arange(len(start) - 1), 2),
        )
    else:
        following = points[successor(start)]
        keys = np.minimum(points, following) * (points.max(initial=0) + 1) + np.maximum(points, following)
    order = np.argsort(keys, kind="stable")
    same = np.flatnonzero(np.diff(keys[order]) == 0)
    return np.column_stack([face[order[same]], face[order[same + 1]]])


def _triangles(x: FloatArray, start: IntArray, points: IntArray, dimension: int) -> tuple[FloatArray, IntArray]:
    """Faces fanned about their first points, and of which each is (m,); edges with their last point twice."""
    sizes = np.diff(start)
    if dimension == 2:
        first = runs(start[:-1], sizes - 1)
        return x[points[np.column_stack([first, first + 1, first + 1])]], np.repeat(np.arange(len(sizes)), sizes - 1)
    second = runs(start[:-1] + 1, sizes - 2)
    corners = np.column_stack([np.repeat(start[:-1], sizes - 2), second, second + 1])
    return x[points[corners]], np.repeat(np.arange(len(sizes)), sizes - 2)


@called
def _along(x: Any, a: Any, b: Any, way: Any, best: float) -> float:
    """Square of the distance from a segment where it is less than the best, with the way from there; else the best."""
    along, square = 0.0, 0.0
    for k in range(3):
        along += (x[k] - a[k]) * (b[k] - a[k])
        square += (b[k] - a[k]) ** 2
    share = min(max(along / square, 0.0), 1.0) if square > 0.0 else 0.0
    total = 0.0
    for k in range(3):
        total += (x[k] - a[k] - share * (b[k] - a[k])) ** 2
    if total < best:
        for k in range(3):
            way[k] = x[k] - a[k] - share * (b[k] - a[k])
        return total
    return best


@called
def _from_triangle(x: Any, t: Any, way: Any) -> float:
    """Square of the distance from a triangle, and the way (3,) from its nearest place."""
    best = _along(x, t[0], t[1], way, np.inf)
    best = _along(x, t[1], t[2], way, best)
    best = _along(x, t[2], t[0], way, best)
    ux, uy, uz = t[1, 0] - t[0, 0], t[1, 1] - t[0, 1], t[1, 2] - t[0, 2]
    vx, vy, vz = t[2, 0] - t[0, 0], t[2, 1] - t[0, 1], t[2, 2] - t[0, 2]
    wx, wy, wz = x[0] - t[0, 0], x[1] - t[0, 1], x[2] - t[0, 2]
    nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
    square = nx * nx + ny * ny + nz * nz
    if square > 0.0:
        r = ((wy * vz - wz * vy) * nx + (wz * vx - wx * vz) * ny + (wx * vy - wy * vx) * nz) / square
        s = ((uy * wz - uz * wy) * nx + (uz * wx - ux * wz) * ny + (ux * wy - uy * wx) * nz) / square
        if r >= 0.0 and s >= 0.0 and r + s <= 1.0:
            height = (wx * nx + wy * ny + wz * nz) / square
            way[0], way[1], way[2] = height * nx, height * ny, height * nz
            return height * height * square
    return best


@called
def _from_face(x: Any, t: Any, normal: Any, size: float, way: Any) -> float:
    """Distance from a face, and the unit vector away from it (3,), which is its normal on it."""
    found = math.sqrt(_from_triangle(x, t, way))
    on_it = found <= _ROUNDING * size
    for k in range(3):
        way[k] = normal[k] if on_it else way[k] / found
    return found


@kernel(parallel=True)
def _ways(x: Any, near: Any, triangles: Any, normals: Any, size: float) -> Any:
    n = len(x)
    distance, away = np.full(n, np.inf), np.zeros((n, 3))
    for i in prange(n):
        way, nearest, total = np.zeros(3), np.zeros(3), np.zeros(3)
        for j in range(near.shape[1]):
            t = near[i, j]
            if t < len(triangles):
                found = _from_face(x[i], triangles[t], normals[t], size, way)
                if found < distance[i]:
                    distance[i] = found
                    nearest[:] = way
        for j in range(near.shape[1]):
            t = near[i, j]
            if t < len(triangles):
                found = _from_face(x[i], triangles[t], normals[t], size, way)
                # The next face of a plane is nearly as near in nearly the same direction: not another side.
                same = way[0] * nearest[0] + way[1] * nearest[1] + way[2] * nearest[2] > 1.0 - 4 * _ALIKE
                if found <= distance[i] + _ALIKE * (distance[i] + _ROUNDING * size):
                    total += nearest if same else way
        length = math.sqrt(total[0] ** 2 + total[1] ** 2 + total[2] ** 2)
        if length > 0.0:
            away[i] = total / length
    return distance, away
