"""Reduction of several flow curves to one: temperature, slip at walls and entrance losses taken off."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.reprs import ReprMixin
from flowgrad.rheometer.curve import RheometerCurve
from flowgrad.typing import FloatArray

# Points that make a curve.
_FEWEST = 4


@dataclass(frozen=True, eq=False)
class Reduction(ReprMixin):
    """Base of what is made of several ``curves``: one ``curve``, with a table of what was found on the way."""

    curves: tuple[RheometerCurve, ...]
    curve: RheometerCurve

    name: ClassVar[str] = ""
    # Headings of the table by the keys of its rows.
    headings: ClassVar[Mapping[str, str]] = {}
    # Of the figures of the curves and of what was found.
    captions: ClassVar[tuple[str, str]] = ("", "")

    @abstractmethod
    def rows(self) -> list[dict[str, float]]:
        """The table of what was found: a mapping for each row, of the same keys."""

    @property
    @abstractmethod
    def statement(self) -> str:
        """What was found, in a sentence."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know."""
        return ()

    def summary(self) -> dict[str, Any]:
        """Everything a machine may want to know, as Python types."""
        return {
            "reduction": self.name,
            "curves": [each.name for each in self.curves],
            "statement": self.statement,
            "table": self.rows(),
            "notes": list(self.notes),
        }


def common(curves: Sequence[RheometerCurve], axis: str, what: str) -> tuple[FloatArray, FloatArray]:
    """Values (k,) of ``axis``, ``rate`` or ``stress``, that all curves share, and the other quantity of each (s, k).

    The values are those of the curve that has most of them in the range of all; the others are interpolated in
    logarithms, by monotone cubics, which leave power laws as they are. Raises OptionError for fewer than four.
    """
    from scipy.interpolate import PchipInterpolator

    other = {"rate": "stress", "stress": "rate"}[axis]
    values = [getattr(each, axis) for each in curves]
    low, high = max(each.min() for each in values), min(each.max() for each in values)
    # Rounding of a value that all curves were measured at.
    low, high = low * (1 - 1e-9), high * (1 + 1e-9)
    grid = max((np.unique(each[(each >= low) & (each <= high)]) for each in values), key=len)
    if len(grid) < _FEWEST:
        names = ", ".join(each.name for each in curves)
        raise OptionError(
            f"the curves {names} share the {axis}s from {low:.4g} to {high:.4g} with {len(grid)} points, too few for "
            f"{what}: give curves over one range of the {axis}"
        )
    found = []
    for curve in curves:
        known, place = np.unique(getattr(curve, axis), return_inverse=True)
        logs = np.bincount(place, np.log(getattr(curve, other))) / np.bincount(place)
        found.append(np.exp(PchipInterpolator(np.log(known), logs, extrapolate=True)(np.log(grid))))
    return grid, np.stack(found)


@dataclass(frozen=True, eq=False)
class Lines(ReprMixin):
    """Straight lines y = ``intercept`` + ``slope``·x (k,) of each of k columns, their standard errors (k,), NaN for two
    sizes, and the root mean square ``misfit`` as a part of y."""

    intercept: FloatArray
    slope: FloatArray
    intercept_error: FloatArray
    slope_error: FloatArray
    misfit: float


def straight_lines(x: FloatArray, y: FloatArray) -> Lines:
    """Least squares of y (s, k) against sizes x (s,), of relative errors that are alike in all columns."""
    w = 1 / y
    total, mean = w**2, np.sum(w**2 * x[:, None], axis=0) / np.sum(w**2, axis=0)
    away = x[:, None] - mean
    square = np.sum(total * away**2, axis=0)
    slope = np.sum(total * away * y, axis=0) / square
    middle = np.sum(total * y, axis=0) / np.sum(total, axis=0)
    intercept = middle - slope * mean
    missed = w * (y - intercept - slope * x[:, None])
    freedom = y.shape[1] * (len(x) - 2)
    scatter = np.sqrt(np.sum(missed**2) / freedom) if freedom else np.nan
    slope_error = scatter / np.sqrt(square)
    intercept_error = scatter * np.sqrt(1 / np.sum(total, axis=0) + mean**2 / square)
    return Lines(intercept, slope, intercept_error, slope_error, float(np.sqrt(np.mean(missed**2))))
