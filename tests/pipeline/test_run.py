"""Blocks from the command line: results, resume, memory."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest

from flowgrad.cli import main
from flowgrad.io import read_contents
from tests.pipeline.images import rough, write_image

SHAPE, COUNT = (7, 6, 9), 7 * 6 * 9


def run(folder, *options):
    return main(["run", str(folder / "a.vti"), "-o", str(folder / "out"), "--block-memory", "1K", *options])


def test_a_run_writes_all_that_whole_files_get(tmp_path):
    write_image(tmp_path / "a.vti", SHAPE, {"U": rough(COUNT)})
    assert run(tmp_path, "--quantities", "shear_rate") == 0
    out = tmp_path / "out"
    summary = json.loads((out / "a.json").read_text())
    assert summary["blocks"]["count"] == 9
    assert summary["provenance"]["options"] == {"quantities": ["shear_rate"], "block_memory": "1K"}
    assert "done in 9 blocks" in (out / "report.html").read_text()
    assert "no-stress-known" in (out / "summary.csv").read_text()
    before = (out / "a_blocks.vti").stat().st_mtime_ns
    assert run(tmp_path, "--quantities", "shear_rate") == 0
    assert (out / "a_blocks.vti").stat().st_mtime_ns == before
    assert run(tmp_path, "--quantities", "lambda2") == 0
    assert list(read_contents(out / "a_blocks.vti").point_data) == ["lambda2"]
    assert not (out / "a.vtu").exists()
    write_image(tmp_path / "a.vti", SHAPE, {"p": rough(COUNT)[:, 0].copy()})
    assert run(tmp_path) == 1
    assert not (out / "a_blocks.vti").exists()


# Not ru_maxrss, which begins with the peak of the process that started this one.
MEASURE = """
import re, sys
from pathlib import Path
from flowgrad.cli import main
status = main(sys.argv[1:])
print(status, re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text())[1])
"""


def peak(folder, n: int) -> int:
    """Kilobytes at most of a run on n planes of 1024 points, in a process of its own."""
    write_image(folder / "a.vti", (32, 32, n), {"U": np.tile(rough(1024), (n, 1))})
    command = ["run", folder / "a.vti", "-o", folder / f"out{n}", "--quantities", "shear_rate", "--no-report"]
    given = [sys.executable, "-c", MEASURE, *map(str, command), "--block-memory", "8M"]
    done = subprocess.run(given, capture_output=True, text=True, check=True)
    status, size = map(int, done.stdout.split()[-2:])
    assert not status, done.stderr
    assert (folder / f"out{n}" / "a_blocks.vti").exists()
    return size


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/proc tells the peak")
def test_memory_follows_the_budget_and_not_the_file(tmp_path):
    small, large = peak(tmp_path, 400), peak(tmp_path, 2000)
    # The velocity takes 10 MB and 49 MB, L of the whole lattice 29 MB and 147 MB.
    assert abs(large - small) < 10_000
