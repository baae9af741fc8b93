"""How a batch is run: processes, limits, shards."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass, field

from flowgrad.errors import OptionError
from flowgrad.files import size_of

ENGINES = ("local", "dask")
# A worker with its libraries, before it has read anything.
_LEAST_MEMORY = 2**28


@dataclass(frozen=True)
class Limits:
    """What one file may take: ``timeout`` in seconds, ``memory`` in bytes (of the worker and what it starts)."""

    timeout: float | None = None
    memory: int | None = None

    def __post_init__(self) -> None:
        if self.timeout is not None and not 0 < self.timeout < math.inf:
            raise OptionError(f"--timeout is {self.timeout:g}: give a positive number of seconds")
        if self.memory is not None and self.memory < _LEAST_MEMORY:
            raise OptionError(f"--max-memory is {self.memory} bytes: a worker alone takes more, give at least 256M")

    def __bool__(self) -> bool:
        return self.timeout is not None or self.memory is not None


@dataclass(frozen=True)
class Settings:
    """How many processes do the work, with how many threads each (``None``: the cores divided among them), on
    which engine, and which part of the list is done: ``shard`` (I, N), I from 1 to N."""

    jobs: int | None = None
    threads: int | None = None
    limits: Limits = field(default_factory=Limits)
    shard: tuple[int, int] = (1, 1)
    engine: str = "local"
    scheduler: str | None = None
    report: bool = True

    def __post_init__(self) -> None:
        for name in ("jobs", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise OptionError(f"--{name} is {value}: give 1 or more")
        if self.engine not in ENGINES:
            raise OptionError(f"--engine '{self.engine}' is unknown: choose one of {', '.join(ENGINES)}")
        if self.scheduler and self.engine != "dask":
            raise OptionError("--scheduler is for --engine dask: give both, or leave it out")
        if not 1 <= self.shard[0] <= self.shard[1]:
            raise OptionError(f"--shard is {self.shard[0]}/{self.shard[1]}: give I/N with I from 1 to N")

    @property
    def processes(self) -> int:
        """Workers at a time; one unless said."""
        return self.jobs or 1

    @property
    def threads_each(self) -> int:
        """Threads of the kernels in each worker; one where the workers are a scheduler's."""
        if self.threads:
            return self.threads
        return 1 if self.scheduler else max(1, cores() // self.processes)


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def jobs_of(text: str | int | None) -> int | None:
    """A number of workers from its text; ``auto`` is one for each core."""
    if text is None or isinstance(text, int):
        return text
    if text == "auto":
        return cores()
    if not text.strip().isdecimal():
        raise OptionError(f"--jobs is '{text}': give a number, or auto for one worker a core")
    return int(text)


def memory_of(text: str | None) -> int | None:
    """Bytes from a text such as ``4G`` or ``800M`` (powers of 1024)."""
    if text is None:
        return None
    return size_of(str(text), "--max-memory")


def shard_of(text: str | None) -> tuple[int, int]:
    """(I, N) from ``I/N``."""
    if text is None:
        return 1, 1
    match = re.fullmatch(r"\s*(\d+)\s*/\s*(\d+)\s*", text)
    if match is None:
        raise OptionError(f"--shard is '{text}': give I/N, such as 2/8")
    return int(match[1]), int(match[2])
