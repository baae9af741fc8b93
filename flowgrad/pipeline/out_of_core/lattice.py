"""Slabs of a lattice in a file, differentiated one after the other, equal to the whole to the last bit.

A stencil of order p is made of p + 1 samples in a row, its own place among them (p + 2 for a second derivative near
ends and holes), so it reaches p (p + 1) planes at most: with so many on each side every place of a slab has the
window that it has in the whole.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from flowgrad.errors import MeshError, OptionError
from flowgrad.files import replacing, size_of, size_text
from flowgrad.flow import Flow
from flowgrad.gradient import FiniteDifference
from flowgrad.gradient.lattice import LatticeDifferences, differences, lattice_operator, lowered_notes
from flowgrad.gradient.rates import steady_rates
from flowgrad.gradient.scheme import Scheme, parse_scheme
from flowgrad.io.slabs import SlabFile, SlabWriter, slab_axis
from flowgrad.kinematics import VelocityGradient, inputs_of
from flowgrad.kinematics.registry import components_of
from flowgrad.mesh.axis import Axis
from flowgrad.mesh.lattice import Lattice
from flowgrad.mesh.reference.cell import cell_name
from flowgrad.moments import RunningStatistics
from flowgrad.pipeline.analysis import DEFAULT_QUANTITIES
from flowgrad.pipeline.options import Options
from flowgrad.pipeline.out_of_core.result import PartsResult, advice, check_options
from flowgrad.pipeline.out_of_core.slab_velocity import SlabVelocity, Window
from flowgrad.pipeline.summary import WITHOUT_STATISTICS
from flowgrad.tensors import finite_rows
from flowgrad.typing import FloatArray


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
    """Gradients of the planes from ``start`` on, and how many places there have what is counted."""

    start: int
    gradient: VelocityGradient
    counts: Counts


def slabs(velocity: SlabVelocity, order: int, second: bool, thickness: int) -> Iterator[Slab]:
    """The slabs of a lattice, each of ``thickness`` planes or what remains; ``second`` adds second derivatives."""
    count, size = velocity.plane_count, velocity.plane_size
    reach, window = order + second, Window(velocity)
    for start in range(0, count, thickness):
        stop = min(start + thickness, count)
        low, high = max(start - reach, 0), min(stop + reach, count)
        flow = Flow(cut(velocity, low, high), window.between(low, high), velocity.location)
        yield _slab(flow, order, second, start, slice((start - low) * size, (stop - low) * size))


def _slab(flow: Flow, order: int, second: bool, start: int, own: slice) -> Slab:
    """The gradients in ``own`` places of a flow, from the plane ``start`` on."""
    operator = lattice_operator(flow, order)
    assert isinstance(operator, LatticeDifferences)
    L, supplied, unknown = operator.vectors(flow.velocity)[own], {"velocity": flow.velocity[own]}, 0
    if second:
        # Second derivatives where there is a gradient too, and how many places have only that.
        hessian, valid = operator.second(flow.velocity)[own], finite_rows(L.reshape(len(L), -1))
        known = finite_rows(hessian.reshape(len(L), -1)) & valid
        supplied["hessian"] = np.where(known[:, None, None, None], hessian, np.nan)
        unknown = int((valid & ~known).sum())
    lowered = alone = 0
    if operator.around is not None:
        around = operator.around
        inside = (around.points >= own.start) & (around.points < own.stop)
        lowered, alone = (int(each[inside].sum()) for each in around.lowered(operator.order))
    counts = Counts(int((~finite_rows(flow.velocity[own])).sum()), lowered, alone, unknown)
    return Slab(start, VelocityGradient(L, supplied=supplied), counts)


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
    lines = [*velocity.notes, *differences(lattice, order).notes]
    lines += lowered_notes(counts.lowered, counts.alone)
    if counts.without_second:
        total = velocity.plane_count * velocity.plane_size
        places = f"{counts.without_second} of {total} {velocity.location}"
        lines.append(f"no second derivatives at {places} that have a gradient")
    return tuple(lines)


def shares(lattice: Lattice, location: str) -> list[FloatArray]:
    """Three factors, one an axis, whose product is the measure that each place stands for: its cell's, or at points
    an equal share of the cells around."""
    rows = lattice.steps[list(lattice.active)]
    spanned = np.linalg.det(rows) if len(rows) == 3 else np.cross(rows[0], rows[1]) if len(rows) == 2 else rows[0]
    size = np.linalg.norm(np.atleast_1d(spanned))
    factors = []
    for a, axis in enumerate(lattice.axes):
        gaps = np.abs(np.diff(axis.coordinates)) if a in lattice.active else np.ones(1)
        at_points = location == "points" and a in lattice.active
        factors.append(0.5 * (np.append(gaps, 0.0) + np.append(0.0, gaps)) if at_points else gaps)
    factors[0] = factors[0] * size
    return factors


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
    if options.at not in (None, velocity.location):
        raise OptionError(
            f"{file.path}: --at {options.at} is not known in blocks, where gradients are taken where the velocity is, "
            f"at the {velocity.location}: {advice(file.size)}"
        )
    scheme, reason = _scheme(options, velocity, file.size)
    names = options.quantities or DEFAULT_QUANTITIES
    second = any("hessian" in inputs_of(name) for name in names)
    reach = scheme.order + second
    thickness = _thickness(velocity, names, reach, second, options)
    suffix = ".vti" if all(axis.is_uniform for axis in velocity.lattice.axes) else ".vtr"
    path = target.with_name(f"{target.name}_blocks{suffix}")
    with replacing(path) as handle:
        run = _SlabRun(velocity, names, handle)
        for slab in slabs(velocity, scheme.order, second, thickness):
            run.add(slab, options.steady)
        run.finish()
    lattice, count = velocity.lattice, -(-velocity.plane_count // thickness)
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
        reason = "the velocity is on a lattice: differences along its axes; noise is not looked for in blocks"
        return FiniteDifference(), reason
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
    each = _EACH + sum(8 * math.prod(components_of(name)) for name in made) + (_EACH_SECOND if second else 0)
    planes = size_of(options.block_memory, "--block-memory") // (each * velocity.plane_size)
    return max(planes - 2 * reach, 1)


class _SlabRun:
    """What is written and counted while slabs come."""

    def __init__(self, velocity: SlabVelocity, names: tuple[str, ...], handle: BinaryIO) -> None:
        self._velocity, self._names = velocity, names
        components = {name: math.prod(components_of(name)) for name in names}
        read = np.result_type(*(velocity.file.declared[velocity.location][part].dtype for part in velocity.parts))
        dtype = np.dtype(np.float32 if read.newbyteorder("=") == np.float32 else np.float64)
        self._writer = SlabWriter(handle, velocity.lattice, velocity.location, components, dtype, velocity.file.time)
        self._shares = shares(velocity.lattice, velocity.location)
        self.statistics = {name: RunningStatistics() for name in names if name not in WITHOUT_STATISTICS}
        self.counts, self.count, self.excluded, self.measure = Counts(), 0, 0, 0.0

    def add(self, slab: Slab, steady: bool) -> None:
        """Write the quantities of a slab, and count them in."""
        gradient = steady_rates(slab.gradient) if steady else slab.gradient
        factors, a = list(self._shares), self._velocity.lattice.active[-1]
        factors[a] = factors[a][slab.start : slab.start + len(gradient) // self._velocity.plane_size]
        x, y, z = factors
        weights = np.where(gradient.valid, (z[:, None, None] * y[:, None] * x).ravel(), 0.0)
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
