"""The error of L in the flow curve and in the verdict."""

import numpy as np
import pytest

from flowgrad import VelocityGradient, Verdict, separate
from flowgrad.rheology.flow_curve import flow_curve
from flowgrad.separation.rate_error import rate_error

COUNT = 6000
RATES = 10 ** np.random.default_rng(0).uniform(-1, 1.5, COUNT)
TRUE = RATES[:, None, None] * np.array([[0, 1.0, 0], [0, 0, 0], [0, 0, 0]])
STRESS = TRUE + np.swapaxes(TRUE, 1, 2)


def noisy(size, known=True):
    L = TRUE + size * np.random.default_rng(1).normal(size=TRUE.shape)
    covariance = np.broadcast_to(size**2 * np.eye(3), TRUE.shape) if known else None
    return VelocityGradient(L, covariance=covariance)


@pytest.mark.parametrize("size", [0.05, 0.3])
def test_noise_of_the_gradient_makes_no_law(size):
    """Noise makes slow cells look fast, and so a Newtonian stress thicken; known noise does not."""
    assert separate(noisy(size, known=False), stress=STRESS).verdict is Verdict.SHEAR_THICKENING
    aware = separate(noisy(size), stress=STRESS)
    assert aware.verdict in (Verdict.NOT_DECIDED, Verdict.NEWTONIAN)
    assert aware.curve.excluded["unknown_rate"] > 100
    assert aware.evidence["gradient_error"] > 0


@pytest.mark.parametrize("size", [0.05, 0.3])
def test_what_is_there_is_seen_through_the_noise(size):
    separation = separate(noisy(size), viscosity=RATES**-0.5)
    assert separation.evidence["fall_factor"] > 2
    assert separation.fits[0].model.viscosity(10.0) == pytest.approx(10**-0.5, rel=0.05)


def test_a_constant_viscosity_needs_no_shear_rate():
    separation = separate(noisy(0.3), viscosity=np.full(COUNT, 0.2))
    assert separation.verdict is Verdict.NEWTONIAN
    np.testing.assert_allclose(separation.curve.rate_error, 0, atol=1e-12)


@pytest.mark.parametrize(("error", "verdict"), [(0.001, Verdict.NEWTONIAN), (0.1, Verdict.NOT_DECIDED)])
def test_an_estimated_error_takes_the_place_of_the_usual_one(error, verdict):
    gradient = VelocityGradient(TRUE, error=error * RATES)
    separation = separate(gradient, stress=STRESS)
    assert separation.verdict is verdict
    np.testing.assert_allclose(separation.curve.rate_error, error, rtol=1e-6)
    assert (separation.curve.uncertainty >= error * (1 - 1e-6)).all()


def test_a_law_is_as_uncertain_as_its_slope_makes_it():
    """η = γ̇^(−1/2): an error e of the rate moves it by e/2, and a stress over such rates, τ = γ̇^(1/2), by e/2."""
    rate, error, weights = RATES, np.full(COUNT, 0.1), np.ones(COUNT)
    for of_stress in (False, True):
        curve = flow_curve(rate, rate**-0.5, weights, error=error, of_stress=of_stress)
        np.testing.assert_allclose(curve.rate_error, 0.05, rtol=1e-6)
    constant = flow_curve(rate, np.ones(COUNT), weights, error=error, of_stress=True)
    np.testing.assert_allclose(constant.rate_error, 0.1, rtol=1e-6)


def test_bins_without_an_estimate_take_the_largest():
    error = np.where(RATES < 1, np.nan, 0.01 * RATES / RATES.max())
    curve = flow_curve(RATES, np.ones(COUNT), np.ones(COUNT), error=error, of_stress=True)
    slow = curve.rate < 0.8
    np.testing.assert_allclose(curve.rate_error[slow], np.nanmax(curve.rate_error))
    assert curve.rate_error[-1] == pytest.approx(0.01 * curve.rate[-1] / RATES.max(), rel=0.02)


def test_the_bias_is_that_of_many_samples():
    """E γ̇² − γ̇² = 2Σ var D_ij, for one C, one C for each component, and the whole covariance."""
    rng = np.random.default_rng(2)
    root = rng.normal(size=(9, 9)) / 9
    whole = (root @ root.T).reshape(3, 3, 3, 3)
    samples = rng.multivariate_normal(np.zeros(9), whole.reshape(9, 9), 200_000).reshape(-1, 3, 3)
    excess = np.mean(VelocityGradient(TRUE[0] + samples)["shear_rate"] ** 2) - RATES[0] ** 2
    gradient = VelocityGradient(TRUE[:1], covariance=whole[None])
    assert rate_error(gradient)[0] == pytest.approx(0.5 * excess / RATES[0] ** 2, rel=0.02)
    C = 0.04 * np.diag([1.0, 2.0, 3.0])
    each = np.einsum("ik,jl->ijkl", np.eye(3), C)
    forms = [C, np.stack([C] * 3), each]
    found = [rate_error(VelocityGradient(TRUE[:1], covariance=form[None]))[0] for form in forms]
    np.testing.assert_allclose(found, found[0], rtol=1e-12)


def test_nothing_known_is_none():
    assert rate_error(VelocityGradient(TRUE)) is None
    assert "gradient_error" not in separate(VelocityGradient(TRUE), stress=STRESS).evidence
