"""What makes points a lattice, beside them, for tools that hold points and no lattices."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowgrad.interop.periods import lengths, period_vectors, vectors
from flowgrad.mesh import Lattice


def told_of(lattice: Lattice) -> dict[str, Any]:
    """The points along each axis, the periods (None without one), and whether the axes run along x, y and z."""
    periods = [None if np.isnan(row).any() else row.tolist() for row in period_vectors(lattice)]
    return {"shape": lattice.shape, "aligned": lattice.is_aligned, "periods": periods}


def lattice_again(points: NDArray[np.float64], told: Mapping[str, Any]) -> Lattice | None:
    """The lattice whose points (n, 3) are these in their order; None where they are not, or nothing is told."""
    if not told or np.prod(told["shape"]) != len(points):
        return None
    grid = points.reshape(*told["shape"][::-1], 3).transpose(2, 1, 0, 3)
    periods = np.array([[np.nan] * 3 if row is None else row for row in told["periods"]])
    if not told["aligned"]:
        return Lattice.curvilinear(grid, vectors(periods))
    axes = grid[:, 0, 0, 0], grid[0, :, 0, 1], grid[0, 0, :, 2]
    if not np.array_equal(np.stack(np.meshgrid(*axes, indexing="ij"), -1), grid):
        return None
    return Lattice.rectilinear(*axes, periodic=lengths(periods))
