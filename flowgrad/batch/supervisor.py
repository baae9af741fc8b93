"""Supervisor of worker processes: sends them tasks, enforces time and memory limits, restarts them."""

from __future__ import annotations

import contextlib
import dataclasses
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

import psutil

from flowgrad.batch.files import remove_parts, stamp
from flowgrad.batch.manifest import Outcome, Task
from flowgrad.batch.process_file import remove_results
from flowgrad.batch.settings import Limits
from flowgrad.errors import FlowgradError, WriteError

log = logging.getLogger("flowgrad")


# Seconds between two looks at a worker's memory, and between two at its time.
_LOOK, _PATIENCE = 0.05, 0.2
# A look takes longer where many processes run: at most one part in so many of a core goes to it.
_SHARE = 20
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


def resident(pid: int) -> int:
    """Bytes of main memory that a process and all that it started hold; 0 where there is no such process."""
    try:
        process = psutil.Process(pid)
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0
    held = 0
    for each in family:
        with contextlib.suppress(psutil.NoSuchProcess):
            held += each.memory_info().rss
    return held


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
        root = str(Path(__file__).resolve().parents[2])
        paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        own = {"NUMBA_NUM_THREADS": str(self.equipment.threads), "FLOWGRAD_LOG_LEVEL": str(self.equipment.level)}
        self._process = subprocess.Popen(
            # -P: a file of the user's called numpy.py must not be imported.
            [sys.executable, "-P", "-m", "flowgrad.batch.worker", *limits],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            text=True,
            encoding="ascii",
            cwd=self.equipment.folder,
            env={**os.environ, **ONE_THREAD, **own, "PYTHONPATH": paths},
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
            self._process.stdin.write(json.dumps(dataclasses.asdict(task)) + "\n")
            self._process.stdin.flush()
        except OSError:
            log.debug("a worker has ended between two files")
        messages: list[tuple[int, str]] = []
        found, kind, reason = self._answer(begin, messages)
        if found is None:
            try:
                for folder in (Path(task.folder), Path(task.folder) / "report"):
                    remove_parts(folder, {task.name})
                remove_results(task.target)
            except (OSError, WriteError):
                log.debug("what is left of %s cannot be removed", task.source, exc_info=True)
            mark = {} if before is None else {task.source: before}
            return Outcome(task.source, time.perf_counter() - begin, None, mark, reason, kind, messages)
        if found["kind"] == "memory":
            self._kill()
        return Outcome(**{**found, "messages": messages})

    def _answer(self, begin: float, messages: list[tuple[int, str]]) -> tuple[dict[str, Any] | None, str, str]:
        """The outcome, or the kind and the reason why there is none."""
        pause = _PATIENCE if self.equipment.limits.memory is None else _LOOK
        while True:
            try:
                answer = self._answers.get(timeout=pause)
            except queue.Empty:
                start = time.perf_counter()
                kind, reason = self._beyond(begin)
                if kind:
                    self._kill()
                    return None, kind, reason
                pause = max(pause, _SHARE * (time.perf_counter() - start))
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
        with contextlib.suppress(ProcessLookupError, PermissionError, psutil.Error):
            if hasattr(os, "killpg"):
                os.killpg(process.pid, signal.SIGKILL)
            else:
                for each in psutil.Process(process.pid).children(recursive=True):
                    each.kill()
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


def outcomes(tasks: Sequence[Task], equipment: Equipment, processes: int) -> Generator[Outcome]:
    """The outcome of each file as it ends; closing the iterator ends all workers."""
    workers = [Worker(equipment) for _ in range(min(processes, len(tasks)))]
    waiting: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
    for each in (*tasks, *[None] * len(workers)):
        waiting.put(each)
    ended: queue.SimpleQueue[Outcome | BaseException] = queue.SimpleQueue()

    def serve(worker: Worker) -> None:
        try:
            while (task := waiting.get()) is not None:
                ended.put(worker.run(task))
        except BaseException as error:
            ended.put(error)

    try:
        for worker in workers:
            threading.Thread(target=serve, args=(worker,), daemon=True).start()
        for _ in tasks:
            outcome = ended.get()
            if isinstance(outcome, BaseException):
                raise outcome
            yield outcome
    finally:
        for worker in workers:
            worker.stop()
