"""Differentiation rules of the eigenvalues and eigenvectors of symmetric tensors, and of the Schur form of any."""

from __future__ import annotations

from typing import Any

import numpy as np

from flowgrad import tensors
from flowgrad.autodiff.dual import Dual, plain
from flowgrad.autodiff.rules import rule
from flowgrad.typing import FloatArray

# Eigenvalues nearer than this fraction of the largest are the same to rounding: no derivative.
_SAME = 1e-13


def _in_eigenbasis(A: Dual) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Eigenvalues and eigenvectors, n_a·dA·n_b, and λ_b − λ_a, NaN where that is zero to rounding."""
    values, vectors = tensors.eigensystem(A.value)
    turned = np.einsum("...ia,z...ij,...jb->z...ab", vectors, A.derivative, vectors, optimize=True)
    gaps = values[..., None, :] - values[..., :, None]
    size = np.abs(values).max(axis=-1)[..., None, None]
    return values, vectors, turned, np.where(np.abs(gaps) > _SAME * size, gaps, np.nan)


@rule(tensors.eigenvalues)
def _eigenvalues(A: Dual) -> Dual:
    """dλ_a = n_a·dA·n_a (Kato 1966, ch. II); none where λ_a is a multiple eigenvalue."""
    values, _, turned, gaps = _in_eigenbasis(A)
    multiple = np.isnan(gaps).sum(axis=-1) > 1  # one is its own
    own = np.einsum("...aa->...a", turned)
    return Dual(values, np.where(multiple, np.nan, own), A.level)


@rule(tensors.eigensystem)
def _eigensystem(A: Dual) -> tuple[Dual, Dual]:
    """The same, and dn_b = Σ_{a≠b} n_a (n_a·dA·n_b)/(λ_b − λ_a) (Kato 1966, ch. II)."""
    _, vectors, turned, gaps = _in_eigenbasis(A)
    mixing = turned / np.where(np.eye(3, dtype=bool), np.inf, gaps)
    return _eigenvalues(A), Dual(vectors, np.einsum("...ia,z...ab->z...ib", vectors, mixing), A.level)


@rule(tensors.real_schur)
def _real_schur(A: Dual) -> tuple[Dual, Dual]:
    """With M = Zᵀ dA Z, dZ = Z X and dT = M + T X − X T: the skew X is what keeps the standard form, zeros below
    the diagonal and the two equal entries on it; none where λ_r or two real eigenvalues are multiple."""
    T, Z = tensors.real_schur(A.value)
    M = np.einsum("...ia,z...ij,...jb->z...ab", Z, A.derivative, Z, optimize=True)
    size = np.sqrt(np.sum(np.square(plain(T)), axis=(-2, -1)))
    # The first column below the diagonal: (B − λ_r) (x, y) = −(M_21, M_31).
    a, b, c, d = T[..., 1, 1] - T[..., 0, 0], T[..., 1, 2], T[..., 2, 1], T[..., 2, 2] - T[..., 0, 0]
    det = _apart(a * d - b * c, size**2)
    x = (b * M[..., 2, 0] - d * M[..., 1, 0]) / det
    y = (c * M[..., 1, 0] - a * M[..., 2, 0]) / det
    triangular = (y * T[..., 0, 1] - M[..., 2, 1]) / _apart(T[..., 2, 2] - T[..., 1, 1], size)
    uneven = M[..., 2, 2] - M[..., 1, 1] + x * T[..., 0, 1] - y * T[..., 0, 2]
    # A plane that only turns has no preferred axes: any will do.
    plane = 2 * (b + c)
    free = np.abs(plain(plane)) <= _SAME * size
    standard = np.where(free, 0.0, uneven / np.where(free, 1.0, plane))
    s, zero = np.where(plain(c) != 0, standard, triangular), 0 * x
    X = np.stack([zero, -x, -y, x, zero, -s, y, s, zero], axis=-1).reshape((*x.shape, 3, 3))
    slopes = M + T @ X - X @ T
    below = np.tri(3, k=-1, dtype=bool) & (plain(T) == 0)  # these stay what they are
    return Dual(T, np.where(below, 0 * slopes, slopes), A.level), Dual(Z, Z @ X, A.level)


def _apart(difference: Any, size: Any) -> Any:
    """The difference, NaN where it is zero to rounding."""
    return np.where(np.abs(plain(difference)) > _SAME * size, difference, np.nan)
