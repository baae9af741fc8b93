"""Local polynomials through the nearest samples of each place, with Epanechnikov weights up to the farthest of them
(Fan & Gijbels 1996, Local Polynomial Modelling and Its Applications, ch. 3, in several variables)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import prange

from flowgrad.compiled import called, kernel
from flowgrad.gradient.smooth.choice import Key
from flowgrad.gradient.smooth.neighbours import Neighbours
from flowgrad.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Weights fall to zero a little beyond the first sample that has no part: several may be at that distance.
REACH = 1.0005
# A pivot that is a smaller part of its diagonal tells that samples do not determine a fit.
_SINGULAR = 1e-13


def powers_by_degree(degree: int, rank: int) -> list[tuple[int, ...]]:
    """The monomials of a degree at most in so many coordinates: 1, the coordinates, then higher ones."""
    each = itertools.product(range(degree + 1), repeat=rank)
    return sorted((term for term in each if sum(term) <= degree), key=lambda term: (sum(term), term[::-1]))


@dataclass(frozen=True, eq=False)
class NearestFits:
    """Fits of one ``key``, degree and number of samples, at places (m, r) to values at ``samples`` (s, r), of which
    some are ``exact`` (s,) and those ``around`` each place take part."""

    samples: FloatArray
    exact: BoolArray
    places: FloatArray
    around: Neighbours
    key: Key

    @cached_property
    def _nearest(self) -> tuple[FloatArray, IntArray]:
        return self.around.nearest(self.key[1] + 1)

    @cached_property
    def near(self) -> IntArray:
        """The samples of each place (m, k), the nearest first; where there are fewer the first again, of no weight."""
        near = self._nearest[1][:, : self.key[1]]
        return np.where(near < 0, near[:, :1], near)

    @cached_property
    def weights(self) -> FloatArray:
        """Weights (m, k, r) of the samples for the slopes along each coordinate; NaN where they determine none."""
        distance, near = self._nearest
        powers = np.array(powers_by_degree(self.key[0], self.samples.shape[1]))
        found: FloatArray = slope_weights(self.samples, self.places, near, REACH * distance, self.key[1], powers)
        return found

    def differentiate(self, values: FloatArray) -> FloatArray:
        """Derivatives (m, c, r) of values (s, c)."""
        return np.asarray(np.swapaxes(values[self.near], 1, 2) @ self.weights)

    def covariance(self, deviation: FloatArray) -> FloatArray:
        """C (m, 3, r, r) by component, for noise of the standard deviation (s, 3)."""
        w = self.weights
        square = np.where(self.exact[:, None], 0.0, deviation**2)[self.near]
        return np.stack([np.swapaxes(w, 1, 2) @ (square[:, :, c, None] * w) for c in range(3)], axis=1)

    def matrices(self) -> Iterator[csr_array]:
        """Sparse slopes (m, s) along each coordinate."""
        from scipy.sparse import csr_array

        start = np.arange(len(self.places) + 1) * self.near.shape[1]
        for column in np.moveaxis(self.weights, -1, 0):
            places = self.near.flatten()  # a copy, which is sorted
            matrix = csr_array((column.flatten(), places, start), shape=(len(self.places), len(self.samples)))
            matrix.sum_duplicates()
            yield matrix


@called
def solve_for_one(factor: Any, terms: int, row: int, value: float, y: Any) -> None:
    """The solution y (terms,) for a right-hand side that is ``value`` in one row, by Cholesky's factor."""
    for s in range(terms):
        x = value if s == row else 0.0
        for e in range(s):
            x -= factor[s, e] * y[e]
        y[s] = x / factor[s, s]
    for s in range(terms - 1, -1, -1):
        x = y[s]
        for e in range(s + 1, terms):
            x -= factor[e, s] * y[e]
        y[s] = x / factor[s, s]


@kernel(parallel=True, summing=True)
def slope_weights(samples: Any, places: Any, near: Any, sizes: Any, count: int, powers: Any) -> Any:
    """Weights (m, k, r) of the nearest samples, −1 after the last, within the sizes of the next farther ones."""
    (m, rank), terms = places.shape, len(powers)
    weights = np.zeros((m, min(count, near.shape[1]), rank))
    for i in prange(m):
        have = 0
        while have < near.shape[1] and near[i, have] >= 0:
            have += 1
        taken, size = min(count, have), sizes[i, min(count, have - 1)] if have > 0 else 0.0
        table, w, power = np.ones((taken, terms)), np.empty(taken), np.ones((rank, powers.max() + 1))
        for j in range(taken):
            square = 0.0
            for a in range(rank):
                t = (samples[near[i, j], a] - places[i, a]) / size
                square += t * t
                for e in range(1, power.shape[1]):
                    power[a, e] = power[a, e - 1] * t
            w[j] = 1.0 - square
            for s in range(terms):
                for a in range(rank):
                    table[j, s] *= power[a, powers[s, a]]
        factor, determined = np.zeros((terms, terms)), taken > 0
        for s in range(terms):
            for t in range(s + 1):
                x = 0.0
                for j in range(taken):
                    x += w[j] * table[j, s] * table[j, t]
                diagonal = x
                for e in range(t):
                    x -= factor[s, e] * factor[t, e]
                if s > t:
                    factor[s, t] = x / factor[t, t]
                else:
                    determined &= x > _SINGULAR * diagonal
                    factor[s, s] = math.sqrt(x) if x > 0.0 else 1.0
        y = np.empty(terms)
        for a in range(rank):
            solve_for_one(factor, terms, 1 + a, 1.0, y)
            for j in range(taken):
                x = 0.0
                for s in range(terms):
                    x += table[j, s] * y[s]
                weights[i, j, a] = w[j] * x / size
        if not determined:
            weights[i] = np.nan
    return weights
