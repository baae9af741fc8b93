"""The momentum balance and the local Reynolds number on the command line."""

import json

import pytest

from flowgrad import OptionError, Options
from flowgrad.cli import main
from flowgrad.io import read_contents


def run(file, out, *arguments):
    code = main(["run", str(file), "-o", str(out), "-q", "--no-report", *arguments])
    assert code == 0
    return json.loads((out / f"{file.stem}.json").read_text())


def test_a_body_force_tells_the_solvent(data, tmp_path):
    summary = run(data / "planarPoiseuille_Maxwell.vtu", tmp_path, "--stress=-sigma", "--body-force", "5,0,0")
    assert summary["evidence"]["balance_viscosity"] == pytest.approx(0.1, rel=0.02)
    assert "besides, such as a solvent's" in summary["statement"]
    assert "the momentum balance takes the pressure p" in summary["notes"]
    steady = run(
        data / "planarPoiseuille_Maxwell.vtu",
        tmp_path / "steady",
        *("--stress=-sigma", "--body-force", "5,0,0", "--pressure", "0", "--steady"),
    )
    assert steady["notes"] == ["the momentum balance takes the pressure 0"]
    assert steady["evidence"]["balance_viscosity"] == pytest.approx(summary["evidence"]["balance_viscosity"], rel=1e-6)


def test_a_length_gives_the_local_reynolds_number(data, tmp_path):
    known = ("--viscosity", "0.01", "--density", "1000", "--length", "0.1")
    summary = run(data / "cavity.vtu", tmp_path, *known)
    found = summary["statistics"]["reynolds_number"]
    assert 0.5 < found["maximum"] / (0.1 / 0.01) <= 1
    dynamic = run(data / "cavity.vtu", tmp_path / "stress", *known, "--quantities", "stress,reynolds_number")
    assert dynamic["statistics"]["reynolds_number"] == found
    arrays = read_contents(tmp_path / "stress" / "cavity.vtu").cell_data
    assert arrays["stress"].shape[1] == 9
    assert set(arrays["region"]) == {3}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"body_force": "5,0", "stress": "s"}, "three numbers"),
        ({"body_force": "5,0,x", "stress": "s"}, "three numbers"),
        ({"body_force": "5,0,inf", "stress": "s"}, "three numbers"),
        ({"body_force": "5,0,0"}, "--body-force.*--stress"),
        ({"pressure": "p"}, "--walls or --body-force"),
        ({"length": 0.0}, "--length is 0.0"),
        ({"length": float("nan")}, "--length is nan"),
    ],
)
def test_what_cannot_be_right_is_refused_at_once(options, message):
    with pytest.raises(OptionError, match=message):
        Options(**options)
