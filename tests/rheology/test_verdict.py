import numpy as np
import pytest

from flowgrad import OptionError, VelocityGradient, Verdict, separate
from flowgrad.rheology.models import Carreau, Cross, HerschelBulkley, PowerLaw


def generic(count, decades, seed=0):
    """Deformations of every kind, their shear rates spread evenly over decades from 1."""
    rng = np.random.default_rng(seed)
    L = rng.standard_normal((count, 3, 3))
    L -= np.trace(L, axis1=1, axis2=2)[:, None, None] / 3 * np.eye(3)
    rate = VelocityGradient(L)["shear_rate"]
    return VelocityGradient(L * (10 ** rng.uniform(0, decades, count) / rate)[:, None, None])


def noise(count, size, seed=1):
    return np.exp(size * np.random.default_rng(seed).standard_normal(count))


def verdict(viscosity, count=2000, scatter=0.0, decades=2.0):
    gradient = generic(count, decades)
    eta = viscosity(gradient["shear_rate"]) * noise(count, scatter)
    return separate(gradient, viscosity=eta).verdict


@pytest.mark.parametrize(
    ("viscosity", "expected"),
    [
        (lambda rate: 0.1 + 0 * rate, Verdict.NEWTONIAN),
        (PowerLaw(1.0, 0.7).viscosity, Verdict.SHEAR_THINNING),
        (Carreau(1.0, 0.1, 0.1, 0.4).viscosity, Verdict.SHEAR_THINNING),
        (PowerLaw(1.0, 1.3).viscosity, Verdict.SHEAR_THICKENING),
        (Cross(0.01, 10.0, 0.4, 3.0).viscosity, Verdict.SHEAR_THICKENING),
        (lambda rate: 10 ** (0.5 * (np.log10(rate) - 1) ** 2), Verdict.MIXED),
        (lambda rate: 10 ** (-0.5 * (np.log10(rate) - 1) ** 2), Verdict.MIXED),
    ],
)
@pytest.mark.parametrize("scatter", [0.0, 0.05])
def test_viscosity_fields(viscosity, expected, scatter):
    assert verdict(viscosity, scatter=scatter) is expected


@pytest.mark.parametrize("scatter", [0.0, 0.05])
def test_a_yield_stress_needs_rates_low_enough_to_show_it(scatter):
    law = HerschelBulkley(3.0, 2.0, 0.5)
    assert verdict(law.viscosity, scatter=scatter, decades=3.0) is Verdict.YIELD_STRESS
    late = HerschelBulkley(1.0, 2.0, 0.5)
    assert verdict(late.viscosity, scatter=scatter, decades=3.0) is Verdict.SHEAR_THINNING


def test_a_small_drift_in_large_noise_is_no_discovery():
    """1 % over two decades in 30 % of noise: with many cells Newtonian, with few not decided."""

    def drifting(rate):
        return rate ** (np.log(0.99) / np.log(100))

    assert verdict(drifting, count=40000, scatter=0.3) is Verdict.NEWTONIAN
    assert verdict(drifting, count=300, scatter=0.3) is Verdict.NOT_DECIDED


@pytest.mark.parametrize("seed", range(10))
def test_noise_alone_is_never_a_law(seed):
    gradient = generic(400, 2.0, seed)
    separation = separate(gradient, viscosity=0.1 * noise(400, 0.3, seed))
    assert separation.verdict in (Verdict.NEWTONIAN, Verdict.NOT_DECIDED)


@pytest.mark.parametrize("seed", range(10))
def test_an_error_of_the_gradient_is_never_a_law(seed):
    exact = generic(400, 2.0, seed)
    factor = 1 + 0.1 * np.random.default_rng(seed).standard_normal((400, 3, 3))
    separation = separate(VelocityGradient(exact.L * factor), stress=0.2 * exact.D)
    assert separation.verdict in (Verdict.NEWTONIAN, Verdict.NOT_DECIDED)


def test_a_gradient_too_small_at_the_walls_is_not_thinning():
    """Where the rate is highest L is 15 % off, one way: as cells at walls are without wall values."""
    exact = generic(2000, 2.0)
    factor = np.where(exact["shear_rate"] > 50, 1.15, 1.0)[:, None, None]
    assert separate(VelocityGradient(factor * exact.L), stress=0.2 * exact.D).verdict is Verdict.NOT_DECIDED


def test_the_margin_is_five_percent_of_the_mean():
    def falling(total):
        return lambda rate: rate ** (np.log(total) / np.log(100))

    assert verdict(falling(0.92)) is Verdict.NEWTONIAN
    assert verdict(falling(0.88)) is Verdict.SHEAR_THINNING


def test_too_small_a_range_decides_nothing():
    gradient = generic(2000, np.log10(1.9))
    separation = separate(gradient, viscosity=PowerLaw(1.0, 0.5).viscosity(gradient["shear_rate"]))
    assert separation.verdict is Verdict.NOT_DECIDED
    assert "factor of 2" in separation.sentence


def test_a_constant_is_newtonian_whatever_the_range():
    shear = np.zeros((5, 3, 3))
    shear[:, 0, 1] = 1.0
    for L in (shear, 0 * shear):
        separation = separate(VelocityGradient(L), viscosity=0.1)
        assert (separation.verdict, separation.origin) == (Verdict.NEWTONIAN, "given")
        assert "given as the constant 0.1" in separation.sentence


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("power-law(K=1, n=0.5)", Verdict.SHEAR_THINNING),
        ("power-law(K=1, n=1.5)", Verdict.SHEAR_THICKENING),
        ("cross(eta0=0.01, eta_inf=10, lam=0.4, n=3)", Verdict.SHEAR_THICKENING),
        ("bingham(tau0=1, eta=1)", Verdict.YIELD_STRESS),
        ("carreau(eta0=1, eta_inf=0.1, lam=1e-5, n=0.4)", Verdict.NEWTONIAN),
    ],
)
@pytest.mark.parametrize("decades", [0.01, 2.0])
def test_given_laws_are_judged_at_the_rates_of_the_flow(text, expected, decades):
    separation = separate(generic(200, decades), viscosity=text)
    assert (separation.verdict, separation.origin) == (expected, "given")
    assert separation.fit.model.name == text.split("(")[0]
    assert "given as" in separation.sentence
    assert "not found" in separation.sentence


@pytest.mark.parametrize("elastic", [0.0, 1.0])
def test_normal_stresses_make_the_difference(elastic):
    rate = np.geomspace(0.1, 10, 200)
    L = np.zeros((200, 3, 3))
    L[:, 0, 1] = rate
    stress = np.zeros((200, 6))
    stress[:, 3] = rate
    stress[:, 0] = elastic * 2 * rate**2
    separation = separate(VelocityGradient(L), stress=stress)
    assert separation.verdict is (Verdict.VISCOELASTIC if elastic else Verdict.NEWTONIAN)


def test_pressure_in_the_stress_is_not_elasticity():
    gradient = generic(500, 2.0)
    pressure = np.random.default_rng(3).standard_normal(500)[:, None, None] * np.eye(3)
    assert separate(gradient, stress=0.2 * gradient.D - 10 * pressure).verdict is Verdict.NEWTONIAN


@pytest.mark.parametrize("stress", [np.zeros((50, 6)), np.full((50, 6), np.nan)])
def test_a_stress_that_says_nothing_decides_nothing(stress):
    separation = separate(generic(50, 2.0), stress=stress)
    assert separation.verdict is Verdict.NOT_DECIDED
    assert separation.sentence.startswith("Not decided: no cell has")
    assert separation.fit is None


def test_the_law_that_is_named_agrees_with_the_verdict():
    gradient = generic(3000, 2.0)
    newtonian = separate(gradient, viscosity=0.1 * noise(3000, 0.1))
    assert newtonian.fit.model.name == "newtonian"
    assert newtonian.fit.model.eta == pytest.approx(0.1, rel=0.01)
    gradient = generic(3000, 3.0)
    yielding = separate(gradient, viscosity=HerschelBulkley(3.0, 2.0, 0.5).viscosity(gradient["shear_rate"]))
    assert yielding.fit.model.yield_stress == pytest.approx(3, rel=0.01)
    assert "tends to 3 " in yielding.sentence


def test_the_evidence_holds_the_numbers_of_the_sentence():
    gradient = generic(3000, 2.0)
    separation = separate(gradient, viscosity=PowerLaw(1.0, 0.5).viscosity(gradient["shear_rate"]))
    evidence = separation.evidence
    assert evidence["flow_index"] == pytest.approx(0.5)
    assert evidence["fall_factor"] == pytest.approx(np.sqrt(evidence["rate_max"] / evidence["rate_min"]), rel=0.1)
    assert f"{evidence['eta_first']:.3g}" in separation.sentence
    assert all(isinstance(value, float) and np.isfinite(value) for value in evidence.values())


def test_scale_changes_no_verdict():
    gradient = generic(2000, 2.0)
    eta = PowerLaw(1.0, 0.7).viscosity(gradient["shear_rate"]) * noise(2000, 0.1)
    for rate, size in ((1e-6, 1e6), (1e6, 1e-6)):
        assert separate(VelocityGradient(rate * gradient.L), viscosity=size * eta).verdict is Verdict.SHEAR_THINNING


def sheared(rate, one_sided=None):
    L = np.zeros((len(rate), 3, 3))
    L[:, 0, 1] = rate
    return VelocityGradient(L, one_sided=one_sided)


def half_channel(share):
    """u = 1 − y² and its exact stress; the gradient is 40 % too small in a share of the cells at y = 0."""
    y = (np.arange(400) + 0.5) / 400
    one_sided = y < share
    exact = sheared(2 * y)
    return sheared(2 * y * np.where(one_sided, 0.6, 1.0), one_sided), 2 * 0.3 * exact.D


def test_one_sided_gradients_make_no_law():
    gradient, stress = half_channel(0.3)
    separation = separate(gradient, stress=stress)
    assert separation.verdict is Verdict.NEWTONIAN
    assert separation.eta_newtonian == pytest.approx(0.3)
    assert separation.evidence["excluded_one_sided"] == 120
    unmarked = separate(VelocityGradient(gradient.L), stress=stress)
    assert unmarked.verdict is not Verdict.NEWTONIAN


def test_one_sided_gradients_stay_where_little_else_is_known():
    gradient, stress = half_channel(0.8)
    assert separate(gradient, stress=stress).evidence["excluded_one_sided"] == 0


def test_an_infinite_stress_hides_no_elasticity():
    rate = np.geomspace(0.1, 10, 200)
    stress = np.zeros((200, 6))
    stress[:, 3], stress[:, 0] = rate, 2 * rate**2
    stress[100, 1] = np.inf
    assert separate(sheared(rate), stress=stress).verdict is Verdict.VISCOELASTIC


@pytest.mark.parametrize("sign", [1, -1])
def test_a_body_that_turns_as_a_whole_shows_nothing(sign):
    """Rounded to float32 its gradient has a shear rate; its sign against a stress means nothing."""
    noise = 5e-6 * np.random.default_rng(4).standard_normal((500, 3, 3))
    gradient = VelocityGradient(noise + np.array([[0, -1.0, 0], [1, 0, 0], [0, 0, 0]]))
    elastic = gradient.W @ gradient.D - gradient.D @ gradient.W
    separation = separate(gradient, stress=sign * 0.2 * gradient.D + 0.2 * elastic)
    assert separation.verdict is Verdict.NOT_DECIDED
    assert "deforms the fluid" in separation.sentence
    assert "eta_newtonian" not in separation.evidence


def test_a_wrong_sign_is_more_than_rounding():
    """Stress across the deformation: Σ V τ:D is −1e-6 of Σ V |τ||D|."""
    gradient = sheared(np.geomspace(1, 10, 50))
    stress = -1e-6 * gradient.D
    stress[:, 0, 0], stress[:, 1, 1] = gradient.D[:, 0, 1], -gradient.D[:, 0, 1]
    assert separate(gradient, stress=stress).verdict is not Verdict.NEWTONIAN
    with pytest.raises(OptionError, match="works against"):
        separate(gradient, stress=stress - 0.1 * gradient.D)


@pytest.mark.parametrize("of", ["viscosity", "stress"])
def test_negative_viscosities_are_told(of):
    gradient = generic(2000, 2.0)
    eta = np.where(np.arange(2000) % 5 < 2, -0.1, 0.3)
    given = {"viscosity": eta} if of == "viscosity" else {"stress": 2 * eta[:, None, None] * gradient.D}
    separation = separate(gradient, **given)
    assert separation.verdict is Verdict.NOT_DECIDED
    assert "not positive" in separation.sentence
    assert f"{100 * separation.evidence['nonpositive']:.3g} %" in separation.sentence


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("size", [1e-200, 1.0, 1e200])
def test_stresses_of_any_size_are_analysed(size):
    rate = np.geomspace(0.1, 10, 200)
    stress = np.zeros((200, 6))
    stress[:, 3] = size * rate
    assert separate(sheared(rate), stress=stress).verdict is Verdict.NEWTONIAN


def test_an_isotropic_stress_in_a_cell_that_dilates_is_no_crash():
    gradient = generic(500, 2.0)
    L = gradient.L.copy()
    L[0] += 0.1 * np.eye(3)
    gradient = VelocityGradient(L)
    stress = 0.2 * gradient.D
    stress[0] = np.eye(3)
    assert separate(gradient, stress=stress).verdict is Verdict.NEWTONIAN


@pytest.mark.parametrize("of", ["viscosity", "stress"])
def test_two_fluids_in_layers_are_told_by_their_places(of):
    """Twice the viscosity at the same shear rates; in an order that tells no place just two values, of no fluid."""
    y = (np.arange(20000) + 0.5) / 20000
    mixed = np.random.default_rng(5).permutation(20000)
    for order in (np.arange(20000), mixed):
        eta = np.where(y < 0.5, 0.1, 0.2)[order]
        gradient = sheared(y[order] / eta)
        given = {"viscosity": eta} if of == "viscosity" else {"stress": 2 * eta[:, None, None] * gradient.D}
        found = separate(gradient, **given)
        if order is mixed:
            assert found.newtonian != "yes"
            continue
        assert (found.newtonian, found.verdict) == ("not known", Verdict.NOT_A_FUNCTION_OF_RATE)
        assert found.evidence["place_factor"] == pytest.approx(2, rel=0.1)
