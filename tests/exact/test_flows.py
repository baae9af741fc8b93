"""Every exact flow: its gradient is the derivative of its velocity, whoever takes it."""

import warnings
from dataclasses import dataclass

import numpy as np
import pytest

from flowgrad import OptionError, VelocityGradient
from flowgrad.autodiff import numpy_backend
from flowgrad.exact import (
    EXACT_FLOWS,
    Axisymmetric,
    Linear,
    PipePoiseuille,
    PlanarWaves,
    PlanePoiseuille,
    Polynomial,
    Vortices,
    Waves,
)

RNG = np.random.default_rng(1)
NAMED = {name: kind() for name, kind in EXACT_FLOWS.items()}
NAMED |= {
    "power law": PipePoiseuille(n=0.4),
    "shear-thickening": PlanePoiseuille(n=1.5),
    "Bingham": PlanePoiseuille(tau0=0.3),
    "Herschel-Bulkley": PipePoiseuille(n=0.5, tau0=0.1, K=0.2),
    "all plug": PlanePoiseuille(tau0=2.0),
}
MADE_UP = {
    "linear": Linear(RNG.normal(size=(3, 3)), np.ones(3)),
    "polynomial": Polynomial.complete(3),
    "waves": Waves(RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3)), RNG.normal(size=4)),
    "axisymmetric": Axisymmetric(np.array([1.0, 2, 2]) / 3, np.array([0.1, 0.2, 0.3]), 1.3),
    "vortices": Vortices(),
    "planar waves": PlanarWaves(),
}
FLOWS = NAMED | MADE_UP
# On axes, walls and poles, at edges of cores, and where there is no fluid.
ON_AXES = [[0, 0, 0], [0, 0, 0.3], [0.5, 0, 0], [0, 0.5, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [0, 0, -1], [0, 2, 0]]
BESIDE = [[0.6, 0.8, 0], [0.6, 0, 0.8], [1e-9, 0, 0], [1e-3, 1e-4, 0], [0.3, 0.4, 0.1], [3, 3, 3], [-0.1, -0.1, 0.1]]
SPECIAL = np.array([*ON_AXES, *BESIDE], float)


def positions(flow, count=300):
    return flow.samples(count) if hasattr(flow, "samples") else RNG.normal(size=(count, 3))


def assert_same(found, L, tolerance=1e-12):
    """To a fraction of |L| at each point; NaN at the same places."""
    np.testing.assert_array_equal(np.isnan(found), np.isnan(L))
    known = ~np.isnan(L).any(axis=(1, 2))
    error = np.linalg.norm((found - L)[known], axis=(1, 2))
    assert (error <= tolerance * np.linalg.norm(L[known], axis=(1, 2))).all()


def times(flow):
    return getattr(flow, "times", (0.0,))


@pytest.mark.parametrize("name", FLOWS)
def test_dual_numbers_give_the_gradient(name):
    flow = FLOWS[name]
    x = np.concatenate([positions(flow), SPECIAL])
    for t in times(flow):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            L, (v, found) = flow.gradient(x, t), numpy_backend.point_jacobians(flow, x, t)
        np.testing.assert_allclose(v, flow(x, t), rtol=1e-14, atol=1e-14)
        assert_same(found, L)


@pytest.mark.parametrize("backend", ["torch", "jax"])
@pytest.mark.parametrize("name", FLOWS)
def test_torch_and_jax_give_the_gradient(name, backend):
    pytest.importorskip(backend)
    module = pytest.importorskip(f"flowgrad.autodiff.{backend}_backend")
    flow = FLOWS[name]
    x = np.concatenate([positions(flow), SPECIAL])
    for t in times(flow):
        v, found = module.point_jacobians(flow, x, t)
        np.testing.assert_allclose(v, flow(x, t), rtol=1e-12, atol=1e-13)
        assert_same(found, flow.gradient(x, t))


@pytest.mark.parametrize("name", ["lamb-oseen", "stokes-sphere", "Herschel-Bulkley", "hill-vortex", "waves"])
def test_reverse_mode_and_the_closed_form_itself_run_on_torch(name):
    torch = pytest.importorskip("torch")
    flow = FLOWS[name]
    x = np.concatenate([positions(flow), SPECIAL])
    reverse = torch.func.vmap(torch.func.jacrev(flow))(torch.tensor(x)).numpy()
    assert_same(reverse, flow.gradient(x))
    assert_same(flow.gradient(torch.tensor(x)).numpy(), flow.gradient(x))
    assert flow(torch.tensor(x, dtype=torch.float32)).dtype == torch.float32


@pytest.mark.parametrize("name", FLOWS)
def test_central_differences_give_the_gradient(name):
    flow, h = FLOWS[name], 1e-5
    x = positions(flow)
    for t in times(flow):
        found = np.stack([(flow(x + h * e, t) - flow(x - h * e, t)) / (2 * h) for e in np.eye(3)], axis=-1)
        # Across a wall there is no fluid; beside the middle of a slit of a thickening fluid v'' has no bound.
        smooth = ~np.isnan(found).any(axis=(1, 2)) & ((name != "shear-thickening") | (np.abs(x[:, 1]) > 1e-2))
        assert smooth.mean() > 0.95
        L = flow.gradient(x, t)[smooth]
        np.testing.assert_allclose(found[smooth], L, rtol=0, atol=1e-6 * max(np.abs(L).max(), 1e-300))


@pytest.mark.parametrize("name", NAMED)
def test_named_flows_keep_their_volume(name):
    flow = NAMED[name]
    for t in flow.times:
        L = flow.gradient(flow.samples(300), t)
        assert not np.isnan(L).any()
        assert np.abs(np.trace(L, axis1=1, axis2=2)).max() <= 1e-14 * np.abs(L).max()


@pytest.mark.parametrize("name", NAMED)
def test_second_derivatives_are_those_of_the_closed_form_and_commute(name):
    flow = NAMED[name]
    x = flow.samples(100)
    second = numpy_backend.second_derivatives(flow, x, 0.0)
    size = max(np.abs(second).max(), 1e-300)
    rows = [numpy_backend.point_jacobians(lambda y, i=i: flow.gradient(y)[..., i, :], x)[1] for i in range(3)]
    np.testing.assert_allclose(second, np.stack(rows, axis=1), rtol=0, atol=1e-13 * size)
    np.testing.assert_allclose(second, second.swapaxes(-1, -2), rtol=0, atol=1e-14 * size)


@pytest.mark.parametrize("name", FLOWS)
def test_one_position_is_as_many(name):
    flow = FLOWS[name]
    x = np.concatenate([positions(flow, 4), SPECIAL[:4]])
    for t in times(flow):
        for found, all_of_them in ((flow, flow(x, t)), (flow.gradient, flow.gradient(x, t))):
            one = np.array([found(each, t) for each in x])
            np.testing.assert_allclose(one, all_of_them, rtol=1e-13, atol=1e-13)
            np.testing.assert_array_equal(found(x.reshape(2, -1, 3), t).reshape(all_of_them.shape), all_of_them)


def test_where_there_is_no_fluid_every_derivative_is_missing():
    for flow in NAMED.values():
        outside = ~np.broadcast_to(flow.fluid(*SPECIAL.T), len(SPECIAL))
        second = numpy_backend.second_derivatives(flow, SPECIAL, 0.0)
        np.testing.assert_array_equal(np.isnan(second).all(axis=(1, 2, 3)), outside)
        np.testing.assert_array_equal(np.isnan(flow(SPECIAL)).all(axis=1), outside)
        np.testing.assert_array_equal(np.isnan(flow(SPECIAL)).any(axis=1), outside)


def test_quantities_follow_from_the_closed_form():
    L = EXACT_FLOWS["simple-shear"](rate=-3).gradient(SPECIAL)
    np.testing.assert_allclose(VelocityGradient(L)["shear_rate"], 3.0)


def test_a_list_is_a_position_and_another_shape_is_refused():
    shear = EXACT_FLOWS["simple-shear"](rate=2)
    np.testing.assert_array_equal(shear([1.0, 2.0, 3.0]), [4.0, 0.0, 0.0])
    for x in (np.zeros((5, 2)), np.float64(1.0)):
        with pytest.raises(OptionError, match=r"SimpleShear: positions of shape"):
            shear(x)


@dataclass(frozen=True)
class _Case:
    flow: str
    fields: dict
    message: str


@pytest.mark.parametrize(
    "case",
    [
        _Case("couette", {"gap": 0}, r"Couette: gap = 0 is impossible: give one that is finite and positive"),
        _Case("simple-shear", {"rate": np.inf}, r"rate = inf is impossible: give one that is finite"),
        _Case("simple-shear", {"rate": np.nan}, r"rate = nan is impossible"),
        _Case("rankine", {"circulation": "much"}, r"circulation = 'much' is not a number"),
        _Case("pipe-poiseuille", {"tau0": -1}, r"tau0 = -1 is impossible: give one that is finite and not negative"),
        _Case(
            "pipe-poiseuille",
            {"n": 1e-4, "K": 1e-3},
            r"n = 0.0001, K = 0.001: the shear rate at the wall is above 1e308",
        ),
        _Case("taylor-couette", {"outer_radius": 0.5}, r"inner_radius = 1, outer_radius = 0.5: make the outer one"),
    ],
    ids=lambda case: f"{case.flow} {case.fields}",
)
def test_impossible_parameters_are_refused(case):
    with pytest.raises(OptionError, match=case.message):
        EXACT_FLOWS[case.flow](**case.fields)
