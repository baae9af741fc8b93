"""Histograms weighted with the measure of the cells: of one quantity, and of the invariants Q and R."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from flowgrad.flow import Flow
from flowgrad.kinematics import VelocityGradient
from flowgrad.kinematics.on_mesh import measures_at
from flowgrad.plot.axes import NAMED_TICKS, apart, linear, logarithmic, named_ticks, robust_limits
from flowgrad.plot.scalar_field import Result, ScalarField, flow_of, scalar_field
from flowgrad.plot.style import BLUE, VERMILION, figure_of
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
    what = scalar_field(result, name)
    if not isinstance(result, Flow) and (result.flow is None or result.location == what.location):
        weights = result.weights
    else:
        # Of the velocity and of arrays that live elsewhere those of the mesh there.
        weights = measures_at(flow_of(result), what.location)
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
    order = np.argsort(values)
    middle = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    ax.axvline(values[order[middle]], color="0.2", linewidth=0.8, linestyle=(0, (4, 2)), label="median")
    ax.legend(loc="lower left", bbox_to_anchor=(0, 1.01), borderaxespad=0, handlelength=1.4)
    note_outside(ax, 100 - share.sum())
    return ax


def measure(result: Result) -> str:
    """The measure that weights a result: volume, area, length or, without a mesh, samples."""
    flow = result if isinstance(result, Flow) else result.flow
    if flow is not None and flow.mesh.dimension == 2 and flow.is_meridian:
        return _MEASURES[3]
    return _MEASURES.get(flow.mesh.dimension, "samples") if flow else "samples"


def note_empty(ax: Axes) -> Axes:
    """Say that there is nothing to draw, instead of an empty frame."""
    ax.text(0.5, 0.5, "no values", transform=ax.transAxes, ha="center", va="center", color="0.4")
    ax.set(xticks=[], yticks=[])
    return ax


def _edges(what: ScalarField, values: FloatArray, weights: FloatArray) -> FloatArray:
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


def _axis(ax: Axes, what: ScalarField, edges: FloatArray) -> None:
    """Names of certain values; a logarithmic axis for logarithmic bins."""
    named = NAMED_TICKS.get(what.scale)
    ax.set_xlim(edges[0], edges[-1])
    if named:
        ax.set_xticks(list(named), named_ticks(named, "\n"))
    elif edges[-1] - edges[-2] > 1.01 * (edges[1] - edges[0]):
        logarithmic(ax.xaxis, edges[0], edges[-1])
    else:
        linear(ax.xaxis)


def note_outside(ax: Axes, outside: float) -> None:
    """Percent of the measure outside the axes, as text in the corner."""
    if outside > 5e-3:
        text = f"{outside:.2g} % outside"
        ax.text(1, 1.03, text, transform=ax.transAxes, ha="right", va="bottom", color="0.4", size=7)


# Squares along each side, fewer for few samples, and the share of the measure left out at each end of an axis.
_SQUARES, _LEFT_OUT = (16, 90), 0.005
# So few samples are drawn one by one.
_POINTS = 400


def invariants(gradient: VelocityGradient, ax: Axes) -> Axes:
    """Joint distribution of the invariants R and Q: the share of the volume (area, samples) by squares, on a
    logarithmic scale, or the samples themselves where they are few, and the curve 27R²/4 + Q³ = 0.

    Above the curve the eigenvalues of a divergence-free L are complex: the fluid turns (Chong, Perry & Cantwell
    1990, Phys. Fluids A 2, 765). What lies outside the axes is counted in the corner.
    """
    q, r = scalar_field(gradient, "q_criterion"), scalar_field(gradient, "invariant_r")
    ax.set(xlabel=r.label, ylabel=q.label)
    seen = np.isfinite(q.values) & np.isfinite(r.values) & (gradient.weights > 0)
    if not seen.any():
        return note_empty(ax)
    weights = gradient.weights[seen] / gradient.weights[seen].sum()
    limits = [apart(*robust_limits(each.values[seen], weights, _LEFT_OUT)) for each in (r, q)]
    across, up = (1.1 * max(abs(low), abs(high)) for low, high in limits)
    # R is of the size of |Q|^(3/2), unless all of it is rounding, as in plane flow.
    across = max(across, 1e-3 * up**1.5)
    if seen.sum() <= _POINTS:
        ax.plot(r.values[seen], q.values[seen], "o", ms=2, color="0.45", mew=0)
    else:
        _draw_density(ax, r.values[seen], q.values[seen], weights, (across, up), measure(gradient))
    _draw_curve(ax, across, up)
    ax.set(xlim=(-across, across), ylim=(-up, up))
    linear(ax.xaxis, 5)
    linear(ax.yaxis, 5)
    beyond = (np.abs(r.values[seen]) > across) | (np.abs(q.values[seen]) > up)
    note_outside(ax, 100 * float(weights[beyond].sum()))
    return ax


def _draw_density(
    ax: Axes, r: FloatArray, q: FloatArray, weights: FloatArray, half: tuple[float, float], what: str
) -> None:
    count = int(np.clip(np.sqrt(len(r)) / 2, *_SQUARES)) // 2 * 2 + 1
    edges = [np.linspace(-each, each, count + 1) for each in half]
    share, _, _ = np.histogram2d(r, q, edges, weights=100 * weights)
    filled = np.ma.masked_less_equal(share.T, 0)
    if not filled.count():
        return
    norm = LogNorm(max(float(filled.min()), 1e-5 * float(filled.max())), float(filled.max()) * (1 + 1e-9))
    drawn = ax.pcolormesh(*edges, filled, norm=norm, cmap=colormaps["viridis"], rasterized=True)
    bar = figure_of(ax).colorbar(drawn, ax=ax, fraction=0.05, pad=0.03)
    bar.set_label(f"share of the {what} [%]")
    bar.outline.set_linewidth(0.4)


def _draw_curve(ax: Axes, across: float, up: float) -> None:
    """Q = −(27R²/4)^(1/3), and R = 0 above it."""
    reach = min(across, np.sqrt(4 / 27 * up**3))
    r = reach * np.sin(np.linspace(-np.pi / 2, np.pi / 2, 201)) ** 3
    text = r"$27R^2/4 + Q^3 = 0$"
    ax.plot(r, -np.cbrt(27 / 4 * r**2), color=VERMILION, lw=1.0, label=text, zorder=3)
    ax.axvline(0, color="0.5", lw=0.5, zorder=2.5)
    ax.axhline(0, color="0.5", lw=0.5, zorder=2.5)
    ax.legend(loc="lower left", bbox_to_anchor=(0.13, 1.01), borderaxespad=0, handlelength=1.4)
