"""Streamlines: curves along the velocity at one time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.paths.dormand_prince import DenseOutput
from flowgrad.paths.field import Field, Sample
from flowgrad.paths.field_of import Source, field_of
from flowgrad.paths.integrator import Control, integrate
from flowgrad.paths.pathlines import as_seeds
from flowgrad.paths.plane import in_space
from flowgrad.reprs import ReprMixin
from flowgrad.series import Series
from flowgrad.typing import BoolArray, FloatArray, IntArray

# Slower than this fraction of the fastest seed, the fluid is at rest.
AT_REST = 1e-9


@dataclass(frozen=True, eq=False)
class Streamlines(ReprMixin):
    """Curves through ``seeds`` (n, 3): curve i is ``positions[offsets[i]:offsets[i + 1]]`` (…, 3), downstream.

    ``along`` (m,) is where each position is on its curve, counted from the seed, negative upstream: an arc length, or
    a time where the curves were asked for by duration. ``stopped`` (n, 2) tells whether the curve ended, upstream and
    downstream, before the length that was asked for: at a wall, the end of the data, or where the fluid is at rest.
    """

    positions: FloatArray
    offsets: IntArray
    along: FloatArray
    stopped: BoolArray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, number: int) -> FloatArray:
        """The positions (…, 3) of one curve; none for a seed that is outside."""
        index = range(len(self))[number]
        return self.positions[self.offsets[index] : self.offsets[index + 1]]


def streamlines(
    flow: Source,
    seeds: ArrayLike,
    *,
    length: float | None = None,
    duration: float | None = None,
    both: bool = True,
    time: float | None = None,
    count: int = 200,
    rtol: float | None = None,
    atol: float = 0.0,
    backend: str | None = None,
) -> Streamlines:
    """The streamlines through ``seeds`` (n, 3) or (n, 2), of an arc ``length``, or as far as the flow of this moment
    goes in a ``duration``, downstream and (``both``) as far upstream.

    A Series and a function v(x, t) are taken at a ``time``. Curves have ``count`` intervals of equal length, or
    duration, each way; they stop at walls, at the end of the data and where the fluid is at rest. The flow, ``rtol``
    and ``atol`` are those of :func:`pathlines`. OptionError unless one of length and duration is given, positive, and
    for a missing time.
    """
    extents = [each for each in (length, duration) if each is not None]
    if len(extents) != 1 or not 0 < extents[0] < np.inf:
        raise OptionError(f"length is {length} and duration {duration}: give one of them, a positive number")
    start = as_seeds(seeds)
    field = field_of(flow, start.shape[1], backend)
    if time is None and (isinstance(flow, Series) or getattr(field, "needs_time", False)):
        raise OptionError("the flow changes in time: say at which time= its streamlines are wanted")
    moment = 0.0 if time is None else float(time)
    vectors = in_space(start, field.plane, "seeds")
    field.leg(moment, moment)
    moved = FrozenField(field, moment, None if length is None else vectors)
    stations = np.linspace(0.0, float(extents[0]), max(count, 1) + 1)
    control = Control(field.rtol if rtol is None else rtol, atol)
    downstream = _OneWay.of(moved, vectors, stations, control)
    return _joined(_OneWay.of(moved, vectors, -stations, control) if both else None, downstream)


class FrozenField(Field):
    """A field at one moment; given ``seeds``, unit vectors along its velocity, so that lengths take the place of times.
    Where the fluid is at rest, against the fastest seed, is outside then, and L is not known."""

    def __init__(self, field: Field, moment: float, seeds: FloatArray | None = None) -> None:
        self.field, self.moment = field, moment
        self.least: float | None = None
        self.plane, self.threaded, self.watched = field.plane, field.threaded, field.watched
        self.chunk, self.outliers = field.chunk, field.outliers
        if seeds is not None:
            found = self.sample(seeds, moment, np.full(len(seeds), -1), need_L=False)
            fastest = float(np.linalg.norm(found.velocity[found.inside], axis=1).max(initial=0.0))
            self.least = AT_REST * fastest
            # Fewer than of a field: each batch goes at the pace of its most winding curve.
            self.chunk, self.outliers = 64, Field.outliers

    def sample(self, positions: FloatArray, time: float | FloatArray, cells: IntArray, need_L: bool = True) -> Sample:
        """The field at that moment, or its direction."""
        found = self.field.sample(positions, self.moment, cells, need_L and self.least is None)
        if self.least is None:
            return found
        speed = np.linalg.norm(found.velocity, axis=1)
        moving = found.inside & (speed > self.least)
        return Sample(found.velocity / np.where(moving, speed, 1.0)[:, None], found.L, moving)

    def trace(self, way: DenseOutput, cells: IntArray, inside: BoolArray) -> None:
        """At that moment."""
        self.field.trace(way._replace(t=self.moment, h=0.0), cells, inside)


@dataclass(frozen=True, eq=False)
class _OneWay:
    """Curves one way: positions (k, n, 3) at stations (k,), which of them count (k, n), where each is (k, n)."""

    positions: FloatArray
    counts: BoolArray
    along: FloatArray
    stopped: BoolArray

    @classmethod
    def of(cls, field: Field, seeds: FloatArray, stations: FloatArray, control: Control) -> _OneWay:
        """Up to the point where a curve stops, which is its last."""
        positions, left = integrate(field, seeds, stations, control, with_F=False)
        stopped = ~np.isnan(left)
        ends = np.where(stopped, np.abs(left), np.inf)
        counts = np.vstack([ends > 0, np.abs(stations[:-1, None]) < ends])
        along = np.sign(stations[-1]) * np.minimum(np.abs(stations)[:, None], ends)
        return cls(positions, counts, along, stopped)


def _joined(upstream: _OneWay | None, downstream: _OneWay) -> Streamlines:
    counts, positions, along = downstream.counts, downstream.positions, downstream.along
    before = np.zeros(counts.shape[1], bool)
    if upstream is not None:
        # Towards the seed, without it.
        counts = np.concatenate([upstream.counts[:0:-1], counts])
        positions = np.concatenate([upstream.positions[:0:-1], positions])
        along = np.concatenate([upstream.along[:0:-1], along])
        before = upstream.stopped
    counts = counts.T
    offsets = np.append(0, np.cumsum(counts.sum(axis=1)))
    stopped = np.column_stack([before, downstream.stopped])
    return Streamlines(positions.transpose(1, 0, 2)[counts], offsets, along.T[counts], stopped)
