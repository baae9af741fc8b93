"""Local polynomials through the nearest samples of each place, with Epanechnikov weights up to the farthest of them.

The nearest few are the first of the nearest many, so that the covariance of two fits at a place is a sum over the
shorter list (Fan & Gijbels 1996, Local Polynomial Modelling and Its Applications, ch. 3, in several variables).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.gradient.smooth.choice import ALIKE, Key
from flowgrad.noise.pseudo_residuals import powers_of
from flowgrad.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array
    from scipy.spatial import cKDTree

_DEGREES = {1: (1, 3, 5), 2: (1, 3, 5), 3: (1, 2, 3)}
# Samples for each unknown at least; the list grows by a factor, up to a number and a part of all samples.
_ENOUGH, _GROWTH, _MOST, _PART = 1.5, 1.5, 700, 0.4
# Numbers in the tables of one piece of the places, and what is added to the normal equations' diagonal.
_TABLE, _RIDGE = 4_000_000, 1e-14


@dataclass(frozen=True, eq=False)
class NearestFits:
    """Fits at places (m, r) to vectors ``values`` (s, 3) at ``samples`` (s, r), of which some are ``exact`` (s,): all
    that there are, or ``only`` one."""

    samples: FloatArray
    values: FloatArray
    exact: BoolArray
    places: FloatArray
    tree: cKDTree
    only: Key | None = None
    _weights: dict[Key, FloatArray] = field(default_factory=dict)
    _gradients: dict[Key, FloatArray] = field(default_factory=dict)

    @property
    def rank(self) -> int:
        """How many coordinates there are."""
        return self.samples.shape[1]

    @cached_property
    def keys(self) -> list[Key]:
        """Degree and number of samples of each fit."""
        if self.only is not None:
            return [self.only]
        most = max(min(_MOST, int(_PART * len(self.samples))), self._least(1))
        counts, count = [], float(self._least(1))
        while count <= most:
            counts.append(int(count))
            count *= _GROWTH
        return [(p, k) for k in counts for p in _DEGREES[self.rank] if k >= self._least(p)]

    def _least(self, degree: int) -> int:
        return int(np.ceil(_ENOUGH * len(powers_of(degree, self.rank))))

    @cached_property
    def valid(self) -> BoolArray:
        """All places."""
        return np.ones(len(self.places), bool)

    @cached_property
    def components(self) -> IntArray:
        """The components that are not zero throughout."""
        return np.flatnonzero((self.values != 0).any(axis=0))

    @cached_property
    def near(self) -> IntArray:
        """The nearest samples of each place (m, k), the nearest first, as many as any fit takes."""
        return np.asarray(self._nearest[1])

    @cached_property
    def _nearest(self) -> tuple[FloatArray, IntArray]:
        most = min(max(k for _, k in self.keys) + 1, len(self.samples))
        distance, near = self.tree.query(self.places, most, workers=-1)
        return distance, near

    def pilots(self, key: Key) -> list[Key]:
        """A higher degree with the next larger number of samples, and fewer samples."""
        degree, count = key
        larger = min((k for _, k in self.keys if k > count), default=count)
        higher = [p for p in (degree + 2, degree + 1) if larger >= self._least(p)][:1]
        smaller = [k for p, k in self.keys if p == degree and k < count][::-1]
        return [*((p, larger) for p in higher), *((degree, k) for k in (*smaller[:2], *smaller[3::2]))]

    def weights(self, key: Key) -> FloatArray:
        """Weights (m, k, r) of the nearest samples for the slopes along each coordinate."""
        if key not in self._weights:
            degree, count = key
            step = max(1, _TABLE // (count * len(powers_of(degree, self.rank))))
            pieces = [slice(i, i + step) for i in range(0, len(self.places), step)]
            parts = [self._slopes(piece, degree, count) for piece in pieces]
            self._weights[key] = np.concatenate(parts) if parts else np.empty((0, count, self.rank))
        return self._weights[key]

    def _slopes(self, piece: slice, degree: int, count: int) -> FloatArray:
        distance, near = (each[piece] for each in self._nearest)
        size = np.maximum(distance[:, min(count, distance.shape[1] - 1)], 1e-300)[:, None]
        t = (self.samples[near[:, :count]] - self.places[piece, None]) / size[:, :, None]
        w = np.maximum(1 - (distance[:, :count] / size) ** 2, 1e-3)
        terms = powers_of(degree, self.rank)
        power = [[np.ones_like(t[..., a])] for a in range(self.rank)]
        for a, each in enumerate(power):
            for _ in range(degree):
                each.append(each[-1] * t[..., a])
        table = np.empty((*t.shape[:2], len(terms)))
        for i, term in enumerate(terms):
            product = power[0][term[0]]
            for a in range(1, self.rank):
                product = product * power[a][term[a]] if term[a] else product
            table[..., i] = product
        weighted = w[:, :, None] * table
        normal = np.swapaxes(table, 1, 2) @ weighted
        normal += _RIDGE * np.trace(normal, axis1=1, axis2=2)[:, None, None] * np.eye(len(terms))
        sought = np.zeros((len(terms), self.rank))
        for a in range(self.rank):
            sought[terms.index(tuple(int(b == a) for b in range(self.rank))), a] = 1.0
        solved = np.linalg.solve(normal, np.broadcast_to(sought, (len(t), *sought.shape)))
        return np.asarray(weighted @ solved / size[:, :, None])

    def differentiate(self, key: Key, values: FloatArray) -> FloatArray:
        """Derivatives (m, c, r) of values (s, c)."""
        taken = values[self.near[:, : key[1]]]
        return np.asarray(np.swapaxes(taken, 1, 2) @ self.weights(key))

    def gradient(self, key: Key) -> FloatArray:
        """Derivatives (m, k, r) of the components that are not zero."""
        if key not in self._gradients:
            self._gradients[key] = self.differentiate(key, self.values[:, self.components])
        return self._gradients[key]

    def variance(self, one: Key, other: Key) -> FloatArray:
        """Covariance (m, r) of the derivatives of two fits for independent noise of unit variance."""
        count = min(one[1], other[1])
        noisy = ~self.exact[self.near[:, :count]]
        return np.einsum("mk,mkr,mkr->mr", noisy, self.weights(one)[:, :count], self.weights(other)[:, :count])

    def covariance(self, key: Key, deviation: FloatArray) -> FloatArray:
        """C (m, 3, r, r) by component, for noise of the standard deviation (s, 3)."""
        near, w = self.near[:, : key[1]], self.weights(key)
        square = np.where(self.exact[:, None], 0.0, deviation**2)[near]
        return np.stack([np.swapaxes(w, 1, 2) @ (square[:, :, c, None] * w) for c in range(3)], axis=1)

    def matrices(self, key: Key) -> Iterator[csr_array]:
        """Sparse slopes (m, s) along each coordinate."""
        from scipy.sparse import csr_array

        m, count = len(self.places), key[1]
        start = np.arange(m + 1) * count
        for column in np.moveaxis(self.weights(key), -1, 0):
            places = self.near[:, :count].flatten()  # a copy, which is sorted
            matrix = csr_array((column.flatten(), places, start), shape=(m, len(self.samples)))
            matrix.sum_duplicates()
            yield matrix

    def means(self, fields: FloatArray, key: Key, pilots: list[Key]) -> list[tuple[FloatArray, FloatArray]]:
        """Over the nearest places, as many as lie in neighbourhoods four times as wide, as wide, and of a quarter, of
        independent values as there are neighbourhoods of the pilot; where places are fewer than samples, of each."""
        share, m = len(self.places) / len(self.samples), len(self.places)
        alike = np.maximum([ALIKE**self.rank * pilot[1] for pilot in pilots], 1 / share)[:, None]
        summed = np.cumsum(fields[:, self._neighbours], axis=2)
        sizes = [int(np.clip(share * key[1] * factor**self.rank, min(5, m), m)) for factor in (4.0, 1.0, 0.25)]
        return [(summed[:, :, n - 1] / n, np.maximum(n / share / alike, 1.0)) for n in sizes]

    @cached_property
    def _neighbours(self) -> IntArray:
        """All places (m, m), the nearest of each first."""
        square = (self.places**2).sum(axis=1)
        return np.argsort(square + square[:, None] - 2 * self.places @ self.places.T, axis=1)
