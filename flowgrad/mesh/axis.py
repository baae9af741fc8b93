"""Axis of a lattice: coordinates that rise or fall, and their period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import MeshError
from flowgrad.reprs import ReprMixin
from flowgrad.typing import FloatArray

# What tells that an axis is periodic: a flag, or the length of its period (curvilinear: the vector).
Period: TypeAlias = bool | float | ArrayLike
Periods: TypeAlias = Sequence[Period]

# The last point of a periodic axis repeats the first where they are this near, in spacings.
SAME = 1e-6


@dataclass(frozen=True, eq=False)
class Axis(ReprMixin):
    """One axis: ``coordinates`` (n,) that rise or fall, and the ``period`` in the same unit, signed as
    they run; None for an axis with two ends. It ``repeats`` if the last point is the first one, a period later."""

    coordinates: FloatArray
    period: float | None = None
    repeats: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        coordinates = np.ascontiguousarray(self.coordinates, np.float64)
        steps = np.diff(coordinates)
        if coordinates.ndim != 1 or not len(coordinates) or not np.isfinite(coordinates).all():
            raise MeshError("an axis of a lattice needs finite coordinates (n,), one at least")
        if len(steps) and not ((steps > 0).all() or (steps < 0).all()):
            wrong = int(np.flatnonzero(np.sign(steps) != np.sign(steps[0]) if steps[0] else steps == 0)[0])
            raise MeshError(
                f"the coordinates of an axis turn back or repeat after number {wrong} "
                f"({coordinates[wrong]:g}, {coordinates[wrong + 1]:g}): sort them and leave out repetitions"
            )
        object.__setattr__(self, "coordinates", coordinates)
        closes = self.period is not None and len(steps) > 0 and float(np.ptp(coordinates)) == abs(self.period)
        object.__setattr__(self, "repeats", closes)

    def __len__(self) -> int:
        return len(self.coordinates)

    @classmethod
    def even(cls, count: int, spacing: float, period: Period) -> Axis:
        """0, 1, 2, … with the period in spacings, those of n and n − 1 recognised to rounding."""
        axis = cls(np.arange(count, dtype=float))
        if period is False:
            return axis
        spacings = float(count) if period is True else _length(period) / spacing
        nearest = np.round(spacings)
        return axis._with_period(float(nearest) if abs(spacings - nearest) < SAME else spacings, " spacings")

    @classmethod
    def uneven(cls, coordinates: ArrayLike, period: Period) -> Axis:
        """Coordinates with a period in their unit; its length is exact where the last one repeats the first."""
        axis = cls(np.atleast_1d(np.asarray(coordinates, float)))
        if period is False:
            return axis
        span = float(np.ptp(axis.coordinates))
        if period is True:
            raise MeshError(
                "the period of an axis with uneven spacing is not known: give its length "
                f"({span:g} where the last point repeats the first)"
            )
        length = _length(period)
        same = abs(length - span) < SAME * span / max(len(axis) - 1, 1)
        return axis._with_period(span if same else length, "")

    def _with_period(self, length: float, unit: str) -> Axis:
        span = float(self.coordinates[-1] - self.coordinates[0])
        if len(self) == 1:
            raise MeshError("an axis with one point is not periodic: leave its entry False")
        if not length >= abs(span):
            raise MeshError(f"the period {length:g}{unit} is shorter than the axis, {abs(span):g}{unit}: check it")
        return Axis(self.coordinates, float(np.copysign(length, span)))

    @cached_property
    def is_uniform(self) -> bool:
        """Whether the coordinates rise by exactly 1, around a period too."""
        counted = np.array_equal(self.coordinates - self.coordinates[0], np.arange(len(self)))
        return counted and (self.period is None or self.period == len(self))

    @cached_property
    def unique(self) -> Axis:
        """The same axis without the repeated point."""
        return Axis(self.coordinates[:-1], self.period) if self.repeats else self

    @property
    def middles(self) -> Axis:
        """The axis of the cells' centres; the same one where there is a single point."""
        if len(self) == 1:
            return self
        return Axis(0.5 * (self.coordinates[1:] + self.coordinates[:-1]), self.period)


def _length(period: Period) -> float:
    value = np.asarray(period, float)
    if value.ndim or not value > 0:
        raise MeshError(f"the period {value.tolist()} is not a length: give a positive number, True or False")
    return float(value)
