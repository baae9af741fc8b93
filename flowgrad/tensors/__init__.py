"""Algebra of stacks of 3 × 3 tensors of shape (..., 3, 3), and their eigenvalues and Schur form."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad.errors import OptionError
from flowgrad.typing import FloatArray

# Components of a symmetric tensor in VTK's order XX YY ZZ XY YZ XZ.
VTK_SYMMETRIC = ((0, 1, 2, 0, 1, 0), (0, 1, 2, 1, 2, 2))


def finite_rows(values: FloatArray) -> NDArray[np.bool_]:
    """Which rows of (n, k) hold nothing but finite numbers (n,): column by column, which is fastest for few."""
    finite = np.ones(len(values), bool)
    for column in values.T:
        finite &= np.isfinite(column)
    return finite


def transpose(A: FloatArray) -> FloatArray:
    """Aᵀ of each tensor (a view)."""
    return np.swapaxes(A, -1, -2)


def symmetric(A: FloatArray) -> FloatArray:
    """(A + Aᵀ)/2."""
    return 0.5 * (A + transpose(A))


def skew(A: FloatArray) -> FloatArray:
    """(A − Aᵀ)/2."""
    return 0.5 * (A - transpose(A))


def trace(A: FloatArray) -> FloatArray:
    """tr A, shape (...)."""
    return A[..., 0, 0] + A[..., 1, 1] + A[..., 2, 2]


def double_dot(A: FloatArray, B: FloatArray) -> FloatArray:
    """A:B = A_ij B_ij, shape (...)."""
    products: FloatArray = np.einsum("...ij,...ij->...", A, B)
    return products


def dot(u: FloatArray, v: FloatArray) -> FloatArray:
    """u·v of vectors (..., 3), shape (...)."""
    return u[..., 0] * v[..., 0] + u[..., 1] * v[..., 1] + u[..., 2] * v[..., 2]


def apply(A: FloatArray, u: FloatArray) -> FloatArray:
    """A·u of tensors and vectors (..., 3)."""
    return (A @ u[..., None])[..., 0]


def form(u: FloatArray, A: FloatArray, v: FloatArray) -> FloatArray:
    """u·A·v of tensors and vectors (..., 3), shape (...)."""
    return dot(u, apply(A, v))


def norm(A: FloatArray) -> FloatArray:
    """|A| = √(A:A), shape (...)."""
    return np.sqrt(double_dot(A, A))


def deviator(A: FloatArray) -> FloatArray:
    """A − (tr A/3) I."""
    return A - trace(A)[..., None, None] / 3 * np.eye(3)


def second_invariant(A: FloatArray) -> FloatArray:
    """½(tr²A − tr A²), shape (...), as the sum of the principal minors."""
    return (
        A[..., 0, 0] * A[..., 1, 1]
        - A[..., 0, 1] * A[..., 1, 0]
        + A[..., 1, 1] * A[..., 2, 2]
        - A[..., 1, 2] * A[..., 2, 1]
        + A[..., 2, 2] * A[..., 0, 0]
        - A[..., 2, 0] * A[..., 0, 2]
    )


def determinant(A: FloatArray) -> FloatArray:
    """det A, shape (...), by the rule of Sarrus."""
    return (
        A[..., 0, 0] * (A[..., 1, 1] * A[..., 2, 2] - A[..., 1, 2] * A[..., 2, 1])
        - A[..., 0, 1] * (A[..., 1, 0] * A[..., 2, 2] - A[..., 1, 2] * A[..., 2, 0])
        + A[..., 0, 2] * (A[..., 1, 0] * A[..., 2, 1] - A[..., 1, 1] * A[..., 2, 0])
    )


def axial_vector(A: FloatArray) -> FloatArray:
    """ω_i = −ε_ijk A_jk, shape (..., 3): the vorticity where A is L or W."""
    pairs = ((2, 1), (0, 2), (1, 0))
    return np.stack([A[..., i, j] - A[..., j, i] for i, j in pairs], axis=-1)


def as_tensors(values: ArrayLike, name: str = "tensor") -> FloatArray:
    """Tensors (n, 3, 3) from 9 components (row-major), from 6 of a symmetric one in VTK's order, or
    from (n, 3, 3). OptionError for another shape."""
    values = np.asarray(values, float)
    if values.ndim == 3 and values.shape[1:] == (3, 3):
        return values
    if values.ndim == 2 and values.shape[1] == 9:
        return values.reshape(-1, 3, 3)
    if values.ndim == 2 and values.shape[1] == 6:
        full = np.empty((len(values), 3, 3))
        rows, columns = VTK_SYMMETRIC
        full[:, rows, columns] = values
        full[:, columns, rows] = values
        return full
    raise OptionError(f"{name} has the shape {values.shape}: a tensor has 6 (symmetric) or 9 components")


def _with_rules(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Let an argument that is no array bring its own rule, by NumPy's protocol: dual numbers do."""

    @functools.wraps(function)
    def call(A: Any) -> Any:
        if isinstance(A, np.ndarray) or not hasattr(A, "__array_function__"):
            return function(A)
        return A.__array_function__(call, (type(A),), (A,), {})

    return call


@_with_rules
def eigenvalues(A: FloatArray) -> FloatArray:
    """Eigenvalues of symmetric tensors (..., 3, 3), descending, (..., 3); NaN where A is not finite.

    Accurate to rounding, also where eigenvalues nearly coincide; see :mod:`flowgrad.tensors.eigen`.
    """
    from flowgrad.tensors.eigen import symmetric_eigenvalues

    return _compiled(symmetric_eigenvalues, A, (3,))[0]


@_with_rules
def eigensystem(A: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Eigenvalues of symmetric tensors, descending, (..., 3), and unit eigenvectors as columns
    (..., 3, 3); NaN where A is not finite."""
    from flowgrad.tensors.eigen import symmetric_eigensystem

    values, vectors = _compiled(symmetric_eigensystem, A, (3,), (3, 3))
    return values, vectors


@_with_rules
def real_schur(A: FloatArray) -> tuple[FloatArray, FloatArray]:
    """T and Z (..., 3, 3) of A = Z T Zᵀ for any tensors (..., 3, 3); NaN where A is not finite.

    Z is orthogonal. T_11 is the real eigenvalue of which Z's first column is the eigenvector; below the diagonal
    only T_32 may differ from zero: then T_22 = T_33, |T_23| ≥ |T_32| and the other eigenvalues are
    T_22 ± i √(−T_23 T_32), else the diagonal holds the eigenvalues, descending. Exact for a tensor within a few
    roundings of A.
    """
    from flowgrad.tensors.schur import real_schur

    T, Z = _compiled(real_schur, A, (3, 3), (3, 3))
    return T, Z


def complex_eigenvalues(A: FloatArray) -> NDArray[np.complex128]:
    """Eigenvalues (..., 3) of any tensors (..., 3, 3): a real one, then two real ones, descending, or a conjugate
    pair, the positive imaginary part first; NaN where A is not finite."""
    from flowgrad.tensors.schur import general_eigenvalues

    values: NDArray[np.complex128] = _compiled(general_eigenvalues, A, (3,), dtype=complex)[0]
    return values


def _compiled(kernel: Callable[..., None], A: FloatArray, *shapes: tuple[int, ...], dtype: type = float) -> list[Any]:
    """What a kernel writes into arrays of the given shapes for each tensor, on all threads."""
    from flowgrad.compiled import over_rows

    stack = np.ascontiguousarray(A, np.float64).reshape(-1, 3, 3)
    results: list[Any] = [np.empty((len(stack), *shape), dtype) for shape in shapes]
    over_rows(lambda rows: kernel(stack[rows], *(result[rows] for result in results)), len(stack))
    return [result.reshape(*np.shape(A)[:-2], *shape) for result, shape in zip(results, shapes, strict=True)]
