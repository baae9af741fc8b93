"""Walls and steadiness on the command line."""

import json

import numpy as np
import pytest

from flowgrad import read
from flowgrad.cli import main
from flowgrad.io import write_vtu
from flowgrad.mesh.generate import block

MESH = block("tetra", 5)
X, Y, Z = MESH.points.T


@pytest.fixture
def case(tmp_path):
    """u = y, v = w = 0 above a wall at rest."""
    write_vtu(tmp_path / "shear.vtu", MESH, {"U": np.column_stack([Y, 0 * Y, 0 * Y]), "p": 2 + 0 * X})
    return tmp_path / "shear.vtu"


def run(case, *arguments, report=False):
    out = case.parent / "out"
    code = main(["run", str(case), "-o", str(out), "-q", *arguments, *([] if report else ["--no-report"])])
    assert code == 0
    return json.loads((out / "shear.json").read_text()), out


def test_walls_are_written_and_told(case):
    summary, out = run(case, "--walls", "auto", "--viscosity", "0.5", "--pressure", "p", report=True)
    (wall,) = summary["walls"]["patches"].values()
    lengths = np.ptp(MESH.points, axis=0)
    assert wall["area"] == pytest.approx(lengths[0] * lengths[2])
    assert wall["wall_shear_rate"]["minimum"] == pytest.approx(1)
    np.testing.assert_allclose(wall["viscous_force"], [0.5 * wall["area"], 0, 0], atol=1e-12)
    np.testing.assert_allclose(wall["pressure_force"], [0, -2 * wall["area"], 0], atol=1e-12)
    surface = read(out / "shear_walls.vtu", "wall_shear_stress")
    np.testing.assert_allclose(surface.velocity, np.broadcast_to([0.5, 0, 0], surface.velocity.shape), atol=1e-12)
    page = (out / "report.html").read_text()
    assert "<h2>Walls</h2>" in page


def test_walls_have_a_scheme_of_their_own(data, tmp_path):
    out, name = tmp_path / "out", "channels/channel10"
    command = ["run", str(data / f"{name}.vtu"), "--boundary", str(data / f"{name}_walls.vtp"), "-o", str(out), "-q"]
    command += ["--walls", "auto", "--viscosity", "0.1"]

    def rate(*arguments):
        assert main([*command, *arguments]) == 0
        walls = json.loads((out / "channel10.json").read_text())["walls"]
        return walls["reason"], walls["patches"]["channel10_walls"]["wall_shear_rate"]["mean"]

    reason, own = rate()
    assert own == pytest.approx(5, rel=1e-5)
    assert "OpenFOAM" in reason
    assert "first-cell: OpenFOAM" in (out / "report.html").read_text()
    assert rate("--scheme", "green-gauss", "--wall-scheme", "first-cell")[1] == pytest.approx(own)
    assert rate("--wall-scheme", "finite-difference(order=2)", "--no-report")[1] > 1.02 * own
    assert main([*command, "--scheme", "first-cell"]) == 1


def test_without_being_asked_nothing_is_said_of_walls(case):
    summary, out = run(case, report=True)
    assert "walls" not in summary
    assert not (out / "shear_walls.vtu").exists()
    assert "<h2>Walls</h2>" not in (out / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (["--pressure", "p"], "--walls"),
        (["--wall-velocity", "0"], "--walls"),
        (["--walls", "auto", "--wall-velocity", "1,2"], "three joined by commas"),
        (["--walls", "auto", "--wall-velocity", "-1,a,2"], "three joined by commas"),
    ],
)
def test_what_cannot_be_is_told_early(case, capsys, arguments, why):
    assert main(["run", str(case), "-o", str(case.parent / "out"), *arguments]) == 2
    assert why in capsys.readouterr().err


def test_a_steady_flow_has_an_acceleration_and_others_are_asked(case):
    summary, _ = run(case, "--steady", "--quantities", "acceleration,rivlin_ericksen_2,objective_flow_type")
    assert summary["statistics"]["rivlin_ericksen_2"]["maximum"] == pytest.approx(2)
    assert summary["statistics"]["objective_flow_type"]["median"] == pytest.approx(1)
    assert main(["run", str(case), "-o", str(case.parent / "out"), "-q", "--quantities", "acceleration"]) == 1


@pytest.mark.parametrize("thin", [False, True])
def test_the_walls_that_were_taken_are_drawn(case, data, tmp_path, thin):
    if thin:
        case = tmp_path / "shear.vtu"
        case.write_bytes((data / "channels/channel10.vtu").read_bytes())
    _, out = run(case, "--walls", "plane=y:0", *(["--wall-velocity", "0"] if thin else []), report=True)
    page = (out / "report.html").read_text()
    assert ("its estimated error as bars" if thin else "The boundary from outside") in page
