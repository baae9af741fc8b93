"""Periodic flows: Taylor and Green's, Arnold, Beltrami and Childress's, the double gyre."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt

from flowgrad.exact.flow import Array, Components, NamedFlow, NotNegative, Positive, Real, Rows, cos, exp, sin


@dataclass(frozen=True)
class _Periodic(NamedFlow):
    speed: Real = 1.0
    wave_number: Positive = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        period = 2 * pi / self.wave_number
        object.__setattr__(self, "box", ((0.0,) * 3, (period,) * 3))


@dataclass(frozen=True)
class TaylorGreen(_Periodic, name="taylor-green"):
    """v = U exp(−2νk²t) (sin kx cos ky, −cos kx sin ky, 0), an exact solution: ``speed`` U, ``wave_number`` k (1/L),
    kinematic ``viscosity`` ν (L²/T). Taylor 1923, Phil. Mag. 46, 671."""

    viscosity: NotNegative = 0.1
    times = (0.0, 0.7)

    def components(self, x: Array, y: Array, z: Array, t: Array) -> Components:
        """Vortices in squares."""
        k = self.wave_number
        U = self.speed * exp(-2 * self.viscosity * k**2 * t)
        return U * sin(k * x) * cos(k * y), -U * cos(k * x) * sin(k * y), 0.0

    def rows(self, x: Array, y: Array, z: Array, t: Array) -> Rows:
        """Shear at the corners, stretching between."""
        k = self.wave_number
        U = k * (self.speed * exp(-2 * self.viscosity * k**2 * t))
        stretching, turning = U * cos(k * x) * cos(k * y), U * sin(k * x) * sin(k * y)
        return (stretching, -turning, 0.0), (turning, -stretching, 0.0), (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class TaylorGreen3D(_Periodic, name="taylor-green-3d"):
    """v = (2U/√3)(sin(θ + 2π/3) sin kx cos ky cos kz, sin(θ − 2π/3) cos kx sin ky cos kz, sin θ cos kx cos ky sin kz):
    the field at the start, ``speed`` U, ``wave_number`` k (1/L), ``angle`` θ. Taylor & Green 1937, Proc. R. Soc. Lond.
    A 158, 499; Brachet et al. 1983, J. Fluid Mech. 130, 411."""

    angle: Real = 0.0

    @property
    def _amplitudes(self) -> tuple[float, float, float]:
        """They add to zero."""
        third, U = 2 * pi / 3, 2 * self.speed / sqrt(3)
        return U * sin(self.angle + third), U * sin(self.angle - third), U * sin(self.angle)

    def components(self, x: Array, y: Array, z: Array, t: Array) -> Components:
        """Vortices in cubes."""
        k, (a, b, c) = self.wave_number, self._amplitudes
        (sx, cx), (sy, cy), (sz, cz) = ((sin(k * s), cos(k * s)) for s in (x, y, z))
        return a * sx * cy * cz, b * cx * sy * cz, c * cx * cy * sz

    def rows(self, x: Array, y: Array, z: Array, t: Array) -> Rows:
        """Derivatives of each factor."""
        k = self.wave_number
        a, b, c = (k * amplitude for amplitude in self._amplitudes)
        (sx, cx), (sy, cy), (sz, cz) = ((sin(k * s), cos(k * s)) for s in (x, y, z))
        middle, xy, yz, xz = cx * cy * cz, sx * sy * cz, cx * sy * sz, sx * cy * sz
        return (a * middle, -a * xy, -a * xz), (-b * xy, b * middle, -b * yz), (-c * xz, -c * yz, c * middle)


@dataclass(frozen=True)
class ABC(NamedFlow, name="abc"):
    """v = (A sin z + C cos y, B sin x + A cos z, C sin y + B cos x), whose vorticity is the velocity itself.
    Arnold 1965, C. R. Acad. Sci. Paris 261, 17; Dombre et al. 1986, J. Fluid Mech. 167, 353, eq. 1.1."""

    A: Real = 1.0
    B: Real = 0.8
    C: Real = 0.6
    box = (0.0,) * 3, (2 * pi,) * 3

    def components(self, x: Array, y: Array, z: Array, t: Array) -> Components:
        """Three waves."""
        A, B, C = self.A, self.B, self.C
        return A * sin(z) + C * cos(y), B * sin(x) + A * cos(z), C * sin(y) + B * cos(x)

    def rows(self, x: Array, y: Array, z: Array, t: Array) -> Rows:
        """Nothing on the diagonal."""
        A, B, C = self.A, self.B, self.C
        return (0.0, -C * sin(y), A * cos(z)), (B * cos(x), 0.0, -A * sin(z)), (-B * sin(x), C * cos(y), 0.0)


@dataclass(frozen=True)
class DoubleGyre(NamedFlow, name="double-gyre"):
    """v = πA(−sin πf cos πy, cos πf sin πy ∂f/∂x, 0) with f = ε sin ωt x² + (1 − 2ε sin ωt) x on 0 ≤ x ≤ 2,
    0 ≤ y ≤ 1: ``amplitude`` A (L/T), ``epsilon`` ε, ``omega`` ω (rad/T). Shadden, Lekien & Marsden 2005,
    Physica D 212, 271."""

    amplitude: Real = 0.1
    epsilon: Real = 0.25
    omega: Real = 2 * pi / 10
    times = (0.0, 2.3)
    box = (0.0, 0.0, -1.0), (2.0, 1.0, 1.0)

    def _stretch(self, x: Array, t: Array) -> tuple[Array, Array, Array]:
        """πf and its first and second derivative along x."""
        a = pi * self.epsilon * sin(self.omega * t)
        b = pi - 2 * a
        return (a * x + b) * x, 2 * a * x + b, 2 * a

    def components(self, x: Array, y: Array, z: Array, t: Array) -> Components:
        """Two gyres, the line between them swaying."""
        f, df, _ = self._stretch(x, t)
        A = self.amplitude
        return -pi * A * sin(f) * cos(pi * y), A * df * cos(f) * sin(pi * y), 0.0

    def rows(self, x: Array, y: Array, z: Array, t: Array) -> Rows:
        """Chain rule through f."""
        f, df, ddf = self._stretch(x, t)
        A, sf, cf, sy, cy = self.amplitude, sin(f), cos(f), sin(pi * y), cos(pi * y)
        stretching = pi * A * df * cf * cy
        return (
            (-stretching, pi**2 * A * sf * sy, 0.0),
            (A * (ddf * cf - df * df * sf) * sy, stretching, 0.0),
            (0.0, 0.0, 0.0),
        )
