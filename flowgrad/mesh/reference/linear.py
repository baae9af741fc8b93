"""Linear reference cells, and the registry of all: node positions, shape functions and faces, once for each cell type.

Derivatives of the shape functions come from dual numbers; nobody writes them by hand. Cell types
without shape functions (polygons, polyhedra, prisms) are differentiated by least squares through
their own points.
"""

from __future__ import annotations

import numpy as np

from flowgrad.mesh.reference import shapes
from flowgrad.mesh.reference.cell import VTK, ReferenceCell
from flowgrad.mesh.reference.quadratic import QUADRATIC_CELLS
from flowgrad.mesh.reference.shape_functions import tensor
from flowgrad.typing import FloatArray

_FAMILIES = {
    VTK.LINE: shapes.LINE,
    VTK.TRIANGLE: shapes.TRIANGLE,
    VTK.QUAD: shapes.QUAD,
    VTK.TETRA: shapes.TETRA,
    VTK.HEXAHEDRON: shapes.HEXAHEDRON,
    VTK.WEDGE: shapes.WEDGE,
    VTK.PYRAMID: shapes.PYRAMID,
}

# The type of straight cells by the name of their family.
LINEAR_TYPES = {family.name: vtk_type for vtk_type, family in _FAMILIES.items()}

# Quads and hexahedra whose corners VTK numbers along x first, then y, then z.
_PIXEL = np.array([[0.0, 0], [1, 0], [0, 1], [1, 1]])
_VOXEL = shapes.extruded(_PIXEL)
_PIXEL_FACES = ((0, 1), (1, 3), (3, 2), (2, 0))
_VOXEL_FACES = ((0, 2, 3, 1), (4, 5, 7, 6), (0, 1, 5, 4), (1, 3, 7, 5), (3, 2, 6, 7), (2, 0, 4, 6))
_ENDS = np.array([0.0, 1])
_ALONG_XY, _ALONG_XYZ = tensor(_PIXEL.astype(int), 2 * [_ENDS]), tensor(_VOXEL.astype(int), 3 * [_ENDS])

_CELLS = (
    ReferenceCell(VTK.VERTEX, 0, 1),
    ReferenceCell(VTK.POLY_VERTEX, 0, 0),
    ReferenceCell(VTK.POLY_LINE, 1, 0),
    ReferenceCell(VTK.POLYGON, 2, 0),
    ReferenceCell(VTK.PIXEL, 2, 4, _PIXEL_FACES, _PIXEL, _ALONG_XY, shapes.QUAD),
    ReferenceCell(VTK.VOXEL, 3, 8, _VOXEL_FACES, _VOXEL, _ALONG_XYZ, shapes.HEXAHEDRON),
    ReferenceCell(VTK.PENTAGONAL_PRISM, 3, 10, shapes.prism_faces(5)),
    ReferenceCell(VTK.HEXAGONAL_PRISM, 3, 12, shapes.prism_faces(6)),
    ReferenceCell(VTK.POLYHEDRON, 3, 0),
    *(ReferenceCell.lagrange(t, family, family.corners, (1,) * family.dimension) for t, family in _FAMILIES.items()),
    *QUADRATIC_CELLS,
)

# Those whose type fixes the number of points, or that have any number of them; of Lagrange cells the
# number of points tells the degree.
REFERENCE_CELLS: dict[int, ReferenceCell] = {
    cell.vtk_type: cell for cell in sorted(_CELLS, key=lambda cell: cell.vtk_type)
}


def off_straight(reference: ReferenceCell, nodes: FloatArray) -> FloatArray:
    """Distance (rms, m) of nodes (m, k, 3) from where they would be in straight cells with these corners, over the
    diagonal."""
    assert reference.family is not None
    assert reference.nodes is not None
    linear = next(cell for cell in REFERENCE_CELLS.values() if cell.nodes is reference.family.corners)
    corners = len(reference.family.corners)
    straight = np.einsum("ak,nki->nai", linear.values(reference.nodes), nodes[:, :corners])
    size = np.sqrt((np.ptp(nodes, axis=1) ** 2).sum(axis=1))
    return np.asarray(np.sqrt(((nodes - straight) ** 2).sum(axis=2).mean(axis=1)) / size)
