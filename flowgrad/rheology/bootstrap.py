"""Bootstrap of a ranking: how often each law is the best of curves that the best law may have made.

Beside Akaike's weights, which trust the likelihood, it shows how the choice itself scatters (Burnham & Anderson 2002,
section 4.2.2, model selection frequencies).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from flowgrad.rheology.correlation import coloured, deviance_of, least_squares_of, whitened
from flowgrad.rheology.fit import Fit
from flowgrad.rheology.least_squares import descents
from flowgrad.typing import FloatArray

DRAWS = 100
_STEPS = 60
_DECREASE = 1e-6


def selection_frequencies(fits: Sequence[Fit], draws: int = DRAWS, seed: int = 0) -> FloatArray:
    """The part of the drawn curves (f,) whose best law by AICc is each of the fits, ranked as the fits are.

    Curves are the first law's with its residuals drawn anew, with replacement and enlarged for what the law's
    parameters took up (Davison & Hinkley 1997, section 6.2), those that follow one another by their shocks; laws are
    fitted to each from where they are, which finds the valley that they are in.
    """
    chosen = np.zeros(len(fits))
    first = fits[0].optimum if fits else None
    if first is None or any(fit.optimum is None for fit in fits):
        return chosen
    problem, rng = first.problem, np.random.default_rng(seed)
    count = len(problem.rate)
    curve = fits[0].model.stress(problem.rate)
    enlarged = np.sqrt(count / max(count - len(first.x), 1))
    deviations = (fits[0].residuals - fits[0].residuals.mean()) / problem.scale
    rho = serial.rho if (serial := fits[0].serial_correlation) else 0.0
    shocks = enlarged * whitened(deviations, rho)
    for _ in range(draws):
        stress = curve * np.exp(problem.scale * coloured(rng.choice(shocks, count), rho))
        criteria = [_criterion(fit, stress) for fit in fits]
        chosen[int(np.argmin(criteria))] += 1
    return chosen / draws


def _criterion(fit: Fit, stress: FloatArray) -> float:
    """AICc of a law fitted to other stresses (n,)."""
    optimum = fit.optimum
    assert optimum is not None
    problem = optimum.problem._replace(stress=stress)
    _, residuals, jacobian = descents(problem, optimum.x[None].copy(), _STEPS, 0.0, _DECREASE)
    squares, known = least_squares_of(residuals[:-1], jacobian[:, :-1], fit.rho), np.isinf(optimum.freedom)
    # What the criterion has beside the deviance stays.
    variance = optimum.least_variance
    return fit.aicc - fit.deviance + deviance_of(squares, len(stress), fit.rho, variance, bool(known), fit.share)
