"""Weights of local polynomials in windows along one axis: the value and the slope at a place of the window.

Samples in a window of ``reach`` places to both sides have Epanechnikov weights, which are the best ones for every
order and derivative (Fan, Gasser, Gijbels, Brockmann & Engel 1997, Ann. Inst. Statist. Math. 49, 79). At ends and
holes a window keeps its number of places and stands to one side. On even axes these are the filters of
Savitzky & Golay (1964, Anal. Chem. 36, 1627) but for the weights.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.mesh.axis import Axis
from flowgrad.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Spacings that differ by less than this part are even: one window serves all places.
_EVEN = 1e-9


@dataclass(frozen=True, eq=False)
class AxisWindows:
    """Windows at places along lines of one axis, as there are few ``kinds``: place i has that of ``kind[i]``, which
    begins ``first[kind]`` places from it and holds samples at the distances ``offsets`` (kinds, q), the first
    ``size[kind]`` of them."""

    kind: IntArray
    first: IntArray
    size: IntArray
    offsets: FloatArray

    def weights(self, degree: int) -> tuple[FloatArray, FloatArray]:
        """Weights (kinds, q) of the value and of the slope, of the degree, or as high as a window has places for."""
        filled = np.arange(self.offsets.shape[1]) < self.size[:, None]
        x = np.where(filled, self.offsets, 0.0)
        extent = np.maximum(np.abs(x).max(axis=1), 1e-300)[:, None]
        far = np.maximum(np.maximum(-self.first, self.first + self.size - 1), 1)[:, None]
        t = x / extent
        root = np.sqrt(np.where(filled, 1 - (t * far / (far + 1)) ** 2, 0.0))
        value, slope = np.zeros_like(x), np.zeros_like(x)
        highest = np.minimum(degree, self.size - 1)
        for p in np.unique(highest):
            chosen = np.flatnonzero(highest == p)
            Q, R = np.linalg.qr(root[chosen, :, None] * t[chosen, :, None] ** np.arange(p + 1))
            rows = np.linalg.solve(np.swapaxes(R, 1, 2), np.broadcast_to(np.eye(p + 1, 2), (len(chosen), p + 1, 2)))
            dual = (Q @ rows) * root[chosen, :, None]
            value[chosen] = dual[..., 0]
            if p:
                slope[chosen] = dual[..., 1] / extent[chosen]
        return value, slope


def halved_wave(degree: int, reach: int) -> float:
    """The length of the wave, in spacings, of whose slope a window in the middle of an even axis leaves half; of
    shorter ones it leaves less."""
    places = np.arange(-reach, reach + 1)
    window = AxisWindows(
        np.zeros(1, np.int64), -np.array([reach]), np.array([2 * reach + 1]), places[None].astype(float)
    )
    lengths = np.geomspace(2, 8 * (reach + 1), 500)
    k = 2 * np.pi / lengths
    left = np.sin(np.outer(k, places)) @ window.weights(degree)[1][0] / k
    return float(lengths[left < 0.5].max(initial=2.0))


def axis_windows(axis: Axis, place: IntArray, low: IntArray, high: IntArray, reach: int) -> AxisWindows:
    """Windows of 2·reach + 1 places around each ``place`` (n,) of an axis, inside the run of samples from ``low`` to
    ``high`` (n,) in which it lies, and as long as the run where that is shorter. Runs go on beyond the ends of a
    periodic axis."""
    first = np.clip(place - reach, low, np.maximum(high - 2 * reach, low))
    size = np.minimum(first + 2 * reach, high) - first + 1
    ahead, steps, n = first - place, np.diff(axis.coordinates), len(axis)
    key = (ahead + 2 * reach) * (2 * reach + 2) + size
    if len(steps) and (np.ptp(steps) > _EVEN * abs(steps[0]) or axis.period not in (None, n * steps[0])):
        key = key * n + place
    _, example, kind = np.unique(key, return_index=True, return_inverse=True)
    columns = place[example][:, None] + ahead[example][:, None] + np.arange(2 * reach + 1)
    x = axis.coordinates[columns % n] + (columns // n) * (axis.period or 0.0)
    offsets = x - axis.coordinates[place[example]][:, None]
    return AxisWindows(kind.reshape(-1), ahead[example], size[example], offsets)


def runs_of(known: BoolArray, place: IntArray, stride: int) -> tuple[IntArray, IntArray]:
    """The first and the last place of the run of ``known`` samples (n,) along an axis in which each one lies; of a hole
    itself."""
    n = int(place.max()) + 1
    along = np.moveaxis(known.reshape(-1, n, stride), 1, -1)
    index = np.arange(n)
    low = np.maximum.accumulate(np.where(along, -1, index), axis=-1) + 1
    high = np.minimum.accumulate(np.where(along, n, index)[..., ::-1], axis=-1)[..., ::-1] - 1
    low, high = (np.moveaxis(each, -1, 1).reshape(-1) for each in (low, high))
    return np.where(known, low, place), np.where(known, high, place)


def window_matrix(windows: AxisWindows, weights: FloatArray, place: IntArray, n: int, stride: int) -> csr_array:
    """Weights (kinds, q) as a matrix (N, N) on samples whose neighbours along the axis of n are ``stride`` apart."""
    from scipy.sparse import csr_array

    q = weights.shape[1]
    columns = place[:, None] + windows.first[windows.kind][:, None] + np.arange(q)
    filled = np.arange(q) < windows.size[windows.kind][:, None]
    samples = np.arange(len(place))[:, None] + stride * (columns % n - place[:, None])
    start = np.concatenate([[0], np.cumsum(filled.sum(axis=1))])
    return csr_array((weights[windows.kind][filled], samples[filled], start), shape=(len(place), len(place)))
