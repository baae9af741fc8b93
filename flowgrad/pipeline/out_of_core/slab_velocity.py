"""Velocity of a lattice in a file, between two of its planes, with what the file blanks there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from flowgrad.errors import OptionError, ReadError
from flowgrad.io import choose_velocity
from flowgrad.io.ghosts import GHOSTS, HIDDEN_CELL, HIDDEN_POINT, marks_of
from flowgrad.io.reading import check_units
from flowgrad.io.slabs import SlabFile, plane_count, plane_size, slab_axis
from flowgrad.io.validity import FlagCounts, Validity, validity_of
from flowgrad.io.velocity import VelocityExpression, expression_of
from flowgrad.mesh.lattice import Lattice
from flowgrad.mesh.transform import scaled
from flowgrad.pipeline.options import Options
from flowgrad.typing import BoolArray, FloatArray

# Places that are looked at together for the meaning of a flag.
_LOOKED_AT = 1_000_000


@dataclass(frozen=True, eq=False)
class SlabVelocity:
    """Which arrays of a file are the velocity, and where: ``name`` as it was chosen, ``parts`` one vector array, the
    scalars it is made of or what its ``expression`` is of; ``lattice`` in the unit of length that is wanted, its y axis
    upward; places in a plane (``plane_size``) and planes of places (``plane_count``); what tells where it is measured
    (``validity``), and what is ``told`` of its unit."""

    file: SlabFile
    name: str
    location: str
    parts: Sequence[str]
    lattice: Lattice
    plane_size: int
    plane_count: int
    factors: tuple[float, float, float]
    told: tuple[str, ...] = ()
    expression: VelocityExpression | None = None
    validity: Validity | None = None

    @classmethod
    def of(cls, file: SlabFile, options: Options) -> SlabVelocity:
        """The velocity of a file by its names; two that could both be it are an OptionError, equal or not."""
        sample = file.sample()
        name, where, _ = choose_velocity(sample, options.velocity, options.location)
        told = check_units(sample, name, options)
        known = file.declared[where]
        expression = expression_of(name, list(known))
        parts = [name] if name in known else [each.strip() for each in name.split(",")]
        scale = options.length_scale or 1.0
        lattice = scaled(file.lattice, (scale, -scale if options.y_down else scale, scale))
        assert isinstance(lattice, Lattice)
        size, count = plane_size(lattice, where), plane_count(lattice, where)
        speed = options.velocity_scale or 1.0
        factors = speed, -speed if options.y_down else speed, speed
        parts = parts if expression is None else list(expression.names)
        found = cls(file, name, where, parts, lattice, size, count, factors, told, expression)
        validity = validity_of(file.path, sample.data(where), file.attributes, name, options.valid, found._flag_counts)
        return replace(found, validity=validity)

    def planes(self, low: int, high: int) -> FloatArray:
        """Velocities (n, 3) between two planes, NaN where the file says that they are none."""
        names = () if self.validity is None else self.validity.names
        velocity, arrays = self._with(names, low, high)
        if self.validity is not None:
            for away in self.validity.away(arrays):
                velocity[away] = np.nan
        if any(GHOSTS in each for each in self.file.declared.values()):
            velocity[hidden(self.file, self.location, low, high)] = np.nan
        if self.factors != (1.0, 1.0, 1.0):
            velocity *= self.factors
        return velocity

    def _with(self, others: Sequence[str], low: int, high: int) -> tuple[FloatArray, dict[str, np.ndarray]]:
        """Velocities (n, 3) between two planes as they are stored, and all arrays (n, …) that were read."""
        names = list(dict.fromkeys((*self.parts, *others)))
        arrays = dict(zip(names, self.file.planes(self.location, names, low, high), strict=True))
        count = (high - low) * self.plane_size
        if any(len(part) != count for part in arrays.values()):
            raise ReadError(f"{self.file.path}: '{self.name}' ends before plane {high}: write the file again")
        parts = [arrays[part] for part in self.parts] if self.expression is None else [self.expression.of(arrays)]
        velocity = np.zeros((count, 3))
        for column, values in enumerate(parts):
            velocity[:, column if len(parts) > 1 else slice(0, values.shape[1])] = values
        return velocity, arrays

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """What is said of the unit of the velocity, and how many of the file are none."""
        if self.validity is None:
            return self.told
        counts: Any = 0
        for low, high in self._parts():
            read = self.file.planes(self.location, self.validity.names, low, high)
            away = self.validity.away(dict(zip(self.validity.names, read, strict=True)))
            counts = counts + np.array([int(each.sum()) for each in away])
        return (
            *self.told,
            self.validity.note(counts.tolist(), self.plane_size * self.plane_count),
        )

    def _flag_counts(self, name: str) -> FlagCounts:
        """Of an array, over all planes."""
        total = FlagCounts()
        for low, high in self._parts():
            velocity, arrays = self._with([name], low, high)
            total += FlagCounts.of(arrays[name], velocity)
        return total

    def _parts(self) -> Iterator[tuple[int, int]]:
        """Some planes after the other."""
        step = max(1, _LOOKED_AT // self.plane_size)
        yield from ((low, min(low + step, self.plane_count)) for low in range(0, self.plane_count, step))


class Window:
    """Planes of a velocity, of which those that the next window needs again are kept."""

    def __init__(self, velocity: SlabVelocity) -> None:
        self._velocity = velocity
        self._low = self._high = 0
        self._values: FloatArray = np.empty((0, 3))

    def between(self, low: int, high: int) -> FloatArray:
        """Velocities (n, 3) between two planes; windows must not go back."""
        size = self._velocity.plane_size
        kept = self._values[(low - self._low) * size :] if self._low <= low < self._high else np.empty((0, 3))
        begin = max(low, self._high) if len(kept) else low
        values = np.empty(((high - low) * size, 3))
        values[: len(kept)] = kept
        self._values = kept = np.empty((0, 3))
        if begin < high:
            values[(begin - low) * size :] = self._velocity.planes(begin, high)
        self._low, self._high, self._values = low, high, values
        return values


def hidden(file: SlabFile, location: str, low: int, high: int) -> BoolArray:
    """Points or cells (n,) between two planes that the file blanks: a cell with a hidden corner is hidden, and so is a
    point of none but hidden cells.

    One plane more on each side decides. OptionError where cells are hidden and none of their corners is, so that
    values at points do not tell.
    """
    first, last = max(low - 1, 0), min(high + 1, plane_count(file.lattice, "points"))
    points = _grid(file, "points", first, last, HIDDEN_POINT)
    cells = _grid(file, "cells", first, max(last - 1, first + 1), HIDDEN_CELL)
    cells = cells | _any_corner(points, file.lattice)
    points = points | ~_of_cells(~cells, file.lattice)
    if location == "points" and (cells & ~_any_corner(points, file.lattice)).any():
        raise OptionError(
            f"{file.path}: blanks cells and none of their points, which is not known in blocks: give a larger "
            "--block-memory to take the file as a whole"
        )
    chosen = points if location == "points" else cells
    along = 2 - slab_axis(file.lattice)
    return np.take(chosen, np.arange(low - first, high - first), axis=along).ravel()


def _grid(file: SlabFile, location: str, low: int, high: int, bits: int) -> BoolArray:
    """Marks between two planes, indexed [k, j, i]."""
    shape = list(file.lattice.shape if location == "points" else file.lattice.cell_shape)
    shape[slab_axis(file.lattice)] = high - low
    names = [GHOSTS] if GHOSTS in file.declared[location] else []
    data = dict(zip(names, file.planes(location, names, low, high), strict=True)) if names else {}
    marks = marks_of(data, GHOSTS, int(np.prod(shape)))
    return ((marks & bits) > 0).reshape(shape[::-1])


def _any_corner(points: BoolArray, lattice: Lattice) -> BoolArray:
    """Cells with a marked corner."""
    for a in lattice.active:
        along = np.moveaxis(points, 2 - a, 0)
        points = np.moveaxis(along[1:] | along[:-1], 0, 2 - a)
    return points


def _of_cells(cells: BoolArray, lattice: Lattice) -> BoolArray:
    """Points of the marked cells."""
    for a in lattice.active:
        along = np.moveaxis(cells, 2 - a, 0)
        spread = np.zeros((len(along) + 1, *along.shape[1:]), bool)
        spread[:-1] |= along
        spread[1:] |= along
        cells = np.moveaxis(spread, 0, 2 - a)
    return cells
