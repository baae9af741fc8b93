"""Moments of the nearest samples: slopes of all local polynomials of a ladder, and their covariances, in one pass.

With Epanechnikov weights 1 − |x|²/h² the normal matrix of a fit of degree p is a sum of moments Σ x^a y^b z^c up to
degree 2p + 2, and the covariance of two fits one of moments up to 2p + 4 over the samples of the smaller: those of the
nearest few are partial sums of those of the nearest many (Seifert, Brockmann, Engel & Gasser 1994, J. Comput. Graph.
Stat. 3, 192, on an axis).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import prange

from flowgrad.compiled import called, kernel
from flowgrad.gradient.smooth.choice import ALIKE, Key
from flowgrad.gradient.smooth.nearest_fits import REACH, powers_by_degree, solve_for_one
from flowgrad.typing import BoolArray, FloatArray, IntArray

_DEGREES = {1: (1, 3, 5), 2: (1, 3, 5), 3: (1, 2, 3)}
# Samples for each unknown at least; the list grows by a factor, up to a number and a part of all samples.
_ENOUGH, _GROWTH, _MOST, _PART = 1.5, 1.5, 400, 0.4
# A pivot that is a smaller part of its diagonal tells that samples do not determine a fit.
_SINGULAR = 1e-11


def ladder_keys(rank: int, count: int) -> list[Key]:
    """Degree and number of samples of each fit to a number of samples in ``rank`` coordinates."""
    least = {p: math.ceil(_ENOUGH * math.comb(p + rank, rank)) for p in _DEGREES[rank]}
    most, counts, size = max(min(_MOST, int(_PART * count)), least[1]), [], float(least[1])
    while size <= most:
        counts.append(int(size))
        size *= _GROWTH
    return [(p, k) for k in counts for p in least if k >= least[p]]


@dataclass(frozen=True, eq=False)
class NearestLadder:
    """Fits at places (m, r) to vectors ``values`` (s, k) at ``samples`` (s, r), of which some are ``exact`` (s,). The
    nearest samples of each place are ``near`` (m, n), −1 after the last, at a ``distance`` (m, n) that does not fall:
    one more than the fits take, where there are so many."""

    samples: FloatArray
    values: FloatArray
    exact: BoolArray
    places: FloatArray
    near: IntArray
    distance: FloatArray

    @property
    def rank(self) -> int:
        """How many coordinates there are."""
        return self.samples.shape[1]

    @cached_property
    def keys(self) -> list[Key]:
        """Degree and number of samples of each fit."""
        return ladder_keys(self.rank, len(self.samples))

    @cached_property
    def valid(self) -> BoolArray:
        """All places."""
        return np.ones(len(self.places), bool)

    def pilots(self, key: Key) -> list[Key]:
        """A higher degree with the next larger number of samples that is enough for it, and fewer samples."""
        degree, count = key
        higher = [(p, k) for p in (degree + 2, degree + 1) for q, k in self.keys if q == p and k > count]
        smaller = [k for p, k in self.keys if p == degree and k < count][::-1]
        return [*higher[:1], *((degree, k) for k in (*smaller[:2], *smaller[3::2]))]

    @cached_property
    def _pairs(self) -> dict[tuple[Key, Key], int]:
        each = [(key, other) for key in self.keys for other in (key, *self.pilots(key))]
        return {pair: i for i, pair in enumerate(each)}

    @cached_property
    def _fitted(self) -> tuple[FloatArray, FloatArray]:
        counts = np.unique([k for _, k in self.keys])
        rank, top = self.rank, max(p for p, _ in self.keys)
        fits = np.array([(np.searchsorted(counts, k), math.comb(p + rank, rank)) for p, k in self.keys])
        numbers = {key: i for i, key in enumerate(self.keys)}
        pairs = np.array([(numbers[a], numbers[b]) for a, b in self._pairs])
        found: tuple[FloatArray, FloatArray] = fitted(
            (self.samples, np.ascontiguousarray(self.values), self.exact),
            (self.places, self.near, self.distance * REACH),
            counts,
            (fits, pairs),
            _moments(top, rank),
        )
        return found

    def gradient(self, key: Key) -> FloatArray:
        """Derivatives (m, k, r); zero where there is no fit."""
        return self._fitted[0][self.keys.index(key)]

    def variance(self, one: Key, other: Key) -> FloatArray:
        """Covariance (m, r) of the derivatives of two fits, one of which is a pilot of the other or the same, for
        independent noise of unit variance; NaN where there is no fit."""
        pair = (one, other) if (one, other) in self._pairs else (other, one)
        return self._fitted[1][self._pairs[pair]]

    def means(self, fields: FloatArray, key: Key, pilots: list[Key]) -> list[tuple[FloatArray, FloatArray]]:
        """Over the nearest places, as many as lie in neighbourhoods four times as wide, as wide, and of a quarter, of
        independent values as there are neighbourhoods of the pilot; where places are fewer than samples, of each."""
        share, m = len(self.places) / len(self.samples), len(self.places)
        alike = np.maximum([ALIKE**self.rank * pilot[1] for pilot in pilots], 1 / share)[:, None]
        sizes = [int(np.clip(share * key[1] * factor**self.rank, min(5, m), m)) for factor in (4.0, 1.0, 0.25)]
        found = means_over_nearest(np.ascontiguousarray(fields.T), self._neighbours, np.array(sizes))
        return [(mean.T, np.maximum(n / share / alike, 1.0)) for mean, n in zip(found, sizes, strict=True)]

    @cached_property
    def _neighbours(self) -> IntArray:
        """All places (m, m), the nearest of each first."""
        square = (self.places**2).sum(axis=1)
        return np.argsort(square + square[:, None] - 2 * self.places @ self.places.T, axis=1)


@kernel(parallel=True)
def means_over_nearest(fields: Any, neighbours: Any, sizes: Any) -> Any:
    """Means (l, m, p) of fields (m, p) over so many neighbours, falling numbers (l,), of each place."""
    m, p = fields.shape
    means = np.empty((len(sizes), m, p))
    for i in prange(m):
        total, taken = np.zeros(p), 0
        for level in range(len(sizes) - 1, -1, -1):
            while taken < sizes[level]:
                for f in range(p):
                    total[f] += fields[neighbours[i, taken], f]
                taken += 1
            means[level, i] = total / taken
    return means


def _moments(top: int, rank: int) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Of the monomials up to degree 2 top + 4, lower degrees first: the degree of each (q,), the one that it is a
    coordinate's multiple of and the coordinate (q, 2), its products with the squares of the coordinates (q, r), −1
    beyond the list, and the products (t, t) of those up to degree top."""
    whole = powers_by_degree(2 * top + 4, rank)
    number = {term: i for i, term in enumerate(whole)}
    basis = [term for term in whole if sum(term) <= top]

    def times(term: tuple[int, ...], other: tuple[int, ...]) -> int:
        return number.get(tuple(a + b for a, b in zip(term, other, strict=True)), -1)

    unit = [tuple(int(a == b) for b in range(rank)) for a in range(rank)]
    first = [next((a for a in range(rank) if term[a]), 0) for term in whole]
    parents = [(times(term, tuple(-e for e in unit[a])), a) for term, a in zip(whole, first, strict=True)]
    squares = [[times(term, tuple(2 * e for e in each)) for each in unit] for term in whole]
    products = [[times(one, other) for other in basis] for one in basis]
    return np.array([sum(term) for term in whole]), np.array(parents), np.array(squares), np.array(products)


@kernel(parallel=True, summing=True)
def fitted(given: Any, around: Any, counts: Any, wanted: Any, tables: Any) -> Any:
    """Slopes (f, m, k, r) of the fits, each of a number in ``counts`` and of so many terms, and the covariances
    (p, m, r) of the slopes of pairs of them; zero and NaN where samples are too few or do not determine them."""
    (_, values, exact), (places, near, sizes), (fits, pairs) = given, around, wanted
    m, rank, k, all_noisy = len(places), places.shape[1], values.shape[1], not exact.any()
    slopes = np.zeros((len(fits), m, k, rank))
    covariances = np.full((len(pairs), m, rank), np.nan)
    for i in prange(m):
        have = 0
        while have < near.shape[1] and near[i, have] >= 0:
            have += 1
        scale = sizes[i, have - 1] if have > 0 else 0.0
        if scale <= 0.0:
            continue
        sums, of_values = _partial_sums(given, places[i], near[i, :have], scale, counts, tables, False)
        noisy = sums if all_noisy else _partial_sums(given, places[i], near[i, :have], scale, counts, tables, True)[0]
        h = np.empty(len(counts))
        radial = _radial(sums, tables[2])
        radial_noisy = radial if all_noisy else _radial(noisy, tables[2])
        for level in range(len(counts)):
            h[level] = sizes[i, min(counts[level], have - 1)] / scale
        solved = np.full((len(fits), rank, tables[3].shape[0]), np.nan)
        for f in range(len(fits)):
            level, terms = fits[f]
            if counts[level] > have or h[level] <= 0.0:
                continue
            solved[f] = _solved(radial[level], h[level], terms, rank, tables)
            if np.isnan(solved[f, 0, 0]):
                continue
            for a in range(rank):
                for c in range(k):
                    total = 0.0
                    for t in range(terms):
                        square = 0.0
                        for b in range(rank):
                            square += of_values[level, c, tables[2][t, b]]
                        total += solved[f, a, t] * (of_values[level, c, t] - square / h[level] ** 2)
                    slopes[f, i, c, a] = total / scale
        for p in range(len(pairs)):
            covariances[p, i] = _covariance(pairs[p], fits, solved, radial_noisy, h, tables) / scale**2
    return slopes, covariances


@called
def _partial_sums(
    given: Any, place: Any, near: Any, scale: float, counts: Any, tables: Any, only_noisy: bool
) -> tuple[Any, Any]:
    """Moments (l, q) of the nearest samples and (l, k, q) of these times their values, up to each count."""
    (samples, values, exact), (_, parents, _, _) = given, tables
    rank, k, q = len(place), values.shape[1], len(parents)
    sums, of_values = np.zeros((len(counts), q)), np.zeros((len(counts), k, q))
    total, times, monomials, t = np.zeros(q), np.zeros((k, q)), np.ones(q), np.empty(rank)
    few = q if only_noisy else 0
    while few < q and tables[0][few] <= (tables[0][q - 1] - 4) // 2 + 2:
        few += 1
    taken = 0
    for level in range(len(counts)):
        while taken < min(counts[level], len(near)):
            sample = near[taken]
            taken += 1
            if only_noisy and exact[sample]:
                continue
            for a in range(rank):
                t[a] = (samples[sample, a] - place[a]) / scale
            for j in range(1, q):
                monomials[j] = monomials[parents[j, 0]] * t[parents[j, 1]]
            for j in range(q):
                total[j] += monomials[j]
            if not only_noisy:
                for c in range(k):
                    for j in range(few):
                        times[c, j] += values[sample, c] * monomials[j]
        sums[level], of_values[level] = total, times
    return sums, of_values


@called
def _radial(sums: Any, squares: Any) -> Any:
    """Moments (l, q) and these of the monomials times r² and r⁴ (l, 3, q), as far as the list goes."""
    levels, q = sums.shape
    result = np.zeros((levels, 3, q))
    for level in range(levels):
        result[level, 0] = sums[level]
        for power in range(2):
            for j in range(q):
                for a in range(squares.shape[1]):
                    if squares[j, a] < 0:
                        break
                    result[level, power + 1, j] += result[level, power, squares[j, a]]
    return result


@called
def _solved(sums: Any, h: float, terms: int, rank: int, tables: Any) -> Any:
    """Coefficients (r, t) whose product with the values' moments are the slopes: rows of the inverse of the normal
    matrix, by Cholesky's factors; NaN where these do not exist."""
    degree, _, _, products = tables
    result, factor, y = np.full((rank, len(products)), np.nan), np.zeros((terms, terms)), np.empty(terms)
    for s in range(terms):
        for t in range(s + 1):
            j = products[s, t]
            x = (sums[0, j] - sums[1, j] / h**2) * h ** -float(degree[j])
            diagonal = x
            for e in range(t):
                x -= factor[s, e] * factor[t, e]
            if s > t:
                factor[s, t] = x / factor[t, t]
            elif x > _SINGULAR * diagonal:
                factor[s, s] = math.sqrt(x)
            else:
                return result
    for a in range(rank):
        solve_for_one(factor, terms, 1 + a, 1.0 / h, y)
        for s in range(terms):
            result[a, s] = y[s] * h ** -float(degree[s])
        result[a, terms:] = 0.0
    return result


@called
def _covariance(pair: Any, fits: Any, solved: Any, noisy: Any, h: Any, tables: Any) -> Any:
    """Of the slopes (r,) of two fits, over the samples of the smaller."""
    one, other = pair
    if fits[one, 0] > fits[other, 0]:
        one, other = other, one
    level, wide = fits[one, 0], h[fits[other, 0]]
    first, second = h[level] ** -2.0 + wide**-2.0, (h[level] * wide) ** -2.0
    result = np.zeros(solved.shape[1])
    for s in range(fits[one, 1]):
        for t in range(fits[other, 1]):
            j = tables[3][s, t]
            x = noisy[level, 0, j] - first * noisy[level, 1, j] + second * noisy[level, 2, j]
            for a in range(len(result)):
                result[a] += solved[one, a, s] * x * solved[other, a, t]
    return result
