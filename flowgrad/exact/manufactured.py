"""Manufactured flows, to measure schemes against: linear, polynomial, waves, and two of the benchmarks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from operator import mul

import numpy as np
from numpy.typing import NDArray

from flowgrad.exact.flow import Array, Components, ExactFlow, FlowFormula, Rows, cos, like, sin, stack
from flowgrad.typing import FloatArray


@dataclass(frozen=True, eq=False)
class Linear(ExactFlow):
    """v = A (x − origin), the flow that every scheme must reproduce; ``matrix`` A (3, 3)."""

    matrix: FloatArray
    origin: FloatArray

    def velocity(self, positions: Array, time: Array | None = None) -> Array:
        """Velocities (..., 3)."""
        return (positions - like(positions, self.origin)) @ like(positions, self.matrix.T)

    def gradient(self, positions: Array, time: Array | None = None) -> Array:
        """A everywhere."""
        return 0 * positions[..., None] + like(positions, self.matrix)


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

    def velocity(self, positions: Array, time: Array | None = None) -> Array:
        """Velocities (..., 3)."""
        return self._terms(positions, self.powers) @ like(positions, self.coefficients)

    def gradient(self, positions: Array, time: Array | None = None) -> Array:
        """Velocity gradients (..., 3, 3)."""
        unit = np.eye(3, dtype=np.int64)
        columns = [
            self._terms(positions, self.powers - unit[j]) @ like(positions, self.powers[:, j, None] * self.coefficients)
            for j in range(3)
        ]
        return stack(columns, -1)

    @staticmethod
    def _terms(positions: Array, powers: NDArray[np.int64]) -> Array:
        """Monomials (..., m); a negative power counts as 0, for its factor is."""
        ones = 0 * positions[..., 0] + 1
        table = [[ones] for _ in range(3)]
        for j, products in enumerate(table):
            for _ in range(int(powers[:, j].max(initial=0))):
                products.append(products[-1] * positions[..., j])
        return stack([reduce(mul, [table[j][max(p, 0)] for j, p in enumerate(row)]) for row in powers], -1)


@dataclass(frozen=True, eq=False)
class Waves(ExactFlow):
    """v = Σ_m a_m sin(k_m·x + φ_m): ``wave_vectors`` k and ``amplitudes`` a (m, 3), ``phases`` φ (m,)."""

    wave_vectors: FloatArray
    amplitudes: FloatArray
    phases: FloatArray

    def velocity(self, positions: Array, time: Array | None = None) -> Array:
        """Velocities (..., 3)."""
        angles = positions @ like(positions, self.wave_vectors.T) + like(positions, self.phases)
        return sin(angles) @ like(positions, self.amplitudes)

    def gradient(self, positions: Array, time: Array | None = None) -> Array:
        """Velocity gradients (..., 3, 3)."""
        angles = positions @ like(positions, self.wave_vectors.T) + like(positions, self.phases)
        slope = cos(angles)
        tensors = self.amplitudes[:, :, None] * self.wave_vectors[:, None, :]
        return stack([slope @ like(positions, tensors[:, i]) for i in range(3)], -2)


@dataclass(frozen=True, eq=False)
class Axisymmetric(ExactFlow):
    """v = sin(κs) cos(κ²ρ²/4) e_s + cos(κs) ρ e_ρ: axial coordinate s from ``origin`` along the unit
    vector ``axis``, ρ the distance from it, ``wave_number`` κ."""

    axis: FloatArray
    origin: FloatArray
    wave_number: float

    def _coordinates(self, positions: Array) -> tuple[Array, Array, Array]:
        """κs and κ²ρ²/4 (..., 1) and the vectors from the axis (..., 3)."""
        from_origin = positions - like(positions, self.origin)
        s = (from_origin @ like(positions, self.axis))[..., None]
        radial = from_origin - s * like(positions, self.axis)
        square = sum(radial[..., i] * radial[..., i] for i in range(3))
        return self.wave_number * s, 0.25 * self.wave_number**2 * square[..., None], radial

    def velocity(self, positions: Array, time: Array | None = None) -> Array:
        """Velocities (..., 3)."""
        s, angle, radial = self._coordinates(positions)
        return sin(s) * cos(angle) * like(positions, self.axis) + cos(s) * radial

    def gradient(self, positions: Array, time: Array | None = None) -> Array:
        """Velocity gradients (..., 3, 3)."""
        k, axis = self.wave_number, like(positions, self.axis)
        s, angle, radial = self._coordinates(positions)
        axial = k * cos(s) * cos(angle) * axis - 0.5 * k**2 * sin(s) * sin(angle) * radial
        across = like(positions, np.eye(3) - np.outer(self.axis, self.axis))
        spread = cos(s)[..., None] * across - (k * sin(s) * radial)[..., None] * axis
        return axis[:, None] * axial[..., None, :] + spread


@dataclass(frozen=True, eq=False)
class Vortices(FlowFormula):
    """v = (sin x cos y cos z, −cos x sin y cos z, 0.3 x sin 2z): the vortices of Taylor and Green (1937,
    Proc. R. Soc. Lond. A 158, 499, eq. 5) and a shear along z."""

    def components(self, x: Array, y: Array, z: Array, t: Array) -> Components:
        """Vortices and shear."""
        cz = cos(z)
        return sin(x) * cos(y) * cz, -cos(x) * sin(y) * cz, 0.3 * x * sin(2 * z)

    def rows(self, x: Array, y: Array, z: Array, t: Array) -> Rows:
        """Derivatives of each factor."""
        (sx, cx), (sy, cy), (sz, cz) = ((sin(s), cos(s)) for s in (x, y, z))
        return (
            (cx * cy * cz, -sx * sy * cz, -sx * cy * sz),
            (sx * sy * cz, -cx * cy * cz, cx * sy * sz),
            (0.3 * sin(2 * z), 0.0, 0.6 * x * cos(2 * z)),
        )


@dataclass(frozen=True, eq=False)
class PlanarWaves(FlowFormula):
    """v = (sin 2x cos 3y, cos x sin 2y + xy, 0), in the plane."""

    def components(self, x: Array, y: Array, z: Array, t: Array) -> Components:
        """Waves and a saddle."""
        return sin(2 * x) * cos(3 * y), cos(x) * sin(2 * y) + x * y, 0.0

    def rows(self, x: Array, y: Array, z: Array, t: Array) -> Rows:
        """Derivatives of each factor."""
        return (
            (2 * cos(2 * x) * cos(3 * y), -3 * sin(2 * x) * sin(3 * y), 0.0),
            (-sin(x) * sin(2 * y) + y, 2 * cos(x) * cos(2 * y) + x, 0.0),
            (0.0, 0.0, 0.0),
        )
