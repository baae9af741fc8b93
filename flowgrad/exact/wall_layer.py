"""Boundary layers on walls of any shape: v = t Π_k (1 − e^(−d_k/δ_k)), with the distances d_k from their smooth parts.

The gradient of a distance is the unit vector away from the nearest place of the wall, so L is known in closed form. Two
parts meet in a corner into which the fluid reaches, where the distance from both would have a kink: each has its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.exact.flow import Array, ExactFlow
from flowgrad.mesh.distance import SmoothWall
from flowgrad.typing import BoolArray, FloatArray

if TYPE_CHECKING:
    from flowgrad.mesh import Mesh
    from flowgrad.typing import IntArray

# A layer is so many times as thick as the cells at the wall; three in four of these are no thicker.
_CELLS, _SHARE = 4.0, 0.75
# The velocity is within 1e-7 of that far away at so many thicknesses, and the layer counts up to so many.
_FAR, _WITHIN = 16.0, 3.0
# Boundaries of more parts are as rough as the mesh: no layer follows them.
MOST_PARTS = 200


@dataclass(frozen=True, eq=False)
class WallLayer(ExactFlow):
    """The layers of a ``direction`` t (3,) on parts of walls, with a ``thickness`` δ for each."""

    parts: tuple[SmoothWall, ...]
    thickness: tuple[float, ...]
    direction: FloatArray

    @classmethod
    def on(cls, mesh: Mesh, faces: IntArray, direction: FloatArray) -> WallLayer | None:
        """Layers on boundary faces (k,) as thick as several cells there; None without faces, or on too many parts."""
        parts = SmoothWall.of(mesh, faces)
        if not 0 < len(parts) <= MOST_PARTS:
            return None
        area, centroids = mesh.topology.boundary_geometry
        owner = mesh.topology.boundary_cells
        heights = 2 * np.abs(((centroids - mesh.centroids[owner]) * area).sum(axis=1)) / np.sqrt((area**2).sum(axis=1))
        thickness = tuple(_CELLS * float(np.quantile(heights[part.faces], _SHARE)) for part in parts)
        return cls(parts, thickness, direction)

    def velocity(self, positions: Array, time: Array | None = None) -> FloatArray:
        """Velocities (n, 3)."""
        share = np.ones(len(positions))
        for part, thickness in zip(self.parts, self.thickness, strict=True):
            share *= -np.expm1(-part.distance(positions, _FAR * thickness)[0] / thickness)
        return share[:, None] * self.direction

    def gradient(self, positions: Array, time: Array | None = None) -> FloatArray:
        """Velocity gradients (n, 3, 3), by the product rule."""
        share, slope = np.ones(len(positions)), np.zeros((len(positions), 3))
        for part, thickness in zip(self.parts, self.thickness, strict=True):
            distance, away = part.distance(positions, _FAR * thickness)
            decay = np.exp(-distance / thickness)
            slope = slope * (1 - decay)[:, None] + (share * decay / thickness)[:, None] * away
            share *= 1 - decay
        return self.direction[:, None] * slope[:, None, :]

    def reaches(self, positions: FloatArray) -> BoolArray:
        """Positions (n,) that lie in a layer."""
        within = np.zeros(len(positions), bool)
        for part, thickness in zip(self.parts, self.thickness, strict=True):
            within |= part.distance(positions, _WITHIN * thickness)[0] <= _WITHIN * thickness
        return within
