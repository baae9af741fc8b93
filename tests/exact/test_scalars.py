"""Scalar functions in closed form: gradients and Hessians are derivatives, and the density is one."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from flowgrad import OptionError, autodiff
from flowgrad.exact import EXACT_SCALARS, BivariateNormal, Rosenbrock

SCALARS = {name: kind() for name, kind in EXACT_SCALARS.items()}
SCALARS |= {f"rho = {rho}": BivariateNormal(0.3, -0.2, 0.7, 1.9, rho) for rho in (-0.99, -0.5, 0.3, 0.9)}


@pytest.mark.parametrize("backend", ["numpy", "torch", "jax"])
@pytest.mark.parametrize("name", SCALARS)
def test_autodiff_gives_gradient_and_hessian(name, backend):
    if backend != "numpy":
        pytest.importorskip(backend)
    f = SCALARS[name]
    for x in f.samples(2):
        gradient, hessian = f.gradient(x), f.hessian(x)
        found = autodiff.gradient(f, x, backend=backend)
        np.testing.assert_allclose(found, gradient, rtol=0, atol=1e-12 * np.abs(gradient).max())
        found = autodiff.hessian(f, x, backend=backend)
        np.testing.assert_allclose(found, hessian, rtol=0, atol=1e-12 * np.abs(hessian).max())
        np.testing.assert_allclose(found, found.T, rtol=0, atol=1e-14 * np.abs(hessian).max())


@pytest.mark.parametrize("name", SCALARS)
def test_central_differences_give_gradient_and_hessian(name):
    f, h = SCALARS[name], 1e-5
    x, unit = f.samples(100), np.eye(f.dimension)
    for function, derivative in ((f, f.gradient(x)), (f.gradient, f.hessian(x))):
        found = np.stack([(function(x + h * e) - function(x - h * e)) / (2 * h) for e in unit], axis=-1)
        np.testing.assert_allclose(found, derivative, rtol=0, atol=1e-6 * np.abs(derivative).max())


@pytest.mark.parametrize("rho", [-0.95, 0.0, 0.6])
def test_the_normal_density_has_its_moments_and_is_scipys(rho):
    f = BivariateNormal(0.3, -0.2, 0.7, 1.9, rho)
    u, v = np.meshgrid(*[np.linspace(-9, 9, 1001)] * 2, indexing="ij")
    x = np.stack([0.3 + 0.7 * u, -0.2 + 1.9 * v], axis=-1)
    weight = f(x) * 0.7 * 1.9 * 0.018**2
    deviation = x - [0.3, -0.2]
    covariance = np.array([[0.49, rho * 1.33], [rho * 1.33, 3.61]])
    np.testing.assert_allclose(weight.sum(), 1, rtol=1e-12)
    np.testing.assert_allclose(np.einsum("ab,abi,abj->ij", weight, deviation, deviation), covariance, atol=1e-12)
    near = x[400:600:20, 400:600:20]
    np.testing.assert_allclose(f(near), multivariate_normal([0.3, -0.2], covariance).pdf(near), rtol=1e-11)


@pytest.mark.parametrize("rho", [-0.9, 0.5])
def test_the_gradient_is_minus_the_density_times_the_pull(rho):
    """−pΣ⁻¹(x − m), with Σ inverted by LAPACK."""
    f = BivariateNormal(0.3, -0.2, 0.7, 1.9, rho)
    covariance = np.array([[0.49, rho * 1.33], [rho * 1.33, 3.61]])
    x = f.samples(50)
    pull = np.linalg.solve(covariance, (x - [0.3, -0.2]).T).T
    np.testing.assert_allclose(f.gradient(x), -f(x)[:, None] * pull, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(f.hessian(np.array([0.3, -0.2])), -f([0.3, -0.2]) * np.linalg.inv(covariance))


def test_rosenbrock_has_one_lowest_point():
    f = Rosenbrock(a=1.5, b=20)
    low = np.array([1.5, 2.25])
    assert f(low) == 0
    np.testing.assert_array_equal(f.gradient(low), 0)
    assert (np.linalg.eigvalsh(f.hessian(low)) > 0).all()


def test_impossible_arguments_are_refused():
    with pytest.raises(OptionError, match=r"rho = 1 is impossible: give one that is above −1 and below 1"):
        BivariateNormal(rho=1)
    with pytest.raises(OptionError, match=r"GaussianHill: positions of shape \(4, 2\): give \(\.\.\., 3\)"):
        SCALARS["gaussian-hill"](np.zeros((4, 2)))
