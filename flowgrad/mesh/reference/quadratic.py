"""Quadratic and biquadratic cells, and the cubic line, in VTK's order: corners, middles of the edges, of
the faces, of the cell.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from flowgrad.mesh.reference import pyramids, shapes
from flowgrad.mesh.reference.cell import ReferenceCell
from flowgrad.mesh.reference.shape_functions import Shape, monomials, nodal, simplex, tensor, wedge
from flowgrad.mesh.reference.shapes import Family
from flowgrad.typing import FloatArray

Groups = tuple[tuple[int, ...], ...]
Exponents = list[tuple[int, ...]]

_AROUND3: Groups = ((0, 1), (1, 2), (2, 0))
_AROUND4: Groups = ((0, 1), (1, 2), (2, 3), (3, 0))
_TETRA: Groups = (*_AROUND3, (0, 3), (1, 3), (2, 3))
_WEDGE: Groups = (*_AROUND3, (3, 4), (4, 5), (5, 3), (0, 3), (1, 4), (2, 5))
_WEDGE_SIDES: Groups = ((0, 1, 4, 3), (1, 2, 5, 4), (2, 0, 3, 5))
_HEXAHEDRON: Groups = (*_AROUND4, (4, 5), (5, 6), (6, 7), (7, 4), (0, 4), (1, 5), (2, 6), (3, 7))
_SIDES: Groups = ((0, 3, 7, 4), (1, 2, 6, 5), (0, 1, 5, 4), (3, 2, 6, 7))
_ENDS: Groups = ((0, 1, 2, 3), (4, 5, 6, 7))
_PYRAMID: Groups = (*_AROUND4, (0, 4), (1, 4), (2, 4), (3, 4))
_PYRAMID_SIDES: Groups = ((0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4))


def _nodes(family: Family, *groups: tuple[int, ...]) -> FloatArray:
    """The corners, and the mean of each group of corners."""
    return np.vstack([family.corners, *(family.corners[list(group)].mean(axis=0) for group in groups)])


def _tensor(family: Family, degrees: tuple[int, ...], *groups: tuple[int, ...]) -> tuple[FloatArray, Shape]:
    nodes = _nodes(family, *groups)
    return nodes, tensor(np.rint(nodes * degrees).astype(int), degrees)


def _simplex(family: Family, groups: Groups) -> tuple[FloatArray, Shape]:
    nodes = _nodes(family, *groups)
    return nodes, simplex(np.rint(2 * nodes).astype(int), 2)


def _wedge(layers: int, *groups: tuple[int, ...]) -> tuple[FloatArray, Shape]:
    nodes = _nodes(shapes.WEDGE, *groups)
    return nodes, wedge(np.rint(nodes * (2, 2, layers)).astype(int), 2, layers)


def _powers(family: Family, exponents: Exponents, *groups: tuple[int, ...]) -> tuple[FloatArray, Shape]:
    nodes = _nodes(family, *groups)
    return nodes, nodal(nodes, monomials(np.array(exponents)))


def _squares(dimension: int) -> Exponents:
    """Exponents up to 2, of which at most one is 2: the serendipity space (Arnold & Awanou 2011, Found.
    Comput. Math. 11, 337)."""
    return [powers for powers in product(range(3), repeat=dimension) if powers.count(2) <= 1]


# The squares of z times those of x or y, for the nodes in the faces along z.
_ALONG_Z: Exponents = [(0, 2, 2), (1, 2, 2), (2, 0, 2), (2, 1, 2)]
_WEDGE15: Exponents = [(i, j, k) for i, j, k in product(range(3), repeat=3) if i + j + (k == 2) <= 2 and k <= 2]


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
    z = 2 * xi[2] - 1
    return [f * g for f in _bubble_triangle(xi) for g in (1 + 0 * z, z, z * z)]


def _of_basis(nodes: FloatArray, basis: Any) -> tuple[FloatArray, Shape]:
    return nodes, nodal(nodes, basis)


_CUBIC = np.array([[0], [3], [1], [2]])
_NODES13 = _nodes(shapes.PYRAMID, *_PYRAMID)
PYRAMID14 = _nodes(shapes.PYRAMID, *_PYRAMID, (0, 1, 2, 3))
_NODES19 = np.vstack([PYRAMID14, _nodes(shapes.PYRAMID, *_PYRAMID_SIDES)[5:], [[0.5, 0.5, 0.25]]])
_TRIANGLE7 = _of_basis(_nodes(shapes.TRIANGLE, *_AROUND3, (0, 1, 2)), _bubble_triangle)
_TETRA_FACES: Groups = ((0, 1, 2), (0, 1, 3), (1, 2, 3), (0, 2, 3), (0, 1, 2, 3))
_TETRA15 = _of_basis(_nodes(shapes.TETRA, *_TETRA, *_TETRA_FACES), _bubble_tetra)
_WEDGE_INNER: Groups = ((0, 1, 2), (3, 4, 5), *_WEDGE_SIDES, tuple(range(6)))
_WEDGE21 = _of_basis(_nodes(shapes.WEDGE, *_WEDGE, *_WEDGE_INNER), _bubble_wedge)

TRIANGLE7 = ReferenceCell.of("lagrange_triangle", 69, shapes.TRIANGLE, *_TRIANGLE7, 3)
TETRA15 = ReferenceCell.of("lagrange_tetrahedron", 71, shapes.TETRA, *_TETRA15, 4)
WEDGE21 = ReferenceCell.of("lagrange_wedge", 73, shapes.WEDGE, *_WEDGE21, 3)

_ALL = (*_HEXAHEDRON, *_SIDES, *_ENDS, tuple(range(8)))

_TABLE: tuple[tuple[str, int, Family, tuple[FloatArray, Shape], int], ...] = (
    ("quadratic_edge", 21, shapes.LINE, _tensor(shapes.LINE, (2,), (0, 1)), 2),
    ("quadratic_triangle", 22, shapes.TRIANGLE, _simplex(shapes.TRIANGLE, _AROUND3), 2),
    ("quadratic_quad", 23, shapes.QUAD, _powers(shapes.QUAD, _squares(2), *_AROUND4), 2),
    ("quadratic_tetra", 24, shapes.TETRA, _simplex(shapes.TETRA, _TETRA), 2),
    ("quadratic_hexahedron", 25, shapes.HEXAHEDRON, _powers(shapes.HEXAHEDRON, _squares(3), *_HEXAHEDRON), 2),
    ("quadratic_wedge", 26, shapes.WEDGE, _powers(shapes.WEDGE, _WEDGE15, *_WEDGE), 2),
    ("quadratic_pyramid", 27, shapes.PYRAMID, (_NODES13, pyramids.serendipity(_NODES13)), 2),
    ("biquadratic_quad", 28, shapes.QUAD, _tensor(shapes.QUAD, (2, 2), *_AROUND4, (0, 1, 2, 3)), 2),
    ("triquadratic_hexahedron", 29, shapes.HEXAHEDRON, _tensor(shapes.HEXAHEDRON, (2, 2, 2), *_ALL), 2),
    ("quadratic_linear_quad", 30, shapes.QUAD, _tensor(shapes.QUAD, (2, 1), (0, 1), (2, 3)), 2),
    ("quadratic_linear_wedge", 31, shapes.WEDGE, _wedge(1, *_WEDGE[:6]), 2),
    ("biquadratic_quadratic_wedge", 32, shapes.WEDGE, _wedge(2, *_WEDGE, *_WEDGE_SIDES), 2),
    (
        "biquadratic_quadratic_hexahedron",
        33,
        shapes.HEXAHEDRON,
        _powers(shapes.HEXAHEDRON, _squares(3) + _ALONG_Z, *_HEXAHEDRON, *_SIDES),
        2,
    ),
    ("biquadratic_triangle", 34, shapes.TRIANGLE, _TRIANGLE7, 3),
    ("cubic_line", 35, shapes.LINE, (_CUBIC / 3, tensor(_CUBIC, (3,))), 3),
    ("triquadratic_pyramid", 37, shapes.PYRAMID, (_NODES19, pyramids.enriched(_NODES19)), 3),
)

QUADRATIC_CELLS = tuple(
    ReferenceCell.of(name, vtk_type, family, nodes, shape, degree)
    for name, vtk_type, family, (nodes, shape), degree in _TABLE
)
