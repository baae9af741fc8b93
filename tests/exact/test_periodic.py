"""Periodic flows have the properties for which they were made."""

import numpy as np

from flowgrad.autodiff import numpy_backend
from flowgrad.exact import ABC, DoubleGyre, TaylorGreen, TaylorGreen3D, Vortices
from flowgrad.tensors import axial_vector


def test_the_vorticity_of_abc_is_its_velocity():
    flow = ABC(1.0, 0.7, -0.4)
    x = flow.samples(200)
    np.testing.assert_allclose(axial_vector(flow.gradient(x)), flow(x), atol=1e-15)


def test_taylor_green_decays_as_viscosity_has_it():
    flow, h = TaylorGreen(speed=1.2, wave_number=1.5, viscosity=0.2), 1e-4
    x = flow.samples(100)
    second = numpy_backend.second_derivatives(flow, x, 0.6)
    rate = (flow(x, 0.6 + h) - flow(x, 0.6 - h)) / (2 * h)
    np.testing.assert_allclose(0.2 * np.trace(second, axis1=-2, axis2=-1), rate, atol=1e-7)
    np.testing.assert_allclose(flow(x, 2.0), flow(x) * np.exp(-2 * 0.2 * 1.5**2 * 2.0), rtol=1e-13)


def test_taylor_green_in_space_starts_without_a_velocity_along_z():
    x = TaylorGreen3D().samples(50)
    np.testing.assert_allclose(TaylorGreen3D()(x)[:, :2], Vortices()(x)[:, :2], atol=1e-15)
    assert not TaylorGreen3D()(x)[:, 2].any()
    assert np.abs(TaylorGreen3D(angle=0.4)(x)[:, 2]).max() > 0.1


def test_the_double_gyre_stays_in_its_box():
    flow, s = DoubleGyre(), np.linspace(0, 1, 7)
    for t in (0.0, 1.7, 6.1):
        for wall in (0.0, 2.0):
            np.testing.assert_allclose(flow(np.column_stack([0 * s + wall, s, s]), t)[:, 0], 0, atol=1e-15)
        for wall in (0.0, 1.0):
            np.testing.assert_allclose(flow(np.column_stack([2 * s, 0 * s + wall, s]), t)[:, 1], 0, atol=1e-15)


def test_the_double_gyre_repeats_with_its_period():
    x = DoubleGyre().samples(50)
    np.testing.assert_allclose(DoubleGyre()(x, 12.5), DoubleGyre()(x, 2.5), atol=1e-14)
    assert np.abs(DoubleGyre()(x, 2.5) - DoubleGyre()(x)).max() > 0.1
