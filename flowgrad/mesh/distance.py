"""Distance to the boundary of a mesh: the size of the ball that fits around a place."""

from __future__ import annotations

import numpy as np

from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import runs
from flowgrad.typing import FloatArray, IntArray

# Faces whose normals have less than this part (sine) in the directions of the flow lie in front of it or behind.
_ACROSS = 1e-3
_NEAREST = 8


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
