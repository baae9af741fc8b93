import numpy as np
import pytest

from flowgrad.rheology.flow_curve import at_shear, flow_curve, trend
from flowgrad.rheology.models import PowerLaw

RNG = np.random.default_rng(3)
RATE = 10 ** RNG.uniform(-1, 2, 3000)
ONES = np.ones(3000)


def test_an_exact_law_comes_back_from_its_bins():
    law = PowerLaw(0.1, 0.4)
    curve = flow_curve(RATE, law.viscosity(RATE), ONES)
    np.testing.assert_allclose(curve.viscosity, law.viscosity(curve.rate), rtol=1e-12)
    np.testing.assert_allclose(curve.stress, law.stress(curve.rate), rtol=1e-12)
    assert len(curve) == 30
    assert curve.share.sum() == pytest.approx(1)
    assert curve.count.sum() == 3000
    assert (np.diff(curve.rate) > 0).all()


def test_quantiles_follow_the_volume():
    """Nine small cells of viscosity 1 to 9 and one large cell of viscosity 100."""
    viscosity = np.array([*range(1, 10), 100.0])
    weights = np.array([1.0] * 9 + [91.0])
    curve = flow_curve(np.ones(10), viscosity, weights)
    assert len(curve) == 1
    assert curve.viscosity[0] > 60
    assert flow_curve(np.ones(10), viscosity, np.ones(10)).viscosity[0] == pytest.approx(np.sqrt(30))


def test_scatter_is_the_middle_eight_tenths():
    viscosity = np.exp(0.3 * RNG.standard_normal(3000))
    curve = flow_curve(RATE, viscosity, ONES)
    assert np.log(np.median(curve.high)) == pytest.approx(0.3 * 1.2816, rel=0.1)
    assert np.log(np.median(curve.low)) == pytest.approx(-0.3 * 1.2816, rel=0.1)


def test_the_stated_uncertainty_is_that_of_the_medians():
    errors, stated = [], []
    for seed in range(30):
        viscosity = np.exp(0.3 * np.random.default_rng(seed).standard_normal(3000))
        curve = flow_curve(RATE, viscosity, ONES)
        errors.append(np.log(curve.viscosity))
        stated.append(curve.uncertainty)
    assert np.mean(stated) == pytest.approx(np.std(errors), rel=0.15)


def test_what_is_left_out_is_counted():
    rate, viscosity, weights = RATE.copy(), 2 * ONES, ONES.copy()
    rate[:10] = np.nan
    viscosity[10:15] = np.nan
    weights[15:17] = 0
    rate[17:20] = 1e-9
    viscosity[20:27] = -1
    curve = flow_curve(rate, viscosity, weights)
    assert curve.excluded == {"invalid": 17, "one_sided": 0, "negligible_rate": 3, "nonpositive_viscosity": 7}
    assert curve.count.sum() == 3000 - 27
    np.testing.assert_allclose(curve.viscosity, 2, rtol=1e-12)


def test_a_few_odd_cells_do_not_make_a_bin():
    rate = np.concatenate([RATE, [1e5, 1e5, 2e5]])
    viscosity = np.concatenate([2 * ONES, [50.0] * 3])
    curve = flow_curve(rate, viscosity, np.ones(3003))
    assert curve.count.min() >= 5
    np.testing.assert_allclose(curve.viscosity, 2, rtol=1e-12)


@pytest.mark.parametrize("rate", [np.zeros(5), np.full(5, np.nan), np.empty(0)])
def test_nothing_that_moves_gives_no_bins(rate):
    assert len(flow_curve(rate, np.ones(len(rate)), np.ones(len(rate)))) == 0


def test_equal_rates_are_one_bin():
    assert len(flow_curve(np.full(50, 3.0), np.arange(1.0, 51.0), np.ones(50))) == 1


@pytest.mark.parametrize("noise", ["gradient", "stress"])
def test_noise_in_one_variable_shows_no_trend_of_a_newtonian_fluid(noise):
    """The curve in bins of the noisy variable is bent at its ends; both curves together are not."""
    rng = np.random.default_rng(8)
    true = rng.uniform(1.0, 2.0, 20000)
    factor = np.exp(0.15 * rng.standard_normal(20000))
    rate, stress = (true * factor, true) if noise == "gradient" else (true, true * factor)
    by_rate = flow_curve(rate, stress / rate, np.ones(20000))
    by_stress = flow_curve(rate, stress / rate, np.ones(20000), stress)
    alone = trend([by_rate if noise == "gradient" else by_stress])
    together = trend([by_rate, by_stress])
    assert max(alone.fall.size, alone.rise.size) > 0.2
    assert max(together.fall.size, together.rise.size) < 0.02
    assert together.at_most < 0.03


@pytest.mark.parametrize("seed", range(3))
def test_the_median_of_two_fluids_is_not_known_better_than_their_difference(seed):
    viscosity = np.where(np.random.default_rng(seed).random(3000) < 0.5, 0.1, 0.2)
    curve = flow_curve(RATE, viscosity, ONES)
    seen = trend([curve])
    assert np.ptp(np.log(curve.viscosity)) > 0.5
    assert seen.fall.size == seen.rise.size == 0
    assert seen.at_least == 0
    assert seen.at_most > np.log(2) / 5


def test_a_bin_needs_a_key_that_is_positive_and_finite():
    key = RATE.copy()
    key[:3] = 0.0, np.inf, np.nan
    curve = flow_curve(RATE, ONES, ONES, key)
    assert curve.count.sum() == 2997


def test_one_sided_gradients_are_left_out_and_counted():
    wrong = RATE > 50
    curve = flow_curve(RATE, np.where(wrong, 5.0, 2.0), ONES, one_sided=wrong)
    np.testing.assert_allclose(curve.viscosity, 2, rtol=1e-12)
    assert curve.excluded["one_sided"] == wrong.sum()
    assert curve.excluded["invalid"] == 0


def test_a_body_that_turns_is_at_rest():
    noise = 5e-6 * np.ones(4)
    assert at_shear(noise).all()
    assert not at_shear(noise, np.full(4, 2.0)).any()
    assert at_shear(np.array([1e-7, 1e-5, 1.0]), np.full(3, 2.0)).tolist() == [False, True, True]
