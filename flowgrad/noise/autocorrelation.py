"""Autocorrelation along the axes of a lattice, of what fits leave of a measured velocity.

Noise of independent vectors has none; windows that overlap make it a running mean over T spacings, whose correlation
falls along 1 − lag/T. What the fits leave of the flow itself is correlated over more.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowgrad.mesh import Lattice
from flowgrad.typing import FloatArray

# Lags in spacings, and the correlation below which there is none to speak of.
_LAGS, _SMALL = 16, 0.1


@dataclass(frozen=True, eq=False)
class Autocorrelation:
    """Correlations (k, lags) at 0, 1, … spacings along the ``axes`` x, y, z of a lattice, over all components, and the
    size ``by_chance`` that those of independent values exceed in 5 %."""

    axes: str
    values: FloatArray
    by_chance: float

    @property
    def reach(self) -> int:
        """The first lag at which no axis has any correlation to speak of; the last where there is none."""
        falls = np.abs(self.values).max(axis=0) < max(_SMALL, self.by_chance)
        return int(np.argmax(falls)) if falls.any() else len(falls) - 1


def autocorrelation(lattice: Lattice, residual: FloatArray) -> Autocorrelation:
    """That of vectors (n, 3) at the points of a lattice, NaN where they are missing."""
    centred = residual - np.nanmean(residual, axis=0)
    # Components that have no noise count for nothing, others all the same.
    size = np.sqrt(np.nanmean(centred**2, axis=0))
    grid = (centred[:, size > 0] / size[size > 0]).reshape(*lattice.shape[::-1], -1)
    shortest = min(lattice.shape[a] for a in lattice.active)
    lags = range(min(_LAGS, shortest // 2))
    values = []
    for a in lattice.active:
        moved = np.moveaxis(grid, 2 - a, 0)
        values.append([float(np.nanmean(moved[: len(moved) - lag] * moved[lag:])) for lag in lags])
    return Autocorrelation(
        "".join("xyz"[a] for a in lattice.active), np.array(values), 1.96 / np.isfinite(grid).sum() ** 0.5
    )
