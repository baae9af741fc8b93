"""Sizes of memory as text: ``4G``, ``800M``."""

from __future__ import annotations

import re

from flowgrad.errors import OptionError

_UNITS = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}


def size_of(text: str, option: str) -> int:
    """Bytes from a text such as ``4G`` or ``800M`` (powers of 1024); OptionError, naming the option, for others."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?\s*", text, re.IGNORECASE)
    if match is None:
        raise OptionError(f"{option} is '{text}': give a size such as 4G or 800M")
    return int(float(match[1]) * _UNITS[match[2].upper()])


def size_text(count: int) -> str:
    """Bytes as a text that :func:`size_of` reads, rounded up: ``4G``."""
    unit = next(unit for unit in ("T", "G", "M", "K", "") if count >= _UNITS[unit] or not unit)
    return f"{-(-count // _UNITS[unit])}{unit}"
