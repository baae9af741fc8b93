"""Rows of numbers as flow curves: what is left out and why, ramps, corrections, what looks wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.rheometer.corrections import corrected
from flowgrad.rheometer.curve import RheometerCurve, SetAside, counted
from flowgrad.rheometer.measured import Measured
from flowgrad.rheometer.ramps import ramps
from flowgrad.rheometer.reading import Reading
from flowgrad.rheometer.suspects import falling_tail, outliers
from flowgrad.typing import FloatArray

# A temperature [K] that varies by more within one curve is worth a note.
_DRIFT = 1.0
# Reasons, as they are printed with the number of points.
TEXT, EMPTY, REST = "with a text in place of a number", "without a number", "at rest (shear rate 0)"
AGAINST = "with a stress that is zero or against the shear rate"
OUTSIDE, TORQUE, STRESS = "outside --rates", "below the lowest torque", "below the lowest stress"
OUTLIER = "off the curve of the neighbours"
_SHOWN = (OUTSIDE, TORQUE, STRESS)


def curves_of(numbers: Measured, names: tuple[str, str], reading: Reading, source: Path) -> Iterator[RheometerCurve]:
    """The curve of each ramp; ``names`` are those of the sample and of the curve.

    Raises OptionError for a stress of the wrong sign and where nothing is left.
    """
    sample, name = names
    reasons = _reasons(numbers, reading, f"{source}: {name}")
    kept = np.flatnonzero(reasons == "")
    if not len(kept):
        raise OptionError(
            f"{source}: {name}: no point is left: {_counted(reasons)}; check --rates and the lowest torque"
        )
    parts = ramps(np.abs(numbers.rate[kept]))
    bounds = [_turn(np.abs(numbers.rate), kept[part.stop - 1], kept[part.stop], kind) for part, kind in parts[:-1]]
    spans = np.split(np.arange(len(reasons)), bounds)
    kinds = [kind for _, kind in parts]
    for i, (span, kind) in enumerate(zip(spans, kinds, strict=True)):
        number = f" {kinds[: i + 1].count(kind)}" if kinds.count(kind) > 1 else ""
        full = f"{name} {kind}{number}" if len(parts) > 1 else name
        yield _suspected(_curve(numbers.part(span), reasons[span], full, kind, sample, source), reading)


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
    low, high = reading.rates or (0.0, np.inf)
    torque = np.full(len(rate), np.inf) if numbers.torque is None else np.abs(numbers.torque)
    rules = {
        TEXT: numbers.is_text,
        EMPTY: ~known,
        REST: rate == 0,
        AGAINST: against,
        OUTSIDE: (np.abs(rate) < low) | (np.abs(rate) > high),
        TORQUE: torque < reading.lowest_torque,
        STRESS: np.abs(stress) < reading.lowest_stress,
    }
    return np.select(list(rules.values()), list(rules), "")


def _counted(reasons: NDArray[np.str_]) -> str:
    names, counts = np.unique(reasons[reasons != ""], return_counts=True)
    return ", ".join(f"{count} {name}" for name, count in zip(names, counts, strict=True))


def _curve(
    numbers: Measured, reasons: NDArray[np.str_], name: str, ramp: str, sample: str, source: Path
) -> RheometerCurve:
    kept = np.flatnonzero(reasons == "")
    kept = kept[np.argsort(np.abs(numbers.rate[kept]), kind="stable")]
    rate, stress = np.abs(numbers.rate), np.abs(numbers.stress)
    sigma, notes = _sigma(numbers, kept)
    names, counts = np.unique(reasons[reasons != ""], return_counts=True)
    temperature, drift = _temperature(numbers, kept)
    return RheometerCurve(
        name,
        rate[kept],
        stress[kept],
        sigma,
        temperature,
        ramp,
        {str(reason): int(count) for reason, count in zip(names, counts, strict=True)},
        (*numbers.notes, *notes, *drift, *_reversed(numbers, kept)),
        source,
        sample,
        tuple(SetAside(each, rate[reasons == each], stress[reasons == each]) for each in _SHOWN if each in names),
        numbers.stated,
    )


def _sigma(numbers: Measured, kept: NDArray[np.int64]) -> tuple[FloatArray | None, tuple[str, ...]]:
    """Standard deviations, if they are positive throughout."""
    if numbers.sigma is None:
        return None, ()
    bad = int(np.sum(~(np.isfinite(numbers.sigma[kept]) & (numbers.sigma[kept] > 0))))
    if bad:
        return None, (f"the standard deviations are not used: {bad} of {len(kept)} are not positive",)
    return numbers.sigma[kept], ()


def _temperature(numbers: Measured, kept: NDArray[np.int64]) -> tuple[float | None, tuple[str, ...]]:
    values = np.zeros(0) if numbers.temperature is None else numbers.temperature[kept]
    values = values[np.isfinite(values)]
    if not len(values):
        return None, ()
    drifts = np.ptp(values) > _DRIFT
    note = f"the temperature varies from {values.min():.4g} to {values.max():.4g} °C within this curve"
    return float(np.median(values)), (note,) if drifts else ()


def _reversed(numbers: Measured, kept: NDArray[np.int64]) -> tuple[str, ...]:
    count = int(np.sum(numbers.rate[kept] < 0))
    note = f"{counted(count)} of the other sense of rotation (rate and stress negative): the magnitudes are used"
    return (note,) if count else ()


def _suspected(curve: RheometerCurve, reading: Reading) -> RheometerCurve:
    """The curve corrected, without outliers unless they are to be kept, and its falling tail counted."""
    off = outliers(curve.rate, curve.stress)
    if off.any() and reading.keep_outliers:
        curve = curve.noted(f"{counted(off.sum())} {OUTLIER} at the shear rates {_few(curve.rate[off])}: kept as asked")
    elif off.any():
        note = f"{counted(off.sum())} {OUTLIER} at the shear rates {_few(curve.rate[off])}: left out as outliers"
        curve = curve.without(off, OUTLIER).noted(f"{note} (--keep-outliers keeps them)")
    if reading.correction:
        curve = corrected(curve, reading.correction)
    return replace(curve, tail=falling_tail(curve.rate, curve.stress))


def _few(rates: FloatArray, most: int = 5) -> str:
    return ", ".join(f"{each:.4g}" for each in rates[:most]) + (", …" if len(rates) > most else "")
