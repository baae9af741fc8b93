"""Corrections of flow curves whose shear rate or stress varies across the gap."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.rheometer.curve import RheometerCurve
from flowgrad.typing import FloatArray

CORRECTIONS = ("rabinowitsch", "parallel-plate")
# Points through which each slope is taken, and the order of the polynomial in logarithms.
_WINDOW, _ORDER = 7, 2


def corrected(curve: RheometerCurve, correction: str) -> RheometerCurve:
    """The curve after one of ``CORRECTIONS``.

    ``rabinowitsch``: rates are apparent ones 8U/D = 4Q/(πR³) of a capillary and stresses those at its wall; the rate
    at the wall is 8U/D (3n' + 1)/(4n') with n' = d log τ/d log(8U/D) at each point (Rabinowitsch 1929, Z. Phys. Chem.
    A 145, 1). ``parallel-plate``: rates are those at the rim and stresses 2M/(πR³); the stress at the rim is
    τ (3 + d log M/d log γ̇)/4 (Macosko 1994, Rheology, section 5.5). Raises OptionError for another name, too few
    points and a slope that is not positive.
    """
    if correction not in CORRECTIONS:
        raise OptionError(f"--correction '{correction}' is unknown: choose one of {', '.join(CORRECTIONS)}")
    slope = slopes(curve.rate, curve.stress, curve.name)
    if correction == "parallel-plate":
        factor = (3 + slope) / 4
        sigma = None if curve.sigma is None else curve.sigma * factor
        return replace(curve, stress=curve.stress * factor, sigma=sigma).noted(_note("stresses", factor, correction))
    if (slope <= 0).any():
        raise OptionError(
            f"{curve.name}: the stress falls with 8U/D at {int((slope <= 0).sum())} of {len(slope)} points, where "
            "Rabinowitsch's correction has no meaning: leave these rates out with --rates LOW:HIGH"
        )
    factor = (3 * slope + 1) / (4 * slope)
    return replace(curve, rate=curve.rate * factor).noted(_note("shear rates", factor, correction))


def slopes(rate: FloatArray, stress: FloatArray, name: str = "the curve") -> FloatArray:
    """d log τ/d log γ̇ (n,) at each point: parabolas through the seven nearest (exact for power laws)."""
    x, y = np.log(rate), np.log(stress)
    if len(np.unique(x)) < _ORDER + 2:
        raise OptionError(f"{name}: {len(x)} points do not tell the slope that a correction needs: give 4 at least")
    return np.array([_slope(x, y, i) for i in range(len(x))])


def _slope(x: FloatArray, y: FloatArray, i: int) -> float:
    near = np.argsort(np.abs(x - x[i]), kind="stable")[:_WINDOW]
    order = min(_ORDER, len(np.unique(x[near])) - 1)
    if order < 1:
        raise OptionError(
            f"{_WINDOW} points share the shear rate {np.exp(x[i]):.4g}: take their mean before correcting"
        )
    scale = np.ptp(x[near])
    coefficients, *_ = np.linalg.lstsq(np.vander((x[near] - x[i]) / scale, order + 1), y[near], rcond=None)
    return float(coefficients[-2] / scale)


def _note(what: str, factor: FloatArray, correction: str) -> str:
    return f"{what} corrected ({correction}) by factors from {factor.min():.4g} to {factor.max():.4g}"
