import numpy as np
import pytest

from flowgrad import VelocityGradient, Verdict, separate
from flowgrad.separation.stress import coherence, unexplained_share

RNG = np.random.default_rng(2)
ONES = np.ones(2000)


def generic(count=2000, seed=2):
    L = np.random.default_rng(seed).standard_normal((count, 3, 3))
    return VelocityGradient(L - np.trace(L, axis1=1, axis2=2)[:, None, None] / 3 * np.eye(3))


def test_a_second_grade_fluid_is_coherent_in_any_flow():
    gradient = generic()
    D, W = gradient.D, gradient.W
    assert coherence(W @ D - D @ W, D, W, ONES) == pytest.approx(1)
    square = D @ D
    along = np.einsum("nij,nij->n", square, D) / np.einsum("nij,nij->n", D, D)
    assert coherence(square - along[:, None, None] * D, D, W, ONES) == pytest.approx(1)


def test_noise_is_not_coherent():
    gradient = generic()
    noise = RNG.standard_normal((2000, 3, 3))
    assert coherence(noise + np.swapaxes(noise, 1, 2), gradient.D, gradient.W, ONES) < 0.1


def test_nothing_unexplained_is_not_coherent():
    gradient = generic(10)
    assert coherence(np.zeros((10, 3, 3)), gradient.D, gradient.W, np.ones(10)) == 0
    assert unexplained_share(np.zeros((10, 3, 3)), gradient.D, np.ones(10)) == 0


def test_pressure_and_one_corner_do_not_rule_the_share():
    stress = RNG.standard_normal((1000, 3, 3))
    part = np.zeros((1000, 3, 3))
    part[0] = 30 * stress[0]
    stress[0] *= 31
    assert unexplained_share(part, stress, np.ones(1000)) < 0.05
    pressure = 1e6 * np.ones((1000, 1, 1)) * np.eye(3)
    plain = unexplained_share(part, stress, np.ones(1000))
    assert unexplained_share(part - pressure, stress - pressure, np.ones(1000)) == pytest.approx(plain)


def maxwell_in_vortices(relaxation, count=400):
    """Steady upper-convected Maxwell stress (η = 1) in v = (sin x cos y, −cos x sin y), integrated
    along pathlines with Runge and Kutta's scheme until the start is forgotten."""

    def gradient(x):
        sines, cosines = np.sin(x), np.cos(x)
        L = np.zeros((count, 3, 3))
        L[:, 0, 0] = cosines[:, 0] * cosines[:, 1]
        L[:, 0, 1] = -sines[:, 0] * sines[:, 1]
        L[:, 1, 0], L[:, 1, 1] = -L[:, 0, 1], -L[:, 0, 0]
        return L

    def rate(x, stress):
        L = gradient(x)
        velocity = np.stack([np.sin(x[:, 0]) * np.cos(x[:, 1]), -np.cos(x[:, 0]) * np.sin(x[:, 1])], axis=1)
        transposed = np.swapaxes(L, 1, 2)
        return velocity, L @ stress + stress @ transposed + (L + transposed - stress) / relaxation

    x, stress, dt = np.random.default_rng(7).uniform(0, np.pi, (count, 2)), np.zeros((count, 3, 3)), 0.02
    for _ in range(int(12 * relaxation / dt)):
        k1 = rate(x, stress)
        k2 = rate(x + dt / 2 * k1[0], stress + dt / 2 * k1[1])
        k3 = rate(x + dt / 2 * k2[0], stress + dt / 2 * k2[1])
        k4 = rate(x + dt * k3[0], stress + dt * k3[1])
        x = x + dt / 6 * (k1[0] + 2 * k2[0] + 2 * k3[0] + k4[0])
        stress = stress + dt / 6 * (k1[1] + 2 * k2[1] + 2 * k3[1] + k4[1])
    return VelocityGradient(gradient(x)), stress


def test_a_maxwell_fluid_in_vortices_is_viscoelastic():
    gradient, stress = maxwell_in_vortices(0.35)
    separation = separate(gradient, stress=stress)
    assert separation.verdict is Verdict.VISCOELASTIC
    assert separation.coherence > 0.6


@pytest.mark.parametrize("relaxation", [0.1, 0.15, 0.18])
def test_a_weakly_elastic_fluid_is_nothing_else(relaxation):
    """Its memory bends the apparent η(γ̇), which must not be taken for a law."""
    gradient, stress = maxwell_in_vortices(relaxation)
    separation = separate(gradient, stress=stress)
    assert 0.05 < separation.unexplained < 0.2
    assert separation.verdict is Verdict.NOT_DECIDED
    assert "weakly elastic" in separation.sentence


def shear_with_normal_stress(n, ratio):
    """A power-law fluid in shear with N1 = ratio · τ12."""
    rate = np.geomspace(0.1, 100, 300)
    L, stress = np.zeros((300, 3, 3)), np.zeros((300, 6))
    L[:, 0, 1] = rate
    stress[:, 3] = rate**n
    stress[:, 0] = ratio * rate**n
    return separate(VelocityGradient(L), stress=stress)


def test_a_little_elasticity_hides_no_strong_law_and_is_told():
    separation = shear_with_normal_stress(0.4, 0.2)
    assert 0.05 < separation.unexplained < 0.2
    assert separation.verdict is Verdict.SHEAR_THINNING
    assert "weakly elastic besides" in separation.sentence


def test_a_little_elasticity_and_no_law_is_not_newtonian():
    separation = shear_with_normal_stress(1.0, 0.2)
    assert separation.verdict is Verdict.NOT_DECIDED
    assert "weakly elastic fluid" in separation.sentence
    assert shear_with_normal_stress(0.95, 0.2).verdict is Verdict.NOT_DECIDED


def test_a_bad_gradient_is_not_elasticity():
    """The stress of a Newtonian fluid against a gradient with as much error as signal."""
    exact = generic()
    error = np.random.default_rng(11).standard_normal((2000, 3, 3))
    separation = separate(VelocityGradient(exact.L + 0.5 * error), stress=0.2 * exact.D)
    assert separation.unexplained > 0.2
    assert separation.verdict is Verdict.NOT_DECIDED
    assert "no consistent direction" in separation.sentence
