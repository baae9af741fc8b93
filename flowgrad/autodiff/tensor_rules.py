"""Derivatives of the eigenvalues and eigenvectors of symmetric tensors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowgrad import tensors
from flowgrad.autodiff.dual import FUNCTION_RULES, Dual

FloatArray = NDArray[np.float64]

# Eigenvalues nearer than this fraction of the largest are the same to rounding: no derivative.
_SAME = 1e-13


def _in_eigenbasis(A: Dual) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Eigenvalues and eigenvectors, n_a·dA·n_b, and λ_b − λ_a, NaN where that is zero to rounding."""
    values, vectors = tensors.eigensystem(A.value)
    turned = np.einsum("...ia,z...ij,...jb->z...ab", vectors, A.derivative, vectors, optimize=True)
    gaps = values[..., None, :] - values[..., :, None]
    size = np.abs(values).max(axis=-1)[..., None, None]
    return values, vectors, turned, np.where(np.abs(gaps) > _SAME * size, gaps, np.nan)


def _eigenvalues(A: Dual) -> Dual:
    """dλ_a = n_a·dA·n_a (Kato 1966, ch. II); none where λ_a is a multiple eigenvalue."""
    values, _, turned, gaps = _in_eigenbasis(A)
    multiple = np.isnan(gaps).sum(axis=-1) > 1  # one is its own
    own = np.einsum("...aa->...a", turned)
    return Dual(values, np.where(multiple, np.nan, own), A.level)


def _eigensystem(A: Dual) -> tuple[Dual, Dual]:
    """The same, and dn_b = Σ_{a≠b} n_a (n_a·dA·n_b)/(λ_b − λ_a) (Kato 1966, ch. II)."""
    _, vectors, turned, gaps = _in_eigenbasis(A)
    mixing = turned / np.where(np.eye(3, dtype=bool), np.inf, gaps)
    return _eigenvalues(A), Dual(vectors, np.einsum("...ia,z...ab->z...ib", vectors, mixing), A.level)


FUNCTION_RULES |= {tensors.eigenvalues: _eigenvalues, tensors.eigensystem: _eigensystem}
