"""Adaptive integration of batches of particles through a field: those that fail a step of their batch go on alone.

Particles that start near each other share a step size and a thread.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from flowgrad.compiled import threads
from flowgrad.errors import OptionError
from flowgrad.mesh.bounding_tree import spread_bits
from flowgrad.paths.dormand_prince import DenseOutput
from flowgrad.paths.field import Advance, Field
from flowgrad.typing import BoolArray, FloatArray, IntArray

_ROUNDING = 8 * np.finfo(float).eps
# The next step is at most this part of the largest that would do, and a step may shrink and grow by these factors.
_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 5.0
_ORDER = 5
# A step is tried first that changes the velocity by this fraction.
_FIRST_CHANGE = 0.1
# How accurately the time of leaving is found, over the time from the first to the last.
RESOLUTION = 1e-10
# Intervals along each axis by which particles are put in batches.
_INTERVALS = 1 << 10


@dataclass(frozen=True)
class Control:
    """Step size control: the error of a step is held below ``rtol`` times the distance travelled in it (and, for the
    deformation gradient, below ``rtol`` times its largest component) plus ``atol`` (a length); or there are ``steps``
    equal steps and no control. OptionError for tolerances that are not positive and less than one step."""

    rtol: float
    atol: float = 0.0
    steps: int | None = None

    def __post_init__(self) -> None:
        if not (0 < self.rtol < 1 and 0 <= self.atol < np.inf):
            raise OptionError(f"rtol is {self.rtol} and atol {self.atol}: give 0 < rtol < 1 and a length for atol")
        if self.steps is not None and self.steps < 1:
            raise OptionError(f"steps is {self.steps}: take one at least, or leave it out")

    def errors(self, made: Advance, h: float | FloatArray) -> FloatArray:
        """The error of a step of each particle (m,) over what is allowed; 0 where there is no control."""
        y = made.y
        if self.steps is not None:
            return np.zeros(len(y))
        error = np.abs(made.error)
        room = self.atol + self.rtol * np.abs(np.ravel(h)) * made.speed + _ROUNDING * np.abs(y[:, :3]).max(initial=0.0)
        found: FloatArray = error[:, :3].max(axis=1) / np.maximum(room, np.finfo(float).tiny)
        if y.shape[1] > 3:
            size = self.rtol * np.abs(y[:, 3:]).max(axis=1)
            found = np.maximum(found, error[:, 3:].max(axis=1) / np.maximum(size, np.finfo(float).tiny))
        return np.where(np.isnan(found), np.inf, found)


class State(NamedTuple):
    """Particles: ``y`` (m, 3) positions, or (m, 12) with the deformation gradients F behind them; ``rates`` dy/dt;
    ``cells`` (m,) where they are."""

    y: FloatArray
    rates: FloatArray
    cells: IntArray

    def select(self, which: BoolArray | IntArray) -> State:
        """Those chosen (copies)."""
        return State(self.y[which], self.rates[which], self.cells[which])

    def replace(self, which: BoolArray | IntArray, others: State) -> None:
        """Overwrite those chosen."""
        for own, other in zip(self, others, strict=True):
            own[which] = other


class TrialStep(NamedTuple):
    """Result of a step: the new ``state``, which particles (m,) stayed ``inside`` at its stages and on the way, the
    ``errors`` (m,) over what is allowed, and which particles have therefore ``made`` the step."""

    state: State
    inside: BoolArray
    errors: FloatArray
    made: BoolArray


def trial_step(field: Field, control: Control, t: float | FloatArray, state: State, h: float | FloatArray) -> TrialStep:
    """A trial Runge–Kutta step of particles from time t by h: numbers, or (m, 1) where each particle has its own."""
    cells = state.cells.copy()
    made = field.advance(t, state.y, state.rates, h, cells)
    inside = made.inside
    if field.watched:
        field.trace(DenseOutput(made.way, field.watched, t, h), state.cells, inside)
    errors = control.errors(made, h)
    return TrialStep(State(made.y, made.rates, cells), inside, errors, inside & (errors <= 1))


def step_alone(
    field: Field, control: Control, t: float, state: State, h: float, smallest: float
) -> tuple[State, FloatArray]:
    """The particles where a step from t to t + h takes them, or as far as they come (``state`` is overwritten), and how
    much of h each made (m,).

    A step that fails is halved, until it is shorter than ``smallest``; then the particle has left. Two that do not are
    followed by one of twice their length.
    """
    made, sizes = np.zeros(len(state.y)), np.full(len(state.y), 0.5 * h)
    eager = np.zeros(len(state.y), bool)
    going = np.arange(len(state.y))
    while len(going):
        rest = h - made[going]
        size = np.sign(h) * np.minimum(np.abs(sizes[going]), np.abs(rest))
        trial = trial_step(field, control, (t + made[going])[:, None], state.select(going), size[:, None])
        good = trial.made
        state.replace(going[good], trial.state.select(good))
        made[going[good]] = np.where(size == rest, h, made[going] + size)[good]
        sizes[going] = size * np.where(good, np.where(eager[going], 2.0, 1.0), 0.5)
        eager[going] = good
        going = going[(made[going] != h) & (np.abs(sizes[going]) >= smallest)]
    return state, made


class Exited(NamedTuple):
    """Particles that have left: their numbers (m,), last states (m, 3 or 12), and when (m,)."""

    numbers: IntArray
    y: FloatArray
    times: FloatArray


class ParticleBatch:
    """Particles ``numbers`` (m,) that are moved together, without those that have left.

    ``h`` is the signed step to try next, and ``smallest`` the size of the smallest. Particles whose step leads
    outside, or is less accurate than that of nearly all, are moved on alone; the others do not wait for them.
    """

    def __init__(self, field: Field, control: Control, numbers: IntArray, y: FloatArray, smallest: float) -> None:
        self.field, self.control, self.smallest = field, control, smallest
        self.numbers = numbers
        self.state = State(y, np.empty_like(y), np.full(len(y), -1, np.int64))
        self.h = 0.0

    def initialise(self, t: float, end: float) -> Exited:
        """Take the first rates, by which those who are outside have left, and choose the first step by how much a
        short step of Euler's changes them."""
        y, cells = self.state.y, self.state.cells
        inside = np.ones(len(y), bool)
        self.state = State(y, self.field.rates(t, y, cells, inside), cells)
        plane = self.field.plane
        if plane is not None:
            inside = inside & (np.abs((y[:, :3] - plane.origin) @ np.cross(*plane.axes)) <= plane.reach)
        exited = self._without(inside, np.full(len(self.numbers), t))
        probe = 1e-3 * (end - t)
        y, now, inside = self.state.y, self.state.rates, np.ones(len(self.state.y), bool)
        then = self.field.rates(t + probe, y + probe * now, self.state.cells.copy(), inside)
        change = np.abs(then - now)[inside].max(initial=0.0)
        size = np.abs(now[inside]).max(initial=0.0)
        self.h = float((end - t) * np.clip(1e-3 * _FIRST_CHANGE * size / max(change, 1e-300), 1e-6, 1.0))
        return exited

    def advance(self, start: float, end: float, steps: int) -> list[Exited]:
        """Move on from one time to another, in equal ``steps`` where there is no control; who left on the way."""
        exited, t, controlled = [], start, self.control.steps is None
        while t != end and len(self.numbers):
            left = max(math.ceil((end - t) / self.h * (1 - 1e-9)), 1) if controlled else steps
            h = (end - t) / left
            trial = trial_step(self.field, self.control, t, self.state, h)
            if not controlled or self._is_accepted(trial, h):
                exited.append(self._take(trial, t, h))
                t, steps = (end if left == 1 else t + h), steps - 1
        return [each for each in exited if len(each.numbers)]

    def _is_accepted(self, trial: TrialStep, h: float) -> bool:
        """Whether the step is accurate for nearly all who stay inside; the size of the next one
        (Hairer, Nørsett & Wanner 1993, eq. II.4.13)."""
        errors = trial.errors[trial.inside]
        few = int(self.field.outliers * len(errors))
        worst = float(np.partition(errors, -1 - few)[-1 - few]) if len(errors) else 0.0
        accepted = worst <= 1 or abs(h) <= self.smallest
        wanted = h * min(max(_SAFETY * max(worst, 1e-10) ** (-1 / _ORDER), _SHRINK), _GROW)
        if not accepted or abs(wanted) > abs(self.h) or abs(wanted) < abs(h):
            self.h = math.copysign(max(abs(wanted), self.smallest), h)
        return accepted

    def _take(self, trial: TrialStep, t: float, h: float) -> Exited:
        """Go where the step leads; those who have not made it go alone."""
        failed = ~trial.made
        before, self.state = self.state, trial.state
        made = np.full(len(failed), h)
        if failed.any():
            state, made[failed] = step_alone(self.field, self.control, t, before.select(failed), h, self.smallest)
            self.state.replace(failed, state)
        return self._without(made == h, t + made)

    def _without(self, stays: BoolArray, times: FloatArray) -> Exited:
        """Go on with those who stay."""
        exited = Exited(self.numbers[~stays], self.state.y[~stays], times[~stays])
        if len(exited.numbers):
            self.numbers, self.state = self.numbers[stays], self.state.select(stays)
        return exited


def integrate(
    field: Field, seeds: FloatArray, times: FloatArray, control: Control, with_F: bool
) -> tuple[FloatArray, FloatArray]:
    """States (k, n, 3), or (k, n, 12) with F, at times (k,) of particles at seeds (n, 3) at the first, and the times
    at which they left (n,), NaN for those that stayed; those that left keep their last state."""
    y = np.hstack([seeds, np.tile(np.eye(3).ravel(), (len(seeds), 1))]) if with_F else seeds.copy()
    left, found = np.full(len(seeds), np.nan), np.empty((len(times), *y.shape))
    smallest = RESOLUTION * float(np.abs(np.diff(times)).sum())
    batches = [ParticleBatch(field, control, numbers, y[numbers], smallest) for numbers in _batches(seeds, field.chunk)]

    def run(task: Callable[[ParticleBatch], list[Exited]]) -> None:
        for several in pool.map(task, batches):
            for exited in several:
                y[exited.numbers], left[exited.numbers] = exited.y, exited.times

    # Stages outside the field give values that mean nothing: threads of the pool do not warn of them.
    with ThreadPoolExecutor(threads() if field.threaded else 1, initializer=np.seterr, initargs=("ignore",)) as pool:
        field.leg(times[0], times[min(1, len(times) - 1)])
        run(lambda batch: [batch.initialise(times[0], times[-1])])
        for number, end in enumerate(times):
            t = start = times[max(number - 1, 0)]
            while t != end:
                until = field.leg(t, end)
                steps = round((control.steps or 1) * (until - t) / (end - start))
                run(partial(ParticleBatch.advance, start=t, end=until, steps=max(steps, 1)))
                t = until
            for batch in batches:
                y[batch.numbers] = batch.state.y
            found[number] = y
    return found, left


def _batches(seeds: FloatArray, size: int) -> list[IntArray]:
    """Numbers of particles that start near each other: in the order of a curve that fills space (Morton 1966)."""
    order = np.arange(len(seeds))
    if len(seeds) > size:
        known = np.where(np.isfinite(seeds), seeds, 0.0)
        low, extent = known.min(axis=0), np.ptp(known, axis=0)
        grid = ((known - low) / np.where(extent > 0, extent, 1.0) * (_INTERVALS - 1)).astype(np.int64)
        code = spread_bits(grid[:, 0]) | spread_bits(grid[:, 1]) << 1 | spread_bits(grid[:, 2]) << 2
        order = np.argsort(code, kind="stable")
    return [order[start : start + size] for start in range(0, len(seeds), size)]
