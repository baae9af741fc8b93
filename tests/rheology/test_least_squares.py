from functools import partial

import numpy as np
import pytest
from scipy.optimize import least_squares

from flowgrad.rheology import MODELS
from flowgrad.rheology.fit import _fit, checked, stress_and_slopes
from flowgrad.rheology.least_squares import evaluated, minimised
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
    "casson": "carreau(eta0=10, eta_inf=0.05, lam=2, n=0.35)",
    "three-component": "casson(tau0=3, eta=0.1)",
    "papanastasiou-bingham": "cross(eta0=10, eta_inf=0.05, lam=2, n=0.8)",
    "papanastasiou-herschel-bulkley": "quemada(eta0=5, eta_inf=0.1, lam=0.3)",
}
OWN = {law.name: law for law in LAWS}


def noisy(law, noise=0.02, seed=1):
    return law.stress(RATE) * (1 + noise * np.random.default_rng(seed).standard_normal(len(RATE)))


def best_of_scipy(residuals, bounds, starts, seed=0):
    """The least cost that scipy reaches from random parameters within the bounds."""
    rng = np.random.default_rng(seed)

    def part(which):
        return lambda x: np.nan_to_num(residuals(x[None])[which][0].T, nan=1e100, posinf=1e100, neginf=-1e100)

    found = np.inf
    with np.errstate(all="ignore"):
        for _ in range(starts):
            start = rng.uniform(*bounds)
            end = least_squares(part(0), start, part(1), bounds, xtol=1e-12, ftol=1e-12, max_nfev=100)
            found = min(found, end.cost)
    return found


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("of", ["own", "foreign"])
def test_no_random_start_of_scipy_finds_a_better_fit(name, of):
    """Six starts of the fifty, for time; the bounds are the same, or scipy would see other laws."""
    law = OWN[name] if of == "own" else parse_model(FOREIGN[name])
    data = checked(RATE, noisy(law), None, "relative", 1e-4, False)
    kind = MODELS[name]
    ours = _fit(kind, data).optimum.cost
    assert ours <= best_of_scipy(partial(data.residuals, kind), data.bounds(kind), 6) * (1 + 1e-6)


def test_many_searches_are_those_one_by_one():
    kind = MODELS["carreau"]
    data = checked(RATE, noisy(OWN["carreau"]), None, "relative", 1e-4, False)
    bounds, residuals = data.bounds(kind), partial(data.residuals, kind)
    starts = np.log([[5.0, 0.01, 2.0, 0.5], [1.0, 0.1, 30.0, 0.2], [0.1, 0.1, 1.0, 0.9]])
    together = minimised(residuals, evaluated(residuals, starts), bounds, 50)
    for k, start in enumerate(starts):
        alone = minimised(residuals, evaluated(residuals, start[None]), bounds, 50)
        np.testing.assert_allclose(together.x[k], alone.x[0], rtol=1e-9)


def test_bounds_and_held_parameters_stay():
    """r = (x − 1, y − 2): bounded by x ≤ 0.5, with y held."""

    def residuals(x):
        return x - [1.0, 2.0], np.broadcast_to(np.eye(2), (len(x), 2, 2))

    bounds = np.array([-5.0, -5.0]), np.array([0.5, 5.0])
    free = minimised(residuals, evaluated(residuals, np.zeros((1, 2))), bounds, 50)
    np.testing.assert_allclose(free.x, [[0.5, 2.0]])
    held = minimised(residuals, evaluated(residuals, np.zeros((1, 2))), bounds, 50, np.array([[False, True]]))
    np.testing.assert_allclose(held.x, [[0.5, 0.0]])


def test_a_linear_problem_takes_its_least_squares_solution():
    rng = np.random.default_rng(4)
    A, b = rng.standard_normal((9, 3)), rng.standard_normal(9)
    wide = np.full(3, -1e3), np.full(3, 1e3)
    found = minimised(lambda x: (x @ A.T - b, np.broadcast_to(A.T, (len(x), 3, 9))), _start(A, b), wide, 60)
    np.testing.assert_allclose(found.x[0], np.linalg.lstsq(A, b, rcond=None)[0], rtol=1e-7)


def _start(A, b):
    return evaluated(lambda x: (x @ A.T - b, np.broadcast_to(A.T, (len(x), 3, 9))), np.zeros((1, 3)))


def test_impossible_starts_are_left_alone():
    found = evaluated(lambda x: (1 / x, (-1 / x**2)[:, None, :]), np.array([[0.0], [1.0]]))
    assert found.cost.tolist() == [np.inf, 0.5]


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_derivatives_by_the_logarithms_of_the_parameters(law):
    logs = np.log(list(law.parameters.values()))
    stress, slopes = stress_and_slopes(type(law), logs[None], RATE)
    np.testing.assert_allclose(stress[0], law.stress(RATE), rtol=1e-13)
    sensitivity = law.stress_sensitivity(RATE)
    for slope, (key, value) in zip(slopes[0], law.parameters.items(), strict=True):
        np.testing.assert_allclose(slope, sensitivity[key] * value, rtol=1e-9, atol=1e-14)
