"""Stokes' sphere and Hill's vortex meet their boundary conditions and their equations."""

import numpy as np

from flowgrad import VelocityGradient
from flowgrad.autodiff import numpy_backend
from flowgrad.exact import HillVortex, StokesSphere
from flowgrad.tensors import axial_vector

A, U = 0.7, 1.6
STOKES, HILL = StokesSphere(speed=U, radius=A), HillVortex(speed=U, radius=A)


def on_sphere(radius, count=40):
    """Positions (n, 3) and weights of a quadrature over a sphere."""
    cosine, weights = np.polynomial.legendre.leggauss(count)
    angle = 2 * np.pi * np.arange(count) / count
    c, a = (each.ravel() for each in np.meshgrid(cosine, angle, indexing="ij"))
    s = np.sqrt(1 - c**2)
    area = radius**2 * np.repeat(weights, count) * 2 * np.pi / count
    return radius * np.column_stack([s * np.cos(a), s * np.sin(a), c]), area


def test_stokes_fluid_sticks_to_the_sphere_and_streams_far_away():
    x, _ = on_sphere(A)
    np.testing.assert_allclose(STOKES(x), 0, atol=1e-15)
    np.testing.assert_allclose(STOKES([[1e9, 0, 1e9]]), [[0, 0, U]], atol=1e-8)


def test_stokes_friction_is_two_thirds_of_the_drag():
    """Batchelor 1967, §4.9: drag 6πηaU, 4πηaU of it friction, here ∮ 2D·n dA with η = 1."""
    x, area = on_sphere(A)
    D = VelocityGradient(STOKES.gradient(x)).D
    friction = np.einsum("nij,nj,n->i", 2 * D, x / A, area)
    np.testing.assert_allclose(friction, [0, 0, 4 * np.pi * A * U], atol=1e-12)


def test_stokes_poles_are_free_of_shear():
    np.testing.assert_allclose(STOKES.gradient(np.array([[0, 0, A], [0, 0, -A]])), 0, atol=1e-15)


def test_stokes_vorticity_is_harmonic_and_three_halves_at_the_equator():
    """Batchelor 1967, §4.9: ω_φ = −(3/2) U a sin θ/r² in a stream along z; creeping flow has ∇²ω = 0."""
    x = STOKES.samples(200)
    omega = axial_vector(STOKES.gradient(x))
    r = np.linalg.norm(x, axis=1)
    expected = 1.5 * U * A * np.cross([0, 0, 1.0], x) / r[:, None] ** 3
    np.testing.assert_allclose(omega, -expected, atol=1e-14)
    second = numpy_backend.second_derivatives(lambda y: axial_vector(STOKES.gradient(y)), x, None)
    np.testing.assert_allclose(np.trace(second, axis1=-2, axis2=-1), 0, atol=1e-11)


def test_within_the_sphere_nothing_flows():
    assert np.isnan(STOKES([[0, 0, 0], [0, 0.69, 0]])).all()


def test_hill_velocity_is_continuous_and_along_the_sphere():
    x, _ = on_sphere(A)
    inner, outer = HILL(x * (1 - 1e-13)), HILL(x * (1 + 1e-13))
    np.testing.assert_allclose(inner, outer, atol=1e-11)
    np.testing.assert_allclose(np.einsum("ni,ni->n", inner, x), 0, atol=1e-11)


def test_hill_vorticity_grows_from_the_axis_and_is_none_outside():
    """Hill 1894: ω_φ = −(15/2) U ρ/a² inside, at rest in a stream along z."""
    x = HILL.samples(2000)
    inside = np.linalg.norm(x, axis=1) < A
    omega = axial_vector(HILL.gradient(x))
    np.testing.assert_allclose(omega[~inside], 0, atol=1e-14)
    np.testing.assert_allclose(omega[inside], -7.5 * U / A**2 * np.cross([0, 0, 1.0], x[inside]), atol=1e-13)


def test_hill_streams_far_away():
    np.testing.assert_allclose(HILL([[1e6, 0, 1e6]]), [[0, 0, U]], atol=1e-12)
