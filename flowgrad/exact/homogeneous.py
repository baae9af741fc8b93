"""Homogeneous flows, with the same gradient everywhere: shear, extension, rotation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from flowgrad.exact.flow import Array, Components, NamedFlow, Real, Rows

Matrix = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class Homogeneous(NamedFlow):
    """v = A x: A, the ``matrix``, which is L, is the ``rate`` times a matrix of the flow."""

    _unit: ClassVar[Matrix]

    rate: Real = 1.0
    matrix: Matrix = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        matrix = tuple(tuple(self.rate * a if a else 0.0 for a in row) for row in self._unit)
        object.__setattr__(self, "matrix", matrix)

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

    _unit = ((0, 1, 0), (0, 0, 0), (0, 0, 0))


@dataclass(frozen=True)
class PlanarExtension(Homogeneous, name="planar-extension"):
    """v = ε̇(x, −y, 0): ``rate`` ε̇ (1/T). Bird, Armstrong & Hassager 1987, Dynamics of Polymeric Liquids 1, §3.1."""

    _unit = ((1, 0, 0), (0, -1, 0), (0, 0, 0))


@dataclass(frozen=True)
class UniaxialExtension(Homogeneous, name="uniaxial-extension"):
    """v = ε̇(x, −y/2, −z/2): ``rate`` ε̇ (1/T). Bird, Armstrong & Hassager 1987, Dynamics of Polymeric
    Liquids 1, §3.1."""

    _unit = ((1, 0, 0), (0, -0.5, 0), (0, 0, -0.5))


@dataclass(frozen=True)
class BiaxialExtension(Homogeneous, name="biaxial-extension"):
    """v = ε̇(x, y, −2z): ``rate`` ε̇ (1/T), that of each direction stretched. Bird, Armstrong & Hassager 1987,
    Dynamics of Polymeric Liquids 1, §3.1."""

    _unit = ((1, 0, 0), (0, 1, 0), (0, 0, -2))


@dataclass(frozen=True)
class RigidRotation(Homogeneous, name="rigid-rotation"):
    """v = Ω × x about the z axis: ``rate`` Ω (rad/T). Batchelor 1967, An Introduction to Fluid Dynamics, §2.3."""

    _unit = ((0, -1, 0), (1, 0, 0), (0, 0, 0))
