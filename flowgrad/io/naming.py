"""Put the name of the file, or of the array, in front of an error that does not know it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flowgrad.errors import MeshError, ReadError


@contextmanager
def naming(subject: object) -> Iterator[None]:
    """Errors about the data that leave this block are ReadErrors that begin with ``subject``."""
    try:
        yield
    except (ReadError, MeshError) as error:
        raise ReadError(f"{subject}: {error}") from None


@contextmanager
def system_errors(path: Path) -> Iterator[None]:
    """Errors of the operating system that leave this block are ReadErrors that name the file."""
    try:
        yield
    except OSError as error:
        raise ReadError(f"{path}: cannot be read ({error.strerror or error}): check its permissions") from None
