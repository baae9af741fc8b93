"""Universal median test for outliers among measured velocities (Westerweel & Scarano 2005, Exp. Fluids 39, 1096).

A vector is an outlier where a component is further from the median of its neighbours than THRESHOLD times the median
of their own distances from it plus ε. At scattered points velocities count in proportion to their nearness
(Duncan, Dabiri, Hove & Gharib 2010, Meas. Sci. Technol. 21, 057002). At ends and walls neighbours stand to one side,
and the test finds gradients there: an outlier is also far from what quadratic and cubic fits to those around predict.
"""

from __future__ import annotations

import itertools

import numpy as np

from flowgrad.mesh import Lattice
from flowgrad.noise.pseudo_residuals import predictions
from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray, FloatArray

# The authors' threshold; their ε of 0.1 pixel is about twice the noise of a well-seeded image pair.
THRESHOLD, _EPSILON, _FAR = 2.0, 2.0, 4.0
# Neighbours of a scattered point in a plane and in space.
_NEAREST = {1: 4, 2: 8, 3: 14}


def median_outliers(sites: Lattice | FloatArray, velocity: FloatArray, deviation: FloatArray) -> BoolArray:
    """Outliers (n,) among velocities (n, 3) at the points of a lattice or at positions (n, 3), with noise of the
    ``deviation`` (3,); those that are not finite are none."""
    given, at = finite_rows(velocity), sites.points if isinstance(sites, Lattice) else sites
    found, kept = np.zeros(len(velocity), bool), velocity.copy()
    parts = [k for k in range(3) if np.nanmax(np.abs(velocity[:, k]), initial=0.0) > 0]
    for _ in range(2):  # again without those found first, which may hide others
        test = _on_lattice if isinstance(sites, Lattice) else _scattered
        ratio = test(sites, kept[:, parts], velocity[:, parts], deviation[parts])  # type: ignore[arg-type]
        new = _unpredicted(at, velocity, deviation, given & (ratio > THRESHOLD))
        if (new == found).all():
            break
        found = new
        kept = np.where(found[:, None], np.nan, velocity)
    return found


def _unpredicted(at: FloatArray, velocity: FloatArray, deviation: FloatArray, suspect: BoolArray) -> BoolArray:
    """Which suspects (n,) are more than FAR standard deviations from the prediction of the others around."""
    rows = np.flatnonzero(suspect)
    if not len(rows):
        return suspect
    (second, spread), (third, wider) = (predictions(at, velocity, rows, ~suspect, degree) for degree in (2, 3))
    unsure = np.maximum(deviation * np.sqrt(1 + np.maximum(spread, wider) ** 2)[:, None], np.abs(second - third))
    off = np.minimum(np.abs(velocity[rows] - second), np.abs(velocity[rows] - third))
    far = off > _FAR * unsure
    confirmed = np.zeros(len(suspect), bool)
    confirmed[rows[far.any(axis=1)]] = True
    return confirmed


def _median(values: FloatArray) -> FloatArray:
    """Median over the first axis, of the values that there are; NaN where fewer than three."""
    ordered = np.sort(values, axis=0)  # NaN last
    count = np.isfinite(values).sum(axis=0)
    low, high = np.maximum((count - 1) // 2, 0), np.minimum(count // 2, len(values) - 1)
    pick = [np.take_along_axis(ordered, each[None], axis=0)[0] for each in (low, high)]
    return np.where(count >= 3, 0.5 * (pick[0] + pick[1]), np.nan)


def _ratio(neighbours: FloatArray, own: FloatArray, deviation: FloatArray) -> FloatArray:
    """|v − median| / (median |v_i − median| + ε), the largest over the components; 0 where it is not known."""
    middle = _median(neighbours)
    spread = _median(np.abs(neighbours - middle))
    size = np.maximum(_EPSILON * deviation, 1e-12 * np.nanmax(np.abs(own), initial=1e-300))
    ratio = np.abs(own - middle) / (spread + size)
    return np.nan_to_num(ratio, nan=0.0).reshape(-1, own.shape[-1]).max(axis=1)


def _on_lattice(lattice: Lattice, kept: FloatArray, own: FloatArray, deviation: FloatArray) -> FloatArray:
    shape = lattice.shape[::-1]
    padded = np.pad(kept.reshape(*shape, -1), [(1, 1), (1, 1), (1, 1), (0, 0)], constant_values=np.nan)
    reach = [(0, 1, 2) if n > 1 else (1,) for n in shape]
    around = [
        padded[k : k + shape[0], j : j + shape[1], i : i + shape[2]]
        for k, j, i in itertools.product(*reach)
        if (k, j, i) != (1, 1, 1)
    ]
    return _ratio(np.stack(around), own.reshape(*shape, -1), deviation)


def _scattered(at: FloatArray, kept: FloatArray, own: FloatArray, deviation: FloatArray) -> FloatArray:
    from scipy.spatial import cKDTree

    chosen = np.flatnonzero(finite_rows(at) & np.isfinite(own).all(axis=1))
    result = np.zeros(len(at))
    count = _NEAREST[max(1, int((np.ptp(at[chosen], axis=0) > 0).sum()))] if len(chosen) else 0
    if len(chosen) <= count:
        return result
    distance, near = cKDTree(at[chosen]).query(at[chosen], count + 1, workers=-1)
    distance, near = distance[:, 1:].T[..., None], chosen[near[:, 1:]].T
    middle = np.median(distance, axis=0)
    share = middle / (distance + middle) * 2  # 1 at the middle distance, more for the nearer
    centre = _median(kept[near])
    neighbours = centre + share * (kept[near] - centre)
    result[chosen] = _ratio(neighbours, own[chosen], deviation)
    return result
