"""Lagrange cells of any order (VTK_LAGRANGE_*): where VTK 9 puts their points, from the number of points.

Points lie on equidistant lattices, or where another node set has them in their places: corners first, then the
edges, the faces and the inside (Kitware, "Modeling arbitrary-order Lagrange finite elements in the Visualization
Toolkit", 2018). Here a point is its place (i, j, k) on the lattice.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from itertools import product

import numpy as np

from flowgrad.errors import MeshError
from flowgrad.mesh.reference.cell import VTK, ReferenceCell, cell_name
from flowgrad.mesh.reference.node_sets import EQUISPACED, NODE_SETS
from flowgrad.mesh.reference.quadratic import PYRAMID14, TETRA15, TRIANGLE7, WEDGE21
from flowgrad.mesh.reference.shapes import HEXAHEDRON, LINE, PYRAMID, QUAD, TETRA, TRIANGLE, WEDGE, Family
from flowgrad.typing import FloatArray

Place = tuple[int, ...]
Degrees = tuple[int, int, int]

# Enough for any file, and few enough for their lattices to be searched.
_HIGHEST = 30
# Of two quadratic cells with points inside their faces VTK reads the one from its number of points.
_ENRICHED = {(69, 7): TRIANGLE7, (71, 15): TETRA15, (73, 21): WEDGE21}


@dataclass(frozen=True)
class LagrangeType:
    """One of VTK's types: its shape, how many points it has at given degrees, and their places on the lattice."""

    vtk_type: VTK
    family: Family
    count: Callable[[int, int, int], int]
    places: Callable[[int, int, int], list[Place] | FloatArray]


@lru_cache(maxsize=256)
def lagrange_cell(
    vtk_type: int, count: int, degrees: Degrees = (0, 0, 0), node_set: str = EQUISPACED.name
) -> ReferenceCell:
    """The reference cell of ``count`` points; ``degrees`` along ξ, η and ζ as the cell array
    ``HigherOrderDegrees`` gives them, zeros where they are to be told from the number of points, as
    they always are on lines, simplices and pyramids; ``node_set`` says where the nodes are.

    Raises MeshError for a number that fits no degree, or not the given ones, and for pyramids above
    degree 2, the order of whose points VTK does not define.
    """
    kind = LAGRANGE_CELLS[vtk_type]
    if kind.family not in (QUAD, HEXAHEDRON, WEDGE):
        degrees = (0, 0, 0)
    special = _ENRICHED.get((vtk_type, count))
    if special is not None and degrees in ((0, 0, 0), (2, 2, 2)):
        return special
    found = degrees if any(degrees) else _uniform(kind, count)
    p, q, r = (max(degree, 1) for degree in found)
    if kind.count(p, q, r) != count or max(p, q, r) > _HIGHEST:
        raise MeshError(f"a {cell_name(vtk_type)} of degrees {found} has not {count} points: the file is damaged")
    used = (p, p if kind.family is WEDGE else q, r)[: kind.family.dimension]
    nodes = np.array(kind.places(p, q, r)) / used
    return ReferenceCell.lagrange(kind.vtk_type, kind.family, nodes, used, NODE_SETS[node_set])


def _uniform(kind: LagrangeType, count: int) -> Degrees:
    for degree in range(1, _HIGHEST + 1):
        if kind.count(degree, degree, degree) == count:
            return degree, degree, degree
    raise MeshError(
        f"a {cell_name(kind.vtk_type)} of {count} points has no degree that is the same along all axes: "
        "give the degrees in a cell array 'HigherOrderDegrees'"
    )


def pyramid(p: int, *_: int) -> FloatArray:
    """The nodes times the degree; the apex is no place on a lattice."""
    if p > 2:
        raise MeshError(
            f"lagrange_pyramid of degree {p}: VTK does not define the order of its points, so it is not read: "
            "write degree 1 or 2, or tetrahedra"
        )
    return p * (PYRAMID.corners if p == 1 else PYRAMID14)


def _inside(*degrees: int) -> list[Place]:
    """Inner lattice points, the first coordinate fastest."""
    return [place[::-1] for place in product(*(range(1, degree) for degree in reversed(degrees)))]


def hexahedron(p: int, q: int, r: int) -> list[Place]:
    """Corners, edges around the bottom, the top, and up; faces −x, +x, −y, +y, −z, +z; inside."""
    base, rim = quad(p, q), 2 * (p + q)
    corners, edges, flat = base[:4], base[4:rim], base[rim:]
    return [
        *((*c, k) for k in (0, r) for c in corners),
        *((*e, k) for k in (0, r) for e in edges),
        *((*c, k) for c in corners for k in range(1, r)),
        *((i, *f) for i in (0, p) for f in _inside(q, r)),
        *((f[0], j, f[1]) for j in (0, q) for f in _inside(p, r)),
        *((*f, k) for k in (0, r) for f in flat),
        *_inside(p, q, r),
    ]


def line(p: int, *_: int) -> list[Place]:
    """Ends, then from the first to the second."""
    return [(0,), (p,), *((i,) for i in range(1, p))]


def quad(p: int, q: int, *_: int) -> list[Place]:
    """Corners, edges 0-1, 1-2, 3-2, 0-3, inside."""
    along, up = range(1, p), range(1, q)
    edges = [*((i, 0) for i in along), *((p, j) for j in up), *((i, q) for i in along), *((0, j) for j in up)]
    return [(0, 0), (p, 0), (p, q), (0, q), *edges, *_inside(p, q)]


def triangle(p: int, *_: int) -> list[Place]:
    """Corners, edges 0-1, 1-2, 2-0, and a smaller triangle inside."""
    if p <= 0:
        return [(0, 0)] if p == 0 else []
    steps = range(1, p)
    edges = [*((t, 0) for t in steps), *((p - t, t) for t in steps), *((0, p - t) for t in steps)]
    return [(0, 0), (p, 0), (0, p), *edges, *((i + 1, j + 1) for i, j in triangle(p - 3))]


def tetra(p: int, *_: int) -> list[Place]:
    """Corners, edges 0-1, 1-2, 2-0, 0-3, 1-3, 2-3, faces 0-1-3, 2-3-1, 0-3-2, 0-2-1, and a smaller
    tetrahedron inside."""
    if p <= 0:
        return [(0, 0, 0)] if p == 0 else []
    corners = np.array([(0, 0, 0), (1, 0, 0), (0, 1, 0), (0, 0, 1)])
    edges = [
        (p - t) * corners[a] + t * corners[b]
        for a, b in ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3))
        for t in range(1, p)
    ]
    faces = [
        (p - 2 - i - j) * corners[a] + (i + 1) * corners[b] + (j + 1) * corners[c]
        for a, b, c in ((0, 1, 3), (2, 3, 1), (0, 3, 2), (0, 2, 1))
        for i, j in triangle(p - 3)
    ]
    own = [tuple(int(x) for x in place) for place in (*(p * corners), *edges, *faces)]
    return [*own, *((i + 1, j + 1, k + 1) for i, j, k in tetra(p - 4))]


def wedge(p: int, _: int, r: int) -> list[Place]:
    """Corners, edges around the bottom, the top, and up; the bottom, the top, the sides over the edges
    0-1, 1-2, 2-0; inside. Unlike those of triangles, inner points lie row after row."""
    base, up = triangle(p), range(1, r)
    corners, rim = base[:3], base[3 : 3 * p]
    flat = [(i, j) for j in range(1, p) for i in range(1, p - j)]
    sides = [rim[n * (p - 1) : (n + 1) * (p - 1)] for n in range(3)]
    return [
        *((*c, k) for k in (0, r) for c in corners),
        *((*e, k) for k in (0, r) for e in rim),
        *((*c, k) for c in corners for k in up),
        *((*f, k) for k in (0, r) for f in flat),
        *((*e, k) for side in sides for k in up for e in side),
        *((*f, k) for k in up for f in flat),
    ]


LAGRANGE_CELLS: dict[int, LagrangeType] = {
    kind.vtk_type: kind
    for kind in (
        LagrangeType(VTK.LAGRANGE_CURVE, LINE, lambda p, q, r: p + 1, line),
        LagrangeType(VTK.LAGRANGE_TRIANGLE, TRIANGLE, lambda p, q, r: (p + 1) * (p + 2) // 2, triangle),
        LagrangeType(VTK.LAGRANGE_QUADRILATERAL, QUAD, lambda p, q, r: (p + 1) * (q + 1), quad),
        LagrangeType(VTK.LAGRANGE_TETRAHEDRON, TETRA, lambda p, q, r: (p + 1) * (p + 2) * (p + 3) // 6, tetra),
        LagrangeType(VTK.LAGRANGE_HEXAHEDRON, HEXAHEDRON, lambda p, q, r: (p + 1) * (q + 1) * (r + 1), hexahedron),
        LagrangeType(VTK.LAGRANGE_WEDGE, WEDGE, lambda p, q, r: (p + 1) * (p + 2) // 2 * (r + 1), wedge),
        LagrangeType(VTK.LAGRANGE_PYRAMID, PYRAMID, lambda p, q, r: (p + 1) * (p + 2) * (2 * p + 3) // 6, pyramid),
    )
}
