"""Dissipation of turbulent kinetic energy from a series of gradients, ε = 2ν⟨D'_ij D'_ij⟩, whole or under a closure."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.statistics.steps import SeriesStatistics
from flowgrad.typing import FloatArray


def _full(d: FloatArray) -> FloatArray:
    return 2 * d.sum(axis=(1, 2))


def _planar(d: FloatArray) -> FloatArray:
    """Three equal shear rates; for isotropic turbulence 15ν⟨u_x²⟩ as it must be."""
    return 2 * (d[:, 0, 0] + d[:, 1, 1] + d[:, 2, 2]) + 12 * d[:, 0, 1]


def _isotropic(d: FloatArray) -> FloatArray:
    return 15 * 0.5 * (d[:, 0, 0] + d[:, 1, 1])


# What each makes of ⟨D'_ij²⟩ (n, 3, 3), over the viscosity.
CLOSURES: dict[str, Callable[[FloatArray], FloatArray]] = {
    "full": _full,
    "planar": _planar,
    "isotropic": _isotropic,
}


def turbulent_dissipation(statistics: SeriesStatistics, viscosity: float, closure: str = "full") -> FloatArray:
    """ε (n,), a velocity squared over a time, of statistics that have ``D``, with the kinematic ``viscosity`` ν.

    ``full`` takes all components, 2ν⟨D'_ij D'_ij⟩ (Pope 2000, Turbulent Flows, eq. 5.128). Of a plane measured in
    turbulence, closures make up for those that are not known: ``planar`` takes ∂w/∂z from continuity and the two other
    shear rates to be as large as the one in the plane, ε = ν(2⟨D_xx'² + D_yy'² + D_zz'²⟩ + 12⟨D_xy'²⟩), where the flow
    was read with ``out_of_plane="incompressible"``; ``isotropic`` is 15ν⟨(∂u/∂x)'²⟩ (Taylor 1935, Proc. R. Soc. A 151,
    421), with the mean of both in the plane.

    Where the noise of the velocity is known, its own part is taken out, so that ε of a few steps may come out negative.
    Raises OptionError for an unknown closure, and where a component that it takes is not known.
    """
    if closure not in CLOSURES:
        raise OptionError(f"closure='{closure}' is unknown: choose {', '.join(CLOSURES)}")
    if "D" not in statistics.moments:
        raise OptionError(f"dissipation needs statistics of D: there are those of {', '.join(statistics.moments)}")
    squares = statistics.variance("D") - np.nan_to_num(statistics.noise_variance("D"))
    result = viscosity * CLOSURES[closure](squares)
    if np.isnan(result).all():
        raise OptionError(
            f"the closure '{closure}' takes components of D that are not known: read the plane with "
            'out_of_plane="incompressible" for planar, or take isotropic'
        )
    return result
