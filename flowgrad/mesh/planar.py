"""Planar meshes: their plane, a frame of axes in it, and the points in use."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from flowgrad.mesh.mesh import FLAT, Mesh
from flowgrad.typing import FloatArray


def used_points(mesh: Mesh) -> FloatArray:
    """Points (k, 3) of the cells of full dimension; all of them where there are no cells."""
    return mesh.points[is_used(mesh)]


def is_used(mesh: Mesh) -> NDArray[np.bool_]:
    """Which points (n,) belong to a cell of full dimension; all where there are no cells."""
    if not len(mesh):
        return np.ones(len(mesh.points), bool)
    used = np.zeros(len(mesh.points), bool)
    own = mesh.cells.connectivity
    used[own if mesh.is_full.all() else own[np.repeat(mesh.is_full, np.diff(mesh.cells.offsets))]] = True
    return used


def normal_of(mesh: Mesh) -> FloatArray | None:
    """Unit normal (3,) of the plane that a mesh lies in, exactly a coordinate axis where it is one to
    the rounding of float32 files; None for a line, a curved surface or a solid."""
    points = used_points(mesh)
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < 3 or mesh.dimension not in (0, 2):
        return None
    arms = points - points.mean(axis=0)
    size = np.ptp(arms, axis=0).max()
    spreads, axes = np.linalg.eigh(arms.T @ arms)
    if spreads[1] <= (FLAT * size) ** 2 * len(points):
        return None
    flat = (normal for normal in _candidates(axes[:, 0]) if np.ptp(arms @ normal) <= FLAT * size)
    return next(flat, None)


def _candidates(thin: FloatArray) -> Iterator[FloatArray]:
    yield from np.eye(3)[::-1]
    yield thin * np.sign(thin[np.abs(thin).argmax()])


def frame_of(normal: FloatArray) -> FloatArray:
    """Right-handed orthonormal frame (3, 3) with the normal as its last row; x, y, z for the normal z.

    The first row is the coordinate axis that lies nearest to the plane, projected on it.
    """
    first = np.eye(3)[np.argmin(np.abs(normal))]
    first = first - (first @ normal) * normal
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(normal, first), normal])
