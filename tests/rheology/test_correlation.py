import numpy as np
import pytest

from flowgrad import Verdict, fit_flow_curve
from flowgrad.rheology import fit_models
from flowgrad.rheology.correlation import (
    coloured,
    correlations,
    deviance_of,
    least_squares_of,
    serial_correlation,
    variance_of_means,
    whitened,
)
from flowgrad.rheology.models import Bingham, HerschelBulkley, PowerLaw

RATE = np.geomspace(1e-2, 1e3, 25)


def correlated(rho, seed, count=25):
    """Standard normal numbers, neighbours correlated by ρ."""
    drawn = np.random.default_rng(seed).standard_normal(count)
    for k in range(1, count):
        drawn[k] = rho * drawn[k - 1] + np.sqrt(1 - rho**2) * drawn[k]
    return drawn


def test_the_variance_of_a_mean_in_closed_form():
    """1ᵀR1/n of n numbers, for the ρ that was found."""
    found = serial_correlation(np.ones((1, 200)), correlated(0.6, 3, 200) - correlated(0.6, 3, 200).mean())
    lags = np.abs(np.subtract.outer(np.arange(200), np.arange(200)))
    assert found.rho == pytest.approx(0.6, abs=0.2)
    assert found.inflation[0] == pytest.approx(np.sum(found.rho**lags) / 200)


@pytest.mark.parametrize("residuals", [np.zeros(25), np.ones(5), (-1.0) ** np.arange(25)])
def test_none_where_none_shows(residuals):
    assert serial_correlation(np.ones((1, len(residuals))), residuals) is None


@pytest.mark.parametrize("law", [PowerLaw(2.0, 0.4), HerschelBulkley(3.0, 2.0, 0.5)], ids=str)
@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_intervals_cover_with_and_without_correlation(law, rho):
    """60 seeds: with a coverage of 93 % fewer than 49 of 60 have a probability of 3e-4."""
    covered = np.zeros(len(law.parameters))
    for seed in range(60):
        stress = law.stress(RATE) * (1 + 0.02 * correlated(rho, seed))
        (fit,) = fit_models(RATE, stress, models=[law.name], residual="relative")
        # Half a dozen of the noisiest do not determine a parameter: no interval, and none that misses.
        ends = [fit.intervals.get(key, (-np.inf, np.inf)) for key in law.parameters]
        covered += [low <= value <= high for value, (low, high) in zip(law.parameters.values(), ends, strict=True)]
    assert (covered >= 49).all()


def test_a_correlation_is_said():
    stress = PowerLaw(2.0, 0.4).stress(RATE) * (1 + 0.02 * correlated(0.9, 2))
    found = fit_flow_curve(RATE, stress, models=["power-law"])
    assert found.best.serial_correlation.rho > 0.5
    assert any("follow one another" in note for note in found.notes)


def test_whitening_is_the_inverse_of_the_correlation():
    """rᵀR⁻¹r, and the deviance is that of the normal density."""
    from scipy.stats import multivariate_normal

    r, rho, count = correlated(0.5, 1, 12), 0.6, 12
    R = correlations(count, rho)
    squares = np.sum(whitened(r, rho) ** 2)
    assert squares == pytest.approx(r @ np.linalg.solve(R, r))
    expected = -2 * multivariate_normal(cov=R).logpdf(r) - count * np.log(2 * np.pi)
    assert deviance_of(squares, count, rho, 0.0, True) == pytest.approx(expected)
    estimated = -2 * multivariate_normal(cov=squares / count * R).logpdf(r) - count * (1 + np.log(2 * np.pi))
    assert deviance_of(squares, count, rho, 0.0, False) == pytest.approx(estimated)
    np.testing.assert_allclose(coloured(whitened(r, rho), rho), r)


@pytest.mark.parametrize("rho", [0.0, 0.7])
def test_the_variance_of_means_of_neighbours(rho):
    """The diagonal of W C Wᵀ."""
    error = np.random.default_rng(0).uniform(0.01, 0.05, 12)
    W = np.array([np.roll([0.25] * 4 + [0.0] * 8, k) for k in range(9)])
    expected = np.diag(W @ (correlations(12, rho) * np.outer(error, error)) @ W.T)
    np.testing.assert_allclose(variance_of_means(error, 4, rho), expected)


def test_correlated_residuals_do_not_tell_a_low_power_from_a_yield_stress():
    """Bingham's law in drifting noise, which the independent likelihood took for Sisko's with n = 0.02 in 3 of 200."""
    law = Bingham(3.0, 0.2)
    for seed in (18, 26, 98):
        found = fit_flow_curve(RATE, law.stress(RATE) * (1 + 0.02 * correlated(0.7, seed)))
        assert found.verdict in (Verdict.YIELD_STRESS, Verdict.NON_NEWTONIAN)
        assert found.ranking[0].rho == found.evidence["residual_correlation"] > 0.3
        assert "follow one another" in found.sentence


def test_drifting_noise_is_neither_a_trend_nor_within_the_margin():
    """A viscosity that leaves the margin by a tenth, in correlated noise of 2 %: within it with a probability of 5 % at
    most, P(more than 4 of 30) = 1.6 %. Local differences see half of such noise."""
    law = PowerLaw(1.0, 1 - np.log(1.055) / np.log(RATE[-1] / RATE[0]) * 2)
    found = [fit_flow_curve(RATE, law.stress(RATE) * (1 + 0.02 * correlated(0.7, seed))) for seed in range(30)]
    assert sum(each.newtonian == "yes" for each in found) <= 4
    assert 0.015 < np.median([each.noise.size for each in found]) < 0.03
    twice = PowerLaw(1.0, 1 - np.log(2) / np.log(RATE[-1] / RATE[0]))
    changes = [fit_flow_curve(RATE, twice.stress(RATE) * (1 + 0.02 * correlated(0.7, seed))) for seed in range(5)]
    assert all(each.newtonian == "no" for each in changes)


def test_what_does_not_follow_one_another_is_ranked_as_ever():
    """AICc of a normal likelihood of independent residuals (Hurvich & Tsai 1989)."""
    shocks = np.random.default_rng(0).uniform(0.2, 1.5, 25) * np.tile([1, -1], 13)[:25]
    found = fit_flow_curve(RATE, PowerLaw(2.0, 0.4).stress(RATE) * (1 + 0.02 * shocks))
    assert found.ranking[0].serial_correlation is None
    for fit in found.ranking:
        k = len(fit.model.parameters) + 1
        expected = 25 * np.log(np.mean(fit.residuals**2)) + 2 * k + 2 * k * (k + 1) / (24 - k)
        assert fit.aicc == pytest.approx(expected)
    assert "follow one another" not in found.sentence


def test_the_generalised_least_squares_of_a_linear_law_in_closed_form():
    """A law that is linear in its parameters: rᵀR⁻¹r less what R⁻¹ projects, from any estimate that is near."""
    J, rho = np.random.default_rng(0).standard_normal((2, 30)), 0.7
    r = 1e-4 * (correlated(rho, 1, 30) + J.T @ [0.5, -0.3])
    inverse = np.linalg.inv(correlations(30, rho))
    expected = r @ inverse @ r - r @ inverse @ J.T @ np.linalg.solve(J @ inverse @ J.T, J @ inverse @ r)
    assert least_squares_of(r, J, rho) == pytest.approx(expected, rel=1e-6)


def test_a_long_wave_of_misfit_makes_no_law_certain():
    """Two laws that miss the points alike, in waves that no process of first order makes, weigh alike."""
    rate = np.geomspace(1e-2, 1e3, 101)
    wave = np.exp(0.06 * np.sin(np.linspace(0, 2 * np.pi, 101)) ** 3)
    stress = (3.1 + 0.037 * rate + 3.1 * (rate / 1.4) ** 0.5) * wave
    found = fit_models(rate, stress, models=["heinz-casson", "three-component", "newtonian"])
    best, second, newtonian = found
    assert best.share < 0.5
    assert best.rho == 0
    ratio = best.chi2 / second.chi2
    independent = best.share * len(rate)
    assert second.weight / best.weight == pytest.approx(ratio ** (independent / 2), rel=0.5)
    assert newtonian.weight < 1e-6
