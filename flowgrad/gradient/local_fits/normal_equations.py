"""Weighted least squares by normal equations, for the derivatives of the monomials of a fit.

They are factorised as LDLᵀ, and the solution is, where they are not safe, refined once against the rows
themselves, which brings its error down to that of an orthogonal factorisation (Björck 1987, Linear Algebra
Appl. 88/89, 31: corrected seminormal equations).
"""

from __future__ import annotations

import math
from typing import Any

from flowgrad.compiled import called, summing

# The samples determine a monomial where its pivot is above this fraction of its own sum of squares.
_PIVOT = 1e-9
# Below this size of the solution the normal equations are safe as they are: their error is below 1e-12.
_SAFE = 5e3
# Weights that miss the derivative of a monomial by more than this come from a singular fit.
_REPRODUCED = 1e-9
# What is left of values below this part of their sum of squares is rounding.
_LEFT = 1e-20


@called
def reproducing_weights(
    rows: Any,
    W: Any,
    count: int,
    k: int,
    M: Any,
    inverse: Any,
    norms: Any,
    sought: Any,
    complete: Any,
    least: int,
    C: Any,
    E: Any,
    g: Any,
) -> int:
    """Weights g (q, count) that reproduce the ``sought`` derivatives (q, k) of the first k monomials, or of as many
    complete degrees as they can; the number of these monomials, 0 where they are fewer than ``least``. C and E, to work
    in, have as many rows rounded up to a multiple of three; those that are too many stay zero."""
    while k >= least:
        C[: len(g), :k] = sought[:, :k]
        _solve(M, k, inverse, C)
        _combine(rows, W, count, C, k, g)
        if _is_safe(C, k, norms):
            return k
        E[: len(g), :k] = sought[:, :k]
        _subtract_reproduced(rows, count, g, k, E)
        _solve(M, k, inverse, E)
        for r in range(len(C)):
            for a in range(k):
                C[r, a] += E[r, a]
        _combine(rows, W, count, C, k, g)
        E[: len(g), :k] = sought[:, :k]
        _subtract_reproduced(rows, count, g, k, E)
        worst = 0.0
        for r in range(len(C)):
            for a in range(k):
                worst = max(worst, abs(E[r, a]))
        if worst < _REPRODUCED:
            return k
        k = complete[k - 1]
    return 0


@summing
def sum_of_squares(g: Any, count: int, derivatives: Any) -> float:
    """Sum of the squares of the weights g (q, count) of ∇ or ∇∇, both ∂²/∂ξ∂η and ∂²/∂η∂ξ: as turned axes have it."""
    total = 0.0
    for r in range(len(g)):
        for s in range(count):
            total += 2.0 / derivatives[r, 1] * g[r, s] * g[r, s]
    return total


@called
def _is_safe(C: Any, k: int, norms: Any) -> bool:
    """Whether solutions C (q, k) are too small for rounding to matter: the solution of a backward stable
    method misses the right-hand side by no more than some ε √M_aa Σ_b √M_bb |C_b|. Pivots do not tell this:
    a matrix without a small one may be singular (Kahan 1966, Canad. Math. Bull. 9, 757)."""
    longest, largest = 0.0, 0.0
    for a in range(k):
        longest = max(longest, norms[a])
    for r in range(len(C)):
        size = 0.0
        for a in range(k):
            size += norms[a] * abs(C[r, a])
        largest = max(largest, size)
    return longest * largest < _SAFE


@summing
def sum_products(rows: Any, W: Any, count: int, k: int, products: Any, weighted: Any, sums: Any) -> None:
    """Sums Σ_s W_s m_as m_bs of the ``products`` (n, 5) of the first k monomials, four with the same one in each."""
    last = -1
    for n in range(len(products)):
        a, b, c, d, e = products[n, 0], products[n, 1], products[n, 2], products[n, 3], products[n, 4]
        if a >= k:
            break
        if a != last:
            last = a
            for s in range(count):
                weighted[s] = W[s] * rows[a, s]
        t0, t1, t2, t3 = 0.0, 0.0, 0.0, 0.0
        for s in range(count):
            w = weighted[s]
            t0 += w * rows[b, s]
            t1 += w * rows[c, s]
            t2 += w * rows[d, s]
            t3 += w * rows[e, s]
        sums[4 * n], sums[4 * n + 1], sums[4 * n + 2], sums[4 * n + 3] = t0, t1, t2, t3


@summing
def factorise(sums: Any, number: Any, k: int, M: Any, inverse: Any, norms: Any, row: Any) -> int:
    """The normal matrix, whose entries are the ``sums`` of the products that ``number`` (k, k) tells, as LDLᵀ: L_ij d_j
    below the diagonal of M, 1/d_j in ``inverse``, roots of its diagonal in ``norms``; the number of leading monomials
    that the samples determine."""
    for j in range(k):
        own = sums[number[j, j]]
        norms[j] = math.sqrt(own)
        pivot = own
        for m in range(j):
            row[m] = M[j, m] * inverse[m]
            pivot -= row[m] * M[j, m]
        if not pivot > _PIVOT * own:
            return j
        inverse[j] = 1.0 / pivot
        i = j + 1
        while i + 4 <= k:  # four rows at a time: the short sums share what they load
            t0, t1 = sums[number[i, j]], sums[number[i + 1, j]]
            t2, t3 = sums[number[i + 2, j]], sums[number[i + 3, j]]
            for m in range(j):
                t0 -= M[i, m] * row[m]
                t1 -= M[i + 1, m] * row[m]
                t2 -= M[i + 2, m] * row[m]
                t3 -= M[i + 3, m] * row[m]
            M[i, j], M[i + 1, j], M[i + 2, j], M[i + 3, j] = t0, t1, t2, t3
            i += 4
        while i < k:
            t0 = sums[number[i, j]]
            for m in range(j):
                t0 -= M[i, m] * row[m]
            M[i, j] = t0
            i += 1
    return k


@summing
def _solve(M: Any, k: int, inverse: Any, B: Any) -> None:
    """Solve in place for the rows of B (a multiple of three, k), three at a time, with the factors of
    :func:`factorise`."""
    for r in range(0, len(B), 3):
        for i in range(k):
            x, y, z = B[r, i], B[r + 1, i], B[r + 2, i]
            for j in range(i):
                x -= M[i, j] * B[r, j]
                y -= M[i, j] * B[r + 1, j]
                z -= M[i, j] * B[r + 2, j]
            B[r, i], B[r + 1, i], B[r + 2, i] = x * inverse[i], y * inverse[i], z * inverse[i]
        for i in range(k - 1, -1, -1):
            x, y, z = B[r, i], B[r + 1, i], B[r + 2, i]
            for j in range(i):
                t = inverse[j] * M[i, j]
                B[r, j] -= t * x
                B[r + 1, j] -= t * y
                B[r + 2, j] -= t * z


@summing
def _combine(rows: Any, W: Any, count: int, C: Any, k: int, g: Any) -> None:
    """g_rs = W_s Σ_a C_ra m_as: the weights of the samples."""
    for r in range(len(g)):
        for s in range(count):
            g[r, s] = 0.0
        a = 0
        while a + 4 <= k:
            c0, c1, c2, c3 = C[r, a], C[r, a + 1], C[r, a + 2], C[r, a + 3]
            for s in range(count):
                g[r, s] += c0 * rows[a, s] + c1 * rows[a + 1, s] + c2 * rows[a + 2, s] + c3 * rows[a + 3, s]
            a += 4
        while a < k:
            c0 = C[r, a]
            for s in range(count):
                g[r, s] += c0 * rows[a, s]
            a += 1
        for s in range(count):
            g[r, s] *= W[s]


@summing
def _subtract_reproduced(rows: Any, count: int, g: Any, k: int, R: Any) -> None:
    """R_ra −= Σ_s g_rs m_as: what the weights still lack of the derivatives of the monomials."""
    for r in range(len(g)):
        for a in range(k):
            t = 0.0
            for s in range(count):
                t += g[r, s] * rows[a, s]
            R[r, a] -= t


@summing
def project_out(rows: Any, W: Any, count: int, k: int, M: Any, inverse: Any, values: Any, C: Any) -> float:
    """Subtract from values (count,) what the monomials ``rows`` (k, count) tell of them, in the weighted mean square,
    twice for the rounding; the weighted sum of squares of what is left, 0 where that is nothing but rounding."""
    whole = 0.0
    for s in range(count):
        whole += W[s] * values[s] * values[s]
    for _ in range(2):
        for a in range(k):
            t = 0.0
            for s in range(count):
                t += W[s] * rows[a, s] * values[s]
            C[0, a] = t
        _solve(M, k, inverse, C[:3])
        for a in range(k):
            for s in range(count):
                values[s] -= C[0, a] * rows[a, s]
    left = 0.0
    for s in range(count):
        left += W[s] * values[s] * values[s]
    return left if left > _LEFT * whole else 0.0
