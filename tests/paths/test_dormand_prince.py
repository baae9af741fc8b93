"""The method of Dormand and Prince has its order, and is differentiated as it stands."""

import numpy as np
import pytest

from flowgrad import OptionError
from flowgrad.autodiff import jacobian, jvp
from flowgrad.exact import DoubleGyre
from flowgrad.paths import deformation, flow_map
from flowgrad.paths.dormand_prince import DenseOutput, step, weights_within


def test_the_step_is_of_fifth_order_and_its_error_of_the_embedded_fourth():
    errors, estimates = [], []
    for h in (0.4, 0.2, 0.1):
        y = np.array([1.0, 0.5])
        made = step(lambda t, y: np.array([np.cos(t) * y[0], -y[1] * y[0]]), 0.0, y, h)
        fine = y
        for k in range(64):
            fine = step(lambda t, y: np.array([np.cos(t) * y[0], -y[1] * y[0]]), k * h / 64, fine, h / 64).y
        errors.append(np.abs(made.y - fine).max())
        estimates.append(np.abs(made.error(h)).max())
    assert (np.log2(np.divide(errors[:-1], errors[1:])) > 5.6).all()
    assert (np.log2(np.divide(estimates[:-1], estimates[1:])) > 4.6).all()


def test_polynomials_in_time_of_degree_four_are_exact():
    t0, h = 0.3, 1.7
    made = step(lambda t, y: 5 * t**4 + 0 * y, t0, np.zeros(1), h)
    np.testing.assert_allclose(made.y, (t0 + h) ** 5 - t0**5, rtol=1e-14)


def test_between_the_ends_the_solution_is_of_fourth_order():
    y, at = np.array([[1.0, 0.5, 0.2]]), (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)

    def rate(t, y):
        return np.array([np.cos(t), -1, t]) * y * y[:, [1, 0, 1]]

    errors = []
    for h in (0.1, 0.05, 0.025):
        way = DenseOutput.of_step(step(rate, 0.3, y, h), y, 0.3, h, at)
        exact = np.concatenate([flow_map(lambda x, t: rate(t, x), y, 0.3, 0.3 + h * each, 64) for each in at])
        errors.append(np.abs(way.positions[0] - exact).max(axis=1)[1:-1])
        np.testing.assert_array_equal(way.positions[0, 0], y[0])
        np.testing.assert_allclose(way.positions[0, -1], step(rate, 0.3, y, h).y[0], rtol=1e-15)
        assert way.time(2) == 0.3 + 0.25 * h
    assert (np.log2(np.divide(errors[:-1], errors[1:])) > 4.3).all()


@pytest.mark.parametrize("fraction", [0.0, 0.2, 0.63, 1.0])
def test_between_the_ends_cubics_in_time_are_exact(fraction):
    nodes = np.array([0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1, 1])
    for power in range(4):
        moment = np.dot(weights_within((fraction,))[0], nodes**power)
        np.testing.assert_allclose(moment, fraction ** (power + 1) / (power + 1), atol=1e-14)


def velocity(x, t):
    return np.stack([np.sin(x[..., 1]) + t * x[..., 0], np.cos(x[..., 0] + t), x[..., 2] * x[..., 0]], axis=-1)


def test_derivatives_of_the_flow_map_are_deformation_gradient_and_velocity():
    x0, t0, t1 = np.array([0.3, 0.8, -0.5]), 0.4, 1.1
    F = jacobian(lambda x: flow_map(velocity, x, t0, t1, 40), x0)
    found = deformation(velocity, x0[None], t0, t1, steps=40)
    np.testing.assert_allclose(found.F[0], F, rtol=0, atol=1e-12)
    rate = jvp(lambda t: flow_map(velocity, x0, t0, t, 40), np.array(t1), np.array(1.0))
    np.testing.assert_allclose(rate, velocity(found.positions[0], t1), rtol=0, atol=1e-9)


def test_the_rate_of_the_relative_deformation_gradient_is_the_velocity_gradient_by_autodiff():
    x0, t0 = np.array([0.3, 0.8, -0.5]), 0.4

    def F(t):
        return jacobian(lambda x: flow_map(velocity, x, t0, t, 1), x0)

    rate = jacobian(F, np.array(t0))
    np.testing.assert_allclose(rate, jacobian(lambda x: velocity(x, t0), x0), rtol=0, atol=1e-14)


def test_functions_without_time_and_exact_flows_have_a_flow_map():
    x = np.array([[1.0, 0.0]])
    turned = flow_map(lambda x: np.stack([-x[..., 1], x[..., 0]], axis=-1), x, 0.0, np.pi, 60)
    np.testing.assert_allclose(turned, -x, atol=1e-8)
    x = np.array([[0.5, 0.25, 0.0]])
    there = flow_map(DoubleGyre(), x, 0.0, 3.0, 60)
    np.testing.assert_allclose(flow_map(DoubleGyre(), there, 3.0, 0.0, 60), x, atol=1e-8)
    with pytest.raises(OptionError, match="one at least"):
        flow_map(velocity, x, 0.0, 1.0, 0)
