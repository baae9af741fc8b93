"""Compiled eigenvalues of symmetric 3 × 3 tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import prange

from flowgrad.kernels import inlined, kernel

_SWEEPS = 12


@inlined
def _rotate(app: float, aqq: float, apq: float, arp: float, arq: float) -> Any:
    """One Jacobi rotation that removes a_pq; ``r`` is the third axis."""
    theta = 0.5 * (aqq - app) / apq
    t = math.copysign(1.0, theta) / (abs(theta) + math.sqrt(theta * theta + 1.0))
    c = 1.0 / math.sqrt(t * t + 1.0)
    s = t * c
    return app - t * apq, aqq + t * apq, c * arp - s * arq, s * arp + c * arq


@kernel(parallel=True)
def symmetric_eigenvalues(A: Any) -> Any:
    """Eigenvalues (n, 3), descending, of the symmetric tensors A (n, 3, 3)."""
    n = A.shape[0]
    values = np.empty((n, 3))
    for i in prange(n):
        a, b, c = A[i, 0, 0], A[i, 1, 1], A[i, 2, 2]
        d, e, f = A[i, 0, 1], A[i, 1, 2], A[i, 0, 2]
        scale = abs(a) + abs(b) + abs(c) + abs(d) + abs(e) + abs(f)
        if not scale < np.inf:
            values[i, :] = np.nan
            continue
        # Off-diagonals below the smallest that can still move an eigenvalue in its last place.
        tiny = 1e-17 * scale
        for _ in range(_SWEEPS):
            if abs(d) > tiny:
                a, b, f, e = _rotate(a, b, d, f, e)
                d = 0.0
            if abs(f) > tiny:
                a, c, d, e = _rotate(a, c, f, d, e)
                f = 0.0
            if abs(e) > tiny:
                b, c, d, f = _rotate(b, c, e, d, f)
                e = 0.0
            if abs(d) + abs(e) + abs(f) <= tiny:
                break
        values[i, 0] = max(a, max(b, c))
        values[i, 2] = min(a, min(b, c))
        values[i, 1] = max(min(a, b), min(max(a, b), c))
    return values
