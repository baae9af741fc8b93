"""Vortices and other swirling flows about the z axis: v = Ω(s) (−y, x, 0) with s = x² + y², regular at the axis."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from math import nan, pi

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
    relative_decay,
    relative_decay_slope,
    where,
)


class Swirl(NamedFlow):
    """Circular streamlines."""

    @abstractmethod
    def angular_velocity(self, s: Array, t: Array) -> Array:
        """Ω at s = x² + y²."""

    @abstractmethod
    def angular_velocity_slope(self, s: Array, t: Array) -> Array:
        """dΩ/ds."""

    def components(self, x: Array, y: Array, z: Array, t: Array) -> Components:
        """Ω (−y, x, 0)."""
        omega = self.angular_velocity(x * x + y * y, t)
        return -omega * y, omega * x, 0.0

    def rows(self, x: Array, y: Array, z: Array, t: Array) -> Rows:
        """Rotation, and what Ω' adds to it."""
        s = x * x + y * y
        omega, slope = self.angular_velocity(s, t), 2 * self.angular_velocity_slope(s, t)
        across = slope * x * y
        return (-across, -omega - slope * y * y, 0.0), (omega + slope * x * x, across, 0.0), (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class TaylorCouette(Swirl, name="taylor-couette"):
    """v_θ = A r + B/r between cylinders that turn with ``inner_rate`` and ``outer_rate`` (rad/T); NaN beyond them.
    Taylor 1923, Phil. Trans. R. Soc. Lond. A 223, 289; Batchelor 1967, An Introduction to Fluid Dynamics, §4.5."""

    inner_radius: Positive = 1.0
    outer_radius: Positive = 2.0
    inner_rate: Real = 1.0
    outer_rate: Real = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.inner_radius < self.outer_radius:
            radii = f"inner_radius = {self.inner_radius:g}, outer_radius = {self.outer_radius:g}"
            raise OptionError(f"{type(self).__name__}: {radii}: make the outer one the larger")
        object.__setattr__(self, "box", ((-self.outer_radius,) * 3, (self.outer_radius,) * 3))

    @property
    def _constants(self) -> tuple[float, float]:
        """A and B."""
        inner, outer = self.inner_radius**2, self.outer_radius**2
        A = (self.outer_rate * outer - self.inner_rate * inner) / (outer - inner)
        return A, (self.inner_rate - self.outer_rate) * inner * outer / (outer - inner)

    def angular_velocity(self, s: Array, t: Array) -> Array:
        """A + B/s."""
        A, B = self._constants
        return A + B / where(s > 0, s, 1.0)

    def angular_velocity_slope(self, s: Array, t: Array) -> Array:
        """−B/s²."""
        s = where(s > 0, s, 1.0)
        return -self._constants[1] / (s * s)

    def fluid(self, x: Array, y: Array, z: Array) -> Array:
        """Between the cylinders."""
        s, slack = x * x + y * y, BEYOND_WALL * self.outer_radius**2
        return (s >= self.inner_radius**2 - slack) & (s <= self.outer_radius**2 + slack)


@dataclass(frozen=True)
class Vortex(Swirl):
    """A vortex of a ``circulation`` Γ (L²/T) about the z axis."""

    circulation: Real = 1.0


@dataclass(frozen=True)
class Rankine(Vortex, name="rankine"):
    """v_θ = Γr/(2πa²) within the core of radius a, ``core_radius``, and Γ/(2πr) outside; at r = a the gradient is
    that of the outside. Rankine 1858, A Manual of Applied Mechanics; Saffman 1992, Vortex Dynamics."""

    core_radius: Positive = 0.5

    def angular_velocity(self, s: Array, t: Array) -> Array:
        """Γ/(2π max(a², s))."""
        core = self.core_radius**2
        strength = self.circulation / (2 * pi)
        return strength / where(s < core, core, s)

    def angular_velocity_slope(self, s: Array, t: Array) -> Array:
        """0 in the core, −Γ/(2πs²) outside."""
        core = self.core_radius**2
        outside = where(s < core, core, s)
        strength = self.circulation / (2 * pi)
        return where(s < core, 0.0, -strength / (outside * outside))


@dataclass(frozen=True)
class LambOseen(Vortex, name="lamb-oseen"):
    """v_θ = Γ/(2πr) (1 − exp(−r²/r_c²)) with r_c² = r_0² + 4νt: a vortex that decays by the kinematic ``viscosity``
    ν (L²/T), of ``core_radius`` r_0 at t = 0; NaN before it was a point. Oseen 1912, Ark. Mat. Astron. Fys. 7,
    no. 14; Lamb 1932, Hydrodynamics, Art. 334a."""

    viscosity: NotNegative = 0.1
    core_radius: Positive = 0.5
    times = (0.0, 0.7)

    def angular_velocity(self, s: Array, t: Array) -> Array:
        """Γ/(2πr_c²) (1 − e^−q)/q with q = s/r_c²."""
        square = self.core_radius**2 + 4 * self.viscosity * t
        core = where(square > 0, square, nan)
        return self.circulation / (2 * pi) / core * relative_decay(s / core)

    def angular_velocity_slope(self, s: Array, t: Array) -> Array:
        """Γ/(2πr_c⁴) d/dq of the same."""
        square = self.core_radius**2 + 4 * self.viscosity * t
        core = where(square > 0, square, nan)
        return self.circulation / (2 * pi) / (core * core) * relative_decay_slope(s / core)


@dataclass(frozen=True)
class Burgers(Vortex, name="burgers"):
    """v = (−αx/2, −αy/2, αz) and v_θ = Γ/(2πr) (1 − exp(−αr²/(4ν))): a vortex that axial stretching of the rate α,
    ``stretching`` (1/T), keeps from decaying by the kinematic ``viscosity`` ν (L²/T). Burgers 1948, Adv. Appl.
    Mech. 1, 171."""

    stretching: Positive = 1.0
    viscosity: Positive = 0.1

    @property
    def core(self) -> float:
        """Its radius, squared: 4ν/α."""
        return 4 * self.viscosity / self.stretching

    def angular_velocity(self, s: Array, t: Array) -> Array:
        """As Lamb and Oseen's of the same core."""
        return self.circulation / (2 * pi) / self.core * relative_decay(s / self.core)

    def angular_velocity_slope(self, s: Array, t: Array) -> Array:
        """As Lamb and Oseen's of the same core."""
        return self.circulation / (2 * pi) / self.core**2 * relative_decay_slope(s / self.core)

    def components(self, x: Array, y: Array, z: Array, t: Array) -> Components:
        """Swirl and stretching."""
        u, v, _ = super().components(x, y, z, t)
        return u - self.stretching / 2 * x, v - self.stretching / 2 * y, self.stretching * z

    def rows(self, x: Array, y: Array, z: Array, t: Array) -> Rows:
        """Swirl and stretching."""
        (ux, uy, _), (vx, vy, _), _ = super().rows(x, y, z, t)
        alpha = self.stretching
        return (ux - alpha / 2, uy, 0.0), (vx, vy - alpha / 2, 0.0), (0.0, 0.0, alpha)
