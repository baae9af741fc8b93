"""The text of a formula cut into numbers, names and operators; anything else is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from flowgrad.errors import OptionError

_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<operator>\*\*|<=|>=|[-+*/^(),<>])"
)
# The only characters that may stand between tokens.
SPACE = " \t\r\n"
_SPACE = re.compile(f"[{SPACE}]*")
_SHOWN = 40


@dataclass(frozen=True)
class Token:
    """A piece of the text from ``start`` to ``end``; ``kind`` is number, name, operator or end."""

    kind: str
    text: str
    start: int
    end: int


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text, and one of kind ``end``; OptionError for a character that begins none."""
    at = _SPACE.match(text).end()  # type: ignore[union-attr]
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            raise refusal(text, at, f"{named(text[at])} is not allowed: {_ALLOWED}")
        kind = str(match.lastgroup)
        piece = "^" if match.group() == "**" else match.group()
        yield Token(kind, piece, at, match.end())
        at = _SPACE.match(text, match.end()).end()  # type: ignore[union-attr]
    yield Token("end", "the end", len(text), len(text))


def refusal(text: str, at: int, reason: str) -> OptionError:
    """An error of one line that shows the formula, as ASCII, and where it went wrong."""
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "..."
    return OptionError(f"formula {shown!a}, position {at + 1}: {reason}")


def named(piece: str) -> str:
    """A piece of text for a message: a character that is not ASCII, or cannot be seen, by its number."""
    if len(piece) == 1 and not (piece.isascii() and piece.isprintable()):
        return f"the character U+{ord(piece):04X}"
    return ascii(piece if len(piece) <= _SHOWN else piece[: _SHOWN - 3] + "...")


_ALLOWED = "write it with numbers, + - * / ^, parentheses, commas, names and functions such as sin(x)"
