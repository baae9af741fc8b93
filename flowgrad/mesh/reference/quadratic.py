"""Quadratic and biquadratic cells, and the cubic line, in VTK's order: corners, middles of the edges, of
the faces, of the cell.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from flowgrad.mesh.reference.cell import VTK, ReferenceCell
from flowgrad.mesh.reference.pyramids import enriched_pyramid, serendipity_pyramid
from flowgrad.mesh.reference.shape_functions import Basis, monomials, nodal
from flowgrad.mesh.reference.shapes import HEXAHEDRON, LINE, PYRAMID, QUAD, TETRA, TRIANGLE, WEDGE, Family
from flowgrad.typing import FloatArray

Groups = tuple[tuple[int, ...], ...]

_AROUND3: Groups = ((0, 1), (1, 2), (2, 0))
_AROUND4: Groups = ((0, 1), (1, 2), (2, 3), (3, 0))
_TETRA_EDGES: Groups = (*_AROUND3, (0, 3), (1, 3), (2, 3))
_WEDGE_EDGES: Groups = (*_AROUND3, (3, 4), (4, 5), (5, 3), (0, 3), (1, 4), (2, 5))
_WEDGE_SIDES: Groups = ((0, 1, 4, 3), (1, 2, 5, 4), (2, 0, 3, 5))
_HEXAHEDRON_EDGES: Groups = (*_AROUND4, (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7))
_HEXAHEDRON_SIDES: Groups = ((0, 3, 7, 4), (1, 2, 6, 5), (0, 1, 5, 4), (3, 2, 6, 7))
_ENDS: Groups = ((0, 1, 2, 3), (4, 5, 6, 7))
_PYRAMID_EDGES: Groups = (*_AROUND4, (0, 4), (1, 4), (2, 4), (3, 4))
_PYRAMID_SIDES: Groups = ((0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4))


_TETRA_INNER: Groups = ((0, 1, 2), (0, 1, 3), (1, 2, 3), (0, 2, 3), (0, 1, 2, 3))
_WEDGE_INNER: Groups = ((0, 1, 2), (3, 4, 5), *_WEDGE_SIDES, tuple(range(6)))


def nodes_of(family: Family, *groups: tuple[int, ...]) -> FloatArray:
    """The corners, and the mean of each group of corners."""
    return np.vstack([family.corners, *(family.corners[list(group)].mean(axis=0) for group in groups)])


def _lagrange(vtk_type: VTK, family: Family, degrees: tuple[int, ...], *groups: tuple[int, ...]) -> ReferenceCell:
    return ReferenceCell.lagrange(vtk_type, family, nodes_of(family, *groups), degrees)


def _spanned(vtk_type: VTK, family: Family, basis: Basis, degree: int, nodes: FloatArray) -> ReferenceCell:
    return ReferenceCell.of(vtk_type, family, nodes, nodal(nodes, basis), degree)


# Exponents up to 2, of which at most one is 2: the serendipity space (Arnold & Awanou 2011, Found. Comput. Math. 11,
# 337); for nodes in the faces along z also the squares of z times those of x or y.
_SQUARES2, _SQUARES3 = ([p for p in product(range(3), repeat=d) if p.count(2) <= 1] for d in (2, 3))
_ALONG_Z = [(0, 2, 2), (1, 2, 2), (2, 0, 2), (2, 1, 2)]
_WEDGE15 = [(i, j, k) for i, j, k in product(range(3), repeat=3) if i + j + (k == 2) <= 2 and k <= 2]


def _bubble_triangle(xi: Any) -> list[Any]:
    """Quadratics and the cubic that vanishes on the edges."""
    x, y = xi[0], xi[1]
    return [1 + 0 * x, x, y, x * x, x * y, y * y, x * y * (1 - x - y)]


def _bubble_tetra(xi: Any) -> list[Any]:
    """Quadratics, a cubic for each face and the quartic that vanishes on the faces."""
    x, y, z = xi[0], xi[1], xi[2]
    w = 1 - x - y - z
    quadratics = [1 + 0 * x, x, y, z, x * x, y * y, z * z, x * y, y * z, z * x]
    return [*quadratics, x * y * z, y * z * w, z * w * x, w * x * y, w * x * y * z]


def _bubble_wedge(xi: Any) -> list[Any]:
    """Products of those of the triangle with quadratics along z."""
    z = 2 * xi[2] - 1
    return [f * g for f in _bubble_triangle(xi) for g in (1 + 0 * z, z, z * z)]


_NODES13 = nodes_of(PYRAMID, *_PYRAMID_EDGES)
PYRAMID14 = nodes_of(PYRAMID, *_PYRAMID_EDGES, (0, 1, 2, 3))
_NODES19 = np.vstack([PYRAMID14, nodes_of(PYRAMID, *_PYRAMID_SIDES)[5:], [[0.5, 0.5, 0.25]]])
_NODES7 = nodes_of(TRIANGLE, *_AROUND3, (0, 1, 2))
_NODES20 = nodes_of(HEXAHEDRON, *_HEXAHEDRON_EDGES)
_NODES24 = nodes_of(HEXAHEDRON, *_HEXAHEDRON_EDGES, *_HEXAHEDRON_SIDES)
_ALL = (*_HEXAHEDRON_EDGES, *_HEXAHEDRON_SIDES, *_ENDS, tuple(range(8)))
_CUBIC = np.array([[0], [3], [1], [2]]) / 3

_TETRA15, _WEDGE21 = nodes_of(TETRA, *_TETRA_EDGES, *_TETRA_INNER), nodes_of(WEDGE, *_WEDGE_EDGES, *_WEDGE_INNER)
TRIANGLE7 = _spanned(VTK.LAGRANGE_TRIANGLE, TRIANGLE, _bubble_triangle, 3, _NODES7)
TETRA15 = _spanned(VTK.LAGRANGE_TETRAHEDRON, TETRA, _bubble_tetra, 4, _TETRA15)
WEDGE21 = _spanned(VTK.LAGRANGE_WEDGE, WEDGE, _bubble_wedge, 3, _WEDGE21)

QUADRATIC_CELLS = (
    _lagrange(VTK.QUADRATIC_EDGE, LINE, (2,), (0, 1)),
    _lagrange(VTK.QUADRATIC_TRIANGLE, TRIANGLE, (2, 2), *_AROUND3),
    _spanned(VTK.QUADRATIC_QUAD, QUAD, monomials(_SQUARES2), 2, nodes_of(QUAD, *_AROUND4)),
    _lagrange(VTK.QUADRATIC_TETRA, TETRA, (2, 2, 2), *_TETRA_EDGES),
    _spanned(VTK.QUADRATIC_HEXAHEDRON, HEXAHEDRON, monomials(_SQUARES3), 2, _NODES20),
    _spanned(VTK.QUADRATIC_WEDGE, WEDGE, monomials(_WEDGE15), 2, nodes_of(WEDGE, *_WEDGE_EDGES)),
    _spanned(VTK.QUADRATIC_PYRAMID, PYRAMID, serendipity_pyramid, 2, _NODES13),
    _lagrange(VTK.BIQUADRATIC_QUAD, QUAD, (2, 2), *_AROUND4, (0, 1, 2, 3)),
    _lagrange(VTK.TRIQUADRATIC_HEXAHEDRON, HEXAHEDRON, (2, 2, 2), *_ALL),
    _lagrange(VTK.QUADRATIC_LINEAR_QUAD, QUAD, (2, 1), (0, 1), (2, 3)),
    _lagrange(VTK.QUADRATIC_LINEAR_WEDGE, WEDGE, (2, 2, 1), *_WEDGE_EDGES[:6]),
    _lagrange(VTK.BIQUADRATIC_QUADRATIC_WEDGE, WEDGE, (2, 2, 2), *_WEDGE_EDGES, *_WEDGE_SIDES),
    _spanned(VTK.BIQUADRATIC_QUADRATIC_HEXAHEDRON, HEXAHEDRON, monomials([*_SQUARES3, *_ALONG_Z]), 2, _NODES24),
    _spanned(VTK.BIQUADRATIC_TRIANGLE, TRIANGLE, _bubble_triangle, 3, _NODES7),
    ReferenceCell.lagrange(VTK.CUBIC_LINE, LINE, _CUBIC, (3,)),
    _spanned(VTK.TRIQUADRATIC_PYRAMID, PYRAMID, enriched_pyramid, 3, _NODES19),
)
