"""Caps of solvers, eta_max and eta_min, are fitted where the data show them."""

import numpy as np
import pytest

from flowgrad import Verdict, fit_flow_curve
from flowgrad.rheology import fit_models
from flowgrad.rheology.form import Form, forms
from flowgrad.rheology.models import (
    Bingham,
    Carreau,
    HerschelBulkley,
    Newtonian,
    PapanastasiouBingham,
    PowerLaw,
    parse_model,
)

RATE = np.geomspace(1e-3, 1e3, 31)


def noisy(law, noise=0.02, seed=1):
    return law.stress(RATE) * (1 + noise * np.random.default_rng(seed).standard_normal(len(RATE)))


@pytest.mark.parametrize(
    "law",
    [
        HerschelBulkley(3.0, 2.0, 0.5, eta_max=200.0),
        Bingham(3.0, 0.2, eta_max=50.0),
        PowerLaw(2.0, 0.4, eta_max=30.0),
        PowerLaw(2.0, 0.4, eta_min=0.1),
        PowerLaw(2.0, 0.4, eta_min=0.1, eta_max=30.0),
        PowerLaw(2.0, 1.5, eta_min=0.3),
    ],
    ids=str,
)
@pytest.mark.parametrize("noise", [0.0, 0.02])
def test_a_law_seen_through_caps_is_found_with_them(law, noise):
    fits = fit_models(RATE, noisy(law, noise))
    assert type(fits[0].model) is type(law) or noise
    fit = next(fit for fit in fits if type(fit.model) is type(law))
    assert fit.aicc - fits[0].aicc < 5
    assert set(fit.model.parameters) == set(law.parameters)
    assert fit.model.parameters == pytest.approx(law.parameters, rel=1e-4 if not noise else 0.2)
    assert set(fit.intervals) == set(law.parameters)
    assert parse_model(str(fit.model)) == fit.model


def test_the_intervals_of_a_cap_cover_it():
    law = PowerLaw(2.0, 0.4, eta_max=30.0)
    covered = 0
    for seed in range(30):
        (fit,) = fit_models(RATE, noisy(law, 0.05, seed), models=["power-law"])
        low, high = fit.intervals.get("eta_max", (np.nan, np.nan))
        covered += low <= 30.0 <= high
    assert covered >= 24


@pytest.mark.parametrize("law", [PowerLaw(2.0, 0.4), Newtonian(0.1), HerschelBulkley(3.0, 2.0, 0.5)], ids=str)
def test_no_cap_is_looked_for_where_no_plateau_shows(law):
    for kind in (PowerLaw, HerschelBulkley):
        assert forms(kind, RATE, noisy(law)) == [Form(kind)]


def test_a_smooth_plateau_is_no_cap():
    found = fit_flow_curve(RATE, noisy(Carreau(10.0, 0.05, 2.0, 0.35)))
    assert found.ranking[0].model.name in ("carreau", "carreau-yasuda")
    assert "eta_max" not in found.best.model.parameters


@pytest.mark.parametrize(
    "law", [HerschelBulkley(3.0, 2.0, 0.5, eta_max=200.0), Bingham(3.0, 0.2, eta_max=100.0)], ids=str
)
def test_a_yield_stress_seen_through_a_cap_is_one(law):
    """The lowest rates show the cap's Newtonian plateau, above it τ starts out level."""
    assert fit_flow_curve(RATE, noisy(law, 0.0)).verdict is Verdict.YIELD_STRESS
    for seed in range(3):
        found = fit_flow_curve(RATE, noisy(law, 0.02, seed))
        assert found.newtonian == "no"
        assert found.verdict in (Verdict.YIELD_STRESS, Verdict.NON_NEWTONIAN)


def test_a_power_law_seen_through_a_cap_thins():
    assert fit_flow_curve(RATE, noisy(PowerLaw(2.0, 0.4, eta_max=30.0))).verdict is Verdict.SHEAR_THINNING


def test_the_sentence_says_that_a_cap_hides_the_yield_stress():
    found = fit_flow_curve(RATE, noisy(HerschelBulkley(5.0, 1.0, 0.5, eta_max=100.0), 0.0))
    assert found.verdict is Verdict.YIELD_STRESS
    lowest = RATE[RATE > 0.06][0]  # (5 + √γ̇)/γ̇ = 100 at 0.0526
    assert f"Above the shear rate {lowest:.3g}, below which a cap holds the viscosity at 100" in found.sentence
    assert "the stress tends to 5 towards rest" in found.sentence
    assert "does not vanish" not in found.sentence


def test_the_sentence_says_that_a_regularised_yield_stress_vanishes_at_rest():
    found = fit_flow_curve(RATE, noisy(PapanastasiouBingham(5.0, 0.1, 100.0), 0.0))
    assert (found.verdict, found.ranking[0].model.name) == (Verdict.SHEAR_THINNING, "papanastasiou-bingham")
    assert "yield stress of 5 is a regularised one, whose viscosity stays finite towards rest" in found.sentence
    assert "lower shear rates would tell" not in found.sentence
