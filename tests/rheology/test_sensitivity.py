"""Derivatives of the laws, which dual numbers give, against closed forms and central differences."""

import dataclasses

import numpy as np
import pytest

from flowgrad.autodiff import Dual
from flowgrad.rheology.model import parse_model
from flowgrad.rheology.models import Bingham, Casson, Ellis, HerschelBulkley, PowerLaw

from .test_models import LAWS

RATE = np.array([1e-3, 0.3, 2.0, 170.0])


def central(f, x, step=1e-3):
    """Fourth-order central difference with steps relative to x."""
    far, near = ((f(x * (1 + h)) - f(x * (1 - h))) / (2 * h * x) for h in (2 * step, step))
    return (4 * near - far) / 3


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_slopes_by_the_rate(law):
    size = law.viscosity(RATE) / RATE
    assert np.max(np.abs(law.viscosity_slope(RATE) - central(law.viscosity, RATE)) / size) < 1e-8
    assert np.max(np.abs(law.stress_slope(RATE) - central(law.stress, RATE)) / law.viscosity(RATE)) < 1e-8
    np.testing.assert_array_equal(law.viscosity_slope(-RATE), law.viscosity_slope(RATE))


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_slopes_by_the_parameters(law):
    viscosity, stress = law.viscosity_sensitivity(RATE), law.stress_sensitivity(RATE)
    assert list(viscosity) == list(law.parameters)
    for key, value in law.parameters.items():
        expected = central(lambda x, key=key: dataclasses.replace(law, **{key: x}).viscosity(RATE), value)
        assert np.max(np.abs(viscosity[key] - expected) / law.viscosity(RATE)) * value < 1e-8
        np.testing.assert_allclose(stress[key], viscosity[key] * RATE, rtol=1e-14)


def test_closed_forms():
    slopes = PowerLaw(2.0, 0.4).viscosity_sensitivity(RATE)
    np.testing.assert_allclose(slopes["K"], RATE**-0.6, rtol=1e-14)
    np.testing.assert_allclose(slopes["n"], 2 * RATE**-0.6 * np.log(RATE), rtol=1e-14)
    np.testing.assert_allclose(Bingham(3.0, 0.2).viscosity_slope(RATE), -3 / RATE**2, rtol=1e-14)
    np.testing.assert_allclose(HerschelBulkley(3.0, 2.0, 0.5).stress_slope(RATE), RATE**-0.5, rtol=1e-9)
    np.testing.assert_allclose(Casson(3.0, 0.2).stress_slope(RATE), 0.2 + np.sqrt(0.6 / RATE), rtol=1e-9)


def test_ellis_second_derivative_of_an_implicit_law():
    """Dual numbers within dual numbers go through the solution of the equation."""
    law, step = Ellis(2.0, 3.0, 2.5), 1e-4
    inner = Dual(RATE, np.ones((1, 4)), 1)
    outer = Dual(inner, Dual(np.ones((1, 4)), np.zeros((1, 1, 4)), 1), 2)
    second = law.law(outer).derivative.derivative[0, 0]
    rate = RATE * (1 + step)
    expected = (law.viscosity_slope(rate) - law.viscosity_slope(RATE * (1 - step))) / (2 * step * RATE)
    np.testing.assert_allclose(second, expected, rtol=1e-5)


@pytest.mark.parametrize("law", LAWS, ids=str)
def test_no_field_of_slopes_has_infinite_values(law):
    for slopes in (law.viscosity_slope, law.stress_slope):
        found = slopes([0.0, 1e-100, 1e9, np.nan])
        assert np.isfinite(found[:3]).all()
        assert np.isnan(found[3])
    assert law.viscosity_slope(0.0) == 0
    assert law.stress_slope(0.0) == law.viscosity(0.0)


def test_caps_are_flat():
    law = parse_model("power-law(K=1, n=0.5, eta_min=0.1, eta_max=10)")
    np.testing.assert_allclose(law.viscosity_slope([1e-4, 1.0, 1e4]), [0, -0.5, 0], atol=1e-15)
    np.testing.assert_allclose(law.viscosity_sensitivity([1e-4, 1.0, 1e4])["K"], [0, 1, 0], atol=1e-15)
    np.testing.assert_allclose(law.stress_slope([1e-4, 1e4]), [10, 0.1])
