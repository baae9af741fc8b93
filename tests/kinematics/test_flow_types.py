"""Extension, shear, rotation, and what an observer who turns sees of them."""

import numpy as np
import pytest

from flowgrad import VelocityGradient, velocity_gradient
from flowgrad.exact import ABC

RNG = np.random.default_rng(5)
POINTS = RNG.uniform(-2, 2, (200, 3))


def steady(L):
    """A homogeneous steady motion."""
    count = len(L)
    return VelocityGradient(np.asarray(L, float)).supply(
        hessian=np.zeros((count, 3, 3, 3)), L_rate=np.zeros((count, 3, 3)), velocity=RNG.normal(size=(count, 3))
    )


def test_pure_motions():
    shear, extension, rotation = [[0, 2, 0], [0, 0, 0], [0, 0, 0]], np.diag([1, 0.5, -1.5]), [[0, -1, 0], [1, 0, 0]]
    found = steady([shear, extension, [*rotation, [0, 0, 0]]])
    np.testing.assert_allclose(found["flow_type"], [0, 1, -1], atol=1e-15)
    np.testing.assert_allclose(found["objective_flow_type"][:2], [1, 0], atol=1e-15)
    assert np.isnan(found["objective_flow_type"][2])
    np.testing.assert_allclose(found["kinematic_vorticity_number"], [1, 0, np.inf])


def test_equal_principal_rates_have_no_objective_type():
    found = steady([np.diag([2, -1, -1]), np.diag([2, -1 + 1e-8, -1]), np.diag([2, -1 + 1e-4, -1])])
    np.testing.assert_array_equal(np.isnan(found["objective_flow_type"]), [True, True, False])
    assert not np.isnan(found["flow_type"]).any()


def turned(flow, spin):
    """The flow as one sees it who turns about z: w(y, t) = Ṙ Rᵀ y + R v(Rᵀ y), R(t) by the angle spin · t."""

    def velocity(y, t):
        c, s = np.cos(spin * t), np.sin(spin * t)
        back = np.stack([c * y[..., 0] + s * y[..., 1], c * y[..., 1] - s * y[..., 0], y[..., 2]], axis=-1)
        v = flow(back)
        u, w = c * v[..., 0] - s * v[..., 1], s * v[..., 0] + c * v[..., 1]
        return np.stack([u - spin * y[..., 1], w + spin * y[..., 0], v[..., 2]], axis=-1)

    return velocity


def at_rest_and_turning(flow, spin=0.8, time=0.6):
    rest = velocity_gradient(flow, at=POINTS, second=True)
    c, s = np.cos(spin * time), np.sin(spin * time)
    R = np.array([[c, -s, 0], [s, c, 0], [0, 0, 1]])
    moving = velocity_gradient(turned(flow, spin), at=POINTS @ R.T, time=time, second=True, rates=True)
    return rest, moving, R


def test_the_objective_type_is_the_same_for_an_observer_who_turns():
    rest, moving, R = at_rest_and_turning(ABC())
    known = np.isfinite(rest["objective_flow_type"])
    assert known.mean() > 0.9
    ratio = moving["objective_flow_type"][known] / rest["objective_flow_type"][known]
    np.testing.assert_allclose(ratio, 1, rtol=1e-8)
    np.testing.assert_allclose(moving.D, R @ rest.D @ R.T, atol=1e-13)
    assert np.abs(moving["flow_type"] - rest["flow_type"]).max() > 0.1


def test_objective_rates_turn_with_the_observer():
    rest, moving, R = at_rest_and_turning(ABC())
    np.testing.assert_allclose(moving["rivlin_ericksen_2"], R @ rest["rivlin_ericksen_2"] @ R.T, atol=1e-12)
    assert np.abs(moving["D_rate"] - R @ rest["D_rate"] @ R.T).max() > 0.1


def test_the_principal_directions_turn_as_differences_along_the_path_do():
    """ė_i e_iᵀ from D a moment before and after, at the places of the particle then."""
    flow, h = ABC(), 1e-5
    found = velocity_gradient(flow, at=POINTS, second=True)
    v = flow(POINTS)
    half = v + h * (found["convective_acceleration"]) / 2
    later, before = (velocity_gradient(flow, at=POINTS + sign * h * half) for sign in (1, -1))
    e = found["principal_directions"]
    one, other = (each["principal_directions"] for each in (later, before))
    one, other = (each * np.sign((each * e).sum(axis=1, keepdims=True)) for each in (one, other))
    spin = (one - other) / (2 * h) @ e.swapaxes(1, 2)
    rates = found["principal_rates"]
    apart = np.abs(np.diff(rates, axis=1)).min(axis=1) > 0.1 * np.abs(rates).max(axis=1)
    assert apart.sum() > 100
    np.testing.assert_allclose(found["strain_spin"][apart], spin[apart], atol=2e-4)


def test_the_ratio_of_norms():
    gradient = VelocityGradient(RNG.normal(size=(100, 3, 3)))
    W_k, xi = gradient["kinematic_vorticity_number"], gradient["flow_type"]
    np.testing.assert_allclose(xi, (1 - W_k) / (1 + W_k), rtol=1e-12)
    assert xi == pytest.approx(np.clip(xi, -1, 1))
