"""Axisymmetric wedges: meshes one cell thick between two half-planes that meet in an axis, as OpenFOAM has them.

The mid-plane of such a mesh is a plane of symmetry of its points, hence normal to one of their
principal axes, and the distance from it grows linearly with that from the axis: |h| = tan(α/2) ρ.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from flowgrad.mesh.cells import CellFaces, Cells, offsets, successor
from flowgrad.mesh.faces import cell_faces
from flowgrad.mesh.planar import FLAT, candidate_normals
from flowgrad.typing import BoolArray, FloatArray, IntArray

# Opening angles of a wedge, in degrees: wider ones are sectors, narrower ones slabs.
_OPENING = (0.05, 30.0)


@dataclass(frozen=True, eq=False)
class Wedge:
    """A wedge: ``frame`` (3, 3) has the axis, the radial direction of the mid-plane and the azimuthal one
    as rows, right-handed; ``origin`` (3,) is on the axis, ``half_angle`` in radians.

    Of the mesh's ``points`` (n, 3) those of full cells are ``used`` (n,). ``faces`` are the cells' faces on the
    half-plane of positive angle, one for each cell of full dimension, as offsets and point numbers.
    """

    points: FloatArray
    used: BoolArray
    origin: FloatArray
    frame: FloatArray
    half_angle: float
    faces: tuple[IntArray, IntArray]

    def cylindrical(self, positions: FloatArray) -> FloatArray:
        """Axial coordinate, radius and angle from the mid-plane, 0 on the axis, of positions (m, 3)."""
        s, rho, h = self.frame @ (positions - self.origin).T
        r = np.hypot(rho, h)
        rounding = FLAT * float(np.ptp(self.points[self.faces[1]], axis=0).max())
        return np.column_stack([s, r, np.where(r > rounding, np.arctan2(h, rho), 0.0)])

    def frames(self, angles: FloatArray) -> FloatArray:
        """Axial, radial and azimuthal directions (m, 3, 3), as rows, at angles from the mid-plane (m,)."""
        cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
        axis, radial, turn = self.frame
        return np.stack([np.tile(axis, (len(angles), 1)), cos * radial + sin * turn, cos * turn - sin * radial], axis=1)

    @property
    def degrees(self) -> float:
        """The opening angle in degrees."""
        return float(np.degrees(2 * self.half_angle))

    @cached_property
    def partners(self) -> IntArray | None:
        """For each point of the mesh the one on the half-plane of the faces at its radius, -1 for points
        in no cell; None where some point has none."""
        from scipy.spatial import cKDTree

        used, own = np.flatnonzero(self.used), np.unique(self.faces[1])
        place, goal = (self.cylindrical(self.points[chosen])[:, :2] for chosen in (used, own))
        distance, nearest = cKDTree(goal).query(place)
        if distance.max() > 2 * FLAT * np.ptp(goal, axis=0).max():
            return None
        result = np.full(len(self.points), -1)
        result[used] = own[nearest]
        return result


def find_wedge(points: FloatArray, cells: Cells) -> Wedge | None:
    """The wedge that points (n, 3) and cells are; None for any other mesh.

    All points lie on two half-planes through one axis to the rounding of float32 files, the angle
    between these is below 30°, and each cell of full dimension has one face on either.
    """
    used = cells.used(len(points))
    own = points[used]
    if not np.isfinite(own).all():
        return None
    center = own.mean(axis=0)
    attempts = (_between_planes(own, center, normal) for normal in candidate_normals(own - center))
    fitted = next((attempt for attempt in attempts if attempt is not None), None)
    if fitted is None:
        return None
    origin, frame, half_angle, rounding = fitted
    sides = np.zeros(len(points), np.int8)
    height = (own - origin) @ frame[2]
    sides[used] = np.where(np.abs(height) > rounding, np.sign(height), 0)
    faces = _section(cell_faces(points, cells), cells.is_full, sides)
    return None if faces is None else Wedge(points, used, origin, frame, half_angle, faces)


def _between_planes(
    points: FloatArray, center: FloatArray, normal: FloatArray
) -> tuple[FloatArray, FloatArray, float, float] | None:
    """Origin, frame and half angle of the wedge with this mid-plane that holds all points, and the distance
    from the mid-plane that is rounding."""
    arms = points - center
    rounding = 2 * FLAT * np.ptp(points, axis=0).max()
    in_plane = np.delete(np.eye(3), np.argmax(np.abs(normal)), axis=0)
    in_plane = np.linalg.qr(np.column_stack([normal, *in_plane]))[0].T[1:]
    height = np.abs(arms @ normal)
    system = np.column_stack([np.ones(len(arms)), arms @ in_plane.T])
    level, *slope = np.linalg.lstsq(system, height, rcond=None)[0]
    steepness = float(np.linalg.norm(slope))
    opening = np.degrees(2 * np.arctan(steepness))
    misfit = np.abs(system @ np.array([level, *slope]) - height).max()
    if misfit > rounding or not _OPENING[0] <= opening <= _OPENING[1]:
        return None
    radial = _snapped(np.asarray(slope) @ in_plane / steepness)
    axis = np.cross(radial, normal)
    axis = _snapped(axis * np.sign(axis[np.abs(axis).argmax()]))
    foot = center - level / steepness * radial
    origin = foot - (foot @ axis) * axis
    origin[np.abs(origin) <= FLAT * np.ptp(points, axis=0).max()] = 0.0
    return origin, np.stack([axis, radial, np.cross(axis, radial)]), float(np.arctan(steepness)), 4 * misfit


def _snapped(direction: FloatArray) -> FloatArray:
    """A unit vector, exactly along a coordinate axis where it is to the rounding of float32 files."""
    nearest = np.abs(direction).argmax()
    others = np.delete(np.abs(direction), nearest)
    return np.sign(direction[nearest]) * np.eye(3)[nearest] if others.max() <= 1e-5 else direction


def _section(faces: CellFaces, is_full: BoolArray, sides: NDArray[np.int8]) -> tuple[IntArray, IntArray] | None:
    """The cells' faces on the positive half-plane, each point of a face once, if every full cell has one
    there and one on the other; else None."""
    owner = np.repeat(np.arange(len(is_full)), np.diff(faces.cell_offsets))
    starts = faces.offsets[:-1]
    low = np.minimum.reduceat(sides[faces.connectivity], starts)
    high = np.maximum.reduceat(sides[faces.connectivity], starts)
    solid = is_full[owner]
    above, below = solid & (low >= 0) & (high > 0), solid & (high <= 0) & (low < 0)
    for chosen in (above, below):
        if not np.array_equal(owner[chosen], np.flatnonzero(is_full)):
            return None
    ends, points = faces.take(np.flatnonzero(above))
    # A quad collapsed to a triangle has a point that follows itself.
    kept = points != points[successor(ends)]
    ring = np.repeat(np.arange(len(ends) - 1), np.diff(ends))
    return offsets(np.bincount(ring[kept], minlength=len(ends) - 1)), points[kept]
