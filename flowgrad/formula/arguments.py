"""Velocities, points, ranges and grids as the texts of options: ``u=-y; v=x``, ``x=-1,y=pi/2``, ``-1:1:41``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.formula.expression import Formula, check_name, parse_formulas
from flowgrad.formula.functions import VARIABLES
from flowgrad.formula.parser import Variable, named

# More points than this in one grid are taken for a slip.
_LARGEST_GRID = 200_000_000


def number(text: str, option: str) -> float:
    """A finite number, or an expression of numbers such as pi/2; OptionError for others."""
    try:
        return float(Formula.parse(text, variables=()).evaluate({}, ()))
    except OptionError as error:
        raise OptionError(f"{option}: {error}") from None


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


_COMPONENTS = ("u", "v", "w")
_NAMES = {"u": 0, "v": 1, "w": 2, "vx": 0, "vy": 1, "vz": 2}


@dataclass(frozen=True, eq=False)
class VelocityFormula:
    """The velocity v(x) or v(x, t), ``components`` u, v and w of x, y, z and t; called with x (…, 3)."""

    components: tuple[Formula, Formula, Formula]
    # What the velocity is called.
    __name__ = "velocity"

    @classmethod
    def parse(cls, text: str) -> VelocityFormula:
        """From ``u=…; v=…; w=…`` or ``…; …; …`` in this order; those that are left out are zero.

        Raises OptionError for other names, a component given twice and what is not a formula.
        """
        given = parse_formulas([text], VARIABLES).formulas
        found: dict[int, Formula] = {}
        if len(given) > 3:
            raise OptionError(f"--formula has {len(given)} components: give three at most, u, v and w")
        if any(each.label for each in given) and not all(each.label for each in given):
            raise OptionError("--formula names some components and others not: write u=…; v=…; w=…")
        for position, each in enumerate(given):
            if each.label and each.label not in _NAMES:
                raise OptionError(f"--formula gives '{each.label}': the components are u, v and w (or vx, vy and vz)")
            index = _NAMES[each.label] if each.label else position
            if index in found:
                raise OptionError(f"--formula gives {_COMPONENTS[index]} twice: give it once")
            found[index] = each
        zero = parse_formulas(["0"], VARIABLES).formulas[0]
        return cls((found.get(0, zero), found.get(1, zero), found.get(2, zero)))

    @property
    def uses_time(self) -> bool:
        """Whether t occurs."""
        return Variable("t") in (step for each in self.components for step in each.steps)

    def __call__(self, x: Any, t: float | None = None) -> Any:
        """Velocities (…, 3) at x (…, 3), an array or dual numbers."""
        values = {"x": x[..., 0], "y": x[..., 1], "z": x[..., 2], "t": t}
        shape = np.shape(x)[:-1]
        return np.stack([each.evaluate(values, shape) for each in self.components], axis=-1)
