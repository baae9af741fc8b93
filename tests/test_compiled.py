"""Kernels kept on disk."""

import subprocess
import sys

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
