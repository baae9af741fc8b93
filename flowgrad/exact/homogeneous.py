"""Flows with the same gradient everywhere: shear, extension, rotation."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass

from flowgrad.exact.flow import Array, Components, NamedFlow, Real, Rows


class Homogeneous(NamedFlow):
    """v = A x."""

    @property
    @abstractmethod
    def matrix(self) -> tuple[tuple[float, ...], ...]:
        """A, which is L."""

    def components(self, x: Array, y: Array, z: Array, t: Array) -> Components:
        """A x, without the terms that are zero."""
        terms = [[a * s for a, s in zip(row, (x, y, z), strict=True) if a] for row in self.matrix]
        u, v, w = (sum(row[1:], row[0]) if row else 0.0 for row in terms)
        return u, v, w

    def rows(self, x: Array, y: Array, z: Array, t: Array) -> Rows:
        """A."""
        return self.matrix  # type: ignore[return-value]


@dataclass(frozen=True)
class SimpleShear(Homogeneous, name="simple-shear"):
    """v = (γ̇y, 0, 0): ``rate`` γ̇ (1/T). Bird, Armstrong & Hassager 1987, Dynamics of Polymeric Liquids 1, §3.1."""

    rate: Real = 1.0

    @property
    def matrix(self) -> tuple[tuple[float, ...], ...]:
        """L_xy = γ̇."""
        return (0.0, self.rate, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class PlanarExtension(Homogeneous, name="planar-extension"):
    """v = ε̇(x, −y, 0): ``rate`` ε̇ (1/T). Bird, Armstrong & Hassager 1987, Dynamics of Polymeric Liquids 1, §3.1."""

    rate: Real = 1.0

    @property
    def matrix(self) -> tuple[tuple[float, ...], ...]:
        """diag(ε̇, −ε̇, 0)."""
        return _diagonal(self.rate, -self.rate, 0.0)


@dataclass(frozen=True)
class UniaxialExtension(Homogeneous, name="uniaxial-extension"):
    """v = ε̇(x, −y/2, −z/2): ``rate`` ε̇ (1/T). Bird, Armstrong & Hassager 1987, Dynamics of Polymeric
    Liquids 1, §3.1."""

    rate: Real = 1.0

    @property
    def matrix(self) -> tuple[tuple[float, ...], ...]:
        """diag(ε̇, −ε̇/2, −ε̇/2)."""
        return _diagonal(self.rate, -self.rate / 2, -self.rate / 2)


@dataclass(frozen=True)
class BiaxialExtension(Homogeneous, name="biaxial-extension"):
    """v = ε̇(x, y, −2z): ``rate`` ε̇ (1/T), that of each direction stretched. Bird, Armstrong & Hassager 1987,
    Dynamics of Polymeric Liquids 1, §3.1."""

    rate: Real = 1.0

    @property
    def matrix(self) -> tuple[tuple[float, ...], ...]:
        """diag(ε̇, ε̇, −2ε̇)."""
        return _diagonal(self.rate, self.rate, -2 * self.rate)


@dataclass(frozen=True)
class RigidRotation(Homogeneous, name="rigid-rotation"):
    """v = Ω × x about the z axis: ``rate`` Ω (rad/T). Batchelor 1967, An Introduction to Fluid Dynamics, §2.3."""

    rate: Real = 1.0

    @property
    def matrix(self) -> tuple[tuple[float, ...], ...]:
        """L_yx = −L_xy = Ω."""
        return (0.0, -self.rate, 0.0), (self.rate, 0.0, 0.0), (0.0, 0.0, 0.0)


def _diagonal(a: float, b: float, c: float) -> tuple[tuple[float, ...], ...]:
    return (a, 0.0, 0.0), (0.0, b, 0.0), (0.0, 0.0, c)
