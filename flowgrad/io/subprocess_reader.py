"""Libraries in a child process, with limits of memory and time: they may print, exit, raise anything, crash or hang.

Whatever they do there becomes one ReadError here, and they get no more memory than a file of its size can need.
"""

from __future__ import annotations

import contextlib
import logging
import os
import pickle
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from flowgrad.errors import FlowgradError, MissingDependencyError, ReadError
from flowgrad.files import READ_EVENT
from flowgrad.io.formats import formats

log = logging.getLogger("flowgrad")

# Beyond what the libraries take themselves, this much and so many times the size of the file: numbers as text
# become larger when a library makes Python objects of them.
_BASE, _TIMES = 1 << 30, 64
# Seconds of computing, and bytes for one more: the slowest of the libraries reads ten times as fast.
_SECONDS, _BYTES_A_SECOND = 30, 100_000

# Seconds that a library gets at least, whatever else the machine does meanwhile.
_PATIENCE = 300
# More of what a library prints does not help.
_LONGEST = 300
# Seconds between two looks at the memory of a process.
_PAUSE = 0.05
_MISSING = re.compile(r"No module named '(\w+)")


def guarded(
    program: str, call: str, path: Path, *arguments: Any, size: int | None = None, timeout: float | None = None
) -> Any:
    """What the function ``call`` (``module:name``) makes of a path and further arguments, run in a process of its own.

    ``program`` is the library's name in errors; ``size`` in bytes is that of all files that are read (default: of the
    path). Raises the function's own FlowgradErrors, MissingDependencyError with the extra where the library is not
    there, and ReadError with a one-line reason for any other end.
    """
    sys.audit(READ_EVENT, str(path))  # a library reads it where Python does not see it
    size = path.stat().st_size if size is None else size
    # Bytes beyond what the process holds when it begins, and seconds of computing: more may pass meanwhile.
    memory, seconds = _BASE + _TIMES * size, _SECONDS + size // _BYTES_A_SECOND
    too_much = f"it declares what takes more than {memory >> 20} MiB, in a file of {size} bytes"
    timeout = max(_PATIENCE, 2 * seconds) if timeout is None else timeout
    payload = (call, str(path.absolute()), arguments, memory, seconds, too_much)
    # -P: a file of the user's called meshio.py or numpy.py must not be imported.
    command = [sys.executable, "-P", "-m", "flowgrad.io.subprocess_worker"]
    try:
        code, out, err = run_worker(command, pickle.dumps(payload), timeout, memory)
    except subprocess.TimeoutExpired:
        raise ReadError(f"{program} did not finish in {timeout:g} s: convert the file to .vtu") from None
    except MemoryError:
        raise ReadError(f"{program} cannot read it ({too_much}): convert the file to .vtu") from None
    printed = one_line(err.decode(errors="replace"))
    if code:
        said = f" ({printed})" if printed else ""
        if code > 0:
            end = f"ended with exit code {code}"
        elif -code == getattr(signal, "SIGXCPU", None):
            end = f"did not finish in {seconds} s of computing, for {size} bytes"
        else:
            end = f"crashed with {signal.Signals(-code).name}"
        raise ReadError(f"{program} {end}{said}: convert the file to .vtu")
    try:
        answer = pickle.loads(out)
    except (EOFError, pickle.UnpicklingError):
        raise ReadError(f"{program} ended without an answer ({printed}): convert the file to .vtu") from None
    return _answer(program, path, printed, *answer)


def _answer(program: str, path: Path, printed: str, kind: str, result: Any, records: list[tuple[int, str]]) -> Any:
    for level, message in records:
        log.log(level, "%s", message)
    if kind == "refused":
        assert isinstance(result, FlowgradError)
        raise result
    if kind == "error":
        missing = _MISSING.search(result)
        if missing:
            needs = {module: source for each in formats().values() for module, source in each.needs.items()}
            source = needs.get(missing[1], missing[1])
            raise MissingDependencyError(f"reading this format needs {missing[1]}: install {source}")
        raise ReadError(f"{program} cannot read it ({one_line(result) or printed}): convert the file to .vtu")
    if printed:
        log.warning("%s: %s says: %s", path, program, printed)
    return result


def run_worker(
    command: list[str], payload: bytes, timeout: float, memory: int, watch: bool = sys.platform != "linux"
) -> tuple[int, bytes, bytes]:
    """Exit code, standard output and standard error of a process that gets the payload as its standard input.

    TimeoutExpired where it takes longer; MemoryError where it takes more memory, for which this process is to ``watch``
    on systems that do not limit a process themselves.
    """
    import psutil

    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    # Threads of a linear algebra that is not used take address space.
    environment = {**os.environ, "PYTHONPATH": paths, "OPENBLAS_NUM_THREADS": "1"}
    pipe, stop = subprocess.PIPE, time.monotonic() + timeout
    with tempfile.TemporaryFile() as given:
        given.write(payload)
        given.seek(0)
        process = subprocess.Popen(command, stdin=given, stdout=pipe, stderr=pipe, env=environment)
    with process:
        try:
            while True:
                pause = min(_PAUSE, stop - time.monotonic()) if watch else timeout
                with contextlib.suppress(subprocess.TimeoutExpired):
                    out, err = process.communicate(timeout=max(pause, 0))
                    return process.returncode, out, err
                if time.monotonic() >= stop:
                    raise subprocess.TimeoutExpired(command, timeout)
                with contextlib.suppress(psutil.NoSuchProcess):
                    if psutil.Process(process.pid).memory_info().rss > memory:
                        raise MemoryError
        finally:
            if process.poll() is None:
                process.kill()


def one_line(text: str) -> str:
    """A text on one line, its end where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"… {line[-_LONGEST:]}"
