"""Unidirectional flows between walls: Couette's, and Poiseuille's in a slit and a pipe.

The fluid of Poiseuille's is Herschel and Bulkley's (1926, Kolloid-Z. 39, 291): |τ| = τ0 + K γ̇ⁿ where it flows, which
is a power-law fluid for τ0 = 0, Bingham's for n = 1 and a Newtonian one of viscosity K for both."""

from __future__ import annotations

from dataclasses import dataclass
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

    @property
    def box(self) -> tuple[Components, Components]:
        """The gap."""
        return (-self.gap, 0.0, -self.gap), (self.gap, self.gap, self.gap)


@dataclass(frozen=True)
class Poiseuille(NamedFlow):
    """Flow of a Herschel–Bulkley fluid by a pressure gradient, at rest at the walls; NaN beyond them.

    ``pressure_gradient`` G = −dp/ds along the flow (M/(L² T²)), ``K`` the consistency (M T^(n−2)/L),
    ``n`` the flow index, ``tau0`` the yield stress (M/(L T²)). The plug |τ| ≤ τ0 moves as a solid: L = 0.
    With a half the gap and c = 1 in a slit, a the radius and c = 2 in a pipe, r0 = cτ0/G the edge of the plug and
    d = a − r0: v = n/(n+1) (G d/(cK))^(1/n) d [1 − ((r − r0)/d)^(1+1/n)], the last term only where r > r0.
    For n > 1 and τ0 = 0 the second derivative is infinite at r = 0. OptionError also where γ̇ at the wall overflows.
    """

    per_wall: ClassVar[float]
    _size: ClassVar[str]

    pressure_gradient: Positive = 1.0
    K: Positive = 1.0
    n: Positive = 1.0
    tau0: NotNegative = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        try:
            self.wall_shear_rate  # noqa: B018
        except OverflowError:
            law = f"{type(self).__name__}: n = {self.n:g}, K = {self.K:g}"
            raise OptionError(f"{law}: the shear rate at the wall is above 1e308: give a larger n or K") from None

    @property
    def wall(self) -> float:
        """Distance a of the wall from the middle."""
        return float(getattr(self, self._size))

    @property
    def box(self) -> tuple[Components, Components]:
        """As wide as the gap or pipe, and as long."""
        return (-self.wall,) * 3, (self.wall,) * 3

    @property
    def plug(self) -> float:
        """Distance r0 from the middle at which the stress is τ0; the fluid is at rest if it is not below a."""
        return self.per_wall * self.tau0 / self.pressure_gradient

    @property
    def wall_shear_rate(self) -> float:
        """γ̇ at the wall, (G d/(cK))^(1/n), which is ((τ_w − τ0)/K)^(1/n); 0 where nothing flows."""
        return (self.pressure_gradient * self._sheared / (self.per_wall * self.K)) ** (1 / self.n)

    @property
    def _sheared(self) -> float:
        """Thickness d of the layer that is sheared."""
        return max(self.wall - self.plug, 0.0)

    def _speed(self, square: Array) -> Array:
        """Along the flow, at the squared distance from the middle."""
        d = self._sheared
        if d == 0:
            return 0 * square
        most = self.n / (self.n + 1) * self.wall_shear_rate * d
        return most * (1 - excess_power(square / d**2, self.plug / d, 1 + 1 / self.n))

    def _speed_slope(self, square: Array) -> Array:
        """Its derivative with respect to the squared distance."""
        d = self._sheared
        if d == 0:
            return 0 * square
        most = self.n / (self.n + 1) * self.wall_shear_rate / d
        return -most * excess_power_slope(square / d**2, self.plug / d, 1 + 1 / self.n)


@dataclass(frozen=True)
class PlanePoiseuille(Poiseuille, name="plane-poiseuille"):
    """Along x between walls at y = ±``half_gap``: see :class:`Poiseuille`. Chhabra & Richardson 2008,
    Non-Newtonian Flow and Applied Rheology, §3.5."""

    per_wall, _size = 1.0, "half_gap"

    half_gap: Positive = 1.0

    def components(self, x: Array, y: Array, z: Array, t: Array) -> Components:
        """Speed along x."""
        return self._speed(y * y), 0.0, 0.0

    def rows(self, x: Array, y: Array, z: Array, t: Array) -> Rows:
        """Only L_xy."""
        return (0.0, 2 * y * self._speed_slope(y * y), 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)

    def fluid(self, x: Array, y: Array, z: Array) -> Array:
        """Between the walls."""
        return y * y <= self.half_gap**2 * (1 + BEYOND_WALL)


@dataclass(frozen=True)
class PipePoiseuille(Poiseuille, name="pipe-poiseuille"):
    """Along z in a pipe of ``radius`` R about the z axis: see :class:`Poiseuille`. Chhabra & Richardson 2008,
    Non-Newtonian Flow and Applied Rheology, §3.2."""

    per_wall, _size = 2.0, "radius"

    radius: Positive = 1.0

    def components(self, x: Array, y: Array, z: Array, t: Array) -> Components:
        """Speed along z."""
        return 0.0, 0.0, self._speed(x * x + y * y)

    def rows(self, x: Array, y: Array, z: Array, t: Array) -> Rows:
        """Only L_zx and L_zy."""
        slope = 2 * self._speed_slope(x * x + y * y)
        return (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), (x * slope, y * slope, 0.0)

    def fluid(self, x: Array, y: Array, z: Array) -> Array:
        """Within the pipe."""
        return x * x + y * y <= self.radius**2 * (1 + BEYOND_WALL)
