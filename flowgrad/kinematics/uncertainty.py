"""Standard deviation of quantities, from the covariance of the velocity gradient, to first order.

var q = ∂q/∂L : cov(L) : ∂q/∂L (JCGM 100:2008, eq. 13). The derivatives come from dual numbers that run
through the quantity's own function.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from flowgrad.autodiff import Dual
from flowgrad.errors import DerivativeError, OptionError
from flowgrad.kinematics.registry import INPUTS, OF_FIELD, evaluate, inputs_of
from flowgrad.typing import FloatArray

# Tensors whose derivatives are held at a time.
_CHUNK = 2048


def standard_deviation(
    name: str, L: FloatArray, covariance: FloatArray, supplied: Mapping[str, np.ndarray]
) -> FloatArray:
    """Standard deviation of the quantity ``name``, of the quantity's own shape.

    ``L`` (n, 3, 3); ``covariance`` C (n, 3, 3), with cov(L_ij, L_kl) = δ_ik C_jl, or (n, 3, 3, 3) with
    one C for each velocity component i, or the whole cov(L_ij, L_kl) (n, 3, 3, 3, 3). ``supplied``
    arrays are taken as exact. NaN where L has no covariance and where the quantity has no derivative: the
    flow type at rest, an eigenvector where two eigenvalues coincide. Raises OptionError for a function without
    derivatives.
    """
    pieces = [slice(start, start + _CHUNK) for start in range(0, max(len(L), 1), _CHUNK)]
    parts = [_piece(name, L[p], covariance[p], {key: array[p] for key, array in supplied.items()}) for p in pieces]
    return np.concatenate(parts)


def why_not(name: str, supplied: Mapping[str, np.ndarray]) -> str:
    """The reason why noise is not carried to a quantity; empty where it is."""
    inputs = inputs_of(name)
    reason = next((about.noise for each, about in INPUTS.items() if about.noise and each in inputs), "")
    if reason:
        return reason
    if name in OF_FIELD:
        return "it is made of the whole field: choose a quantity of L at each place"
    if "L" not in inputs or name in supplied:
        return "it does not derive from L, which carries the noise: choose a quantity that does"
    return ""


def _piece(name: str, L: FloatArray, covariance: FloatArray, supplied: Mapping[str, np.ndarray]) -> FloatArray:
    identity = np.broadcast_to(np.eye(9).reshape(9, 1, 3, 3), (9, *L.shape))
    try:
        result = evaluate(name, {"L": Dual(L, identity)}, supplied)
    except DerivativeError as error:
        raise OptionError(f"the deviation of {name} is not known: {error}") from None
    if not isinstance(result, Dual):
        raise OptionError(f"the deviation of {name} is not known: its function drops the derivatives of its inputs")
    slopes = np.moveaxis(result.derivative, 0, -1).reshape(len(L), -1, 3, 3)
    deviation = _propagated(slopes, covariance).reshape(result.shape)
    return np.where(np.isfinite(result.value) & np.isfinite(deviation), deviation, np.nan)


def _propagated(slopes: FloatArray, covariance: FloatArray) -> FloatArray:
    """√(g_ij C_jl g_il) (n, k) of slopes g (n, k, 3, 3); a C that is not known counts only where g does."""
    if covariance.ndim == 5:
        slopes, covariance = slopes.reshape(len(slopes), -1, 1, 9), covariance.reshape(-1, 1, 9, 9)
    C = covariance[:, None, None] if covariance.ndim == 3 else covariance[:, None]
    unknown = np.isnan(C)
    with np.errstate(over="ignore", invalid="ignore"):
        variance = _quadratic(slopes, np.where(unknown, 0.0, C) if unknown.any() else C)
        deviation: FloatArray = np.sqrt(np.maximum(variance, 0.0))
    if unknown.any():
        deviation[_quadratic((slopes != 0).astype(float), unknown.astype(float)) > 0] = np.nan
    return deviation


def _quadratic(g: FloatArray, C: FloatArray) -> FloatArray:
    carried = (g[..., None, :] @ C)[..., 0, :]
    total: FloatArray = (carried * g).sum(axis=(2, 3))
    return total
