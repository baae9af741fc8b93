"""What a run says: to people, on a terminal, and to machines."""

import contextlib
import fcntl
import json
import logging
import os
import pty
import re
import struct
import subprocess
import sys
import termios

import pytest

from flowgrad.batch.manifest import FileRecord
from flowgrad.batch.progress import Progress
from flowgrad.cli import main
from tests.batch.conftest import write_flow


def test_a_terminal_has_a_bar_below_the_lines(capsys, monkeypatch, caplog):
    caplog.set_level(logging.INFO, "flowgrad")
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm")
    progress = Progress(2, 0)
    assert "0/2" in capsys.readouterr().err
    progress.ended(FileRecord("a.vtu", "a", "failed", reason="why"), [(logging.WARNING, "worth knowing")])
    shown = capsys.readouterr().err
    assert "1/2" in shown
    assert "1 failed" in shown
    assert [record.message for record in caplog.records] == ["worth knowing", "[1/2] a.vtu: FAILED: why"]
    progress.close()
    assert capsys.readouterr().err.endswith("\x1b[2K"), "the bar is taken away"


def on_a_terminal(words, columns):
    """What a command prints on a terminal of its own, and its exit status."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = {**os.environ, "TERM": "xterm"}
    process = subprocess.Popen(words, stderr=theirs, stdout=theirs, stdin=theirs, env=environment)
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError), os.fdopen(ours, "rb", 0) as stream:
        while part := stream.read(4096):
            shown += part
    return shown.decode(), process.wait()


@pytest.mark.slow
def test_a_real_terminal_has_a_bar_and_a_log_file_has_none(tmp_path):
    flows = [str(write_flow(tmp_path / f"{name}.vtu")) for name in "abc"]
    words = [sys.executable, "-m", "flowgrad", "run", *flows, "-o", str(tmp_path / "out"), "--no-report"]
    with (tmp_path / "log").open("w") as log_file:
        assert subprocess.run(words, stderr=log_file, check=False).returncode == 0
    written = (tmp_path / "log").read_text()
    assert not set(written) & set("\r\x1b")
    assert [line.split("]")[0] for line in written.splitlines()[-4:-1]] == ["[1/3", "[2/3", "[3/3"]
    for name in "abc":
        (tmp_path / "out" / f"{name}.vtu").unlink()
    shown, code = on_a_terminal(words, columns=50)
    assert code == 0
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    bars = [part for part in re.split(r"[\r\n]", plain) if "━" in part]
    assert "0/3" in bars[0]
    assert any("files/min" in each for each in bars)
    assert max(map(len, bars)) <= 50, "a bar that ends where the terminal ends"
    lines = [part for part in re.split(r"[\r\n]+", plain) if part.startswith("[")]
    assert [each.split("]")[0] for each in lines] == ["[1/3", "[2/3", "[3/3"]
    assert plain.rstrip().splitlines()[-1].strip().startswith("3 of 3 files done")


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
