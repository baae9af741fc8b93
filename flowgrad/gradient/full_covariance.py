"""Covariances of whole gradients, cov(L_ij, L_kl), where the noise of one velocity component reaches
several rows of L: about an axis, and in frames that are turned."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations_with_replacement
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.gradient.propagation import elementwise
from flowgrad.typing import FloatArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


# The weights of one entry of L: which velocity component it comes from, and the matrix (m, n).
Weights = tuple[int, "csr_array"]


def covariance_of(entries: Mapping[tuple[int, int], Weights], noise: float | FloatArray, exact: int) -> FloatArray:
    """cov(L_ij, L_kl) (m, 3, 3, 3, 3) of the entries (i, j) of L for independent noise, a number, (n,) or
    (n, 3), of samples of which the last ``exact``, which are not counted in it, have none."""
    rows, columns = next(iter(entries.values()))[1].shape
    variance = np.zeros((columns, 3))
    variance[: columns - exact] = np.square(noise if np.ndim(noise) == 2 else np.asarray(noise)[..., None])
    result = np.zeros((rows, 3, 3, 3, 3))
    for one, two in combinations_with_replacement(entries, 2):
        (component, first), (other, second) = entries[one], entries[two]
        if component == other:
            value = elementwise(first, second) @ variance[:, component]
            result[:, *one, *two] = result[:, *two, *one] = value
    return result


def expanded(covariance: FloatArray) -> FloatArray:
    """cov(L_ij, L_kl) (m, 3, 3, 3, 3) from C, (m, 3, 3) or (m, 3, 3, 3), with cov(L_ij, L_kl) = δ_ik C_jl."""
    result = np.zeros((len(covariance), 3, 3, 3, 3))
    for i in range(3):
        result[:, i, :, i, :] = covariance if covariance.ndim == 3 else covariance[:, i]
    return result


def mapped(covariance: FloatArray, change: FloatArray) -> FloatArray:
    """The covariance of L' = T L, both as nine numbers row by row, for T (9, 9) or (m, 9, 9)."""
    nine = covariance.reshape(-1, 9, 9)
    return np.asarray(change @ nine @ np.swapaxes(change, -1, -2)).reshape(-1, 3, 3, 3, 3)


def turning(frames: FloatArray) -> FloatArray:
    """T (m, 9, 9) of L' = F L Fᵀ for frames F (m, 3, 3) with the new axes as rows."""
    return np.asarray(np.einsum("nij,nkl->nikjl", frames, frames)).reshape(-1, 9, 9)
