"""Holes in a lattice: points without a value, and the stencils that go around them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.gradient.axis_stencils import AxisStencils, reach, stencils_at, windows
from flowgrad.mesh.axis import Axis
from flowgrad.mesh.lattice import Lattice
from flowgrad.typing import BoolArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


# A distance to the next hole that is never reached.
_FAR = 2**30


@dataclass(frozen=True, eq=False)
class Detours:
    """Points (k,) whose windows would meet holes, with windows of their own along each axis."""

    lattice: Lattice
    points: IntArray
    stencils: tuple[AxisStencils, AxisStencils, AxisStencils]

    def matrix(self, a: int) -> csr_array:
        """Derivatives along axis ``a`` at the points (k, n)."""
        from scipy.sparse import csr_array

        own = self.stencils[a]
        stride = int(np.prod(self.lattice.shape[:a]))
        start = self.points - stride * places(self.lattice, self.points, a)
        rows = np.repeat(np.arange(len(self.points)), own.columns.shape[1])
        entries = (own.weights.ravel(), (rows, (start[:, None] + stride * own.columns).ravel()))
        matrix = csr_array(entries, shape=(len(self.points), self.lattice.point_count))
        matrix.eliminate_zeros()
        return matrix

    def lowered(self, order: int) -> BoolArray:
        """Points (k,) with a lower order than their axes allow, along one of them."""
        short = np.zeros(len(self.points), bool)
        for axis, own in zip(self.lattice.axes, self.stencils, strict=True):
            short |= (own.sizes < min(order + 1, len(axis))) & (own.sizes > 1)
        return short

    def alone(self) -> BoolArray:
        """Points (k,) without a neighbour along one of their axes."""
        alone = np.zeros(len(self.points), bool)
        for axis, own in zip(self.lattice.axes, self.stencils, strict=True):
            alone |= (own.sizes == 1) & (len(axis) > 1)
        return alone


def detours(lattice: Lattice, holes: BoolArray, order: int, derivative: int = 1) -> Detours:
    """The points, no holes themselves, whose windows on a lattice without holes would meet one."""
    gaps = [_gaps(lattice, holes, a) for a in range(3)]
    met = np.zeros(lattice.shape[::-1], bool)
    for a, (before, behind) in enumerate(gaps):
        axis = lattice.axes[a]
        back, size = windows(len(axis), *reach(axis), order, derivative)
        met |= (before < _along(back, a)) | (behind < _along(size - 1 - back, a))
    points = np.flatnonzero(met.ravel() & ~holes)
    x, y, z = (_stencils(lattice, points, a, gaps[a], order, derivative) for a in range(3))
    return Detours(lattice, points, (x, y, z))


def places(lattice: Lattice, points: IntArray, a: int) -> IntArray:
    """Index of points along axis ``a``."""
    return points // int(np.prod(lattice.shape[:a])) % lattice.shape[a]


def _stencils(
    lattice: Lattice, points: IntArray, a: int, gaps: tuple[IntArray, IntArray], order: int, derivative: int
) -> AxisStencils:
    before, behind = (gap.ravel()[points].astype(np.int64) for gap in gaps)
    return stencils_at(lattice.axes[a], places(lattice, points, a), before, behind, order, derivative)


def _along(values: IntArray, a: int) -> IntArray:
    return values.reshape([-1 if axis == 2 - a else 1 for axis in range(3)])


def _gaps(lattice: Lattice, holes: BoolArray, a: int) -> tuple[IntArray, IntArray]:
    """Number of points before and behind each along axis ``a`` up to the next hole or end."""
    grid, axis = holes.reshape(lattice.shape[::-1]), lattice.axes[a]
    before = _before(grid, 2 - a, axis)
    behind = np.flip(_before(np.flip(grid, 2 - a), 2 - a, axis), 2 - a)
    return before, behind


def _before(holes: BoolArray, along: int, axis: Axis) -> IntArray:
    n = len(axis)
    index = np.arange(n, dtype=np.int32).reshape([-1 if d == along else 1 for d in range(3)])
    last = np.where(holes, index, np.int32(-_FAR))
    if axis.period is None:
        start = np.full_like(last.max(axis=along, keepdims=True), -1)
    else:
        start = last.max(axis=along, keepdims=True) - np.int32(n)
    start = np.maximum(start, np.int32(-_FAR))
    np.maximum.accumulate(last, axis=along, out=last)
    before = np.minimum(index - np.maximum(last, start) - 1, n)
    return np.where(holes, 0, before)
