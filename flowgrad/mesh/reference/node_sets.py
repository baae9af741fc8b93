"""Node sets of Lagrange cells: equispaced nodes, which VTK means, and Gauss–Lobatto nodes, which solvers write.

On lines, and so on quadrilaterals and hexahedra, the latter are the ends and the extrema of Legendre's polynomial; in
triangles and tetrahedra there are several sets with these along their edges. Up to degree 2 all sets are one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from flowgrad.typing import FloatArray, IntArray

# The lowest degree whose nodes tell the sets apart.
TOLD_APART = 3


@dataclass(frozen=True)
class NodeSet:
    """Nodes of a degree p: ``marks(p)`` (p + 1,) is p times those on a line from 0 to 1; ``simplex(shares, p)``
    (k, d + 1) are the barycentric coordinates of those whose equispaced ones are ``shares / p``, whole numbers."""

    name: str
    marks: Callable[[int], FloatArray]
    simplex: Callable[[IntArray, int], FloatArray]

    def nodes(self, lattice: IntArray, degrees: tuple[int, ...], simplicial: int) -> FloatArray:
        """Reference coordinates (k, d) of places (k, d) on the lattice of these degrees; the first ``simplicial``
        coordinates are those of a triangle or tetrahedron, the others run along lines."""
        found = np.empty(lattice.shape)
        if simplicial:
            own, p = lattice[:, :simplicial], degrees[0]
            found[:, :simplicial] = self.simplex(np.column_stack([own, p - own.sum(axis=1)]), p)[:, :-1]
        for axis in range(simplicial, len(degrees)):
            found[:, axis] = self.marks(degrees[axis])[lattice[:, axis]] / degrees[axis]
        return found


def whole(degree: int) -> FloatArray:
    """0, 1 … p."""
    return np.arange(degree + 1.0)


@cache
def gauss_lobatto(degree: int) -> FloatArray:
    """p times the ends of [0, 1] and the zeros between them of P′_p, those of the Jacobi polynomial P_{p−1}^(1, 1)
    (Abramowitz & Stegun 1964, 25.4.32)."""
    if degree < 2:
        return whole(degree)
    from scipy.special import roots_jacobi

    inner = roots_jacobi(degree - 1, 1, 1)[0]
    return degree * np.concatenate([[0.0], 0.5 + 0.25 * (inner - inner[::-1]), [1.0]])


def warped(shares: IntArray, degree: int) -> FloatArray:
    """Equispaced nodes λ moved along every edge by how far those of that edge are moved:

        λ_i + Σ_j λ_i λ_j w((1 + λ_i − λ_j)/2),   w(t) t (1 − t) the polynomial of degree p from i/p to the nodes

    (Warburton 2006, J. Eng. Math. 56, 247, without blending; ``gll_warped`` of basix, DOLFINx's default)."""
    shift = (gauss_lobatto(degree) - whole(degree)) / degree
    λ = shares / degree
    t = (1 + λ[:, :, None] - λ[:, None, :]) / 2
    w = np.where((t > 0) & (t < 1), _through(shift, t) / np.where((t > 0) & (t < 1), t * (1 - t), 1.0), 0.0)
    return np.asarray(λ + (λ[:, :, None] * λ[:, None, :] * w).sum(axis=2))


def _through(values: FloatArray, t: FloatArray) -> FloatArray:
    """The polynomial through values at equispaced nodes of [0, 1]."""
    own, total = np.linspace(0, 1, len(values)), np.zeros(t.shape)
    for i, value in enumerate(values):
        others = np.delete(own, i)
        total += value * np.prod((t[..., None] - others) / (own[i] - others), axis=-1)
    return total


def recursive(shares: IntArray, degree: int) -> FloatArray:
    """Means of the nodes of the faces, each with the weight of the Gauss–Lobatto node across it (Isaac 2020, SIAM J.
    Sci. Comput. 42, A4046, eq. 6; ``gll_isaac`` of basix)."""
    return np.array([_recursive(tuple(row)) for row in shares.tolist()]).reshape(shares.shape)


@cache
def _recursive(shares: tuple[int, ...]) -> tuple[float, ...]:
    if not any(shares) or len(shares) == 1:
        return (1 / len(shares),) * len(shares)
    degree, total, weights = sum(shares), np.zeros(len(shares)), 0.0
    for i, own in enumerate(shares):
        weight = gauss_lobatto(degree)[degree - own]
        total += weight * np.insert(_recursive(shares[:i] + shares[i + 1 :]), i, 0.0)
        weights += weight
    return tuple(total / weights)


EQUISPACED = NodeSet("equispaced", whole, lambda shares, degree: shares / degree)
# The first one is taken where a geometry tells Gauss–Lobatto nodes but not which of these.
NODE_SETS = {
    each.name: each
    for each in (
        EQUISPACED,
        NodeSet("gll_warped", gauss_lobatto, warped),
        NodeSet("gll_isaac", gauss_lobatto, recursive),
    )
}
