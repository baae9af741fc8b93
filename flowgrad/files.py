"""Files that appear whole or not at all, and names of files that can be printed."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from flowgrad.errors import WriteError


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file that takes the place of ``path`` when the block ends, and vanishes if it fails.

    Raises WriteError if the operating system refuses.
    """
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
    """A file's name as UTF-8, whatever bytes it is made of."""
    return os.fsencode(name).decode("utf-8", "replace")


def stem(path: Path) -> str:
    """A file's name without its suffix, and without that of its compression."""
    return Path(path.stem).stem if path.suffix.lower() in (".gz", ".xz") else path.stem
