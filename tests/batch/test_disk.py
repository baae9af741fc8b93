"""A disk that is full, or may not be written, ends a run with one error, and the same command goes on."""

import errno
import json
import os
import shutil
import subprocess
import sys

import pytest

from flowgrad.batch.run import run
from flowgrad.batch.settings import Settings
from flowgrad.cli import main
from flowgrad.errors import WriteError
from tests.batch.conftest import write_flow

pytestmark = pytest.mark.slow

PLAIN = Settings(no_report=True)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EDQUOT])
@pytest.mark.parametrize("at", [".vtu", ".json"])
def test_a_full_disk_stops_the_run_and_leaves_nothing_half_written(tmp_path, usual, monkeypatch, number, at):
    flow, out = write_flow(tmp_path / "a.vtu"), tmp_path / "out"
    replace = os.replace

    def full(source, target):
        if str(target).endswith(at):
            raise OSError(number, os.strerror(number))
        replace(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        with pytest.raises(WriteError, match=rf"{os.strerror(number)}.*same command again"):
            run([flow], out, usual, PLAIN)
    assert sorted(path.name for path in out.iterdir()) == ["manifest.jsonl"]
    (record,) = run([flow], out, usual, PLAIN)
    assert record.row is not None


def test_what_was_asked_is_not_overwritten_by_the_summary_of_a_stopped_run(tmp_path, capsys, monkeypatch):
    flow = write_flow(tmp_path / "a.vtu")

    def full(source, target):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "replace", full)
    assert main(["run", str(flow), "-o", str(tmp_path / "out"), "--no-report"]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_name_that_is_too_long_costs_only_its_file(tmp_path, usual):
    flow = write_flow(tmp_path / "a.vtu").rename(tmp_path / f"{'x' * 245}.vtu")
    (record,) = run([flow], tmp_path / "out", usual, PLAIN)
    assert (record.kind, record.state) == ("access", "failed")


@pytest.fixture
def namespace():
    """The command that gives a process file systems of its own."""
    words = ["unshare", "-rm"]
    works = shutil.which("unshare") and subprocess.run([*words, "mount", "-t", "tmpfs", "none", "/mnt"], check=False)
    if not works or works.returncode:
        pytest.skip("this system does not let us mount a disk of our own")
    return words


WITHOUT_ROOM_FOR = {
    "--no-report": ("manifest.jsonl", "run.toml", "a.vtu", "a.json", "summary.csv"),
    "--at=points": ("report.html",),
}


@pytest.mark.parametrize("option", WITHOUT_ROOM_FOR)
def test_disks_that_are_full_or_may_not_be_written(tmp_path, namespace, option):
    flow = write_flow(tmp_path / "a.vtu")
    words = json.dumps(["run", str(flow), "-o", str(tmp_path / "out"), option])
    code = [sys.executable, "-m", "tests.batch.tiny_disk", str(tmp_path), words, *WITHOUT_ROOM_FOR[option]]
    done = subprocess.run([*namespace, *code], capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    expected = {"manifest.jsonl", "run.toml", "summary.csv", "a.vtu", "a.json"}
    expected |= set() if option == "--no-report" else {"report/a.html", "report/a.json", "report.html"}
    assert [each["name"] for each in found] == list(WITHOUT_ROOM_FOR[option])
    for each in found:
        assert each["code"] == 1, each
        assert len(each["said"].splitlines()) == 1
        assert "No space left on device" in each["said"]
        assert not [name for name in each["left"] if name.endswith(".part")]
        is_done = "a.json" in each["left"]
        assert ("a.vtu" in each["left"]) == is_done, "half of the results is left"
        assert (each["protected"][0], len(each["protected"][1].splitlines())) == (1, 1)
        assert "Read-only file system" in each["protected"][1]
        assert each["again"] == [0, ""]
        assert set(each["after"]) == expected
        assert {"a.vtu", "a.json"} <= set(each["same"])
