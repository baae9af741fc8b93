"""Intervals that are no flow curve: rest, one held shear rate (pre-shear, peak hold), start-up, creep."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

from flowgrad.rheometer.curves import Measured
from flowgrad.typing import FloatArray

# Rates that differ by less than this fraction are the same set point.
SAME_RATE = 0.02
# A held rate is that of most points, or that of the end of a start-up, which lasts most of the time or half the points.
_MOST, _SETTLED, _END = 0.8, 0.5, 3
# Changes of sign that no sweep has, up and down through zero.
_TURNS = 3
# Points of an end, at least; a set point is reached within this fraction.
_FEWEST, _REACHED = 5, 0.03
# A hold in a sweep has so many points at least, and so many times those at its other rates, of which there are these.
_HELD, _LONGER, _RUNS = 8, 5, 4
# Steps of a sweep differ by less than this part of them.
_REGULAR = 0.5
# Rates of an oscillation, of the largest; temperatures [K] of a ramp span more.
_SWUNG, _RAMP = 0.1, 5.0
# A stress that is kept to this fraction, in this part of the points, while the rate changes by this factor.
_KEPT, _NEARLY_ALL, _CREEPS = 0.005, 0.9, 2.0
_CREEP = re.compile(r"creep|kriech|fluage|fluencia|recovery|erholung", re.IGNORECASE)


def no_curve(part: Measured, step: str = "") -> str:
    """Why rows are not a flow curve; empty if they are. ``step`` is what the file calls them."""
    known = np.isfinite(part.rate) & np.isfinite(part.stress)
    if not known.any():
        return "has no row with numbers"
    moving = known & (part.rate != 0)
    rate, stress = part.rate[moving], part.stress[moving]
    if not len(rate):
        return "is at rest throughout"
    if is_at_rest(rate, stress):
        return f"is at rest (shear rates about {np.median(np.abs(rate)):.2g} of either sign, stress about zero)"
    if (turns := reversals(rate)) >= _TURNS:
        return f"oscillates (the shear rate changes its sign {turns} times)"
    if len(rate) > 1 and is_held(np.abs(rate)):
        return f"stays at one shear rate, {np.median(np.abs(rate)):.4g}"
    if part.temperature is not None and is_creep(np.abs(rate), np.abs(stress)):
        warmth = part.temperature[moving]
        if np.ptp(warmth) > _RAMP and abs(np.sign(np.diff(warmth)).sum()) > _MOST * (len(warmth) - 1):
            return f"is a temperature ramp at one stress, {np.median(np.abs(stress)):.4g}"
    time = None if part.time is None else part.time[moving]
    if (held := settles_at(np.abs(rate), time)) is not None:
        return f"is a start-up to one shear rate, {held:.4g}"
    is_timed = time is not None and not is_sweep(np.abs(rate))
    if (_CREEP.search(step) or is_timed) and is_creep(np.abs(rate), np.abs(stress)):
        return f"is a creep test at one stress, {np.median(np.abs(stress)):.4g}"
    return ""


def is_at_rest(rate: FloatArray, stress: FloatArray) -> bool:
    """Whether rates and stresses (n,) scatter about zero: most stresses are zero to the digits given, or a sign changes
    at a quarter of the rows or more, three times at least. Rates of one sign that only rise or fall are a sweep, whose
    stresses may be noise where they are weak."""
    if np.mean(stress == 0) > 0.5:
        return True
    steps = np.sign(np.diff(rate))
    if np.ptp(np.sign(rate)) == 0 and abs(steps.sum()) > _MOST * len(steps):
        return False
    turns = [int(np.sum(np.diff(np.sign(each)) != 0)) for each in (rate, stress, rate * stress)]
    # A sweep up and down through zero changes the sign of both twice, and of the product never.
    return max(turns[0], turns[1], turns[2] + 1) >= max(_TURNS, len(rate) // 4)


def reversals(rate: FloatArray) -> int:
    """How often rates (n,) that are large change their sign: twice in a sweep up and down through zero."""
    large = rate[np.abs(rate) > _SWUNG * np.abs(rate).max()]
    return int(np.sum(np.diff(np.sign(large)) != 0))


def is_held(rate: FloatArray) -> bool:
    """Whether most of the rates (n,) are one: a pre-shear or a peak hold, and no flow curve."""
    same = np.abs(np.log(rate / np.median(rate))) < SAME_RATE
    return bool(np.mean(same) > _MOST)


def settles_at(rate: FloatArray, time: FloatArray | None = None) -> float | None:
    """The rate at which a sequence (n,) settles and stays, for most of its ``time`` (n,), or for half of its points
    where that is not known; None for a sweep, which does not."""
    end = rate[-max(len(rate) // _END, 1) :]
    if len(end) < _FEWEST:
        return None
    final = float(np.median(end))
    settled = np.abs(np.log(rate / final)) < _REACHED
    if settled[-len(end) :].mean() < _MOST:
        return None
    if time is None or not np.isfinite(time).all() or not (np.diff(time) > 0).all():
        return final if settled.mean() > _SETTLED else None
    spans = np.diff(time, prepend=2 * time[0] - time[1])
    return final if np.sum(spans[settled]) > _MOST * np.sum(spans) else None


def run_starts(rate: FloatArray) -> list[int]:
    """Where the runs of one rate begin in a sequence (n,)."""
    starts = [0]
    for i in range(1, len(rate)):
        if abs(np.log(rate[i] / rate[starts[-1]])) > SAME_RATE:
            starts.append(i)
    return starts


def held_run(rate: FloatArray) -> NDArray[np.bool_]:
    """The rows (n,) of a hold before, after or within a sweep: the longest run of one rate, where it is much longer
    than the others, of which there are enough for a curve."""
    starts = run_starts(rate)
    lengths = np.diff([*starts, len(rate)])
    longest = int(np.argmax(lengths))
    others = np.delete(lengths, longest)
    found = np.zeros(len(rate), bool)
    if len(others) >= _RUNS and lengths[longest] >= max(_HELD, _LONGER * np.median(others)):
        found[starts[longest] : starts[longest] + lengths[longest]] = True
    return found


def is_sweep(rate: FloatArray) -> bool:
    """Whether rates (n,) go in one direction by steps that are equal in logarithms or in themselves."""
    starts = run_starts(rate)
    for values in (np.log(rate[starts]), rate[starts]):
        steps = np.diff(values)
        if len(steps) and np.abs(steps - steps.mean()).max() < _REGULAR * abs(steps.mean()):
            return True
    return False


def is_creep(rate: FloatArray, stress: FloatArray) -> bool:
    """Whether the stress (n,) is kept while the rate changes."""
    kept = np.abs(stress / np.median(stress) - 1) < _KEPT
    return bool(np.mean(kept) > _NEARLY_ALL and rate.max() > _CREEPS * rate.min())
