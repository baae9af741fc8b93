"""Intervals of quantities of noisy gradients: against closed forms, and how often they hold in many draws."""

import numpy as np
import pytest
from scipy.stats import chi2, ncx2

from flowgrad import QUANTITIES, Flow, Lattice, OptionError, VelocityGradient, velocity_gradient
from flowgrad.kinematics.intervals import _matrix
from flowgrad.kinematics.quadratic_forms import ENDS, interval_of_form

DRAWS = 6000
IN_PLANE = [0, 1, 3, 4]
PLANE, SPACE = np.diag([1.0, 1, 0, 1, 1, 0, 0, 0, 0]), np.eye(9)
ROTATION, SHEAR = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 0]]), np.array([[0.0, 1, 0], [0, 0, 0], [0, 0, 0]])
SADDLE = np.diag([1.0, -1, 0])


def drawn(mean, covariance, seed=0, draws=DRAWS):
    """Gradients about a mean (3, 3) with the covariance (9, 9), whose factor is its root."""
    values, vectors = np.linalg.eigh(covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    noise = np.random.default_rng(seed).normal(size=(draws, 9)) @ root
    C = np.broadcast_to(covariance.reshape(3, 3, 3, 3), (draws, 3, 3, 3, 3))
    return VelocityGradient(mean + noise.reshape(-1, 3, 3) * (np.diagonal(covariance).reshape(3, 3) > 0), covariance=C)


def held(gradient, mean, name):
    low, high = gradient.interval(name)
    truth = VelocityGradient(mean[None])[name]
    return np.mean((low <= truth + 1e-12) & (truth <= high + 1e-12))


@pytest.mark.parametrize("noise", [PLANE, SPACE], ids=["plane", "space"])
@pytest.mark.parametrize("name", ["shear_rate", "q_criterion", "enstrophy", "second_invariant_of_D"])
@pytest.mark.parametrize("mean", [0 * SHEAR, ROTATION, SHEAR, SADDLE], ids=["rest", "rotation", "shear", "saddle"])
def test_intervals_hold_from_rest_to_where_the_noise_is_small(noise, name, mean):
    for size in (1.0, 3.0, 10.0) if mean.any() else (1.0,):
        assert 0.915 < held(drawn(size * mean, noise), size * mean, name) < 0.98, size


@pytest.mark.parametrize("noise", [PLANE, SPACE], ids=["plane", "space"])
def test_swirl_is_neither_seen_nor_missed_too_often(noise):
    for size in (1.0, 3.0, 10.0):
        assert 0.91 < held(drawn(size * ROTATION, noise), size * ROTATION, "swirling_strength") < 0.98, size
    # Nothing swirls: the interval may end at 0 always, and does where the strain is larger than the noise.
    assert held(drawn(10 * SADDLE, noise), 10 * SADDLE, "swirling_strength") > 0.99
    assert not drawn(10 * SADDLE, noise).interval("swirling_strength")[0].any()
    assert held(drawn(0 * SADDLE, noise), 0 * SADDLE, "swirling_strength") > 0.95


def test_intervals_hold_for_noise_that_differs_by_component_and_is_joined():
    factor = np.diag([1.0, 0.5, 0.4, 0.8]) + 0.2 * np.random.default_rng(5).normal(size=(4, 4))
    noise = np.zeros((9, 9))
    noise[np.ix_(IN_PLANE, IN_PLANE)] = factor @ factor.T
    for name in ("shear_rate", "q_criterion", "enstrophy"):
        for size in (1.0, 4.0):
            for mean in (ROTATION, SHEAR, SADDLE):
                assert 0.9 < held(drawn(size * mean, noise), size * mean, name) < 0.98, (name, size)


def test_first_order_does_not_hold_there():
    """What the intervals are for: shear rates of a fluid at rest, which all are positive."""
    gradient = drawn(0 * SHEAR, SPACE)
    slope = 2 * gradient.D / gradient["shear_rate"][:, None, None]
    first = np.sqrt((slope**2).sum(axis=(1, 2)))
    assert np.mean(gradient["shear_rate"] < 1.96 * first) < 0.6
    assert np.median(gradient.interval("shear_rate")[0]) == 0


@pytest.mark.parametrize("count", [2, 3, 6])
def test_ends_are_those_of_the_noncentral_chi_squared_distribution(count):
    """Far from 0 each end leaves out 2.5 %; at 0 all that lies below is kept and 5 % above are left out."""
    C, A = np.broadcast_to(4.0 * np.eye(count), (1, count, count)), np.eye(count)
    x = np.zeros((1, count))
    x[0, 0] = 12.0
    (low,), (high,) = interval_of_form(A, x, C)
    # Abdel-Aty's approximation of this distribution is good to half a percent.
    assert ncx2.cdf(36.0, count, low / 4) == pytest.approx(0.975, abs=5e-3)
    assert ncx2.cdf(36.0, count, high / 4) == pytest.approx(0.025, abs=5e-3)
    limit = 2 * np.sqrt(chi2.ppf(0.95, count))
    for factor, is_zero in ((0.97, True), (1.03, False)):
        x[0, 0] = factor * limit
        assert (interval_of_form(A, x, C)[0][0] == 0) == is_zero


@pytest.mark.parametrize("noise", [PLANE, SPACE], ids=["plane", "space"])
def test_deviations_at_rest_are_those_of_many_draws(noise):
    """The speed of noise has a deviation too (Rayleigh's in two components), and so have all squares."""
    gradient = drawn(0 * SHEAR, noise)
    for name in ("shear_rate", "q_criterion", "enstrophy"):
        typical = np.sqrt(np.mean(gradient.std(name) ** 2))
        assert np.std(gradient[name]) == pytest.approx(typical, rel=0.25 if name == "shear_rate" else 0.6), name


def test_the_interval_at_rest_is_that_of_rayleighs_distribution():
    """|v| of noise in two components: 0 is left out where the speed is beyond 2.448 σ, in 5 %."""
    speeds = np.linspace(0, 3, 301)
    x = np.column_stack([speeds, 0 * speeds])
    low, high = interval_of_form(np.eye(2), x, np.broadcast_to(np.eye(2), (301, 2, 2)))
    assert speeds[low > 0][0] == pytest.approx(2.448, abs=0.03)
    assert (np.diff(low) >= 0).all()
    assert (np.diff(high) > 0).all()
    assert (high > low).all()


@pytest.mark.parametrize("name", [name for name in QUANTITIES if QUANTITIES[name].form in ("quadratic", "root")])
def test_the_matrix_of_a_form_gives_its_values(name):
    L = np.random.default_rng(1).normal(size=(20, 3, 3))
    x = L.reshape(-1, 9)
    form = ((x @ _matrix(name)) * x).sum(axis=1)
    value = VelocityGradient(L).supply(viscosity=1.0)[name]
    np.testing.assert_allclose(form, value**2 if QUANTITIES[name].form == "root" else value, rtol=1e-12, atol=1e-12)


def test_ends_are_two_deviations_apart_from_the_value_where_noise_is_small():
    L = np.random.default_rng(2).normal(size=(50, 3, 3))
    gradient = VelocityGradient(L, covariance=np.broadcast_to(1e-8 * np.eye(3), (50, 3, 3))).supply(viscosity=2.0)
    for name in ("vorticity", "shear_rate", "q_criterion", "lambda2", "principal_rates", "dissipation"):
        low, high = gradient.interval(name)
        np.testing.assert_allclose(0.5 * (low + high), gradient[name], rtol=2e-4, atol=1e-6)
        np.testing.assert_allclose(high - low, 2 * ENDS * gradient.std(name), rtol=2e-3, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_ends_scale_and_turn_with_the_flow(scale):
    gradient, power = drawn(SHEAR, SPACE, draws=50), {"1/T": 1, "1/T²": 2}
    Q = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    turned = VelocityGradient(scale * Q @ gradient.L @ Q.T, covariance=scale**2 * gradient.covariance)
    for name in ("shear_rate", "q_criterion"):
        for one, two in zip(gradient.interval(name), turned.interval(name), strict=True):
            np.testing.assert_allclose(
                two, scale ** power[QUANTITIES[name].dimension] * one, rtol=1e-6, atol=1e-7 * np.abs(two).max()
            )


def test_places_do_not_change_each_other_and_missing_ones_stay_missing():
    gradient = drawn(SHEAR, PLANE, draws=300)
    L, C = gradient.L.copy(), gradient.covariance.copy()
    L[3], C[7, 0, 1, 0, 1] = np.nan, np.nan
    for name in ("shear_rate", "q_criterion", "swirling_strength", "lambda2"):
        low, high = VelocityGradient(L, covariance=C).interval(name)
        assert np.isnan(low[[3, 7]]).all()
        assert np.isnan(high[[3, 7]]).all()
        np.testing.assert_array_equal(low[10:], gradient.interval(name)[0][10:])


def test_components_without_noise_are_exact():
    """A known spin under an unknown strain: the vorticity has no error, the shear rate has one."""
    noise = np.zeros((9, 9))
    noise[0, 0] = noise[4, 4] = 1.0
    gradient = drawn(3 * ROTATION, noise)
    low, high = gradient.interval("enstrophy")
    np.testing.assert_allclose(low, 18.0)
    np.testing.assert_allclose(high, 18.0)
    assert 0.9 < held(gradient, 3 * ROTATION, "shear_rate") < 0.98


def test_intervals_of_differences_of_a_uniform_flow_hold():
    x = np.linspace(0, 1, 60)
    lattice = Lattice.rectilinear(x, x)
    velocity = 0.05 * np.random.default_rng(4).normal(size=(3600, 3)) * [1, 1, 0] + [1, 0, 0]
    gradient = velocity_gradient(Flow(lattice, velocity, "points", noise=0.05), "finite-difference(order=2)")
    for name in ("shear_rate", "q_criterion", "swirling_strength"):
        low, high = gradient.interval(name)
        assert 0.93 < np.mean((low <= 0) & (high >= 0)) < 0.99, name


def test_what_has_no_interval_is_refused_with_the_reason():
    with pytest.raises(OptionError, match="--noise"):
        VelocityGradient(SHEAR[None]).interval("shear_rate")
    with pytest.raises(OptionError, match="did you mean 'shear_rate'"):
        drawn(SHEAR, PLANE, draws=3).interval("shear_rat")
