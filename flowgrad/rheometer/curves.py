"""Numbers of a group of columns in SI units, with checks of what contradicts itself, and their parts: the rows of one
sample, step and temperature."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import ReadError
from flowgrad.rheometer.columns import Column, is_time, size_of
from flowgrad.rheometer.decimals import Marks, marks_of
from flowgrad.rheometer.options import Reading
from flowgrad.rheometer.rows import parsed
from flowgrad.rheometer.tables import SEGMENT_POINT, Group, Table
from flowgrad.rheometer.units import unit
from flowgrad.typing import FloatArray

# Viscosity and stress/rate that differ by no more are the same number, rounded. Where some differ by more than the
# second factor, rows of something else stand in the table.
_ROUNDED, _ALIEN = 0.05, 2.0
# Larger numbers stand for none, such as 9.9e37 (IEEE 488.2) or the largest of four bytes.
_NO_NUMBER = 1e30
# Why rows cannot be used, as it is printed behind their number.
TEXT = "with a text in place of a number"
APART = "whose viscosity is not stress over rate, as in a table of something else"
_WITH_UNIT = re.compile(r"\s*([+-]?[\d.,]+(?:[eE][+-]?\d+)?)\s*([^\d\s.,].*?)\s*")


@dataclass(frozen=True, eq=False)
class Measured:
    """Numbers of one group (n,) in the order of the file, NaN where a cell has none, in SI where units are stated.

    ``time`` is in units of the file. ``unusable`` (n,) says why a row cannot be used (empty where it can), ``lines``
    (n,) are those of the file; ``samples`` and ``steps`` (n,) are the texts of such columns. ``stated`` says whether
    units are, ``sizes`` (n,) [m] are columns of the gap, the diameter or the length.
    """

    rate: FloatArray
    stress: FloatArray
    sigma: FloatArray | None
    torque: FloatArray | None
    temperature: FloatArray | None
    time: FloatArray | None
    samples: list[str]
    steps: list[str]
    unusable: NDArray[np.str_]
    lines: NDArray[np.int64]
    notes: tuple[str, ...]
    stated: bool
    sizes: Mapping[str, FloatArray] = field(default_factory=dict)

    def part(self, chosen: NDArray[Any]) -> Measured:
        """The rows of a mask or of positions."""
        picked = np.arange(len(self.rate))[chosen]
        parts: dict[str, Any] = {name: [getattr(self, name)[i] for i in picked] for name in ("samples", "steps")}
        for name in ("rate", "stress", "sigma", "torque", "temperature", "time", "unusable", "lines"):
            values = getattr(self, name)
            parts[name] = None if values is None else values[picked]
        parts["sizes"] = {name: values[picked] for name, values in self.sizes.items()}
        return replace(self, **parts)


def measured(table: Table, group: Group, reading: Reading, where: str) -> Measured:
    """The numbers of a group of columns.

    The stress is that of the column, else viscosity times rate, else 2M/(πR³) of the torque M at a parallel plate of
    the radius R [m]. Raises ReadError for decimal points and commas in one table, for a viscosity that is not
    stress over rate by a power of ten, and for a torque without a radius.
    """
    read = {role: each for role, each in group.columns.items() if each.measures}
    marks = marks_of(table, list(read.values()), reading.decimal, where)
    numbers = {role: _numbers(table, each, marks) for role, each in read.items()}
    if "viscosity" in numbers and "stress" in numbers and not np.isfinite(numbers["stress"]).any():
        del numbers["stress"]
    rate, notes = numbers["rate"], list(marks.notes)
    stress = _stress(numbers, group, reading.radius, where)
    apart = np.zeros(len(rate), bool)
    if "stress" in numbers and "viscosity" in numbers:
        of_viscosity, apart = _agreement(numbers, group, where)
        notes += of_viscosity
    source = next(role for role in ("stress", "viscosity", "torque") if role in numbers)
    needed = [group.columns["rate"], group.columns[source]]
    unstated = [each.name for each in needed if each.unit is None]
    if unstated and len(unstated) < len(needed):
        notes.append(f"no unit of {' and '.join(map(repr, unstated))} is stated: taken as SI")
    elif unstated:
        notes.append("no units are stated: taken as coherent ones, such as 1/s and Pa")
    if "temperature" in read and read["temperature"].unit is None and np.isfinite(numbers["temperature"]).any():
        notes.append(
            f"no unit of '{read['temperature'].name}' is stated: taken as °C; say so with --units temperature=K if not"
        )
    notes += [each.unit.reading for each in read.values() if each.unit and each.unit.reading]
    time = next(filter(is_time, table.columns), None)
    sigma = numbers.get("sigma")
    if sigma is None and "sigma_viscosity" in numbers:
        sigma = numbers["sigma_viscosity"] * np.abs(rate)
    segments = [SEGMENT_POINT.fullmatch(row.cells[0]) for row in table.rows]
    steps = [f"segment {each[1]}" if each else "" for each in segments]
    return Measured(
        rate,
        stress,
        sigma,
        numbers.get("torque"),
        numbers.get("temperature"),
        None if time is None else np.array([parsed(table.cell(row, time)) for row in table.rows]),
        _texts(table, group.columns.get("sample")),
        _texts(table, group.columns["step"]) if "step" in group.columns else steps,
        np.select([_is_text(table, needed), apart], [TEXT, APART], ""),
        np.array([row.line for row in table.rows], np.int64),
        tuple(notes),
        len(unstated) < len(needed),
        _sizes(table),
    )


def _stress(numbers: Mapping[str, FloatArray], group: Group, radius: float | None, where: str) -> FloatArray:
    sign = -1.0 if group.turned else 1.0
    if "stress" in numbers:
        return sign * numbers["stress"]
    if "viscosity" in numbers:
        return sign * numbers["viscosity"] * numbers["rate"]
    if radius is not None:
        return 2 * numbers["torque"] / (np.pi * radius**3)
    raise ReadError(f"{where}: has a torque and no stress: give --correction parallel-plate --radius METRES")


def _sizes(table: Table) -> dict[str, FloatArray]:
    sizes = {name: each for each in reversed(table.columns) if (name := size_of(each))}
    return {
        name: np.asarray(each.to_si(np.array([parsed(table.cell(row, each)) for row in table.rows])), float)
        for name, each in sizes.items()
    }


def _numbers(table: Table, column: Column, marks: Marks) -> FloatArray:
    texts = [table.cell(row, column) for row in table.rows]
    found = column.to_si(np.array([marks.parsed(text, column) for text in texts], float))
    for i in np.flatnonzero(~np.isfinite(found)):
        found[i] = _with_unit(texts[i], column)
    return np.where(np.abs(found) < _NO_NUMBER, found, np.nan)


def _with_unit(text: str, column: Column) -> float:
    """The number of a cell that states its own unit (``12 mPa``), in SI; NaN for another kind than the column's."""
    match = _WITH_UNIT.fullmatch(text)
    own = unit(match[2]) if match else None
    if match is None or own is None or own.dimension != column.measures:
        return np.nan
    return float(own.to_si(parsed(match[1])))


def _texts(table: Table, column: Column | None) -> list[str]:
    """The texts of a column, each standing also for the empty cells below it."""
    found, last = [], ""
    for row in table.rows:
        last = (table.cell(row, column) if column else "") or last
        found.append(last)
    return found


def _is_text(table: Table, columns: list[Column]) -> NDArray[np.bool_]:
    found = np.zeros(len(table.rows), bool)
    for column in columns:
        for i, row in enumerate(table.rows):
            text = table.cell(row, column)
            if text.casefold() not in ("", "nan"):
                found[i] |= bool(np.isnan(parsed(text)) and np.isnan(_with_unit(text, column)))
    return found


def _agreement(numbers: Mapping[str, FloatArray], group: Group, where: str) -> tuple[list[str], NDArray[np.bool_]]:
    """A note where viscosity and stress/rate differ, and the rows (n,) that do not belong to the others, where they
    differ while some differ by much; ReadError where they differ by a power of ten."""
    with np.errstate(all="ignore"):
        ratio = numbers["viscosity"] * np.abs(numbers["rate"] / numbers["stress"])
        off = np.abs(np.log(ratio))
    known = np.isfinite(ratio) & (ratio > 0)
    if not known.any():
        return [], known
    typical = float(np.median(ratio[known]))
    power = round(np.log10(typical))
    names = f"'{group.columns['viscosity'].name}' and '{group.columns['stress'].name}'/'{group.columns['rate'].name}'"
    if power and abs(typical / 10.0**power - 1) < _ROUNDED:
        raise ReadError(
            f"{where}: {names} differ by the factor {10.0**power:g}, so one of the units is wrong: "
            f"give the right one, for example --units viscosity={'mPas' if power == 3 else 'Pas'}"
        )
    if abs(typical - 1) > _ROUNDED:
        return [f"{names} differ by the factor {typical:.3g} (median): the stress is used"], np.zeros(len(ratio), bool)
    apart = known & (np.abs(ratio - 1) > _ROUNDED)
    if (off[known] > np.log(_ALIEN)).any():
        return [], apart
    differ = (
        f"{names} differ by more than {100 * _ROUNDED:.0f} % in {apart.sum()} of {known.sum()} rows: the stress is used"
    )
    return [differ] if apart.any() else [], np.zeros(len(ratio), bool)


# Temperatures [K] farther apart than this are two settings.
_APART = 2.0
# A setting has this many rows at least, else its temperature drifts.
_FEWEST = 4


def settings(numbers: Measured) -> Iterator[tuple[str, str, Measured]]:
    """The parts of the rows with the names of sample (and temperature) and step, in the order of the file; rows of one
    sample need not be together."""
    keys = list(zip(numbers.samples, numbers.steps, strict=True))
    for sample, step in dict.fromkeys(keys):
        same = np.array([each == (sample, step) for each in keys], bool)
        part = numbers.part(same)
        for temperature, rows in _temperatures(part.temperature):
            yield f"{sample} {temperature}".strip(), step if len(set(numbers.steps)) > 1 else "", part.part(rows)


def _temperatures(values: FloatArray | None) -> list[tuple[str, Any]]:
    """The settings of a column of temperatures (n,) with the rows of each; one without a name where there is one."""
    if values is None or np.isfinite(values).sum() < 2 * _FEWEST:
        return [("", slice(None))]
    ordered = np.unique(values[np.isfinite(values)])
    centres = [float(np.mean(each)) for each in np.split(ordered, np.flatnonzero(np.diff(ordered) > _APART) + 1)]
    nearest = np.argmin(np.abs(np.nan_to_num(values)[:, None] - np.array(centres)), axis=1)
    counts = np.bincount(nearest, minlength=len(centres))
    if len(centres) < 2 or counts.min() < _FEWEST:
        return [("", slice(None))]
    return [(f"{centre:.3g} °C", nearest == i) for i, centre in enumerate(centres)]
