"""Pyramids of higher degree: rational functions that hold all polynomials and fit the neighbours' faces.

On the pyramid |x|, |y| ≤ g with g = 1 − z the space of degree p is spanned by
P_i(x/g) P_j(y/g) g^max(i,j) J_k(z) for i, j ≤ p and k ≤ p − max(i, j), P the Legendre and J the
Jacobi polynomials of weight (2 max(i, j) + 2, 0), as in Bergot, Cohen & Duruflé (2010), J. Sci.
Comput. 42, 345, eq. 4. At the apex a rational function has no derivative; polynomials keep
theirs, the rest has there that of its numerator, which is zero.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from flowgrad.mesh.reference.shape_functions import Basis


def complete_pyramid(degree: int) -> Basis:
    """The whole space of a degree, (p + 1)(p + 2)(2 p + 3)/6 functions."""
    orders = [(i, j, k) for i in range(degree + 1) for j in range(degree + 1) for k in range(degree + 1 - max(i, j))]

    def basis(xi: Any) -> list[Any]:
        x, y, gap, inverse = _centered(xi)
        first, second = _legendre(x, gap, degree), _legendre(y, gap, degree)
        return [
            first[i] * second[j] * _power(inverse, min(i, j)) * _jacobi(xi[2], k, 2 * max(i, j) + 2)
            for i, j, k in orders
        ]

    return basis


def serendipity_pyramid(xi: Any) -> list[Any]:
    """Degree 2 without a node in the base (13 nodes; Bedrosian 1992, Int. J. Numer. Methods Eng. 35, 95):
    all quadratics, xy/g, x²y/g and xy²/g."""
    x, y, gap, _ = _centered(xi)
    one, twist = 1 + 0 * x, x * y / np.where(gap == 0, 1.0, gap)
    quadratics = [one, x, y, gap, x * x, y * y, gap * gap, x * y, x * gap, y * gap]
    return [*quadratics, twist, twist * x, twist * y]


def enriched_pyramid(xi: Any) -> list[Any]:
    """Degree 2 with nodes in the faces and inside (19 nodes), the space of VTK's triquadratic pyramid:
    the complete one with a bubble for each triangle and one inside."""
    x, y, gap, inverse = _centered(xi)
    z = 1 - gap
    u, v = (gap * gap - x * x) * inverse, (gap * gap - y * y) * inverse
    bubbles = [z * x * v, z * y * u, z * x * x * v * inverse, z * y * y * u * inverse, z * u * v * inverse]
    return [*serendipity_pyramid(xi), x * x * y * y * inverse * inverse, *bubbles]


def _centered(xi: Any) -> tuple[Any, Any, Any, Any]:
    """x and y from −g to g, g, and 1/g (1 at the apex) of reference coordinates in [0, 1]³."""
    gap = 1 - xi[2]
    return 2 * xi[0] - 1, 2 * xi[1] - 1, gap, 1 / np.where(gap == 0, 1.0, gap)


def _power(x: Any, exponent: int) -> Any:
    result = 1 + 0 * x
    for _ in range(exponent):
        result = result * x
    return result


def _legendre(x: Any, gap: Any, degree: int) -> list[Any]:
    """g^n P_n(x/g) for n = 0 … degree, by the three-term recurrence."""
    values = [1 + 0 * x, x]
    for n in range(1, degree):
        values.append(((2 * n + 1) * x * values[-1] - n * gap * gap * values[-2]) / (n + 1))
    return values


def _jacobi(z: Any, degree: int, weight: int) -> Any:
    """The Jacobi polynomial P_n^(weight, 0) of 2 z − 1 (Abramowitz & Stegun 1964, 22.7.1)."""
    x = 2 * z - 1
    before, value = 1 + 0 * x, (weight + 2) * (x - 1) / 2 + weight + 1
    if not degree:
        return before
    for n in range(1, degree):
        total = 2 * n + weight
        slope = (total + 1) * (total + 2) * total
        lift = (total + 1) * weight * weight
        back = 2 * (n + weight) * n * (total + 2)
        scale = 2 * (n + 1) * (n + weight + 1) * total
        before, value = value, ((slope * x + lift) * value - back * before) / scale
    return value
