"""How well the data know the stress that a fitted law gives at other shear rates."""

from __future__ import annotations

import numpy as np

from flowgrad.rheology.fit import Fit
from flowgrad.typing import FloatArray

_CONFIDENCE = 0.95
# Combinations of parameters that the data see less than this part of the best known are not known.
_SEEN = 1e-6


def band(fit: Fit, rate: FloatArray, at: FloatArray, sigma: FloatArray | None = None) -> FloatArray:
    """Factors (m,) by which the stress at shear rates ``at`` (m,) may be off, with 95 % confidence.

    Linear propagation of the scatter about the law at the data's ``rate`` (n,), weighted by 1/``sigma``² (n,) if
    given. Source: Seber & Wild 1989, Nonlinear Regression, section 5.1.
    """
    from scipy.special import stdtrit

    here, there = _sensitivity(fit, rate), _sensitivity(fit, at)
    weights = np.ones(len(rate)) if sigma is None else fit.model.stress(rate) / sigma
    weights = weights / np.sqrt(np.mean(weights**2))
    freedom = max(len(rate) - here.shape[1], 1)
    _, singular, directions = np.linalg.svd(here * weights[:, None], full_matrices=False)
    known = singular > _SEEN * singular[0]
    spread = (there @ directions[known].T) / singular[known]
    scatter = fit.misfit * np.sqrt(len(rate) / freedom)
    return np.exp(stdtrit(freedom, 0.5 + _CONFIDENCE / 2) * scatter * np.sqrt(np.sum(spread**2, axis=1)))


def _sensitivity(fit: Fit, rate: FloatArray) -> FloatArray:
    """∂ log τ/∂ log p (n, p) of each parameter p."""
    slopes = fit.model.stress_sensitivity(rate)
    scaled = [slopes[key] * value for key, value in fit.model.parameters.items()]
    return np.stack(scaled, axis=1) / fit.model.stress(rate)[:, None]
