"""Cuts of cell values: triangles that carry copies of the velocity of the cell that they were cut from.

Such a value is the mean of a cell whose middle lies beside the plane of the cut, by up to half a cell and differently
from cell to cell, so that no derivative can be had of it. OpenFOAM's ``surfaces`` without interpolation and ParaView's
Slice of cell data make such files; so does a triangulation of cells with their values.
"""

from __future__ import annotations

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.formats import Contents
from flowgrad.tensors import finite_rows
from flowgrad.typing import FloatArray

_TRIANGLE = 5
# Triangles that one cell is cut into at most; cells of which there are copies, and the part of all triangles that these
# are, from which on a file is a cut.
_PIECES, _FEWEST, _SHARE = 10, 4, 0.25


def check_no_cut(contents: Contents, velocity: FloatArray) -> None:
    """ReadError where velocities (n, 3) of cells are copies on the triangles of a cut."""
    cells = contents.mesh.cells
    plain = np.flatnonzero((cells.types == _TRIANGLE) & finite_rows(velocity) & velocity.any(axis=1))
    if len(plain) < 2 or 2 * len(plain) < len(cells):
        return
    rows = np.ascontiguousarray(velocity[plain]).view(np.dtype((np.void, 24))).reshape(-1)
    _, group, sizes = np.unique(rows, return_inverse=True, return_counts=True)
    group = group.reshape(-1)
    few = (sizes > 1) & (sizes <= _PIECES)
    if sizes[few].sum() < _SHARE * len(plain):
        return
    corners = cells.connectivity[cells.offsets[plain][:, None] + np.arange(3)]
    pairs = np.unique(group[:, None] * np.int64(contents.mesh.point_count) + corners)
    points = np.bincount(pairs // contents.mesh.point_count, minlength=len(sizes))
    cut = few & (points == sizes + 2)  # k triangles side by side
    copies = int(sizes[cut].sum())
    if cut.sum() >= _FEWEST and copies >= _SHARE * len(plain):
        raise ReadError(
            f"{contents.source}: {copies} of {len(cells)} triangles have a neighbour with the same velocity, bit for "
            "bit: they carry the values of cells that were cut, whose middles are elsewhere. Cut interpolated values "
            "(OpenFOAM's surfaces: interpolate true; ParaView: Cell Data to Point Data before Slice), or read "
            "the volume"
        )
