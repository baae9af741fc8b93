"""The command ``curve`` as a person runs it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from flowgrad.cli import main
from tests.rheometer.tables import RATE, STRESS, table, write

EMULSION = Path(__file__).parents[3] / "shared/data/rheology/example_emulsion_75_1400oil_11Las_40C.tsv"


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
    assert found == {
        "oil.json",
        "oil-laws.csv",
        "oil.png",
        "oil.svg",
        "oil-viscosity.png",
        "oil-viscosity.svg",
        "report.html",
    }
    summary = json.loads((tmp_path / "out/oil.json").read_text(encoding="utf-8"))
    assert summary["ranking"][0]["parameters"]["eta"] == pytest.approx(0.3)
    assert summary["provenance"]["options"] == {"models": ["newtonian", "power-law", "bingham"]}
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "From the flow curve to the fluid" in page
    assert "1 curve: 1 newtonian." in page


def test_workers_tell_and_write_the_same(tmp_path, capsys):
    for k, eta in enumerate((0.3, 2.0, 5.0)):
        write(tmp_path, table(columns=(RATE, eta * RATE)), f"oil{k}.csv")
    write(tmp_path, "rate,stress\n1,2\n2,3\n3,4\n", "few.csv")
    options = ("--models", "newtonian,power-law", "--no-figures")
    alone, together = (
        run(capsys, tmp_path / "*.csv", "-o", tmp_path / f"out{jobs}", *options, "--jobs", jobs) for jobs in (1, 2)
    )
    assert alone[:2] == together[:2]
    assert alone[0] == 1
    names = {each.name for each in (tmp_path / "out1").iterdir()}
    assert names == {each.name for each in (tmp_path / "out2").iterdir()}
    assert names == {"report.html", *(f"oil{k}{end}" for k in range(3) for end in (".json", "-laws.csv"))}
    for name in names - {"report.html"}:
        assert (tmp_path / "out1" / name).read_bytes() == (tmp_path / "out2" / name).read_bytes()
    page = (tmp_path / "out2/report.html").read_text(encoding="utf-8")
    assert "<svg" not in page
    assert page.index("few<wbr>") < page.index("oil0")


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
    assert "--correction {rabinowitsch,parallel-plate,cylinders}" in shown


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


def test_several_temperatures_become_one_curve(tmp_path, capsys):
    for celsius, factor in ((160, 1.7), (180, 1.0), (200, 0.6)):
        write(tmp_path, table(columns=(RATE, 2 * (factor * RATE) ** 0.6)), f"melt_{celsius}C.csv")
    options = ("--master", "--reference", "180", "--models", "power-law", "-o", tmp_path / "out")
    code, lines, _ = run(capsys, tmp_path / "melt_*C.csv", *options)
    assert code == 0
    assert any(line.split()[:2] == ["200", "0.6"] for line in lines)
    assert any(line.startswith("master curve at 180 °C: shear-thinning (63 points") for line in lines)
    summary = json.loads((tmp_path / "out/master-curve-at-180-C.json").read_text(encoding="utf-8"))
    assert [row["a_T"] for row in summary["reduction"]["table"]] == pytest.approx([1.7, 1, 0.6])
    assert len(summary["provenance"]["sha256"]) == 3
    assert {f"master-curve-at-180-C-{each}.png" for each in ("curves", "table", "viscosity")} <= {
        each.name for each in (tmp_path / "out").iterdir()
    }
    page = (tmp_path / "out/report.html").read_text(encoding="utf-8")
    assert "Several curves made one" in page
    assert "4 curves: 4 shear-thinning." in page


def test_gaps_in_a_column_tell_the_slip(tmp_path, capsys):
    rows = ["sample,gap [mm],shear rate [1/s],stress [Pa]"]
    for name, gap in (("A", 0.25), ("B", 0.5), ("C", 1.0)):
        rows += [f"{name},{gap},{0.1 * s**2 + 2e-3 * s / gap:.12g},{s:.12g}" for s in np.geomspace(1, 100, 9)]
    path = write(tmp_path, "\n".join(rows), "gaps.csv")
    code, _, err = run(capsys, path, "-o", tmp_path / "out", "--mooney", "plates", "--models", "power-law", "-q")
    assert (code, err) == (0, "")
    summary = json.loads((tmp_path / "out/curve-without-slip.json").read_text(encoding="utf-8"))
    table_ = summary["reduction"]["table"]
    np.testing.assert_allclose([row["slip_velocity"] / row["stress"] for row in table_], 1e-6, rtol=1e-6)
    assert summary["ranking"][0]["parameters"]["n"] == pytest.approx(0.5)
    sizes = ("--sizes", "A=0.5mm,B=1 mm,C=2e-3")
    code, _, _ = run(capsys, path, "-o", tmp_path / "two", "--mooney", "plates", *sizes, "--models", "power-law", "-q")
    summary = json.loads((tmp_path / "two/curve-without-slip.json").read_text(encoding="utf-8"))
    assert summary["reduction"]["table"][0]["slip_velocity"] == pytest.approx(2e-6, rel=1e-6)


def test_a_reduction_that_fails_costs_only_itself(tmp_path, capsys):
    code, lines, err = run(capsys, write(tmp_path, table()), "-o", tmp_path, "--bagley", "--models", "power-law")
    assert code == 1
    assert "its length/diameter is not known: give a table with a column of it, or --sizes 'table=…'" in err
    assert any(line.startswith("table: shear-thinning") for line in lines)
    code, _, err = run(capsys, write(tmp_path, table()), "-o", tmp_path, "--sizes", "A=1mm")
    assert code == 2
    assert "--sizes has no effect without --mooney or --bagley" in err


def test_capillaries_are_corrected_for_their_ends_first_and_then_for_the_profile(tmp_path, capsys):
    """τ_w = 3000 γ̇_w^0.35 in dies whose ends are worth 2 diameters, given as ΔP D/(4L) against 8V/D."""
    n, rows = 0.35, ["sample,L [mm],D [mm],apparent shear rate [1/s],apparent stress [Pa]"]
    for ratio in (5, 10, 20):
        wall = np.geomspace(10, 1000, 9)
        rows += [
            f"die {ratio},{ratio},1,{g * 4 * n / (3 * n + 1):.12g},{3e3 * g**n * (1 + 2 / ratio):.12g}" for g in wall
        ]
    path = write(tmp_path, "\n".join(rows), "dies.csv")
    options = ("--bagley", "--correction", "rabinowitsch", "--models", "power-law", "--no-report", "-q")
    code, _, err = run(capsys, path, "-o", tmp_path / "out", *options)
    assert (code, err) == (0, "")
    summary = json.loads((tmp_path / "out/curve-without-entrance-loss.json").read_text(encoding="utf-8"))
    assert summary["ranking"][0]["parameters"] == pytest.approx({"K": 3e3, "n": n}, rel=1e-6)
    assert [row["end_correction"] for row in summary["reduction"]["table"]] == pytest.approx([2.0] * 9)
    assert "corrected (rabinowitsch)" in summary["notes"][0]
