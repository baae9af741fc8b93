"""Plane of a planar flow, in which its particles stay."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flowgrad.errors import OptionError
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
