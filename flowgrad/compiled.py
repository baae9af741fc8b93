"""Compiled loops: numba's ``njit`` with the options of this project, the number of threads, and a notice before
the first compilation.
"""

from __future__ import annotations

import logging
import os
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

log = logging.getLogger("flowgrad")

# ``error_model="numpy"``: a division by zero gives inf or NaN, which the callers mask and report.
_OPTIONS: dict[str, Any] = {"nogil": True, "error_model": "numpy"}

# Sums may be taken in any order, in vector registers; NaN and infinities survive.
_REASSOCIATED = {"reassoc", "contract", "nsz"}

# Rows that a thread takes at a time: their arrays stay in its cache.
PIECE = 8192

_announced = False


def threads() -> int:
    """NUMBA_NUM_THREADS, which kernels obey, or one a core that this process may run on."""
    if os.environ.get("NUMBA_NUM_THREADS"):
        return int(os.environ["NUMBA_NUM_THREADS"])
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _njit(function: Callable[..., Any], **options: Any) -> Any:
    import numba  # here, so that threads() costs nothing

    return numba.njit(**_OPTIONS, **options)(function)


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that only other kernels call, into them: a call would pass every array in a
    dozen registers and cost three times the arithmetic."""
    return _njit(function, inline="always")


def called(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that kernels call: for larger ones, which compile faster on their own."""
    return _njit(function)


def summing(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for functions of long sums, which vector registers may take in any order."""
    return _njit(function, fastmath=_REASSOCIATED)


def kernel(*, parallel: bool = False, summing: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile a loop on its first call and keep the result on disk for the next process; in a ``summing`` one vector
    registers may take sums in any order."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        function.__qualname__ += f"-{zlib.crc32(_called_by(function).encode()):08x}"
        compiled = _compiled(function, parallel=parallel, **({"fastmath": _REASSOCIATED} if summing else {}))
        if not hasattr(compiled, "overloads"):  # NUMBA_DISABLE_JIT
            return function
        compile_for = compiled._compile_for_args  # what numba calls for types that it has not met

        def first(*args: Any, **named: Any) -> Any:
            if compiled.overloads:
                return compile_for(*args, **named)
            with _alone(compiled, function):
                if not _on_disk(compiled, function):
                    _announce()
                return compile_for(*args, **named)

        compiled._compile_for_args = first
        return compiled

    return decorate


def over_rows(function: Callable[[slice], None], count: int) -> None:
    """Call a function on pieces of ``count`` rows, the first alone (it may have to be compiled), the others on
    all threads; a single piece, as within another such call, starts none."""
    function(slice(0, min(PIECE, count)))
    rest = [slice(start, min(start + PIECE, count)) for start in range(PIECE, count, PIECE)]
    if rest:
        with ThreadPoolExecutor(threads()) as pool:
            list(pool.map(function, rest))


def _called_by(function: Callable[..., Any]) -> str:
    """What is compiled into a kernel from other files, whose changes numba does not see: it would take an old
    result from the disk. The kernel's name tells them apart."""
    parts = []
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        if isinstance(value, (int, float)):
            parts.append(f"{name} = {value!r}")
        elif callee := getattr(value, "py_func", None):
            code = callee.__code__
            parts += [name, code.co_code.hex(), repr(code.co_consts), repr(code.co_names), _called_by(callee)]
    return "\n".join(parts)


def _compiled(function: Callable[..., Any], **options: Any) -> Any:
    try:
        return _njit(function, cache=True, **options)
    except RuntimeError:
        # Nowhere to keep it: a read-only installation without a home folder.
        return _njit(function, **options)


@contextmanager
def _alone(compiled: Any, function: Callable[..., Any]) -> Iterator[None]:
    """Of processes that need a kernel at once one compiles it, the others wait and find it on disk; each for itself
    where files cannot be locked."""
    with ExitStack() as stack:
        with suppress(ImportError, OSError):
            import fcntl

            folder = Path(compiled.stats.cache_path or os.devnull)
            folder.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context((folder / f".{function.__qualname__}.lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _on_disk(compiled: Any, function: Callable[..., Any]) -> bool:
    if not compiled.stats.cache_path:
        return False
    line = function.__code__.co_firstlineno
    pattern = f"*.{function.__qualname__}-{line}.*.nbi".replace("<", "[<]")
    return any(Path(compiled.stats.cache_path).glob(pattern))


def _announce() -> None:
    global _announced
    if not _announced:
        log.info("compiling the kernels that this run needs (first run only, some seconds)")
    _announced = True
