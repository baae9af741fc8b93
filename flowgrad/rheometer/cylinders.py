"""Concentric cylinders: torque and speed to the stress and the shear rate at the inner wall, for gaps of any width.

With the ratio δ of the radii, the torque M and the speed Ω, ISO 3219 (1993) defines representative values
γ̇ = Ω(1 + δ²)/(δ² − 1) and τ = (1 + δ²)/(2δ²) M/(2πR_i²h), which hold of a Newtonian fluid in the middle of the gap and
of others where it is narrow. At the inner wall τ_i = M/(2πR_i²h) and, with N = d log Ω/d log τ_i,

    γ̇_i = 2NΩ/(1 − δ^(−2N)) (1 + N'/N² f(2N log δ)),   N' = dN/d log τ_i,   f(x) = x(xeˣ − 2eˣ + x + 2)/(2(eˣ − 1)²),

exact of power laws, and elsewhere to the second order (Krieger 1968, Trans. Soc. Rheol. 12, 5; Yang & Krieger 1978,
J. Rheol. 22, 413).
"""

from __future__ import annotations

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.rheometer.local_slopes import slopes_and_bends
from flowgrad.typing import FloatArray

# Up to this ratio of the radii the representative values hold (ISO 3219).
NARROW = 1.1


def representative(inner: float, outer: float) -> tuple[float, float]:
    """Strain and stress constants of ISO 3219 for radii R_i < R_o: γ̇/Ω, and τ/τ_i; OptionError for other radii."""
    if not 0 < inner < outer < np.inf:
        raise OptionError(f"the radii of the cylinders are {inner:g} and {outer:g}: give INNER:OUTER in metres")
    square = (outer / inner) ** 2
    return (1 + square) / (square - 1), (1 + square) / (2 * square)


def at_inner_wall(speed: FloatArray, stress: FloatArray, ratio: float, name: str = "the curve") -> FloatArray:
    """The shear rate (n,) at the inner wall of cylinders whose radii have the ``ratio`` R_o/R_i, of speeds Ω (n,) and
    stresses at the inner wall (n,), rising in speed.

    Raises OptionError for too few points, and where the stress falls with the speed.
    """
    slope, bend = slopes_and_bends(speed, stress, name)
    if (slope <= 0).any():
        raise OptionError(
            f"{name}: the stress falls with the speed at {int((slope <= 0).sum())} of {len(slope)} points, where the "
            "correction of cylinders has no meaning: leave these rates out with --rates LOW:HIGH"
        )
    # N is 1/slope, and N' = −slope'/slope³, as the slope is given over log Ω.
    steepness, change = 1 / slope, -bend / slope**3
    x = 2 * steepness * np.log(ratio)
    power_law = 2 * steepness * speed / -np.expm1(-x)
    return power_law * (1 + change / steepness**2 * _bent(x))


def _bent(x: FloatArray) -> FloatArray:
    """Krieger's f(x): x²/12 for small x, where the fraction is 0/0, and about 0.1 at most."""
    small = np.minimum(x, 1e-2)
    series = small**2 / 12 * (1 - small / 2)
    large = np.clip(x, 1e-2, 300.0)
    grown = np.exp(large)
    return np.where(x < 1e-2, series, large * (large * grown - 2 * grown + large + 2) / (2 * (grown - 1) ** 2))
