"""Slabs of a lattice in a file, differentiated one after the other, equal to the whole to the last bit.

A stencil of order p is made of p + 1 samples in a row, its own place among them (p + 2 for a second derivative near
ends and holes), so it reaches p (p + 1) planes at most: with so many on each side every place of a slab has the
window that it has in the whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np

from flowgrad.errors import MeshError, OptionError, ReadError
from flowgrad.files import replacing, size_of, size_text
from flowgrad.flow import Flow
from flowgrad.gradient import FiniteDifference
from flowgrad.gradient.lattice import LatticeDifferences, lattice_operator, lowered_notes
from flowgrad.gradient.rates import steady_rates
from flowgrad.gradient.scheme import Scheme, parse_scheme
from flowgrad.io import choose_velocity
from flowgrad.io.columns import FLAGS, flagged, plain
from flowgrad.io.ghosts import GHOSTS, HIDDEN_CELL, HIDDEN_POINT, marks_of
from flowgrad.io.slab_writer import SlabWriter, suffix_of
from flowgrad.io.slabs import SlabFile, plane_count, plane_size, slab_axis
from flowgrad.io.units import check_units
from flowgrad.kinematics import VelocityGradient, inputs_of
from flowgrad.mesh.axis import Axis
from flowgrad.mesh.lattice import Lattice
from flowgrad.mesh.reference.cell import cell_name
from flowgrad.mesh.transform import scaled
from flowgrad.pipeline.analysis import DEFAULT_QUANTITIES
from flowgrad.pipeline.options import Options
from flowgrad.pipeline.out_of_core.result import PartsResult, RunningStatistics, advice, check_options
from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray, FloatArray


def has_marks(file: SlabFile) -> bool:
    """Whether a file may blank something."""
    return any(GHOSTS in arrays for arrays in file.declared.values())


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


@dataclass(frozen=True, eq=False)
class SlabVelocity:
    """Which arrays of a file are the velocity, and where: ``name`` as it was chosen, ``parts`` one vector array or the
    scalars it is made of; ``lattice`` in the unit of length that is wanted, its y axis upward."""

    file: SlabFile
    name: str
    location: str
    parts: Sequence[str]
    lattice: Lattice
    y_down: bool = False

    @classmethod
    def of(cls, file: SlabFile, options: Options) -> SlabVelocity:
        """The velocity of a file by its names; two that could both be it are an OptionError, equal or not."""
        sample = file.sample()
        name, where, _ = choose_velocity(sample, options.velocity, options.location)
        if options.length_scale is None:
            check_units(sample, name)
        known = file.declared[where]
        parts = [name] if name in known else [each.strip() for each in name.split(",")]
        scale = options.length_scale or 1.0
        lattice = scaled(file.lattice, (scale, -scale if options.y_down else scale, scale))
        assert isinstance(lattice, Lattice)
        return cls(file, name, where, parts, lattice, options.y_down)

    @property
    def dtype(self) -> np.dtype:
        """Float32 where the velocity is in the file."""
        types = [self.file.declared[self.location][each].dtype for each in self.parts]
        return np.result_type(*types).newbyteorder("=")

    def planes(self, low: int, high: int) -> FloatArray:
        """Velocities (n, 3) between two planes, NaN where the file says that they are none."""
        flags = self._flags
        read = self.file.planes(self.location, [*self.parts, *flags], low, high)
        parts, marks = read[: len(self.parts)], zip(flags, read[len(self.parts) :], strict=True)
        count = (high - low) * plane_size(self.file.lattice, self.location)
        if any(len(part) != count for part in parts):
            raise ReadError(f"{self.file.path}: '{self.name}' ends before plane {high}: write the file again")
        velocity = np.zeros((count, 3))
        for column, values in enumerate(parts):
            velocity[:, column if len(parts) > 1 else slice(0, values.shape[1])] = values
        if self.y_down:
            velocity[:, 1] *= -1.0
        missing = [marked for name, values in marks if (marked := flagged(name, values)) is not None]
        if has_marks(self.file):
            missing.append(hidden(self.file, self.location, low, high))
        for each in missing:
            velocity[each] = np.nan
        return velocity

    @property
    def _flags(self) -> list[str]:
        is_flagged = self.file.has_flags and self.location == "points"
        return [name for name in self.file.declared["points"] if plain(name) in FLAGS] if is_flagged else []


class Window:
    """Planes of a velocity, of which those that the next window needs again are kept."""

    def __init__(self, velocity: SlabVelocity) -> None:
        self._velocity = velocity
        self._low = self._high = 0
        self._values: FloatArray = np.empty((0, 3))

    def between(self, low: int, high: int) -> FloatArray:
        """Velocities (n, 3) between two planes; windows must not go back."""
        size = plane_size(self._velocity.lattice, self._velocity.location)
        kept = self._values[(low - self._low) * size :] if self._low <= low < self._high else np.empty((0, 3))
        begin = max(low, self._high) if len(kept) else low
        values = np.empty(((high - low) * size, 3))
        values[: len(kept)] = kept
        self._values = kept = np.empty((0, 3))
        if begin < high:
            values[(begin - low) * size :] = self._velocity.planes(begin, high)
        self._low, self._high, self._values = low, high, values
        return values

    @staticmethod
    def missing(values: FloatArray) -> int:
        """How many of some velocities are not finite."""
        return int((~finite_rows(values)).sum())


def check_location(velocity: SlabVelocity, options: Options, advice: str) -> None:
    """OptionError where the gradient is wanted elsewhere than where the velocity is."""
    if options.at not in (None, velocity.location):
        raise OptionError(
            f"{velocity.file.path}: --at {options.at} is not known in blocks, where gradients are taken where the "
            f"velocity is, at the {velocity.location}: {advice}"
        )


@dataclass(frozen=True)
class Counts:
    """Places whose velocity is not finite, those between holes that have a ``lowered`` order or stand ``alone``, and
    those that have a gradient and no second derivatives."""

    missing: int = 0
    lowered: int = 0
    alone: int = 0
    without_second: int = 0

    def __add__(self, other: Counts) -> Counts:
        pairs = zip(astuple(self), astuple(other), strict=True)
        return Counts(*(one + two for one, two in pairs))


@dataclass(frozen=True, eq=False)
class Slab:
    """Gradients of the planes from ``start`` to ``stop``, and how many places there have what is counted."""

    start: int
    stop: int
    gradient: VelocityGradient
    counts: Counts


def slabs(velocity: SlabVelocity, order: int, second: bool, thickness: int) -> Iterator[Slab]:
    """The slabs of a lattice, each of ``thickness`` planes or what remains; ``second`` adds second derivatives."""
    count = plane_count(velocity.lattice, velocity.location)
    reach, window = reach_of(order, second), Window(velocity)
    for start in range(0, count, thickness):
        stop = min(start + thickness, count)
        low, high = max(start - reach, 0), min(stop + reach, count)
        yield _slab(velocity, window.between(low, high), order, second, (low, start, stop, high))


def reach_of(order: int, second: bool) -> int:
    """Planes on each side that the gradient in a plane may depend on."""
    return order + (1 if second else 0)


def _slab(
    velocity: SlabVelocity, values: FloatArray, order: int, second: bool, planes: tuple[int, int, int, int]
) -> Slab:
    low, start, stop, high = planes
    size = plane_size(velocity.lattice, velocity.location)
    operator = lattice_operator(Flow(cut(velocity, low, high), values, velocity.location), order)
    assert isinstance(operator, LatticeDifferences)
    own = slice((start - low) * size, (stop - low) * size)
    L, supplied, unknown = operator.vectors(values)[own], {"velocity": values[own]}, 0
    if second:
        supplied["hessian"], unknown = _known_second(operator.second(values)[own], L)
    lowered, alone = _between_holes(operator, own)
    counts = Counts(Window.missing(values[own]), lowered, alone, unknown)
    return Slab(start, stop, VelocityGradient(L, supplied=supplied), counts)


def _known_second(hessian: FloatArray, L: FloatArray) -> tuple[FloatArray, int]:
    """Second derivatives where there is a gradient too, and how many places have only that."""
    valid = finite_rows(L.reshape(len(L), -1))
    known = finite_rows(hessian.reshape(len(L), -1)) & valid
    return np.where(known[:, None, None, None], hessian, np.nan), int((valid & ~known).sum())


def _between_holes(operator: LatticeDifferences, own: slice) -> tuple[int, int]:
    """Places of a slab with a lowered order, and without a neighbour along an axis."""
    around = operator.around
    if around is None:
        return 0, 0
    inside = (around.points >= own.start) & (around.points < own.stop)
    return int(around.lowered(operator.order)[inside].sum()), int(around.alone()[inside].sum())


def cut(velocity: SlabVelocity, low: int, high: int) -> Lattice:
    """The lattice between two planes of points, or around those of cells, at its place in the whole."""
    whole = velocity.lattice
    a, extra = slab_axis(whole), 1 if velocity.location == "cells" else 0
    axes = list(whole.axes)
    axes[a] = Axis(axes[a].coordinates[low : high + extra])
    return Lattice((axes[0], axes[1], axes[2]), whole.steps, whole.origin)


def notes_of(velocity: SlabVelocity, order: int, counts: Counts) -> tuple[str, ...]:
    """What a reader must know of the gradients of the whole lattice, in the words of whole results."""
    lattice = velocity.lattice if velocity.location == "points" else velocity.lattice.of_centres
    lines = list(LatticeDifferences(lattice, order).notes)
    lines += lowered_notes(counts.lowered, counts.alone)
    if counts.without_second:
        total = plane_count(velocity.lattice, velocity.location) * plane_size(velocity.lattice, velocity.location)
        places = f"{counts.without_second} of {total} {velocity.location}"
        lines.append(f"no second derivatives at {places} that have a gradient")
    return tuple(lines)


def shares(lattice: Lattice, location: str) -> list[FloatArray]:
    """Three factors, one an axis, whose product is the measure that each place stands for: its cell's, or at points
    an equal share of the cells around."""
    size = np.linalg.norm(_wedge(lattice.steps[list(lattice.active)]))
    factors = []
    for a, axis in enumerate(lattice.axes):
        gaps = np.abs(np.diff(axis.coordinates)) if a in lattice.active else np.ones(1)
        at_points = location == "points" and a in lattice.active
        factors.append(0.5 * (np.append(gaps, 0.0) + np.append(0.0, gaps)) if at_points else gaps)
    factors[0] = factors[0] * size
    return factors


def _wedge(rows: FloatArray) -> FloatArray:
    """The length, area or volume that one, two or three rows span, as a vector of that length."""
    if len(rows) == 3:
        return np.atleast_1d(np.linalg.det(rows))
    return np.cross(rows[0], rows[1]) if len(rows) == 2 else rows[0]


_AUTO = "the velocity is on a lattice: differences along its axes"
# Bytes a place: the velocity as it is read, as it is kept and as it is differentiated, L, weights, statistics and what
# is written; and those of the sparse matrices of second derivatives.
_EACH, _EACH_SECOND = 128, 1200


def write_lattice(file: SlabFile, target: Path, options: Options) -> PartsResult:
    """Differentiate a lattice slab by slab and write the quantities as ``target`` with ``_blocks`` and the suffix of
    its kind, in float32 where the velocity is.

    Raises OptionError for what cannot be done in slabs, and MeshError where there is no gradient anywhere.
    """
    check_options(file.path, options, file.size)
    velocity = SlabVelocity.of(file, options)
    check_location(velocity, options, advice(file.size))
    scheme, reason = _scheme(options, velocity, file.size)
    names = options.quantities or DEFAULT_QUANTITIES
    second = any("hessian" in inputs_of(name) for name in names)
    thickness = _thickness(velocity, names, reach_of(scheme.order, second), second, options)
    found = slabs(velocity, scheme.order, second, thickness)
    path = target.with_name(f"{target.name}_blocks{suffix_of(velocity.lattice)}")
    with replacing(path) as handle:
        run = _Run(velocity, names, handle)
        for slab in found:
            run.add(slab, options.steady)
        run.finish()
    lattice, reach = velocity.lattice, reach_of(scheme.order, second)
    count = -(-plane_count(lattice, velocity.location) // thickness)
    return PartsResult(
        *(velocity.name, velocity.location, velocity.location),
        {
            "points": lattice.point_count,
            "cells": len(lattice),
            "types": {cell_name(lattice.cell_type): len(lattice)},
            "measure": run.measure,
        },
        file.time,
        str(scheme),
        reason,
        run.count,
        run.excluded,
        (*notes_of(velocity, scheme.order, run.counts), *run.exclusions()),
        {name: each.result() for name, each in run.statistics.items()},
        f"takes {size_text(file.size)} of arrays, more than --block-memory {options.block_memory}, and was done in "
        f"{count} blocks of {thickness} planes, each with {reach} more on both sides",
        {"count": count, "planes": thickness, "overlap": reach},
    )


def _scheme(options: Options, velocity: SlabVelocity, size: int) -> tuple[Scheme, str]:
    """Differences along axes, of the order that is wanted; OptionError for other schemes."""
    if options.scheme == "auto":
        return FiniteDifference(), _AUTO
    scheme = parse_scheme(options.scheme)
    if not scheme.may_use_lattice(velocity.location, velocity.location):
        raise OptionError(
            f"{velocity.file.path}: --scheme {options.scheme} is not known in blocks, which have differences along the "
            f"axes of a lattice, finite-difference(order=2) or higher: {advice(size)}"
        )
    return scheme, "as given"


def _thickness(velocity: SlabVelocity, names: tuple[str, ...], reach: int, second: bool, options: Options) -> int:
    """Planes of a slab that stay within the memory with those around it, one at least."""
    made = set().union(*(inputs_of(name) for name in names))
    each = _EACH + sum(8 * _components(name) for name in made) + (_EACH_SECOND if second else 0)
    planes = size_of(options.block_memory, "--block-memory") // (each * plane_size(velocity.lattice, velocity.location))
    return max(planes - 2 * reach, 1)


def _components(name: str) -> int:
    """Components of a quantity, or of what one is made of."""
    return int(np.prod(_example([name])[name].shape[1:], dtype=int)) if name not in _INPUTS else _INPUTS[name]


_INPUTS = {"velocity": 3, "hessian": 27, "L_rate": 9, "velocity_rate": 3, "viscosity": 1, "density": 1, "length": 1}


def _example(names: list[str]) -> dict[str, np.ndarray]:
    """Quantities of one gradient, for their shapes."""
    from flowgrad.kinematics import VelocityGradient

    supplied = {"velocity": np.zeros((1, 3)), "hessian": np.zeros((1, 3, 3, 3))}
    given = {name: np.ones(1) for name in ("viscosity", "density", "length")}
    gradient = steady_rates(VelocityGradient(np.eye(3)[None], supplied={**supplied, **given}))
    return {name: gradient[name] for name in names}


class _Run:
    """What is written and counted while slabs come."""

    def __init__(self, velocity: SlabVelocity, names: tuple[str, ...], handle) -> None:  # type: ignore[no-untyped-def]
        self._velocity, self._names = velocity, names
        components = {name: _components(name) for name in names}
        dtype = np.dtype(np.float32 if velocity.dtype == np.float32 else np.float64)
        self._writer = SlabWriter(handle, velocity.lattice, velocity.location, components, dtype, velocity.file.time)
        self._shares = shares(velocity.lattice, velocity.location)
        self.statistics = {name: RunningStatistics() for name in names if name not in ("L", "D", "W")}
        self.counts, self.count, self.excluded, self.measure = Counts(), 0, 0, 0.0

    def add(self, slab: Slab, steady: bool) -> None:
        """Write the quantities of a slab, and count them in."""
        gradient = steady_rates(slab.gradient) if steady else slab.gradient
        weights = np.where(gradient.valid, self._weights(slab), 0.0)
        arrays = {name: gradient[name] for name in self._names}
        for name, each in self.statistics.items():
            each.add(arrays[name], weights)
        self._writer.write(arrays, gradient.valid)
        self.counts += slab.counts
        self.count += len(gradient)
        self.excluded += int((~gradient.valid).sum())
        self.measure += float(weights.sum())

    def finish(self) -> None:
        """Complete the file; MeshError where there is no gradient anywhere."""
        if self.excluded == self.count:
            why = "; ".join(self.exclusions())
            raise MeshError(f"{self._velocity.file.path.name}: there is no gradient anywhere: {why}")
        self._writer.finish()

    def exclusions(self) -> Iterator[str]:
        """What has no gradient, in the words of whole results."""
        missing, where = self.counts.missing, self._velocity.location
        if missing:
            yield f"{missing} of {self.count} velocities at {where} are not finite"
        if self.excluded:
            why = "that use values that are not finite, or " if missing else ""
            yield (
                f"{self.excluded} of {self.count} {where} have no gradient and are excluded: {self.excluded} "
                f"{why}where the velocity determines none"
            )

    def _weights(self, slab: Slab) -> FloatArray:
        factors = list(self._shares)
        a = self._velocity.lattice.active[-1]
        factors[a] = factors[a][slab.start : slab.stop]
        x, y, z = factors
        return (z[:, None, None] * y[:, None] * x).ravel()
