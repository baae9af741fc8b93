"""Element types of Gmsh: their numbers, the order of their nodes at any degree, and the functions of an interpolation
scheme (Geuzaine & Remacle, Gmsh reference manual 4.15, §9.1 "MSH file format" and §9.2 "Node ordering").

Corners come first, then the nodes on the edges, on the faces and inside; those inside a face, or inside the element,
are again such an element of a lower degree.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.node_order import WEDGE, in_vtk_order, is_in_order
from flowgrad.mesh import LAGRANGE_CELLS, REFERENCE_CELLS, ReferenceCell
from flowgrad.mesh.reference.lagrange import lagrange_cell
from flowgrad.mesh.reference.shapes import HEXAHEDRON, LINE, PYRAMID, QUAD, TETRA, TRIANGLE, Family
from flowgrad.mesh.reference.shapes import WEDGE as PRISM
from flowgrad.typing import FloatArray, IntArray

_POINT = Family("point", np.zeros((1, 0)), (), 1.0, np.zeros((0, 1)), (), lambda x: x, lambda x: x)
_HEXAHEDRON_EDGES = "01 03 04 12 15 23 26 37 45 47 56 67"
# Edges and faces in Gmsh's order and directions.
_EDGES = {
    "line": "01",
    "triangle": "01 12 20",
    "quad": "01 12 23 30",
    "tetra": "01 12 20 30 32 31",
    "hexahedron": _HEXAHEDRON_EDGES,
    "wedge": "01 02 03 12 14 25 34 35 45",
    "pyramid": "01 03 04 12 14 23 24 34",
}
_FACES = {
    "tetra": "021 013 032 312",
    "hexahedron": "0321 0154 0473 1265 2376 4567",
    "wedge": "0143 0352 1254",
    "pyramid": "0321",
}
# Numbers of the types by degree, of those with all nodes and of those of degree 2 without nodes inside faces; the VTK
# types of degrees 1, 2, 2 without, and above, which of prisms and pyramids have no node order that VTK and Gmsh define.
_COMPLETE = {
    "line": (1, 8, 26, 27, 28, 62, 63, 64, 65, 66),
    "triangle": (2, 9, 21, 23, 25, 42, 43, 44, 45, 46),
    "quad": (3, 10, 36, 37, 38, 47, 48, 49, 50, 51),
    "tetra": (4, 11, 29, 30, 31, 71, 72, 73, 74, 75),
    "hexahedron": (5, 12, 92, 93, 94, 95, 96, 97, 98),
    "wedge": (6, 13),
    "pyramid": (7, 14),
}
_INCOMPLETE = {16: QUAD, 17: HEXAHEDRON, 18: PRISM, 19: PYRAMID}
_VTK = {
    "line": (3, 21, 0, 68),
    "triangle": (5, 22, 0, 69),
    "quad": (9, 28, 23, 70),
    "tetra": (10, 24, 0, 71),
    "hexahedron": (12, 29, 25, 72),
    "wedge": (13, 32, 26, 0),
    "pyramid": (14, 74, 27, 0),
}
_ORDER = (LINE, TRIANGLE, QUAD, TETRA, PYRAMID, PRISM, HEXAHEDRON)
# Gmsh's numbers of the shapes in an interpolation scheme.
TOPOLOGIES = {"point": 1, **{family.name: number for number, family in enumerate(_ORDER, 2)}}
# Functions of a scheme are 1 at their own node and 0 at others within this.
_CARDINAL = 1e-8


@dataclass(frozen=True, eq=False)
class ElementType:
    """One of Gmsh's types: its ``nodes`` (k, d) in the reference cell, in Gmsh's order, and where each of VTK's nodes
    stands among them (k,)."""

    vtk_type: int
    family: Family
    degree: int
    nodes: FloatArray
    to_vtk: IntArray

    @property
    def size(self) -> int:
        """The number of nodes."""
        return len(self.nodes)

    def in_vtk_order(self, rows: IntArray, points: FloatArray) -> IntArray:
        """The points (m, k) of elements in VTK's order. Of quadratic ones that are bent beyond recognition in Gmsh's
        order another is taken where it fits: meshio writes some types in VTK's."""
        if self.degree == 1 or not len(rows):
            return rows if (self.to_vtk == np.arange(self.size)).all() else rows[:, self.to_vtk]
        reference, ordered = _reference(self.vtk_type, self.size), rows[:, self.to_vtk]
        if is_in_order(reference, points[ordered]):
            return ordered
        try:
            return in_vtk_order(reference, points, rows)
        except ReadError:
            return ordered

    def is_standard(self, coefficients: FloatArray, exponents: FloatArray) -> bool:
        """Whether the functions Σ_j F_ij u^P_j0 v^P_j1 w^P_j2 of a scheme are those that are 1 at a node of their own
        and 0 at the others."""
        if coefficients.shape != (self.size, len(exponents)) or exponents.shape[1] < self.family.dimension:
            return False
        x = self.nodes.copy()
        tensor = {"line": [0], "quad": [0, 1], "hexahedron": [0, 1, 2], "wedge": [2], "pyramid": [0, 1]}
        x[:, tensor.get(self.family.name, [])] = 2 * x[:, tensor.get(self.family.name, [])] - 1
        powers = np.prod(x[:, None, :] ** exponents[None, :, : self.family.dimension], axis=2)
        return bool(np.allclose(powers @ coefficients.T, np.eye(self.size), rtol=0, atol=_CARDINAL))


@lru_cache
def element_type(number: int) -> ElementType | None:
    """The type of a number; None for one that is not read."""
    if number == 15:
        return ElementType(1, _POINT, 1, np.zeros((1, 0)), np.zeros(1, np.int64))
    for family in _ORDER:
        if number in _COMPLETE[family.name]:
            degree = _COMPLETE[family.name].index(number) + 1
            return _made(family, degree, _VTK[family.name][{1: 0, 2: 1}.get(degree, 3)], None)
    if number in _INCOMPLETE:
        family = _INCOMPLETE[number]
        return _made(family, 2, _VTK[family.name][2], REFERENCE_CELLS[_VTK[family.name][2]].size)
    return None


def _made(family: Family, degree: int, vtk_type: int, count: int | None) -> ElementType:
    nodes = _nodes(family, degree)[:count] / degree
    reference = _reference(vtk_type, len(nodes))
    assert reference.nodes is not None
    order = np.abs(reference.nodes[:, None] - nodes[None]).max(axis=2).argmin(axis=1)
    # The first triangle of VTK's linear wedge looks outward.
    return ElementType(vtk_type, family, degree, nodes, np.array(WEDGE) if vtk_type == 13 else order)


def _reference(vtk_type: int, size: int) -> ReferenceCell:
    return lagrange_cell(vtk_type, size) if vtk_type in LAGRANGE_CELLS else REFERENCE_CELLS[vtk_type]


def _nodes(family: Family, degree: int) -> FloatArray:
    """The nodes (k, d) of an element, times its degree, in Gmsh's order."""
    corners = degree * family.corners
    if degree == 0:
        return corners[:1]
    parts = [corners]
    for a, b in _rows(_EDGES[family.name]):
        parts.append(corners[a] + np.arange(1, degree)[:, None] * (family.corners[b] - family.corners[a]))
    for face in _rows(_FACES.get(family.name, "")):
        origin, one, other = (family.corners[face[i]] for i in (0, 1, -1))
        inner = _inside(QUAD if len(face) == 4 else TRIANGLE, degree)
        parts.append(degree * origin + inner @ np.array([one - origin, other - origin]))
    return np.concatenate([*parts, _inside(family, degree)])


def _inside(family: Family, degree: int) -> FloatArray:
    """The nodes within an element, times its degree: one of a lower degree."""
    rest = degree - (2 if family in (QUAD, HEXAHEDRON) else family.dimension + 1)
    has_none = rest < 0 or family in (LINE, PRISM, PYRAMID)
    return np.empty((0, family.dimension)) if has_none else _nodes(family, rest) + 1.0


def _rows(text: str) -> list[list[int]]:
    return [[int(digit) for digit in word] for word in text.split()]
