"""Quadratic forms of a Gaussian vector: 95 % intervals of μ·A·μ from one draw x of N(μ, C).

x·A·x has the mean μ·A·μ + tr AC and the variance 4 μ·ACA·μ + 2 tr ACAC (Mathai & Provost 1992, Quadratic Forms in
Random Variables, §3.2). Where the noise is as large as μ, the first part of either says little. Forms of one sign are
nearly noncentral chi-squared: their cube root is nearly normal (Abdel-Aty 1954, Biometrika 41, 538), and the interval
is what this distribution does not exclude. Its tails are 5 % above at μ = 0, where nothing lies below, and go over
into 2.5 % on either side (Feldman & Cousins 1998, Phys. Rev. D 57, 3873). Others are the difference of two
independent forms of one sign, whose intervals give theirs (Zou & Donner 2008, Stat. Med. 27, 1693).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from flowgrad.typing import FloatArray

Bounds = tuple[FloatArray, FloatArray]

# Standard deviations to either end of an interval of 95 %, and to the end of one that leaves 5 % on one side.
ENDS, ONE_END = 1.959964, 1.644854
# Forms of which the noise is so small a part that they are normal: μ·ACA·μ over tr ACAC.
_NORMAL = 50.0
# Of the noise, in directions that have none: enough to factor its covariance.
_LEAST = 1e-9
# Most steps of the search for an end, and the part of its range that it is found to.
_STEPS, _EXACT = 40, 1e-10


def interval_of_form(A: FloatArray, x: FloatArray, C: FloatArray) -> Bounds:
    """Ends (n,) of the interval of μ·A·μ for a symmetric A (d, d), draws x (n, d) and their covariance C (n, d, d)."""
    signs = np.sign(np.linalg.eigvalsh(A).round(12))
    form, mean, square, slope = _moments(A, x, C)
    if (signs >= 0).all():
        return _of_positive(form, mean, square, slope)
    reach = ENDS * np.sqrt(4 * np.maximum(slope - square, 0.0) + 2 * square)
    low, high = form - mean - reach, form - mean + reach
    near = slope < _NORMAL * square
    if near.any():
        low[near], high[near] = _of_difference(A, x[near], C[near])
    return low, high


def deviation_of_form(A: FloatArray, x: FloatArray, C: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Standard deviation (n,) of x·A·x, and the mean (n,) that noise alone gives to it."""
    _, mean, square, slope = _moments(A, x, C)
    # Noise adds tr ACAC to the slope at a draw.
    return np.sqrt(4 * np.maximum(slope - square, 0.0) + 2 * square), mean


def root_of_interval(low: FloatArray, high: FloatArray) -> Bounds:
    """Ends of the interval of √max(s, 0) from those of s, which may be negative: 0 is left out where s exceeds it by
    more than 95 % of draws on this one side do."""
    middle, reach = 0.5 * (low + high), 0.5 * (high - low)
    nearest = np.maximum(low, 0.5 * (middle - ONE_END / ENDS * reach))
    return np.sqrt(np.maximum(nearest, 0.0)), np.sqrt(np.maximum(high, 0.0))


def _moments(A: FloatArray, x: FloatArray, C: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """x·A·x, tr AC, tr ACAC and x·ACA·x, (n,) each."""
    carried, along = C @ A, x @ A
    mean = np.einsum("nii->n", carried)
    square = np.einsum("nij,nji->n", carried, carried)
    slope = (along[:, None] @ C @ along[..., None])[:, 0, 0]
    return (x * along).sum(axis=1), mean, square, slope


def _of_difference(A: FloatArray, x: FloatArray, C: FloatArray) -> Bounds:
    """Of a form Σ λ y² of independent y of unit variance: that of its positive part less that of its negative one."""
    d = A.shape[0]
    scale = np.einsum("nii->n", C) / d
    scale = np.where(scale > 0, scale, 1.0)
    factor = np.linalg.cholesky(C + (_LEAST * scale)[:, None, None] * np.eye(d))
    values, vectors = np.linalg.eigh(np.swapaxes(factor, 1, 2) @ A @ factor)
    y = (np.swapaxes(vectors, 1, 2) @ np.linalg.solve(factor, x[..., None]))[..., 0]
    parts = []
    for sign in (1.0, -1.0):
        weights = np.maximum(sign * values, 0.0)
        form, mean = (weights * y**2).sum(axis=1), weights.sum(axis=1)
        low, high = _of_positive(form, mean, (weights**2).sum(axis=1), ((weights * y) ** 2).sum(axis=1))
        parts.append((form - mean, low, high))
    (p, p_low, p_high), (n, n_low, n_high) = parts
    below = np.hypot(np.maximum(p - p_low, 0.0), n_high - n)
    above = np.hypot(p_high - p, np.maximum(n - n_low, 0.0))
    return p - n - below, p - n + above


def _of_positive(form: FloatArray, mean: FloatArray, square: FloatArray, slope: FloatArray) -> Bounds:
    """Of a form that is never negative, from its draw and the other moments."""
    noisy = (mean > 0) & np.isfinite(form)
    low, high = form.copy(), form.copy()
    q, m = form[noisy], mean[noisy]
    # The slope of the variance is taken as that at the draw.
    s, v, k = q / m, square[noisy] / m**2, slope[noisy] / np.where(q > 0, q, 1.0) / m
    low[noisy], high[noisy] = (m * _excluded(s, v, k, end) for end in (1, -1))
    return low, high


def _excluded(s: FloatArray, square: FloatArray, slope: FloatArray, end: int) -> FloatArray:
    """The t ≥ 0 that a draw s just excludes, as too large for it (end 1) or too small (−1), in units of tr AC."""
    root = np.sqrt(s)

    def excess(r: FloatArray) -> FloatArray:
        t = r * r
        away = np.exp(-t)
        if end > 0:
            z = ENDS - (ENDS - ONE_END) * away
        else:
            z = -np.sqrt(ENDS**2 - 1.8 * np.log1p(-np.minimum(away, 1 - 1e-12)))
        variance = (4 * slope * t + 2 * square) / (9 * (1 + t) ** 2)
        third = 1 - variance + z * np.sqrt(variance)
        return np.asarray(np.copysign(np.sqrt((1 + t) * np.abs(third) ** 3), third) - root)

    return _zero_of(excess, root + 6 * np.sqrt(1 + slope)) ** 2


def _zero_of(function: Callable[[FloatArray], FloatArray], high: FloatArray) -> FloatArray:
    """Where increasing functions are zero between 0 and ``high``, 0 where they are positive there: false position
    (Illinois; Dowell & Jarratt 1971, BIT 11, 168)."""
    a, b = np.zeros_like(high), high
    at_a, at_b = function(a), function(b)
    none = at_a >= 0
    found = none.copy()
    for _ in range(_STEPS):
        change = np.where(at_b == at_a, 1.0, at_b - at_a)
        c = np.where(found, b, b - at_b * (b - a) / change)
        at_c = function(c)
        crosses = at_c * at_b < 0
        a, at_a = np.where(crosses, b, a), np.where(crosses, at_b, 0.5 * at_a)
        found |= np.abs(c - b) <= _EXACT * high
        b, at_b = c, at_c
        if found.all():
            break
    return np.where(none, 0.0, b)
