"""Compiled loops of the least-squares gradients: weights of each stencil, and their application."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import prange

from flowgrad.compiled import kernel

# A fit with a smaller det M/(tr M/r)^r has no solution worth the name.
SINGULAR = 1e-10


@kernel(parallel=True)
def fit_weights(positions: Any, offsets: Any, samples: Any, basis: Any, rank: int) -> Any:
    """Weight vectors w_ij (m, 3) of linear fits through the centre, weighted with 1/distance², in
    the first ``rank`` rows of ``basis``; and det M/(tr M/r)^r of each fit (n,)."""
    n = len(offsets) - 1
    weights = np.empty((len(samples), 3))
    quality = np.zeros(n)
    for i in prange(n):
        M = np.zeros((3, 3))
        for j in range(offsets[i], offsets[i + 1]):
            length2 = 0.0
            for k in range(3):
                d = 0.0
                for m in range(3):
                    d += basis[k, m] * (positions[samples[j], m] - positions[i, m])
                weights[j, k] = d if k < rank else 0.0
                length2 += weights[j, k] ** 2
            if length2 > 0.0:
                for k in range(3):
                    for m in range(3):
                        M[k, m] += weights[j, k] * weights[j, m] / length2
                    weights[j, k] /= length2
            # (weights holds d/|d|² from here on)
        spread = 0.0
        for k in range(rank):
            spread += M[k, k] / rank
        for k in range(rank, 3):
            M[k, k] = spread
        c00 = M[1, 1] * M[2, 2] - M[1, 2] * M[1, 2]
        c01 = M[0, 2] * M[1, 2] - M[0, 1] * M[2, 2]
        c02 = M[0, 1] * M[1, 2] - M[0, 2] * M[1, 1]
        c11 = M[0, 0] * M[2, 2] - M[0, 2] * M[0, 2]
        c12 = M[0, 1] * M[0, 2] - M[0, 0] * M[1, 2]
        c22 = M[0, 0] * M[1, 1] - M[0, 1] * M[0, 1]
        det = M[0, 0] * c00 + M[0, 1] * c01 + M[0, 2] * c02
        quality[i] = det / spread**3 if spread > 0.0 and rank > 0 else 0.0
        if not quality[i] > SINGULAR:
            weights[offsets[i] : offsets[i + 1]] = np.nan
            continue
        for j in range(offsets[i], offsets[i + 1]):
            a, b, c = weights[j, 0], weights[j, 1], weights[j, 2]
            p = (c00 * a + c01 * b + c02 * c) / det
            q = (c01 * a + c11 * b + c12 * c) / det
            r = (c02 * a + c12 * b + c22 * c) / det
            for k in range(3):
                weights[j, k] = p * basis[0, k] + q * basis[1, k] + r * basis[2, k]
    return weights, quality


@kernel(parallel=True)
def apply_weights(values: Any, offsets: Any, samples: Any, weights: Any) -> Any:
    """Gradients (n, 3, 3): Σ_j (v_j − v_i) ⊗ w_ij; NaN for an empty stencil."""
    n = len(offsets) - 1
    result = np.empty((n, 3, 3))
    for i in prange(n):
        for k in range(3):
            x, y, z = 0.0, 0.0, 0.0
            for j in range(offsets[i], offsets[i + 1]):
                difference = values[samples[j], k] - values[i, k]
                x, y, z = x + difference * weights[j, 0], y + difference * weights[j, 1], z + difference * weights[j, 2]
            result[i, k, 0], result[i, k, 1], result[i, k, 2] = x, y, z
        if offsets[i] == offsets[i + 1] or not np.isfinite(result[i].sum()):
            result[i] = np.nan
    return result
