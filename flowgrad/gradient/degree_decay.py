"""Error of the interpolant of high-order cells from the decay of its degrees.

The gradient of the interpolant of degree p, less that of its interpolant of degree p − 1 in the same curved cell, is
about the error e_{p−1} of the latter; of all but the linear part of the field, which a curved cell has exactly with the
degree of its own nodes, and not with one less. Smooth fields have e_k = C ρ^k, with e_0 = |∇v|, so that
e_p = e_{p−1} (e_{p−1}/|∇v|)^{1/(p−1)} (after Mavriplis 1990, Notes on Numerical Fluid Mechanics 29, 333, who fits the
decay of a spectrum).
"""

from __future__ import annotations

import numpy as np

from flowgrad.gradient.element import CellInterpolant, taken_apart
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import Cells
from flowgrad.mesh.reference.cell import ReferenceCell
from flowgrad.mesh.reference.lagrange import LAGRANGE_CELLS, lagrange_cell
from flowgrad.typing import FloatArray, IntArray


def degree_changes(points: FloatArray, cells: Cells, xi: FloatArray, values: FloatArray, L: FloatArray) -> FloatArray:
    """By how much the gradients ``L`` (m, 3, 3) of m cells at their reference coordinates ``xi`` (m, 3) change when the
    interpolants of the values (n, 3) at the points lose a degree, (m, 3, 3); NaN in cells that have none to lose."""
    apart = taken_apart(Mesh(points, cells))
    own = values[cells.connectivity]
    own = own - np.einsum("nij,nj->ni", np.repeat(L, np.diff(cells.offsets), axis=0), apart.points)
    result = np.full((len(cells), 3, 3), np.nan)
    lost = degrees(cells) > 1
    for block in apart.blocks:
        if block.reference.is_curved and block.reference.degree > 1:
            assert block.rows is not None
            own[block.rows] = np.einsum("ab,mbi->mai", _lowering(block.reference), own[block.rows])
    result[lost] = CellInterpolant(apart, xi).vectors(own)[lost]
    return result


def degrees(cells: Cells) -> IntArray:
    """The degree of the interpolant in each cell (m,), 0 without one."""
    found = np.zeros(len(cells), np.int64)
    for block in cells.blocks:
        found[block.cells] = block.reference.degree if block.reference.has_interpolant else 0
    return found


def _lowering(reference: ReferenceCell) -> FloatArray:
    """The matrix (k, k) that makes of values at the nodes those of the interpolant of one degree less."""
    assert reference.nodes is not None
    kind = next(each for each in LAGRANGE_CELLS.values() if each.family is reference.family)
    p = reference.degree - 1
    lower = lagrange_cell(kind.vtk_type, kind.count(p, p, p), (p, p, p))
    assert lower.nodes is not None
    return np.asarray(lower.values(reference.nodes) @ reference.values(lower.nodes))
