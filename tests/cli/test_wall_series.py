"""Averages over time on walls on the command line: of one file of many times, and of many files of one."""

import json

import numpy as np
import pytest

from flowgrad.cli import main
from flowgrad.io import read_contents, write_vtu
from flowgrad.mesh.generate import block
from flowgrad.walls import wall_statistics
from tests.walls.womersley import Womersley, pulsating

EXACT = Womersley()
WALLS = ("--walls", "auto", "--viscosity", str(EXACT.viscosity), "--series-statistics")


def written(folder, flows, timed=True):
    """A .pvd and the files that it names, in which the times stand too unless they are not ``timed``."""
    entries = []
    for number, flow in enumerate(flows):
        file = folder / f"step_{number}.vtu"
        fields = {"TimeValue": np.array([flow.time])} if timed else {}
        write_vtu(file, flow.mesh, {"U": flow.velocity}, {}, fields)
        entries.append(f'<DataSet timestep="{flow.time!r}" file="{file.name}"/>')
    (folder / "pulse.pvd").write_text(
        f'<VTKFile type="Collection"><Collection>{"".join(entries)}</Collection></VTKFile>'
    )
    return folder / "pulse.pvd"


@pytest.fixture(scope="module")
def case(tmp_path_factory):
    """A period in 8 steps, its end left out, and the mask of its wall."""
    folder = tmp_path_factory.mktemp("pulse")
    flows, wall = pulsating(EXACT, times=np.linspace(0, EXACT.period, 8, endpoint=False), n=6)
    return written(folder, flows), flows, wall


def run(output, *arguments):
    return main(["run", *arguments, "-o", str(output), "-q"])


def arrays(path):
    return read_contents(path).cell_data


def test_a_file_of_many_times(case, tmp_path):
    file, flows, wall = case
    assert run(tmp_path / "out", str(file), *WALLS, "--period", "2") == 0
    expected = wall_statistics(flows, wall, viscosity=EXACT.viscosity, period=2.0)
    found = arrays(tmp_path / "out" / "pulse_walls_over_time.vtu")
    assert set(found) == set(expected.arrays)
    for name, values in expected.arrays.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-9, atol=1e-12, err_msg=name)
    told = json.loads((tmp_path / "out" / "pulse.json").read_text())["walls_over_time"]
    assert (told["steps"], told["start"], told["end"], told["period"]) == (8, 0.0, 1.75, 2.0)
    (patch,) = told["patches"].values()
    tawss, osi, _ = EXACT.averages
    assert patch["time_averaged_wall_shear_stress"]["mean"] == pytest.approx(tawss, rel=0.05)
    assert patch["oscillatory_shear_index"]["mean"] == pytest.approx(osi, rel=0.05)
    page = (tmp_path / "out" / "report.html").read_text()
    assert "<h2>On the walls, over time</h2>" in page
    assert "He &amp; Ku 1996" in page
    assert not (tmp_path / "out" / "walls_over_time.vtu").exists()


@pytest.mark.parametrize("how", [("--jobs", "2", "--no-report"), ()])
def test_many_files_of_one_time_are_the_same_series(case, tmp_path, how):
    file, flows, wall = case
    files = [str(file.parent / f"step_{n}.vtu") for n in (3, 1, 0, *range(4, 8), 2)]
    assert run(tmp_path / "out", *files, *WALLS, "--period", "2", *how) == 0
    found = arrays(tmp_path / "out" / "walls_over_time.vtu")
    for name, values in wall_statistics(flows, wall, viscosity=EXACT.viscosity, period=2.0).arrays.items():
        np.testing.assert_allclose(found[name], values, rtol=1e-9, atol=1e-12, err_msg=name)
    told = json.loads((tmp_path / "out" / "walls_over_time.json").read_text())
    assert told["files"][:3] == [str(file.parent / f"step_{n}.vtu") for n in range(3)]
    assert not any("no pressure" in note for note in told["notes"])
    if not how:
        assert "<h2>On the walls, over time</h2>" in (tmp_path / "out" / "report.html").read_text()


def test_shards_make_one_series_of_theirs(case, tmp_path):
    file, flows, wall = case
    files = [str(file.parent / f"step_{n}.vtu") for n in range(8)]
    for part in ("1/2", "2/2"):
        assert run(tmp_path / "out", *files, *WALLS, "--shard", part, "--no-report") == 0
        assert (tmp_path / "out" / "walls_over_time.vtu").exists() == (part == "2/2")
    found = arrays(tmp_path / "out" / "walls_over_time.vtu")["oscillatory_shear_index"]
    expected = wall_statistics(flows, wall, viscosity=EXACT.viscosity)
    np.testing.assert_allclose(found, expected.oscillatory_shear_index, rtol=1e-9)


def test_averages_of_another_run_do_not_stay(case, tmp_path):
    file = case[0]
    files = [str(file.parent / f"step_{n}.vtu") for n in range(4)]
    assert run(tmp_path / "out", *files, *WALLS, "--no-report") == 0
    assert (tmp_path / "out" / "walls_over_time.vtu").exists()
    assert run(tmp_path / "out", *files, *WALLS[:-1], "--no-report") == 0
    assert not (tmp_path / "out" / "walls_over_time.vtu").exists()
    assert run(tmp_path / "out", *files, *WALLS, "--no-report") == 0
    assert run(tmp_path / "out", *files, "--no-report") == 0
    assert not (tmp_path / "out" / "walls_over_time.json").exists()


def test_without_a_viscosity_the_rates_are_averaged(case, tmp_path):
    assert run(tmp_path / "out", str(case[0]), "--walls", "auto", "--series-statistics", "--no-report") == 0
    found = arrays(tmp_path / "out" / "pulse_walls_over_time.vtu")
    assert {"time_averaged_wall_shear_rate", "oscillatory_shear_index", "transverse_wall_shear_rate"} < set(found)
    assert "relative_residence_time" not in found


def test_a_step_that_failed_is_bridged_and_said(case, tmp_path):
    file, flows, wall = case
    bad = tmp_path / "step_3.vtu"
    bad.write_text("no VTU")
    files = [str(file.parent / f"step_{n}.vtu") for n in (0, 1, 2, 4)]
    assert run(tmp_path / "out", *files, str(bad), *WALLS, "--no-report") == 1
    told = json.loads((tmp_path / "out" / "walls_over_time.json").read_text())
    assert told["steps"] == 4
    assert any("1 of 5 files failed and are left out" in note for note in told["notes"])
    expected = wall_statistics([flows[n] for n in (0, 1, 2, 4)], wall, viscosity=EXACT.viscosity)
    found = arrays(tmp_path / "out" / "walls_over_time.vtu")["time_averaged_wall_shear_stress"]
    np.testing.assert_allclose(found, expected.time_averaged_wall_shear_stress, rtol=1e-9)


def one_line(capsys):
    (line,) = capsys.readouterr().err.strip().splitlines()
    return line


def test_one_file_of_one_time_has_no_average(case, tmp_path, capsys):
    assert run(tmp_path / "out", str(case[0].parent / "step_4.vtu"), *WALLS) == 2
    assert "has one time, which has no average" in one_line(capsys)
    assert (tmp_path / "out" / "step_4.json").exists()
    assert "<h2>Walls</h2>" in (tmp_path / "out" / "report.html").read_text()


def test_files_without_times_are_told_what_to_do(case, tmp_path, capsys):
    file = written(tmp_path, case[1][:3], timed=False)
    files = [str(file.parent / f"step_{n}.vtu") for n in range(3)]
    assert run(tmp_path / "out", *files, *WALLS, "--no-report") == 2
    assert "step_0.vtu has no time: give a file that tells the times of the steps (.pvd)" in one_line(capsys)
    assert run(tmp_path / "of_all", str(file), *WALLS, "--no-report") == 0


def test_two_files_of_one_time_are_refused(case, tmp_path, capsys):
    copy = tmp_path / "again.vtu"
    copy.write_bytes((case[0].parent / "step_4.vtu").read_bytes())
    assert run(tmp_path / "out", str(case[0].parent / "step_4.vtu"), str(copy), *WALLS, "--no-report") == 2
    assert "both have the time" in one_line(capsys)


def test_files_of_other_meshes_are_no_series(case, tmp_path, capsys):
    mesh = block("tetra", 4)
    fields = {"TimeValue": np.array([7.0])}
    write_vtu(tmp_path / "other.vtu", mesh, {"U": np.outer(mesh.points[:, 2], [1.0, 0, 0])}, {}, fields)
    assert (
        run(tmp_path / "out", str(case[0].parent / "step_4.vtu"), str(tmp_path / "other.vtu"), *WALLS, "--no-report")
        == 1
    )
    line = one_line(capsys)
    assert "other.vtu" in line
    assert "other walls than the first" in line


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("--series-statistics",), "--series-statistics has no effect without --walls"),
        (("--walls", "auto", "--period", "2"), "--period has no effect without --series-statistics"),
        ((*WALLS, "--period", "0"), "--period is 0.0: give a positive number"),
    ],
)
def test_options_that_say_nothing_are_refused(case, tmp_path, capsys, arguments, why):
    assert run(tmp_path / "out", str(case[0]), *arguments) == 2
    assert why in one_line(capsys)


def test_walls_that_select_nothing_are_refused(case, tmp_path, capsys):
    assert run(tmp_path / "out", str(case[0]), "--walls", "inlet", "--series-statistics") == 1
    assert "has no patch 'inlet'" in one_line(capsys)


def test_a_period_that_does_not_fit_the_steps_is_refused(case, tmp_path, capsys):
    assert run(tmp_path / "out", str(case[0]), *WALLS, "--period", "5", "--no-report") == 1
    assert "give the steps of whole periods" in one_line(capsys)
    files = [str(case[0].parent / f"step_{n}.vtu") for n in range(5)]
    assert run(tmp_path / "files", *files, *WALLS, "--period", "5", "--no-report") == 2
    assert "give the steps of whole periods" in one_line(capsys)
    assert not (tmp_path / "files" / "walls_over_time.vtu").exists()
