"""The flow curve η(γ̇) of a field: binned medians, with their scatter and their share of the volume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

# Below this fraction of the largest shear rate a cell is at rest: the rounding of float32 velocities.
NEGLIGIBLE_RATE = 1e-6
BINS_PER_DECADE = 10
_FEWEST_BINS = 8
# A bin holds at least so many cells, and at least this share of all: a few odd cells are no bin.
MIN_CELLS = 5
MIN_SHARE = 1e-3
# A bin's own scatter counts as that of so many cells less: few cells know little of their scatter.
_PRIOR_CELLS = 10
# For a normal distribution: 10–90 % range over σ, and error of the median over that of the mean.
_DECILES = 2.5631
_MEDIAN_ERROR = 1.2533


@dataclass(frozen=True, eq=False)
class FlowCurve:
    """Median viscosity against median shear rate in bins, rising in rate.

    ``rate`` and ``viscosity`` (b,) are medians weighted by volume, ``low`` and ``high`` (b,) the 10 %
    and 90 % quantiles of η, ``share`` (b,) the part of the volume, ``count`` (b,) the cells,
    ``uncertainty`` (b,) the standard error of log η. ``excluded`` counts the cells left out.
    """

    rate: FloatArray
    viscosity: FloatArray
    low: FloatArray
    high: FloatArray
    share: FloatArray
    count: NDArray[np.int64]
    uncertainty: FloatArray
    excluded: Mapping[str, int]

    def __len__(self) -> int:
        return len(self.rate)

    @property
    def stress(self) -> FloatArray:
        """ηγ̇ (b,)."""
        return self.viscosity * self.rate


def flow_curve(
    rate: FloatArray, viscosity: FloatArray, weights: FloatArray, bin_by: FloatArray | None = None
) -> FlowCurve:
    """The flow curve of cells with shear rates, viscosities and volumes (n,), NaN where unknown.

    Cells are binned by the logarithm of their shear rate, or of ``bin_by`` (n,). Left out, and
    counted, are cells without a value or a volume, at rest, and of a viscosity that is not positive.
    """
    usable, excluded = _usable(rate, viscosity, weights)
    key = np.log((rate if bin_by is None else bin_by)[usable])
    order = np.argsort(key, kind="stable")
    chosen = np.flatnonzero(usable)[order]
    starts = _starts(key[order])
    bins = [
        _bin(np.log(rate[cells]), np.log(viscosity[cells]), weights[cells])
        for cells in np.split(chosen, starts[1:])
        if len(cells)
    ]
    return _assembled(np.array(bins).reshape(-1, 7), excluded)


def _usable(rate: FloatArray, viscosity: FloatArray, weights: FloatArray) -> tuple[NDArray[np.bool_], dict[str, int]]:
    known = np.isfinite(rate) & np.isfinite(viscosity) & (weights > 0)
    moving = known & at_shear(rate)
    usable = moving & (viscosity > 0)
    excluded = {
        "invalid": int(np.sum(~known)),
        "negligible_rate": int(np.sum(known & ~moving)),
        "nonpositive_viscosity": int(np.sum(moving & ~usable)),
    }
    return usable, excluded


def at_shear(rate: FloatArray) -> NDArray[np.bool_]:
    """Where the shear rate (n,) is not negligible beside the largest."""
    largest = np.max(rate, where=np.isfinite(rate), initial=0.0)
    return (rate > NEGLIGIBLE_RATE * largest) & (rate > 0)


def _starts(key: FloatArray) -> NDArray[np.int64]:
    """First positions of the bins of sorted logarithms, sparse bins joined with the next."""
    if not len(key):
        return np.zeros(1, np.int64)
    width = min(np.log(10) / BINS_PER_DECADE, (key[-1] - key[0]) / _FEWEST_BINS)
    if width <= 0:
        return np.zeros(1, np.int64)
    edges = np.searchsorted(key, np.arange(key[0], key[-1], width))
    return _joined(edges, len(key), max(MIN_CELLS, int(MIN_SHARE * len(key))))


def _joined(edges: NDArray[np.int64], count: int, fewest: int) -> NDArray[np.int64]:
    starts = [0]
    for edge in edges:
        if edge - starts[-1] >= fewest:
            starts.append(int(edge))
    if len(starts) > 1 and count - starts[-1] < fewest:
        starts.pop()
    return np.array(starts)


def _bin(log_rate: FloatArray, log_eta: FloatArray, weights: FloatArray) -> tuple[float, ...]:
    rate = _quantiles(log_rate, weights, (0.5,))[0]
    low, median, high = _quantiles(log_eta, weights, (0.1, 0.5, 0.9))
    # Kish's effective number: a bin of one large and many small cells is worth little more than one.
    effective = weights.sum() ** 2 / np.sum(weights**2)
    return rate, low, median, high, weights.sum(), len(weights), effective


def _quantiles(values: FloatArray, weights: FloatArray, levels: tuple[float, ...]) -> FloatArray:
    """Weighted quantiles, interpolated so that reversing the order of the values changes nothing."""
    order = np.argsort(values)
    cumulated = np.cumsum(weights[order])
    centres = (cumulated - 0.5 * weights[order]) / cumulated[-1]
    return np.interp(levels, centres, values[order])


def _assembled(bins: FloatArray, excluded: Mapping[str, int]) -> FlowCurve:
    rate, low, median, high, volume, count, effective = bins[np.argsort(bins[:, 0], kind="stable")].T
    return FlowCurve(
        rate=np.exp(rate),
        viscosity=np.exp(median),
        low=np.exp(low),
        high=np.exp(high),
        share=volume / max(volume.sum(), 1e-300),
        count=count.astype(np.int64),
        uncertainty=_uncertainty((high - low) / _DECILES, count, effective),
        excluded=excluded,
    )


def _uncertainty(scatter: FloatArray, count: FloatArray, effective: FloatArray) -> FloatArray:
    pooled = np.median(scatter) if len(scatter) else 0.0
    variance = (count * scatter**2 + _PRIOR_CELLS * pooled**2) / (count + _PRIOR_CELLS)
    return _MEDIAN_ERROR * np.sqrt(variance / np.maximum(effective, 1.0))


def sampled_curve(rate: FloatArray, viscosity: FloatArray) -> FlowCurve:
    """The curve of a law, exact at shear rates (b,) that rise."""
    shares = np.full(len(rate), 1 / len(rate))
    count = np.ones(len(rate), np.int64)
    return FlowCurve(rate, viscosity, viscosity, viscosity, shares, count, np.zeros(len(rate)), {})
