"""Fits keep to laws whose viscosity is positive and whose stress rises over all shear rates."""

import numpy as np
import pytest

from flowgrad.rheology import MODELS, fit_models
from flowgrad.rheology.form import Form, tapes
from flowgrad.rheology.models import Carreau, Cross, parse_model

RATE = np.geomspace(1e-2, 1e3, 25)
EVERYWHERE = np.geomspace(1e-12, 1e14, 1500)


def falls(law):
    """By how much log τ falls at most between neighbouring rates, where it is known."""
    stress = law.stress(EVERYWHERE)
    return np.nanmax(-np.diff(np.log(stress)), initial=0.0) if (stress > 0).all() else np.inf


@pytest.mark.parametrize(
    "text",
    [
        # Level stresses, which ask for a law that falls; a drop of η to next to nothing; curves that bend upwards.
        "three-component(tau0=3, eta_bg=0.001, rate_c=1e5)",
        "carreau(eta0=10, eta_inf=0.0001, lam=2, n=0.02)",
        "cross(eta0=0.01, eta_inf=10, lam=0.4, n=3)",
        "power-law(K=1, n=1.3)",
        "newtonian(eta=0.1)",
    ],
)
@pytest.mark.parametrize("seed", range(3))
def test_every_fitted_law_is_admissible(text, seed):
    noise = 1 + 0.05 * np.random.default_rng(seed).standard_normal(len(RATE))
    for fit in fit_models(RATE, parse_model(text).stress(RATE) * noise):
        assert falls(fit.model) <= 1e-9, str(fit.model)


def test_a_stress_that_falls_does_not_make_a_law_that_does():
    """τ ∝ γ̇^−0.2 at the fast end, as of slip: Cross's law alone would follow with n > 1."""
    stress = Cross(10.0, 1e-6, 2.0, 1.2).stress(RATE)
    fits = {fit.model.name: fit for fit in fit_models(RATE, stress)}
    assert all(falls(fit.model) <= 1e-9 for fit in fits.values())
    assert fits["cross"].model.n < 1.01


def test_the_bound_of_a_cross_law_is_where_its_stress_begins_to_fall():
    """η∞ = (η0 − η∞)(n − 1)²/(4n), found here by bisection of the stress itself; n = 2 at (λγ̇)² = 3, so γ̇ = √3/λ."""
    low, high, rate = 1e-6, 1.0, np.linspace(2.9, 3.1, 20001)
    for _ in range(50):
        middle = np.sqrt(low * high)
        falling = (np.diff(Cross(1.0, middle, np.sqrt(3) / 3, 2.0).stress(rate)) < 0).any()
        low, high = (middle, high) if falling else (low, middle)
    assert Cross(1.0, high, np.sqrt(3) / 3, 2.0).admissible() == pytest.approx(0, abs=1e-6)
    assert high == pytest.approx(1 / 9, rel=1e-6)


def test_a_cross_law_steeper_than_one_is_found_where_it_is_admissible():
    law = Cross(10.0, 0.5, 1.0, 1.4)
    assert law.admissible() > 0
    (fit,) = fit_models(RATE, law.stress(RATE), models=["cross"])
    assert fit.model.parameters == pytest.approx(law.parameters, rel=1e-4)


def test_carreaus_viscosity_does_not_fall_below_zero():
    assert Carreau(1.0, 2.0, 1.0, 1.2).admissible() < 0
    assert Carreau(1.0, 2.0, 1.0, 1.2).viscosity(1e9) < 0
    assert Carreau(2.0, 1.0, 1.0, 1.2).admissible() > 0
    assert Carreau(1.0, 2.0, 1.0, 0.2).admissible() > 0


def test_only_laws_that_may_be_inadmissible_are_guarded():
    guarded = {name for name, kind in MODELS.items() if tapes(Form(kind))[2]}
    assert {"cross", "carreau", "carreau-yasuda"} <= guarded
    assert not guarded & {"newtonian", "power-law", "bingham", "herschel-bulkley", "casson", "quemada", "powell-eyring"}
