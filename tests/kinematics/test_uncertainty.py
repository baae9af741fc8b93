"""Standard deviations of quantities against what many draws of L show."""

import numpy as np
import pytest

from flowgrad import QUANTITIES, OptionError, VelocityGradient, quantity
from flowgrad.kinematics.uncertainty import why_not

RNG = np.random.default_rng(11)
L = RNG.normal(size=(40, 3, 3))
FACTORS = 1e-4 * RNG.normal(size=(40, 3, 3))  # C = F Fᵀ
C = FACTORS @ FACTORS.swapaxes(1, 2)
VISCOSITY = RNG.uniform(1, 2, 40)
# All but what is zero and only shows the rounding.
DERIVED = [name for name in QUANTITIES if not why_not(name, {}) and name != "triple_residual"]


def with_noise(covariance=C, tensors=L):
    return VelocityGradient(tensors, covariance=covariance).supply(viscosity=np.resize(VISCOSITY, len(tensors)))


def test_closed_forms():
    gradient = with_noise()
    np.testing.assert_allclose(gradient.std("L"), np.sqrt(np.diagonal(C, axis1=1, axis2=2))[:, None] * np.ones((3, 1)))
    var = np.diagonal(C, axis1=1, axis2=2)
    np.testing.assert_allclose(gradient.std("vorticity")[:, 2], np.sqrt(var[:, 0] + var[:, 1]))
    np.testing.assert_allclose(gradient.std("divergence"), np.sqrt(var.sum(axis=1)))
    slope = 2 * gradient.D / gradient["shear_rate"][:, None, None]  # of √(2 D:D)
    np.testing.assert_allclose(gradient.std("shear_rate"), np.sqrt(np.einsum("nij,njl,nil->n", slope, C, slope)))


@pytest.mark.parametrize("name", DERIVED)
@pytest.mark.parametrize("per_component", [False, True])
def test_deviations_are_those_of_many_draws(name, per_component):
    """4,000 draws of each of 40 tensors."""
    draws, rng = 4000, np.random.default_rng(0)
    scale = np.array([1.0, 0.3, 2.0]) if per_component else np.ones(3)
    covariance = scale[:, None, None] ** 2 * C[:, None] if per_component else C
    gradient = with_noise(covariance)
    predicted = gradient.std(name)
    assert predicted.shape == gradient[name].shape
    noise = rng.normal(size=(draws, 40, 3, 3)) @ FACTORS.swapaxes(1, 2) * scale[:, None]
    mean, drawn = gradient[name], with_noise(None, (L + noise).reshape(-1, 3, 3))[name]
    drawn = drawn.reshape(draws, *mean.shape)
    if name == "principal_directions":
        drawn = drawn * np.sign((drawn * mean).sum(axis=2, keepdims=True))
    known = np.isfinite(predicted)
    assert known.reshape(40, -1).any(axis=1).sum() > 20  # a part of the tensors has no swirl
    deviation = np.sqrt(np.mean((drawn - mean)[:, known] ** 2))
    assert np.sqrt(np.mean(predicted[known] ** 2)) == pytest.approx(deviation, rel=0.02)


@pytest.mark.parametrize("name", DERIVED)
def test_the_whole_covariance_says_the_same_where_components_are_independent(name):
    per_component = np.array([1.0, 0.3, 2.0])[:, None, None] * C[:, None]
    whole = np.einsum("ik,nijl->nijkl", np.eye(3), per_component)
    np.testing.assert_allclose(with_noise(whole).std(name), with_noise(per_component).std(name), rtol=1e-10)


def test_noise_that_joins_components_is_carried():
    """One number x, with ∂L/∂x = A: std(q) = |∂q/∂L : A| σ_x."""
    A = RNG.normal(size=(40, 3, 3))
    gradient = with_noise(np.einsum("nij,nkl->nijkl", A, A))
    np.testing.assert_allclose(gradient.std("vorticity")[:, 0], np.abs(A[:, 2, 1] - A[:, 1, 2]), rtol=1e-7)
    np.testing.assert_allclose(gradient.std("divergence"), np.abs(np.trace(A, axis1=1, axis2=2)), rtol=1e-7)


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_deviations_scale_with_the_tensors(scale):
    powers = {"1/T": 1, "1/T²": 2, "1/T³": 3, "1/T⁶": 6, "1": 0, "M/(L T³) or L²/T³": 2, "M/(L T²) or L²/T²": 1}
    for name in DERIVED:
        expected = scale ** powers[QUANTITIES[name].dimension] * with_noise().std(name)
        found = with_noise(scale**2 * C, scale * L).std(name)
        np.testing.assert_allclose(found, expected, rtol=1e-8, err_msg=name)


def test_no_derivative_no_deviation():
    rest = VelocityGradient(np.zeros((1, 3, 3)), covariance=np.eye(3)[None])
    for name in ("flow_type", "kinematic_vorticity_number", "principal_directions"):
        assert np.isnan(rest.std(name)).all(), name
    np.testing.assert_allclose(rest.std("vorticity"), 2**0.5)
    # Those that are known to second order have one.
    for name in ("shear_rate", "q_criterion", "principal_rates"):
        assert (rest.std(name) > 0).all(), name
    shear = VelocityGradient(np.array([[[0, 1.0, 0], [0, 0, 0], [0, 0, 0]]]), covariance=1e-8 * np.eye(3)[None])
    assert shear.std("shear_rate")[0] == pytest.approx(1e-4 * 2**0.5)


def test_what_is_missing_stays_missing_and_spoils_nothing_else():
    tensors, covariance = L.copy(), C.copy()
    tensors[3] = np.nan
    tensors[5, :, 2] = np.nan  # a plane cut from a 3-D flow
    covariance[7, :, 2] = covariance[7, 2] = np.nan
    gradient, whole = with_noise(covariance, tensors), with_noise()
    for name in DERIVED:
        deviation = gradient.std(name)
        assert np.isnan(deviation[3]).all(), name
        np.testing.assert_array_equal(deviation[9:], whole.std(name)[9:])
    for row in (5, 7):
        np.testing.assert_array_equal(gradient.std("vorticity")[row, 2], whole.std("vorticity")[row, 2])
        assert np.isnan(gradient.std("vorticity")[row, :2]).all()
        assert np.isnan(gradient.std("divergence")[row])


def test_what_has_no_deviation_is_refused_with_the_reason():
    with pytest.raises(OptionError, match="--noise"):
        VelocityGradient(L).std("vorticity")
    with pytest.raises(OptionError, match="did you mean 'vorticity'"):
        with_noise().std("vortcity")
    with pytest.raises(OptionError, match="second derivatives"):
        with_noise().supply(hessian=np.zeros((40, 3, 3, 3))).std("viscous_force")
    with pytest.raises(OptionError, match=r"covariance has the shape \(39, 3, 3\)"):
        VelocityGradient(L, covariance=C[:39])
    assert not with_noise().carries_noise("laplacian")
    assert with_noise().carries_noise("dissipation")


def test_a_function_without_a_rule_is_named(monkeypatch):
    def largest_part(L):
        """Largest real part of the eigenvalues."""
        return np.linalg.eigvals(L).real.max(axis=-1)

    monkeypatch.setattr("flowgrad.kinematics.registry.QUANTITIES", dict(QUANTITIES))
    quantity("x", "1/T")(largest_part)
    with pytest.raises(OptionError, match=r"largest_part is not known: no derivative is known for numpy.linalg\.eigv"):
        with_noise().std("largest_part")


def test_each_deviation_is_computed_once():
    gradient = with_noise()
    assert gradient.std("lambda2") is gradient.std("lambda2")


def test_where_nothing_swirls_all_around_nothing_deviates():
    """Real and distinct eigenvalues: Liutex and rotation are zero in a neighbourhood, the shares smooth."""
    upper = np.triu(RNG.normal(size=(40, 3, 3))) + np.diag([5.0, 0.0, -5.0])
    gradient = with_noise(tensors=upper)
    for name in ("liutex", "rigid_rotation", "rotation_share", "swirling_strength"):
        assert not gradient.std(name).any(), name
    assert np.isfinite(gradient.std("shear_share")).all()
    assert np.isfinite(gradient.std("elongation_share")).all()


def test_inputs_are_checked_and_numbers_are_the_same_everywhere():
    gradient = VelocityGradient(L)
    half = gradient.supply(omega_epsilon=0.5)["omega_criterion"]
    np.testing.assert_array_equal(half, gradient.supply(omega_epsilon=np.full(40, 0.5))["omega_criterion"])
    for name, wrong in (("viscosity", np.ones((40, 1))), ("velocity", np.ones((40, 2))), ("L_rate", np.ones(40))):
        with pytest.raises(OptionError, match=f"{name} has the shape"):
            gradient.supply(**{name: wrong})


def test_a_field_that_is_known_nowhere_has_no_epsilon():
    assert np.isnan(VelocityGradient(np.full((3, 3, 3), np.nan))["omega_epsilon"]).all()
