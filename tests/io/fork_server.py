"""Guarded readers without the start of a process for each file: a process that has the libraries loaded forks.

What runs in the fork is :func:`flowgrad.io.subprocess_worker.main`, with its input, its output and its memory limit.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
_LOADED = ("meshio", "h5py", "netCDF4", "flowgrad.io", "flowgrad.io.xdmf", "flowgrad.io.openfoam")
_VTK = ("vtkIOLegacy", "vtkIOHDF", "vtkIOEnSight", "vtkIOCGNSReader", "vtkIOGeometry", "vtkIOXML")


class ForkServer:
    """Its ``run`` stands in for ``run_worker`` of :mod:`flowgrad.io.subprocess_reader`, for as long as it is open."""

    def __init__(self, longest: float) -> None:
        self.longest = longest
        self._folder = tempfile.TemporaryDirectory(prefix="fork-server-")
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}
        command = [sys.executable, "-P", "-m", "tests.io.fork_server", self._folder.name]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )

    def run(self, command: list[str], payload: bytes, *_: Any) -> tuple[int, bytes, bytes]:
        """What the worker answers; TimeoutExpired where it takes longer than ``longest`` seconds."""
        folder = Path(self._folder.name)
        (folder / "in").write_bytes(payload)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{self.longest}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        if answer == "late":
            raise subprocess.TimeoutExpired(command, self.longest)
        out, printed = ((folder / name).read_bytes() for name in ("out", "err"))
        return int(answer), out, printed

    def close(self) -> None:
        """End the process that forks."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait()
        self._folder.cleanup()


def main() -> None:
    """Load everything, then fork for each line that comes, which says for how many seconds at most."""
    folder = Path(sys.argv[1])
    for name in (*_LOADED, *(f"vtkmodules.{each}" for each in _VTK)):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _work(folder)
        print(_end(child, float(line)), flush=True)


def _end(child: int, longest: float) -> str:
    """How the child has ended: its code, a signal as a number below zero, or ``late``."""
    stop = time.monotonic() + longest
    while time.monotonic() < stop:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return str(os.waitstatus_to_exitcode(status))
        time.sleep(0.001)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "late"


def _work(folder: Path) -> None:
    from flowgrad.io import subprocess_worker

    code = 1
    try:
        for number, (name, flags) in enumerate((("in", os.O_RDONLY), ("out", os.O_RDWR), ("err", os.O_RDWR))):
            new = os.O_CREAT | os.O_TRUNC if number else 0
            os.dup2(os.open(folder / name, flags | new), number)
        sys.stdin = open(0, closefd=False)  # noqa: SIM115
        subprocess_worker.main()
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
