"""Real Schur form of general 3 × 3 tensors, compiled, standardised, with the real eigenvalue first.

A = Z T Zᵀ with orthogonal Z. One eigenvalue is real: T = [[λ_r, ·, ·], [0, a, b], [0, c, a]] with b c < 0 and
|b| ≥ |c| where the other two are complex, a ± i √(−b c), and upper triangular with a falling diagonal where all are
real. Made of plane rotations alone, so that it is exact for a tensor within a few roundings of A (Golub & Van Loan
2013, §7.5).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from flowgrad.compiled import called, inlined, kernel

_EPSILON = 2.3e-16
# Sweeps with one real shift, and with the two of the last block, which defective tensors need.
_SINGLE, _DOUBLE = 4, 60
_NOTHING = 1e-150


@inlined
def _turn(S: Any, Q: Any, p: int, q: int, c: float, s: float) -> None:
    """S ← G S Gᵀ and Q ← Q Gᵀ with the rotation by which (c, s) in the plane p, q becomes (1, 0); Q may be empty."""
    for k in range(3):
        S[p, k], S[q, k] = c * S[p, k] + s * S[q, k], c * S[q, k] - s * S[p, k]
    for k in range(3):
        S[k, p], S[k, q] = c * S[k, p] + s * S[k, q], c * S[k, q] - s * S[k, p]
    for k in range(len(Q)):
        Q[k, p], Q[k, q] = c * Q[k, p] + s * Q[k, q], c * Q[k, q] - s * Q[k, p]


@called
def _turn_away(S: Any, Q: Any, p: int, q: int, x: float, y: float) -> None:
    """The rotation in the plane p, q that makes (x, y) there (r, 0)."""
    r = math.hypot(x, y)
    if r > _NOTHING:
        _turn(S, Q, p, q, x / r, y / r)


@inlined
def _real_root(S: Any) -> float:
    """A real root of the characteristic polynomial, the farthest from the others; approximate near multiple ones."""
    m = (S[0, 0] + S[1, 1] + S[2, 2]) / 3
    a, b, c = S[0, 0] - m, S[1, 1] - m, S[2, 2] - m
    third = (a * b + b * c + c * a - S[0, 1] * S[1, 0] - S[0, 2] * S[2, 0] - S[1, 2] * S[2, 1]) / 3
    det = a * (b * c - S[1, 2] * S[2, 1]) - S[0, 1] * (S[1, 0] * c - S[1, 2] * S[2, 0])
    half = 0.5 * (det + S[0, 2] * (S[1, 0] * S[2, 1] - b * S[2, 0]))
    disc = third * third * third + half * half
    if disc < 0:
        # Three real roots: s³ + 3 third s − 2 half = 0 as x³ − 3x = 2t.
        p = math.sqrt(-third)
        t = min(abs(half) / (p * p * p), 1.0)
        x = 1.7320508 + t * (0.3256 - 0.0577 * t)
        for _ in range(2):
            x -= (x * (x * x - 3) - 2 * t) / (3 * (x * x - 1))
        return m + math.copysign(p * x, half)
    u = (abs(half) + math.sqrt(disc)) ** (1 / 3)
    if u == 0:
        return m
    v = third / u
    return m + 2 * half / (u * u + third + v * v)


@called
def _deflate(S: Any, Q: Any, tiny: float) -> bool:
    """Rotate S until its last row is (0, 0, λ), or all below its diagonal is zero; whether two eigenvalues are
    complex."""
    _turn_away(S, Q, 1, 2, S[1, 0], S[2, 0])
    S[2, 0] = 0.0
    shift = _real_root(S)
    for sweep in range(_SINGLE + _DOUBLE):
        if abs(S[2, 1]) <= tiny:
            break
        if abs(S[1, 0]) <= tiny:
            S[1, 0] = 0.0
            if not _standardise(S, Q, 1, tiny):
                return False
            _move_last(S, Q)
            break
        _sweep(S, Q, shift, sweep)
        shift = S[2, 2]
    S[2, 1] = 0.0
    return _standardise(S, Q, 0, tiny)


@called
def _sweep(S: Any, Q: Any, shift: float, number: int) -> None:
    """One QR sweep; after some with a real shift two together, the eigenvalues of the last 2 × 2 block."""
    if number < _SINGLE:
        _turn_away(S, Q, 0, 1, S[0, 0] - shift, S[1, 0])
    else:
        trace, det = S[1, 1] + S[2, 2], S[1, 1] * S[2, 2] - S[1, 2] * S[2, 1]
        if number % 10 == 0:
            trace, det = 1.5 * (abs(S[2, 1]) + abs(S[1, 0])), (abs(S[2, 1]) + abs(S[1, 0])) ** 2
        x = S[0, 0] * (S[0, 0] - trace) + det + S[0, 1] * S[1, 0]
        y, z = S[1, 0] * (S[0, 0] + S[1, 1] - trace), S[1, 0] * S[2, 1]
        size = max(abs(x), max(abs(y), abs(z)))
        if size > 0:
            x, y, z = x / size, y / size, z / size
        _turn_away(S, Q, 1, 2, y, z)
        _turn_away(S, Q, 0, 1, x, math.hypot(y, z))
    _turn_away(S, Q, 1, 2, S[1, 0], S[2, 0])
    S[2, 0] = 0.0


@inlined
def _move_last(S: Any, Q: Any) -> None:
    """From [[λ, t], [0, B]] to λ in the last place: its left eigenvector (1, z), z (B − λ) = −t, is turned there."""
    a, b, c, d = S[1, 1] - S[0, 0], S[1, 2], S[2, 1], S[2, 2] - S[0, 0]
    x, y, z = a * d - b * c, c * S[0, 2] - d * S[0, 1], b * S[0, 1] - a * S[0, 2]
    _turn_away(S, Q, 1, 0, y, x)
    _turn_away(S, Q, 2, 1, z, math.hypot(x, y))
    S[2, 0] = 0.0


@called
def _standardise(S: Any, Q: Any, k: int, tiny: float) -> bool:
    """Make the 2 × 2 block from k on triangular where its eigenvalues are real, else its diagonal equal; whether
    they are complex."""
    p, b, c = 0.5 * (S[k, k] - S[k + 1, k + 1]), S[k, k + 1], S[k + 1, k]
    disc = p * p + b * c
    if disc >= 0:
        z = p + math.copysign(math.sqrt(disc), p)
        if abs(c) > 0:
            _turn_away(S, Q, k, k + 1, z, c)
        S[k + 1, k] = 0.0
        return False
    # 2p cos 2θ + (b + c) sin 2θ = 0, of the two angles the smaller.
    tau = math.hypot(b + c, 2 * p)
    if tau > _NOTHING:
        cosine = math.sqrt(0.5 * (1 + abs(b + c) / tau))
        _turn(S, Q, k, k + 1, cosine, -p / (tau * cosine) * math.copysign(1.0, b + c))
    mean = 0.5 * (S[k, k] + S[k + 1, k + 1])
    S[k, k] = mean
    S[k + 1, k + 1] = mean
    if abs(S[k, k + 1]) < abs(S[k + 1, k]):
        _turn(S, Q, k, k + 1, 0.0, 1.0)
    if S[k, k + 1] * S[k + 1, k] < 0 and abs(S[k + 1, k]) > tiny:
        return True
    S[k + 1, k] = 0.0
    return False


@called
def _order(S: Any, Q: Any) -> None:
    """Exchange neighbours on the diagonal of a triangular S until it rises."""
    for j in (0, 1, 0):
        if S[j, j] > S[j + 1, j + 1]:
            _turn_away(S, Q, j, j + 1, S[j, j + 1], S[j + 1, j + 1] - S[j, j])
            S[j + 1, j] = 0.0


@called
def _factorise(A: Any, S: Any, Q: Any) -> float:
    """Put into S and Q the Schur form of Aᵀ over the scale of A, which is returned, with the real eigenvalue last;
    NaN where A is not finite."""
    scale, total = 0.0, 0.0
    for j in range(3):
        for k in range(3):
            scale, total = max(scale, abs(A[j, k])), total + 0 * A[j, k]
    if total != 0 or not scale < np.inf:
        return np.nan
    scale = scale if scale > 1e-307 else 1.0
    for j in range(3):
        for k in range(3):
            S[j, k] = A[k, j] / scale
    for j in range(len(Q)):
        for k in range(3):
            Q[j, k] = 1.0 if j == k else 0.0
    if not _deflate(S, Q, _EPSILON):
        _order(S, Q)
    return scale


@kernel()
def real_schur(A: Any, T: Any, Z: Any) -> None:
    """T and Z (n, 3, 3) of the tensors A (n, 3, 3); NaN where A is not finite.

    What is worked on is Aᵀ, with the real eigenvalue last; back to front and transposed, it is first.
    """
    S, Q = np.empty((3, 3)), np.empty((3, 3))
    for i in range(len(A)):
        scale = _factorise(A[i], S, Q)
        if not scale > 0:
            T[i, :, :], Z[i, :, :] = np.nan, np.nan
            continue
        for j in range(3):
            for k in range(3):
                T[i, j, k], Z[i, j, k] = S[2 - k, 2 - j] * scale, Q[j, 2 - k]


@kernel()
def general_eigenvalues(A: Any, values: Any) -> None:
    """Eigenvalues (n, 3), complex, of the tensors A (n, 3, 3): the real one first; NaN where A is not finite."""
    S, Q = np.empty((3, 3)), np.empty((0, 3))
    for i in range(len(A)):
        scale = _factorise(A[i], S, Q)
        if not scale > 0:
            values[i, :] = np.nan
            continue
        imaginary = math.sqrt(max(-S[0, 1] * S[1, 0], 0.0)) * scale
        values[i, 0] = S[2, 2] * scale
        values[i, 1] = complex(S[1, 1] * scale, imaginary)
        values[i, 2] = complex(S[0, 0] * scale, -imaginary)
