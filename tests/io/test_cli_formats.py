"""The command line on tables: length scale, image axes, times, the list of formats."""

from __future__ import annotations

import json

import pytest

from flowgrad import OptionError, Options
from flowgrad.cli import main
from flowgrad.io import formats

HEAD = "x [mm],y [mm],u [m/s],v [m/s]\n"


@pytest.fixture
def table(tmp_path):
    """u = 2 y in mm and m/s: a vorticity of −2000 1/s."""
    rows = [f"{x},{y},{2 * y},0\n" for y in range(6) for x in range(5)]
    (tmp_path / "piv.csv").write_text(HEAD + "".join(rows))
    return tmp_path / "piv.csv"


@pytest.mark.parametrize(("options", "expected"), [((), 2000), (("--y-down",), 2000)])
def test_run_with_a_length_scale(table, tmp_path, options, expected):
    out = tmp_path / "out"
    arguments = ["run", str(table), "-o", str(out), "--no-report", "-q", "--length-scale", "0.001", *options]
    assert main(arguments) == 0
    summary = json.loads((out / "piv.json").read_text())
    assert summary["statistics"]["shear_rate"]["mean"] == pytest.approx(expected)
    assert summary["provenance"]["options"]["length_scale"] == 0.001


def test_info_says_what_is_missing(table, capsys):
    assert main(["info", str(table)]) == 0
    assert "a run would stop" in (text := capsys.readouterr().out)
    assert "--length-scale 0.001" in text
    assert main(["info", str(table), "--length-scale", "0.001", "--y-down"]) == 0
    assert "velocity  u,v at points" in capsys.readouterr().out


def test_a_time_that_the_file_does_not_hold(table, capsys):
    assert main(["info", str(table), "--length-scale", "1", "--time", "3"]) == 1
    assert "has no time 3" in capsys.readouterr().err


def test_formats_are_listed_with_what_they_keep(capsys):
    assert main(["list", "formats"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {line.split()[0] for line in lines} >= set(formats())
    assert all(len(line.split()) > 2 for line in lines)


@pytest.mark.parametrize(
    "options",
    [
        {"length_scale": 0.0},
        {"length_scale": 0.001, "gradient_field": "L"},
        {"y_down": True, "gradient_field": "L"},
        {"formula": "u=y;v=x", "length_scale": 2.0},
        {"formula": "u=y;v=x", "y_down": True},
        {"time": float("nan")},
    ],
)
def test_options_that_cannot_be_right(options):
    with pytest.raises(OptionError):
        Options(**options)
