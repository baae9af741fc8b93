import numpy as np
import pytest

from flowgrad import DerivativeError
from flowgrad.autodiff import jacobian

FUNCTIONS = {
    "polynomial": lambda x: x[0] ** 3 - 2 * x[0] * x[1] + x[1] / x[0] - (-x[1]) + 3,
    "square root": lambda x: np.sqrt(x[0]) * np.square(x[1]),
    "exponential": lambda x: np.exp(x[0] * x[1]) + np.log(x[0] + x[1]),
    "trigonometric": lambda x: np.sin(x[0]) * np.cos(x[1]) + np.tanh(x[0] - x[1]),
    "power": lambda x: x[0] ** x[1] + 2.0 ** x[0],
    "stack": lambda x: np.stack([x[0] * x[1], 1.0, x[1]]),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_are_those_of_complex_steps(name):
    """Complex-step derivatives (Squire & Trapp 1998) are exact to rounding too, by another way."""
    function, x, h = FUNCTIONS[name], np.array([0.7, 1.3]), 1e-30
    expected = np.stack([np.imag(function(x + 1j * h * e)) / h for e in np.eye(2)], axis=-1)
    np.testing.assert_allclose(jacobian(function, x), expected, rtol=1e-13, atol=1e-15)


def test_constant_functions_have_zero_derivative():
    np.testing.assert_array_equal(jacobian(lambda x: np.ones(3), np.zeros(2)), np.zeros((3, 2)))


def test_unknown_functions_are_named():
    with pytest.raises(DerivativeError, match="nextafter"):
        jacobian(lambda x: np.nextafter(x[0], 1), np.ones(2))
    with pytest.raises(DerivativeError, match="sort"):
        jacobian(lambda x: np.sort(x), np.ones(2))
