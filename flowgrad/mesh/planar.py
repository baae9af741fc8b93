"""Planes of planar meshes: their normal, the normals to try first, and a frame of axes in a plane."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import numpy as np

from flowgrad.typing import FloatArray

# A point cloud whose extent in a direction is below this fraction of its largest extent is flat
# there: twice the rounding of the float32 coordinates that most files hold.
FLAT = 2e-6


def plane_normal(points: FloatArray) -> FloatArray | None:
    """Unit normal (3,) of the plane that points (n, 3) lie in, exactly a coordinate axis where it is one to
    the rounding of float32 files; None for points on a line and in space."""
    points = points[np.isfinite(points).all(axis=1)]
    if len(points) < 3:
        return None
    arms = points - points.mean(axis=0)
    size = np.ptp(arms, axis=0).max()
    if np.linalg.eigh(arms.T @ arms)[0][1] <= (FLAT * size) ** 2 * len(points):
        return None
    # After the coordinate axes only the thinnest of the principal ones.
    for normal in islice(candidate_normals(arms), 4):
        if np.ptp(arms @ normal) <= FLAT * size:
            return normal * np.sign(normal[np.abs(normal).argmax()])
    return None


def candidate_normals(arms: FloatArray) -> Iterator[FloatArray]:
    """Normals of planes to try for points at ``arms`` (n, 3) from their mean: z, y and x, then their principal axes,
    the least extended first."""
    yield from np.eye(3)[::-1]
    yield from np.linalg.eigh(arms.T @ arms)[1].T


def frame_of(normal: FloatArray) -> FloatArray:
    """Right-handed orthonormal frame (3, 3) with the normal as its last row; x, y, z for the normal z.

    The first row is the coordinate axis that lies nearest to the plane, projected on it.
    """
    first = np.eye(3)[np.argmin(np.abs(normal))]
    first = first - (first @ normal) * normal
    first /= np.linalg.norm(first)
    return np.stack([first, np.cross(normal, first), normal])
