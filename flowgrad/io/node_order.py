"""Orders of the points of quadratic cells in other formats, told from the points themselves.

meshio passes on what several formats say in their own order. In VTK's order every point between
corners lies near the mean of these, whatever the cell's shape; the orders known here are tried, and
the one that fits best is taken.
"""

from __future__ import annotations

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.higher_order import exchanged
from flowgrad.mesh import ReferenceCell
from flowgrad.typing import FloatArray, IntArray

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


def _misfit(reference: ReferenceCell, nodes: FloatArray) -> float:
    """Distance (rms) of nodes (m, k, 3) from where they would be in straight cells with these corners, over
    the diagonal."""
    assert reference.family is not None
    assert reference.nodes is not None
    corners = len(reference.family.corners)
    straight = np.einsum("ak,nki->nai", _corner_functions(reference), nodes[:, :corners])
    size = np.sqrt((np.ptp(nodes, axis=1) ** 2).sum(axis=1))
    off = np.sqrt(((nodes - straight) ** 2).sum(axis=2).mean(axis=1))
    return float(np.sqrt(np.nanmean((off / size) ** 2)))


def _corner_functions(reference: ReferenceCell) -> FloatArray:
    """The linear cell's shape functions at the nodes (k, c)."""
    from flowgrad.mesh import REFERENCE_CELLS

    assert reference.family is not None
    assert reference.nodes is not None
    linear = next(cell for cell in REFERENCE_CELLS.values() if cell.nodes is reference.family.corners)
    return linear.values(reference.nodes)
