"""Vortex criteria and the triple decomposition: published numbers, closed forms, definitions."""

import numpy as np
import pytest
from scipy.optimize import brentq

from flowgrad import VelocityGradient, tensors, velocity_gradient
from flowgrad.exact import LambOseen

RNG = np.random.default_rng(5)
RANDOM = VelocityGradient(RNG.normal(size=(2000, 3, 3)))
GAMMA = 2.5
MOTIONS = VelocityGradient(
    np.array(
        [
            [[0, GAMMA, 0], [0, 0, 0], [0, 0, 0]],  # simple shear
            np.diag([0.7, -0.35, -0.35]),  # uniaxial extension
            [[0, -2, 0], [2, 0, 0], [0, 0, 0]],  # rigid rotation
        ]
    )
)
SWIRLS = RANDOM["swirling_strength"] > 0


def one(L):
    return VelocityGradient(np.array([L], float))


def test_a_published_tensor():
    found = one([[4, -3, 7], [3, 4, 0], [5, 10, 10]])
    assert found["real_eigenvalue"][0] == pytest.approx(14.721604736, abs=1e-9)
    assert found["swirling_strength"][0] == pytest.approx(4.364606726, abs=1e-9)
    assert found["vorticity"][0] @ found["swirl_axis"][0] == pytest.approx(10.492138535, abs=1e-9)
    assert np.linalg.norm(found["liutex"][0]) == pytest.approx(4.670987141, abs=1e-9)
    np.testing.assert_allclose(found["liutex"][0], [2.39427764, 0.6699401, 3.95433126], atol=1e-8)
    assert found["q_criterion"][0] == pytest.approx(70, abs=1e-12)
    assert found["delta_criterion"][0] == pytest.approx(25523.70, abs=0.005)
    assert found["lambda2"][0] == pytest.approx(-12.593682, abs=1e-6)
    deviator = VelocityGradient(tensors.deviator(found.L))
    assert deviator["shear_rate"][0] == pytest.approx(17.088007490, abs=1e-9)
    assert np.linalg.norm(deviator["vorticity"][0]) == pytest.approx(11.832159566, abs=1e-9)
    assert one(np.diag([1, 2, 3]))["q_criterion"][0] == 11


def test_eigenvalues_are_numpys():
    expected = np.linalg.eigvals(RANDOM.L)
    imaginary = expected.imag.max(axis=1)
    np.testing.assert_allclose(RANDOM["swirling_strength"], imaginary, atol=1e-11)
    rows = np.arange(len(expected))
    real = expected[rows, np.abs(expected.imag).argmin(axis=1)].real
    np.testing.assert_allclose(RANDOM["real_eigenvalue"][SWIRLS], real[SWIRLS], atol=1e-11)
    np.testing.assert_allclose(RANDOM["real_eigenvalue"][~SWIRLS], expected.real.max(axis=1)[~SWIRLS], atol=1e-11)
    pair = expected[rows, expected.imag.argmax(axis=1)]
    np.testing.assert_allclose(RANDOM["swirling_expansion"][SWIRLS], pair.real[SWIRLS], atol=1e-11)
    assert np.isnan(RANDOM["swirling_expansion"][~SWIRLS]).all()
    ratio = RANDOM["inverse_spiraling_compactness"][SWIRLS] * RANDOM["swirling_strength"][SWIRLS]
    np.testing.assert_allclose(ratio, pair.real[SWIRLS], atol=1e-11)


def test_delta_is_positive_where_eigenvalues_are_complex():
    np.testing.assert_array_equal(RANDOM["delta_criterion"] > 0, SWIRLS)
    expanding = VelocityGradient(RANDOM.L + 5 * np.eye(3))
    np.testing.assert_allclose(expanding["delta_criterion"], RANDOM["delta_criterion"], rtol=1e-9, atol=1e-9)


def test_liutex_by_its_definition():
    """R = ω·r − √((ω·r)² − 4 λ_ci²) (Wang, Gao & Liu 2018); r turns nothing and is an eigenvector."""
    L, r, R = RANDOM.L[SWIRLS], RANDOM["swirl_axis"][SWIRLS], RANDOM["liutex"][SWIRLS]
    np.testing.assert_allclose(tensors.apply(L, r), RANDOM["real_eigenvalue"][SWIRLS][:, None] * r, atol=1e-11)
    along = tensors.dot(RANDOM["vorticity"][SWIRLS], r)
    assert (along > 0).all()
    root = np.sqrt(np.maximum(along**2 - 4 * RANDOM["swirling_strength"][SWIRLS] ** 2, 0))
    np.testing.assert_allclose(R, (along - root)[:, None] * r, atol=2e-7)  # the root loses half the digits near 0
    assert not RANDOM["liutex"][~SWIRLS].any()


def test_omega():
    D, W = (RANDOM.D**2).sum(axis=(1, 2)), (RANDOM.W**2).sum(axis=(1, 2))
    epsilon = 0.001 * (W - D).max()
    np.testing.assert_allclose(RANDOM["omega_epsilon"], epsilon, rtol=1e-14)
    np.testing.assert_allclose(RANDOM["omega_criterion"], W / (D + W + epsilon), rtol=1e-14)
    given = RANDOM.supply(omega_epsilon=np.full(len(D), 0.5))
    np.testing.assert_allclose(given["omega_criterion"], W / (D + W + 0.5), rtol=1e-14)
    still = VelocityGradient(np.zeros((2, 3, 3)))
    assert np.isnan(still["omega_criterion"]).all()  # 0/0 where nothing moves at all


def test_epsilon_leaves_out_what_is_missing():
    L = RANDOM.L.copy()
    L[5] = np.nan
    rest = VelocityGradient(np.delete(L, 5, axis=0))
    assert VelocityGradient(L)["omega_epsilon"][0] == rest["omega_epsilon"][0]


def test_q_of_lamb_oseens_vortex_changes_sign_at_the_published_radius():
    """r/r_c = 1.1209064 (that of the largest swirl velocity)."""
    vortex = LambOseen()
    core = vortex.core_radius

    def q(radius):
        return velocity_gradient(vortex, at=[[radius, 0.0, 0.0]])["q_criterion"][0]

    radius = brentq(q, 0.5 * core, 2 * core, xtol=1e-12)
    assert radius / core == pytest.approx(1.1209064, abs=1e-7)


def test_the_parts_of_pure_motions():
    parts = [MOTIONS[name] for name in ("pure_shear", "elongation", "rigid_rotation")]
    for i, part in enumerate(parts):
        expected = np.zeros((3, 3, 3))
        expected[i] = MOTIONS.L[i]
        np.testing.assert_allclose(part, expected, atol=1e-15)
    np.testing.assert_allclose(shares(MOTIONS), np.eye(3), atol=1e-15)


def shares(gradient):
    return np.column_stack([gradient[f"{part}_share"] for part in ("shear", "elongation", "rotation")])


def test_the_three_parts_of_any_motion():
    shear, elongation, rotation = (RANDOM[name] for name in ("pure_shear", "elongation", "rigid_rotation"))
    np.testing.assert_allclose(shear + elongation + rotation, RANDOM.L, atol=1e-14)
    np.testing.assert_allclose(elongation, elongation.swapaxes(1, 2), atol=1e-14)
    np.testing.assert_allclose(np.trace(elongation, axis1=1, axis2=2), RANDOM["divergence"], atol=1e-13)
    np.testing.assert_allclose(tensors.axial_vector(rotation), RANDOM["liutex"], atol=1e-12)
    np.testing.assert_allclose(shear @ shear @ shear, np.zeros_like(shear), atol=1e-12)  # nilpotent
    assert RANDOM["triple_residual"].max() < 1e-14
    np.testing.assert_allclose(shares(RANDOM).sum(axis=1), 1)


def test_a_plane_motion_is_kolars():
    """In a plane the residual spin is (|ω| − |s|)/2 with s = √(4 u_x² + (u_y + v_x)²) (Kolář 2007)."""
    L = np.zeros((500, 3, 3))
    L[:, :2, :2] = RNG.normal(size=(500, 2, 2))
    L[:, 1, 1] = -L[:, 0, 0]
    found = VelocityGradient(L)
    spin = np.abs(found["vorticity"][:, 2])
    strain = np.sqrt(4 * L[:, 0, 0] ** 2 + (L[:, 0, 1] + L[:, 1, 0]) ** 2)
    residual = np.maximum(spin - strain, 0) / 2
    np.testing.assert_allclose(np.abs(found["rigid_rotation"][:, 1, 0]), residual, atol=1e-13)


def test_multiple_eigenvalues_still_add_up():
    for L in ([[1, 1, 1], [0, 1, 1], [0, 0, 1]], [[0, 1, 0], [0, 0, 1], [0, 0, 0]], np.eye(3), np.zeros((3, 3))):
        found = one(L)
        total = found["pure_shear"] + found["elongation"] + found["rigid_rotation"]
        np.testing.assert_allclose(total, found.L, atol=1e-14)
