"""Shape functions of any degree, as NumPy functions of ξ: products of one-dimensional polynomials, or
the nodal basis of a space that is given by functions that span it.

``xi`` holds the reference coordinates one after another, each a number, an array or a dual number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from flowgrad.autodiff import Dual
from flowgrad.typing import FloatArray, IntArray

Shape = Callable[[Any], Any]
Basis = Callable[[Any], list[Any]]


def gradients(shape: Shape, sites: FloatArray) -> FloatArray:
    """dN/dξ (m, k, d) at sites (m, d), by dual numbers."""
    count, dimension = sites.shape
    seeds = np.broadcast_to(np.eye(dimension)[:, :, None], (dimension, dimension, count))
    return np.ascontiguousarray(shape(Dual(sites.T, seeds)).derivative.transpose(2, 1, 0))


def tensor(indices: IntArray, marks: Sequence[FloatArray]) -> Shape:
    """Lagrange's functions of lines, quadrilaterals and hexahedra: node a has the number ``indices[a]`` along every
    axis, where the nodes sit at ``marks`` over the degree."""
    return _products(lambda xi: [_line(xi[axis], own) for axis, own in enumerate(marks)], indices)


def simplex(indices: IntArray, degree: int) -> Shape:
    """Lagrange's functions of triangles and tetrahedra: node a sits at ``indices[a] / degree``
    (Silvester 1969, Int. J. Eng. Sci. 7, 849)."""
    barycentric = np.column_stack([indices, degree - indices.sum(axis=1)])
    return _products(lambda xi: _rising(xi, indices.shape[1], degree), barycentric)


def wedge(triangle: Shape, numbers: IntArray, layers: IntArray, marks: FloatArray) -> Shape:
    """Lagrange's functions of wedges: those of node ``numbers[a]`` of a triangle times those of node ``layers[a]`` of a
    line, whose nodes sit at ``marks`` over its degree."""
    return lambda xi: triangle(xi)[numbers] * np.stack(_line(xi[2], marks))[layers]


def _products(factors: Callable[[Any], list[list[Any]]], rows: IntArray) -> Shape:
    """Functions that are products of factors: number ``rows[a, c]`` of those of each direction c."""

    def shape(xi: Any) -> Any:
        table = factors(xi)
        return np.stack([_product([table[c][i] for c, i in enumerate(row)]) for row in rows])

    return shape


def nodal(nodes: FloatArray, basis: Basis) -> Shape:
    """The functions of the space spanned by ``basis`` that are 1 at one of the nodes (k, d) and 0 at
    the others."""
    weights = np.linalg.inv(np.stack(basis(nodes.T)))
    return lambda xi: np.einsum("ab,b...->a...", weights, np.stack(basis(xi)))


def monomials(exponents: Sequence[tuple[int, ...]]) -> Basis:
    """Products of powers of the coordinates, taken from −1 to 1 for the sake of rounding."""
    highest = max(max(row) for row in exponents)

    def basis(xi: Any) -> list[Any]:
        powers = [_powers(2 * x - 1, highest) for x in xi]
        return [_product([powers[axis][i] for axis, i in enumerate(row)]) for row in exponents]

    return basis


def _line(x: Any, marks: FloatArray) -> list[Any]:
    """Lagrange's polynomials of nodes in [0, 1] at ``marks`` over the degree: whole numbers where they are
    equispaced."""
    one, degree = 1 + 0 * x, len(marks) - 1
    return [
        _product([one, *((degree * x - other) / (own - other) for j, other in enumerate(marks) if j != i)])
        for i, own in enumerate(marks)
    ]


def _rising(xi: Any, dimension: int, degree: int) -> list[list[Any]]:
    """For each barycentric coordinate, the first one last, Π_{j<m} (p λ − j)/(j + 1) for m = 0 … p."""
    coordinates = [xi[i] for i in range(dimension)]
    coordinates.append(1 - sum(coordinates[1:], coordinates[0]))
    result = []
    for coordinate in coordinates:
        factors = [1 + 0 * coordinate]
        for j in range(degree):
            factors.append(factors[-1] * ((degree * coordinate - j) / (j + 1)))
        result.append(factors)
    return result


def _powers(x: Any, highest: int) -> list[Any]:
    powers = [1 + 0 * x]
    for _ in range(highest):
        powers.append(powers[-1] * x)
    return powers


def _product(factors: Sequence[Any]) -> Any:
    result = factors[0]
    for factor in factors[1:]:
        result = result * factor
    return result
