"""Supervisor of worker processes: sends them tasks, enforces time and memory limits, restarts them."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from flowgrad.batch.files import remove_parts, stamp
from flowgrad.batch.manifest import Outcome, Task
from flowgrad.batch.process_file import remove_results
from flowgrad.batch.settings import Limits
from flowgrad.errors import FlowgradError, WriteError

log = logging.getLogger("flowgrad")


def resident(pid: int) -> int:
    """Bytes of main memory that a process and its children hold; 0 where the system does not tell."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        children = [
            int(child)
            for task in Path(f"/proc/{pid}/task").iterdir()
            for child in (task / "children").read_text().split()
        ]
    except (OSError, IndexError, ValueError):
        return 0
    return pages * _page() + sum(resident(child) for child in children)


def limit_memory(most: int) -> None:
    """Let this process, and each that it starts, hold at most so many bytes: what asks for more gets a
    MemoryError. Address space that is taken but not used, such as that of libraries, does not count."""
    if sys.platform == "win32":
        return
    import resource

    try:
        size, held = (int(each) * _page() for each in Path("/proc/self/statm").read_text().split()[:2])
        resource.setrlimit(resource.RLIMIT_AS, (size - held + most, resource.RLIM_INFINITY))
    except (OSError, ValueError):
        log.warning("this system does not limit the memory of a process: --max-memory has no effect here")


def _page() -> int:
    import resource

    return resource.getpagesize()


# Seconds between two looks at a worker's memory, and between two at its time.
_LOOK, _PATIENCE = 0.05, 0.2
# Threads of linear algebra would change the order of sums, and with it last digits, from machine to machine.
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"), "1"
)


@dataclass(frozen=True)
class Equipment:
    """What a worker is started with: its limits, the threads of its kernels, its folder and what it tells."""

    limits: Limits
    threads: int
    folder: str
    level: int = logging.INFO


class Worker:
    """A process that does one file after the other, and is replaced by a new one when it fails."""

    def __init__(self, equipment: Equipment) -> None:
        self.equipment = equipment
        self._process: subprocess.Popen[str] | None = None
        self._answers: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._printed: IO[bytes] | None = None
        self._is_stopped = self._is_ready = False

    def start(self) -> None:
        """Start the process where there is none, and wait until it is ready; FlowgradError if it never is."""
        self.launch()
        if self._is_ready:
            return
        while (answer := self._answers.get()) is not None and "ready" not in answer:
            log.log(*answer["log"])
        if answer is None and not self._is_stopped:
            self.stop()
            raise FlowgradError(
                f"a worker cannot be started ({self._last_words()}): run with --jobs 1 -v, file by file"
            )
        self._is_ready = True

    def launch(self) -> None:
        """Start the process where there is none; it makes itself ready while others do something else."""
        if self._is_stopped:
            raise FlowgradError("the run has been stopped: the same command goes on")
        if self._process is not None and self._process.poll() is None:
            return
        self._is_ready = False
        limits = [] if self.equipment.limits.memory is None else [str(self.equipment.limits.memory)]
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115
        self._answers = queue.SimpleQueue()
        self._process = subprocess.Popen(
            # -P: a file of the user's called numpy.py must not be imported.
            [sys.executable, "-P", "-m", "flowgrad.batch.worker", *limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            text=True,
            encoding="ascii",
            cwd=self.equipment.folder,
            env=_environment(self.equipment),
            start_new_session=True,
        )
        if self._is_stopped:
            self._kill()
        threading.Thread(target=_listen, args=(self._process, self._answers), daemon=True).start()

    def run(self, task: Task) -> Outcome:
        """What becomes of a file; nothing that the file does to the worker is raised here."""
        self.start()
        assert self._process is not None
        assert self._process.stdin is not None
        begin, before = time.perf_counter(), stamp(task.source)
        try:
            self._process.stdin.write(json.dumps(task.to_json()) + "\n")
            self._process.stdin.flush()
        except OSError:
            log.debug("a worker has ended between two files")
        messages: list[tuple[int, str]] = []
        found, kind, reason = self._answer(begin, messages)
        if found is None:
            _discard(task)
            mark = {} if before is None else {task.source: before}
            return Outcome(task.source, time.perf_counter() - begin, None, mark, reason, kind, messages)
        if found["kind"] == "memory":
            self._kill()
        return Outcome(**{**found, "messages": messages})

    def _answer(self, begin: float, messages: list[tuple[int, str]]) -> tuple[dict[str, Any] | None, str, str]:
        """The outcome, or the kind and the reason why there is none."""
        limits = self.equipment.limits
        while True:
            try:
                answer = self._answers.get(timeout=_PATIENCE if limits.memory is None else _LOOK)
            except queue.Empty:
                kind, reason = self._beyond(begin)
                if kind:
                    self._kill()
                    return None, kind, reason
                continue
            if answer is None:
                return None, "signal", self._end()
            if "log" not in answer:
                return answer, "", ""
            messages.append((answer["log"][0], answer["log"][1]))

    def _beyond(self, begin: float) -> tuple[str, str]:
        """Which limit is passed, and what to do."""
        limits = self.equipment.limits
        assert self._process is not None
        if limits.timeout is not None and time.perf_counter() - begin > limits.timeout:
            return "timeout", f"not finished after {limits.timeout:g} s: give more with --timeout, or check the file"
        if limits.memory is not None and resident(self._process.pid) > limits.memory:
            size = f"{limits.memory / 2**20:.0f} MiB"
            return "memory", f"needs more than {size} of memory: give more with --max-memory, or --at cells"
        return "", ""

    def _end(self) -> str:
        """How the process has ended, in words."""
        assert self._process is not None
        code = self._process.wait()
        words = self._last_words()
        said = f" ({words})" if words else ""
        if code >= 0:
            return f"its process ended with exit code {code}{said}: please report it, with the file"
        name = signal.Signals(-code).name
        hint = ", perhaps by the system for want of memory: try --max-memory" if name == "SIGKILL" else ""
        return f"its process was ended by the signal {name}{said}{hint or ': please report it, with the file'}"

    def _last_words(self) -> str:
        """The first line of what the process printed at its end."""
        if self._printed is None:
            return ""
        self._printed.seek(0)
        text = self._printed.read().decode(errors="replace")
        self._printed.close()
        log.debug("a worker printed: %s", text)
        lines = [line for line in text.splitlines() if line.strip()]
        fatal = [line for line in lines if line.startswith("Fatal")]
        return (fatal or lines[-1:] or [""])[0][:200]

    def stop(self) -> None:
        """End the process, whatever it is doing, for good."""
        self._is_stopped = True
        self._kill()

    def _kill(self) -> None:
        process = self._process
        if process is None:
            return
        try:
            os.killpg(process.pid, signal.SIGKILL) if hasattr(os, "killpg") else process.kill()
        except (ProcessLookupError, PermissionError):
            process.kill()
        process.wait()
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.close()


def _listen(process: subprocess.Popen[str], answers: queue.SimpleQueue[dict[str, Any] | None]) -> None:
    assert process.stdout is not None
    try:
        for line in process.stdout:
            answers.put(json.loads(line))
    except ValueError:
        log.debug("a worker was cut off in the middle of an answer")
    answers.put(None)


def _environment(equipment: Equipment) -> dict[str, str]:
    root = str(Path(__file__).resolve().parents[2])
    paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    own = {"NUMBA_NUM_THREADS": str(equipment.threads), "FLOWGRAD_LOG_LEVEL": str(equipment.level)}
    return {**os.environ, **ONE_THREAD, **own, "PYTHONPATH": paths}


def _discard(task: Task) -> None:
    """Remove what a worker that was ended has left of a file."""
    try:
        remove_parts(Path(task.folder), {task.name})
        remove_parts(Path(task.folder) / "report", {task.name})
        remove_results(task.target)
    except (OSError, WriteError):
        log.debug("what is left of %s cannot be removed", task.source, exc_info=True)


Ended = queue.SimpleQueue[Outcome | BaseException]


def outcomes(tasks: Sequence[Task], equipment: Equipment, processes: int) -> Generator[Outcome]:
    """The outcome of each file as it ends; closing the iterator ends all workers."""
    workers = [Worker(equipment) for _ in range(min(processes, len(tasks)))]
    waiting: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
    for each in (*tasks, *[None] * len(workers)):
        waiting.put(each)
    ended: Ended = queue.SimpleQueue()
    try:
        for worker in workers:
            threading.Thread(target=_serve, args=(worker, waiting, ended), daemon=True).start()
        for _ in tasks:
            outcome = ended.get()
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome
    finally:
        for worker in workers:
            worker.stop()


def _serve(worker: Worker, waiting: queue.SimpleQueue[Task | None], ended: Ended) -> None:
    try:
        while (task := waiting.get()) is not None:
            ended.put(worker.run(task))
    except BaseException as error:
        ended.put(error)
