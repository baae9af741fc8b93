from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest

import flowgrad
from flowgrad import FlowgradError, Lattice, OptionError, ReadError, read
from flowgrad.io import read_contents
from flowgrad.io.netcdf import check_length

netCDF4 = pytest.importorskip("netCDF4")

SIZES = {"time": 3, "x": 5, "y": 4, "z": 3}


def write(path: Path, order=("time", "y", "x"), units="m", since="hours since 2000-01-01", hole=False, up=None) -> Path:
    """u = y/2 (1 + the time's number), v = −x/4."""
    with netCDF4.Dataset(path, "w") as file:
        for name in order:
            file.createDimension(name, None if name == "time" else SIZES[name])
            variable = file.createVariable(name, "f8", (name,))
            variable[:] = np.arange(SIZES[name]) * 2.0
            variable.units = since if name == "time" else units
            if name != "time":
                variable.axis = name.upper()
        if up:
            file["z"].positive = up
        grids = dict(zip(order, np.meshgrid(*[file[name][:].data for name in order], indexing="ij"), strict=True))
        velocity = {"u": 0.5 * grids["y"] * (1 + grids.get("time", 0.0) / 2), "v": -0.25 * grids["x"]}
        for name, values in velocity.items():
            variable = file.createVariable(name, "f4", order, fill_value=-999.0)
            variable.units = "m/s"
            variable[:] = np.where(hole & (grids["x"] == 0), -999.0, values)
        file.createVariable("density", "f8", ())[...] = 998.0
    return path


@pytest.mark.parametrize("order", [("x", "y"), ("time", "z", "y", "x")])
def test_orders_of_axes_and_times(tmp_path, order):
    series = flowgrad.read_series(write(tmp_path / "a.nc", order))
    assert len(series) == (3 if "time" in order else 1)
    for number, flow in enumerate(series):
        assert isinstance(flow.mesh, Lattice)
        assert flow.mesh.shape == (5, 4, 3 if "z" in order else 1)
        np.testing.assert_allclose(flow.velocity[:, 0], 0.5 * flow.mesh.points[:, 1] * (1 + number))
        np.testing.assert_allclose(flow.velocity[:, 1], -0.25 * flow.mesh.points[:, 0])
        assert flow.field_data["density"].tolist() == [998]
        assert flow.time == (7200 * number if "time" in order else None)


def test_one_of_the_times(tmp_path):
    path = write(tmp_path / "a.nc")
    assert read(path, time=7200).velocity[:, 0].max() == 6
    with pytest.raises(OptionError, match="has no time 5: it holds 0, 7200, 14400"):
        read(path, time=5)


def test_fill_values_are_missing(tmp_path):
    flow = read(write(tmp_path / "a.nc", hole=True))
    np.testing.assert_array_equal(np.isnan(flow.velocity).any(axis=1), flow.mesh.points[:, 0] == 0)


@pytest.mark.parametrize(("up", "low"), [("down", -4), ("up", 0)])
def test_depth_runs_down(tmp_path, up, low):
    assert read(write(tmp_path / "a.nc", ("z", "y", "x"), up=up)).mesh.points[:, 2].min() == low


def test_curvilinear(tmp_path):
    r, phi = np.meshgrid(np.linspace(1, 2, 5), np.linspace(0, 1, 4))
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        file.createDimension("j", 4)
        file.createDimension("i", 5)
        arrays = {"x": r * np.cos(phi), "y": r * np.sin(phi), "u": -r * np.sin(phi), "v": r * np.cos(phi)}
        for name, values in arrays.items():
            file.createVariable(name, "f8", ("j", "i"))[:] = values
    flow = read(tmp_path / "a.nc")
    assert isinstance(flow.mesh, Lattice)
    assert flow.mesh.is_curved
    assert flow.mesh.shape == (5, 4, 1)
    np.testing.assert_allclose(flow.velocity[:, 0], -flow.mesh.points[:, 1])


def test_units(tmp_path):
    with pytest.raises(OptionError, match="longitudes and latitudes in degrees_east, which are no lengths"):
        read(write(tmp_path / "a.nc", units="degrees_east"))
    with pytest.raises(OptionError, match=r"positions are in km and .*--length-scale 1000"):
        read(write(tmp_path / "b.nc", units="km"))


def test_staggered_components_are_refused(tmp_path, refused):
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as file:
        for name, size in (("y", 4), ("x", 5), ("xs", 4)):
            file.createDimension(name, size)
            file.createVariable(name, "f8", (name,))[:] = range(size)
        file.createVariable("u", "f8", ("y", "x"))[:] = 0
        file.createVariable("v", "f8", ("y", "xs"))[:] = 0
    with refused(path, "u and v on different grids"):
        read(path)


def test_grids_without_coordinates_are_refused(tmp_path, refused):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        file.createDimension("j", 4)
        file.createDimension("i", 5)
        for name in "uv":
            file.createVariable(name, "f8", ("j", "i"))[:] = 0
    with refused(tmp_path / "a.nc", r"coordinates of its grid \(j, i\)"):
        read(tmp_path / "a.nc")


def test_45_gib_in_a_small_file_are_refused_before_memory_is_taken(tmp_path, refused):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as file:
        for name, size in (("y", 60000), ("x", 100000)):
            file.createDimension(name, size)
        for name in "uv":
            file.createVariable(name, "f8", ("y", "x"), chunksizes=(100, 100))
    assert (tmp_path / "a.nc").stat().st_size < 1e5
    with refused(tmp_path / "a.nc", "'u' declares 48000000000 bytes in a file of"):
        read_contents(tmp_path / "a.nc")


def test_damaged(tmp_path):
    path = write(tmp_path / "a.nc", ("y", "x"))
    data, rng = path.read_bytes(), np.random.default_rng(0)
    for length in (len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(FlowgradError, match=r"a\.nc: "):
            read_contents(path)
    for _ in range(2):
        changed = bytearray(data)
        for place in rng.integers(0, len(data), 3):
            changed[place] = rng.integers(256)
        path.write_bytes(bytes(changed))
        with contextlib.suppress(FlowgradError):
            assert len(read_contents(path).point_data) == 2


def test_a_dimension_that_was_changed_is_noticed(tmp_path):
    """The sizes of the variables, which the header repeats, no longer follow from the dimensions."""
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension("row", 60)
        file.createVariable("u", "f8", ("row",))[:] = np.arange(60.0)
    data = bytearray(path.read_bytes())
    place = data.index(b"row\0") + 7
    assert data[place] == 60
    data[place] = 51
    path.write_bytes(data)
    with pytest.raises(ReadError, match="a variable of 480 bytes, whose dimensions make 408"):
        check_length(path)
