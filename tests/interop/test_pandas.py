"""Tables: a row a place, in the mesh's order, with the very values; statistics and rankings."""

import json
import logging
import sys

import numpy as np
import pytest

import flowgrad
from flowgrad import OptionError
from flowgrad.errors import MissingDependencyError
from tests.interop.conftest import LATTICES, MESHES, assert_same_flow, crowded_flow, flow_on, patched_flow

pandas = pytest.importorskip("pandas", reason="pandas is not installed")


@pytest.mark.parametrize("name", ["tetra", "mixed", "points", "polygons"])
def test_rows_are_places_in_order(name):
    flow = flow_on(MESHES[name])
    frame = flowgrad.to_pandas(flow)
    np.testing.assert_array_equal(frame[["x", "y", "z"]], flow.mesh.points)
    np.testing.assert_array_equal(frame[["velocity_x", "velocity_y", "velocity_z"]], flow.velocity)
    np.testing.assert_array_equal(frame["p"], flow.point_data["p"])


@pytest.mark.parametrize("name", LATTICES)
def test_a_lattice_comes_back_from_a_table(name):
    flow = flow_on(LATTICES[name])
    back = flowgrad.from_pandas(flowgrad.to_pandas(flow))
    assert isinstance(back.mesh, flowgrad.Lattice)
    np.testing.assert_array_equal(back.mesh.points, flow.mesh.points)
    assert back.mesh.shape == flow.mesh.shape
    assert [axis.period is None for axis in back.mesh.axes] == [axis.period is None for axis in flow.mesh.axes]
    assert flow.location == back.location == "points"
    assert flow.time == back.time
    np.testing.assert_array_equal(back.velocity, flow.velocity)
    assert set(back.point_data) == {*flow.point_data, "velocity"}
    for array, values in flow.point_data.items():
        np.testing.assert_array_equal(back.point_data[array], values, strict=True)
    np.testing.assert_array_equal(back.field_data["k"], flow.field_data["k"])


@pytest.mark.parametrize("mesh", [MESHES["points"], LATTICES["falling"], LATTICES["closed"]])
def test_names_types_and_what_a_flow_is_told_come_back(mesh):
    flow = crowded_flow(mesh)
    frame = flowgrad.to_pandas(flow)
    np.testing.assert_array_equal(frame[["x", "y", "z"]], mesh.points)
    np.testing.assert_array_equal(frame[["mine_x", "mine_y", "mine_z"]], flow.velocity)
    np.testing.assert_array_equal(frame["x_"], flow.point_data["x"])
    back = flowgrad.from_pandas(frame)
    assert back.velocity_name == "mine"
    assert_same_flow(flow, back, ["points"])
    assert set(back.point_data) == {*flow.point_data, "mine", "noise"}


@pytest.mark.parametrize("name", ["uneven", "closed"])
def test_a_table_in_parts_is_put_together_again(name):
    flow = crowded_flow(LATTICES[name])
    frame = flowgrad.to_pandas(flow)
    assert json.loads(json.dumps(frame.attrs))
    back = flowgrad.from_pandas(pandas.concat([frame[:10], frame[10:]]))
    assert_same_flow(flow, back, ["points"])
    assert back.mesh.shape == flow.mesh.shape


def test_values_in_cells_come_back_at_points():
    flow = crowded_flow(MESHES["tetra"], "cells")
    back = flowgrad.from_pandas(flowgrad.to_pandas(flow))
    np.testing.assert_array_equal(back.velocity, flow.velocity)
    np.testing.assert_array_equal(back.mesh.points, flow.mesh.centroids)
    np.testing.assert_array_equal(back.point_data["p"], flow.cell_data["p"])


def test_velocities_are_masked_by_flags_of_others_alone():
    flow = flow_on(LATTICES["uneven"])
    flow = flowgrad.Flow(
        flow.mesh, np.ones((64, 3)), "points", point_data={"flag": np.arange(64), "valid": np.zeros(64)}
    )
    frame = flowgrad.to_pandas(flow)
    np.testing.assert_array_equal(flowgrad.from_pandas(frame).velocity, flow.velocity)
    frame["isValid"] = np.arange(64) >= 2
    assert np.isnan(flowgrad.from_pandas(frame).velocity).all(axis=1).sum() == 2
    frame.attrs.clear()
    with pytest.raises(OptionError, match=r"the table: 'valid' is 0 at 64 .*none would be left.*valid="):
        flowgrad.from_pandas(frame)


def grid(**columns):
    return pandas.DataFrame({"x": [0.0, 1, 0, 1], "y": [0.0, 0, 1, 1], **columns})


def test_whole_numbers_and_missing_ones_are_velocities():
    whole = flowgrad.from_pandas(grid(u=[0, 0, 1, 1], v=[0, 2, 0, 2]))
    np.testing.assert_array_equal(whole.velocity, [[0, 0, 0], [0, 2, 0], [1, 0, 0], [1, 2, 0]])
    nullable = grid(u=pandas.array([0, None, 1, 1], "Float64"), v=pandas.array([0, 2, 0, 2], "Int64"))
    missing = flowgrad.from_pandas(nullable)
    np.testing.assert_array_equal(missing.velocity, [[0, 0, 0], [np.nan, 2, 0], [1, 0, 0], [1, 2, 0]])
    indexed = grid(u=[0.0, 0, 1, 1], v=[0.0] * 4).set_index(["x", "y"])
    assert flowgrad.from_pandas(indexed.reset_index()).mesh.shape == (2, 2, 1)


def test_what_has_no_place_in_a_table_is_said(caplog):
    with caplog.at_level(logging.WARNING, "flowgrad"):
        flowgrad.to_pandas(patched_flow(MESHES["tetra"]))
    assert "no place for the patches of the boundary (wall, inlet, none)" in caplog.text


def test_rows_in_any_order_make_the_same_flow():
    flow = flow_on(LATTICES["uneven"])
    shuffled = flowgrad.to_pandas(flow).sample(frac=1, random_state=1)
    back = flowgrad.from_pandas(shuffled)
    np.testing.assert_array_equal(back.mesh.points, flow.mesh.points)
    np.testing.assert_array_equal(back.velocity, flow.velocity)


def test_quantities_at_cells_positions_and_of_tensors_alone():
    mesh = MESHES["tetra"]
    flow = flowgrad.Flow(mesh, mesh.points[:, [1]] * [2.0, 0, 0], "points")
    at_cells = flowgrad.to_pandas(flowgrad.velocity_gradient(flow, at="cells"), ["vorticity", "shear_rate", "D"])
    np.testing.assert_array_equal(at_cells[["x", "y", "z"]], mesh.centroids)
    np.testing.assert_allclose(at_cells["vorticity_z"], -2)
    np.testing.assert_allclose(at_cells["D_xy"], 1)
    assert at_cells.attrs["shear_rate"]["dimension"] == "1/T"
    there = np.full((4, 3), 1.5)
    assert len(flowgrad.to_pandas(flowgrad.velocity_gradient(flow, at=there), ["divergence"])) == 4
    alone = flowgrad.to_pandas(flowgrad.VelocityGradient(np.eye(3)[None]), ["divergence"])
    assert alone.loc[0, "divergence"] == 3


def test_the_ranking_of_laws():
    rate = np.geomspace(0.1, 100, 15)
    fit = flowgrad.fit_flow_curve(rate, 2 + 1.5 * rate**0.5, models=["newtonian", "herschel-bulkley", "bingham"])
    frame = flowgrad.to_pandas(fit)
    assert frame.loc[0, "law"] == "herschel-bulkley"
    assert list(frame["aicc"]) == sorted(frame["aicc"])
    assert frame.loc[0, "parameters"]["tau0"] == pytest.approx(2, rel=1e-3)


def test_statistics_of_an_analysis_and_a_curve(data):
    analysis = flowgrad.analyse(data / "planarPoiseuille_Maxwell.vtu", flowgrad.Options(stress="-sigma"))
    frame = flowgrad.to_pandas(analysis)
    assert frame.loc["shear_rate", "maximum"] == analysis.statistics["shear_rate"].maximum
    assert frame.index.name == "quantity"
    curve = flowgrad.to_pandas(analysis.separation.curve)
    np.testing.assert_array_equal(curve["viscosity"], analysis.separation.curve.viscosity)


def test_what_is_refused_says_why(monkeypatch):
    with pytest.raises(OptionError, match="no columns of positions among a, b"):
        flowgrad.from_pandas(pandas.DataFrame({"a": [1.0], "b": [2.0]}))
    with pytest.raises(OptionError, match="is not finite"):
        flowgrad.from_pandas(pandas.DataFrame({"x": [0, np.nan], "y": [0.0, 1], "u": [0.0, 1], "v": [0.0, 1]}))
    zeros = [0.0] * 4
    twice = pandas.DataFrame(np.zeros((4, 5)), columns=["x", "y", "u", "v", "u"])
    for frame, words in (
        (twice, "has 2 columns 'u': rename them"),
        (grid(X=zeros, u=zeros, v=zeros), "'x' and 'X' could both be positions"),
        (grid(u=zeros, v=zeros).assign(x=list("abcd")), "'x' is .*, not numbers: give positions"),
        (grid(u=zeros, v=zeros).astype({"y": complex}), "'y' is complex"),
        (grid(a=zeros, b=zeros), 'no velocity under a usual name.*velocity="u,v,w"'),
        (grid(u=zeros, v=zeros).set_index(["x", "y"]), r"no columns of positions among u, v.*reset_index"),
        (grid(u=zeros, v=zeros)[:0], "the table: has 0 points"),
        (None, "NoneType.*pandas.DataFrame"),
    ):
        with pytest.raises(OptionError, match=words):
            flowgrad.from_pandas(frame)
    with pytest.raises(OptionError, match="neither a flow"):
        flowgrad.to_pandas(3)
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match=r"install flowgrad\[pandas\]"):
        flowgrad.to_pandas(flow_on(MESHES["points"]))
