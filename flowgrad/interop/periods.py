"""The periods of a lattice's axes as vectors in space, for tools that do not know periods."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowgrad.mesh import Lattice
from flowgrad.mesh.lattice import Periods

_NONE: Periods = (False, False, False)


def period_vectors(lattice: Lattice) -> NDArray[np.float64]:
    """Where each axis leads once around (3, 3), zero where it closes upon itself, NaN for one with two ends."""
    rows = np.full((3, 3), np.nan)
    for a, axis in enumerate(lattice.axes):
        if axis.period is not None:
            rows[a] = lattice.shifts[a] if lattice.is_curved else axis.period * lattice.steps[a]
    return rows


def lengths(given: np.ndarray | None) -> Periods:
    """The periods of straight axes, as :class:`Lattice` takes them."""
    return _NONE if given is None else [False if np.isnan(row).any() else _length(row) for row in given.reshape(3, 3)]


def vectors(given: np.ndarray | None) -> Periods:
    """The periods of curved axes, as :class:`Lattice` takes them."""
    if given is None:
        return _NONE
    return [False if np.isnan(row).any() else row if row.any() else True for row in given.reshape(3, 3)]


def _length(row: NDArray[np.float64]) -> float:
    """Exact where the vector is along x, y or z."""
    return float(np.abs(row).max() if np.count_nonzero(row) == 1 else np.sqrt((row**2).sum()))
