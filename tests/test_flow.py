"""What is known of a flow's noise."""

import numpy as np
import pytest

from flowgrad import Flow, OptionError, read
from flowgrad.io import write_vtu
from tests import meshes

MESH = meshes.SOLIDS["tetra"]
N = len(MESH.points)
VELOCITY = np.random.default_rng(0).normal(size=(N, 3))


def noise_of(noise, velocity=VELOCITY):
    return Flow(MESH, velocity, "points", noise=noise).noise


def test_a_number_or_one_value_for_each_sample_or_component():
    assert noise_of(None) is None
    assert noise_of(0.02) == 0.02
    assert noise_of(np.float32(2)) == 2.0
    np.testing.assert_array_equal(noise_of(list(range(N))), np.arange(N))
    np.testing.assert_array_equal(noise_of(np.ones((N, 1))), np.ones(N))
    np.testing.assert_array_equal(noise_of(np.ones((N, 2))), [[1, 1, 0]] * N)
    assert Flow(MESH, VELOCITY, "points", noise=np.array([3.0, 4.0] * (N // 2))).noise_size == pytest.approx(12.5**0.5)


@pytest.mark.parametrize(
    ("noise", "message"),
    [
        (-0.1, "noise is -0.1"),
        (np.inf, "noise is inf"),
        (np.nan, "noise is nan"),
        ("loud", "noise is 'loud'"),
        (np.ones(N - 1), rf"\({N - 1},\): give a number, \({N},\) or \({N}, 3\)"),
        (np.where(np.arange(N) < 3, -1.0, 1.0), f"at 3 of {N} velocities"),
        (np.where(np.arange(N) < 2, np.nan, 1.0), f"at 2 of {N} velocities"),
    ],
)
def test_what_is_no_deviation_is_refused(noise, message):
    with pytest.raises(OptionError, match=message):
        noise_of(noise)


def test_missing_velocities_need_no_noise():
    holes = np.arange(N)[:, None] < 2
    noise = np.where(holes[:, 0], np.nan, 0.1)
    np.testing.assert_array_equal(noise_of(noise, np.where(holes, np.nan, VELOCITY)), noise)


def test_two_components_in_a_plane_are_noisy_in_the_plane():
    mesh = meshes.planar("triangle")
    flow = Flow.from_arrays(mesh.points, mesh.cells, VELOCITY[: len(mesh.points), :2], "points", noise=0.5)
    np.testing.assert_array_equal(flow.noise, [[0.5, 0.5, 0]] * len(mesh.points))
    three = Flow.from_arrays(mesh.points, mesh.cells, VELOCITY[: len(mesh.points)], "points", noise=0.5)
    assert three.noise == 0.5
    assert Flow.from_arrays(MESH.points, MESH.cells, VELOCITY * [1, 1, 0], "points", noise=0.5).noise == 0.5


def test_a_file_names_its_own_noise(tmp_path):
    write_vtu(tmp_path / "piv.vtu", MESH, {"U": VELOCITY, "uncertainty": np.arange(float(N))})
    assert read(tmp_path / "piv.vtu", noise=0.25).noise == 0.25
    assert read(tmp_path / "piv.vtu", noise="0.25").noise == 0.25
    np.testing.assert_array_equal(read(tmp_path / "piv.vtu", noise="uncertainty").noise, np.arange(N))
    with pytest.raises(OptionError, match=r"uncertanty.*did you mean 'uncertainty'"):
        read(tmp_path / "piv.vtu", noise="uncertanty")


def test_arrays_without_rows_keep_their_components():
    flow = Flow.from_arrays(np.eye(3), None, np.eye(3), cell_data={"a": np.empty((0, 3, 3)), "b": np.empty(0)})
    assert (flow.cell_data["a"].shape, flow.cell_data["b"].shape) == ((0, 9), (0,))
