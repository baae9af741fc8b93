"""Residuals of laws: runs of one sign, misfit beyond the scatter, and what is said of a law beside its class."""

import itertools

import numpy as np
import pytest

from flowgrad import Verdict, fit_flow_curve
from flowgrad.rheology.models import HerschelBulkley
from flowgrad.rheology.residuals import is_missed, runs_probability


def runs_of(signs):
    return sum(1 for _ in itertools.groupby(signs))


@pytest.mark.parametrize(("positive", "negative"), [(1, 1), (3, 4), (6, 2), (5, 5)])
def test_the_probability_of_runs_is_that_of_all_orders(positive, negative):
    """Of all orders of so many signs, the share that has as few runs."""
    count = positive + negative
    orders = [
        np.where(np.isin(np.arange(count), up), 1.0, -1.0) for up in itertools.combinations(range(count), positive)
    ]
    every = np.array([runs_of(order) for order in orders])
    for order, runs in zip(orders, every, strict=True):
        assert runs_probability(order) == (runs, pytest.approx(np.mean(every <= runs)))


def test_a_law_that_misses_the_points_decides_nothing():
    """η falls in waves, as no law does: thinning or a yield stress, by no weights."""
    rate = np.geomspace(1e-2, 1e3, 60)
    x = np.log(rate)
    eta = np.exp(-0.5 * x - 0.4 * np.sin(1.2 * x)) * (1 + 0.002 * np.random.default_rng(0).standard_normal(60))
    stress = eta * rate
    found = fit_flow_curve(rate, stress)
    assert is_missed(found.ranking[0], found.curve)
    assert (found.newtonian, found.verdict) == ("no", Verdict.NON_NEWTONIAN)
    assert found.finding.law is None
    assert "no law suits the points" in found.sentence
    assert set(found.classes.values()) == {0.5}


def test_a_mixed_fluid_has_no_law_that_misses_it():
    """η falls and rises 60-fold, which no law does: none is named as its, and no parameter is told as a "?"."""
    rate = np.geomspace(1e-2, 1e3, 25)
    found = fit_flow_curve(rate, rate * 10 ** (0.3 * (np.log10(rate) - 0.5) ** 2))
    assert (found.newtonian, found.verdict) == ("no", Verdict.MIXED)
    assert found.finding.law is None
    assert f"misfit of {100 * found.ranking[0].misfit:.2g} %" in found.sentence
    assert "?" not in found.sentence


def test_a_yield_stress_beside_a_thinning_fluid_is_explained():
    rate = np.geomspace(1e-2, 1e3, 25)
    stress = HerschelBulkley(0.05, 2.0, 0.5).stress(rate) * (1 + 0.005 * np.random.default_rng(1).standard_normal(25))
    found = fit_flow_curve(rate, stress)
    assert found.verdict is Verdict.SHEAR_THINNING
    law = found.best.model
    if law.yield_stress:
        assert f"Its yield stress of {law.yield_stress:.3g}" in found.sentence
    assert ("Its yield stress" in found.sentence) == bool(law.yield_stress)
