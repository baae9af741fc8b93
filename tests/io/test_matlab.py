"""PIVlab's .mat files: frames, stages of validation, masks and units."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.io import savemat

import flowgrad
from flowgrad import read, velocity_gradient
from flowgrad.io import read_contents

X, Y = np.meshgrid(np.arange(8.0, 128, 8), np.arange(8.0, 96, 8))


def cells(*arrays: np.ndarray) -> np.ndarray:
    """A cell array (n, 1)."""
    found = np.empty((len(arrays), 1), object)
    for i, each in enumerate(arrays):
        found[i, 0] = each
    return found


def pivlab(path, frames=2, **changes):
    """What PIVlab saves of frames of a shear that grows; the second stage has a vector interpolated and one masked."""
    types = np.ones(X.shape)
    types[3, 4], types[5, 6] = 2, 0
    u = [(0.1 + 0.1 * i) * Y for i in range(frames)]
    spoiled = [each + 50 * (types == 2) for each in u]
    empty = cells(*[np.empty((0, 0))] * frames)
    data = {
        "x": cells(*[X] * frames),
        "y": cells(*[Y] * frames),
        "calxy": 1.0,
        "calu": 1.0,
        "calv": 1.0,
        "u_original": cells(*spoiled),
        "v_original": cells(*[0 * X] * frames),
        "u_filtered": cells(*u),
        "v_filtered": cells(*[0.2 * X] * frames),
        "typevector_original": cells(*[np.ones(X.shape)] * frames),
        "typevector_filtered": cells(*[types] * frames),
        "u_smoothed": empty,
        "v_smoothed": empty,
        "vorticity": empty,
        "units": "[px] respectively [px/frame]",
        "information": cells("The first dimension is the frame number."),
        **changes,
    }
    savemat(path, data)
    return path


def test_frames_are_a_series_of_validated_vectors(tmp_path):
    series = flowgrad.read_series(pivlab(tmp_path / "a.mat"))
    assert [flow.time for flow in series] == [1, 2]
    for i, flow in enumerate(series):
        known = np.isfinite(flow.velocity).all(axis=1)
        x, y, _ = flow.mesh.points.T
        assert (~known).sum() == 1
        assert (x[~known], y[~known]) == (X[5, 6], Y[5, 6])
        np.testing.assert_allclose(flow.velocity[known, 0], (0.1 + 0.1 * i) * y[known])
        np.testing.assert_allclose(flow.velocity[known, 1], 0.2 * x[known])
        assert flow.point_data["u_original"].max() > 50
        L = velocity_gradient(flow).L[known, :2, :2]
        np.testing.assert_allclose(L, np.broadcast_to([[0, 0.1 + 0.1 * i], [0.2, 0]], L.shape), atol=1e-12)
    assert read_contents(tmp_path / "a.mat").units["u"] == "px/frame"


def test_what_was_not_validated_is_the_original(tmp_path):
    none = cells(np.empty((0, 0)))
    path = pivlab(tmp_path / "a.mat", 1, u_filtered=none, v_filtered=none, typevector_filtered=none)
    flow = read(path)
    assert flow.time is None
    assert flow.velocity[:, 0].max() > 50


def test_arrays_of_ones_own(tmp_path):
    savemat(tmp_path / "a.mat", {"x": X, "y": Y, "u": 0.3 * Y, "v": 0 * X})
    np.testing.assert_allclose(velocity_gradient(read(tmp_path / "a.mat")).L[:, 0, 1], 0.3)


@pytest.mark.parametrize(
    ("data", "pattern"),
    [
        ({"u": X, "v": Y}, "has no x and y among u, v"),
        ({"x": X, "y": Y, "u_filtered": X[1:], "v_filtered": Y[1:]}, r"no u and v of the shape \(11, 15\)"),
        ({"x": X, "y": Y[1:], "u": X, "v": X}, "no u and v"),
    ],
)
def test_other_files_are_refused(tmp_path, refused, data, pattern):
    savemat(tmp_path / "a.mat", data)
    with refused(tmp_path / "a.mat", pattern):
        read_contents(tmp_path / "a.mat")


def test_damaged_files_are_refused(tmp_path, refused):
    data = pivlab(tmp_path / "a.mat").read_bytes()
    for cut in (60, 300, len(data) // 2):
        (tmp_path / "a.mat").write_bytes(data[:cut])
        with refused(tmp_path / "a.mat", "SciPy|has no"):
            read_contents(tmp_path / "a.mat")


def test_matlab_7_3_is_named(tmp_path, refused):
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "a.mat", "w", userblock_size=512) as file:
        file["x"] = X
    with (tmp_path / "a.mat").open("r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\x00\x02IM")
    with refused(tmp_path / "a.mat", "'-v7'"):
        read_contents(tmp_path / "a.mat")
