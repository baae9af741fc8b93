import numpy as np
import pytest

from flowgrad import fit_flow_curve
from flowgrad.rheology import fit_models
from flowgrad.rheology.correlation import serial_correlation
from flowgrad.rheology.models import HerschelBulkley, PowerLaw

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
