"""Rabinowitsch's and the parallel plate's corrections against closed forms."""

import numpy as np
import pytest

from flowgrad import OptionError, RheometerCurve, read_flow_curves
from flowgrad.rheometer import Reading
from flowgrad.rheometer.corrections import corrected
from flowgrad.rheometer.local_slopes import slopes
from tests.rheometer.tables import table, write


def curve(rate, stress):
    return RheometerCurve("x", np.asarray(rate, float), np.asarray(stress, float))


@pytest.mark.parametrize("scale", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("n", [0.3, 1.0, 1.4])
def test_power_laws_are_exact(n, scale):
    """8U/D = γ̇_w 4n/(3n+1), and at the plate's rim 2M/(πR³) = τ 4/(3+n)."""
    wall = scale * np.geomspace(0.1, 1000, 15)
    stress = 2.5 * wall**n
    found = corrected(curve(wall * 4 * n / (3 * n + 1), stress), "rabinowitsch")
    np.testing.assert_allclose(found.rate, wall, rtol=1e-11)
    np.testing.assert_allclose(found.stress, stress)
    found = corrected(curve(wall, stress * 4 / (3 + n)), "parallel-plate")
    np.testing.assert_allclose(found.stress, stress, rtol=1e-11)
    np.testing.assert_allclose(found.rate, wall)


def bingham_tube(points):
    """A Bingham fluid in a tube: 8U/D of Buckingham's formula (1921) at wall stresses, and the rate at the wall."""
    tau0, eta = 1.0, 0.5
    stress = np.geomspace(1.2, 60, points)
    x = tau0 / stress
    return stress, stress / eta * (1 - 4 * x / 3 + x**4 / 3), (stress - tau0) / eta


def bingham_plate(points):
    """A Bingham fluid between plates: 2M/(πR³) = η γ̇_R + 4 τ0/3."""
    rate = np.geomspace(0.05, 50, points)
    return rate, 0.5 * rate + 4 / 3, 1 + 0.5 * rate


def errors(points):
    stress, apparent, wall = bingham_tube(points)
    tube = corrected(curve(apparent, stress), "rabinowitsch").rate / wall - 1
    rate, seen, true = bingham_plate(points)
    plate = corrected(curve(rate, seen), "parallel-plate").stress / true - 1
    inner = slice(points // 10, -points // 10)
    return np.abs(tube[inner]).max(), np.abs(plate[inner]).max()


def test_other_laws_converge_with_the_points():
    coarse, fine = errors(41), errors(161)
    assert max(coarse) < 0.02
    # Parabolas through neighbours at equal distances: second order, so a sixteenth.
    assert all(a / b > 12 for a, b in zip(coarse, fine, strict=True))


def test_slopes_do_not_mind_the_spacing():
    rate = np.sort(np.random.default_rng(0).uniform(1, 100, 20))
    np.testing.assert_allclose(slopes(rate, 3 * rate**0.6), 0.6, rtol=1e-9)


def test_noise_is_smoothed():
    rate = np.geomspace(0.1, 100, 30)
    stress = rate**0.5 * np.exp(0.01 * np.random.default_rng(0).normal(size=30))
    found = corrected(curve(rate, stress), "rabinowitsch")
    np.testing.assert_allclose(found.rate / rate, 1.25, rtol=0.1)


def test_a_torque_and_a_radius_make_a_stress(tmp_path):
    rate, radius, n = np.geomspace(0.1, 100, 12), 0.02, 0.5
    torque = 2 * np.pi * radius**3 / (3 + n) * 4.0 * rate**n
    path = write(tmp_path, table(("Shear rate [1/s]", "Torque [mN·m]"), (rate, 1e3 * torque)))
    (found,) = read_flow_curves(path, Reading(correction="parallel-plate", radius=radius))
    np.testing.assert_allclose(found.stress, 4.0 * rate**n, rtol=1e-9)
    assert "stresses corrected (parallel-plate) by factors from 0.875 to 0.875" in found.notes[0]


def test_what_has_no_correction():
    with pytest.raises(OptionError, match="4 at least"):
        corrected(curve([1, 2, 3], [1, 2, 3]), "rabinowitsch")
    rate = np.geomspace(1, 100, 12)
    with pytest.raises(OptionError, match="the stress falls with 8U/D at 12 of 12 points"):
        corrected(curve(rate, 1 / rate), "rabinowitsch")
    with pytest.raises(OptionError, match="unknown"):
        corrected(curve(rate, rate), "hagenbach")
