"""The command ``run --formula`` as a person runs it."""

import json

import numpy as np
import pytest

from flowgrad import read
from flowgrad.cli import main
from flowgrad.io import write_vtu
from tests import meshes


def run(capsys, *arguments):
    code = main([str(each) for each in arguments])
    out, err = capsys.readouterr()
    return code, out.splitlines(), err


def test_run_of_a_formula_on_a_grid(capsys, tmp_path):
    formula = ("--formula", "u=-y; v=x; w=0")
    code, _, _ = run(capsys, "run", *formula, "--grid", "-1:1:11,-1:1:11,0:1:3", "-o", tmp_path)
    assert code == 0
    assert (tmp_path / "report.html").stat().st_size > 10_000
    flow = read(tmp_path / "formula.vtu")
    x, y, _ = flow.mesh.points.T
    np.testing.assert_array_equal(flow.velocity, np.stack([-y, x, 0 * x], -1))
    expected = np.broadcast_to([[0, -1, 0], [1, 0, 0], [0, 0, 0]], (363, 3, 3))
    np.testing.assert_array_equal(flow.point_data["L"].reshape(-1, 3, 3), expected)
    found = json.loads((tmp_path / "formula.json").read_text())
    assert found["provenance"]["options"]["formula"] == "u=-y; v=x; w=0"
    assert found["gradient"]["scheme"] == "autodiff"


def test_run_of_a_formula_with_a_law(capsys, tmp_path):
    """A shear-thinning law on u = y², whose shear rate is 2y."""
    law = ("--viscosity", "power-law(K=2, n=0.5)")
    code, _, _ = run(
        capsys, "run", "--formula", "y^2", "--grid", "0:1:5,1:2:9", "-o", tmp_path, "--no-report", "--at", "cells", *law
    )
    assert code == 0
    flow = read(tmp_path / "formula.vtu")
    y = flow.mesh.centroids[:, 1]
    np.testing.assert_allclose(flow.cell_data["shear_rate"], 2 * y, rtol=1e-15)
    assert json.loads((tmp_path / "formula.json").read_text())["verdict"] == "shear-thinning"


def test_run_of_a_formula_on_the_points_of_a_file(capsys, tmp_path):
    mesh = meshes.solid("tetra")
    write_vtu(tmp_path / "case.vtu", mesh, {}, {"nu": np.full(len(mesh), 0.25)}, {"TimeValue": np.array([2.0])})
    out = tmp_path / "out"
    arguments = ("--formula", "u=t*y^2", tmp_path / "case.vtu", "-o", out, "--no-report", "--at", "cells")
    assert run(capsys, "run", *arguments, "--viscosity", "nu")[0] == 0
    flow = read(out / "case.vtu")
    np.testing.assert_allclose(flow.cell_data["vorticity"][:, 2], -4 * flow.mesh.centroids[:, 1], rtol=1e-13)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "give files"),
        (("--grid", "0:1:2,0:1:2"), "--formula"),
        (("--formula", "y"), "give files"),
        (("--formula", "y", "--grid", "0:1:2,0:1:2", "a.vtu"), "not both"),
        (("--formula", "yy", "--grid", "0:1:2,0:1:2"), "did you mean 'y'"),
        (("--formula", "y", "--grid", "0:1"), "--grid"),
        (("--formula", "y", "--velocity", "U", "a.vtu"), "--velocity"),
        (("--formula", "y", "--error", "--grid", "0:1:2,0:1:2"), "--error"),
    ],
)
def test_slips_of_run(capsys, tmp_path, arguments, said):
    code, _, err = run(capsys, "run", *arguments, "-o", tmp_path / "out")
    assert code == 2
    assert said in err
    assert err.count("\n") == 1


def test_schemes_can_be_tried_on_a_formula(capsys, tmp_path):
    arguments = ("--formula", "sin(y)", "--grid", "0:1:5,0:1:9", "-o", tmp_path, "--no-report", "--error")
    assert run(capsys, "run", *arguments, "--scheme", "finite-difference")[0] == 0
    found = json.loads((tmp_path / "formula.json").read_text())["gradient"]
    assert found["scheme"].startswith("finite-difference")
    assert 0 < found["relative_error"] < 0.1
