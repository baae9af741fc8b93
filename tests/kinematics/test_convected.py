"""Convected rates as pure functions: known flows, and what observers that turn must agree on."""

import numpy as np
import pytest

from flowgrad import OptionError
from flowgrad.kinematics.dynamics import (
    CONVECTED_RATES,
    convected_rate,
    corotational,
    lower_convected,
    material,
    upper_convected,
)

RNG = np.random.default_rng(5)
L = RNG.normal(size=(50, 3, 3))
T = RNG.normal(size=(50, 3, 3))
DT = RNG.normal(size=(50, 3, 3))
ZERO = np.zeros((1, 3, 3))


def transposed(A):
    return np.swapaxes(A, -1, -2)


def test_simple_shear():
    shear = np.array([[[0, 1.7, 0], [0, 0, 0], [0, 0, 0]]])
    A1 = shear + transposed(shear)
    np.testing.assert_array_equal(upper_convected(ZERO, shear, A1), np.diag([-2 * 1.7**2, 0, 0])[None])
    np.testing.assert_array_equal(lower_convected(ZERO, shear, A1), np.diag([0, 2 * 1.7**2, 0])[None])
    np.testing.assert_array_equal(corotational(ZERO, shear, A1), np.diag([-(1.7**2), 1.7**2, 0])[None])


def test_uniaxial_extension():
    extension = np.diag([2.0, -1, -1])[None]
    A1 = 2 * extension
    np.testing.assert_array_equal(lower_convected(ZERO, extension, A1), A1 @ A1)
    np.testing.assert_array_equal(upper_convected(ZERO, extension, A1), -A1 @ A1)
    np.testing.assert_array_equal(corotational(ZERO, extension, A1), ZERO)


def test_a_tensor_that_turns_with_the_fluid_has_no_rate():
    """T = Q T0 Qᵀ with Q̇ = W Q."""
    W = np.array([[[0, -2, 1], [2, 0, -3], [-1, 3, 0.0]]])
    rate = W @ T - T @ W
    for kind in (upper_convected, lower_convected, corotational):
        np.testing.assert_allclose(kind(rate, W, T), 0, atol=1e-13)


def test_material_lines_and_surfaces():
    """Dyads of lines, dℓ/dt = Lℓ, and of surfaces' normals, dn/dt = −Lᵀn, have no rate, each of its own kind."""
    line, normal = RNG.normal(size=(2, 50, 3))
    for kind, a, rate in (
        (upper_convected, line, np.einsum("nij,nj->ni", L, line)),
        (lower_convected, normal, -np.einsum("nji,nj->ni", L, normal)),
    ):
        dyad = a[:, :, None] * a[:, None]
        change = rate[:, :, None] * a[:, None] + a[:, :, None] * rate[:, None]
        np.testing.assert_allclose(kind(change, L, dyad), 0, atol=1e-13)


def test_the_corotational_rate_is_the_mean_of_the_others_for_any_tensor():
    """Upper and lower differ by D T + T D on both sides of the corotational rate."""
    mean = (upper_convected(DT, L, T) + lower_convected(DT, L, T)) / 2
    np.testing.assert_allclose(mean, corotational(DT, L, T), atol=1e-13)
    D = (L + transposed(L)) / 2
    np.testing.assert_allclose(corotational(DT, L, T) - upper_convected(DT, L, T), D @ T + T @ D, atol=1e-13)


def test_observers_that_turn_agree_on_objective_rates():
    """For the other observer L* = Q L Qᵀ + Ω, T* = Q T Qᵀ and DT*/Dt = Q DT/Dt Qᵀ + Ω T* − T* Ω, Ω = Q̇ Qᵀ."""
    Q = np.linalg.qr(RNG.normal(size=(3, 3)))[0]
    turning = np.array([[0, -0.4, 2], [0.4, 0, 1], [-2, -1, 0.0]])
    L_other, T_other = Q @ L @ Q.T + turning, Q @ T @ Q.T
    DT_other = Q @ DT @ Q.T + turning @ T_other - T_other @ turning
    for kind in (upper_convected, lower_convected, corotational):
        np.testing.assert_allclose(kind(DT_other, L_other, T_other), Q @ kind(DT, L, T) @ Q.T, atol=1e-12)
    assert np.abs(material(DT_other, L_other, T_other) - Q @ material(DT, L, T) @ Q.T).max() > 0.1


def test_rates_by_their_names():
    for name, function in CONVECTED_RATES.items():
        np.testing.assert_array_equal(convected_rate(name, DT, L, T), function(DT, L, T))
    with pytest.raises(OptionError, match=r"unknown rate 'corotation'.*corotational"):
        convected_rate("corotation", DT, L, T)
