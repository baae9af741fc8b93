"""The command ``curve`` as a person runs it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from flowgrad.cli import main
from tests.rheometer.tables import RATE, STRESS, table, write

EMULSION = Path(__file__).parents[2] / "shared/data/rheology/example_emulsion_75_1400oil_11Las_40C.tsv"


def run(capsys, *arguments):
    code = main(["curve", *(str(each) for each in arguments)])
    out, err = capsys.readouterr()
    return code, out.splitlines(), err


def test_a_table_becomes_a_verdict_and_files(tmp_path, capsys):
    path = write(tmp_path, table(columns=(RATE, 0.3 * RATE)), "oil.csv")
    code, lines, _ = run(capsys, path, "-o", tmp_path / "out", "--models", "newtonian,power-law,bingham")
    assert code == 0
    assert lines[0] == "oil: newtonian (21 points, shear rates 0.01 to 1000 1/s)"
    assert any(line.startswith("  1. newtonian(eta = 0.3 [") for line in lines)
    found = {each.name for each in (tmp_path / "out").iterdir()}
    assert found == {"oil.json", "oil.png", "oil.svg", "oil-viscosity.png", "oil-viscosity.svg", "report.html"}
    summary = json.loads((tmp_path / "out/oil.json").read_text(encoding="utf-8"))
    assert summary["ranking"][0]["parameters"]["eta"] == pytest.approx(0.3)
    assert summary["provenance"]["options"] == {"models": ["newtonian", "power-law", "bingham"]}
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "From the flow curve to the fluid" in page
    assert "1 curve: 1 newtonian." in page


def test_a_file_that_fails_costs_only_itself(tmp_path, capsys):
    good, bad = write(tmp_path, table(), "good.csv"), write(tmp_path, bytes(range(256)) * 9, "bad.csv")
    few = write(tmp_path, "rate,stress\n1,2\n2,3\n3,4\n", "few.csv")
    out = tmp_path / "out"
    code, lines, err = run(capsys, good, bad, few, tmp_path / "none.csv", "-o", out, "--models", "power-law")
    assert code == 1
    assert lines[0].startswith("good: shear-thinning")
    assert "bad.csv: is binary" in err
    assert "few.csv: few: 3" in err
    assert "none.csv: cannot be read" in err
    assert not (out / "bad.json").exists()
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "4 curves: 1 shear-thinning, 3 failed." in page


def test_samples_have_files_of_their_own(tmp_path, capsys):
    head = ("Shear rate [1/s]", "Stress A [Pa]", "Stress a/B [Pa]")
    path = write(tmp_path, table(head, (RATE, STRESS, 2 * STRESS)))
    code, _, _ = run(capsys, path, "-o", tmp_path / "out", "--models", "power-law", "--no-report")
    assert code == 0
    assert {each.name for each in (tmp_path / "out").glob("*.json")} == {"table-A.json", "table-a-b.json"}
    code, lines, _ = run(capsys, path, "-o", tmp_path / "one", "--models", "power-law", "--sample", "A", "--no-report")
    assert [line for line in lines if not line.startswith(" ")] == [lines[0]]
    assert not (tmp_path / "one/report.html").exists()


def test_options_reach_the_reading(tmp_path, capsys):
    path = write(tmp_path, table(("a", "b, Pa", "M"), (60 * RATE, -STRESS, STRESS), ";"))
    options = (
        "--columns",
        "rate=a,stress=-b, Pa",
        "--unit",
        "rate=1/min,stress=Pa",
        "--rates",
        ":500",
        "--sigma",
        "2%",
    )
    code, lines, _ = run(capsys, path, "-o", tmp_path, *options, "--models", "carreau", "--no-report", "-q")
    assert code == 0
    assert "19 points, shear rates 0.01 to 316.2 1/s" in lines[0]
    assert "  left out: 2 points outside --rates" in lines


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--models", "bing"), "'bing' is unknown (did you mean 'bingham'?)"),
        (("--columns", "stress"), "is not of the form KEY=NAME"),
        (("--columns", "speed=a"), "'speed' is unknown"),
        (("--unit", "stress=acre"), "stress=acre"),
        (("--rates", "5"), "--rates '5'"),
        (("--rates", "5:1"), "--rates '5:1'"),
        (("--margin", "2"), "--margin is 2"),
        (("--sigma", "much"), "--sigma 'much'"),
        (("--radius", "0"), "--radius is 0"),
    ],
)
def test_wrong_usage(tmp_path, capsys, options, words):
    code, _, err = run(capsys, write(tmp_path, table()), "-o", tmp_path / "out", *options)
    assert code == 2
    assert words in err
    assert not (tmp_path / "out").exists()


def test_help_loads_nothing_heavy():
    code = "import sys; sys.argv = ['flowgrad', 'curve', '--help']\nfrom flowgrad.cli import main\n"
    code += "try: main()\nexcept SystemExit: print('numpy' in sys.modules)"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.splitlines()[-1] == "False"
    assert "--correction {rabinowitsch,parallel-plate}" in shown


@pytest.mark.skipif(not EMULSION.exists(), reason="the emulsion's data are not part of the repository")
def test_a_measured_emulsion(tmp_path, capsys):
    laws = "herschel-bulkley,three-component"
    code, lines, _ = run(capsys, EMULSION, "-o", tmp_path, "--models", laws, "--no-report")
    assert code == 0
    assert ": yield-stress (101 points" in lines[0]
    summary = json.loads(next(tmp_path.glob("*.json")).read_text(encoding="utf-8"))
    assert [each["law"] for each in summary["ranking"]] == ["three-component", "herschel-bulkley"]
    found = list(summary["ranking"][1]["parameters"].values())
    np.testing.assert_allclose(found, [3.186295, 2.562815, 0.539288], rtol=1e-4)
    assert summary["units"] is None
