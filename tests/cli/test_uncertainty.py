"""Noise, errors and second derivatives on the command line."""

import json

import numpy as np
import pytest

from flowgrad import Flow, read, velocity_gradient
from flowgrad.cli import main
from flowgrad.io import write_vtu
from tests import meshes

MESH = meshes.SOLIDS["tetra"]
VELOCITY = np.sin(MESH.points) + MESH.points[:, ::-1] ** 2 / 5
NOISE = np.linspace(0.01, 0.02, len(MESH.points))


@pytest.fixture
def case(tmp_path):
    write_vtu(tmp_path / "piv.vtu", MESH, {"U": VELOCITY, "sigma": NOISE})
    return tmp_path / "piv.vtu"


def run(case, *arguments, report=False):
    out = case.parent / "out"
    code = main(["run", str(case), "-o", str(out), "-q", *arguments, *([] if report else ["--no-report"])])
    assert code == 0
    return json.loads((out / "piv.json").read_text()), read(out / "piv.vtu", "U").point_data


@pytest.mark.parametrize(("given", "noise"), [("0.02", 0.02), ("sigma", NOISE)])
def test_noise_gives_the_deviation_of_every_quantity_asked_for(case, given, noise):
    summary, arrays = run(case, "--noise", given, "--quantities", "L,vorticity,dissipation", "--viscosity", "0.1")
    expected = velocity_gradient(Flow(MESH, VELOCITY, "points", noise=noise))
    np.testing.assert_array_equal(arrays["vorticity_std"], expected.std("vorticity"))
    np.testing.assert_array_equal(arrays["L_std"].reshape(-1, 3, 3), expected.std("L"))
    assert {"dissipation_std", "dissipation_low", "dissipation_high"} <= set(arrays)
    assert "vorticity_low" not in arrays
    squares = (expected.std("vorticity") ** 2).sum(axis=1)
    weights = expected.weights
    assert summary["deviations"]["vorticity"]["rms"] == pytest.approx(np.sqrt(weights @ squares / weights.sum()))
    assert summary["deviations"]["vorticity"]["undefined"] == 0
    assert summary["noise"] == pytest.approx(np.sqrt(np.mean(np.square(noise))))
    assert summary["provenance"]["options"]["noise"] == given


def test_without_noise_nothing_is_said_of_it(case):
    summary, arrays = run(case, "--quantities", "L")
    assert not {"noise", "deviations"} & set(summary)
    assert not [name for name in arrays if name.endswith(("_std", "_error"))]


def test_the_report_tells_the_noise(case):
    run(case, "--noise", "0.02", "--quantities", "L,shear_rate", report=True)
    page = (case.parent / "out" / "report.html").read_text()
    assert "standard deviation of the velocity" in page
    assert "noise in L" in page


@pytest.mark.parametrize("noise", ["-0.1", "inf"])
def test_noise_that_cannot_be_is_told_early(case, capsys, noise):
    assert main(["run", str(case), "-o", str(case.parent / "out"), f"--noise={noise}"]) == 2
    assert "--noise is" in capsys.readouterr().err


def test_noise_that_is_not_in_the_file_is_told(case, capsys):
    assert main(["run", str(case), "-o", str(case.parent / "out"), "--noise", "sigmma"]) == 1
    assert "did you mean 'sigma'" in capsys.readouterr().err


def test_info_tells_the_noise(case, capsys):
    assert main(["info", str(case), "--noise", "sigma"]) == 0
    assert "noise     0.0153" in capsys.readouterr().out


def test_noise_and_error_by_file(case):
    cases = case.parent / "cases.toml"
    cases.write_text("[piv]\nnoise = 0.02\nerror = false\n")
    summary, arrays = run(case, "--cases", str(cases), "--quantities", "vorticity")
    assert "vorticity_std" in arrays
    assert summary["noise"] == 0.02


def test_the_error_is_written_and_told(case):
    summary, arrays = run(case, "--error", "--quantities", "vorticity", report=True)
    expected = velocity_gradient(Flow(MESH, VELOCITY, "points"), error=True)
    np.testing.assert_array_equal(arrays["L_error"], expected.error)
    assert summary["gradient"]["relative_error"] == pytest.approx(expected.relative_error)
    assert 0 < expected.relative_error < 1
    assert any("estimated against finite-difference" in note for note in summary["gradient"]["notes"])
    assert "of the gradient, by comparison with a finer scheme" in (case.parent / "out" / "report.html").read_text()


def test_quantities_that_need_second_derivatives_get_them(case):
    summary, arrays = run(case, "--quantities", "laplacian,viscous_force", "--viscosity", "0.3", "--noise", "0.01")
    np.testing.assert_allclose(arrays["viscous_force"], 0.3 * arrays["laplacian"])
    assert "finite-difference" in summary["gradient"]["scheme"]
    assert "deviations" not in summary


def test_a_plane_cut_from_a_flow_has_the_deviations_of_what_it_knows(case):
    mesh = meshes.planar("triangle")
    velocity = np.column_stack([np.sin(mesh.points[:, 1]), mesh.points[:, 0] ** 2, 0 * mesh.points[:, 0]])
    write_vtu(case, mesh, {"U": velocity})
    options = ("--noise", "0.02", "--out-of-plane", "unknown", "--quantities", "L,vorticity,shear_rate")
    summary, arrays = run(case, *options, report=True)
    found = summary["deviations"]
    assert found["L"]["undefined"] == found["vorticity"]["undefined"] == 0
    assert found["L"]["rms"] == pytest.approx(2**0.5 * found["vorticity"]["rms"])
    assert found["shear_rate"] == {"rms": None, "undefined": 1.0}
    assert np.isfinite(arrays["vorticity_std"][:, 2]).all()
    assert np.isnan(arrays["shear_rate_std"]).all()
