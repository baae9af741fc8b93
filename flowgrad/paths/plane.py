"""Plane of a planar flow, in which its particles stay."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.mesh.locate import ON_SURFACE
from flowgrad.mesh.planar import FLAT, frame_of
from flowgrad.reprs import ReprMixin
from flowgrad.typing import FloatArray

NOT_ACROSS = "the flow is planar: its velocity across the plane is left out, and particles stay in the plane"


@dataclass(frozen=True, eq=False)
class PathPlane(ReprMixin):
    """``axes`` (2, 3), orthonormal, span it and ``origin`` (3,) lies in it, as does what is up to ``reach`` (a length)
    off it."""

    axes: FloatArray
    origin: FloatArray
    reach: float = np.inf

    @classmethod
    def around(cls, normal: FloatArray, points: FloatArray, area: float) -> PathPlane:
        """That of points (n, 3) of a planar mesh, as thick as they may be off it, with the mean area of its cells."""
        reach = ON_SURFACE * np.sqrt(area) + FLAT * np.ptp(points, axis=0).max()
        return cls(frame_of(normal)[:2], points[0], float(reach))

    @cached_property
    def inward(self) -> FloatArray:
        """Projects vectors on the plane (3, 3)."""
        return self.axes.T @ self.axes


XY_PLANE = PathPlane(np.eye(3)[:2], np.zeros(3))


def in_space(positions: FloatArray, plane: PathPlane | None, name: str) -> FloatArray:
    """Positions (n, 3) from (n, 2) in a plane of constant z, or (n, 3) as they are; OptionError for two coordinates in
    other flows."""
    if positions.shape[1] == 3:
        return np.ascontiguousarray(positions)
    if plane is None or plane.axes[:, 2].any():
        where = "has three dimensions" if plane is None else "lies in a plane that is not one of constant z"
        raise OptionError(f"{name} have two coordinates, but the flow {where}: give three coordinates (n, 3)")
    return np.column_stack([positions, np.full(len(positions), plane.origin[2])])


def in_plane(positions: FloatArray, plane: PathPlane | None) -> FloatArray:
    """Positions (…, 3) projected on a plane; as they are where there is none."""
    if plane is None:
        return positions
    normal = np.cross(*plane.axes)
    return np.asarray(positions - ((positions - plane.origin) @ normal)[..., None] * normal)
