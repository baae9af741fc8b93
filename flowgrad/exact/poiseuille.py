"""Unidirectional flows between walls: Couette's, and Poiseuille's in a slit and a pipe.

The fluid of Poiseuille's is Herschel and Bulkley's (1926, Kolloid-Z. 39, 291): |τ| = τ0 + K γ̇ⁿ where it flows, which
is a power-law fluid for τ0 = 0, Bingham's for n = 1 and a Newtonian one of viscosity K for both."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from flowgrad.errors import OptionError
from flowgrad.exact.flow import (
    BEYOND_WALL,
    Array,
    Components,
    NamedFlow,
    NotNegative,
    Positive,
    Real,
    Rows,
    excess_power,
    excess_power_slope,
)


@dataclass(frozen=True)
class Couette(NamedFlow, name="couette"):
    """v = (U y/h, 0, 0) between a wall at rest, y = 0, and one of ``speed`` U at y = h, the ``gap``; NaN beyond.
    Batchelor 1967, An Introduction to Fluid Dynamics, §4.2."""

    speed: Real = 1.0
    gap: Positive = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        h = self.gap
        object.__setattr__(self, "box", ((-h, 0.0, -h), (h, h, h)))

    def components(self, x: Array, y: Array, z: Array, t: Array) -> Components:
        """U y/h."""
        return self.speed / self.gap * y, 0.0, 0.0

    def rows(self, x: Array, y: Array, z: Array, t: Array) -> Rows:
        """L_xy = U/h."""
        return (0.0, self.speed / self.gap, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)

    def fluid(self, x: Array, y: Array, z: Array) -> Array:
        """0 ≤ y ≤ h."""
        middle = y - self.gap / 2
        return middle * middle <= (self.gap / 2) ** 2 * (1 + BEYOND_WALL)


@dataclass(frozen=True)
class Poiseuille(NamedFlow):
    """Flow of a Herschel–Bulkley fluid by a pressure gradient, at rest at the walls; NaN beyond them.

    ``pressure_gradient`` G = −dp/ds along the flow (M/(L² T²)), ``K`` the consistency (M T^(n−2)/L),
    ``n`` the flow index, ``tau0`` the yield stress (M/(L T²)). The plug |τ| ≤ τ0 moves as a solid: L = 0.
    With a half the gap and c = 1 in a slit, a the radius and c = 2 in a pipe, r0 = cτ0/G the edge of the plug and
    d = a − r0: v = n/(n+1) (G d/(cK))^(1/n) d [1 − ((r − r0)/d)^(1+1/n)], the last term only where r > r0.
    For n > 1 and τ0 = 0 the second derivative is infinite at r = 0. OptionError also where γ̇ at the wall overflows.

    ``wall`` is a; ``plug`` is r0, at which the stress is τ0 (the fluid is at rest if it is not below a);
    ``wall_shear_rate`` is γ̇ at the wall, (G d/(cK))^(1/n), which is ((τ_w − τ0)/K)^(1/n); 0 where nothing flows.
    """

    per_wall: ClassVar[float]
    # The length that is a, the axis of the flow, and those of r.
    _size: ClassVar[str]
    _along: ClassVar[int]
    _across: ClassVar[tuple[int, ...]]

    pressure_gradient: Positive = 1.0
    K: Positive = 1.0
    n: Positive = 1.0
    tau0: NotNegative = 0.0
    wall: float = field(init=False, repr=False, compare=False)
    plug: float = field(init=False, repr=False, compare=False)
    wall_shear_rate: float = field(init=False, repr=False, compare=False)
    _sheared: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        put, a = object.__setattr__, float(getattr(self, self._size))
        put(self, "wall", a)
        put(self, "box", ((-a,) * 3, (a,) * 3))
        put(self, "plug", self.per_wall * self.tau0 / self.pressure_gradient)
        # The thickness of the layer that is sheared.
        d = max(a - self.plug, 0.0)
        put(self, "_sheared", d)
        try:
            put(self, "wall_shear_rate", (self.pressure_gradient * d / (self.per_wall * self.K)) ** (1 / self.n))
        except OverflowError:
            law = f"{type(self).__name__}: n = {self.n:g}, K = {self.K:g}"
            raise OptionError(f"{law}: the shear rate at the wall is above 1e308: give a larger n or K") from None

    def components(self, x: Array, y: Array, z: Array, t: Array) -> Components:
        """The speed, along the flow."""
        square, d = self._square(x, y, z), self._sheared
        speed = 0 * square
        if d > 0:
            most = self.n / (self.n + 1) * self.wall_shear_rate * d
            speed = most * (1 - excess_power(square / d**2, self.plug / d, 1 + 1 / self.n))
        u, v, w = (speed if axis == self._along else 0.0 for axis in range(3))
        return u, v, w

    def rows(self, x: Array, y: Array, z: Array, t: Array) -> Rows:
        """The derivatives of the speed across the flow, from that with respect to r²."""
        square, d = self._square(x, y, z), self._sheared
        slope = 0 * square
        if d > 0:
            most = self.n / (self.n + 1) * self.wall_shear_rate / d
            slope = -most * excess_power_slope(square / d**2, self.plug / d, 1 + 1 / self.n)
        dx, dy, dz = (2 * slope * s if axis in self._across else 0.0 for axis, s in enumerate((x, y, z)))
        first, second, third = ((dx, dy, dz) if axis == self._along else (0.0, 0.0, 0.0) for axis in range(3))
        return first, second, third

    def fluid(self, x: Array, y: Array, z: Array) -> Array:
        """Between the walls."""
        square = self._square(x, y, z)
        return square <= self.wall**2 * (1 + BEYOND_WALL)

    def _square(self, *position: Array) -> Array:
        """r², in a slit y²."""
        first, *others = (position[axis] * position[axis] for axis in self._across)
        return sum(others, first)


@dataclass(frozen=True)
class PlanePoiseuille(Poiseuille, name="plane-poiseuille"):
    """Along x between walls at y = ±``half_gap``: see :class:`Poiseuille`. Chhabra & Richardson 2008,
    Non-Newtonian Flow and Applied Rheology, §3.5."""

    per_wall, _size, _along, _across = 1.0, "half_gap", 0, (1,)

    half_gap: Positive = 1.0


@dataclass(frozen=True)
class PipePoiseuille(Poiseuille, name="pipe-poiseuille"):
    """Along z in a pipe of ``radius`` R about the z axis: see :class:`Poiseuille`. Chhabra & Richardson 2008,
    Non-Newtonian Flow and Applied Rheology, §3.2."""

    per_wall, _size, _along, _across = 2.0, "radius", 2, (0, 1)

    radius: Positive = 1.0
