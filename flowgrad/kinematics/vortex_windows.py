"""Vortex functions Γ1 and Γ2 of planar velocity fields: means over windows about each place, robust against noise.

The window of a place are the places within a distance which, where they stand most densely, holds as many as three
spacings of a square lattice do. Each counts the same, so that Γ are means over an area where places are evenly spread.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.kinematics.registry import quantity
from flowgrad.typing import FloatArray as Array

Index: TypeAlias = NDArray[np.intp]
# Places within three spacings, but the one in the middle.
_COUNT = 28
# The part of the places that stand densely.
_DENSE = 0.1
# Heights nearer than this part of the extent are one plane.
_FLAT = 1e-6
_SOURCE = "Graftieaux, Michard & Grosjean 2001, Meas. Sci. Technol. 12, 1422"


@quantity(r"\Gamma_1", "1", scale="signed", of_field=True, reference=_SOURCE)
def gamma1(position: Array, velocity: Array) -> Array:
    """Γ1, the mean sine of the angle between velocity and radius over a window about each place of a planar flow: near
    ±1 at the centre of a vortex, positive where it turns counterclockwise; NaN without a velocity."""
    return _mean_sine(position, velocity, np.zeros_like(velocity), *_pairs(position, velocity))


@quantity(r"\Gamma_2", "1", scale="signed", of_field=True, reference=_SOURCE)
def gamma2(position: Array, velocity: Array) -> Array:
    """Γ2, the same of the velocity less its mean over the window, which a moving observer sees alike: beyond ±2/π, its
    value in pure shear, inside the core of a vortex; NaN without a velocity."""
    i, j = _pairs(position, velocity)
    count = 1 + np.bincount(i, minlength=len(position)) + np.bincount(j, minlength=len(position))
    total = velocity.copy()
    for axis in range(2):
        for centre, other in ((i, j), (j, i)):
            total[:, axis] += np.bincount(centre, velocity[other, axis], len(position))
    return _mean_sine(position, velocity, total / count[:, None], i, j)


def _pairs(position: Array, velocity: Array) -> tuple[Index, Index]:
    """Each pair of places (i, j) in one another's window that have a velocity; OptionError for a flow in space."""
    from scipy.spatial import cKDTree

    known = np.flatnonzero(np.isfinite(position).all(axis=1) & np.isfinite(velocity[:, :2]).all(axis=1))
    if len(known) < 3:
        return known[:0], known[:0]
    steps = np.diff(np.sort(position[known, 2]))
    # The points of one layer of cells stand in two planes.
    if (steps > _FLAT * np.ptp(position[known], axis=0).max()).sum() > 1:
        raise OptionError("Γ1 and Γ2 are for planar flows: cut a plane, or choose q_criterion, lambda2 or liutex")
    different = np.unique(position[known, :2], axis=0)
    reach = cKDTree(different).query(different, k=[min(_COUNT + 1, len(different))])[0]
    radius = np.quantile(reach, _DENSE, method="lower") * (1 + 1e-9)
    pairs = cKDTree(position[known, :2]).query_pairs(radius, output_type="ndarray")
    return known[pairs[:, 0]], known[pairs[:, 1]]


def _mean_sine(position: Array, velocity: Array, mean: Array, i: Index, j: Index) -> Array:
    """Of the angle between the radius from each place and the velocity there, less the ``mean`` about the place."""
    arm = position[j, :2] - position[i, :2]
    length = np.linalg.norm(arm, axis=1)
    i, j, arm = i[length > 0], j[length > 0], arm[length > 0] / length[length > 0, None]
    count = np.bincount(i, minlength=len(position)) + np.bincount(j, minlength=len(position))
    total = np.zeros(len(position))
    for centre, other, e in ((i, j, arm), (j, i, -arm)):
        u = velocity[other, :2] - mean[centre, :2]
        speed = np.linalg.norm(u, axis=1)
        sine = (e[:, 0] * u[:, 1] - e[:, 1] * u[:, 0]) / np.where(speed > 0, speed, 1.0)
        total += np.bincount(centre, sine, len(position))
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
