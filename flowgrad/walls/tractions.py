"""Traction of the fluid at sites on walls.

With n the unit normal out of the fluid and σ = −p I + 2ηD the traction, the force of the fluid on the wall per area,
is t = −σ·n = p n − 2ηD·n (Batchelor 1967, An Introduction to Fluid Dynamics, §1.3 and §3.3).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from flowgrad import tensors
from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh.face_sites import FaceSites
from flowgrad.mesh.planar import FLAT
from flowgrad.typing import FloatArray


def areas_of_revolution(flow: Flow, centroids: FloatArray, lengths: FloatArray) -> FloatArray:
    """2π|r| times the length of edges of a meridian plane (Pappus), half of it where the mesh lies on both sides
    of the axis and has every ring twice."""
    radial = 1 if flow.axisymmetric == "x" else 0
    rho = flow.mesh.points[:, radial]
    rounding = FLAT * np.nanmax(np.abs(rho), initial=0.0)
    twice = bool((rho < -rounding).any() and (rho > rounding).any())
    return (np.pi if twice else 2 * np.pi) * np.abs(centroids[:, radial]) * lengths


@dataclass(frozen=True, eq=False)
class Tractions:
    """The velocity ``gradient`` at q sites ``on`` walls, and the ``viscosity`` and ``pressure`` (q,) there, None where
    not given; vectors are (q, 3), NaN where L is not known. ``estimate`` finds the error of the shear rate. Stresses
    raise OptionError without a viscosity."""

    on: FaceSites
    gradient: VelocityGradient
    viscosity: FloatArray | None = None
    pressure: FloatArray | None = None
    estimate: Callable[[], tuple[FloatArray, str]] | None = None

    @cached_property
    def error(self) -> tuple[FloatArray, str]:
        """Estimated error of the wall shear rate (q,), found when first asked for, and what it is from."""
        return (np.full(len(self.on), np.nan), "it was not asked for") if self.estimate is None else self.estimate()

    @property
    def flow(self) -> Flow:
        """The flow, with the velocities known on its boundary."""
        assert self.gradient.flow is not None
        return self.gradient.flow

    @cached_property
    def areas(self) -> FloatArray:
        """The area that each site stands for (q,): of edges of a planar mesh their length, per unit depth, or 2πr times
        it in an axisymmetric flow."""
        areas, flow = self.on.areas, self.flow
        return areas_of_revolution(flow, self.on.positions, areas) if flow.is_meridian else areas

    @cached_property
    def rate(self) -> FloatArray:
        """2D·n (q, 3)."""
        return np.asarray(np.einsum("nij,nj->ni", 2 * self.gradient.D, self.on.normals))

    @cached_property
    def shear_rate_vector(self) -> FloatArray:
        """Tangential part of −2D·n (q, 3)."""
        normal = np.einsum("ni,ni->n", self.rate, self.on.normals)
        return -(self.rate - normal[:, None] * self.on.normals)

    @property
    def wall_shear_rate(self) -> FloatArray:
        """Its size (q,)."""
        return np.sqrt((self.shear_rate_vector**2).sum(axis=1))

    @property
    def normal_rate(self) -> FloatArray:
        """n·D·n (q,)."""
        return np.asarray(0.5 * np.einsum("ni,ni->n", self.rate, self.on.normals))

    @property
    def eta(self) -> FloatArray:
        """The viscosity (q,); OptionError where it is not known."""
        if self.viscosity is None:
            raise OptionError(
                f"{self.flow.name}: the stress on a wall needs the viscosity: give viscosity=, a number, a law, or an "
                "array or its name"
            )
        return self.viscosity

    @property
    def wall_shear_stress(self) -> FloatArray:
        """η times ``shear_rate_vector`` (q, 3)."""
        return self.eta[:, None] * self.shear_rate_vector

    @property
    def normal_stress(self) -> FloatArray:
        """−p + 2η n·D·n (q,)."""
        return self.eta * 2 * self.normal_rate - (0.0 if self.pressure is None else self.pressure)

    @property
    def viscous(self) -> FloatArray:
        """−2ηD·n (q, 3)."""
        return -self.eta[:, None] * self.rate

    @property
    def traction(self) -> FloatArray:
        """p n − 2ηD·n (q, 3); without the pressure where that is not given."""
        return self.viscous if self.pressure is None else self.viscous + self.of_pressure

    @property
    def of_pressure(self) -> FloatArray:
        """p n (q, 3); OptionError without a pressure."""
        if self.pressure is None:
            raise OptionError(f"{self.flow.name}: the pressure is not known: give pressure=, an array or its name")
        return self.pressure[:, None] * self.on.normals

    @property
    def deviatoric(self) -> FloatArray:
        """2η dev(D)·n (q, 3)."""
        return self.eta[:, None] * np.einsum("nij,nj->ni", 2 * tensors.deviator(self.gradient.D), self.on.normals)
