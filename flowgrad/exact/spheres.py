"""Flows past a sphere of radius a at the origin, in a stream along z: Stokes's, and Hill's vortex."""

from __future__ import annotations

from dataclasses import dataclass

from flowgrad.exact.flow import BEYOND_WALL, Array, Components, NamedFlow, Positive, Real, Rows, sqrt, where


@dataclass(frozen=True)
class _Sphere(NamedFlow):
    speed: Real = 1.0
    radius: Positive = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        reach = 2.5 * self.radius
        object.__setattr__(self, "box", ((-reach,) * 3, (reach,) * 3))


@dataclass(frozen=True)
class StokesSphere(_Sphere, name="stokes-sphere"):
    """v = U[f e_z + z g x] around a fixed solid sphere, f = 1 − 3a/(4r) − a³/(4r³), g = −(3a/4)(1/r³ − a²/r⁵):
    creeping flow, ``speed`` U far away; NaN inside. Stokes 1851, Trans. Camb. Phil. Soc. 9, 8; Batchelor 1967,
    An Introduction to Fluid Dynamics, §4.9."""

    def components(self, x: Array, y: Array, z: Array, t: Array) -> Components:
        """U[f e_z + z g x]."""
        f, g, _, _ = self._factors(x, y, z)
        along = g * z
        return along * x, along * y, f + along * z

    def rows(self, x: Array, y: Array, z: Array, t: Array) -> Rows:
        """Product rule; f' and g' are derivatives with respect to r²/2."""
        _, g, df, dg = self._factors(x, y, z)
        zg, zdg, zzdg = z * g, z * dg, z * z * dg
        return (
            (zg + zdg * x * x, zdg * x * y, x * (g + zzdg)),
            (zdg * x * y, zg + zdg * y * y, y * (g + zzdg)),
            (x * (df + zzdg), y * (df + zzdg), z * (df + 2 * g + zzdg)),
        )

    def _factors(self, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array, Array]:
        """U times f, g, df/d(r²/2) and dg/d(r²/2)."""
        square = x * x + y * y + z * z
        inverse = self.radius**2 / where(self.fluid(x, y, z), square, self.radius**2)
        root, unit = sqrt(inverse), self.speed / self.radius**2
        f = self.speed * (1 - root * (3 + inverse) / 4)
        g = -0.75 * unit * root * inverse * (1 - inverse)
        df = 0.75 * unit * root * inverse * (1 + inverse)
        dg = 0.75 * unit / self.radius**2 * root * inverse**2 * (3 - 5 * inverse)
        return f, g, df, dg

    def fluid(self, x: Array, y: Array, z: Array) -> Array:
        """Outside the sphere."""
        return x * x + y * y + z * z >= self.radius**2 * (1 - BEYOND_WALL)


@dataclass(frozen=True)
class HillVortex(_Sphere, name="hill-vortex"):
    """The spherical vortex at rest in a stream of ``speed`` U along z. Inside v = (3U/2a²)(−xz, −yz,
    2(x² + y²) + z² − a²); outside the potential flow U[(1 + a³/(2r³)) e_z − (3a³/(2r⁵)) z x]. Hill 1894, Phil. Trans.
    R. Soc. Lond. A 185, 213; Batchelor 1967, An Introduction to Fluid Dynamics, §7.2."""

    def components(self, x: Array, y: Array, z: Array, t: Array) -> Components:
        """Inside and outside."""
        inside = x * x + y * y + z * z < self.radius**2
        m, dm, _ = self._dipole(x, y, z)
        c = 1.5 * self.speed / self.radius**2
        along = where(inside, -c * z, dm * z)
        core = c * (2 * (x * x + y * y) + z * z - self.radius**2)
        return along * x, along * y, where(inside, core, self.speed + m + dm * z * z)

    def rows(self, x: Array, y: Array, z: Array, t: Array) -> Rows:
        """Inside and outside."""
        inside = x * x + y * y + z * z < self.radius**2
        c = 1.5 * self.speed / self.radius**2
        core = (-c * z, 0.0, -c * x), (0.0, -c * z, -c * y), (4 * c * x, 4 * c * y, 2 * c * z)
        rows = zip(core, self._outer_rows(x, y, z), strict=True)
        first, second, third = (tuple(where(inside, *pair) for pair in zip(*both, strict=True)) for both in rows)
        return first, second, third

    def _outer_rows(self, x: Array, y: Array, z: Array) -> Rows:
        """Product rule: m' = dm/d(r²/2), m'' its own; symmetric, for there is no vorticity."""
        _, dm, ddm = self._dipole(x, y, z)
        zm, across = dm * z, ddm * z * x * y
        xz, yz = x * (dm + ddm * z * z), y * (dm + ddm * z * z)
        return (
            (zm + ddm * z * x * x, across, xz),
            (across, zm + ddm * z * y * y, yz),
            (xz, yz, z * (3 * dm + ddm * z * z)),
        )

    def _dipole(self, x: Array, y: Array, z: Array) -> tuple[Array, Array, Array]:
        """m = Ua³/(2r³) and its first and second derivative with respect to r²/2."""
        square = x * x + y * y + z * z
        square = where(square < self.radius**2, self.radius**2, square)
        m = self.speed / 2 * (self.radius / sqrt(square)) ** 3
        return m, -3 * m / square, 15 * m / (square * square)
