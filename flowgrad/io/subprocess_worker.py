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

import psutil

from flowgrad.errors import FlowgradError


def main() -> None:
    """Do what the standard input says and send the result."""
    pipe = os.dup(1)
    os.dup2(2, 1)
    records = _recorded()
    call, path, *rest = pickle.loads(sys.stdin.buffer.read())
    kind, result = _attempt(call, Path(path), *rest)
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


def _attempt(
    call: str, path: Path, arguments: tuple[Any, ...], memory: int, seconds: int, too_much: str
) -> tuple[str, Any]:
    """What a function makes of a path, or why not: ``too_much`` where it takes more memory than it may."""
    module, name = call.split(":")
    try:
        function: Callable[..., Any] = getattr(importlib.import_module(module), name)
        if sys.platform == "linux":  # elsewhere the process that asked watches
            _limit("RLIMIT_AS", psutil.Process().memory_info().vms + memory)
        # Damaged files send libraries round in circles.
        _limit("RLIMIT_CPU", seconds)
        return "done", function(path, *arguments)
    except FlowgradError as error:
        return "refused", type(error)(str(error))
    except SystemExit:
        # The library has printed why.
        return "error", ""
    except MemoryError:
        return "error", too_much
    except BaseException as error:
        return "error", f"{type(error).__name__}: {error}"


def _limit(name: str, wanted: int) -> None:
    """Set one of the system's limits of this process, where it has one and allows it."""
    try:
        import resource

        kind = getattr(resource, name)
        hard = resource.getrlimit(kind)[1]
        resource.setrlimit(kind, (wanted if hard == resource.RLIM_INFINITY else min(wanted, hard), hard))
    except (ImportError, OSError, ValueError):
        pass


if __name__ == "__main__":
    main()
