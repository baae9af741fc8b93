"""Savitzky–Golay filters on a lattice: products of window fits along its axes, values across, slopes along.

The gradient along an axis is the slope of the fits along it to the values of the fits along the others. They are
exact for polynomials of the degree in each coordinate, up to ends and around holes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from flowgrad.gradient.smooth.choice import Key
from flowgrad.gradient.smooth.windows import axis_windows, runs_of, window_matrix
from flowgrad.mesh import Lattice
from flowgrad.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# The slope of an even degree is that of the odd one before, the value of an odd that of the even one before.
_DEGREES, _REACHES = (1, 3, 5), (1, 2, 3, 4, 6, 8, 11, 15, 20, 27, 38, 54)
# Axes up to this length have dense matrices, which are fastest.
_DENSE = 600


@dataclass(frozen=True, eq=False)
class AxisFits:
    """Window fits along axis ``a``: matrices of ``value`` and ``slope`` (n_a, n_a), or (N, N) where there are holes."""

    a: int
    value: Any
    slope: Any

    def apply(self, matrix: Any, grid: FloatArray) -> FloatArray:
        """A matrix on the samples of a field (nz, ny, nx, k)."""
        if matrix.shape[0] == int(np.prod(grid.shape[:3])):
            return np.asarray(matrix @ grid.reshape(-1, grid.shape[3])).reshape(grid.shape)
        axis = 2 - self.a
        if axis == 0:
            return np.asarray(matrix @ grid.reshape(len(grid), -1)).reshape(grid.shape)
        rows = grid.shape[axis]
        folded = grid.reshape(int(np.prod(grid.shape[:axis])), rows, -1)
        if isinstance(matrix, np.ndarray):
            return np.matmul(matrix, folded).reshape(grid.shape)
        moved = np.ascontiguousarray(np.moveaxis(folded, 1, 0))
        return np.moveaxis((matrix @ moved.reshape(rows, -1)).reshape(moved.shape), 0, 1).reshape(grid.shape)


@dataclass(frozen=True, eq=False)
class LatticeFits:
    """All fits to the vectors ``source`` (N, 3) on a lattice, each made when it is first asked for; ``holes`` (N,) are
    points without a value. ``correlation`` (3,) is the number of spacings along
    each axis over which the noise is a running mean, 1 for noise that is independent."""

    lattice: Lattice
    source: FloatArray
    holes: BoolArray | None = None
    correlation: FloatArray = field(default_factory=lambda: np.ones(3))
    _made: dict[tuple[int, int, int], AxisFits] = field(default_factory=dict)
    _moments: dict[tuple[Any, ...], FloatArray] = field(default_factory=dict)
    _gradients: dict[Key, FloatArray] = field(default_factory=dict)
    _shares: dict[tuple[int, ...], FloatArray] = field(default_factory=dict)

    def along(self, a: int, degree: int, reach: int) -> AxisFits:
        """Fits along one axis."""
        key = (a, degree, reach)
        if key not in self._made:
            n, stride = self.lattice.shape[a], int(np.prod(self.lattice.shape[:a]))
            place = np.arange(n) if self.holes is None else np.arange(len(self.holes)) // stride % n
            axis = self.lattice.axes[a]
            if self.holes is not None:
                low, high = runs_of(~self.holes, place, stride)
            elif axis.period is not None:
                low, high = place - n // 2 + 1, place + (n - 1) // 2
            else:
                low, high = np.zeros(n, np.int64), np.full(n, n - 1)
            windows = axis_windows(axis, place, low, high, min(reach, (n - 1) // 2 + 1))
            step = 1 if self.holes is None else stride
            pair = [window_matrix(windows, each, place, n, step) for each in windows.weights(degree)]
            if self.holes is None and n <= _DENSE:
                pair = [each.toarray() for each in pair]
            self._made[key] = AxisFits(a, *pair)
        return self._made[key]

    @cached_property
    def components(self) -> IntArray:
        """The components that are not zero throughout."""
        return np.flatnonzero((self.source != 0).any(axis=0))

    @cached_property
    def values(self) -> FloatArray:
        """Those components (N, k)."""
        return np.ascontiguousarray(self.source[:, self.components])

    @cached_property
    def keys(self) -> list[Key]:
        """All fits that are chosen from: degree and reach."""
        longest = max(self.lattice.shape[a] for a in self.lattice.active)
        reaches = [m for m in _REACHES if m == 1 or 2 * m + 1 <= longest]
        return [(p, m) for m in reaches for p in _DEGREES if p <= m + 1 and 2 * m > p]

    @cached_property
    def valid(self) -> BoolArray:
        """Where there is a sample (N,)."""
        return np.ones(self.lattice.point_count, bool) if self.holes is None else ~self.holes

    @property
    def rank(self) -> int:
        """How many axes there are."""
        return len(self.lattice.active)

    def pilots(self, key: Key) -> list[Key]:
        """A higher order in the next larger window, which is about as sure and less biased, and smaller windows."""
        degree, reach = key
        larger = min((m for _, m in self.keys if m > reach), default=reach)
        smaller = [m for p, m in self.keys if p == degree and m < reach][::-1]
        return [(degree + 2, larger), *((degree, m) for m in (*smaller[:1], *smaller[2::2]))]

    def spread(self, key: Key) -> float:
        """Samples in a window, or in the cube over which noise is correlated."""
        return float(np.prod([2 * max(key[1], self.correlation[a]) for a in self.lattice.active]))

    def means(self, fields: FloatArray, key: Key) -> list[tuple[FloatArray, FloatArray]]:
        """Over cubes of four times the reach, of the reach and of a quarter of it."""
        from scipy.ndimage import uniform_filter

        shape = self.lattice.shape[::-1]
        grids = (fields * self.valid).reshape(-1, *shape)
        result = []
        for reach in (4 * key[1], key[1], key[1] // 4):
            size = [2 * max(2, reach) + 1 if n > 1 else 1 for n in shape]
            share = self._shares.setdefault(
                tuple(size), uniform_filter(self.valid.reshape(shape).astype(float), size, mode="constant")
            )
            mean = uniform_filter(grids, [1, *size], mode="constant") / np.maximum(share, 1e-9)
            result.append((mean.reshape(len(fields), -1), (share * np.prod(size)).ravel()))
        return result

    def gradient(self, key: Key) -> FloatArray:
        """∂v/∂c_a (N, k, d) of the values along the d active axes; zero at holes."""
        if key not in self._gradients:
            self._gradients[key] = self.derivatives(self.values, *key)
        return self._gradients[key]

    def derivatives(self, values: FloatArray, degree: int, reach: int) -> FloatArray:
        """∂v/∂c_a (N, k, d) of fields (N, k) along the d active axes; zero at holes."""
        active, shape = self.lattice.active, self.lattice.shape[::-1]
        grid = values.reshape(*shape, values.shape[1])
        fits = {a: self.along(a, degree, reach) for a in active}
        result = []
        for a in active:
            across = reduce(lambda part, b: fits[b].apply(fits[b].value, part), (b for b in active if b != a), grid)
            result.append(fits[a].apply(fits[a].slope, across).reshape(values.shape))
        return np.stack(result, axis=-1)

    def variance(self, one: Key, other: Key) -> FloatArray:
        """Covariance (N, d) of ∂/∂c_a of one fit and ∂/∂c_a of another for noise of unit variance."""
        return np.stack([self._product(one, other, a, a) for a in self.lattice.active], axis=-1)

    def covariance(self, key: Key) -> FloatArray:
        """Covariance (N, d, d) of ∂/∂c_a and ∂/∂c_b of a fit for noise of unit variance."""
        axes = self.lattice.active
        return np.stack([np.stack([self._product(key, key, a, b) for b in axes], axis=-1) for a in axes], axis=-2)

    def _product(self, one: Key, other: Key, first: int, second: int) -> FloatArray:
        """Of ∂/∂c_first of one and ∂/∂c_second of the other: products over the axes."""
        kinds = {True: "slope", False: "value"}
        parts = [self.moment(a, (kinds[a == first], *one), (kinds[a == second], *other)) for a in self.lattice.active]
        return np.broadcast_to(reduce(np.multiply, parts), self.lattice.shape[::-1]).ravel()

    def whole(self, a: int, which: str, key: Key) -> csr_array:
        """The matrix (N, N) of fits along one axis."""
        from scipy.sparse import csr_array, eye_array, kron

        own = csr_array(getattr(self.along(a, *key), which))
        if self.holes is not None:
            return own
        nx, ny, nz = self.lattice.shape
        before, after = (1, nx, nx * ny)[a], (ny * nz, nz, 1)[a]
        return csr_array(kron(kron(eye_array(after), own), eye_array(before)))

    def moment(self, a: int, one: tuple[str, int, int], other: tuple[str, int, int]) -> FloatArray:
        """Covariance of two fits along an axis (which of ``value`` and ``slope``, degree, reach) at each place for
        noise of unit variance, of a shape that broadcasts over (nz, ny, nx)."""
        key = (a, *one, *other)
        if key not in self._moments:
            A, B = (getattr(self.along(a, degree, reach), which) for which, degree, reach in (one, other))
            carried = A if self.correlation[a] <= 1 else A @ self._correlations(a)
            product = carried * B if isinstance(A, np.ndarray) else carried.multiply(B)
            total = np.asarray(product.sum(axis=1)).reshape(-1)
            shape = self.lattice.shape[::-1] if self.holes is not None else [-1 if 2 - a == i else 1 for i in range(3)]
            self._moments[key] = total.reshape(shape)
        return self._moments[key]

    def _correlations(self, a: int) -> Any:
        """ρ = max(0, 1 − lag/T) of a running mean over T spacings along an axis, like the matrices of its fits."""
        from scipy.sparse import dia_array

        n = self.lattice.shape[a]
        size, stride = (n, 1) if self.holes is None else (len(self.holes), int(np.prod(self.lattice.shape[:a])))
        lags = np.arange(-int(np.ceil(self.correlation[a])) + 1, int(np.ceil(self.correlation[a])))
        rho = np.maximum(0, 1 - np.abs(lags) / self.correlation[a])
        R = dia_array((np.repeat(rho[:, None], size, axis=1), lags * stride), shape=(size, size)).tocsr()
        return R.toarray() if self.holes is None and n <= _DENSE else R
