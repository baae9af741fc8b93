"""Numbers as people write them for an option: ``x=-1,y=pi/2`` and ``1,1,0`` and ``-1:1:41``."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.formula.expression import Formula, check_name
from flowgrad.formula.tokens import named

# More points than this in one grid are taken for a slip.
_LARGEST_GRID = 200_000_000


def number(text: str, option: str) -> float:
    """A finite number, or an expression of numbers such as pi/2; OptionError for others."""
    try:
        return float(Formula.parse(text, variables=()).evaluate({}, ()))
    except OptionError as error:
        raise OptionError(f"{option}: {error}") from None


def numbers(text: str, option: str) -> list[float]:
    """Numbers between commas."""
    return [number(piece, option) for piece in text.split(",")]


def named_numbers(text: str, option: str) -> dict[str, float]:
    """Numbers by the names of variables; OptionError for a name given twice, and for no name."""
    found: dict[str, float] = {}
    for piece in text.split(","):
        name, equals, value = piece.partition("=")
        name = name.strip()
        if not equals:
            raise OptionError(f"{option}: {named(piece)} has no name: write x=1,y=2")
        check_name(name)
        if name in found:
            raise OptionError(f"{option}: {name} is given twice: give it once")
        found[name] = number(value, option)
    return found


def interval(text: str, option: str) -> tuple[float, float]:
    """``LOW:HIGH`` with LOW below HIGH."""
    pieces = text.split(":")
    if len(pieces) == 2:
        low, high = (number(piece, option) for piece in pieces)
        if low < high:
            return low, high
    raise OptionError(f"{option}: {named(text)} is not LOW:HIGH, such as -2:2, with LOW below HIGH: change it")


def axes(text: str, option: str) -> list[NDArray[np.float64]]:
    """Evenly spaced coordinates of two or three axes from ``LOW:HIGH:COUNT,LOW:HIGH:COUNT,…``.

    A single number is an axis of one point. Raises OptionError for other texts, COUNT below 2, and grids
    that no computer holds.
    """
    found = [_axis(piece, option) for piece in text.split(",")]
    if not 2 <= len(found) <= 3:
        raise OptionError(f"{option} has {len(found)} ranges: give two or three, LOW:HIGH:COUNT for x, y and z")
    count = math.prod(each for _, _, each in found)
    if not 1 < count <= _LARGEST_GRID:
        raise OptionError(f"{option} has {count:.3g} points: give 2 to {_LARGEST_GRID:.0e}")
    return [np.linspace(low, high, each) for low, high, each in found]


def _axis(text: str, option: str) -> tuple[float, float, int]:
    """Its ends and its number of points."""
    pieces: Sequence[str] = text.split(":")
    if len(pieces) == 1:
        value = number(text, option)
        return value, value, 1
    if len(pieces) != 3:
        raise OptionError(f"{option}: {named(text)} is not LOW:HIGH:COUNT, such as -1:1:41: change it")
    low, high = interval(":".join(pieces[:2]), option)
    count = number(pieces[2], option)
    if not (count.is_integer() and count >= 2):
        raise OptionError(f"{option}: {named(text)} has {count:g} points: give a whole number, 2 or more")
    return low, high, int(count)
