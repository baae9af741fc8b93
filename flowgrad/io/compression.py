"""Decompression of whole files (.gz, .xz) into a temporary file, which the reader of the format sees."""

from __future__ import annotations

import gzip
import lzma
import tempfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from flowgrad.errors import FlowgradError, ReadError

_OPENERS: dict[str, Callable[[Path], gzip.GzipFile | lzma.LZMAFile]] = {".gz": gzip.GzipFile, ".xz": lzma.LZMAFile}
COMPRESSED = tuple(_OPENERS)

# A file may always expand to this many bytes, and beyond it to so many times its own size: numbers written as
# text shrink to a third or, where they hardly vary, to a hundredth; bombs to a thousandth.
_ALWAYS = 1 << 26
_RATIO = 300
_CHUNK = 1 << 20


@contextmanager
def expanded(path: Path) -> Iterator[Path]:
    """The expanded file, under its own name without the suffix, for as long as the block lasts.

    Errors of the block that name the expanded file name the compressed one instead. Raises ReadError for a file
    that is damaged, cut off, or expands to more than 64 MiB and 300 times its size.
    """
    with tempfile.TemporaryDirectory(prefix="flowgrad-") as folder:
        copy = Path(folder) / path.stem
        _expand(path, copy)
        try:
            yield copy
        except FlowgradError as error:
            text = str(error).replace(str(copy), str(path))
            raise type(error)(text) from None


def _expand(path: Path, copy: Path) -> None:
    most, size = max(_ALWAYS, _RATIO * path.stat().st_size), 0
    try:
        with _OPENERS[path.suffix.lower()](path) as source, copy.open("wb") as target:
            while chunk := source.read(_CHUNK):
                size += len(chunk)
                if size > most:
                    raise ReadError(
                        f"{path}: expands to more than {most >> 20} MiB, {_RATIO} times its size or more: if that is "
                        "meant, expand it first"
                    )
                target.write(chunk)
    except (gzip.BadGzipFile, lzma.LZMAError, zlib.error, EOFError) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ReadError(f"{path}: cannot be expanded ({reason}): the file is damaged") from None
    if not size:
        raise ReadError(f"{path}: is empty once expanded: write it again")
