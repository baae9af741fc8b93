"""Ramps of the shear rate, up and down, and the hysteresis between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from flowgrad.rheometer.curve import RheometerCurve
from flowgrad.typing import FloatArray

# Rates that differ by less than this fraction are the same set point.
SAME_RATE = 0.02
# A ramp has this many points at least, and changes the rate by this factor.
_FEWEST, _LEAST_FACTOR = 4, 1.5


def ramps(rate: FloatArray) -> list[tuple[slice, str]]:
    """The parts of a sequence of shear rates (n,), each ``up`` or ``down``; one part without an order (empty text)
    where the rates jump about. A turning point belongs to the ramp that it ends."""
    log_rate = np.log(rate)
    turns = _turns(log_rate)
    ends = [0, *(turn + 1 for turn in turns), len(rate)]
    parts = [slice(a, b) for a, b in pairwise(ends)]
    if any(_is_too_short(log_rate[part]) for part in parts):
        return [(slice(0, len(rate)), "")]
    # The first point of a ramp after a turn is below (above) the turning point, which it does not repeat.
    return [(part, "up" if log_rate[part][-1] > log_rate[part][0] else "down") for part in parts]


def _is_too_short(log_rate: FloatArray) -> bool:
    return len(log_rate) < _FEWEST or np.ptp(log_rate) < np.log(_LEAST_FACTOR)


def _turns(log_rate: FloatArray) -> list[int]:
    """Positions of the extremes at which the rate turns by more than the jitter of a set point."""
    turns: list[int] = []
    direction, extreme = 0, 0
    for i in range(1, len(log_rate)):
        step = log_rate[i] - log_rate[extreme]
        if direction == 0:
            direction = int(np.sign(step)) if abs(step) > SAME_RATE else 0
            extreme = i if direction else extreme
        elif step * direction > 0:
            extreme = i
        elif abs(step) > SAME_RATE:
            turns.append(extreme)
            direction, extreme = -direction, i
    return turns


def is_held(rate: FloatArray) -> bool:
    """Whether most of the rates (n,) are one: a pre-shear or a peak hold, and no flow curve."""
    same = np.abs(np.log(rate / np.median(rate))) < SAME_RATE
    return bool(np.mean(same) > 0.8)


@dataclass(frozen=True)
class Hysteresis:
    """The loop between a ramp up and the ramp down after it, over the shear rates ``low`` to ``high`` of both.

    ``area`` = ∫ (τ_up − τ_down) dγ̇ [Pa/s], the power per volume that breaking the structure took; ``relative`` is
    the area over ∫ τ_up dγ̇, positive for a thixotropic loop; ``absolute`` is ∫ |τ_up − τ_down| dγ̇ over the same.
    Source: Green & Weltmann 1943, Ind. Eng. Chem. Anal. Ed. 15, 201.
    """

    area: float
    relative: float
    absolute: float
    low: float
    high: float


def hysteresis(up: RheometerCurve, down: RheometerCurve) -> Hysteresis | None:
    """The hysteresis of two ramps, stresses taken linearly between the points; None where they share no range."""
    low, high = max(up.rate.min(), down.rate.min()), min(up.rate.max(), down.rate.max())
    if not high > low:
        return None
    rate = np.unique(np.concatenate([up.rate, down.rate]))
    rate = np.unique(np.concatenate([[low], rate[(rate > low) & (rate < high)], [high]]))
    first, second = (np.interp(rate, *_means(each)) for each in (up, down))
    under = float(np.trapezoid(first, rate))
    area = float(np.trapezoid(first - second, rate))
    return Hysteresis(area, area / under, _absolute(rate, first - second) / under, float(low), float(high))


def _means(curve: RheometerCurve) -> tuple[FloatArray, FloatArray]:
    """Rates that rise, and the mean stress at each."""
    rate, place = np.unique(curve.rate, return_inverse=True)
    return rate, np.bincount(place, curve.stress) / np.bincount(place)


def _absolute(rate: FloatArray, difference: FloatArray) -> float:
    """∫ |f| of a function that is linear between the points, its zeros included."""
    a, b = difference[:-1], difference[1:]
    crossing = a * b < 0
    within = np.where(crossing, (a * a + b * b) / (2 * np.where(crossing, np.abs(a) + np.abs(b), 1)), np.abs(a + b) / 2)
    return float(np.sum(within * np.diff(rate)))
