import numpy as np
import pytest

from flowgrad import OptionError
from flowgrad.rheology import MODELS, fit_models
from flowgrad.rheology.models import (
    Bingham,
    Carreau,
    CarreauYasuda,
    Casson,
    Cross,
    DeKee,
    Ellis,
    HeinzCasson,
    HerschelBulkley,
    Meter,
    Newtonian,
    PapanastasiouBingham,
    PapanastasiouHerschelBulkley,
    PowellEyring,
    PowerLaw,
    Quemada,
    Sisko,
    ThreeComponent,
)

RATE = np.geomspace(1e-2, 1e3, 25)
LAWS = [
    Newtonian(0.1),
    PowerLaw(0.1, 0.5),
    PowerLaw(2.0, 1.4),
    Cross(0.01, 10.0, 0.4, 3.0),
    Cross(10.0, 0.01, 1.0, 0.8),
    Carreau(0.056, 0.00345, 3.313, 0.3568),
    CarreauYasuda(10.0, 0.1, 1.0, 0.3, 0.8),
    Bingham(1.0, 2.0),
    HerschelBulkley(3.0, 2.5, 0.5),
    Sisko(0.1, 2.0, 0.4),
    PowellEyring(5.0, 0.1, 2.0),
    Quemada(5.0, 0.1, 0.3),
    Ellis(2.0, 3.0, 2.5),
    Casson(3.0, 0.1),
    ThreeComponent(3.0, 0.1, 1.3),
    PapanastasiouBingham(3.0, 0.2, 20.0),
    PapanastasiouHerschelBulkley(3.0, 2.0, 0.5, 20.0),
    HeinzCasson(3.0, 0.2, 0.7),
    DeKee(3.0, 1.0, 0.1, 0.3),
    Meter(5.0, 0.1, 3.0, 2.5),
]


def noisy(law, noise=0.02, seed=1, rate=RATE):
    return law.stress(rate) * np.exp(noise * np.random.default_rng(seed).standard_normal(len(rate)))


def own(fits, law):
    return next(fit for fit in fits if type(fit.model) is type(law))


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_each_law_is_recovered_exactly_from_its_own_curve(law):
    fits = fit_models(RATE, law.stress(RATE))
    fit = own(fits, law)
    assert fit.misfit < 1e-6
    assert fit.model.parameters == pytest.approx(law.parameters, rel=1e-4)
    assert not fit.undetermined
    assert fits[0] is fit


# Not the Newtonian one: AICc takes one in five of its samples for something else, which is why the
# verdict does not rest on the ranking (test_verdict).
@pytest.mark.parametrize("law", LAWS[1:], ids=str)
def test_each_law_ranks_first_or_nearly_with_noise(law):
    fits = fit_models(RATE, noisy(law))
    fit = own(fits, law)
    assert fit.aicc - fits[0].aicc < 2
    assert fit.misfit == pytest.approx(0.02, rel=0.5)
    for key, value in law.parameters.items():
        if key not in fit.undetermined:
            assert np.log(fit.model.parameters[key] / value) == pytest.approx(0, abs=0.35)


@pytest.mark.parametrize(
    "law", [PowerLaw(0.1, 0.5), Carreau(1.0, 0.01, 1.0, 0.4), HerschelBulkley(3.0, 2.5, 0.5)], ids=str
)
def test_intervals_cover_the_truth_at_their_level(law):
    """40 seeds: with a coverage of 95 % fewer than 32 of 40 have a probability of 1e-4."""
    covered = np.zeros(len(law.parameters))
    for seed in range(40):
        (fit,) = fit_models(RATE, noisy(law, seed=seed), models=[law.name])
        covered += [low <= law.parameters[key] <= high for key, (low, high) in fit.intervals.items()]
    assert (covered >= 32).all()
    assert not (covered == 40).all()


def test_weights_are_probabilities_in_the_order_of_the_criterion():
    fits = fit_models(RATE, noisy(LAWS[5]))
    weights = [fit.weight for fit in fits]
    assert sum(weights) == pytest.approx(1)
    assert weights == sorted(weights, reverse=True)
    assert np.log(weights[0] / weights[1]) == pytest.approx((fits[1].aicc - fits[0].aicc) / 2)


def test_the_criterion_in_closed_form():
    """n log σ² + 2k + 2k(k + 1)/(n − k − 1), the scatter counted among the k."""
    (fit,) = fit_models(RATE[:8], noisy(PowerLaw(1.0, 0.5), rate=RATE[:8]), models=["power-law"])
    assert fit.aicc == pytest.approx(8 * np.log(fit.misfit**2) + 6 + 24 / 4)
    assert fit.chi2 == pytest.approx(8 * fit.misfit**2)


def test_a_plateau_that_was_not_reached_is_not_named():
    law = Carreau(1.0, 1e-9, 1.0, 0.4)
    rate = np.geomspace(30, 3000, 20)
    (fit,) = fit_models(rate, noisy(law, rate=rate), models=["carreau"])
    assert {"eta0", "lam", "eta_inf"} <= set(fit.undetermined)
    assert "eta0" not in fit.intervals
    assert "eta0" not in fit.parameters
    assert "eta0=?" in str(fit)
    assert fit.intervals["n"][0] < 0.4 < fit.intervals["n"][1]


def test_a_yield_stress_that_is_not_there_is_not_named():
    (fit,) = fit_models(RATE, noisy(PowerLaw(0.1, 0.5)), models=["herschel-bulkley"])
    assert fit.undetermined == ("tau0",)


def test_scale_of_rate_and_stress_changes_nothing():
    law = HerschelBulkley(3.0, 2.5, 0.5)
    stress = noisy(law)
    plain = fit_models(RATE, stress)
    scaled = fit_models(1e6 * RATE, 1e-6 * stress)
    assert [fit.model.name for fit in plain] == [fit.model.name for fit in scaled]
    assert own(scaled, law).model.tau0 == pytest.approx(1e-6 * own(plain, law).model.tau0, rel=1e-4)
    assert own(scaled, law).model.n == pytest.approx(own(plain, law).model.n, rel=1e-4)
    assert own(scaled, law).chi2 == pytest.approx(own(plain, law).chi2, rel=1e-6)


def test_sigma_makes_bad_points_count_little():
    stress = Newtonian(2.0).stress(RATE)
    stress[-5:] *= 3
    sigma = np.where(np.arange(25) < 20, 0.01, 10.0) * stress
    (plain,) = fit_models(RATE, stress, models=["newtonian"])
    (weighted,) = fit_models(RATE, stress, sigma, models=["newtonian"])
    assert plain.model.eta > 2.3
    assert weighted.model.eta == pytest.approx(2.0, rel=1e-3)


def test_relative_residuals_are_weighted_least_squares():
    """For a law linear in its parameters (Bingham) they are solved by the normal equations."""
    stress = noisy(Bingham(1.0, 2.0), noise=0.1)
    basis = np.stack([1 / stress, RATE / stress], axis=1)
    expected, squares, *_ = np.linalg.lstsq(basis, np.ones(len(RATE)), rcond=None)
    (fit,) = fit_models(RATE, stress, models=[Bingham], residual="relative")
    np.testing.assert_allclose([fit.model.tau0, fit.model.eta], expected, rtol=1e-5)
    assert fit.chi2 == pytest.approx(squares[0], rel=1e-6)


@pytest.mark.parametrize(("count", "most"), [(4, 2), (5, 3), (6, 4), (7, 4), (8, 5)])
def test_laws_with_too_many_parameters_for_the_points_are_left_out(count, most):
    """Hurvich and Tsai's correction has n − k − 1 below it; the scatter is not counted where so few points are left."""
    rate = np.geomspace(0.01, 1000, count)
    fits = fit_models(rate, PowerLaw(1.0, 0.5).stress(rate))
    assert {fit.model.name for fit in fits} == {
        name for name, kind in MODELS.items() if len(kind.free()) <= most and kind.ranked
    }


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rate": RATE[:3], "stress": RATE[:3]}, "3 points"),
        ({"stress": -RATE}, "25 of 25 stresses are not positive"),
        ({"rate": np.where(RATE > 100, np.nan, RATE)}, "5 of 25 shear rates are not positive and finite"),
        ({"stress": RATE[:7]}, "one length"),
        ({"models": ["bingam"]}, "did you mean 'bingham'"),
        ({"residual": "absolute"}, "choose one of log, relative"),
        ({"sigma": 0 * RATE}, "25 of 25 sigma"),
    ],
)
def test_what_cannot_be_fitted_is_refused(change, message):
    with pytest.raises(OptionError, match=message):
        fit_models(**{"rate": RATE, "stress": RATE, **change})
