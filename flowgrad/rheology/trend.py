"""How the viscosity changes along a flow curve: certain falls and rises, and how far from flat it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from flowgrad.rheology.curve import FlowCurve
from flowgrad.rheology.thresholds import BOUND, CERTAIN
from flowgrad.typing import FloatArray


@dataclass(frozen=True)
class Change:
    """A change of log η by ``size`` between two shear rates ``low`` < ``high``; size 0 for none."""

    size: float = 0.0
    low: float = np.nan
    high: float = np.nan


@dataclass(frozen=True)
class Trend:
    """What a flow curve does: the greatest certain ``fall`` and ``rise`` of log η with rate, and by
    how much log η departs from its mean: ``at_least`` for certain (0 where nothing is), ``at_most``
    as far as the scatter leaves possible (95 %)."""

    fall: Change = Change()
    rise: Change = Change()
    at_least: float = 0.0
    at_most: float = np.inf


def trend(curves: Sequence[FlowCurve]) -> Trend:
    """The trend that all curves of one field agree on: of each number the least.

    An error of the gradient makes η fall within bins of equal rate, an error of the stress makes it
    rise within bins of equal stress; the truth lies between the two (Frisch 1934, bounds of the
    regression with errors in both variables).
    """
    each = [_trend(curve) for curve in curves if len(curve)]
    if not each:
        return Trend()
    return Trend(
        fall=min((t.fall for t in each), key=lambda change: change.size),
        rise=min((t.rise for t in each), key=lambda change: change.size),
        at_least=min(t.at_least for t in each),
        at_most=min(t.at_most for t in each),
    )


def _trend(curve: FlowCurve) -> Trend:
    log_eta = np.log(curve.viscosity)
    certain = np.abs(log_eta - log_eta.mean()) - CERTAIN * curve.uncertainty
    return Trend(
        fall=largest_change(curve, -log_eta),
        rise=largest_change(curve, log_eta),
        at_least=max(0.0, float(certain.max())),
        # Where two fluids share the bins their median may be flat: no bound is below the bins' own error.
        at_most=max(departure(curve), float(np.sqrt(np.sum(curve.share * curve.uncertainty**2)))),
    )


def largest_change(curve: FlowCurve, values: FloatArray, certain: float = CERTAIN) -> Change:
    """The greatest increase of the values from a lower to a higher rate, less ``certain`` standard errors."""
    error = np.hypot.outer(curve.uncertainty, curve.uncertainty)
    gain = np.triu(values[None, :] - values[:, None] - certain * error, 1)
    if not gain.size or gain.max() <= 0:
        return Change()
    low, high = np.unravel_index(np.argmax(gain), gain.shape)
    return Change(float(gain.max()), float(curve.rate[low]), float(curve.rate[high]))


def departure(curve: FlowCurve, bound: float = BOUND, degree: int = 2) -> float:
    """Largest departure of a polynomial through log η(log γ̇) from its mean, plus ``bound`` standard errors."""
    log_eta = np.log(curve.viscosity)
    if len(curve) < 2:
        return np.inf
    x = np.log(curve.rate / curve.rate[0])
    basis = np.vander(x / max(x[-1], 1e-300), min(degree + 1, len(curve)))
    errors = np.maximum(curve.uncertainty, 1e-6)
    weighted = basis / errors[:, None]
    coefficients, _, _, _ = np.linalg.lstsq(weighted, log_eta / errors, rcond=None)
    centred = basis - basis.mean(axis=0)
    covariance = np.linalg.pinv(weighted.T @ weighted) * _excess(log_eta - basis @ coefficients, errors, basis)
    spread = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", centred, covariance, centred), 0.0))
    return float(np.max(np.abs(centred @ coefficients) + bound * spread))


def _excess(residuals: FloatArray, errors: FloatArray, basis: FloatArray) -> float:
    """How much larger the residuals' variance is than the scatter within the bins explains, at least 1."""
    freedom = len(residuals) - basis.shape[1]
    return max(1.0, float(np.sum((residuals / errors) ** 2)) / freedom) if freedom > 0 else 1.0
