"""Ctrl-C, SIGTERM and SIGKILL leave a state from which the same command goes on."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from flowgrad.batch.manifest import read_all
from scripts.killed_runs import killed_runs
from tests.batch.conftest import write_flow

pytestmark = pytest.mark.slow


def workers_of(process):
    """The processes that a process has started."""
    tasks = Path(f"/proc/{process.pid}/task")
    return [int(pid) for task in tasks.iterdir() for pid in (task / "children").read_text().split()]


def is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _heeds_ctrl_c():
    """A suite that runs in the background of a shell ignores Ctrl-C, and so would what it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_stops_all_workers_and_the_command_goes_on(tmp_path, faults, number, code):
    for name in ("a", "b", "hangs", "z"):
        write_flow(tmp_path / f"{name}.vtu")
    words = [sys.executable, "-m", "flowgrad", "run", "*.vtu", "-o", "out", "--no-report", "--jobs", "2"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.environ["PYTHONPATH"], *sys.path])}
    about = {"cwd": tmp_path, "env": environment, "stderr": subprocess.PIPE, "text": True, "preexec_fn": _heeds_ctrl_c}
    process = subprocess.Popen(words, **about)
    child = tmp_path / "hangs.vtu.child"
    while sum(each.state == "done" for each in read_all(tmp_path / "out").values()) < 3 or not child.exists():
        assert process.poll() is None
        time.sleep(0.02)
    workers = workers_of(process)
    assert len(workers) == 2
    process.send_signal(number)
    _, printed = process.communicate(timeout=5)
    assert process.returncode == code
    assert "the same command goes on" in printed.splitlines()[-1]
    assert "Traceback" not in printed
    assert not any(is_alive(pid) for pid in (*workers, int(child.read_text())))
    assert not list((tmp_path / "out").glob(".*"))
    if number == signal.SIGTERM:
        return
    about["env"] = {**environment, "PYTHONPATH": os.pathsep.join(sys.path)}
    again = subprocess.run(words, **about, check=False)
    assert again.returncode == 0, again.stderr
    assert "3 of 4 files have ended before" in again.stderr
    assert {each.state for each in read_all(tmp_path / "out").values()} == {"done"}


def test_killed_again_and_again_the_results_are_those_of_an_undisturbed_run(tmp_path):
    assert "17 results equal byte for byte" in killed_runs(tmp_path, 20, 3, 2)
