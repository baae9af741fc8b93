"""What a run says: to people, on a terminal, and to machines."""

import json
import logging

import pytest

from flowgrad.batch.manifest import Record
from flowgrad.batch.progress import Progress, bar, duration
from flowgrad.cli import main
from tests.batch.conftest import write_flow


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.4, "0 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (12_000, "3 h 20 min")]
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_the_rate_counts_this_run_only():
    """60 of 100 in 60 s, of which 30 were known: 30 a minute, 80 s for the other 40."""
    shown = bar(60, 100, 2, 60.0, known=30)
    assert shown == "[############........]  60/100  2 failed  30.0 files/min  80 s left"
    assert bar(0, 0, 0, 0.0) == "[####################]  0/0"


def test_a_terminal_has_a_bar_below_the_lines(capsys, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "flowgrad")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    progress = Progress(2, 0)
    progress.ended(Record("a.vtu", "a", "failed", reason="why"), [(logging.WARNING, "worth knowing")])
    shown = capsys.readouterr().err
    assert "1/2  1 failed" in shown
    assert shown.startswith("\r\x1b[K")
    assert [record.message for record in caplog.records] == ["worth knowing", "[1/2] a.vtu: FAILED: why"]
    progress.close()
    assert capsys.readouterr().err == "\r\x1b[K"


def test_machines_get_lines_of_json_and_nothing_else(tmp_path, capsys):
    flow = write_flow(tmp_path / "a.vtu")
    words = ["run", str(flow), str(tmp_path / "gone.vtu"), "-o", str(tmp_path / "out"), "--no-report", "--json"]
    assert main(words) == 1
    start, *files, end = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert start == {"event": "start", "files": 2, "known": 0}
    assert [each["state"] for each in files] == ["done", "failed"]
    assert files[0]["verdict"] == "no-stress-known"
    assert "no such file" in files[1]["reason"]
    assert end == {"event": "end", "files": 2, "done": 1, "failed": 1}
    assert main(words) == 1
    start, *files, end = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert (start["known"], len(files), end["failed"]) == (1, 1, 1)


def test_a_dry_run_says_what_would_be_done_and_writes_nothing(tmp_path, capsys):
    flows = [write_flow(tmp_path / "in" / f"{name}.vtu") for name in "ab"]
    (tmp_path / "in" / "c.vtu").touch()
    (tmp_path / "in" / "d.docx").write_text("words")
    words = ["run", str(tmp_path / "in" / "*.*"), "-o", str(tmp_path / "out"), "--no-report"]
    assert main([*words, "--dry-run"]) == 1
    assert not (tmp_path / "out").exists()
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" /")[0].strip() for line in lines] == ["to do", "to do", "would fail", "would fail"]
    assert "empty" in lines[2]
    assert main(["run", str(flows[0]), *words[2:], "-q"]) == 0
    capsys.readouterr()
    main([*words, "--dry-run", "--json"])
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["state"] for each in found] == ["done before", "to do", "would fail", "would fail"]
    assert found[0]["result"] == str(tmp_path / "out" / "a.vtu")
