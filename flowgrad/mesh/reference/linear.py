"""The registry of reference cells: node positions, shape functions and faces, once for each cell type.

Derivatives of the shape functions come from dual numbers; nobody writes them by hand. Cell types
without shape functions (polygons, polyhedra, prisms) are differentiated by least squares through
their own points.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowgrad.mesh.reference import pyramids, shapes
from flowgrad.mesh.reference.cell import ReferenceCell
from flowgrad.mesh.reference.quadratic import QUADRATIC_CELLS
from flowgrad.mesh.reference.shape_functions import Shape, simplex, tensor, wedge
from flowgrad.mesh.reference.shapes import Face, Family, prism_faces


def _linear(name: str, vtk_type: int, family: Family) -> ReferenceCell:
    return ReferenceCell.of(name, vtk_type, family, family.corners, _shape(family), 1)


def _shape(family: Family) -> Shape:
    places = family.corners.astype(int)
    if family is shapes.PYRAMID:
        return pyramids.complete(family.corners, 1)
    if family is shapes.WEDGE:
        return wedge(places, 1, 1)
    if family in (shapes.TRIANGLE, shapes.TETRA):
        return simplex(places, 1)
    return tensor(places, (1,) * family.dimension)


def _along_axes(
    name: str, vtk_type: int, family: Family, corners: NDArray[np.int64], faces: tuple[Face, ...]
) -> ReferenceCell:
    """A quad or hexahedron whose corners VTK numbers along x first, then y, then z."""
    nodes, shape = corners.astype(float), tensor(corners, (1,) * family.dimension)
    return ReferenceCell(name, vtk_type, family.dimension, len(corners), faces, nodes, shape, family)


_PIXEL = np.array([[0, 0], [1, 0], [0, 1], [1, 1]])
_VOXEL = shapes.extruded(_PIXEL).astype(int)
_PIXEL_FACES = ((0, 1), (1, 3), (3, 2), (2, 0))
_VOXEL_FACES = ((0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (1, 3, 7, 5), (3, 2, 6, 7), (2, 0, 4, 6))

_CELLS = (
    ReferenceCell("vertex", 1, 0, 1),
    ReferenceCell("poly_vertex", 2, 0, 0),
    _linear("line", 3, shapes.LINE),
    ReferenceCell("poly_line", 4, 1, 0),
    _linear("triangle", 5, shapes.TRIANGLE),
    ReferenceCell("polygon", 7, 2, 0),
    _along_axes("pixel", 8, shapes.QUAD, _PIXEL, _PIXEL_FACES),
    _linear("quad", 9, shapes.QUAD),
    _linear("tetra", 10, shapes.TETRA),
    _along_axes("voxel", 11, shapes.HEXAHEDRON, _VOXEL, _VOXEL_FACES),
    _linear("hexahedron", 12, shapes.HEXAHEDRON),
    _linear("wedge", 13, shapes.WEDGE),
    _linear("pyramid", 14, shapes.PYRAMID),
    ReferenceCell("pentagonal_prism", 15, 3, 10, prism_faces(5)),
    ReferenceCell("hexagonal_prism", 16, 3, 12, prism_faces(6)),
    *QUADRATIC_CELLS,
    ReferenceCell("polyhedron", 42, 3, 0),
)

# Those whose type fixes the number of points, or that have any number of them; of Lagrange cells the
# number of points tells the degree.
REFERENCE_CELLS: dict[int, ReferenceCell] = {cell.vtk_type: cell for cell in _CELLS}
