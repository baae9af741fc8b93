"""Derivatives of functions of whole arrays: products, axes, choices, and the eigenproblem."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowgrad import tensors
from flowgrad.autodiff.dual import FUNCTION_RULES, Dual, value_of

FloatArray = NDArray[np.float64]

# Eigenvalues nearer than this fraction of the largest are the same to rounding: no derivative.
_SAME = 1e-13


def _derivative(x: Any, variables: int) -> FloatArray:
    return x.derivative if isinstance(x, Dual) else np.zeros((*np.shape(x), variables))


def _variables(arrays: Sequence[Any]) -> int:
    return next(x.derivative.shape[-1] for x in arrays if isinstance(x, Dual))


def _stack(arrays: Sequence[Any], axis: int = 0) -> Dual:
    value = np.stack([value_of(x) for x in arrays], axis)
    derivatives = [_derivative(x, _variables(arrays)) for x in arrays]
    return Dual(value, np.stack(derivatives, axis % value.ndim))


def _einsum(subscripts: str, *operands: Any) -> Dual:
    """The product rule; ``subscripts`` with an arrow."""
    inputs, output = subscripts.replace(" ", "").split("->")
    parts = inputs.split(",")
    extra = next(letter for letter in "zZyYxX" if letter not in subscripts)
    values = [value_of(x) for x in operands]
    terms = []
    for k, x in enumerate(operands):
        if isinstance(x, Dual):
            with_extra = ",".join(part + extra * (i == k) for i, part in enumerate(parts))
            mixed = [x.derivative if i == k else value for i, value in enumerate(values)]
            terms.append(np.einsum(f"{with_extra}->{output}{extra}", *mixed))
    return Dual(np.einsum(subscripts, *values), sum(terms[1:], terms[0]))


def _matmul(a: Any, b: Any) -> Dual:
    """Of stacks of matrices."""
    return _einsum("...ij,...jk->...ik", a, b)


def _swapaxes(x: Dual, first: int, second: int) -> Dual:
    n = x.value.ndim
    return Dual(np.swapaxes(x.value, first, second), np.swapaxes(x.derivative, first % n, second % n))


def _moveaxis(x: Dual, source: int, destination: int) -> Dual:
    n = x.value.ndim
    return Dual(np.moveaxis(x.value, source, destination), np.moveaxis(x.derivative, source % n, destination % n))


def _transpose(x: Dual, axes: Sequence[int] | None = None) -> Dual:
    n = x.value.ndim
    order = list(range(n))[::-1] if axes is None else [axis % n for axis in axes]
    return Dual(np.transpose(x.value, order), np.transpose(x.derivative, [*order, n]))


def _trace(x: Dual, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Dual:
    n = x.value.ndim
    axis1, axis2 = axis1 % n, axis2 % n
    return Dual(np.trace(x.value, offset, axis1, axis2), np.trace(x.derivative, offset, axis1, axis2))


def _sum(x: Dual, axis: int | tuple[int, ...] | None = None) -> Dual:
    n = x.value.ndim
    axes = tuple(range(n)) if axis is None else (axis,) if isinstance(axis, int) else axis
    return Dual(x.value.sum(axes), x.derivative.sum(tuple(each % n for each in axes)))


def _where(condition: Any, a: Any, b: Any) -> Dual:
    value = np.where(condition, value_of(a), value_of(b))
    variables = _variables([a, b])
    aligned = [np.broadcast_to(_padded(x, value.ndim, variables), (*value.shape, variables)) for x in (a, b)]
    return Dual(value, np.where(np.broadcast_to(condition, value.shape)[..., None], *aligned))


def _padded(x: Any, ndim: int, variables: int) -> FloatArray:
    derivative = _derivative(x, variables)
    return derivative.reshape((1,) * (ndim + 1 - derivative.ndim) + derivative.shape)


def _norm(x: Dual, axis: int | tuple[int, ...] | None = None) -> Dual:
    """Of vectors, and Frobenius' of matrices."""
    return np.sqrt(_sum(np.square(x), axis))


def _determinant(A: Dual) -> Dual:
    """∂ det A/∂A_ij is the cofactor (Jacobi 1841)."""
    a = A.value
    cofactors = np.stack([np.cross(a[..., (i + 1) % 3, :], a[..., (i + 2) % 3, :]) for i in range(3)], axis=-2)
    return Dual(np.linalg.det(a), np.einsum("...ij,...ijz->...z", cofactors, A.derivative))


def _in_eigenbasis(A: Dual) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Eigenvalues and eigenvectors, n_a·dA·n_b, and λ_b − λ_a, NaN where that is zero to rounding."""
    values, vectors = tensors.eigensystem(A.value)
    turned = np.einsum("...ia,...ijz,...jb->...abz", vectors, A.derivative, vectors, optimize=True)
    gaps = values[..., None, :] - values[..., :, None]
    size = np.abs(values).max(axis=-1)[..., None, None]
    return values, vectors, turned, np.where(np.abs(gaps) > _SAME * size, gaps, np.nan)


def _eigenvalues(A: Dual) -> Dual:
    """dλ_a = n_a·dA·n_a (Kato 1966, ch. II); none where λ_a is a multiple eigenvalue."""
    values, _, turned, gaps = _in_eigenbasis(A)
    multiple = np.isnan(gaps).sum(axis=-1, keepdims=True) > 1  # one is its own
    own = np.einsum("...aaz->...az", turned)
    return Dual(values, np.where(multiple, np.nan, own))


def _eigensystem(A: Dual) -> tuple[Dual, Dual]:
    """The same, and dn_b = Σ_{a≠b} n_a (n_a·dA·n_b)/(λ_b − λ_a) (Kato 1966, ch. II)."""
    _, vectors, turned, gaps = _in_eigenbasis(A)
    mixing = turned / np.where(np.eye(3, dtype=bool), np.inf, gaps)[..., None]
    return _eigenvalues(A), Dual(vectors, np.einsum("...ia,...abz->...ibz", vectors, mixing))


FUNCTION_RULES |= {
    np.stack: _stack,
    np.einsum: _einsum,
    np.matmul: _matmul,
    np.swapaxes: _swapaxes,
    np.moveaxis: _moveaxis,
    np.transpose: _transpose,
    np.trace: _trace,
    np.sum: _sum,
    np.where: _where,
    np.linalg.norm: _norm,
    np.linalg.det: _determinant,
    tensors.eigenvalues: _eigenvalues,
    tensors.eigensystem: _eigensystem,
}
