"""The map of the invariants Q and R of the velocity gradient, with the curve where its eigenvalues become complex."""

from __future__ import annotations

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from flowgrad.kinematics import VelocityGradient
from flowgrad.plot.colours import apart, robust_limits
from flowgrad.plot.distribution import measure, note_empty, note_outside
from flowgrad.plot.shown import shown
from flowgrad.plot.style import VERMILION, figure_of
from flowgrad.plot.ticks import linear
from flowgrad.typing import FloatArray

# Squares along each side, fewer for few samples, and the share of the measure left out at each end of an axis.
_SQUARES, _OUTSIDE = (16, 90), 0.005
# So few samples are drawn one by one.
_POINTS = 400


def invariants(gradient: VelocityGradient, ax: Axes) -> Axes:
    """Where the flow lies in the plane of R and Q: its share of the volume (area, samples) by squares, on a
    logarithmic scale, or its samples where they are few, and 27R²/4 + Q³ = 0.

    Above the curve the eigenvalues of a divergence-free L are complex: the fluid turns (Chong, Perry & Cantwell
    1990, Phys. Fluids A 2, 765). What lies outside the axes is counted in the corner.
    """
    q, r = shown(gradient, "q_criterion"), shown(gradient, "invariant_r")
    ax.set(xlabel=r.label, ylabel=q.label)
    seen = np.isfinite(q.values) & np.isfinite(r.values) & (gradient.weights > 0)
    if not seen.any():
        return note_empty(ax)
    weights = gradient.weights[seen] / gradient.weights[seen].sum()
    across, up = _window(r.values[seen], weights), _window(q.values[seen], weights)
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


def _window(values: FloatArray, weights: FloatArray) -> float:
    """Half the width of an axis that is even about zero."""
    low, high = apart(*robust_limits(values, weights, _OUTSIDE))
    return 1.1 * max(abs(low), abs(high))


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
