"""Workers that crash, hang, grow or are killed cost their own file only, by name and reason."""

import os
import subprocess
import sys
import time

import numpy as np
import pytest

from flowgrad.batch.run import run
from flowgrad.batch.settings import Settings
from flowgrad.batch.supervisor import resident
from tests.batch.conftest import write_flow

pytestmark = pytest.mark.slow

LIMITS = Settings(jobs=2, timeout=4, max_memory="512M", no_report=True)
REASONS = {
    "hangs": ("timeout", "not finished after 4 s"),
    "crashes": ("signal", "SIGSEGV"),
    "exits": ("signal", "exit code 3"),
    "grows": ("memory", "memory"),
}


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="the system does not tell a process's memory")
def test_each_failure_has_its_name_and_is_tried_again(tmp_path, usual, faults, monkeypatch):
    names = ["first", *REASONS, "last"]
    flows = [write_flow(tmp_path / f"{name}.vtu") for name in names]
    out = tmp_path / "out"
    records = run(flows, out, usual, LIMITS)
    found = {record.name: record for record in records}
    assert [record.name for record in records] == names
    for name, (kind, words) in REASONS.items():
        assert found[name].kind == kind
        assert words in found[name].reason
        assert "\n" not in found[name].reason
    done = {f"{name}{end}" for name in ("first", "last") for end in (".vtu", ".json")}
    assert {path.name for path in out.iterdir()} == {*done, "manifest.jsonl", "summary.csv"}
    assert (out / "first.vtu").read_bytes() == (out / "last.vtu").read_bytes()
    assert not is_alive(int((tmp_path / "hangs.vtu.child").read_text())), "what a worker started outlives it"
    monkeypatch.setenv("PYTHONPATH", "")
    again = run(flows, out, usual, Settings(no_report=True))
    assert [record.state for record in again] == ["done"] * len(names)
    assert [again[number] == records[number] for number in (0, -1)] == [True, True], "what was done is done again"


def test_the_memory_of_children_counts():
    grow = "import time; held = bytearray(2 * 10**8); held[::4096] = b'x' * len(held[::4096]); time.sleep(30)"
    code = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {grow!r}]).wait()"
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    try:
        deadline = time.monotonic() + 20
        while resident(process.pid) < 2 * 10**8:
            assert time.monotonic() < deadline, resident(process.pid)
            time.sleep(0.02)
    finally:
        os.killpg(process.pid, 9)
        process.wait()
    assert resident(process.pid) == 0


def test_workers_and_this_process_write_the_same_bytes(tmp_path, usual):
    """Here with all threads, there with one: sums are taken in one order."""
    count = 30_000
    corners = np.random.default_rng(0).uniform(size=(count, 3))
    from flowgrad import Cells, Mesh
    from flowgrad.io import write_vtu

    mesh = Mesh(corners, Cells.of_type(10, np.arange(count).reshape(-1, 4)))
    write_vtu(tmp_path / "a.vtu", mesh, {"U": np.sin(corners @ np.ones((3, 3)) + corners)})
    for name, settings in {
        "here": Settings(no_report=True),
        "one": Settings(threads=1, no_report=True),
    }.items():
        run([tmp_path / "a.vtu"], tmp_path / name, usual, settings)
    for result in ("a.vtu", "a.json"):
        assert len({(tmp_path / name / result).read_bytes() for name in ("here", "one")}) == 1
