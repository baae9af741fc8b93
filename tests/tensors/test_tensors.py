"""Eigenvalues of symmetric tensors, and the real Schur form of any, against LAPACK."""

import itertools

import numpy as np
import pytest
from scipy.linalg import schur
from scipy.spatial.transform import Rotation

from flowgrad.autodiff import Dual
from flowgrad.tensors import complex_eigenvalues, eigensystem, eigenvalues, real_schur, symmetric

RNG = np.random.default_rng(0)
COUNT = 3000
Q = Rotation.random(COUNT, random_state=1).as_matrix()
NORMAL = RNG.normal(size=(COUNT, 3, 3))
SPECTRA = [[3, 1, 1], [1, 1, -2], [2, 2, 2], [1, 0, 0], [0, 0, 0], [1e8, 1, 1], [5, 5, 0], [1, 0, -1], [-1, -1, -2]]


def size(A):
    return np.sqrt((A**2).sum(axis=(-1, -2)))


def turned(A):
    return Q @ A @ Q.swapaxes(1, 2)


def symmetric_tensors():
    yield symmetric(NORMAL)
    yield from (symmetric(NORMAL) * scale for scale in (1e-120, 1e120))
    for spectrum, gap in itertools.product(SPECTRA, (0, 1e-16, 1e-12, 1e-9, 1e-6, 1e-3)):
        values = np.array(spectrum, float) + gap * RNG.normal(size=(COUNT, 3))
        yield symmetric(turned(values[:, :, None] * np.eye(3)))


def test_eigenvalues_of_symmetric_tensors():
    for A in symmetric_tensors():
        error = np.abs(eigenvalues(A) - np.linalg.eigvalsh(A)[:, ::-1]).max(axis=1)
        assert (error <= 3e-15 * size(A)).all()


def test_eigenvectors_of_symmetric_tensors():
    for A in symmetric_tensors():
        values, vectors = eigensystem(A)
        np.testing.assert_array_equal(values, eigenvalues(A))
        assert (np.abs(A @ vectors - vectors * values[:, None]).max(axis=(1, 2)) <= 3e-15 * size(A)).all()
        np.testing.assert_allclose(vectors.swapaxes(1, 2) @ vectors, np.broadcast_to(np.eye(3), A.shape), atol=3e-15)


def general_tensors():
    yield "random", NORMAL
    yield "scaled", NORMAL * 1e-120
    yield "large", NORMAL * 1e120
    yield "symmetric", symmetric(NORMAL)
    yield "skew", NORMAL - NORMAL.swapaxes(1, 2)
    yield "graded", NORMAL * 10.0 ** RNG.uniform(-8, 8, NORMAL.shape)
    yield "integers", RNG.integers(-2, 3, NORMAL.shape).astype(float)
    yield "integers and next to nothing", RNG.integers(-2, 3, NORMAL.shape) + 1e-300
    yield "permutations", np.eye(3)[RNG.permuted(np.tile(np.arange(3), (COUNT, 1)), axis=1)]
    for plane in ([0, 1], [1, 2], [0, 2]):
        planar = np.zeros_like(NORMAL)
        planar[:, np.array(plane)[:, None], plane] = NORMAL[:, :2, :2]
        yield f"planar {plane}", planar
    yield "block", NORMAL * [[1, 1, 1], [0, 1, 1], [0, 1, 1]]
    upper = np.triu(NORMAL)
    yield "triangular", upper
    for gap in (0, 1e-16, 1e-12, 1e-8, 1e-4):
        near = gap * NORMAL
        yield f"a multiple of 1, {gap}", np.eye(3) + near
        yield f"nilpotent, {gap}", turned(upper * (1 - np.eye(3))) + near
        yield f"a triple eigenvalue, {gap}", turned(upper * (1 - np.eye(3)) + np.eye(3)) + near
        yield f"a double eigenvalue, {gap}", turned(upper * (1 - np.eye(3)) + np.diag([1, 1, 2])) + near
        yield f"hardly complex, {gap}", turned(np.triu(np.ones((3, 3))) - gap * np.eye(3, k=-1))


GENERAL = dict(general_tensors())


@pytest.mark.parametrize("name", GENERAL)
def test_the_schur_form_is_that_of_a_tensor_next_to_it(name):
    A = GENERAL[name]
    T, Z = real_schur(A)
    identity = np.broadcast_to(np.eye(3), A.shape)
    np.testing.assert_allclose(Z.swapaxes(1, 2) @ Z, identity, atol=5e-15)
    assert (size(Z @ T @ Z.swapaxes(1, 2) - A) <= 1e-14 * size(A)).all()
    assert not T[:, 1:, 0].any()
    swirls = T[:, 2, 1] != 0
    assert (T[swirls, 1, 1] == T[swirls, 2, 2]).all()
    assert (T[swirls, 1, 2] * T[swirls, 2, 1] < 0).all()
    assert (np.abs(T[swirls, 1, 2]) >= np.abs(T[swirls, 2, 1])).all()
    falls = np.diff(np.diagonal(T[~swirls], axis1=1, axis2=2), axis=1) <= 1e-14 * size(A[~swirls])[:, None]
    assert falls.all()


@pytest.mark.parametrize("name", GENERAL)
def test_eigenvalues_are_lapacks_where_they_are_separated(name):
    A = GENERAL[name]
    expected, found = np.linalg.eigvals(A), complex_eigenvalues(A)
    orders = [list(each) for each in itertools.permutations(range(3))]
    error = np.min([np.abs(found[:, each] - expected).max(axis=1) for each in orders], axis=0)
    gap = np.min([np.abs(expected[:, i] - expected[:, j]) for i, j in ((0, 1), (1, 2), (0, 2))], axis=0)
    separated = gap > 0.05 * size(A)
    assert (error[separated] <= 1e-12 * size(A)[separated]).all()


def test_the_schur_form_is_lapacks_in_another_order():
    """|T_23| and |T_32| belong to the plane across the real eigenvector; LAPACK finds the same where that is first."""
    compared = 0
    for A in NORMAL[:300]:
        expected, _ = schur(A)
        if expected[2, 1] != 0 and expected[1, 0] == 0:
            T, _ = real_schur(A)
            pair = sorted(np.abs([T[1, 2], T[2, 1]]))
            np.testing.assert_allclose(pair, sorted(np.abs([expected[1, 2], expected[2, 1]])), rtol=1e-9)
            np.testing.assert_allclose(T[0, 0], expected[0, 0], rtol=1e-9)
            compared += 1
    assert compared > 20


def test_what_is_not_finite_has_no_eigenvalues():
    A = np.array([np.full((3, 3), 1.0)] * 4)
    A[1, 0, 1] = A[1, 1, 0] = np.nan
    A[2, 2, 2], A[3, 0, 1] = np.inf, np.inf
    A[3, 1, 0] = -np.inf
    for function in (eigenvalues, eigensystem, real_schur, complex_eigenvalues):
        results = function(A)
        for each in results if isinstance(results, tuple) else (results,):
            assert np.isfinite(each[0]).all()
            assert np.isnan(each[1:]).all()


def test_the_shape_in_front_is_kept():
    A = NORMAL[:24].reshape(2, 3, 4, 3, 3)
    T, Z = real_schur(A)
    assert T.shape == Z.shape == A.shape
    np.testing.assert_array_equal(complex_eigenvalues(A).reshape(-1, 3), complex_eigenvalues(NORMAL[:24]))
    assert eigenvalues(A[:0]).shape == (0, 3, 4, 3)


def test_the_derivative_of_the_schur_form():
    """A + dA = (Z + dZ)(T + dT)(Z + dZ)ᵀ, and the form stays standard, against differences."""
    A, dA, h = NORMAL[:200], RNG.normal(size=(200, 3, 3)), 1e-6
    T, Z = real_schur(Dual(A, dA[None]))
    (T2, Z2), (T1, Z1) = (along(real_schur(A + sign * h * dA), Z.value) for sign in (1, -1))
    for found, slopes in ((T, (T2 - T1) / (2 * h)), (Z, (Z2 - Z1) / (2 * h))):
        scale = np.abs(found.derivative[0]).max(axis=(1, 2), keepdims=True)
        np.testing.assert_allclose(found.derivative[0] / scale, slopes / scale, atol=1e-5)


def along(form, Z):
    """The same Schur form with its axes on the side of those of Z."""
    signs = np.sign((form[1] * Z).sum(axis=1))
    return form[0] * signs[:, :, None] * signs[:, None], form[1] * signs[:, None]
