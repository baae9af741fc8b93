"""Round trips through xarray keep lattices and values exactly; its own derivative agrees."""

import dataclasses
import sys

import numpy as np
import pytest

import flowgrad
from flowgrad import OptionError
from flowgrad.errors import MissingDependencyError
from flowgrad.series import difference
from tests.interop.conftest import (
    LATTICES,
    MESHES,
    assert_same_flow,
    assert_same_values,
    crowded_flow,
    flow_on,
    patched_flow,
)

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


@pytest.mark.parametrize("name", ["uneven", "closed", "one cell", "one quad", "one line"])
@pytest.mark.parametrize("location", ["points", "cells"])
def test_names_types_and_what_a_flow_is_told_come_back(name, location):
    single = {"one cell": (2, 2, 2), "one quad": (2, 2), "one line": (2,)}
    lattice = LATTICES[name] if name in LATTICES else flowgrad.Lattice.uniform(single[name])
    flow = crowded_flow(lattice, location)
    back = flowgrad.from_xarray(flowgrad.to_xarray(flow))
    assert back.velocity_name == "mine"
    assert_same_flow(flow, back)
    assert set(back.data(location)) == {*flow.data(location), "mine", "noise"}


def test_variables_that_were_renamed_or_copied_have_their_new_names():
    flow = flow_on(LATTICES["uneven"])
    flow = dataclasses.replace(flow, point_data={"p": flow.point_data["p"], "x": flow.point_data["p"]})
    flow = dataclasses.replace(flow, cell_data={"p": np.arange(27)})
    data = flowgrad.to_xarray(flow)
    back = flowgrad.from_xarray(data.rename(p_cell="q").assign(copy=data["x_"]))
    np.testing.assert_array_equal(back.cell_data["q"], np.arange(27))
    assert set(back.point_data) == {"p", "x", "copy", "velocity"}
    with pytest.raises(OptionError, match="two variables 'x' at the points"):
        flowgrad.from_xarray(data.assign(x__=data["x_"]))


def test_through_a_netcdf_file(tmp_path):
    pytest.importorskip("netCDF4", reason="netCDF4 is not installed")
    flow = crowded_flow(LATTICES["uneven"])
    flowgrad.to_xarray(flow).to_netcdf(tmp_path / "a.nc", engine="netcdf4")
    with xarray.open_dataset(tmp_path / "a.nc", engine="netcdf4") as data:
        back = flowgrad.from_xarray(data)
    assert difference(flow.mesh, back.mesh) == ""
    assert_same_flow(flow, back)


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


@pytest.mark.parametrize("name", ["uneven", "closed"])
def test_arrays_and_fields_of_a_series_come_back(name):
    fields = [{"Re": np.array([100.0]), "dt": np.array([0.1 * step]), "p": np.arange(3) * step} for step in range(3)]
    first = crowded_flow(LATTICES[name])
    flows = [
        dataclasses.replace(first, velocity=k * first.velocity, time=k / 3, field_data=each, source=None)
        for k, each in enumerate(fields)
    ]
    data = flowgrad.to_xarray(flowgrad.Series.from_flows(flows))
    np.testing.assert_array_equal(data.attrs["Re"], [100])
    for flow, back in zip(flows, flowgrad.from_xarray(data), strict=True):
        assert_same_flow(flow, back)
    assert_same_flow(flows[1], flowgrad.from_xarray(data.isel(time=1)))


def test_one_time_of_dates_and_of_durations():
    x = np.linspace(0, 1, 5)
    u = xarray.DataArray(np.ones((2, 5, 5)), dims=("time", "y", "x"), coords={"x": x, "y": x})
    dates = np.array(["1970-01-01T01:00:00", "1970-01-01T01:00:02.5"], "datetime64[ns]")
    data = xarray.Dataset({"u": u, "v": 0 * u}).assign_coords(time=dates)
    assert flowgrad.from_xarray(data.isel(time=1)).time == 3602.5
    durations = data.assign_coords(time=dates - dates[0])
    assert flowgrad.from_xarray(durations.isel(time=1)).time == flowgrad.from_xarray(durations)[1].time == 2.5
    for times, words in (
        (np.array(["2020-01-01", "NaT"], "datetime64[ns]"), "the time is missing at 1 of 2 steps"),
        (["early", "late"], "the time is .*early"),
    ):
        with pytest.raises(OptionError, match=words):
            flowgrad.from_xarray(data.assign_coords(time=times))


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
    with pytest.raises(OptionError, match="lattice"):
        flowgrad.to_xarray(flow_on(MESHES["tetra"]))
    data = flowgrad.to_xarray(flow_on(LATTICES["uneven"]))
    with pytest.raises(OptionError, match="no coordinate 'x'"):
        flowgrad.from_xarray(data.rename(x="east"))
    with pytest.raises(OptionError, match="'odd' has the dimensions"):
        flowgrad.from_xarray(data.assign(odd=("w", [1.0, 2.0])))
    lattice = LATTICES["uneven"]
    flows = [flow_on(lattice), flowgrad.Flow(lattice, np.zeros((64, 3)), "points")]
    with pytest.raises(OptionError, match="do not all have k, number, p, six, two"):
        flowgrad.to_xarray(flowgrad.Series.from_flows(flows))
    patched = patched_flow(lattice)
    for given in (patched, flowgrad.Series.from_flows([patched])):
        with pytest.raises(OptionError, match="xarray has no place for the patches"):
            flowgrad.to_xarray(given)
        assert "velocity" in flowgrad.to_xarray(given, boundary=False)
    for changed, words in (
        ({"noise": 0.2}, "steps of the series differ in noise"),
        ({"time": None}, "1 of 2 steps of the series have a time"),
        ({"field_data": {"k": np.ones(3)}}, r"'k' has the shapes \(2,\), \(3,\)"),
    ):
        pair = [dataclasses.replace(flows[0], noise=0.1), dataclasses.replace(flows[0], **{"noise": 0.1, **changed})]
        with pytest.raises(OptionError, match=words):
            flowgrad.to_xarray(flowgrad.Series.from_flows(pair))
    with pytest.raises(OptionError, match=r"'x' is <U.*, not numbers"):
        flowgrad.from_xarray(data.assign_coords(x=list("abcd")))
    odd = data.drop_vars(["number", "six", "x_cell", "y_cell", "z_cell"])
    with pytest.raises(OptionError, match="'p' has the dimensions"):
        flowgrad.from_xarray(odd.assign(p=(("x_cell", "y_cell", "z_cell"), np.ones((2, 3, 3)))))
    for wrong in (None, data["p"]):
        with pytest.raises(OptionError, match=r"xarray\.Dataset"):
            flowgrad.from_xarray(wrong)
    monkeypatch.setitem(sys.modules, "xarray", None)
    with pytest.raises(MissingDependencyError, match=r"install flowgrad\[xarray\]"):
        flowgrad.to_xarray(flow_on(lattice))
