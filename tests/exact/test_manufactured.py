"""The gradients of closed-form flows are the derivatives of their velocities."""

import numpy as np
import pytest

from flowgrad.exact import Axisymmetric, Linear, PlanarWaves, Polynomial, Vortices, Waves

RNG = np.random.default_rng(1)
X = RNG.normal(size=(20, 3))
FLOWS = {
    "linear": Linear(RNG.normal(size=(3, 3)), np.ones(3)),
    "polynomial": Polynomial.complete(4),
    "waves": Waves(RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3)), RNG.normal(size=4)),
    "axisymmetric": Axisymmetric(np.array([1.0, 2, 2]) / 3, np.array([0.1, 0.2, 0.3]), 1.3),
    "vortices": Vortices(),
    "planar waves": PlanarWaves(),
}


@pytest.mark.parametrize("name", FLOWS)
def test_the_gradient_is_the_derivative_by_complex_steps(name):
    flow, L = FLOWS[name], np.empty((len(X), 3, 3))
    for j in range(3):
        step = X.astype(complex)
        step[:, j] += 1e-30j
        L[:, :, j] = flow.velocity(step).imag / 1e-30
    np.testing.assert_allclose(flow.gradient(X), L, rtol=1e-13, atol=1e-13 * np.abs(L).max())


def test_the_axisymmetric_flow_is_the_same_at_all_angles():
    flow = FLOWS["axisymmetric"]
    k = np.cross(np.eye(3), flow.axis)
    turn = np.eye(3) + np.sin(0.7) * k.T + (1 - np.cos(0.7)) * k.T @ k.T
    turned = (X - flow.origin) @ turn.T + flow.origin
    np.testing.assert_allclose(flow.velocity(turned), flow.velocity(X) @ turn.T, atol=1e-12)
    np.testing.assert_allclose(flow.gradient(turned), turn @ flow.gradient(X) @ turn.T, atol=1e-12)


def test_complete_polynomials_hold_every_monomial():
    flow = Polynomial.complete(3)
    assert len(flow.powers) == len(np.unique(flow.powers, axis=0)) == 20
    assert flow.powers.sum(axis=1).max() == 3
