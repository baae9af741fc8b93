"""Homogeneity of a fluid: whether its viscosity at equal shear rates is the same from place to place."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowgrad.momentum.cross_validation import bisected
from flowgrad.rheology.flow_curve import FlowCurve
from flowgrad.typing import BoolArray, FloatArray

# The flow is halved so many times at most, into parts of so many samples at least; more samples tell no more.
_BISECTIONS = 6
_SAMPLES = 40
_ENOUGH = 50_000
# In a part samples of so many at least have rates of one bin.
_FEWEST = 8
# A group's own scatter counts as that of so many samples less.
_PRIOR = 10
# Probability of a difference by chance alone, among all that are looked at.
_CHANCE = 1e-4
_MEDIAN_ERROR = 1.2533


def departure(curve: FlowCurve, rate: FloatArray, viscosity: FloatArray) -> FloatArray:
    """Log of the viscosity over the flow curve's at the same rate (n,), NaN where it is not positive; the curve goes on
    as a power law beyond its ends."""
    with np.errstate(invalid="ignore", divide="ignore"):
        x, y = np.log(rate), np.log(viscosity)
    nodes, medians = np.log(curve.rate), np.log(curve.viscosity)
    expected = np.interp(x, nodes, medians)
    if len(curve) > 1:
        for beyond, end, slope in (
            (x < nodes[0], 0, (medians[1] - medians[0]) / (nodes[1] - nodes[0])),
            (x > nodes[-1], -1, (medians[-1] - medians[-2]) / (nodes[-1] - nodes[-2])),
        ):
            expected = np.where(beyond, medians[end] + slope * (x - nodes[end]), expected)
    return np.asarray(np.where(np.isfinite(x) & np.isfinite(y), y - expected, np.nan))


def certain_difference(
    curve: FlowCurve, viscosity: FloatArray, rate: FloatArray, places: FloatArray, usable: BoolArray
) -> float:
    """By how much log η certainly differs from one part of the flow to another at equal shear rates.

    The samples (n,) that are ``usable`` are grouped by the bins of the curve and by parts of the flow, halves of halves
    of the ``places`` (n, 3). Groups of one bin are compared by their medians, each as uncertain as its scatter and the
    error of its bin's shear rate make it; the probability of a difference by chance is shared among all pairs, as
    Bonferroni does.
    Of η itself and of η over the curve, which rates that differ within a bin move apart, the lesser difference counts.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        both = np.stack([np.log(viscosity), departure(curve, rate, viscosity)], axis=-1)
    chosen = np.flatnonzero(usable & np.isfinite(both).all(axis=-1))
    if len(chosen) > _ENOUGH:
        chosen = np.sort(np.random.default_rng(0).choice(chosen, _ENOUGH, replace=False))
    times = min(_BISECTIONS, int(np.log2(max(len(chosen) / _SAMPLES, 1))))
    if not times or len(curve) < 2:
        return 0.0
    parts = bisected(places[chosen], times)
    bins = np.digitize(np.log(rate[chosen]), np.log(curve.rate[1:] * curve.rate[:-1]) / 2)
    key = bins * (parts.max() + 1) + parts
    order = np.argsort(key, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(key[order])) + 1)
    groups = [group for group in groups if len(group) >= _FEWEST]
    if not groups:
        return 0.0
    values = [both[chosen[group]] for group in groups]
    return _largest_beyond_chance(values, np.array([bins[group[0]] for group in groups]), curve)


def _largest_beyond_chance(values: list[FloatArray], bins: NDArray[np.int64], curve: FlowCurve) -> float:
    """The largest difference of the medians of two groups of one bin, less what chance and the rates' errors make."""
    counts = np.array([len(each) for each in values])
    medians = np.array([np.median(each, axis=0) for each in values])
    variances = np.array(
        [np.mean((each - median) ** 2, axis=0)[1] for each, median in zip(values, medians, strict=True)]
    )
    pooled = float(np.sum(counts * variances) / np.sum(counts))
    variances = (counts * variances + _PRIOR * pooled) / (counts + _PRIOR)
    errors = _MEDIAN_ERROR * np.sqrt(variances / counts)
    shifts = np.zeros(len(curve)) if curve.rate_error is None else curve.rate_error
    each_bin = [np.flatnonzero(bins == number) for number in np.unique(bins)]
    pairs = sum(len(groups) * (len(groups) - 1) // 2 for groups in each_bin)
    if not pairs:
        return 0.0
    # Of a normal distribution, by Mill's bound.
    quantile = float(np.sqrt(2 * np.log(pairs / _CHANCE)))
    largest = 0.0
    for groups in each_bin:
        eta, over_curve = (np.subtract.outer(each, each) for each in medians[groups].T)
        apart = np.where(eta * over_curve > 0, np.minimum(np.abs(eta), np.abs(over_curve)), 0.0)
        apart -= quantile * np.hypot.outer(errors[groups], errors[groups]) + 2 * shifts[bins[groups[0]]]
        largest = max(largest, float(apart.max()))
    return largest
