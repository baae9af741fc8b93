"""Derivatives of functions of whole arrays, on stacks, against complex steps and the equations they solve."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from flowgrad import DerivativeError, tensors
from flowgrad.autodiff import Dual

RNG = np.random.default_rng(3)
A = RNG.normal(size=(20, 3, 3))
SLOPES = RNG.normal(size=(2, 20, 3, 3))
B = RNG.normal(size=(3, 3))

FUNCTIONS = {
    "einsum of two": lambda x: np.einsum("...ij,...kj->...ik", x, x),
    "einsum with a constant": lambda x: np.einsum("nij, ij -> n", x, B),
    "matrix product": lambda x: x @ x @ B,
    "swapped axes": lambda x: np.swapaxes(x, -1, -2) - np.transpose(x, (0, 2, 1)) @ x,
    "moved axis": lambda x: np.moveaxis(x, 1, 0) * x[:, 0, 0, None],
    "trace": lambda x: np.trace(x, axis1=-2, axis2=-1) ** 2,
    "sum": lambda x: np.sum(x * x, axis=(1, 2)) - np.sum(x, axis=-1)[:, 0],
    "stack": lambda x: np.stack([x[..., 0, 1] - x[..., 1, 0], x[..., 2, 2]], axis=-1),
    "determinant": lambda x: tensors.determinant(x),
    "deviator": lambda x: tensors.deviator(tensors.symmetric(x)),
    "mask and new axis": lambda x: x[np.arange(20) % 3 == 0][..., 0, None] * x[::3][:, 1][:7, :, None],
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_derivatives_are_those_of_complex_steps(name):
    function, h = FUNCTIONS[name], 1e-30
    found = function(Dual(A, SLOPES))
    expected = np.stack([np.imag(function(A + 1j * h * SLOPES[k])) / h for k in range(2)])
    np.testing.assert_allclose(found.value, np.real(function(A)), rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(found.derivative, expected, rtol=1e-12, atol=1e-13)


REAL = {
    "absolute": np.abs,
    "larger": lambda x: np.maximum(x[:, 0], x[:, 1]),
    "smaller": lambda x: np.minimum(x, 0.3),
    "where": lambda x: np.where(x > 0, x * x, 2.0),
    "norm": lambda x: np.linalg.norm(x, axis=-1),
    "determinant of NumPy": np.linalg.det,
    "angle": lambda x: np.arctan2(x[:, 0], x[:, 1]) + np.arccos(x[:, 2] / 10),
    "cube root": np.cbrt,
}


@pytest.mark.parametrize("name", REAL)
def test_derivatives_are_those_of_differences(name):
    function, h = REAL[name], 1e-6
    found = function(Dual(A, SLOPES)).derivative
    expected = [(function(A + h * SLOPES[k]) - function(A - h * SLOPES[k])) / (2 * h) for k in range(2)]
    np.testing.assert_allclose(found, np.stack(expected), rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e6])
def test_eigenvalues_and_eigenvectors_solve_the_differentiated_problem(scale):
    """A n = λ n gives dA n + A dn = dλ n + λ dn, and |n| = 1 gives n·dn = 0."""
    S, dS = scale * tensors.symmetric(A), tensors.symmetric(SLOPES[0])
    values, vectors = tensors.eigensystem(Dual(S, dS[None]))
    left = dS @ vectors.value + S @ vectors.derivative[0]
    right = vectors.value * values.derivative[0][:, None, :] + vectors.derivative[0] * values.value[:, None]
    np.testing.assert_allclose(left, right, atol=1e-11)
    np.testing.assert_allclose((vectors.value * vectors.derivative[0]).sum(axis=1), 0, atol=1e-11 / scale)
    np.testing.assert_array_equal(tensors.eigenvalues(Dual(S, dS[None])).derivative, values.derivative)


def test_multiple_eigenvalues_have_no_derivative():
    Q = Rotation.random(50, random_state=1).as_matrix()
    S = Q @ np.diag([2.0, -1.0, -1.0]) @ Q.swapaxes(1, 2)
    slopes = tensors.eigenvalues(Dual(S, np.broadcast_to(np.eye(3), (1, 50, 3, 3)))).derivative[0]
    np.testing.assert_allclose(slopes[:, 0], 1, rtol=1e-13)
    assert np.isnan(slopes[:, 1:]).all()


def test_kinks_have_no_derivative():
    zero = Dual(np.zeros(1), np.ones((1, 1)))
    for kink in (np.abs(zero), np.maximum(zero, 0.0), np.minimum(zero, zero)):
        assert np.isnan(kink.derivative).all()


def test_comparisons_are_plain():
    assert (Dual(A, SLOPES) > 0).dtype == bool


def test_unknown_functions_are_named():
    with pytest.raises(DerivativeError, match="eigvals"):
        np.linalg.eigvals(Dual(A, SLOPES))
