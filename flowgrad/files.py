"""Files: atomic writes, printable names, sizes of memory as text."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from flowgrad.errors import OptionError, WriteError

# What would break a line, steer a terminal or is no character.
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
# The audit event by which whoever keeps account learns of a file that a library reads where Python does not see it.
READ_EVENT = "flowgrad.read"


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file that takes the place of ``path`` when the block ends, and vanishes if it fails.

    Raises WriteError if the operating system refuses.
    """
    import secrets  # it loads hashing and random numbers, which --help needs none of

    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        with temporary.open("xb") as handle:
            yield handle
        os.replace(temporary, path)
    except OSError as error:
        reason = error.strerror or str(error)
        raise WriteError(f"{path}: cannot be written ({reason}): choose another place for it") from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink()


def printable(name: Path | str) -> str:
    """A file's name as UTF-8 on one line, whatever bytes it is made of."""
    return CONTROLS.sub("?", os.fsencode(name).decode("utf-8", "replace"))


def stem(path: Path) -> str:
    """A file's name without its suffix, and without that of its compression."""
    return Path(path.stem).stem if path.suffix.lower() in (".gz", ".xz") else path.stem


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
