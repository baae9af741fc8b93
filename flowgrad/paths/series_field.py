"""Field of a series: cubic polynomials in time between its steps."""

from __future__ import annotations

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.paths.field import Interpolant, InterpolatedField
from flowgrad.series import Series
from flowgrad.typing import FloatArray

# Steps that take part in a polynomial in time.
_STEPS = 4
# A time beyond the ends by this fraction of the span, or of itself, is there: sums of durations are rounded.
_BEYOND_SPAN, _BEYOND = 1e-12, 4 * np.finfo(float).eps


class SeriesField(InterpolatedField):
    """Lagrange's polynomial through the four nearest steps of a series, at any distances; one-sided between the first
    two and the last two, of lower degree where there are fewer. Four steps at a time are in memory.

    A series whose times fall is taken from its end. OptionError for steps without a time, and whose times turn back or
    repeat, naming them.
    """

    def __init__(self, interpolant: Interpolant, series: Series) -> None:
        super().__init__(interpolant)
        self._series, self._last = series, len(series) - 1
        self._times: dict[int, float] = {}
        self._flows: dict[int, Flow] = {}
        self._falls = False
        self._width = min(_STEPS, len(series))
        self._held: list[int] = [-1] * self._width
        self._nodal = np.empty(0)
        self._moments = np.empty(0)

    def leg(self, start: float, end: float) -> float:
        """Load the steps around the interval that starts at a time; it ends at the next step or before."""
        self._check_ends(start, end)
        k = self._interval(start, forward=end >= start)
        lowest = min(max(k - 1, 0), self._last + 1 - self._width)
        self._load(range(lowest, lowest + self._width))
        if end >= start:
            return end if k + 1 >= self._last else min(end, self._time(k + 1))
        return end if k == 0 else max(end, self._time(k))

    def _check_ends(self, start: float, end: float) -> None:
        first, last = self._time(0), self._time(self._last)
        if first > last:
            self._falls, self._times = True, {0: last, self._last: first}
            self._flows = {self._last - number: flow for number, flow in self._flows.items()}
            first, last = last, first
        room = max(_BEYOND_SPAN * (last - first), _BEYOND * max(abs(first), abs(last)))
        if not (min(start, end) >= first - room and max(start, end) <= last + room):
            raise OptionError(
                f"the series has times from {first:.10g} to {last:.10g}, and paths from {start:.10g} to {end:.10g} are "
                "asked for: stay within"
            )

    def _interval(self, t: float, forward: bool) -> int:
        """The step before the interval that a path enters at a time, by bisection between those whose times are
        known."""
        # Backward in time a step at t itself is not before.
        latest = t if forward else np.nextafter(t, -np.inf)
        known = sorted(self._times)
        before = [number for number in known[:-1] if self._time(number) <= latest]
        low = before[-1] if before else 0
        high = next(number for number in [*known, 1] if number > low)
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if self._time(middle) <= latest else (low, middle)
            self._flows = {n: flow for n, flow in self._flows.items() if low - 2 <= n <= high + 2}
        return low

    def _time(self, number: int) -> float:
        if number not in self._times:
            self._flows[number] = self._made(number)
        return self._times[number]

    def _made(self, number: int) -> Flow:
        """A step, in the order of time."""
        own = self._last - number if self._falls else number
        flow = self._series[own]
        if flow.time is None:
            raise OptionError(f"step {own} of the series has no time: give times, as Series.from_arrays takes")
        self._times[number] = float(flow.time)
        return flow

    def _load(self, wanted: range) -> None:
        """Nodal values of these steps, in the places of those that are no longer wanted."""
        free = [place for place, held in enumerate(self._held) if held not in wanted]
        for number in wanted:
            if number in self._held:
                continue
            flow = self._flows.pop(number, None) or self._made(number)
            nodal = self.interpolant.nodal(flow)
            if not self._nodal.size:
                self._nodal = np.empty((self._width, *nodal.shape))
            place = free.pop()
            self._nodal[place], self._held[place] = nodal, number
        self._flows.clear()
        self.notes = self.interpolant.notes
        self._moments = np.array([self._time(number) for number in self._held])
        if (np.diff(np.sort(self._held)) != 1).any() or (np.diff(self._moments[np.argsort(self._held)]) <= 0).any():
            raise OptionError(
                f"the times of steps {wanted[0]} to {wanted[-1]} are {[self._time(n) for n in wanted]}: sort the series"
            )

    def weights(self, time: FloatArray) -> FloatArray:
        """Lagrange's polynomials of the steps at times (m,) of the leg: (m, k)."""
        return lagrange(self._moments, time)


def lagrange(nodes: FloatArray, t: FloatArray) -> FloatArray:
    """Lagrange's polynomials (m, k) of nodes (k,) at t (m,)."""
    found = np.ones((len(t), len(nodes)))
    for i, own in enumerate(nodes):
        for other in np.delete(nodes, i):
            found[:, i] *= (t - other) / (own - other)
    return found
