"""A library's process: what it prints and returns, and its end where it takes too long or too much memory."""

from __future__ import annotations

import subprocess
import sys

import pytest

from flowgrad.io.subprocess_reader import run_worker

ECHO = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read()); sys.stderr.write('said'); sys.exit(3)"


@pytest.mark.parametrize("watch", [True, False])
def test_a_large_payload_comes_back(watch):
    payload = bytes(1 << 20)
    assert run_worker([sys.executable, "-c", ECHO], payload, 60, 1 << 30, watch=watch) == (3, payload, b"said")


@pytest.mark.parametrize("watch", [True, False])
def test_it_ends_after_its_time(watch):
    with pytest.raises(subprocess.TimeoutExpired):
        run_worker([sys.executable, "-c", "import time; time.sleep(60)"], b"", 1, 1 << 30, watch=watch)


def test_it_is_ended_where_it_takes_more_memory_than_it_may():
    code = "import time; taken = bytearray(b'1') * (300 << 20); time.sleep(60)"
    with pytest.raises(MemoryError):
        run_worker([sys.executable, "-c", code], b"", 60, 200 << 20, watch=True)
