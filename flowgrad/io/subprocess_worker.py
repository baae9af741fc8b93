"""Child process in which a library reads a file: ``python -m flowgrad.io.subprocess_worker``, told by standard input.

Writes one pickle to its standard output, ``(kind, result, log records)``; what the library prints goes to the
standard error. Whatever happens here, the process that asked lives on.
"""

from __future__ import annotations

import importlib
import logging
import os
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flowgrad.errors import FlowgradError
from flowgrad.io.subprocess_reader import memory_for, seconds_for


def main() -> None:
    """Do what the standard input says and send the result."""
    pipe = os.dup(1)
    os.dup2(2, 1)
    records = _recorded()
    call, path, arguments, size = pickle.loads(sys.stdin.buffer.read())
    kind, result = _attempt(call, Path(path), arguments, size)
    sys.stdout.flush()
    with os.fdopen(pipe, "wb") as out:
        pickle.dump((kind, result, records), out, protocol=5)


def _recorded() -> list[tuple[int, str]]:
    """The list to which everything goes that flowgrad logs here."""
    records: list[tuple[int, str]] = []

    class Handler(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            records.append((record.levelno, record.getMessage()))

    log = logging.getLogger("flowgrad")
    log.setLevel(logging.INFO)
    log.addHandler(Handler())
    return records


def _attempt(call: str, path: Path, arguments: tuple[Any, ...], size: int) -> tuple[str, Any]:
    (module, name), limit = call.split(":"), 0
    try:
        function: Callable[..., Any] = getattr(importlib.import_module(module), name)
        limit = _limit_memory(memory_for(size))
        _limit_time(seconds_for(size))
        return "done", function(path, *arguments)
    except FlowgradError as error:
        return "refused", type(error)(str(error))
    except SystemExit:
        # The library has printed why.
        return "error", ""
    except MemoryError:
        return "error", f"it declares what takes more than {limit >> 20} MiB, in a file of {size} bytes"
    except BaseException as error:
        return "error", f"{type(error).__name__}: {error}"


def _limit_memory(more: int) -> int:
    """Let this process take so many bytes more; where the system does not tell what it has, there is no limit."""
    try:
        import resource

        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        wanted = taken + more if hard == resource.RLIM_INFINITY else min(taken + more, hard)
        resource.setrlimit(resource.RLIMIT_AS, (wanted, hard))
    except (ImportError, OSError, ValueError):
        pass
    return more


def _limit_time(seconds: int) -> None:
    """End this process when it has computed for so long: damaged files send libraries round in circles."""
    try:
        import resource

        hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
        resource.setrlimit(
            resource.RLIMIT_CPU, (seconds if hard == resource.RLIM_INFINITY else min(seconds, hard), hard)
        )
    except (ImportError, OSError, ValueError):
        pass


if __name__ == "__main__":
    main()
