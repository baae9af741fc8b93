"""Particles that are moved together, with one step size."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from flowgrad.paths.alone import move_alone
from flowgrad.paths.attempt import Attempt, Rates, State, attempt
from flowgrad.paths.control import Control
from flowgrad.paths.field import Field
from flowgrad.typing import FloatArray, IntArray

# A step is tried first that changes the velocity by this fraction.
_FIRST_CHANGE = 0.1


class Gone(NamedTuple):
    """Particles that have left: their numbers (m,), last states (m, 3 or 12), and when (m,)."""

    numbers: IntArray
    y: FloatArray
    times: FloatArray


class Swarm:
    """Particles ``numbers`` (m,) on their way, without those that have left.

    ``h`` is the signed step to try next, and ``smallest`` the size of the smallest. Particles whose step leads
    outside, or is less accurate than that of nearly all, are moved on alone; the others do not wait for them.
    """

    def __init__(self, field: Field, control: Control, numbers: IntArray, y: FloatArray, smallest: float) -> None:
        self.field, self.control, self.smallest = field, control, smallest
        self.numbers = numbers
        self.state = State(y, np.empty_like(y), np.full(len(y), -1, np.int64))
        self.h = 0.0

    def enter(self, t: float, end: float) -> Gone:
        """Take the first rates: those who are outside have left."""
        rates = Rates(self.field, self.state.cells)
        self.state = State(self.state.y, rates(t, self.state.y), self.state.cells)
        plane = self.field.plane
        holds = rates.inside if plane is None else rates.inside & plane.holds(self.state.y[:, :3])
        gone = self._without(holds, np.full(len(self.numbers), t))
        self.h = self._first_step(t, end)
        return gone

    def _first_step(self, t: float, end: float) -> float:
        """By how much a short step of Euler's changes the rates."""
        probe = 1e-3 * (end - t)
        rates = Rates(self.field, self.state.cells.copy())
        y, now = self.state.y, self.state.rates
        change = np.abs(rates(t + probe, y + probe * now) - now)[rates.inside].max(initial=0.0)
        size = np.abs(now[rates.inside]).max(initial=0.0)
        return float((end - t) * np.clip(1e-3 * _FIRST_CHANGE * size / max(change, 1e-300), 1e-6, 1.0))

    def advance(self, start: float, end: float, steps: int) -> list[Gone]:
        """Move on from one time to another, in equal ``steps`` where there is no control: who left on the way."""
        gone, t = [], start
        while t != end and len(self.numbers):
            left = self._steps_left(end - t, steps)
            h = (end - t) / left
            tried = attempt(self.field, self.control, t, self.state, h)
            if self._is_accepted(tried, h):
                gone.append(self._take(tried, t, h))
                t, steps = (end if left == 1 else t + h), steps - 1
        return [each for each in gone if len(each.numbers)]

    def _steps_left(self, rest: float, steps: int) -> int:
        if self.control.steps is not None:
            return steps
        return max(math.ceil(rest / self.h * (1 - 1e-9)), 1)

    def _is_accepted(self, tried: Attempt, h: float) -> bool:
        """Whether the step is accurate for nearly all who stay inside; the size of the next one."""
        if self.control.steps is not None:
            return True
        worst = self._worst(tried.errors[tried.inside])
        accepted = worst <= 1 or abs(h) <= self.smallest
        wanted = h * self.control.factor(worst)
        if not accepted or abs(wanted) > abs(self.h) or abs(wanted) < abs(h):
            self.h = math.copysign(max(abs(wanted), self.smallest), h)
        return accepted

    def _worst(self, errors: FloatArray) -> float:
        """The largest error but those of a few."""
        few = int(self.field.outliers * len(errors))
        return float(np.partition(errors, -1 - few)[-1 - few]) if len(errors) else 0.0

    def _take(self, tried: Attempt, t: float, h: float) -> Gone:
        """Go where the step leads; those whom it leads outside, or astray, go alone."""
        good = tried.good
        before, self.state = self.state, tried.state
        made = np.full(len(good), h)
        if not good.all():
            state, own = move_alone(self.field, self.control, t, before.some(~good), h, self.smallest)
            self.state.put(~good, state)
            made[~good] = own
        return self._without(made == h, t + made)

    def _without(self, stays: np.ndarray, times: FloatArray) -> Gone:
        """Go on with those who stay."""
        gone = Gone(self.numbers[~stays], self.state.y[~stays], times[~stays])
        if len(gone.numbers):
            self.numbers, self.state = self.numbers[stays], self.state.some(stays)
        return gone
