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
from flowgrad.io.subprocess_reader import memory_for, seconds_for, too_much


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
    (module, name), limit = call.split(":"), memory_for(size)
    try:
        function: Callable[..., Any] = getattr(importlib.import_module(module), name)
        if sys.platform == "linux":  # elsewhere the process that asked watches
            _limit("RLIMIT_AS", psutil.Process().memory_info().vms + limit)
        # Damaged files send libraries round in circles.
        _limit("RLIMIT_CPU", seconds_for(size))
        return "done", function(path, *arguments)
    except FlowgradError as error:
        return "refused", type(error)(str(error))
    except SystemExit:
        # The library has printed why.
        return "error", ""
    except MemoryError:
        return "error", too_much(limit, size)
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
