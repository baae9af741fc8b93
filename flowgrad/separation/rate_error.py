"""Systematic error of the shear rate under a flow curve: by a finer scheme, and by the noise of the velocity."""

from __future__ import annotations

import dataclasses

import numpy as np

from flowgrad.errors import FlowgradError
from flowgrad.gradient import SCHEMES, PreparedGradient, choose_scheme
from flowgrad.gradient.scheme import parse_scheme
from flowgrad.kinematics import VelocityGradient
from flowgrad.typing import FloatArray


def estimated(gradient: VelocityGradient) -> VelocityGradient:
    """The gradient with the error that its scheme's finer one tells, where neither an error nor noise is known yet.

    One that was taken from a file is compared with the finer one of what ``auto`` chooses. As it is without a flow,
    where the velocity is a function, and where no finer scheme suits the mesh.
    """
    flow = gradient.flow
    if gradient.error is not None or gradient.covariance is not None or flow is None:
        return gradient
    at = gradient.location if gradient.positions is None else gradient.positions
    if gradient.scheme.split("(")[0] not in SCHEMES:
        return gradient
    try:
        scheme = parse_scheme(gradient.scheme)
        finer = (scheme if scheme.differentiates else choose_scheme(flow, at)[0]).finer()
        other = PreparedGradient(finer, at).gradients(flow)
    except FlowgradError:
        return gradient
    unknown = np.isnan(gradient.L) & gradient.valid[:, None, None]
    error = np.sqrt((np.where(unknown, 0.0, other.L - gradient.L) ** 2).sum(axis=(1, 2)))
    if other.order is not None and scheme.differentiates:
        # A fit that was lowered to the order of the other agrees with it, and tells nothing.
        error[other.order <= scheme.order] = np.nan
    return dataclasses.replace(gradient, error=error)


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
