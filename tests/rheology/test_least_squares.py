import numpy as np
import pytest
from scipy.optimize import least_squares

from flowgrad.rheology import MODELS
from flowgrad.rheology.fit import checked, fitted
from flowgrad.rheology.form import Form
from flowgrad.rheology.least_squares import descents
from flowgrad.rheology.model import parse_model

from .test_models import LAWS

RATE = np.geomspace(1e-2, 1e3, 25)
# Each law's own data, and those of a law that imitates it or that it cannot follow.
FOREIGN = {
    "newtonian": "cross(eta0=0.01, eta_inf=10, lam=0.4, n=3)",
    "power-law": "herschel-bulkley(tau0=3, K=2, n=0.5)",
    "cross": "bingham(tau0=3, eta=0.2)",
    "carreau": "powell-eyring(eta0=5, eta_inf=0.1, lam=2)",
    "carreau-yasuda": "ellis(eta0=2, tau_half=3, alpha=2.5)",
    "bingham": "three-component(tau0=3, eta_bg=0.1, rate_c=1.3)",
    "herschel-bulkley": "newtonian(eta=0.1)",
    "sisko": "bingham(tau0=3, eta=0.2)",
    "powell-eyring": "power-law(K=2, n=0.4)",
    "quemada": "herschel-bulkley(tau0=3, K=2, n=0.5)",
    "ellis": "newtonian(eta=0.1)",
    "meter": "carreau-yasuda(eta0=10, eta_inf=0.05, lam=2, n=0.3, a=1.2)",
    "heinz-casson": "sisko(eta_inf=0.1, K=2, n=0.4)",
    "robertson-stiff": "herschel-bulkley(tau0=3, K=2, n=0.5)",
    "vocadlo": "casson(tau0=3, eta=0.1)",
    "de-kee": "casson(tau0=3, eta=0.1)",
    "casson": "carreau(eta0=10, eta_inf=0.05, lam=2, n=0.35)",
    "three-component": "casson(tau0=3, eta=0.1)",
    "papanastasiou-bingham": "cross(eta0=10, eta_inf=0.05, lam=2, n=0.8)",
    "papanastasiou-herschel-bulkley": "quemada(eta0=5, eta_inf=0.1, lam=0.3)",
}
OWN = {law.name: law for law in LAWS}


def noisy(law, noise=0.02, seed=1):
    return law.stress(RATE) * (1 + noise * np.random.default_rng(seed).standard_normal(len(RATE)))


def problem_of(kind, rate, stress, residual="relative"):
    return checked(rate, stress, None, residual, 1e-4, False).problem(Form(kind))


def evaluated(problem, x):
    """Cost, residuals and their derivatives at parameters (p,)."""
    cost, residuals, jacobian = descents(problem, np.array([x], float), 1, np.inf)
    return cost[0], residuals if np.isfinite(cost[0]) else np.full(len(residuals), np.inf), jacobian


def best_of_scipy(problem, starts, seed=0):
    """The least cost that scipy reaches from random parameters within the bounds."""
    rng = np.random.default_rng(seed)

    def part(which):
        return lambda x: np.nan_to_num(evaluated(problem, x)[which].T, nan=1e100, posinf=1e100, neginf=-1e100)

    found, bounds = np.inf, (problem.lower, problem.upper)
    with np.errstate(all="ignore"):
        for _ in range(starts):
            start = rng.uniform(*bounds)
            end = least_squares(part(1), start, part(2), bounds, xtol=1e-12, ftol=1e-12, max_nfev=100)
            found = min(found, end.cost)
    return found


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("of", ["own", "foreign"])
def test_no_random_start_of_scipy_finds_a_better_fit(name, of):
    """Six starts of the fifty, for time; the bounds and the guard are the same, or scipy would see other laws."""
    law = OWN[name] if of == "own" else parse_model(FOREIGN[name])
    data, form = checked(RATE, noisy(law), None, "relative", 1e-4, False), Form(MODELS[name])
    optimum = fitted(form, data).optimum
    assert optimum.cost <= best_of_scipy(data.problem(form), 6) * (1 + 1e-6)


def test_the_guard_has_a_slope_and_no_step():
    """De Kee's law across the η∞ = η1/e² below which its stress would fall."""
    x = np.log([3.0, 1.0, 1.0, 1.0]) + np.outer(np.linspace(-2.005, -1.995, 20001), [0, 0, 0, 1])
    problem = problem_of(MODELS["de-kee"], RATE, noisy(OWN["de-kee"]))
    found = [evaluated(problem, each)[1:] for each in x]
    guard, slope = np.array([[r[-1], J[-1, -1]] for r, J in found]).T
    assert guard[0] > 0 == guard[-1]
    np.testing.assert_allclose(np.gradient(guard, x[:, -1], edge_order=2), slope, atol=1e-2 * np.abs(slope).max())


def test_many_searches_are_those_one_by_one():
    problem = problem_of(MODELS["carreau"], RATE, noisy(OWN["carreau"]))
    starts = np.log([[5.0, 0.01, 2.0, 0.5], [1.0, 0.1, 30.0, 0.2], [0.1, 0.1, 1.0, 0.9]])
    together, alone = starts.copy(), starts.copy()
    descents(problem, together, 50)
    for k in range(3):
        descents(problem, alone[k : k + 1], 50)
    np.testing.assert_array_equal(together, alone)


def test_bounds_and_held_parameters_stay():
    """log τ of a power law is linear in log K and n."""
    x, stress = np.log(RATE), noisy(OWN["power-law"])
    problem = problem_of(MODELS["power-law"], RATE, stress, "log")
    held = np.log([[3.0, 0.5]])
    descents(problem, held, 50, held=0)
    np.testing.assert_allclose(np.exp(held[0]), [3.0, np.sum(x * (np.log(stress) - np.log(3.0))) / np.sum(x * x)])
    bounded = np.log([[1.0, 0.2]])
    descents(problem._replace(upper=np.log([1e9, 0.3])), bounded, 50)
    np.testing.assert_allclose(np.exp(bounded[0]), [np.exp(np.mean(np.log(stress) - 0.3 * x)), 0.3])


def test_a_linear_problem_takes_its_least_squares_solution():
    stress = noisy(OWN["power-law"])
    found = np.log([[1.0, 0.9]])
    descents(problem_of(MODELS["power-law"], RATE, stress, "log"), found, 60)
    n, log_K = np.polyfit(np.log(RATE), np.log(stress), 1)
    np.testing.assert_allclose(found[0], [log_K, np.log(n)], rtol=1e-9)


def test_impossible_starts_are_left_alone():
    problem = problem_of(MODELS["newtonian"], RATE, RATE)
    assert descents(problem, np.array([[800.0], [0.0]]), 5)[0].tolist() == [np.inf, 0.0]


@pytest.mark.parametrize("residual", ["relative", "log"])
@pytest.mark.parametrize("law", LAWS, ids=str)
def test_derivatives_by_the_logarithms_of_the_parameters(law, residual):
    """The tape's, beside those that dual numbers give of the law."""
    values = np.array(list(law.parameters.values()))
    problem = problem_of(type(law), RATE, law.stress(RATE), residual)
    _, residuals, jacobian = evaluated(problem, np.log(values))
    np.testing.assert_allclose(residuals, 0, atol=1e-12)
    sensitivity = law.stress_sensitivity(RATE)
    for slope, (key, value) in zip(jacobian, law.parameters.items(), strict=True):
        np.testing.assert_allclose(slope[:-1], sensitivity[key] * value / law.stress(RATE), rtol=1e-8, atol=1e-13)
