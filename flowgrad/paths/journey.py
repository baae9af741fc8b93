"""Particles on their way through a field: in swarms, on all threads, from one time to the next."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from flowgrad.compiled import threads
from flowgrad.paths.control import Control
from flowgrad.paths.field import Field
from flowgrad.paths.swarm import Gone, Swarm
from flowgrad.typing import FloatArray, IntArray

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
