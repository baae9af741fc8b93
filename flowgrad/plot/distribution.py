"""How much of the flow has which value: histograms weighted with the measure of the cells."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes

from flowgrad.flow import Flow
from flowgrad.kinematics.velocity_gradient import measures_at
from flowgrad.plot.colours import TICKS, apart, robust_limits
from flowgrad.plot.shown import Result, Shown, flow_of, shown
from flowgrad.plot.style import BLUE
from flowgrad.plot.ticks import linear, logarithmic, named_ticks
from flowgrad.typing import FloatArray

# Bins: an odd number, so that zero has its own, and fewer for few samples.
_BINS = (9, 61)
# Share of the measure left out at each end of the axis; the text says how much that is.
_OUTSIDE = 0.002
# Magnitudes that span more than this factor get a logarithmic axis, over at most so many decades.
_LOGARITHMIC, _DECADES = 20.0, 4.0
_MEASURES = {1: "length", 2: "area", 3: "volume"}


def distribution(result: Result, name: str, ax: Axes) -> Axes:
    """Share of the volume (area, samples) in each interval of what ``field`` draws too.

    Magnitudes that span decades have a logarithmic axis; what lies outside the axis, zeros among
    it, is counted in the corner. Raises OptionError for an unknown quantity.
    """
    what = shown(result, name)
    weights = _weights(result, what)
    seen = np.isfinite(what.values) & (weights > 0)
    values, weights = what.values[seen], weights[seen]
    ax.set_xlabel(what.label)
    ax.set_ylabel(f"share of the {measure(result)} [%]")
    if not len(values):
        return note_empty(ax)
    edges = _edges(what, values, weights)
    share, _ = np.histogram(values, edges, weights=100 * weights / weights.sum())
    ax.stairs(share, edges, fill=True, color=BLUE, alpha=0.75)
    ax.set_ylim(0, 1.08 * share.max())
    linear(ax.yaxis, 5)
    _axis(ax, what, edges)
    _mark_median(ax, values, weights)
    note_outside(ax, 100 - share.sum())
    return ax


def _weights(result: Result, what: Shown) -> FloatArray:
    """The gradient's; of the velocity and of arrays that live elsewhere those of the mesh there."""
    if not isinstance(result, Flow) and (result.flow is None or result.location == what.location):
        return result.weights
    return measures_at(flow_of(result), what.location)


def measure(result: Result) -> str:
    """What the weights of a result measure: volume, area, length or, without a mesh, samples."""
    flow = result if isinstance(result, Flow) else result.flow
    if flow is not None and flow.mesh.dimension == 2 and flow.is_meridian:
        return _MEASURES[3]
    return _MEASURES.get(flow.mesh.dimension, "samples") if flow else "samples"


def note_empty(ax: Axes) -> Axes:
    """Say that there is nothing to draw, instead of an empty frame."""
    ax.text(0.5, 0.5, "no values", transform=ax.transAxes, ha="center", va="center", color="0.4")
    ax.set(xticks=[], yticks=[])
    return ax


def _edges(what: Shown, values: FloatArray, weights: FloatArray) -> FloatArray:
    count = int(np.clip(1.5 * np.sqrt(len(values)), *_BINS)) // 2 * 2 + 2
    if what.scale == "flow-type":
        return np.linspace(-1, 1, count)
    positive = values > 0
    if what.scale == "magnitude" and what.name != "velocity" and positive.any():
        low, high = robust_limits(values[positive], weights[positive], _OUTSIDE)
        low = values[values >= max(low, high / 10**_DECADES)].min()
        if high > _LOGARITHMIC * low:
            return np.geomspace(low, values.max(), count)
    return np.linspace(*apart(*robust_limits(values, weights, _OUTSIDE)), count)


def _axis(ax: Axes, what: Shown, edges: FloatArray) -> None:
    """Names of certain values; a logarithmic axis for logarithmic bins."""
    named = TICKS.get(what.scale)
    ax.set_xlim(edges[0], edges[-1])
    if named:
        ax.set_xticks(list(named), named_ticks(named, "\n"))
    elif edges[-1] - edges[-2] > 1.01 * (edges[1] - edges[0]):
        logarithmic(ax.xaxis, edges[0], edges[-1])
    else:
        linear(ax.xaxis)


def _mark_median(ax: Axes, values: FloatArray, weights: FloatArray) -> None:
    order = np.argsort(values)
    middle = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    ax.axvline(values[order[middle]], color="0.2", linewidth=0.8, linestyle=(0, (4, 2)), label="median")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.01), borderaxespad=0, handlelength=1.4)


def note_outside(ax: Axes, outside: float) -> None:
    """How many percent lie outside the axes, in the corner."""
    if outside > 5e-3:
        text = f"{outside:.2g} % outside"
        ax.text(1, 1.03, text, transform=ax.transAxes, ha="right", va="bottom", color="0.4", size=7)
