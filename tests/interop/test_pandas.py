"""Tables: a row a place, in the mesh's order, with the very values; statistics and rankings."""

import sys

import numpy as np
import pytest

import flowgrad
from flowgrad.errors import MissingDependencyError, OptionError
from tests.interop.conftest import LATTICES, MESHES, flow_on

pandas = pytest.importorskip("pandas", reason="pandas is not installed")


@pytest.mark.parametrize("name", ["tetra", "mixed", "points", "polygons"])
def test_rows_are_places_in_order(name):
    flow = flow_on(MESHES[name])
    frame = flowgrad.to_pandas(flow)
    np.testing.assert_array_equal(frame[["x", "y", "z"]], flow.mesh.points)
    np.testing.assert_array_equal(frame[["velocity_x", "velocity_y", "velocity_z"]], flow.velocity)
    np.testing.assert_array_equal(frame["p"], flow.point_data["p"])


@pytest.mark.parametrize("name", ["uniform", "uneven", "upright plane", "centres"])
def test_a_lattice_comes_back_from_a_table(name):
    flow = flow_on(LATTICES[name])
    back = flowgrad.from_pandas(flowgrad.to_pandas(flow))
    assert isinstance(back.mesh, flowgrad.Lattice)
    np.testing.assert_array_equal(back.mesh.points, flow.mesh.points)
    np.testing.assert_array_equal(back.velocity, flow.velocity)
    np.testing.assert_array_equal(back.point_data["two_1"], flow.point_data["two"][:, 1])


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
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(MissingDependencyError, match=r"install flowgrad\[pandas\]"):
        flowgrad.to_pandas(flow_on(MESHES["points"]))
