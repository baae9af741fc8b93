"""From the noise of the samples to the covariance of the gradients, through the stencil weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from flowgrad.typing import FloatArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


_PAIRS = ((0, 0), (1, 1), (2, 2), (0, 1), (1, 2), (0, 2))


def stencil_covariance(matrices: tuple[csr_array, ...], noise: float | FloatArray, exact: int = 0) -> FloatArray:
    """C = Σ_n σ_n² w_n w_nᵀ (m, 3, 3) from matrices d/dx, d/dy, d/dz (m, n) and the noise, a number or
    (n − exact,); (m, 3, 3, 3), one C for each component, for noise (n − exact, 3).

    The last ``exact`` samples have no noise.
    """
    rows, columns = matrices[0].shape
    variance = np.square(np.broadcast_to(noise, columns - exact) if np.ndim(noise) == 0 else noise)
    variance = np.concatenate([variance, np.zeros((exact, *variance.shape[1:]))])
    result = np.empty((rows, *variance.shape[1:], 3, 3))
    for j, k in _PAIRS:
        result[..., j, k] = result[..., k, j] = elementwise(matrices[j], matrices[k]) @ variance
    return result


def elementwise(a: csr_array, b: csr_array) -> csr_array:
    """Element by element; matrices that share their pattern need no search for it."""
    from scipy.sparse import csr_array

    a, b = _summed(a), _summed(b)
    if np.array_equal(a.indptr, b.indptr) and np.array_equal(a.indices, b.indices):
        return csr_array((a.data * b.data, a.indices, a.indptr), shape=a.shape)
    return a.multiply(b).tocsr()


def _summed(matrix: csr_array) -> csr_array:
    """The same with one entry for each element: the square of a sum is not the sum of squares."""
    if not matrix.has_canonical_format:
        matrix = matrix.copy()
        matrix.sum_duplicates()
    return matrix
