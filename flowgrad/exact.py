"""Flows in closed form: the velocity and its exact gradient at any position, to measure schemes against."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


class ExactFlow(ABC):
    """A velocity that is known everywhere, with its gradient L_ij = ∂v_i/∂x_j."""

    @abstractmethod
    def velocity(self, positions: FloatArray) -> FloatArray:
        """Velocities (m, 3) at positions (m, 3)."""

    @abstractmethod
    def gradient(self, positions: FloatArray) -> FloatArray:
        """Velocity gradients (m, 3, 3) at positions (m, 3)."""


@dataclass(frozen=True, eq=False)
class Linear(ExactFlow):
    """v = A (x − origin), the flow that every scheme must reproduce; ``matrix`` A (3, 3)."""

    matrix: FloatArray
    origin: FloatArray

    def velocity(self, positions: FloatArray) -> FloatArray:
        """Velocities (m, 3)."""
        return (positions - self.origin) @ self.matrix.T

    def gradient(self, positions: FloatArray) -> FloatArray:
        """A everywhere."""
        return np.broadcast_to(self.matrix, (len(positions), 3, 3)).copy()


@dataclass(frozen=True, eq=False)
class Polynomial(ExactFlow):
    """v = Σ_m c_m x^a y^b z^c over all a + b + c ≤ degree: ``powers`` (m, 3) and ``coefficients`` (m, 3)."""

    powers: NDArray[np.int64]
    coefficients: FloatArray

    @classmethod
    def complete(cls, degree: int, seed: int = 0) -> Polynomial:
        """All monomials up to a degree, with random coefficients."""
        powers = np.stack(np.meshgrid(*[np.arange(degree + 1)] * 3, indexing="ij"), -1).reshape(-1, 3)
        powers = powers[powers.sum(axis=1) <= degree]
        return cls(powers, np.random.default_rng(seed).normal(size=(len(powers), 3)))

    def velocity(self, positions: FloatArray) -> FloatArray:
        """Velocities (m, 3)."""
        return self._terms(positions, self.powers) @ self.coefficients

    def gradient(self, positions: FloatArray) -> FloatArray:
        """Velocity gradients (m, 3, 3)."""
        unit = np.eye(3, dtype=np.int64)
        columns = [
            (self.powers[:, j] * self._terms(positions, self.powers - unit[j])) @ self.coefficients for j in range(3)
        ]
        return np.stack(columns, axis=-1)

    @staticmethod
    def _terms(positions: FloatArray, powers: NDArray[np.int64]) -> FloatArray:
        return np.asarray(np.prod(positions[:, None, :] ** np.maximum(powers, 0), axis=2))


@dataclass(frozen=True, eq=False)
class Waves(ExactFlow):
    """v = Σ_m a_m sin(k_m·x + φ_m): ``wave_vectors`` k and ``amplitudes`` a (m, 3), ``phases`` φ (m,)."""

    wave_vectors: FloatArray
    amplitudes: FloatArray
    phases: FloatArray

    def velocity(self, positions: FloatArray) -> FloatArray:
        """Velocities (m, 3)."""
        return np.sin(positions @ self.wave_vectors.T + self.phases) @ self.amplitudes

    def gradient(self, positions: FloatArray) -> FloatArray:
        """Velocity gradients (m, 3, 3)."""
        slope = np.cos(positions @ self.wave_vectors.T + self.phases)
        tensors = self.amplitudes[:, :, None] * self.wave_vectors[:, None, :]
        return (slope @ tensors.reshape(-1, 9)).reshape(-1, 3, 3)


@dataclass(frozen=True, eq=False)
class Axisymmetric(ExactFlow):
    """v = sin(κs) cos(κ²ρ²/4) e_s + cos(κs) ρ e_ρ: axial coordinate s from ``origin`` along the unit
    vector ``axis``, ρ the distance from it, ``wave_number`` κ."""

    axis: FloatArray
    origin: FloatArray
    wave_number: float

    def _coordinates(self, positions: FloatArray) -> tuple[FloatArray, FloatArray]:
        """κs (m,) and the vectors from the axis (m, 3)."""
        from_origin = positions - self.origin
        s = from_origin @ self.axis
        return self.wave_number * s, from_origin - s[:, None] * self.axis

    def velocity(self, positions: FloatArray) -> FloatArray:
        """Velocities (m, 3)."""
        s, radial = self._coordinates(positions)
        along = np.sin(s) * np.cos(self._angle(radial))
        return along[:, None] * self.axis + np.cos(s)[:, None] * radial

    def gradient(self, positions: FloatArray) -> FloatArray:
        """Velocity gradients (m, 3, 3)."""
        k = self.wave_number
        s, radial = self._coordinates(positions)
        angle = self._angle(radial)
        axial = (k * np.cos(s) * np.cos(angle))[:, None] * self.axis
        axial -= (0.5 * k**2 * np.sin(s) * np.sin(angle))[:, None] * radial
        across = np.eye(3) - np.outer(self.axis, self.axis)
        spread = np.cos(s)[:, None, None] * across - (k * np.sin(s))[:, None, None] * radial[:, :, None] * self.axis
        return self.axis[:, None] * axial[:, None, :] + spread

    def _angle(self, radial: FloatArray) -> FloatArray:
        return np.asarray(0.25 * self.wave_number**2 * (radial**2).sum(axis=1))


@dataclass(frozen=True, eq=False)
class Vortices(ExactFlow):
    """v = (sin x cos y cos z, −cos x sin y cos z, 0.3 x sin 2z): the vortices of Taylor and Green (1937,
    Proc. R. Soc. Lond. A 158, 499, eq. 5) and a shear along z."""

    def velocity(self, positions: FloatArray) -> FloatArray:
        """Velocities (m, 3)."""
        (sx, sy, _), (cx, cy, cz) = np.sin(positions.T), np.cos(positions.T)
        x, _, z = positions.T
        return np.stack([sx * cy * cz, -cx * sy * cz, 0.3 * x * np.sin(2 * z)], axis=-1)

    def gradient(self, positions: FloatArray) -> FloatArray:
        """Velocity gradients (m, 3, 3)."""
        (sx, sy, sz), (cx, cy, cz) = np.sin(positions.T), np.cos(positions.T)
        x, _, z = positions.T
        rows = [
            [cx * cy * cz, -sx * sy * cz, -sx * cy * sz],
            [sx * sy * cz, -cx * cy * cz, cx * sy * sz],
            [0.3 * np.sin(2 * z), np.zeros_like(x), 0.6 * x * np.cos(2 * z)],
        ]
        return np.moveaxis(np.array(rows), -1, 0)


@dataclass(frozen=True, eq=False)
class PlanarWaves(ExactFlow):
    """v = (sin 2x cos 3y, cos x sin 2y + xy, 0), in the plane."""

    def velocity(self, positions: FloatArray) -> FloatArray:
        """Velocities (m, 3)."""
        x, y, _ = positions.T
        return np.stack([np.sin(2 * x) * np.cos(3 * y), np.cos(x) * np.sin(2 * y) + x * y, np.zeros_like(x)], axis=-1)

    def gradient(self, positions: FloatArray) -> FloatArray:
        """Velocity gradients (m, 3, 3)."""
        x, y, _ = positions.T
        L = np.zeros((len(x), 3, 3))
        L[:, 0, 0] = 2 * np.cos(2 * x) * np.cos(3 * y)
        L[:, 0, 1] = -3 * np.sin(2 * x) * np.sin(3 * y)
        L[:, 1, 0] = -np.sin(x) * np.sin(2 * y) + y
        L[:, 1, 1] = 2 * np.cos(x) * np.cos(2 * y) + x
        return L
