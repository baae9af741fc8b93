"""Vortex functions Γ1 and Γ2 of planar velocity fields: means over a window about each place, robust against noise.

The window is made of the 28 nearest places, on a square lattice those within three spacings; each counts the same.
"""

from __future__ import annotations

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.kinematics.registry import quantity
from flowgrad.typing import FloatArray as Array

_COUNT = 28
# Uniform flow has a Γ1 as large as the mean of the unit radii of a window, which at a border is 2/π.
_ONE_SIDED = 0.4
# Heights nearer than this part of the extent are one plane.
_FLAT = 1e-6
# Windows that are held at a time.
_CHUNK = 1 << 15
_SOURCE = "Graftieaux, Michard & Grosjean 2001, Meas. Sci. Technol. 12, 1422"


@quantity(r"\Gamma_1", "1", scale="signed", of_field=True, reference=_SOURCE)
def gamma1(position: Array, velocity: Array) -> Array:
    """Γ1, the mean sine of the angle between velocity and radius over a window about each place of a planar flow: ±1 at
    the centre of a vortex, positive where it turns counterclockwise; NaN by a border, where windows are one-sided."""
    return _mean_sine(position, velocity, False)


@quantity(r"\Gamma_2", "1", scale="signed", of_field=True, reference=_SOURCE)
def gamma2(position: Array, velocity: Array) -> Array:
    """Γ2, the same of the velocity less its mean over the window, which a moving observer sees alike: beyond ±2/π, its
    value in pure shear, inside the core of a vortex."""
    return _mean_sine(position, velocity, True)


def _mean_sine(position: Array, velocity: Array, is_relative: bool) -> Array:
    """Γ (n,) at positions and velocities (n, 3) in a plane across z; OptionError for a flow in space."""
    from scipy.spatial import cKDTree

    result = np.full(len(position), np.nan)
    known = np.flatnonzero(np.isfinite(position).all(axis=1) & np.isfinite(velocity[:, :2]).all(axis=1))
    if len(known) <= _COUNT:
        return result
    steps = np.diff(np.sort(position[known, 2]))
    # The points of one layer of cells stand in two planes.
    if (steps > _FLAT * np.ptp(position[known], axis=0).max()).sum() > 1:
        raise OptionError("Γ1 and Γ2 are for planar flows: cut a plane, or choose q_criterion, lambda2 or liutex")
    places, first, place_of = np.unique(position[known, :2], axis=0, return_index=True, return_inverse=True)
    v, tree, gamma = velocity[known[first], :2], cKDTree(places), np.full(len(places), np.nan)
    for rows in (slice(start, start + _CHUNK) for start in range(0, len(places), _CHUNK)):
        window = tree.query(places[rows], k=min(_COUNT + 1, len(places)))[1]
        e = places[window[:, 1:]] - places[rows, None]
        e /= np.linalg.norm(e, axis=2, keepdims=True)
        u = v[window[:, 1:]] - (v[window].mean(axis=1, keepdims=True) if is_relative else 0.0)
        speed = np.linalg.norm(u, axis=2)
        sine = (e[..., 0] * u[..., 1] - e[..., 1] * u[..., 0]) / np.where(speed > 0, speed, 1.0)
        is_one_sided = np.linalg.norm(e.mean(axis=1), axis=1) > _ONE_SIDED
        gamma[rows] = np.where(is_one_sided, np.nan, sine.mean(axis=1))
    result[known] = gamma[place_of]
    return result
