"""Vortices and rotating cylinders solve the equations of motion."""

import numpy as np
import pytest

from flowgrad import VelocityGradient
from flowgrad.autodiff import numpy_backend
from flowgrad.exact import Burgers, LambOseen, Rankine, TaylorCouette
from flowgrad.tensors import axial_vector

AXIS = np.array([[0.0, 0.0, 0.4]])


def vorticity(flow, x, t=None):
    return VelocityGradient(flow.gradient(x, t))["vorticity"]


def laplacian(f, x, t=None):
    return np.trace(numpy_backend.second_derivatives(f, x, t), axis1=-2, axis2=-1)


@pytest.mark.parametrize("t", [0.0, 0.7, 30.0])
def test_lamb_oseen_vorticity_is_a_gaussian_that_spreads(t):
    """Lamb 1932, Art. 334a: ω = Γ/(πr_c²) exp(−r²/r_c²)."""
    flow = LambOseen(circulation=2.3, viscosity=0.07, core_radius=0.4)
    core = 0.4**2 + 4 * 0.07 * t
    np.testing.assert_allclose(vorticity(flow, AXIS, t)[0], [0, 0, 2.3 / (np.pi * core)], rtol=1e-14)
    x = flow.samples(200)
    s = x[:, 0] ** 2 + x[:, 1] ** 2
    np.testing.assert_allclose(vorticity(flow, x, t)[:, 2], 2.3 / (np.pi * core) * np.exp(-s / core), atol=1e-14)


def test_lamb_oseen_solves_the_equation_of_motion():
    flow, h = LambOseen(viscosity=0.07), 1e-4
    x = flow.samples(100)
    rate = (flow(x, 0.5 + h) - flow(x, 0.5 - h)) / (2 * h)
    np.testing.assert_allclose(0.07 * laplacian(flow, x, 0.5), rate, atol=1e-8)


def test_before_it_was_a_point_there_is_no_vortex():
    assert np.isnan(LambOseen(viscosity=1.0)(AXIS + 1, -1.0)[:, :2]).all()


def test_far_circulation_is_that_of_a_point_vortex():
    for flow in (LambOseen(circulation=2.3), Burgers(circulation=2.3, stretching=1e-3, viscosity=1e-5), Rankine(2.3)):
        np.testing.assert_allclose(flow([0.0, 40.0, 0.0])[0], -2.3 / (2 * np.pi * 40), rtol=1e-14)


def test_burgers_balances_advection_stretching_and_viscosity():
    """(v·∇)ω = (ω·∇)v + ν∇²ω."""
    flow = Burgers(circulation=2.0, stretching=0.8, viscosity=0.05)
    x = flow.samples(200)
    omega, slope = numpy_backend.point_jacobians(lambda y: axial_vector(flow.gradient(y)), x)
    advection = np.einsum("nij,nj->ni", slope, flow(x))
    stretching = np.einsum("nij,nj->ni", flow.gradient(x), omega)
    viscous = 0.05 * laplacian(lambda y: axial_vector(flow.gradient(y)), x)
    np.testing.assert_allclose(advection, stretching + viscous, atol=1e-12)
    np.testing.assert_allclose(vorticity(flow, AXIS)[0, 2], 2.0 * 0.8 / (4 * np.pi * 0.05), rtol=1e-14)


def test_rankine_turns_as_a_solid_within_and_not_at_all_without():
    flow = Rankine(circulation=2.3, core_radius=0.5)
    x = flow.samples(300)
    inside = np.hypot(x[:, 0], x[:, 1]) < 0.5
    np.testing.assert_allclose(VelocityGradient(flow.gradient(x[inside]))["shear_rate"], 0, atol=1e-15)
    np.testing.assert_allclose(vorticity(flow, x[inside])[:, 2], 2.3 / (np.pi * 0.25), rtol=1e-14)
    np.testing.assert_allclose(vorticity(flow, x[~inside]), 0, atol=1e-14)
    np.testing.assert_allclose(flow([0.5 * (1 - 1e-15), 0.0, 0.0]), flow([0.5, 0.0, 0.0]), rtol=1e-14)


def test_cylinders_carry_the_fluid_with_the_same_torque_everywhere():
    flow = TaylorCouette(1.0, 1.7, 2.0, -0.5)
    np.testing.assert_allclose(flow([[1.0, 0, 0], [0, 1.7, 3]]), [[0, 2, 0], [0.85, 0, 0]], atol=1e-15)
    x = flow.samples(200)
    r = np.hypot(x[:, 0], x[:, 1])
    torque = r**2 * VelocityGradient(flow.gradient(x))["shear_rate"]
    np.testing.assert_allclose(torque, torque[0], rtol=1e-13)
    np.testing.assert_allclose(laplacian(flow, x), 0, atol=1e-13)
