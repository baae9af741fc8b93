"""A disk that is full, or may not be written, ends a run with one error, and the same command goes on."""

import errno
import os

import pytest

from flowgrad.batch import Settings, run
from flowgrad.cli import main
from flowgrad.errors import WriteError
from tests.batch.conftest import write_flow

PLAIN = Settings(report=False)


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
