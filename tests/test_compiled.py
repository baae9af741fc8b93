"""Kernels kept on disk."""

import subprocess
import sys

import pytest

CALLER = """
import numpy as np
from called_file import FACTOR, scaled
from flowgrad.compiled import kernel

@kernel()
def total(values):
    result = 0.0
    for i in range(len(values)):
        result += FACTOR * scaled(values[i])
    return result

print(total(np.ones(3)))
"""
CALLED = "from flowgrad.compiled import called\nFACTOR = {}\n@called\ndef scaled(x):\n    return {} * x\n"


def test_kernels_on_disk_are_not_taken_when_what_they_call_has_changed(tmp_path):
    def run(factor, scale):
        (tmp_path / "called_file.py").write_text(CALLED.format(factor, scale))
        command = [sys.executable, "-B", "caller.py"]
        return float(subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True).stdout)

    (tmp_path / "caller.py").write_text(CALLER)
    assert [run(1, 2), run(1, 2), run(1, 4), run(5, 4)] == [6, 6, 12, 60]


AT_ONCE = """
from flowgrad.compiled import kernel

@kernel()
def doubled(x):
    return 2 * x

doubled(1.0)
print(sum(doubled.stats.cache_misses.values()))
"""


def test_processes_that_need_a_kernel_at_once_compile_it_once(tmp_path):
    pytest.importorskip("fcntl")
    (tmp_path / "caller.py").write_text(AT_ONCE)
    command = [sys.executable, "-B", "caller.py"]
    started = [subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    assert sorted(int(each.communicate()[0]) for each in started) == [0, 0, 0, 1]
