"""Residuals of a law: misfit beyond the scatter of the points, and the runs test of their signs."""

from __future__ import annotations

from collections.abc import Iterator
from math import comb

import numpy as np

from flowgrad.rheology import thresholds
from flowgrad.rheology.fit import SMALLEST_MISFIT, Fit
from flowgrad.rheology.flow_curve import FlowCurve
from flowgrad.typing import FloatArray


def runs_probability(residuals: FloatArray) -> tuple[int, float]:
    """Runs of one sign among residuals (n,), and the probability of so few or fewer where signs are independent.

    Source: Wald & Wolfowitz 1940, Ann. Math. Stat. 11, 147; the exact distribution, Swed & Eisenhart 1943, ibid. 14,
    66. Zeros are left out.
    """
    signs = np.sign(residuals[residuals != 0])
    positive, negative = int(np.sum(signs > 0)), int(np.sum(signs < 0))
    if not positive or not negative:
        # One run: by the chance of one sign throughout.
        count = positive + negative
        return min(count, 1), 0.5 ** max(count - 1, 0)
    runs = 1 + int(np.sum(signs[1:] != signs[:-1]))
    ways = 0
    for number in range(2, runs + 1):
        half, odd = divmod(number, 2)
        a, b = (comb(count - 1, half - 1) for count in (positive, negative))
        more_a, more_b = (comb(count - 1, half) for count in (positive, negative))
        ways += more_a * b + a * more_b if odd else 2 * a * b
    return runs, ways / comb(positive + negative, positive)


def over_scatter(fit: Fit, curve: FlowCurve) -> float:
    """Root mean square of a law's residuals over the errors of the points, for each degree of freedom: 1 where the law
    misses them by their scatter."""
    errors = np.maximum(curve.uncertainty, SMALLEST_MISFIT)
    freedom = max(fit.points - len(fit.model.free()), 1)
    return float(np.sqrt(np.sum((fit.residuals / errors) ** 2) / freedom))


def is_missed(fit: Fit, curve: FlowCurve) -> bool:
    """Whether a law misses the points of a curve by more than they scatter, so that it decides nothing: it is off by
    more than ``MISFIT``, and either by more than the errors of the points allow or in runs of one sign that chance does
    not make."""
    if fit.misfit <= thresholds.MISFIT or fit.points != len(curve):
        return False
    return over_scatter(fit, curve) > thresholds.OVER_SCATTER or runs_probability(fit.residuals)[1] < thresholds.RUNS


def of_residuals(fit: Fit | None, curve: FlowCurve) -> Iterator[tuple[str, float]]:
    """Evidence: how far the law is off, over the scatter, and the runs of its residuals, unless it is exact."""
    if fit is None or not fit.points or fit.points != len(curve):
        return
    yield "misfit", fit.misfit
    if fit.misfit <= SMALLEST_MISFIT:
        return
    runs, probability = runs_probability(fit.residuals)
    yield "misfit_over_scatter", over_scatter(fit, curve)
    yield "runs", runs
    yield "runs_probability", probability
