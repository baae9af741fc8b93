"""Autocorrelation of residuals on a lattice: of running means in closed form."""

import numpy as np
import pytest

from flowgrad import Flow, Lattice
from flowgrad.gradient.smooth.parts import Smoothed
from flowgrad.gradient.smooth.scheme import SmoothFits
from flowgrad.gradient.smooth.windows import halved_wave
from flowgrad.noise.autocorrelation import autocorrelation

N = 90
LATTICE = Lattice.rectilinear(np.arange(N), np.arange(N))


def running_mean(window, seed=0):
    """Noise (n, 3) of two components, over ``window`` spacings along x only."""
    e = np.random.default_rng(seed).normal(size=(N, N + window, 2))
    mean = sum(e[:, k : k + N] for k in range(window)) / window**0.5
    return np.concatenate([mean, np.zeros((N, N, 1))], axis=2).reshape(-1, 3)


@pytest.mark.parametrize("window", [1, 2, 4])
def test_running_means_are_correlated_over_their_window(window):
    values = running_mean(window)
    values[::17] = np.nan
    found = autocorrelation(LATTICE, values)
    assert found.axes == "xy"
    expected = np.maximum(0, 1 - np.arange(found.values.shape[1]) / window)
    np.testing.assert_allclose(found.values[0], expected, atol=0.06)
    np.testing.assert_allclose(found.values[1, 1:], 0, atol=0.06)
    assert found.reach == window


def test_a_wave_keeps_half_of_its_slope():
    for degree, reach in ((1, 3), (3, 8), (5, 20)):
        length = halved_wave(degree, reach)
        assert halved_wave(degree, 2 * reach) == pytest.approx(2 * length, rel=0.1)
        assert halved_wave(degree + 2, reach + 1) < length
    # Three places to each side, a straight line with equal weights: Σ j sin kj / 28 = k/2.
    k = 2 * np.pi / halved_wave(1, 3)
    weights = (1 - (np.arange(-3, 4) / 4) ** 2) * np.arange(-3, 4)
    slope = weights / (weights * np.arange(-3, 4)).sum()
    assert slope @ np.sin(k * np.arange(-3, 4)) == pytest.approx(k / 2, rel=0.03)


def test_what_fits_leave_of_noise_on_a_smooth_flow_is_the_noise():
    x, y = LATTICE.points[:, 0] / N, LATTICE.points[:, 1] / N
    flow = np.column_stack([1 + x * y + y**2, x - x * y, 0 * x])
    noise = 0.05 * running_mean(1)
    operator = SmoothFits().prepare(Flow(LATTICE, flow + noise, "points"), "points")
    assert isinstance(operator, Smoothed)
    residual = operator.residual
    assert residual is not None
    known = np.isfinite(residual).all(axis=1)
    assert known.mean() > 0.99
    assert np.abs(residual - noise)[known].max() < 0.05
    assert np.sqrt(np.mean((residual - noise)[known] ** 2)) < 0.2 * 0.05
    assert autocorrelation(LATTICE, residual).reach == 1
