"""Colours of a quantity: the map that suits its scale, and limits that single cells cannot stretch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Colormap, Normalize
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.plot.axes import number
from flowgrad.plot.style import NO_VALUE
from flowgrad.typing import FloatArray

# Share of the area that the limits leave out at each end, unless its values are near: within this part of the rest.
OUTSIDE, _NEAR = 0.02, 0.1

# A magnitude whose low limit is below this part of the high one is shown from zero.
_FROM_ZERO = 0.2

# Perceptually even; diverging with a light centre; another diverging pair for the flow type, so that
# it is not mistaken for a signed field.
_MAPS = {"magnitude": "viridis", "signed": "RdBu_r", "flow-type": "PuOr_r"}

# What certain values of a scale mean.
TICKS: Mapping[str, Mapping[float, str]]
TICKS = {"flow-type": {-1.0: "rotation", -0.5: "", 0.0: "shear", 0.5: "", 1.0: "extension"}}


@dataclass(frozen=True, eq=False)
class Colours:
    """A colour map with its limits; ``extend`` says at which ends values lie beyond them, ``ticks``
    what certain values mean, ``note`` how much lies beyond the limits and how far, empty where nothing does."""

    map: Colormap
    norm: Normalize
    extend: str
    ticks: Mapping[float, str]
    note: str = ""


def colours(scale: str, values: ArrayLike, weights: ArrayLike, limits: tuple[float, float] | None = None) -> Colours:
    """Colours for values (n,) that stand for the measures ``weights`` (n,).

    ``scale`` is that of the quantity's record: ``magnitude`` runs between the extremes, or the 2nd and the 98th
    percentile where these are outliers, ``signed`` evenly to both sides of zero, ``flow-type`` from −1 to 1.
    ``limits`` (low, high) are taken instead. Raises OptionError for limits that are not finite or do not rise.
    """
    given, measures = np.asarray(values, float), np.asarray(weights, float)
    seen = np.isfinite(given) & (measures > 0)
    given, measures = given[seen], measures[seen]
    low, high = _limits(scale, given, measures) if limits is None else (float(limits[0]), float(limits[1]))
    if limits is not None and not (np.isfinite([low, high]).all() and low < high):
        raise OptionError(f"the limits of the colours are {low:g} and {high:g}: give two numbers that rise")
    map_ = colormaps[_MAPS[scale]].with_extremes(bad=NO_VALUE)
    extend = extend_of(given, low, high)
    note = "" if extend == "neither" else _beyond(given, measures, low, high)
    return Colours(map_, Normalize(low, high), extend, TICKS.get(scale, {}), note)


def _beyond(values: FloatArray, weights: FloatArray, low: float, high: float) -> str:
    """The share of the area beyond the limits, and the extremes there."""
    outside = 100 * float(weights[(values < low) | (values > high)].sum() / weights.sum())
    share = "< 0.1" if outside < 0.1 else f"{outside:.2g}"
    slack = 1e-9 * (high - low)
    ends = [number(values.min())] * bool(values.min() < low - slack)
    ends += [number(values.max())] * bool(values.max() > high + slack)
    return f"{share} % beyond, to {' and '.join(ends)}"


def _limits(scale: str, values: FloatArray, weights: FloatArray) -> tuple[float, float]:
    if scale == "flow-type":
        return -1.0, 1.0
    low, high = robust_limits(values, weights)
    if len(values):
        # The extremes, unless they lie far beyond the percentiles.
        near = _NEAR * (high - low)
        least, most = float(values.min()), float(values.max())
        low, high = (least if low - least <= near else low), (most if most - high <= near else high)
    if scale == "signed":
        high = max(abs(low), abs(high))
        low = -high
    elif 0 <= low < _FROM_ZERO * high:
        low = 0.0
    elif low == high == 0:
        high = 1.0
    return apart(low, high)


def robust_limits(values: FloatArray, weights: FloatArray, outside: float = OUTSIDE) -> tuple[float, float]:
    """Percentiles by measure between which all but ``outside`` at each end lies; the extremes where
    these coincide."""
    if not len(values):
        return 0.0, 1.0
    order = np.argsort(values)
    share = np.cumsum(weights[order]) / weights.sum()
    first, last = np.searchsorted(share, [outside, 1 - outside])
    low, high = values[order[first]], values[order[min(last, len(order) - 1)]]
    if np.isclose(low, high, rtol=1e-6, atol=0):
        low, high = values[order[0]], values[order[-1]]
    return float(low), float(high)


def apart(low: float, high: float) -> tuple[float, float]:
    """The limits, or some around them where they are equal to rounding."""
    if high - low > 1e-6 * max(abs(low), abs(high)):
        return low, high
    half = 0.5 * abs(high) or 0.5
    return low - half, high + half


def extend_of(values: FloatArray, low: float, high: float) -> str:
    """At which ends values (n,) lie beyond limits: ``neither``, ``min``, ``max`` or ``both``."""
    slack = 1e-9 * (high - low)
    below = len(values) > 0 and values.min() < low - slack
    above = len(values) > 0 and values.max() > high + slack
    return {(False, False): "neither", (True, False): "min", (False, True): "max", (True, True): "both"}[below, above]
