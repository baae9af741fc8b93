"""Reference cell: VTK's cell types, and the nodes, shape functions and faces of one of them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from functools import cached_property
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from flowgrad.mesh.reference import shapes
from flowgrad.mesh.reference.node_sets import EQUISPACED, NodeSet
from flowgrad.mesh.reference.pyramids import complete_pyramid
from flowgrad.mesh.reference.shape_functions import Shape, gradients, nodal, simplex, tensor, wedge
from flowgrad.mesh.reference.shapes import Face, Family
from flowgrad.typing import FloatArray, IntArray


class VTK(IntEnum):
    """VTK's numbers of cell types, read here or refused by name (vtkCellType.h of VTK 9), and meshio's names."""

    meshio: str

    def __new__(cls, number: int, meshio: str = "") -> VTK:
        """A member that knows its name in meshio, if it has one there."""
        member = int.__new__(cls, number)
        member._value_, member.meshio = number, meshio
        return member

    EMPTY_CELL = 0
    VERTEX = 1, "vertex"
    POLY_VERTEX = 2
    LINE = 3, "line"
    POLY_LINE = 4
    TRIANGLE = 5, "triangle"
    TRIANGLE_STRIP = 6
    POLYGON = 7, "polygon"
    PIXEL = 8, "pixel"
    QUAD = 9, "quad"
    TETRA = 10, "tetra"
    VOXEL = 11
    HEXAHEDRON = 12, "hexahedron"
    WEDGE = 13, "wedge"
    PYRAMID = 14, "pyramid"
    PENTAGONAL_PRISM = 15, "penta_prism"
    HEXAGONAL_PRISM = 16, "hexa_prism"
    QUADRATIC_EDGE = 21, "line3"
    QUADRATIC_TRIANGLE = 22, "triangle6"
    QUADRATIC_QUAD = 23, "quad8"
    QUADRATIC_TETRA = 24, "tetra10"
    QUADRATIC_HEXAHEDRON = 25, "hexahedron20"
    QUADRATIC_WEDGE = 26, "wedge15"
    QUADRATIC_PYRAMID = 27, "pyramid13"
    BIQUADRATIC_QUAD = 28, "quad9"
    TRIQUADRATIC_HEXAHEDRON = 29, "hexahedron27"
    QUADRATIC_LINEAR_QUAD = 30, "quad6"
    QUADRATIC_LINEAR_WEDGE = 31, "wedge12"
    BIQUADRATIC_QUADRATIC_WEDGE = 32, "wedge18"
    BIQUADRATIC_QUADRATIC_HEXAHEDRON = 33, "hexahedron24"
    BIQUADRATIC_TRIANGLE = 34, "triangle7"
    CUBIC_LINE = 35, "line4"
    QUADRATIC_POLYGON = 36
    TRIQUADRATIC_PYRAMID = 37
    CONVEX_POINT_SET = 41
    POLYHEDRON = 42
    PARAMETRIC_CURVE = 51
    PARAMETRIC_SURFACE = 52
    PARAMETRIC_TRI_SURFACE = 53
    PARAMETRIC_QUAD_SURFACE = 54
    PARAMETRIC_TETRA_REGION = 55
    PARAMETRIC_HEX_REGION = 56
    HIGHER_ORDER_EDGE = 60
    HIGHER_ORDER_TRIANGLE = 61
    HIGHER_ORDER_QUAD = 62
    HIGHER_ORDER_POLYGON = 63
    HIGHER_ORDER_TETRAHEDRON = 64
    HIGHER_ORDER_WEDGE = 65
    HIGHER_ORDER_PYRAMID = 66
    HIGHER_ORDER_HEXAHEDRON = 67
    LAGRANGE_CURVE = 68, "VTK_LAGRANGE_CURVE"
    LAGRANGE_TRIANGLE = 69, "VTK_LAGRANGE_TRIANGLE"
    LAGRANGE_QUADRILATERAL = 70, "VTK_LAGRANGE_QUADRILATERAL"
    LAGRANGE_TETRAHEDRON = 71, "VTK_LAGRANGE_TETRAHEDRON"
    LAGRANGE_HEXAHEDRON = 72, "VTK_LAGRANGE_HEXAHEDRON"
    LAGRANGE_WEDGE = 73, "VTK_LAGRANGE_WEDGE"
    LAGRANGE_PYRAMID = 74, "VTK_LAGRANGE_PYRAMID"
    BEZIER_CURVE = 75
    BEZIER_TRIANGLE = 76
    BEZIER_QUADRILATERAL = 77
    BEZIER_TETRAHEDRON = 78
    BEZIER_HEXAHEDRON = 79
    BEZIER_WEDGE = 80
    BEZIER_PYRAMID = 81


def cell_name(vtk_type: int) -> str:
    """Name of one of VTK's cell types, for messages and files."""
    return VTK(vtk_type).name.lower() if vtk_type in VTK._value2member_map_ else f"type {vtk_type}"


@dataclass(frozen=True, eq=False)
class ReferenceCell:
    """One cell type: its VTK number, dimension, nodes (k, d), shape functions N(ξ) and faces.

    ``size`` is the number of points (0 where it varies). ``faces`` bound the cell: points of a
    line, edges of a surface cell (from end to end), faces of a volume cell (the nodes on their edges
    in ring order), each as local point numbers with its normal outward in VTK's numbering. Cells
    with an interpolant belong to a ``family``; ``degree`` is the highest power of a coordinate in it.

    ``has_interpolant``: point values define a field inside the cell through shape functions; ``is_fitted``: the
    gradient is a least-squares fit through the cell's own points instead; ``is_curved``: there are nodes besides the
    corners, so that edges and faces may be curved; ``center``: the mean of the corners (d,), which a family tells.
    """

    vtk_type: VTK
    dimension: int
    size: int
    faces: tuple[Face, ...] = ()
    nodes: FloatArray | None = None
    shape: Shape | None = None
    family: Family | None = None
    degree: int = 1
    name: str = field(init=False)
    has_interpolant: bool = field(init=False)
    is_fitted: bool = field(init=False)
    is_curved: bool = field(init=False)
    center: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "name", cell_name(self.vtk_type))
        put(self, "has_interpolant", self.shape is not None)
        put(self, "is_fitted", self.shape is None and self.dimension > 1)
        put(self, "is_curved", self.family is not None and self.size > len(self.family.corners))
        put(self, "center", np.full(self.dimension, np.nan) if self.family is None else self.family.center)

    @classmethod
    def of(cls, vtk_type: VTK, family: Family, nodes: FloatArray, shape: Shape, degree: int) -> ReferenceCell:
        """A cell of a family, whose corners are the first of its nodes."""
        faces = family.node_faces(nodes)
        return cls(vtk_type, family.dimension, len(nodes), faces, nodes, shape, family, degree)

    @classmethod
    def lagrange(
        cls,
        vtk_type: VTK,
        family: Family,
        nodes: FloatArray,
        degrees: tuple[int, ...],
        node_set: NodeSet = EQUISPACED,
    ) -> ReferenceCell:
        """A cell with Lagrange's functions, whose nodes are those of a set in place of the equispaced ``nodes`` (k, d),
        a lattice of these degrees along its axes; on a pyramid they are in any place where they tell the functions of
        its degree apart."""
        if family is shapes.PYRAMID:
            return cls.of(vtk_type, family, nodes, nodal(nodes, complete_pyramid(degrees[0])), degrees[0])
        places = np.rint(nodes * degrees).astype(int)
        marks = [node_set.marks(degree) for degree in degrees]
        if node_set is not EQUISPACED:
            nodes = node_set.nodes(places, degrees, family.simplicial)
        if not family.simplicial:
            shape = tensor(places, marks)
        elif family is shapes.WEDGE:
            own, first, numbers = np.unique(places[:, :2], axis=0, return_index=True, return_inverse=True)
            triangle = _on_simplex(own, nodes[first, :2], degrees[0], node_set)
            shape = wedge(triangle, numbers, places[:, 2], marks[2])
        else:
            shape = _on_simplex(places, nodes, degrees[0], node_set)
        return cls.of(vtk_type, family, nodes, shape, max(degrees))

    @cached_property
    def ring(self) -> NDArray[np.int64]:
        """The nodes on the edges of a surface cell in ring order."""
        return np.array([node for face in self.faces for node in face[:-1]], np.int64)

    @cached_property
    def edges(self) -> tuple[Face, ...]:
        """Each edge's nodes from end to end."""
        assert self.family is not None
        assert self.nodes is not None
        corners, faces = tuple(range(len(self.family.corners))), self.family.faces
        rings = {1: [corners], 2: [corners], 3: faces}[self.dimension]
        ends = {(min(pair), max(pair)) for ring in rings for pair in pairwise((*ring, ring[0]))}
        return tuple((a, *shapes.between(self.nodes, a, b), b) for a, b in sorted(ends))

    @cached_property
    def center_gradients(self) -> FloatArray:
        """dN/dξ at the centre, (1, k, d)."""
        return self.gradients(self.center[None])

    @cached_property
    def node_gradients(self) -> FloatArray:
        """dN/dξ at the nodes and at the centre, (k + 1, k, d); (1, k, d) where it is the same everywhere
        (simplices)."""
        assert self.nodes is not None
        found = self.gradients(np.vstack([self.nodes, self.center]))
        constant = np.allclose(found, found[:1], rtol=0, atol=1e-14)
        return np.ascontiguousarray(found[:1] if constant else found)

    @cached_property
    def spans(self) -> FloatArray:
        """The directions in which the cell extends from its nodes and from its centre (k + 1, d, d), one a row."""
        assert self.family is not None
        assert self.nodes is not None
        return np.ascontiguousarray(self.family.spans(np.vstack([self.nodes, self.center])))

    @cached_property
    def rule(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """N (s, k), dN/dξ (s, k, d) and weights (s,) of a Gauss rule that is exact for the volume and the
        volume centroid of the curved cell."""
        assert self.family is not None
        sites, weights = self.family.gauss(2 * self.degree)
        return self.values(sites), self.gradients(sites), weights

    @cached_property
    def lebesgue(self) -> float:
        """The largest Σ|N_a| in the cell, from its values at many sites: a curved cell reaches at most
        that much farther from the middle of its nodes than these."""
        assert self.family is not None
        assert self.nodes is not None
        sites = np.vstack([self.nodes, self.family.gauss(2 * self.degree + 3)[0]])
        return float(np.abs(self.values(sites)).sum(axis=1).max())

    def values(self, sites: FloatArray) -> FloatArray:
        """N (m, k) at sites (m, d)."""
        assert self.shape is not None
        return np.ascontiguousarray(self.shape(np.ascontiguousarray(sites.T)).T)

    def gradients(self, sites: FloatArray) -> FloatArray:
        """dN/dξ (m, k, d) at sites (m, d)."""
        assert self.shape is not None
        return gradients(self.shape, sites)


def _on_simplex(places: IntArray, nodes: FloatArray, degree: int, node_set: NodeSet) -> Shape:
    """Lagrange's functions of a triangle or tetrahedron with nodes (k, d) in place of equispaced ones."""
    shape = simplex(places, degree)
    return shape if node_set is EQUISPACED else nodal(nodes, shape)
