"""How accurate a path is to be: tolerances and the size of a step, or a number of equal steps."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import numpy as np

from flowgrad.compiled import kernel, threads
from flowgrad.errors import OptionError
from flowgrad.paths.dormand_prince import Step, Way, step
from flowgrad.paths.field import Field
from flowgrad.typing import BoolArray, FloatArray, IntArray

_ROUNDING = 8 * np.finfo(float).eps
# Of the controller: how far below the largest step that would do, and how much a step may shrink and grow.
_SAFETY, _SHRINK, _GROW = 0.9, 0.2, 5.0
_ORDER = 5


@dataclass(frozen=True)
class Control:
    """The error of a step is held below ``rtol`` times the distance travelled in it (and, for the deformation
    gradient, below ``rtol`` times its largest component) plus ``atol`` (a length); or there are ``steps`` equal steps
    and no control. OptionError for tolerances that are not positive and less than one step."""

    rtol: float
    atol: float = 0.0
    steps: int | None = None

    def __post_init__(self) -> None:
        if not (0 < self.rtol < 1 and 0 <= self.atol < np.inf):
            raise OptionError(f"rtol is {self.rtol} and atol {self.atol}: give 0 < rtol < 1 and a length for atol")
        if self.steps is not None and self.steps < 1:
            raise OptionError(f"steps is {self.steps}: take one at least, or leave it out")

    def errors(self, step: Step, h: float | FloatArray) -> FloatArray:
        """The error of a step of each particle (m,) over what is allowed; 0 where there is no control."""
        y = step.y
        if self.steps is not None:
            return np.zeros(len(y))
        error = np.abs(step.error(h))
        speed = np.max([np.abs(each[:, :3]).max(axis=1) for each in step.rates], axis=0)
        room = self.atol + self.rtol * np.abs(np.ravel(h)) * speed + _ROUNDING * np.abs(y[:, :3]).max(initial=0.0)
        found: FloatArray = error[:, :3].max(axis=1) / np.maximum(room, np.finfo(float).tiny)
        if y.shape[1] > 3:
            size = self.rtol * np.abs(y[:, 3:]).max(axis=1)
            found = np.maximum(found, error[:, 3:].max(axis=1) / np.maximum(size, np.finfo(float).tiny))
        return np.where(np.isnan(found), np.inf, found)

    def factor(self, error: float) -> float:
        """What the next step is times the last one (Hairer, Nørsett & Wanner 1993, eq. II.4.13)."""
        wanted = _SAFETY * max(error, 1e-10) ** (-1 / _ORDER)
        return float(min(max(wanted, _SHRINK), _GROW))


@kernel()
def deform(velocity, L, inside, y, rates):  # type: ignore[no-untyped-def]
    """dy/dt (m, 12) of positions and F (m, 12): v, and L F; zero for particles that are not inside."""
    for p in range(len(y)):
        if not inside[p]:
            rates[p] = 0.0
            continue
        for i in range(3):
            rates[p, i] = velocity[p, i]
            a, b, c = L[p, i, 0], L[p, i, 1], L[p, i, 2]
            for j in range(3):
                rates[p, 3 + 3 * i + j] = a * y[p, 3 + j] + b * y[p, 6 + j] + c * y[p, 9 + j]


class State(NamedTuple):
    """Particles: ``y`` (m, 3) positions, or (m, 12) with the deformation gradients F behind them; ``rates`` dy/dt;
    ``cells`` (m,) where they are."""

    y: FloatArray
    rates: FloatArray
    cells: IntArray

    def some(self, which: BoolArray | IntArray) -> State:
        """Those chosen (copies)."""
        return State(self.y[which], self.rates[which], self.cells[which])

    def put(self, which: BoolArray | IntArray, others: State) -> None:
        """Overwrite those chosen."""
        for own, other in zip(self, others, strict=True):
            own[which] = other


class Attempt(NamedTuple):
    """What a step leads to, whether it and the way to it were inside (m,), and its error over what is allowed (m,)."""

    state: State
    inside: BoolArray
    errors: FloatArray

    @property
    def good(self) -> BoolArray:
        """Which particles (m,) have made the step."""
        return self.inside & (self.errors <= 1)


class Rates:
    """dy/dt of particles: the velocity, and L F; ``inside`` tells who has been inside each time it was asked."""

    def __init__(self, field: Field, cells: IntArray) -> None:
        self.field, self.cells = field, cells
        self.inside = np.ones(len(cells), bool)

    def __call__(self, t: float | FloatArray, y: FloatArray) -> FloatArray:
        """At one time, or a time (m, 1) for each."""
        with_F = y.shape[1] > 3
        positions = np.ascontiguousarray(y[:, :3])
        found = self.field.sample(positions, t if np.ndim(t) == 0 else np.ravel(t), self.cells, with_F)
        self.inside &= found.inside
        if not with_F:
            return np.where(found.inside[:, None], found.velocity, 0.0)
        rates = np.empty_like(y)
        deform(found.velocity, found.L, found.inside, y, rates)
        return rates


def attempt(field: Field, control: Control, t: float | FloatArray, state: State, h: float | FloatArray) -> Attempt:
    """A step from time t by h: numbers, or (m, 1) where each particle has its own."""
    rates = Rates(field, state.cells.copy())
    made = step(rates, t, state.y, h, state.rates)
    if field.watched:
        field.trace(Way.of(made, state.y, t, h, field.watched), state.cells, rates.inside)
    return Attempt(State(made.y, made.rates[-1], rates.cells), rates.inside, control.errors(made, h))


def move_alone(
    field: Field, control: Control, t: float, state: State, h: float, smallest: float
) -> tuple[State, FloatArray]:
    """The particles where a step from t to t + h takes them, or as far as they come (``state`` is overwritten), and how
    much of h each made (m,).

    A step that fails is halved, until it is shorter than ``smallest``; then the particle has left. Two that do not are
    followed by one of twice their length.
    """
    made, own = np.zeros(len(state.y)), np.full(len(state.y), 0.5 * h)
    eager = np.zeros(len(state.y), bool)
    going = np.arange(len(state.y))
    while len(going):
        rest = h - made[going]
        size = np.sign(h) * np.minimum(np.abs(own[going]), np.abs(rest))
        tried = attempt(field, control, (t + made[going])[:, None], state.some(going), size[:, None])
        good = tried.good
        state.put(going[good], tried.state.some(good))
        made[going[good]] = np.where(size == rest, h, made[going] + size)[good]
        own[going] = size * np.where(good, np.where(eager[going], 2.0, 1.0), 0.5)
        eager[going] = good
        going = going[(made[going] != h) & (np.abs(own[going]) >= smallest)]
    return state, made


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


# How accurately the time of leaving is found, over the time from the first to the last.
RESOLUTION = 1e-10
# Bits of each coordinate that decide which particles travel together.
_BITS = 10

Task = Callable[[Swarm], list[Gone]]


def travel(
    field: Field, seeds: FloatArray, times: FloatArray, control: Control, with_F: bool
) -> tuple[FloatArray, FloatArray]:
    """States (k, n, 3), or (k, n, 12) with F, at times (k,) of particles at seeds (n, 3) at the first, and the times
    at which they left (n,), NaN for those that stayed; those that left keep their last state."""
    y, left = _first_states(seeds, with_F), np.full(len(seeds), np.nan)
    found = np.empty((len(times), *y.shape))
    smallest = RESOLUTION * float(np.abs(np.diff(times)).sum())
    swarms = [Swarm(field, control, numbers, y[numbers], smallest) for numbers in _swarms(seeds, field.chunk)]

    def each(task: Task) -> None:
        for gone in (one for several in pool.map(partial(_quietly, task), swarms) for one in several):
            y[gone.numbers], left[gone.numbers] = gone.y, gone.times

    def keep(row: FloatArray) -> None:
        for swarm in swarms:
            y[swarm.numbers] = swarm.state.y
        row[:] = y

    with ThreadPoolExecutor(threads() if field.threaded else 1) as pool:
        field.leg(times[0], times[min(1, len(times) - 1)])
        each(lambda swarm: [swarm.enter(times[0], times[-1])])
        keep(found[0])
        for row, start, end in zip(found[1:], times, times[1:], strict=False):
            _between(field, control, start, end, each)
            keep(row)
    return found, left


def _between(field: Field, control: Control, start: float, end: float, each: Callable[[Task], None]) -> None:
    """Move all on from one time to the next, leg by leg."""
    t = start
    while t != end:
        until = field.leg(t, end)
        steps = round((control.steps or 1) * (until - t) / (end - start))
        each(partial(Swarm.advance, start=t, end=until, steps=max(steps, 1)))
        t = until


def _quietly(task: Task, swarm: Swarm) -> list[Gone]:
    """Without warnings: what stages outside the field give means nothing."""
    with np.errstate(all="ignore"):
        return task(swarm)


def _first_states(seeds: FloatArray, with_F: bool) -> FloatArray:
    return np.hstack([seeds, np.tile(np.eye(3).ravel(), (len(seeds), 1))]) if with_F else seeds.copy()


def _swarms(seeds: FloatArray, size: int) -> Iterator[IntArray]:
    """Numbers of particles that start near each other."""
    order = np.argsort(_curve(seeds), kind="stable") if len(seeds) > size else np.arange(len(seeds))
    yield from (order[start : start + size] for start in range(0, len(seeds), size))


def _curve(seeds: FloatArray) -> IntArray:
    """Number of each seed along a curve that fills space (Morton 1966)."""
    known = np.where(np.isfinite(seeds), seeds, 0.0)
    low, extent = known.min(axis=0), np.ptp(known, axis=0)
    grid = ((known - low) / np.where(extent > 0, extent, 1.0) * (2**_BITS - 1)).astype(np.int64)
    number = np.zeros(len(seeds), np.int64)
    for bit in range(_BITS):
        for axis in range(3):
            number |= ((grid[:, axis] >> bit) & 1) << (3 * bit + axis)
    return number
