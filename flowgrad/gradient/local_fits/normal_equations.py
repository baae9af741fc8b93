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
    complete degrees as they can; the number of these monomials, 0 where they are fewer than ``least``."""
    while k >= least:
        C[:, :k] = sought[:, :k]
        _solve(M, k, inverse, C)
        _combine(rows, W, count, C, k, g)
        if _is_safe(C, k, norms):
            return k
        E[:, :k] = sought[:, :k]
        _subtract_reproduced(rows, count, g, k, E)
        _solve(M, k, inverse, E)
        for r in range(len(C)):
            for a in range(k):
                C[r, a] += E[r, a]
        _combine(rows, W, count, C, k, g)
        E[:, :k] = sought[:, :k]
        _subtract_reproduced(rows, count, g, k, E)
        worst = 0.0
        for r in range(len(C)):
            for a in range(k):
                worst = max(worst, abs(E[r, a]))
        if worst < _REPRODUCED:
            return k
        k = complete[k - 1]
    return 0


@called
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
def normal_matrix(rows: Any, W: Any, count: int, k: int, weighted: Any, M: Any) -> None:
    """Lower triangle of M_ab = Σ_s W_s m_as m_bs, four columns at a time."""
    for a in range(k):
        for s in range(count):
            weighted[s] = W[s] * rows[a, s]
        b = 0
        while b + 4 <= a + 1:
            t0, t1, t2, t3 = 0.0, 0.0, 0.0, 0.0
            for s in range(count):
                w = weighted[s]
                t0 += w * rows[b, s]
                t1 += w * rows[b + 1, s]
                t2 += w * rows[b + 2, s]
                t3 += w * rows[b + 3, s]
            M[a, b], M[a, b + 1], M[a, b + 2], M[a, b + 3] = t0, t1, t2, t3
            b += 4
        while b <= a:
            t0 = 0.0
            for s in range(count):
                t0 += weighted[s] * rows[b, s]
            M[a, b] = t0
            b += 1


@summing
def factorise(M: Any, k: int, inverse: Any, norms: Any, row: Any) -> int:
    """M = LDLᵀ in place, L_ij d_j below the diagonal, 1/d_j in ``inverse``, roots of M_jj in ``norms``: the
    number of leading monomials that the samples determine."""
    for j in range(k):
        own = M[j, j]
        norms[j] = math.sqrt(own)
        pivot = own
        for m in range(j):
            row[m] = M[j, m] * inverse[m]
            pivot -= row[m] * M[j, m]
        if not pivot > _PIVOT * own:
            return j
        M[j, j] = pivot
        inverse[j] = 1.0 / pivot
        for i in range(j + 1, k):
            t = M[i, j]
            for m in range(j):
                t -= M[i, m] * row[m]
            M[i, j] = t
    return k


@summing
def _solve(M: Any, k: int, inverse: Any, B: Any) -> None:
    """Solve in place for the rows of B (q, k) with the factors of :func:`factorise`."""
    for r in range(len(B)):
        for i in range(k):
            t = B[r, i]
            for j in range(i):
                t -= M[i, j] * B[r, j]
            B[r, i] = t * inverse[i]
        for i in range(k - 1, -1, -1):
            t = B[r, i]
            for j in range(i):
                B[r, j] -= inverse[j] * M[i, j] * t


@summing
def _combine(rows: Any, W: Any, count: int, C: Any, k: int, g: Any) -> None:
    """g_rs = W_s Σ_a C_ra m_as: the weights of the samples."""
    for r in range(len(C)):
        for s in range(count):
            g[r, s] = 0.0
        for a in range(k):
            c = C[r, a]
            for s in range(count):
                g[r, s] += c * rows[a, s]
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
        _solve(M, k, inverse, C[:1])
        for a in range(k):
            for s in range(count):
                values[s] -= C[0, a] * rows[a, s]
    left = 0.0
    for s in range(count):
        left += W[s] * values[s] * values[s]
    return left if left > _LEFT * whole else 0.0
