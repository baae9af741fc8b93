"""The flows: each geometry with each fluid, at a Reynolds number of some tens or creeping."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from skfem import MeshTri

from flowgrad.flow import Flow
from flowgrad.rheology.model import Model
from scripts.flows import meshes
from scripts.flows.solver import steady_flow


@dataclass(frozen=True)
class Geometry:
    """A mesh of a fineness, where its velocity is fixed, and at what."""

    mesh: Callable[[int], MeshTri]
    walls: Callable[[np.ndarray], np.ndarray]
    velocity: Callable[[np.ndarray], np.ndarray]

    def flow(self, n: int, law: Model, density: float) -> Flow:
        """The steady flow of a fluid."""
        return steady_flow(self.mesh(n), law, density, self.walls, self.velocity)


def _everywhere(x: np.ndarray) -> np.ndarray:
    return np.ones(x.shape[1:], bool)


def _lid(x: np.ndarray) -> np.ndarray:
    """16x²(1 − x)² at y = 1: no jump in the corners (Shankar & Deshpande 2000, Annu. Rev. Fluid Mech. 32, 93)."""
    u = np.where(x[1] > 1 - 1e-9, 16 * x[0] ** 2 * (1 - x[0]) ** 2, 0.0)
    return np.stack([u, np.zeros_like(u)])


def _inlet(left: float, half: float) -> Callable[[np.ndarray], np.ndarray]:
    def velocity(x: np.ndarray) -> np.ndarray:
        u = np.where(x[0] < left + 1e-9, 1 - (x[1] / half) ** 2, 0.0)
        return np.stack([u, np.zeros_like(u)])

    return velocity


def _but_outlet(right: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda x: x[0] < right - 1e-9


GEOMETRIES = {
    "cavity": Geometry(meshes.cavity, _everywhere, _lid),
    "contraction": Geometry(meshes.contraction, _but_outlet(3.0), _inlet(-3.0, 2.0)),
    "cylinder": Geometry(meshes.cylinder, _but_outlet(4.0), _inlet(-2.0, 2.0)),
}
FINENESS = {"cavity": 48, "contraction": 24, "cylinder": 32}
