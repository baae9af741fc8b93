"""How well the shear rate of each cell is known, where the noise of the velocity or the error of L is."""

from __future__ import annotations

import numpy as np

from flowgrad.kinematics import VelocityGradient
from flowgrad.typing import FloatArray


def rate_error(gradient: VelocityGradient) -> FloatArray | None:
    """Systematic relative error of the shear rate (n,), which no averaging over cells takes away; None where neither
    noise nor error is known, NaN at the cells where they are not.

    Of an estimated error |L' − L| all of it, as in simple shear, where γ̇ = |L|. Of noise its bias, half the excess
    2Σ var D_ij of γ̇² = 2 D:D over γ̇²; the noise itself shows in the scatter of the viscosity.
    """
    rate = gradient["shear_rate"]
    parts = []
    with np.errstate(invalid="ignore", divide="ignore"):
        if gradient.error is not None:
            parts.append(gradient.error / rate)
        if gradient.covariance is not None:
            parts.append(_variance_of_D(gradient.covariance) / rate**2)
    return np.asarray(np.sqrt(sum(part**2 for part in parts))) if parts else None


def _variance_of_D(covariance: FloatArray) -> FloatArray:
    """Σ var D_ij (n,) = ½ Σ (cov(L_ij, L_ij) + cov(L_ij, L_ji)), of each shape that a covariance may have."""
    if covariance.ndim == 3:
        return np.asarray(2 * np.einsum("njj->n", covariance))
    if covariance.ndim == 4:
        return np.asarray(0.5 * (np.einsum("nijj->n", covariance) + np.einsum("niii->n", covariance)))
    return np.asarray(0.5 * (np.einsum("nijij->n", covariance) + np.einsum("nijji->n", covariance)))
