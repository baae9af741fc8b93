"""How much memory and time a library gets for files of so many bytes; damaged ones make it ask for more."""

from __future__ import annotations

# Beyond what the libraries take themselves, this much and so many times the size of the file: numbers as text
# become larger when a library makes Python objects of them.
_BASE, _TIMES = 1 << 30, 64
# Seconds of computing, and bytes for one more: the slowest of the libraries reads ten times as fast.
_SECONDS, _BYTES_A_SECOND = 30, 100_000


def memory_for(size: int) -> int:
    """Bytes, beyond what the process holds when it begins."""
    return _BASE + _TIMES * size


def seconds_for(size: int) -> int:
    """Seconds of computing; those that pass meanwhile may be more."""
    return _SECONDS + size // _BYTES_A_SECOND
