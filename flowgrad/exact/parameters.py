"""What a parameter of an exact flow may be."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, get_type_hints

from flowgrad.errors import OptionError


@dataclass(frozen=True)
class Range:
    """Which numbers are possible, in words and as a test."""

    words: str
    holds: Callable[[float], bool]


Real = Annotated[float, Range("finite", math.isfinite)]
Positive = Annotated[float, Range("finite and positive", lambda value: 0 < value < math.inf)]
NotNegative = Annotated[float, Range("finite and not negative", lambda value: 0 <= value < math.inf)]
Correlation = Annotated[float, Range("above −1 and below 1", lambda value: -1 < value < 1)]


@dataclass(frozen=True)
class Parameters:
    """A frozen dataclass whose annotated fields are checked and kept as floats.

    Raises OptionError for a parameter that is not a number or lies out of its range.
    """

    def __post_init__(self) -> None:
        for key, allowed in self.ranges().items():
            object.__setattr__(self, key, _checked(type(self).__name__, key, allowed, getattr(self, key)))

    @classmethod
    def ranges(cls) -> dict[str, Range]:
        """What each parameter may be, in the order of the fields."""
        hints = get_type_hints(cls, include_extras=True)
        kinds = {field.name: getattr(hints[field.name], "__metadata__", ()) for field in dataclasses.fields(cls)}
        return {key: kind[0] for key, kind in kinds.items() if kind}


def _checked(owner: str, key: str, allowed: Range, value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise OptionError(f"{owner}: {key} = {value!r} is not a number: write {key}=1.0") from None
    if not allowed.holds(number):
        raise OptionError(f"{owner}: {key} = {number:g} is impossible: give one that is {allowed.words}")
    return number
