"""NetCDF grids in blocks, whatever the order of their dimensions, with flags, missing values and times."""

from __future__ import annotations

import numpy as np
import pytest

from flowgrad import Options, ReadError, analyse
from flowgrad.io import read_contents
from flowgrad.pipeline.out_of_core import run_in_blocks

netCDF4 = pytest.importorskip("netCDF4")

SIZES = {"x": 6, "y": 5, "z": 3}


def write(path, order, *, flags=False, packed=False):
    """Random velocities at two times, a hole in the last."""
    rng = np.random.default_rng(0)
    with netCDF4.Dataset(path, "w") as data:
        data.createDimension("time", 2)
        data.createVariable("time", "f8", ("time",))[:] = [0.0, 0.5]
        for name, n in SIZES.items():
            data.createDimension(name, n)
            data.createVariable(name, "f8", (name,))[:] = np.sort(rng.uniform(0, 1, n))[:: -1 if name == "y" else 1]
        for name in "uvw":
            variable = data.createVariable(name, "i2" if packed else "f4", ("time", *order), fill_value=-999)
            if packed:
                variable.scale_factor = 0.01
            values = np.ma.masked_array(rng.normal(size=(2, *(SIZES[axis] for axis in order))))
            values[1, 1, 2, 1] = np.ma.masked
            variable[:] = values
        if flags:
            marks = np.zeros([2, *(SIZES[axis] for axis in order)], "i1")
            marks[1, 2, 1, 2] = 1
            data.createVariable("flags", "i1", ("time", *order))[:] = marks
    return path


@pytest.mark.parametrize(("order", "extra"), [("zyx", {"flags": True}), ("xzy", {"packed": True})])
def test_equal_to_the_whole(tmp_path, order, extra):
    path = write(tmp_path / "a.nc", order, **extra)
    options = Options(quantities=("L", "shear_rate"), block_memory="1")
    found, whole = run_in_blocks(path, tmp_path / "out", options), analyse(path, options)
    result = read_contents(tmp_path / "out_blocks.vtr")
    single = np.float64 if "packed" in extra else np.float32
    for name in options.quantities:
        due = whole.gradient[name].reshape(-1, 9 if name == "L" else 1).astype(single)
        np.testing.assert_array_equal(result.point_data[name].reshape(due.shape), due.astype(float))
    np.testing.assert_array_equal(result.mesh.points, whole.flow.mesh.points)
    # The reasons differ: noise is looked for in the whole alone.
    told = [{k: v for k, v in each["gradient"].items() if k != "reason"} for each in (found.summary, whole.summary())]
    assert told[0] == told[1]
    assert (result.time, found.summary["time"]) == (0.5, 0.5)
    assert found.summary["gradient"]["excluded"] > 0


def test_curvilinear_grids_are_not_cut(tmp_path):
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as data:
        data.createDimension("j", 4)
        data.createDimension("i", 5)
        for name, axis in (("x", "X"), ("y", "Y")):
            variable = data.createVariable(name, "f8", ("j", "i"))
            variable.axis = axis
            variable[:] = np.indices((4, 5))[1 if name == "x" else 0] + 0.1 * np.random.default_rng(0).random((4, 5))
        for name in "uv":
            data.createVariable(name, "f8", ("j", "i"))[:] = 1.0
    with pytest.raises(ReadError, match="has a curvilinear grid, which is not read in blocks"):
        run_in_blocks(path, tmp_path / "out", Options(block_memory="1"))
    assert run_in_blocks(path, tmp_path / "out", Options()) is None
