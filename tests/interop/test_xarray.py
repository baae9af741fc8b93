"""Round trips through xarray keep lattices and values exactly; its own derivative agrees."""

import sys

import numpy as np
import pytest

import flowgrad
from flowgrad.errors import MissingDependencyError, OptionError
from flowgrad.series import difference
from tests.interop.conftest import LATTICES, MESHES, assert_same_values, flow_on

xarray = pytest.importorskip("xarray", reason="xarray is not installed")


@pytest.mark.parametrize("name", LATTICES)
@pytest.mark.parametrize("location", ["points", "cells"])
def test_a_lattice_comes_back_as_it_went(name, location):
    lattice = LATTICES[name]
    flow = flow_on(lattice, location)
    back = flowgrad.from_xarray(flowgrad.to_xarray(flow))
    np.testing.assert_array_equal(lattice.points, back.mesh.points)
    assert back.mesh.shape == lattice.shape
    assert [axis.period is None for axis in back.mesh.axes] == [axis.period is None for axis in lattice.axes]
    assert_same_values(flow, back)
    np.testing.assert_array_equal(back.field_data["k"], [1.0, 2.5])


def test_through_a_netcdf_file(tmp_path):
    pytest.importorskip("netCDF4", reason="netCDF4 is not installed")
    flow = flow_on(LATTICES["uneven"])
    flowgrad.to_xarray(flow).to_netcdf(tmp_path / "a.nc", engine="netcdf4")
    with xarray.open_dataset(tmp_path / "a.nc", engine="netcdf4") as data:
        back = flowgrad.from_xarray(data)
    assert difference(flow.mesh, back.mesh) == ""
    assert_same_values(flow, back)


def series_of(lattice):
    rng = np.random.default_rng(1)
    return flowgrad.Series.from_arrays(lattice, [0.0, 1.0, 2.5], rng.normal(size=(3, lattice.point_count, 3)))


def test_a_series_comes_back_as_it_went():
    series = series_of(LATTICES["uneven"])
    data = flowgrad.to_xarray(series)
    assert dict(data.sizes) == {"time": 3, "x": 4, "y": 4, "z": 4, "component": 3}
    back = flowgrad.from_xarray(data)
    assert len(back) == 3
    for one, other in zip(series, back, strict=True):
        assert_same_values(one, other)
    assert difference(series.mesh, back.mesh) == ""


def test_data_sets_of_others():
    x, y = np.linspace(0, 1, 5), np.linspace(0, 2, 6)
    u = xarray.DataArray(3 * y[:, None] + 0 * x, dims=("y", "x"), coords={"x": x, "y": y})
    times = np.array(["2020-01-01T00:00:00", "2020-01-01T00:00:02"], "datetime64[ns]")
    data = xarray.concat([xarray.Dataset({"u": u, "v": 0 * u})] * 2, xarray.DataArray(times, dims="time", name="time"))
    series = flowgrad.from_xarray(data)
    assert [flow.time for flow in series] == [0, 2]
    np.testing.assert_allclose(flowgrad.velocity_gradient(series[1]).L[:, 0, 1], 3, atol=1e-12)


def test_the_gradient_is_that_of_xarray_inside():
    lattice = flowgrad.Lattice.uniform((9, 8, 7), (0.1, 0.2, 0.3))
    flow = flowgrad.Flow(lattice, np.sin(lattice.points @ np.ones((3, 3))) * [1, 2, 3], "points")
    ours = flowgrad.to_xarray(flowgrad.velocity_gradient(flow, flowgrad.FiniteDifference(order=2)), ["L"])
    theirs = flowgrad.to_xarray(flow)["velocity"].differentiate("y").isel(y=slice(1, -1))
    part = ours["L"].sel(derivative="y").isel(y=slice(1, -1))
    np.testing.assert_allclose(part, theirs.transpose(*part.dims), atol=1e-12)
    assert ours["L"].attrs["dimension"] == "1/T"
    assert ours["L"].sel(component="x", derivative="y").dims == ("x", "y", "z")


def test_what_is_refused_says_why(monkeypatch):
    with pytest.raises(OptionError, match="is no lattice"):
        flowgrad.to_xarray(flow_on(MESHES["tetra"]))
    data = flowgrad.to_xarray(flow_on(LATTICES["uneven"]))
    with pytest.raises(OptionError, match="no coordinate 'x'"):
        flowgrad.from_xarray(data.rename(x="east"))
    with pytest.raises(OptionError, match="'odd' has the dimensions"):
        flowgrad.from_xarray(data.assign(odd=("w", [1.0, 2.0])))
    lattice = LATTICES["uneven"]
    flows = [flow_on(lattice), flowgrad.Flow(lattice, np.zeros((64, 3)), "points")]
    with pytest.raises(OptionError, match="do not all have number, p, six, two"):
        flowgrad.to_xarray(flowgrad.Series.from_flows(flows))
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(MissingDependencyError, match=r"install flowgrad\[xarray\]"):
        flowgrad.to_xarray(flow_on(lattice))
