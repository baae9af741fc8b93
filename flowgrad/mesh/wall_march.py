"""March from a wall into the mesh: distances from the smooth surface through the wall's points, ring of cells after
ring, as long as these are thin and the wall bends under them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import prange

from flowgrad.compiled import called, kernel
from flowgrad.mesh.cells import offsets, successor, take
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from flowgrad.mesh.topology import Topology

# Cells are thin where they are longer along the wall than high by a factor above the first, wholly so at the second;
# they bend where the wall sags along them by more than the first part of their height, wholly so at the second. Below
# the polynomials in x, y, z are as good.
THIN = (4.0, 8.0)
_BENT = (0.01, 0.03)
# The wall bends, and is not only rough, where the mean curvature of its faces around a point is more than the first
# part of their root mean square, wholly so at the second.
_SMOOTH = (0.85, 0.95)
# A wall along which no cell is bent by more than this is taken as flat; so long is one that is, at least.
_WHOLLY = 0.9
LONG = THIN[0] + _WHOLLY * (THIN[1] - THIN[0])
# Rings of cells about the bent ones in which distances are known: fits there reach so far.
_MARGIN = 3
# The sine of an angle that is none.
_STRAIGHT = 1e-6
# Vertices of the wall whose faces are looked at for the foot of a point.
_NEAR = 4


@called
def _normalise(n: Any) -> None:
    size = math.sqrt(n[0] * n[0] + n[1] * n[1] + n[2] * n[2])
    if size > 0.0:
        for k in range(3):
            n[k] /= size


@called
def _foot_on_segment(x: Any, a: Any, b: Any, at: Any) -> float:
    """Distance² of x from a segment; ``at`` (2,) are the shares of its ends in the foot."""
    square, along = 0.0, 0.0
    for k in range(3):
        square += (b[k] - a[k]) ** 2
        along += (x[k] - a[k]) * (b[k] - a[k])
    s = min(max(along / square, 0.0), 1.0) if square > 0.0 else 0.0
    at[0], at[1] = 1.0 - s, s
    total = 0.0
    for k in range(3):
        total += (a[k] + s * (b[k] - a[k]) - x[k]) ** 2
    return total


@called
def _foot_on_triangle(x: Any, a: Any, b: Any, c: Any, at: Any, two: Any) -> float:
    """Distance² of x from a triangle; ``at`` (3,) are the shares of its corners in the foot."""
    uu, uv, vv, ux, vx = 0.0, 0.0, 0.0, 0.0, 0.0
    for k in range(3):
        u, v, w = b[k] - a[k], c[k] - a[k], x[k] - a[k]
        uu, uv, vv, ux, vx = uu + u * u, uv + u * v, vv + v * v, ux + u * w, vx + v * w
    det = uu * vv - uv * uv
    if det > 0.0:
        s, t = (vv * ux - uv * vx) / det, (uu * vx - uv * ux) / det
        if s >= 0.0 and t >= 0.0 and s + t <= 1.0:
            at[0], at[1], at[2] = 1.0 - s - t, s, t
            total = 0.0
            for k in range(3):
                total += (a[k] + s * (b[k] - a[k]) + t * (c[k] - a[k]) - x[k]) ** 2
            return total
    best = np.inf
    found = _foot_on_segment(x, a, b, two)
    if found < best:
        best = found
        at[0], at[1], at[2] = two[0], two[1], 0.0
    found = _foot_on_segment(x, b, c, two)
    if found < best:
        best = found
        at[0], at[1], at[2] = 0.0, two[0], two[1]
    found = _foot_on_segment(x, c, a, two)
    if found < best:
        best = found
        at[0], at[1], at[2] = two[1], 0.0, two[0]
    return best


@called
def _foot(x: Any, f: int, faces: Any, points: Any, normals: Any, n: Any, height: Any, room: Any) -> float:
    """Distance² of x from a face; ``n`` is the normal there, between those of its points, and ``height[0]`` how far x
    is above the smooth wall with these normals: above its tangent plane where it stands out of the face there."""
    (start, corners), (two, at, centre, trial) = faces, room
    first, last = start[f], start[f + 1]
    size = last - first
    best, edge = np.inf, first
    if size == 2:
        best = _foot_on_segment(x, points[corners[first]], points[corners[first + 1]], two)
        at[0], at[1], at[2] = 0.0, two[0], two[1]
    else:
        for k in range(3):
            centre[k] = 0.0
            for j in range(first, last):
                centre[k] += points[corners[j], k] / size
        for j in range(first, last):
            a, b = corners[j], corners[j + 1 if j + 1 < last else first]
            found = _foot_on_triangle(x, centre, points[a], points[b], trial, two)
            if found < best:
                best, edge = found, j
                at[0], at[1], at[2] = trial[0], trial[1], trial[2]
    # Shares λ of the face's points in the foot; half the covariance of normals and places under these is the bulge.
    n[0] = n[1] = n[2] = 0.0
    centre[0] = centre[1] = centre[2] = 0.0
    total, next_one, origin = 0.0, edge + 1 if edge + 1 < last else first, corners[first]
    for j in range(first, last):
        share, p = at[0] / size, corners[j]
        share += at[1] if j == edge else 0.0
        share += at[2] if j == next_one else 0.0
        for k in range(3):
            n[k] += share * normals[p, k]
            centre[k] += share * (points[p, k] - points[origin, k])
            total += share * normals[p, k] * (points[p, k] - points[origin, k])
    bulge, above = 0.5 * (total - n[0] * centre[0] - n[1] * centre[1] - n[2] * centre[2]), 0.0
    _normalise(n)
    for k in range(3):
        above += (x[k] - points[origin, k] - centre[k]) * n[k]
    # The bulge is along the face's own normal, by the cosine of its angle with the other less.
    height[0] = above - bulge * (abs(above) / math.sqrt(best) if best > 0.0 else 1.0)
    return best


@kernel(parallel=True)
def feet(x: Any, near: Any, around: Any, faces: Any, points: Any, normals: Any, smooth: Any) -> Any:
    """Distances (m,) of places x (m, 3) from the smooth wall through the points of some faces, and the normals (m, 3)
    at their feet, which are on faces ``around`` the ``near`` vertices (m, k); and how ``smooth`` it is there."""
    start, by_vertex = around
    distance, normal, found_smooth = np.empty(len(x)), np.empty((len(x), 3)), np.empty(len(x))
    for i in prange(len(x)):
        n, height, room = np.empty(3), np.empty(1), (np.empty(2), np.empty(3), np.empty(3), np.empty(3))
        best = np.inf
        for v in near[i]:
            for j in range(start[v], start[v + 1]):
                found = _foot(x[i], by_vertex[j], faces, points, normals, n, height, room)
                if found < best:
                    best = found
                    distance[i], found_smooth[i] = height[0], smooth[v]
                    for k in range(3):
                        normal[i, k] = n[k]
    return distance, normal, found_smooth


@kernel(parallel=True)
def bending(
    points: Any, start: Any, corners: Any, entry: Any, distance: Any, normal: Any, smooth: Any, thin: Any, bent: Any
) -> Any:
    """From 0 to 1, how far cells (m,) of known distances are of a layer along a curved wall."""
    result = np.zeros(len(start) - 1)
    for i in prange(len(start) - 1):
        row = corners[start[i] : start[i + 1]]
        count = len(row)
        n, x = np.zeros(3), np.zeros(3)
        mean, lowest, highest = 0.0, np.inf, 0.0
        for q in row:
            e = entry[q]
            mean += distance[e] / count
            lowest, highest = min(lowest, distance[e]), max(highest, distance[e])
            for k in range(3):
                n[k] += normal[e, k]
                x[k] += points[q, k] / count
        _normalise(n)
        height = highest - lowest
        if height > 0.0:
            # Normals of a wall of curvature κ turn by κξ over an offset ξ along it.
            sag, squares, turns, across, share = 0.0, 0.0, 0.0, 0.0, 0.0
            for q in row:
                e = entry[q]
                turn = 0.0
                for k in range(3):
                    turn += (normal[e, k] - n[k]) * (points[q, k] - x[k])
                    turns += (normal[e, k] - n[k]) ** 2
                sag = max(sag, 0.5 * abs(turn))
                squares += turn * turn
                across += (distance[e] - mean) ** 2
                share += smooth[e] / count
            along = math.sqrt(count * squares / turns) if turns > 0.0 else 0.0
            longer = (along / math.sqrt(across) - thin[0]) / (thin[1] - thin[0])
            sags = (sag / height - bent[0]) / (bent[1] - bent[0])
            result[i] = share * min(max(longer, 0.0), 1.0) * min(max(sags, 0.0), 1.0)
    return result


@dataclass(frozen=True, eq=False)
class Layer:
    """What was found along a wall: distances and normals at points, and how far cells are bent."""

    points: IntArray
    distance: FloatArray
    normal: FloatArray
    cells: IntArray
    bent: FloatArray


class March:
    """Marches from walls into the mesh, ring of cells after ring as long as these are bent, and a few more."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._entry, self._seen = np.full(len(topology.points), -1), np.zeros(len(topology.cells), bool)

    def from_wall(self, start: IntArray, face_points: IntArray, normals: FloatArray) -> Layer:
        """What is found along a wall of faces (k,) of given points and normals; no cells where none is bent."""
        from scipy.spatial import cKDTree

        x, cells, entry = self._topology.points, self._topology.cells, self._entry
        points, corners = np.unique(face_points, return_inverse=True)
        wall, faces, count = x[points], (start, corners.ravel()), len(points)
        at_points = _vertex_normals(wall, *faces, normals)
        smooth = _smoothness(wall, *faces, at_points, normals)
        face = np.repeat(np.arange(len(normals)), np.diff(start))
        around = (
            offsets(np.bincount(corners.ravel(), minlength=count)),
            face[np.argsort(corners.ravel(), kind="stable")],
        )
        tree, near = cKDTree(wall), list(range(1, min(_NEAR, count) + 1))
        distance, normal, smoothness = np.zeros(count), at_points, smooth
        entry[points] = np.arange(count)
        met, bent, front, left = np.empty(0, np.int64), np.empty(0), points, _MARGIN
        while len(front) and left:
            ring = self._unseen(front)
            ring_start, corners = take(cells.offsets, cells.connectivity, ring)
            fresh = np.unique(corners[entry[corners] < 0])
            entry[fresh] = len(points) + np.arange(len(fresh))
            found = feet(x[fresh], tree.query(x[fresh], near)[1], around, faces, wall, at_points, smooth)
            points = np.concatenate([points, fresh])
            distance, normal, smoothness = (
                np.concatenate(both) for both in zip((distance, normal, smoothness), found, strict=True)
            )
            amount = bending(x, ring_start, corners, entry, distance, normal, smoothness, THIN, _BENT)
            met, bent = np.concatenate([met, ring]), np.concatenate([bent, amount])
            if left == _MARGIN and (amount > 0).any():
                front = corners[np.repeat(amount > 0, np.diff(ring_start))]
            else:
                front, left = points, left - 1 if (bent > 0).any() else 0
        entry[points], self._seen[met] = -1, False
        if bent.max(initial=0.0) < _WHOLLY:
            met, bent = met[:0], bent[:0]
        return Layer(points, distance, normal, met, bent)

    def _unseen(self, points: IntArray) -> IntArray:
        """Cells around points that were not met yet; now they are."""
        cells = np.unique(take(*self._topology.point_cells, np.unique(points))[1])
        cells = cells[~self._seen[cells]]
        self._seen[cells] = True
        return cells


def _vertex_normals(points: FloatArray, start: IntArray, corners: IntArray, normals: FloatArray) -> FloatArray:
    """Unit normals at the points of a wall (n, 3), those of a circle or a sphere through the points around (Max 1999,
    J. Graphics Tools 4(2), 1). At the rim of the wall they go on as its faces turn."""
    face, sizes = np.repeat(np.arange(len(normals)), np.diff(start)), np.diff(start)
    ahead = successor(start)
    behind = np.empty_like(ahead)
    behind[ahead] = np.arange(len(ahead))
    one, other = points[corners[ahead]] - points[corners], points[corners[behind]] - points[corners]
    squares = (one**2).sum(axis=1) * (other**2).sum(axis=1)
    if sizes.max() == 2:
        weight, own = squares**-0.25, normals[face]
        single = np.bincount(corners) == 1
    else:
        # Corner by corner: their own normals, for the faces may be warped. Where edges go straight on there is none.
        area = np.cross(one, other)
        size = np.sqrt((area**2).sum(axis=1))
        weight = np.maximum(size / squares, _STRAIGHT / np.sqrt(squares))
        own = np.sign((area * normals[face]).sum(axis=1))[:, None] * area / np.where(size > 0, size, 1.0)[:, None]
        own = np.where((size > _STRAIGHT * np.sqrt(squares))[:, None], own, normals[face])
        ends = np.sort(np.column_stack([corners, corners[ahead]]), axis=1)
        edges, count = np.unique(ends, axis=0, return_counts=True)
        single = np.zeros(len(points), bool)
        single[edges[count == 1]] = True
    result = np.zeros((len(points), 3))
    np.add.at(result, corners, weight[:, None] * own)
    result /= np.sqrt((result**2).sum(axis=1, keepdims=True))
    # The mean of the normals at the points of a face is its own: that gives those on the rim.
    on_rim = single[corners]
    inner = np.add.reduceat(np.where(on_rim[:, None], 0.0, result[corners]), start[:-1])
    rims = np.bincount(face[on_rim], minlength=len(normals))
    whole = (sizes[:, None] * normals - inner) / np.maximum(rims, 1)[:, None]
    whole = np.where((rims < sizes)[:, None], whole, normals)
    turned = np.zeros((len(points), 3))
    np.add.at(turned, corners[on_rim], weight[on_rim, None] * whole[face[on_rim]])
    size = np.sqrt((turned**2).sum(axis=1, keepdims=True))
    return np.where((size > 0) & single[:, None], turned / np.where(size > 0, size, 1.0), result)


def _smoothness(
    points: FloatArray, start: IntArray, corners: IntArray, at_points: FloatArray, normals: FloatArray
) -> FloatArray:
    """From 0 to 1, how far the curvatures of the faces around each point of a wall (n,) agree: the size of their mean
    over their root mean square."""
    face, sizes = np.repeat(np.arange(len(normals)), np.diff(start)), np.diff(start)
    arms = points[corners] - (np.add.reduceat(points[corners], start[:-1]) / sizes[:, None])[face]
    turns = at_points[corners] - normals[face]
    sums = [
        np.add.reduceat((turns * arms).sum(axis=1), start[:-1]) / np.add.reduceat((arms**2).sum(axis=1), start[:-1])
    ]
    sums += [sums[0] ** 2, np.ones(len(normals))]
    for _ in range(2):  # what is around the points, and around the points of the faces there
        around = [np.bincount(corners, each[face], len(points)) for each in sums]
        sums = [np.add.reduceat(each[corners], start[:-1]) for each in around]
    total, squares, count = around
    agreement = np.abs(total) / np.sqrt(np.maximum(squares * count, 1e-300))
    return np.asarray(np.clip((agreement - _SMOOTH[0]) / (_SMOOTH[1] - _SMOOTH[0]), 0.0, 1.0))
