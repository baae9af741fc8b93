"""Measured points of a flow curve: which of them can be used, and why the others cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad.errors import OptionError
from flowgrad.reprs import ReprMixin
from flowgrad.rheology.fit_data import MIN_POINTS
from flowgrad.typing import FloatArray

_REASONS = {
    "missing": "without a number",
    "nonpositive_rate": "with a shear rate that is not positive",
    "nonpositive_stress": "with a stress that is not positive",
    "nonpositive_sigma": "with a standard deviation that is not positive",
    "repeated_row": "that repeat another one",
}


@dataclass(frozen=True, eq=False)
class Points(ReprMixin):
    """Usable points sorted by rate: ``rate``, ``stress`` and, where known, ``sigma`` (m,); ``used`` (m,) are their rows
    among those given, ``excluded`` counts the others by reason."""

    rate: FloatArray
    stress: FloatArray
    sigma: FloatArray | None
    used: NDArray[np.intp]
    excluded: Mapping[str, int]

    @property
    def notes(self) -> list[str]:
        """What was left out and what stands more than once, in words."""
        notes = [
            f"left out: {count} point{'s' * (count > 1)} {_REASONS[reason]}" for reason, count in self.excluded.items()
        ]
        repeats = len(self.rate) - len(np.unique(self.rate))
        if repeats:
            notes.append(f"{repeats} shear rate{'s' * (repeats > 1)} measured more than once: each point counts")
        return notes


def usable_points(rate: ArrayLike, stress: ArrayLike, sigma: ArrayLike | None = None) -> Points:
    """The points that a flow curve can use, of shear rates, stresses and standard deviations (n,).

    Left out and counted are rows with a NaN, with a rate, stress or standard deviation that is not positive, and
    repeated rows. Raises OptionError for what are no numbers or not (n,) each, for a stress of the wrong sign, and
    for fewer than four points or different shear rates.
    """
    columns = [_column(rate, "shear rates"), _column(stress, "stresses")]
    columns += [] if sigma is None else [_column(sigma, "sigma")]
    if len({len(column) for column in columns}) != 1:
        raise OptionError(f"the columns have {[len(c) for c in columns]} values: give as many stresses as shear rates")
    why = _why_not(columns)
    _check_sign(*columns[:2])
    used = np.flatnonzero(why == "")
    excluded = {reason: int(np.sum(why == reason)) for reason in _REASONS if (why == reason).any()}
    _check_count(columns[0][used], len(why), excluded)
    used = used[np.argsort(columns[0][used], kind="stable")]
    return Points(columns[0][used], columns[1][used], None if sigma is None else columns[2][used], used, excluded)


def _column(values: Any, name: str) -> FloatArray:
    if np.ma.isMaskedArray(values):
        values = np.ma.filled(values.astype(float), np.nan)
    try:
        array = np.asarray(values, float)
    except (TypeError, ValueError):
        raise OptionError(f"the {name} are not all numbers: give an array (n,) of them") from None
    if array.ndim != 1:
        raise OptionError(f"the {name} have the shape {array.shape}: give an array (n,)")
    return array


def _why_not(columns: list[FloatArray]) -> NDArray[np.str_]:
    """The reason why each row cannot be used; empty for one that can."""
    why = np.full(len(columns[0]), "", "U20")
    rows = np.stack(columns, axis=1)
    _, first = np.unique(rows, axis=0, return_index=True)
    why[np.setdiff1d(np.arange(len(rows)), first)] = "repeated_row"
    for reason, column in reversed(list(zip(list(_REASONS)[1:], columns, strict=False))):
        why[~(column > 0)] = reason
    why[~np.isfinite(rows).all(axis=1)] = "missing"
    return why


def _check_sign(rate: FloatArray, stress: FloatArray) -> None:
    sheared = np.isfinite(rate) & np.isfinite(stress) & (rate > 0)
    negative = int(np.sum(stress[sheared] < 0))
    if 2 * negative > np.sum(sheared):
        raise OptionError(
            f"{negative} of {int(np.sum(sheared))} stresses are negative at positive shear rates: give the stress "
            "with the other sign"
        )


def _check_count(rate: FloatArray, given: int, excluded: Mapping[str, int]) -> None:
    different = len(np.unique(rate))
    if different >= MIN_POINTS:
        return
    left_out = "; ".join(f"{count} {_REASONS[reason]}" for reason, count in excluded.items())
    raise OptionError(
        f"{len(rate)} of {given} points can be used, at {different} different shear rates"
        f"{f' (left out: {left_out})' if left_out else ''}, which cannot tell one law from another: give at least "
        f"{MIN_POINTS}"
    )
