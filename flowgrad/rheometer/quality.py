"""Quality of measured points: rows left out and why, ramps and the hysteresis between them, outliers, a stress that
falls at the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.rheometer.corrections import corrected
from flowgrad.rheometer.curve import RheometerCurve, SetAside, counted
from flowgrad.rheometer.curves import Measured
from flowgrad.rheometer.intervals import SAME_RATE, held_run
from flowgrad.rheometer.limits import limits_of
from flowgrad.rheometer.options import Reading
from flowgrad.typing import FloatArray

# A temperature [K] that varies by more within one curve is worth a note.
_DRIFT = 1.0
# Reasons, as they are printed with the number of points.
EMPTY, REST = "without a number", "at rest (shear rate 0)"
AGAINST = "with a stress that is zero or against the shear rate"
HELD = "held at one shear rate (a pre-shear or a hold in the sweep)"
OUTSIDE, TORQUE, STRESS = "outside --rates", "below the lowest torque", "below the lowest stress"
INERTIA = "beyond the onset of secondary flow (inertia)"
OUTLIER = "off the curve of the neighbours"
_SHOWN = (HELD, OUTSIDE, TORQUE, STRESS, INERTIA)


def curves_of(numbers: Measured, names: tuple[str, str], reading: Reading, source: Path) -> Iterator[RheometerCurve]:
    """The curve of each ramp; ``names`` are those of the sample and of the curve.

    Raises OptionError for a stress of the wrong sign and where nothing is left.
    """
    sample, name = names
    reasons = _reasons(numbers, reading, f"{source}: {name}")
    kept = np.flatnonzero(reasons == "")
    if not len(kept):
        counts = ", ".join(f"{count} {reason}" for reason, count in _counts(reasons).items())
        raise OptionError(f"{source}: {name}: no point is left: {counts}; check --rates and the lowest torque")
    parts = ramps(np.abs(numbers.rate[kept]))
    bounds = [_turn(np.abs(numbers.rate), kept[part.stop - 1], kept[part.stop], kind) for part, kind in parts[:-1]]
    spans = np.split(np.arange(len(reasons)), bounds)
    kinds = [kind for _, kind in parts]
    for i, (span, kind) in enumerate(zip(spans, kinds, strict=True)):
        number = f" {kinds[: i + 1].count(kind)}" if kinds.count(kind) > 1 else ""
        full = f"{name} {kind}{number}" if len(parts) > 1 else name
        curve = _curve(numbers.part(span), reasons[span], (sample, full), kind, reading, source)
        yield _suspected(curve, reading)


def _turn(rate: FloatArray, last: int, first: int, kind: str) -> int:
    """Where, after the ``last`` kept row of a ramp and before the ``first`` of the next, the rate turns."""
    between = rate[last + 1 : first]
    known = np.isfinite(between)
    if not known.any():
        return last + 1
    ends = np.where(known, between, -np.inf) if kind == "up" else np.where(known, -between, -np.inf)
    return last + 2 + int(np.argmax(ends))


def _reasons(numbers: Measured, reading: Reading, where: str) -> NDArray[np.str_]:
    """Why each row is left out (n,); empty for those that are kept. The first reason that holds counts."""
    rate, stress = numbers.rate, numbers.stress
    known = np.isfinite(rate) & np.isfinite(stress)
    against = known & (rate != 0) & (rate * stress <= 0)
    moving = known & (rate != 0)
    if against.sum() > 0.5 * moving.sum():
        raise OptionError(
            f"{where}: the stress is zero or against the shear rate in {against.sum()} of {moving.sum()} rows: "
            "turn its sign with --columns stress=-NAME"
        )
    held = moving & ~against
    if held.any():
        held[held] = held_run(np.abs(rate[held]))
    low, high = reading.rates or (0.0, np.inf)
    torque = np.full(len(rate), np.inf) if numbers.torque is None else np.abs(numbers.torque)
    limits = limits_of(reading)
    rules = {
        EMPTY: ~known,
        REST: rate == 0,
        AGAINST: against,
        HELD: held,
        OUTSIDE: (np.abs(rate) < low) | (np.abs(rate) > high),
        TORQUE: torque < reading.lowest_torque,
        STRESS: np.abs(stress) < limits.stress,
        INERTIA: np.abs(stress) < limits.inertia * rate**2,
    }
    return np.where(numbers.unusable == "", np.select(list(rules.values()), list(rules), ""), numbers.unusable)


def _counts(reasons: NDArray[np.str_]) -> dict[str, int]:
    names, counts = np.unique(reasons[reasons != ""], return_counts=True)
    return {str(name): int(count) for name, count in zip(names, counts, strict=True)}


def _curve(
    numbers: Measured,
    reasons: NDArray[np.str_],
    names: tuple[str, str],
    ramp: str,
    reading: Reading,
    source: Path,
) -> RheometerCurve:
    """The curve of one ramp; ``names`` are those of the sample and of the curve."""
    kept = np.flatnonzero(reasons == "")
    kept = kept[np.argsort(np.abs(numbers.rate[kept]), kind="stable")]
    rate, stress = np.abs(numbers.rate), np.abs(numbers.stress)
    notes = list(numbers.notes)
    sigma = None if numbers.sigma is None else numbers.sigma[kept]
    if sigma is not None and (bad := int(np.sum(~(np.isfinite(sigma) & (sigma > 0))))):
        notes.append(f"the standard deviations are not used: {bad} of {len(kept)} are not positive")
        sigma = None
    if reading.lowest_torque and numbers.torque is None and reading.stress_constant is None:
        notes.append("the table has no torque, so --lowest-torque is not applied: give --stress-constant")
    temperature = np.zeros(0) if numbers.temperature is None else numbers.temperature[kept]
    temperature = temperature[np.isfinite(temperature)]
    if len(temperature) and np.ptp(temperature) > _DRIFT:
        ends = f"from {temperature.min():.4g} to {temperature.max():.4g} °C"
        notes.append(f"the temperature varies {ends} within this curve")
    if turned := int(np.sum(numbers.rate[kept] < 0)):
        sense = "of the other sense of rotation (rate and stress negative)"
        notes.append(f"{counted(turned)} {sense}: the magnitudes are used")
    excluded = _counts(reasons)
    sizes = {name: values[kept][np.isfinite(values[kept])] for name, values in numbers.sizes.items()}
    return RheometerCurve(
        names[1],
        rate[kept],
        stress[kept],
        sigma,
        float(np.median(temperature)) if len(temperature) else None,
        ramp,
        excluded,
        tuple(notes),
        source,
        names[0],
        tuple(SetAside(each, rate[reasons == each], stress[reasons == each]) for each in _SHOWN if each in excluded),
        numbers.stated,
        limits=limits_of(reading, _stress_constant(numbers)),
        sizes={name: float(np.median(values)) for name, values in sizes.items() if len(values)},
    )


def _stress_constant(numbers: Measured) -> float:
    """Stress over torque [Pa/(N m)] of a table that has both; 0 for others."""
    if numbers.torque is None:
        return 0.0
    with np.errstate(all="ignore"):
        ratio = np.abs(numbers.stress / numbers.torque)
    known = ratio[np.isfinite(ratio) & (ratio > 0)]
    return float(np.median(known)) if len(known) else 0.0


def _suspected(curve: RheometerCurve, reading: Reading) -> RheometerCurve:
    """The curve corrected, without outliers unless they are to be kept, and its falling tail counted."""
    off = outliers(curve.rate, curve.stress)
    if off.any():
        rates = curve.rate[off]
        few = ", ".join(f"{each:.4g}" for each in rates[:5]) + (", …" if len(rates) > 5 else "")
        what = f"{counted(off.sum())} {OUTLIER} at the shear rates {few}"
        if reading.keep_outliers:
            curve = curve.noted(f"{what}: kept as asked")
        else:
            curve = curve.without(off, OUTLIER).noted(f"{what}: left out as outliers (--keep-outliers keeps them)")
    if reading.correction:
        curve = corrected(curve, reading.correction, reading.radii)
    return replace(curve, tail=falling_tail(curve.rate, curve.stress))


# A ramp has this many points at least, and changes the rate by this factor.
_FEWEST, _LEAST_FACTOR = 4, 1.5


def ramps(rate: FloatArray) -> list[tuple[slice, str]]:
    """The parts of a sequence of shear rates (n,), each ``up`` or ``down``; one part without an order (empty text)
    where the rates jump about. A turning point belongs to the ramp that it ends."""
    log_rate = np.log(rate)
    ends = [0, *(turn + 1 for turn in _turns(log_rate)), len(rate)]
    parts = [slice(a, b) for a, b in pairwise(ends)]
    spans = [log_rate[part] for part in parts]
    if any(len(span) < _FEWEST or np.ptp(span) < np.log(_LEAST_FACTOR) for span in spans):
        return [(slice(0, len(rate)), "")]
    # The first point of a ramp after a turn is below (above) the turning point, which it does not repeat.
    return [(part, "up" if span[-1] > span[0] else "down") for part, span in zip(parts, spans, strict=True)]


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
    stresses = []
    for each in (up, down):
        known, place = np.unique(each.rate, return_inverse=True)
        # The mean stress at each rate, which rise.
        stresses.append(np.interp(rate, known, np.bincount(place, each.stress) / np.bincount(place)))
    first, second = stresses
    under = float(np.trapezoid(first, rate))
    area = float(np.trapezoid(first - second, rate))
    return Hysteresis(area, area / under, _absolute(rate, first - second) / under, float(low), float(high))


def _absolute(rate: FloatArray, difference: FloatArray) -> float:
    """∫ |f| of a function that is linear between the points, its zeros included."""
    a, b = difference[:-1], difference[1:]
    crossing = a * b < 0
    within = np.where(crossing, (a * a + b * b) / (2 * np.where(crossing, np.abs(a) + np.abs(b), 1)), np.abs(a + b) / 2)
    return float(np.sum(within * np.diff(rate)))


# An outlier misses the curve through its neighbours by this many times the usual miss, and by this factor at least.
_ROBUST, _LEAST_MISS = 6.0, 1.25
# The median of |x| of a normal distribution.
_MEDIAN = 0.6745
# Neighbours on each side that tell what a point should be, and the order of the curve through them.
_SIDE, _ORDER = 3, 2
# A tail falls over this many points at least, altogether by this factor and by so many times the scatter.
_TAIL_POINTS, _TAIL_FACTOR, _TAIL_SCATTER = 3, 1.05, 4.0


def outliers(rate: FloatArray, stress: FloatArray) -> NDArray[np.bool_]:
    """Points (n,) off the parabola through three neighbours on each side in log τ against log γ̇, rates rising.

    The worst is left out first, and the others are judged without it; a tenth of the points at most.
    """
    x, y = np.log(rate), np.log(stress)
    found = np.zeros(len(x), bool)
    for _ in range(max(1, len(x) // 10)):
        kept = np.flatnonzero(~found)
        misses, size = _misses(x[kept], y[kept])
        off = (misses > np.log(_LEAST_MISS)) & (size > _ROBUST * _usual(size))
        if not off.any():
            break
        found[kept[np.argmax(np.where(off, size, 0))]] = True
    return found


def _usual(sizes: FloatArray) -> float:
    """The standard deviation of errors, not that of a few among them."""
    return float(np.median(sizes)) / _MEDIAN if len(sizes) else 0.0


def _misses(x: FloatArray, y: FloatArray) -> tuple[FloatArray, FloatArray]:
    """|y − parabola through the neighbours| (n,), and the same over the error of that prediction; 0 for few points."""
    if len(x) < 3 * _SIDE:
        return np.zeros(len(x)), np.zeros(len(x))
    misses, errors = np.zeros(len(x)), np.zeros(len(x))
    for i in range(len(x)):
        start = min(max(i - _SIDE, 0), len(x) - 2 * _SIDE - 1)
        near = np.delete(np.arange(start, start + 2 * _SIDE + 1), i - start)
        scale = np.ptp(x[near]) or 1.0
        # The last coefficient is the value at x[i].
        value = np.linalg.pinv(np.vander((x[near] - x[i]) / scale, _ORDER + 1))[-1]
        misses[i], errors[i] = abs(y[i] - value @ y[near]), np.sqrt(1 + np.sum(value**2))
    return misses, misses / errors


def falling_tail(rate: FloatArray, stress: FloatArray) -> int:
    """How many points at the highest rates have a stress that only falls, beyond the scatter; 0 if none."""
    count = 1
    while count < len(stress) and stress[-count] < stress[-count - 1] and rate[-count] > rate[-count - 1]:
        count += 1
    scatter = _usual(_misses(np.log(rate), np.log(stress))[1])
    falls = np.log(stress[-count] / stress[-1]) > max(np.log(_TAIL_FACTOR), _TAIL_SCATTER * scatter)
    return count - 1 if falls and count >= _TAIL_POINTS else 0
