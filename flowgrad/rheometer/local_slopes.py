"""Local power-law exponents of measured points: slopes of log τ against log γ̇, and how they change."""

from __future__ import annotations

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.typing import FloatArray

# Points through which each slope is taken, and the order of the polynomial in logarithms.
_WINDOW, _ORDER = 7, 2


def slopes(rate: FloatArray, stress: FloatArray, name: str = "the curve") -> FloatArray:
    """d log τ/d log γ̇ (n,) at each point: parabolas through the seven nearest (exact for power laws)."""
    return slopes_and_bends(rate, stress, name)[0]


def slopes_and_bends(rate: FloatArray, stress: FloatArray, name: str = "the curve") -> tuple[FloatArray, FloatArray]:
    """d log τ/d log γ̇ (n,) and d² log τ/d(log γ̇)² (n,) at each point; OptionError for too few points."""
    x, y = np.log(rate), np.log(stress)
    if len(np.unique(x)) < _ORDER + 2:
        raise OptionError(f"{name}: {len(x)} points do not tell the slope that a correction needs: give 4 at least")
    found = np.array([_slope_and_bend(x, y, i) for i in range(len(x))])
    return found[:, 0], found[:, 1]


def _slope_and_bend(x: FloatArray, y: FloatArray, i: int) -> tuple[float, float]:
    near = np.argsort(np.abs(x - x[i]), kind="stable")[:_WINDOW]
    order = min(_ORDER, len(np.unique(x[near])) - 1)
    if order < 1:
        raise OptionError(
            f"{_WINDOW} points share the shear rate {np.exp(x[i]):.4g}: take their mean before correcting"
        )
    scale = np.ptp(x[near])
    coefficients, *_ = np.linalg.lstsq(np.vander((x[near] - x[i]) / scale, order + 1), y[near], rcond=None)
    bend = 2 * coefficients[-3] / scale**2 if order > 1 else 0.0
    return float(coefficients[-2] / scale), float(bend)
