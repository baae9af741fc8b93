import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from flowgrad import VelocityGradient
from flowgrad.separation.stress import normal_stress_differences, shear_frame


def frame_of(L):
    gradient = VelocityGradient(np.array([L], float))
    return shear_frame(gradient.L, gradient["principal_directions"])[0]


@pytest.mark.parametrize(("i", "j"), [(0, 1), (1, 0), (0, 2), (2, 1)])
@pytest.mark.parametrize("sign", [1, -1])
def test_in_shear_the_frame_is_flow_gradient_neutral(i, j, sign):
    L = np.zeros((3, 3))
    L[i, j] = sign * 2.0
    e1, e2, e3 = frame_of(L).T
    assert abs(e1[i]) == pytest.approx(1)
    assert abs(e2[j]) == pytest.approx(1)
    assert abs(e3[3 - i - j]) == pytest.approx(1)


def test_shear_with_more_rotation_or_extension_keeps_its_names():
    """The larger of the two components of L names the flow direction."""
    e1, _, _ = frame_of([[0, 3, 0], [-1, 0, 0], [0, 0, 0]]).T
    assert abs(e1[0]) == pytest.approx(1)
    e1, _, _ = frame_of([[0, 1, 0], [3, 0, 0], [0, 0, 0]]).T
    assert abs(e1[1]) == pytest.approx(1)


def test_frames_are_orthonormal():
    gradient = VelocityGradient(np.random.default_rng(1).standard_normal((100, 3, 3)))
    frames = shear_frame(gradient.L, gradient["principal_directions"])
    np.testing.assert_allclose(np.swapaxes(frames, 1, 2) @ frames, np.broadcast_to(np.eye(3), (100, 3, 3)), atol=1e-12)


def test_differences_in_any_frame():
    turn = Rotation.random(20, rng=4).as_matrix()
    stress = turn @ np.diag([5.0, 2.0, -1.0]) @ np.swapaxes(turn, 1, 2)
    n1, n2 = normal_stress_differences(stress, turn)
    np.testing.assert_allclose(n1, 3, rtol=1e-12)
    np.testing.assert_allclose(n2, 3, rtol=1e-12)
