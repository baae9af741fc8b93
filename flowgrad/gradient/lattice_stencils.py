"""Stencils along one axis of a lattice: which samples, and with which weights.

The weights are those of the polynomial through the samples of a window (Fornberg 1988, Math. Comp.
51, 699), at the samples' own coordinates: exact for polynomials of degree p on any spacing. Windows
are centred where there are samples on both sides, and turn one-sided at ends and at holes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from flowgrad.mesh.axis import Axis
from flowgrad.mesh.lattice import Lattice
from flowgrad.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Weights below this fraction of the largest of their window are rounding.
_ROUNDING = 1e-15


@dataclass(frozen=True, eq=False)
class AxisStencils:
    """Windows of k places on one axis: ``columns`` (k, q) are places on the axis, ``weights`` (k, q)
    theirs, ``jump`` (k,) the derivative of how often the window has gone around a periodic axis.

    Windows with fewer than q samples are filled up with weights 0 at the place itself. Weights are
    NaN where the window has too few samples for a derivative, and 0 on axes that have too few.
    """

    columns: IntArray
    weights: FloatArray
    jump: FloatArray
    sizes: IntArray

    def packed(self, scale: float) -> tuple[Any, ...]:
        """What the kernels read of the stencils of a whole axis, the weights times ``scale``."""
        n, q = self.columns.shape
        centred = (self.columns == np.arange(n)[:, None] + np.arange(q) - q // 2).all(axis=1)
        inside = np.flatnonzero(centred)
        low, high = (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)
        weights = scale * self.weights
        spread = np.repeat(np.ascontiguousarray(weights.T), 3, axis=1)
        is_even = bool((weights[low:high] == weights[low : low + 1]).all())
        return self.columns, weights, spread, low, high, is_even, self.jump


def reach(axis: Axis) -> tuple[IntArray, IntArray]:
    """Number of samples before and behind each place on an axis without holes."""
    n = len(axis)
    if axis.period is not None:
        return np.full(n, n), np.full(n, n)
    return np.arange(n), np.arange(n)[::-1].copy()


def windows(n: int, before: IntArray, behind: IntArray, order: int, derivative: int) -> tuple[IntArray, IntArray]:
    """How far each window reaches back, and its size: of p + 1 samples, or p + 2 where a second
    derivative is not centred, or all that there are."""
    size = np.minimum(order + 1, np.minimum(before + behind + 1, n))
    if derivative == 2:
        centred = (before >= order // 2) & (behind >= order // 2) & (order % 2 == 0) & (order < n)
        size = np.where(centred, size, np.minimum(order + 2, np.minimum(before + behind + 1, n)))
    return np.minimum(np.maximum(size // 2, size - 1 - behind), before), size


def stencils_at(
    axis: Axis, places: IntArray, before: IntArray, behind: IntArray, order: int, derivative: int = 1
) -> AxisStencils:
    """Stencils of places (k,) with so many samples before and behind them."""
    back, size = windows(len(axis), before, behind, order, derivative)
    # Windows with the same weights: the first of each kind, and the kind of each place.
    place, largest = np.zeros_like(places) if axis.is_uniform else places, int(size.max(initial=1)) + 1
    _, first, inverse = np.unique((place * largest + back) * largest + size, return_index=True, return_inverse=True)
    weights = np.zeros((len(first), int(size.max(initial=1))))
    for q in np.unique(size[first]):
        chosen = np.flatnonzero(size[first] == q)
        own = first[chosen]
        if q > derivative:
            # Coordinates of the windows' samples less that of their place.
            index = places[own][:, None] - back[own][:, None] + np.arange(int(q))
            around = index // len(axis)
            distance = axis.coordinates[index - around * len(axis)] - axis.coordinates[places[own]][:, None]
            distance = distance + around * (axis.period or 0.0)
            weights[chosen, :q] = derivative_weights(distance, derivative, back[own])
        elif len(axis) > derivative:
            weights[chosen] = np.nan
    columns = places[:, None] - back[:, None] + np.arange(weights.shape[1])
    columns = np.where(np.arange(weights.shape[1]) < size[:, None], columns, places[:, None])
    wraps = columns // len(axis)
    weights = weights[inverse.ravel()]
    return AxisStencils(columns - wraps * len(axis), weights, (weights * wraps).sum(axis=1), size)


def derivative_weights(distance: FloatArray, derivative: int, own: IntArray) -> FloatArray:
    """Weights (k, q) of a derivative at 0 of the polynomial through samples at ``distance`` (k, q), of
    which the one numbered ``own`` (k,) lies at 0 (Fornberg 1988, p. 703)."""
    count, size = distance.shape
    c = np.zeros((derivative + 1, size, count))
    c[0, 0] = 1.0
    x = distance.T
    product = np.ones(count)
    for i in range(1, size):
        previous, product = product, np.ones(count)
        for j in range(i):
            gap = x[i] - x[j]
            product = product * gap
            for m in range(derivative, -1, -1):
                lower = m * c[m - 1, j] if m else 0.0
                if j == i - 1:
                    c[m, i] = previous / product * (lower - x[j] * c[m, j])
                c[m, j] = (x[i] * c[m, j] - lower) / gap
    # The place's own weight is set so that constants have no derivative.
    weights, rows = np.ascontiguousarray(c[derivative].T), np.arange(count)
    weights[rows, own] = 0.0
    weights[rows, own] = -weights.sum(axis=1)
    weights[np.abs(weights) < _ROUNDING * weights.shape[1] * np.abs(weights).max(axis=1, keepdims=True)] = 0.0
    return weights


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
        places = self.points // stride % self.lattice.shape[a]
        start = self.points - stride * places
        rows = np.repeat(np.arange(len(self.points)), own.columns.shape[1])
        entries = (own.weights.ravel(), (rows, (start[:, None] + stride * own.columns).ravel()))
        matrix = csr_array(entries, shape=(len(self.points), self.lattice.point_count))
        matrix.eliminate_zeros()
        return matrix

    def lowered(self, order: int) -> tuple[BoolArray, BoolArray]:
        """Points (k,) with a lower order than their axes allow, along one of them, and those without a neighbour along
        one of them."""
        axes = [(own.sizes, len(axis)) for axis, own in zip(self.lattice.axes, self.stencils, strict=True)]
        lowered = np.any([(sizes < min(order + 1, count)) & (sizes > 1) for sizes, count in axes], axis=0)
        alone = np.any([(sizes == 1) & (count > 1) for sizes, count in axes], axis=0)
        return lowered, alone


def detours(lattice: Lattice, holes: BoolArray, order: int, derivative: int = 1) -> Detours:
    """The points, no holes themselves, whose windows on a lattice without holes would meet one."""
    grid, gaps = holes.reshape(lattice.shape[::-1]), []
    met = np.zeros(grid.shape, bool)
    for a, axis in enumerate(lattice.axes):
        # Number of points before and behind each up to the next hole or end.
        before = _before(grid, 2 - a, axis)
        behind = np.flip(_before(np.flip(grid, 2 - a), 2 - a, axis), 2 - a)
        gaps.append((before, behind))
        back, size = windows(len(axis), *reach(axis), order, derivative)
        along = [-1 if d == 2 - a else 1 for d in range(3)]
        met |= (before < back.reshape(along)) | (behind < (size - 1 - back).reshape(along))
    points = np.flatnonzero(met.ravel() & ~holes)
    stencils = []
    for a, axis in enumerate(lattice.axes):
        before, behind = (gap.ravel()[points].astype(np.int64) for gap in gaps[a])
        places = points // int(np.prod(lattice.shape[:a])) % lattice.shape[a]
        stencils.append(stencils_at(axis, places, before, behind, order, derivative))
    return Detours(lattice, points, (stencils[0], stencils[1], stencils[2]))


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
