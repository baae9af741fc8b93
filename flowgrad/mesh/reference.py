"""Reference cells: node positions, shape functions and faces, once for each cell type.

Derivatives of the shape functions come from dual numbers; nobody writes them by hand. Cell types
without shape functions (polygons, polyhedra, prisms) are differentiated by least squares through
their own points.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowgrad.autodiff import jacobian

Face = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class ReferenceCell:
    """One cell type: its VTK number, dimension, nodes (k, d), shape functions N(ξ) and faces.

    ``size`` is the number of points (0 where it varies). ``faces`` bound the cell: points of a
    line, edges of a surface cell, faces of a volume cell, each as local point numbers with its
    normal outward in VTK's numbering. ``volume`` times |det J| at a node is what the cell's measure
    would be if det J were the same throughout.
    """

    name: str
    vtk_type: int
    dimension: int
    size: int
    faces: tuple[Face, ...] = ()
    nodes: NDArray[np.float64] | None = None
    shape: Callable[[Any], Any] | None = None
    volume: float = 1.0

    @cached_property
    def center(self) -> NDArray[np.float64]:
        """Mean of the nodes (d,)."""
        assert self.nodes is not None
        return np.asarray(self.nodes.mean(axis=0))

    @property
    def has_interpolant(self) -> bool:
        """Whether point values define a field inside the cell through shape functions."""
        return self.shape is not None

    @property
    def is_fitted(self) -> bool:
        """Whether the gradient is a least-squares fit through the cell's own points instead."""
        return self.shape is None and self.dimension > 1

    @cached_property
    def center_gradients(self) -> NDArray[np.float64]:
        """dN/dξ at the centre, (1, k, d)."""
        assert self.shape is not None
        return np.ascontiguousarray(jacobian(self.shape, self.center)[None])

    @cached_property
    def node_gradients(self) -> NDArray[np.float64]:
        """dN/dξ at the nodes and at the centre, (k + 1, k, d); (1, k, d) where it is the same everywhere
        (simplices)."""
        assert self.shape is not None
        assert self.nodes is not None
        gradients = np.stack([jacobian(self.shape, site) for site in (*self.nodes, self.center)])
        constant = np.allclose(gradients, gradients[:1], rtol=0, atol=1e-14)
        return np.ascontiguousarray(gradients[:1] if constant else gradients)


def _simplex(xi: Any) -> Any:
    return np.stack([1 - sum(xi[i] for i in range(len(xi))), *(xi[i] for i in range(len(xi)))])


def _multilinear(nodes: NDArray[np.float64]) -> Callable[[Any], Any]:
    def shape(xi: Any) -> Any:
        return np.stack([_product(xi, node) for node in nodes])

    return shape


def _product(xi: Any, node: NDArray[np.float64]) -> Any:
    result: Any = 1.0
    for i, corner in enumerate(node):
        result = result * (xi[i] if corner else 1 - xi[i])
    return result


def _wedge(xi: Any) -> Any:
    triangle = (1 - xi[0] - xi[1], xi[0], xi[1])
    return np.stack([t * z for z in (1 - xi[2], xi[2]) for t in triangle])


def _pyramid(xi: Any) -> Any:
    base = [_product(xi[:2], node) * (1 - xi[2]) for node in _QUAD]
    return np.stack([*base, xi[2] + 0 * xi[0]])


_LINE = np.array([[0.0], [1]])
_QUAD = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
_PIXEL = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
_TRIANGLE = np.array([[0.0, 0], [1, 0], [0, 1]])
_TETRA = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])


def _extrude(base: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.vstack([np.column_stack([base, np.full(len(base), z)]) for z in (0.0, 1.0)])


def _polygon_faces(count: int) -> tuple[Face, ...]:
    return tuple((i, (i + 1) % count) for i in range(count))


def _prism_faces(n: int) -> tuple[Face, ...]:
    bottom, top = tuple(range(n))[::-1], tuple(range(n, 2 * n))
    return (bottom, top, *((i, (i + 1) % n, n + (i + 1) % n, n + i) for i in range(n)))


_HEXAHEDRON, _VOXEL = _extrude(_QUAD), _extrude(_PIXEL)
_VOXEL_FACES = ((0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (1, 3, 7, 5), (3, 2, 6, 7), (2, 0, 4, 6))
_PYRAMID_NODES = np.vstack([np.column_stack([_QUAD, np.zeros(4)]), [[0.5, 0.5, 1.0]]])
_PYRAMID_FACES = ((3, 2, 1, 0), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4))
_TETRA_FACES = ((0, 2, 1), (0, 1, 3), (1, 2, 3), (2, 0, 3))

_CELLS = (
    ReferenceCell("vertex", 1, 0, 1),
    ReferenceCell("poly_vertex", 2, 0, 0),
    ReferenceCell("line", 3, 1, 2, ((0,), (1,)), _LINE, _multilinear(_LINE)),
    ReferenceCell("poly_line", 4, 1, 0),
    ReferenceCell("triangle", 5, 2, 3, _polygon_faces(3), _TRIANGLE, _simplex, 1 / 2),
    ReferenceCell("polygon", 7, 2, 0),
    ReferenceCell("pixel", 8, 2, 4, ((0, 1), (1, 3), (3, 2), (2, 0)), _PIXEL, _multilinear(_PIXEL)),
    ReferenceCell("quad", 9, 2, 4, _polygon_faces(4), _QUAD, _multilinear(_QUAD)),
    ReferenceCell("tetra", 10, 3, 4, _TETRA_FACES, _TETRA, _simplex, 1 / 6),
    ReferenceCell("voxel", 11, 3, 8, _VOXEL_FACES, _VOXEL, _multilinear(_VOXEL)),
    ReferenceCell("hexahedron", 12, 3, 8, _prism_faces(4), _HEXAHEDRON, _multilinear(_HEXAHEDRON)),
    ReferenceCell("wedge", 13, 3, 6, _prism_faces(3), _extrude(_TRIANGLE), _wedge, 1 / 2),
    ReferenceCell("pyramid", 14, 3, 5, _PYRAMID_FACES, _PYRAMID_NODES, _pyramid, 1 / 3),
    ReferenceCell("pentagonal_prism", 15, 3, 10, _prism_faces(5)),
    ReferenceCell("hexagonal_prism", 16, 3, 12, _prism_faces(6)),
    ReferenceCell("polyhedron", 42, 3, 0),
)

REFERENCE_CELLS: dict[int, ReferenceCell] = {cell.vtk_type: cell for cell in _CELLS}

# Names of the types that are refused, for messages: vtkCellType.h of VTK 9.
_OTHER_NAMES = {
    0: "empty_cell",
    6: "triangle_strip",
    21: "quadratic_edge",
    22: "quadratic_triangle",
    23: "quadratic_quad",
    24: "quadratic_tetra",
    25: "quadratic_hexahedron",
    26: "quadratic_wedge",
    27: "quadratic_pyramid",
    28: "biquadratic_quad",
    29: "triquadratic_hexahedron",
    30: "quadratic_linear_quad",
    31: "quadratic_linear_wedge",
    32: "biquadratic_quadratic_wedge",
    33: "biquadratic_quadratic_hexahedron",
    34: "biquadratic_triangle",
    35: "cubic_line",
    36: "quadratic_polygon",
    37: "triquadratic_pyramid",
    41: "convex_point_set",
    51: "parametric_curve",
    52: "parametric_surface",
    53: "parametric_tri_surface",
    54: "parametric_quad_surface",
    55: "parametric_tetra_region",
    56: "parametric_hex_region",
    60: "higher_order_edge",
    61: "higher_order_triangle",
    62: "higher_order_quad",
    63: "higher_order_polygon",
    64: "higher_order_tetrahedron",
    65: "higher_order_wedge",
    66: "higher_order_pyramid",
    67: "higher_order_hexahedron",
    68: "lagrange_curve",
    69: "lagrange_triangle",
    70: "lagrange_quadrilateral",
    71: "lagrange_tetrahedron",
    72: "lagrange_hexahedron",
    73: "lagrange_wedge",
    74: "lagrange_pyramid",
    75: "bezier_curve",
    76: "bezier_triangle",
    77: "bezier_quadrilateral",
    78: "bezier_tetrahedron",
    79: "bezier_hexahedron",
    80: "bezier_wedge",
    81: "bezier_pyramid",
}


def cell_name(vtk_type: int) -> str:
    """Name of a VTK cell type, for messages."""
    cell = REFERENCE_CELLS.get(vtk_type)
    return cell.name if cell else _OTHER_NAMES.get(vtk_type, f"type {vtk_type}")
