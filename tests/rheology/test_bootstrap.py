import time

import numpy as np
import pytest

from flowgrad import Verdict, fit_flow_curve
from flowgrad.rheology import fit_models
from flowgrad.rheology.bootstrap import selection_frequencies
from flowgrad.rheology.models import HerschelBulkley, PowerLaw

RATE = np.geomspace(1e-2, 1e3, 25)


def noisy(law, noise=0.02, seed=1):
    return law.stress(RATE) * (1 + noise * np.random.default_rng(seed).standard_normal(len(RATE)))


def test_a_law_that_nothing_imitates_is_chosen_nearly_always():
    fits = fit_models(RATE, noisy(HerschelBulkley(3.0, 2.0, 0.5)), models=["newtonian", "bingham", "herschel-bulkley"])
    assert selection_frequencies(fits).tolist() == [1.0, 0.0, 0.0]


def test_nested_laws_share_as_the_criterion_errs():
    """Of a power law's curves AICc prefers three parameters to two in about P(χ²₁ > 2.8) = 9 %, or half where the third
    has one sign only."""
    fits = fit_models(RATE, PowerLaw(2.0, 0.4).stress(RATE) * np.exp(0.02 * _uneven()), models=["power-law", "sisko"])
    found = dict(zip((fit.model.name for fit in fits), selection_frequencies(fits, 200), strict=True))
    assert fits[0].model.name == "power-law"
    assert 0.0 <= found["sisko"] <= 0.2


def _uneven():
    """Noise that no smooth law follows."""
    return np.random.default_rng(0).permutation(np.linspace(-1.5, 1.5, 25)) * np.tile([1, -1], 13)[:25]


def test_classes_are_probabilities_and_drawn_the_same_each_time():
    found = fit_flow_curve(RATE, noisy(HerschelBulkley(3.0, 2.0, 0.5)))
    assert sum(found.bootstrapped.values()) == pytest.approx(1)
    assert found.bootstrapped[Verdict.YIELD_STRESS] > 0.9
    assert selection_frequencies(found.ranking, 20).tolist() == selection_frequencies(found.ranking, 20).tolist()


def test_a_hundred_draws_take_no_longer_than_a_few_fits():
    found = fit_flow_curve(RATE, noisy(PowerLaw(2.0, 0.4)))
    start = time.process_time()
    selection_frequencies(found.ranking)
    assert time.process_time() - start < 3.0
