"""Contours of a scalar, of a function or on a slice, with arrows of its gradient, which is normal to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator
from matplotlib.tri import Triangulation

from flowgrad.plot.axes import Colours, colours, extend_of, frame, is_wide, linear, robust_limits, stretch
from flowgrad.plot.cut import section_of
from flowgrad.plot.field import colour_bar, draw_arrows, draw_polygons, spacing_of
from flowgrad.plot.scalar_field import Drawn, mesh_of, scalar_field
from flowgrad.plot.slice import Slice, areas_of, triangles_of
from flowgrad.plot.style import NO_VALUE, VERMILION, figure_of
from flowgrad.typing import FloatArray, IntArray

_LEVELS = 12
# Arrows along the longer side.
_ARROWS = 15
# Names so long are not repeated beside the reference arrow.
_SHORT = 8
# Sides that differ by more than this factor are not drawn to one scale.
_SLENDER = 2.5


@dataclass(frozen=True, eq=False)
class Landscape:
    """Values (n, m) of a function at ``x`` (m,) and ``y`` (n,), and its gradients (k, 2) at ``places`` (k, 2).

    ``point`` (2,) is to be marked; ``names`` are those of the axes and of the function.
    """

    x: FloatArray
    y: FloatArray
    values: FloatArray
    places: FloatArray
    gradients: FloatArray
    names: tuple[str, str, str] = ("x", "y", "f")
    point: FloatArray | None = None


def contours(landscape: Landscape, ax: Axes) -> Axes:
    """Filled contours with a colour bar, arrows of the gradient, and the marked point.

    The colours leave out 2 % of the values at each end; where there is no value it is grey.
    """
    values = np.ma.masked_invalid(landscape.values)
    x, y = landscape.x, landscape.y
    ax.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), xlabel=landscape.names[0], ylabel=landscape.names[1])
    ax.set_facecolor(NO_VALUE)
    if max(x[-1] - x[0], y[-1] - y[0]) <= _SLENDER * min(x[-1] - x[0], y[-1] - y[0]):
        ax.set_aspect("equal", adjustable="box")
    linear(ax.xaxis)
    linear(ax.yaxis)
    if values.count():
        _fill(landscape, values, ax)
    known = np.isfinite(landscape.gradients).all(axis=1)
    across = len(np.unique(landscape.places[:, 0]))
    length = float(landscape.x[-1] - landscape.x[0]) / max(across, 1)
    name = landscape.names[2] if len(landscape.names[2]) < _SHORT else ""
    draw_arrows(ax, landscape.places[known], landscape.gradients[known], length, f"|∇{name}| = #")
    if landscape.point is not None:
        ax.plot(*landscape.point, "o", color=VERMILION, markeredgecolor="white", markeredgewidth=0.6, markersize=5)
    return ax


def nodes(window: Sequence[tuple[float, float]]) -> FloatArray:
    """Places of arrows (k, 2), the middles of squares on the page, for the (low, high) of x and y."""
    spans = np.array([high - low for low, high in window])
    sides = spans if spans.max() <= _SLENDER * spans.min() else np.ones(2)
    counts = np.maximum(np.round(_ARROWS * sides / sides.max()), 3).astype(int)
    axes = [low + (high - low) * (np.arange(n) + 0.5) / n for (low, high), n in zip(window, counts, strict=True)]
    return np.stack(np.meshgrid(*axes), -1).reshape(-1, 2)


def _fill(landscape: Landscape, values: np.ma.MaskedArray, ax: Axes) -> None:
    signed = bool(values.min() < 0 < values.max())
    chosen = colours("signed" if signed else "magnitude", values.filled(np.nan).ravel(), np.ones(values.size))
    levels = _levels(values.compressed())
    extend = extend_of(values.compressed(), float(levels[0]), float(levels[-1]))
    filled = ax.contourf(landscape.x, landscape.y, values, levels, cmap=chosen.map, norm=chosen.norm, extend=extend)
    ax.contour(landscape.x, landscape.y, values, levels, colors="0.25", linewidths=0.4)
    bar = figure_of(ax).colorbar(filled, ax=ax, fraction=0.05, pad=0.03, spacing="proportional")
    bar.set_label(landscape.names[2])
    bar.outline.set_linewidth(0.4)
    linear(bar.ax.yaxis)


def _levels(known: FloatArray, limits: tuple[float, float] | None = None) -> FloatArray:
    """Round numbers over all but 2 % of the values (n,) at each end, or between ``limits`` and these two; about one
    where all are the same."""
    low, high = limits or robust_limits(known, np.ones(known.size))
    if not high > low:
        low, high = low - 1, low + 1
    levels = np.asarray(MaxNLocator(_LEVELS, steps=(1, 2, 2.5, 5, 10)).tick_values(low, high))
    return levels if limits is None else np.concatenate([[low], levels[(levels > low) & (levels < high)], [high]])


# Squares filled less than this part of the fullest have no arrow.
_FILLED = 0.2


def gradient_arrows(
    result: Drawn,
    name: str,
    ax: Axes,
    section: Slice | None = None,
    count: int = 16,
    *,
    limits: tuple[float, float] | None = None,
) -> Axes:
    """A quantity, as ``field`` takes it, as filled contours, whose levels are marked on the colour bar, and arrows of
    its in-plane gradient at about ``count`` places along the longer side: means over squares of the page.

    Values go linearly from vertex to vertex, and those of cells are first averaged to the vertices by area. Arrows
    have the length of the squares at the 98th percentile, and none is longer; above the axes is one for a round
    number. Colours and levels lie within the ``limits``; grey has no value. Raises OptionError for a result without
    a mesh and for an unknown quantity.
    """
    section = section or section_of(mesh_of(result))
    what = scalar_field(result, name)
    frame(ax, section)
    at_vertices = section.vertex_means(what.values, what.location)
    places, values, triangles, _ = triangles_of(section, at_vertices)
    known = np.isfinite(values[triangles]).all(axis=1)
    chosen = colours(what.scale, values, areas_of(places, triangles), limits)
    missing = np.flatnonzero(np.isnan(section.means(at_vertices)))
    if len(missing):
        draw_polygons(ax, section.take(missing).outlines).set(facecolor=NO_VALUE, edgecolor=NO_VALUE)
    colour_bar(ax, chosen, what.label)
    if known.any():
        levels = _levels(values[np.unique(triangles[known])], limits)
        drawn = Triangulation(places[:, 0], places[:, 1], triangles[known])
        filled = np.where(np.isfinite(values), values, 0.0)
        ax.tricontourf(drawn, filled, levels, cmap=chosen.map, norm=chosen.norm, extend="both")
        ax.tricontour(drawn, filled, levels, colors="0.25", linewidths=0.4)
        _mark_levels(ax, chosen, levels)
        unit = what.label[what.label.rindex("[") :]
        _mean_gradients(ax, section, places, values, triangles[known], count, f"# {unit} per [L]")
    return ax


def _mark_levels(ax: Axes, chosen: Colours, levels: FloatArray) -> None:
    """Lines on the colour bar at the levels."""
    bar = ax.child_axes[-1]
    assert isinstance(bar, Axes)
    line = bar.axvline if is_wide(ax) else bar.axhline
    low, high = chosen.norm.vmin or 0.0, chosen.norm.vmax or 0.0
    for level in levels[(levels > low) & (levels < high)]:
        line(level, color="0.25", linewidth=0.4)


def _mean_gradients(
    ax: Axes, section: Slice, places: FloatArray, values: FloatArray, triangles: IntArray, count: int, text: str
) -> None:
    """Gradients of the triangles, averaged by area over squares of the page, at the mean places there."""
    a, b, c = (places[triangles[:, k]] for k in range(3))
    (x1, y1), (x2, y2) = (b - a).T, (c - a).T
    first, second = (values[triangles[:, k]] - values[triangles[:, 0]] for k in (1, 2))
    twice = x1 * y2 - x2 * y1
    # Twice the area times the gradient, so that flat triangles add nothing.
    slopes = np.column_stack([y2 * first - y1 * second, x1 * second - x2 * first]) * np.sign(twice)[:, None]
    middles = (a + b + c) / 3
    page = (middles - section.bounds[0]) * np.array([1, stretch(section)])
    i, j = np.floor(page / spacing_of(section, count)).astype(np.int64).T
    square = np.unique(i * (j.max(initial=0) + 2) + j, return_inverse=True)[1].ravel()
    area = np.bincount(square, np.abs(twice))
    kept = area > _FILLED * area.max()
    sums = [np.bincount(square, each) for each in (*slopes.T, *(middles * np.abs(twice)[:, None]).T)]
    means = np.column_stack(sums)[kept] / area[kept, None]
    draw_arrows(ax, means[:, 2:], means[:, :2], spacing_of(section, count), text)
