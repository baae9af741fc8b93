import numpy as np
import pytest
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import t as student

from flowgrad.rheology import fit_models
from flowgrad.rheology.models import Bingham, Carreau, HerschelBulkley, PowerLaw

RATE = np.geomspace(1e-2, 1e3, 25)


def noisy(law, noise=0.02, seed=1, rate=RATE):
    return law.stress(rate) * (1 + noise * np.random.default_rng(seed).standard_normal(len(rate)))


def test_intervals_of_a_linear_law_in_closed_form():
    """Bingham's law is linear in τ0 and η: the profile is a parabola and the interval the textbook's."""
    stress = noisy(Bingham(3.0, 0.2), 0.05)
    (fit,) = fit_models(RATE, stress, models=["bingham"], residual="relative")
    basis = np.stack([1 / stress, RATE / stress], axis=1)
    best, squares, *_ = np.linalg.lstsq(basis, np.ones(25), rcond=None)
    half = student.ppf(0.975, 23) * np.sqrt(squares[0] / 23 * np.diag(np.linalg.inv(basis.T @ basis)))
    for key, value, width in zip(("tau0", "eta"), best, half, strict=True):
        np.testing.assert_allclose(np.array(fit.intervals[key]) - value, [-width, width], rtol=6e-3)


def test_the_profile_of_a_curved_law_by_brute_force():
    """τ0 of a Herschel–Bulkley law: for each τ0 the best n by a search, the best K in closed form."""
    stress = noisy(HerschelBulkley(3.0, 2.0, 0.5), 0.1)
    (fit,) = fit_models(RATE, stress, models=["herschel-bulkley"], residual="relative")

    def squares(tau0, n):
        target, column = 1 - tau0 / stress, RATE**n / stress
        return np.sum((target - column * (column @ target) / (column @ column)) ** 2)

    def profile(tau0):
        return minimize_scalar(lambda n: squares(tau0, n), bounds=(0.05, 2), method="bounded", options={"xatol": 1e-9})

    limit = fit.chi2 * (1 + student.ppf(0.975, 22) ** 2 / 22)
    low, high = (brentq(lambda x: profile(x).fun - limit, *ends) for ends in ((2.0, 2.8), (2.8, 3.6)))
    np.testing.assert_allclose(fit.intervals["tau0"], (low, high), rtol=1e-3)


def test_absolute_standard_deviations_are_taken_as_they_are():
    law = PowerLaw(2.0, 0.5)
    stress = noisy(law, 0.02)
    relative, absolute, twice = (
        fit_models(RATE, stress, size * stress, ["power-law"], "relative", absolute_sigma=how)[0]
        for size, how in ((0.1, False), (0.1, True), (0.2, True))
    )
    widths = [np.log(fit.intervals["n"][1] / fit.intervals["n"][0]) for fit in (relative, absolute, twice)]
    assert widths[2] == pytest.approx(2 * widths[1], rel=0.02)
    assert widths[1] > 3 * widths[0]
    assert absolute.chi2 == pytest.approx(4 * twice.chi2)
    assert absolute.aicc == pytest.approx(absolute.chi2 + 4 + 12 / 22)


@pytest.mark.parametrize("decades", [(1.5, 3.5), (-4, -1)])
def test_what_the_range_does_not_show_has_no_interval(decades):
    """Beyond the high-rate end of a Carreau law without its zero-shear plateau, and on that plateau alone."""
    rate = np.logspace(*decades, 25)
    for seed in range(5):
        stress = noisy(Carreau(10.0, 0.0, 1.0, 0.4), 0.02, seed, rate)
        (fit,) = fit_models(rate, stress, models=["carreau"], residual="relative")
        hidden = {"eta0", "lam"} if decades[0] > 0 else {"eta_inf", "lam", "n"}
        assert hidden <= set(fit.undetermined)
        assert not hidden & set(fit.intervals)


def test_correlation_of_a_power_law_in_closed_form():
    """log K and n of a straight line: −x̄/√(mean x²) where x = log γ̇; of log n the same."""
    rate = np.geomspace(1, 1e3, 25)
    (fit,) = fit_models(rate, noisy(PowerLaw(2.0, 0.5), rate=rate), models=["power-law"])
    x = np.log(rate)
    expected = -x.mean() / np.sqrt(np.mean(x**2))
    np.testing.assert_allclose(fit.correlation, [[1, expected], [expected, 1]], rtol=1e-9)


def test_scale_changes_no_interval():
    stress = noisy(Carreau(10.0, 0.05, 2.0, 0.35))
    (plain,) = fit_models(RATE, stress, models=["carreau"])
    (scaled,) = fit_models(1e6 * RATE, 1e-6 * stress, models=["carreau"])
    for key, factor in (("eta0", 1e-12), ("eta_inf", 1e-12), ("lam", 1e-6), ("n", 1.0)):
        np.testing.assert_allclose(scaled.intervals[key], factor * np.array(plain.intervals[key]), rtol=1e-4)
