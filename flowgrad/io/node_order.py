"""Node orders of Lagrange and quadratic cells: degrees and versions of VTK's files, and orders of other formats.

meshio passes on what several formats say in their own order. In VTK's order every point between
corners lies near the mean of these, whatever the cell's shape; the orders known here are tried, and
the one that fits best is taken.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.formats import Arrays
from flowgrad.mesh import LAGRANGE_CELLS, Cells, Mesh, ReferenceCell
from flowgrad.mesh.reference.linear import off_straight
from flowgrad.typing import FloatArray, IntArray

# The cell array of degrees, which an attribute of the same name points out.
DEGREES = "HigherOrderDegrees"
# Before this version the points on the third and the fourth upright edge were exchanged.
TODAYS_HEXAHEDRA = (2, 1)
LAGRANGE_HEXAHEDRON = 72

# meshio's and Gmsh's linear wedge, whose first triangle looks inward, in VTK's order.
WEDGE = [0, 2, 1, 3, 5, 4]

# Points farther than this from where they should be, as a fraction of the cell's diagonal (rms), are
# in no known order.
_OUT_OF_ORDER = 0.15
_EIGHT, _UPRIGHT = list(range(12)), [16, 17, 18, 19, 12, 13, 14, 15]
_SIX, _UPRIGHT6 = list(range(9)), [12, 13, 14, 9, 10, 11]
_GMSH_PYRAMID = [0, 1, 2, 3, 4, 5, 8, 10, 6, 7, 9, 11, 12]
# Exodus and Nastran number the upright edges before those of the top (Schoof & Yarberry 1994, SAND92-2137,
# fig. 4.9); of Gmsh's orders meshio leaves these two (Geuzaine & Remacle, Gmsh reference manual, §9.2).
_OTHERS: dict[int, list[list[int]]] = {
    24: [[0, 1, 2, 3, 4, 5, 6, 7, 9, 8]],
    25: [[*_EIGHT, *_UPRIGHT]],
    26: [[*_SIX, *_UPRIGHT6]],
    27: [_GMSH_PYRAMID],
    29: [[*_EIGHT, *_UPRIGHT, 23, 24, 25, 26, 21, 22, 20]],
    32: [
        [0, 1, 2, 3, 4, 5, 6, 9, 7, 12, 14, 13, 8, 10, 11, 15, 17, 16],
        [*_SIX, *_UPRIGHT6, 15, 16, 17],
    ],
    74: [[*_GMSH_PYRAMID, 13]],
}


def with_degrees(cells: Cells, name: str, cell_data: Arrays) -> Cells:
    """The cells with the degrees that a cell array gives, which is taken out of the cell data."""
    lagrange = np.isin(cells.types, list(LAGRANGE_CELLS))
    if not lagrange.any() or name not in cell_data:
        return cells
    values = cell_data.pop(name)
    if values.ndim != 2 or values.shape[1] != 3 or not np.isfinite(values).all() or (values % 1).any():
        raise ReadError(
            f"'{name}' is {values.dtype} {values.shape}, not three whole numbers a cell: the file is damaged"
        )
    return dataclasses.replace(cells, degrees=np.where(lagrange[:, None], values, 0).astype(np.int64))


def in_todays_order(mesh: Mesh, version: tuple[int, int]) -> Mesh:
    """A mesh of a file of that version with the points of its Lagrange hexahedra as VTK orders them now."""
    old = [block for block in mesh.blocks if block.reference.vtk_type == LAGRANGE_HEXAHEDRON]
    if version >= TODAYS_HEXAHEDRA or not old:
        return mesh
    connectivity = mesh.cells.connectivity.copy()
    for block in old:
        assert block.rows is not None
        slots = mesh.cells.offsets[block.cells][:, None] + np.arange(block.reference.size)
        connectivity[slots] = block.rows[:, exchanged(block.reference.nodes)]
    return Mesh(mesh.points, dataclasses.replace(mesh.cells, connectivity=connectivity))


def exchanged(nodes: np.ndarray | None) -> np.ndarray:
    """The numbers of a hexahedron's nodes (k, 3) with those on the edges 2-6 and 3-7 exchanged."""
    assert nodes is not None
    inner = (nodes[:, 2] > 0) & (nodes[:, 2] < 1) & (nodes[:, 1] == 1)
    third, fourth = np.flatnonzero(inner & (nodes[:, 0] == 1)), np.flatnonzero(inner & (nodes[:, 0] == 0))
    order = np.arange(len(nodes))
    order[third], order[fourth] = fourth, third
    return order


def in_vtk_order(reference: ReferenceCell, points: FloatArray, rows: IntArray) -> IntArray:
    """The points (m, k) of cells of one kind in VTK's order; ReadError where they are in none that is known."""
    if not reference.is_curved or not len(rows):
        return rows
    if rows.shape[1] != reference.size or rows.min() < 0 or rows.max() >= len(points):
        return rows  # the mesh says what is wrong
    orders = [list(range(reference.size)), *_OTHERS.get(reference.vtk_type, [])]
    if reference.vtk_type == 72:
        orders.append(list(exchanged(reference.nodes)))
    errors = [_misfit(reference, points[rows[:, order]]) for order in orders]
    best = int(np.argmin(errors))
    if not errors[best] < _OUT_OF_ORDER:
        raise ReadError(
            f"the points of {len(rows)} cells of the type {reference.name} are in an order that is not known "
            f"(those between corners lie {errors[best]:.2g} of the cell's diagonal from there): convert it to .vtu"
        )
    return rows[:, orders[best]]


def is_in_order(reference: ReferenceCell, nodes: FloatArray) -> bool:
    """Whether nodes (m, k, 3) of cells of one kind lie about where VTK's order has them."""
    return _misfit(reference, nodes) < _OUT_OF_ORDER


def _misfit(reference: ReferenceCell, nodes: FloatArray) -> float:
    """How far nodes (m, k, 3) are from those of straight cells, rms over the cells."""
    return float(np.sqrt(np.nanmean(off_straight(reference, nodes) ** 2)))
