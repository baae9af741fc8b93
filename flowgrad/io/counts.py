"""Numbers in the heads of text files, and lists of names in messages: neither may be without end."""

from __future__ import annotations

from collections.abc import Iterable

from flowgrad.errors import ReadError

# Digits of a count, and names in a message.
_DIGITS, _LISTED = 18, 20


def whole(text: str | bytes) -> int:
    """A count, of digits only; ReadError for one that no file can hold."""
    if len(text) > _DIGITS:
        raise ReadError(f"declares a count of {len(text)} digits: the file is damaged")
    return int(text)


def listed(names: Iterable[str]) -> str:
    """The first of some names, separated by commas."""
    every = list(names)
    more = f" and {len(every) - _LISTED} more" if len(every) > _LISTED else ""
    return ", ".join(every[:_LISTED]) + more
