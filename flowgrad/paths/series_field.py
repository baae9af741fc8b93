"""Velocities known at several times: cubic between them."""

from __future__ import annotations

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.paths.field import Field, FloatArray, IntArray, Interpolation, Sample
from flowgrad.series import Series

# Steps that take part in a polynomial in time.
_STEPS = 4


class SeriesField(Field):
    """Lagrange's polynomial through the four nearest steps of a series, at any distances; one-sided between the first
    two and the last two, of lower degree where there are fewer. Four steps at a time are in memory.

    OptionError for steps without a time, or whose times do not rise, naming them.
    """

    def __init__(self, interpolation: Interpolation, series: Series) -> None:
        self.plane = interpolation.plane
        self._interpolation = interpolation
        self._series = series
        self._times: dict[int, float] = {}
        self._width = min(_STEPS, len(series))
        self._held: list[int] = [-1] * self._width
        self._nodal = np.empty(0)
        self._moments = np.empty(0)

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the interpolation."""
        return self._interpolation.notes

    @property
    def rtol(self) -> float:
        """That of the interpolation."""
        return self._interpolation.rtol

    def leg(self, start: float, end: float) -> float:
        """Load the steps around the interval that starts at a time; it ends at the next step or before."""
        first, last = self._time(0), self._time(len(self._series) - 1)
        if not (min(start, end) >= first and max(start, end) <= last):
            raise OptionError(
                f"the series has times from {first:g} to {last:g}, and paths from {start:g} to {end:g} are asked for: "
                "stay within"
            )
        k = self._interval(start, forward=end >= start)
        lowest = min(max(k - 1, 0), len(self._series) - self._width)
        self._load(range(lowest, lowest + self._width))
        if len(self._series) == 1:
            return end
        return min(end, self._time(k + 1)) if end >= start else max(end, self._time(k))

    def _interval(self, t: float, forward: bool) -> int:
        """The step before the interval that a path enters at a time, by bisection."""
        low, high = 0, len(self._series) - 1
        while high - low > 1:
            middle = (low + high) // 2
            before = self._time(middle) <= t if forward else self._time(middle) < t
            low, high = (middle, high) if before else (low, middle)
        return low

    def _time(self, number: int) -> float:
        if number not in self._times:
            time = self._series[number].time
            if time is None:
                raise OptionError(f"step {number} of the series has no time: give times, as Series.from_arrays takes")
            self._times[number] = float(time)
        return self._times[number]

    def _load(self, wanted: range) -> None:
        """Nodal values of these steps, in the places of those that are no longer wanted."""
        free = [place for place, held in enumerate(self._held) if held not in wanted]
        for number in wanted:
            if number in self._held:
                continue
            flow = self._series[number]
            nodal = self._interpolation.nodal(flow)
            if not self._nodal.size:
                self._nodal = np.empty((self._width, *nodal.shape))
            place = free.pop()
            self._nodal[place], self._held[place] = nodal, number
        self._moments = np.array([self._time(number) for number in self._held])
        if (np.diff(np.sort(self._held)) != 1).any() or (np.diff(self._moments[np.argsort(self._held)]) <= 0).any():
            raise OptionError(
                f"the times of steps {wanted[0]} to {wanted[-1]} are {[self._time(n) for n in wanted]}: sort the series"
            )

    def sample(self, positions: FloatArray, time: float | FloatArray, cells: IntArray, need_L: bool = True) -> Sample:
        """The field at positions (m, 3) and a time of the leg."""
        return self._interpolation.sample(self._nodal, lagrange(self._moments, time), positions, cells)


def lagrange(nodes: FloatArray, t: float | FloatArray) -> FloatArray:
    """Lagrange's polynomials (1 or m, k) of nodes (k,) at t or (m,)."""
    t = np.atleast_1d(np.asarray(t, float))
    found = np.ones((len(t), len(nodes)))
    for i, own in enumerate(nodes):
        for other in np.delete(nodes, i):
            found[:, i] *= (t - other) / (own - other)
    return found
