"""Local coordinates of a neighbourhood, and the weights that its samples have in a fit there."""

from __future__ import annotations

import math
from typing import Any

from flowgrad.compiled import called, summing

# The weights take a neighbourhood as round that is no longer than this many times its width.
_ROUND = 3.0
# det S/(tr S/3)³ of second moments S is 1 for a ball; above this all axes differ by less than ``_ROUND``.
_ROUNDISH = 0.4
# Samples of less weight than this are left out: the fit is no worse without them, and faster.
_FAR = 3e-3
# Axes that are less correlated than this are principal; by more they, and the weights, would depend on how the mesh
# is turned.
_CORRELATED = 1e-12
# Directions whose spread is below this fraction of the largest are no directions.
_NO_SPREAD = 1e-7


@called
def frame(d: Any, count: int, free: int, rank: int, T: Any, decay: Any, S: Any, Q: Any) -> None:
    """Local coordinates ξ = T d of unit variance along the principal axes, and the share of each in the
    distance that the weights decay with: none along axes of two layers, which count alike."""
    _second_moments(d, count, free, S)
    if rank == 3 and free == 3 and _is_round(S):
        scale = math.sqrt(3.0 / (S[0, 0] + S[1, 1] + S[2, 2]))
        for i in range(3):
            for k in range(3):
                T[i, k] = scale if i == k else 0.0
            decay[i] = 1.0 / 3.0
        return
    principal_axes(S, Q, free)
    largest, widest, total = 0.0, 0.0, 0.0
    for i in range(rank):
        largest = max(largest, math.sqrt(max(S[i, i], 0.0)))
        if i < free:
            widest = largest
    for i in range(3):
        spread = math.sqrt(max(S[i, i], 0.0))
        known = i < rank and spread > _NO_SPREAD * largest
        decay[i] = max(spread / widest, 1.0 / _ROUND) ** 2 if known and i < free else 0.0
        total += decay[i]
        for k in range(3):
            T[i, k] = Q[i, k] / spread if known else 0.0
    if total > 0.0:
        for i in range(3):
            decay[i] /= total


@summing
def local_coordinates(d: Any, count: int, T: Any, share: Any, decay: float, xi: Any, W: Any) -> None:
    """Coordinates ξ = T d of the samples, and weights W that decay with their distance."""
    for s in range(count):
        x, y, z = d[0, s], d[1, s], d[2, s]
        a = T[0, 0] * x + T[0, 1] * y + T[0, 2] * z
        b = T[1, 0] * x + T[1, 1] * y + T[1, 2] * z
        c = T[2, 0] * x + T[2, 1] * y + T[2, 2] * z
        xi[0, s], xi[1, s], xi[2, s] = a, b, c
        W[s] = share[0] * a * a + share[1] * b * b + share[2] * c * c
    for s in range(count):
        W[s] = math.exp(-decay * W[s])


@called
def drop_far(count: int, least: int, d: Any, xi: Any, W: Any, kept: Any) -> int:
    """Leave out samples of next to no weight, as long as more than ``least`` remain; how many do."""
    near = 0
    for s in range(count):
        near += W[s] > _FAR
    if near < least:
        for s in range(count):
            kept[s] = s
        return count
    near = 0
    for s in range(count):
        if W[s] > _FAR:
            for c in range(3):
                d[c, near], xi[c, near] = d[c, s], xi[c, s]
            W[near], kept[near] = W[s], s
            near += 1
    return near


@called
def principal_axes(S: Any, Q: Any, free: int) -> None:
    """Principal axes of the leading ``free`` × ``free`` block of S (3, 3) as rows of Q, by Jacobi rotations,
    the longest first; S keeps the variances on its diagonal."""
    for i in range(3):
        for j in range(3):
            Q[i, j] = 1.0 if i == j else 0.0
    rounding = 1e-15 * (S[0, 0] + S[1, 1] + S[2, 2])
    for _ in range(12):
        turned = False
        for p in range(free):
            for q in range(p + 1, free):
                if abs(S[p, q]) > _CORRELATED * math.sqrt(abs(S[p, p] * S[q, q])) + rounding:
                    _rotate(S, Q, p, q)
                    turned = True
        if not turned:
            break
    for _ in range(free):
        for i in range(free - 1):
            if S[i + 1, i + 1] > S[i, i]:
                S[i, i], S[i + 1, i + 1] = S[i + 1, i + 1], S[i, i]
                for k in range(3):
                    Q[i, k], Q[i + 1, k] = Q[i + 1, k], Q[i, k]


@called
def _rotate(S: Any, Q: Any, p: int, q: int) -> None:
    theta = 0.5 * (S[q, q] - S[p, p]) / S[p, q]
    t = math.copysign(1.0, theta) / (abs(theta) + math.sqrt(theta * theta + 1.0))
    c = 1.0 / math.sqrt(t * t + 1.0)
    s = t * c
    for k in range(3):
        S[p, k], S[q, k] = c * S[p, k] - s * S[q, k], s * S[p, k] + c * S[q, k]
        Q[p, k], Q[q, k] = c * Q[p, k] - s * Q[q, k], s * Q[p, k] + c * Q[q, k]
    for k in range(3):
        S[k, p], S[k, q] = c * S[k, p] - s * S[k, q], s * S[k, p] + c * S[k, q]


@called
def _second_moments(d: Any, count: int, free: int, S: Any) -> None:
    """⟨d dᵀ⟩ of the samples; axes from ``free`` on are kept as they are."""
    for i in range(3):
        for j in range(i + 1):
            total = 0.0
            if i == j or i < free:
                for s in range(count):
                    total += d[i, s] * d[j, s]
            S[i, j] = S[j, i] = total / count


@called
def _is_round(S: Any) -> bool:
    """Whether no axis of the ellipsoid of S is much longer than another: the coordinates may stay as they are."""
    a, b, c, d, e, f = S[0, 0], S[1, 1], S[2, 2], S[0, 1], S[1, 2], S[0, 2]
    third = (a + b + c) / 3
    return a * (b * c - e * e) - d * (d * c - e * f) + f * (d * e - b * f) > _ROUNDISH * third * third * third
