"""Gradients of a lattice slab by slab, equal to those of the whole to the last bit.

A stencil of order p is made of p + 1 samples in a row, its own place among them (p + 2 for a second derivative near
ends and holes), so it reaches p (p + 1) planes at most: with so many on each side every place of a slab has the
window that it has in the whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import astuple, dataclass

import numpy as np

from flowgrad.blocks.velocity import SlabVelocity, Window
from flowgrad.flow import Flow
from flowgrad.gradient.lattice import lattice_operator
from flowgrad.gradient.lattice_differences import LatticeDifferences, lowered_notes
from flowgrad.io.slabs import plane_count, plane_size, slab_axis
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh.axis import Axis
from flowgrad.mesh.lattice import Lattice
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
