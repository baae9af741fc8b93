"""Volumes of the rings that the cells of a meridian plane sweep about the axis."""

from __future__ import annotations

import numpy as np

from flowgrad.mesh.mesh import FLAT, Mesh
from flowgrad.typing import FloatArray


def volumes_of_revolution(mesh: Mesh, radial: int) -> FloatArray:
    """Volume (n,) of the ring of each cell of a planar mesh about the axis where the coordinate ``radial``
    is zero: 2π |ρ| A with ρ at the centroid (Pappus).

    A mesh on both sides of the axis has every ring twice, and each cell half of it. In a cell across the
    axis |ρ| is the mean over its extent, exact for rectangles.
    """
    if not len(mesh):
        return np.zeros(0)
    rho = mesh.points[mesh.cells.connectivity, radial]
    starts = mesh.cells.offsets[:-1]
    low, high = np.minimum.reduceat(rho, starts), np.maximum.reduceat(rho, starts)
    rounding = FLAT * np.nanmax(np.abs(rho))
    crossing = (low < -rounding) & (high > rounding)
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = np.where(crossing, (low**2 + high**2) / (2 * (high - low)), np.abs(mesh.centroids[:, radial]))
    whole = (low < -rounding).any() and (high > rounding).any()
    return np.asarray((np.pi if whole else 2 * np.pi) * mean * mesh.measures)
