"""Screen of plates of no thickness: samples that a straight line from the target reaches only through one take no part
in its fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import prange

from flowgrad.compiled import called, kernel
from flowgrad.mesh import Mesh
from flowgrad.mesh.bounding_tree import LEAF, BoxTree
from flowgrad.mesh.cells import offsets, successor
from flowgrad.typing import BoolArray, FloatArray, IntArray

# Places on a plate are moved off it by this fraction of the way to the middle of their cells.
_OFF = 1e-4
# Deepest tree of boxes: it holds 2⁶⁰ of them.
_DEEPEST = 64


@dataclass(frozen=True, eq=False)
class Screen:
    """Triangles (t, 3, 3) on the plates of a mesh, with the tree of their boxes, and the samples (n, 3), each moved
    towards the cells that it belongs to."""

    triangles: FloatArray
    tree: BoxTree
    samples: FloatArray

    @classmethod
    def of(cls, mesh: Mesh, positions: FloatArray, location: str, patch_faces: IntArray) -> Screen | None:
        """That of a mesh, with samples at its points, or at its cells and then on boundary faces; None without
        plates."""
        if mesh.plates is None or not len(mesh.plates):
            return None
        if location == "points":
            start, cells = mesh.topology.point_cells
            counts = np.diff(start)
            owner = np.repeat(np.arange(len(counts)), counts)
            sums = [np.bincount(owner, each[cells], len(counts)) for each in mesh.centroids.T]
            middles = np.where(counts[:, None] > 0, np.column_stack(sums) / np.maximum(counts, 1)[:, None], positions)
        else:
            middles = np.concatenate([mesh.centroids, mesh.centroids[mesh.topology.boundary_cells[patch_faces]]])
        triangles = _triangles(mesh)
        tree = BoxTree.of(triangles.min(axis=1), triangles.max(axis=1), np.arange(len(triangles)))
        return cls(triangles, tree, moved(positions, middles))

    def seen(self, places: FloatArray, start: IntArray, samples: IntArray) -> tuple[IntArray, IntArray]:
        """Of the samples around places (m, 3), ``samples[start[i]:start[i + 1]]``, those that are seen from there."""
        kept: BoolArray = ~hidden(
            places, start, samples, self.samples, self.triangles, self.tree.boxes, self.tree.members
        )
        counts = np.bincount(np.repeat(np.arange(len(places)), np.diff(start))[kept], minlength=len(places))
        return offsets(counts), samples[kept]


def moved(places: FloatArray, inward: FloatArray) -> FloatArray:
    """Places (n, 3) moved a little towards others."""
    return places + _OFF * (inward - places)


def _triangles(mesh: Mesh) -> FloatArray:
    """The plates as triangles (t, 3, 3) about the means of their points; edges of a plane as high as they are long."""
    assert mesh.plates is not None
    start, points = mesh.faces.take(mesh.plates)
    x = mesh.points[points]
    if mesh.dimension == 2:
        normal = mesh.structure.normal
        one, other = x[start[:-1]], x[start[1:] - 1]
        up = np.sqrt(((other - one) ** 2).sum(axis=1, keepdims=True)) * (np.zeros(3) if normal is None else normal)
        low, high = (
            np.stack([one - up, other - up, other + up], axis=1),
            np.stack([one - up, other + up, one + up], axis=1),
        )
        return np.concatenate([low, high])
    means = np.add.reduceat(x, start[:-1], axis=0) / np.diff(start)[:, None]
    return np.stack([np.repeat(means, np.diff(start), axis=0), x, x[successor(start)]], axis=1)


@called
def _is_crossed(a: Any, b: Any, triangle: Any) -> bool:
    """Whether the segment from a to b passes through a triangle (Möller & Trumbore 1997, J. Graph. Tools 2, 21)."""
    e, f, d = triangle[1] - triangle[0], triangle[2] - triangle[0], b - a
    p0, p1, p2 = d[1] * f[2] - d[2] * f[1], d[2] * f[0] - d[0] * f[2], d[0] * f[1] - d[1] * f[0]
    det = e[0] * p0 + e[1] * p1 + e[2] * p2
    if det == 0.0:
        return False
    s = a - triangle[0]
    u = (s[0] * p0 + s[1] * p1 + s[2] * p2) / det
    q0, q1, q2 = s[1] * e[2] - s[2] * e[1], s[2] * e[0] - s[0] * e[2], s[0] * e[1] - s[1] * e[0]
    v = (d[0] * q0 + d[1] * q1 + d[2] * q2) / det
    t = (f[0] * q0 + f[1] * q1 + f[2] * q2) / det
    # Lines along the edge between two triangles meet one of them.
    return u >= -1e-9 and v >= -1e-9 and u + v <= 1 + 1e-9 and 0.0 < t < 1.0


@kernel(parallel=True)
def hidden(places: Any, start: Any, found: Any, samples: Any, triangles: Any, boxes: Any, members: Any) -> Any:
    """Which of the samples found around each place (m, 3) lie behind a triangle (f,)."""
    result = np.zeros(len(found), np.bool_)
    leaves = len(boxes) // 2
    for i in prange(len(places)):
        stack = np.empty(_DEEPEST, np.int64)
        a = places[i]
        for j in range(start[i], start[i + 1]):
            b = samples[found[j]]
            stack[0], top = 1, 1
            while top > 0 and not result[j]:
                top -= 1
                node, outside = stack[top], False
                for k in range(3):
                    outside |= max(a[k], b[k]) < boxes[node, k] or min(a[k], b[k]) > boxes[node, 3 + k]
                if outside:
                    continue
                if node < leaves:
                    stack[top], stack[top + 1] = 2 * node, 2 * node + 1
                    top += 2
                    continue
                first = (node - leaves) * LEAF
                for s in members[first : first + LEAF]:
                    if _is_crossed(a, b, triangles[s]):
                        result[j] = True
                        break
    return result
