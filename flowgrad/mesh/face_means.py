"""Means over boundary faces of what is known at their points."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from flowgrad.mesh.mesh import Mesh
from flowgrad.mesh.ragged import offsets, runs
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


def face_points(mesh: Mesh, faces: IntArray) -> tuple[IntArray, IntArray]:
    """Points of some boundary faces, rows of ``mesh.topology.boundary``: offsets (k + 1,) and point numbers."""
    start, points = mesh.topology.boundary_polygons
    sizes = np.diff(start)[faces]
    return offsets(sizes), points[runs(start[faces], sizes)]


def face_means(mesh: Mesh, faces: IntArray) -> csr_array:
    """Sparse (k, n): values at the n points to their means over k boundary faces.

    Faces are fanned about their vertex mean, and the values linear in each triangle: the mean of a linear field is its
    value at the face's centroid. Over edges it is the mean of their points.
    """
    from scipy.sparse import csr_array

    start, points = face_points(mesh, faces)
    sizes = np.diff(start)
    share = np.repeat(1.0 / sizes, sizes)
    if mesh.dimension == 3:
        share = share / 3 + _corners(mesh.points[points], start)
    return csr_array((share, points, start), shape=(len(sizes), mesh.point_count))


def _corners(x: FloatArray, start: IntArray) -> FloatArray:
    """A third of the part that the two triangles at each point have in their face's area."""
    sizes = np.diff(start)
    ahead = np.arange(1, len(x) + 1)
    ahead[start[1:] - 1] = start[:-1]
    arms = x - np.repeat(np.add.reduceat(x, start[:-1]) / sizes[:, None], sizes, axis=0)
    triangles = np.cross(arms, arms[ahead])
    whole = np.add.reduceat(triangles, start[:-1])
    parts = (triangles * np.repeat(whole / (whole**2).sum(axis=1, keepdims=True), sizes, axis=0)).sum(axis=1)
    both = parts.copy()
    both[ahead] += parts
    return both / 3
