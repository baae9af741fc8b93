"""A scalar field as contours with arrows of its gradient, which is normal to them."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.tri import Triangulation

from flowgrad.plot.colours import Colours, colours
from flowgrad.plot.contours import levels_of, levels_within
from flowgrad.plot.cutting import section_of
from flowgrad.plot.field import colour_bar, draw_polygons
from flowgrad.plot.frame import frame, is_wide
from flowgrad.plot.section import Section
from flowgrad.plot.shown import Drawn, mesh_of, shown
from flowgrad.plot.style import NO_VALUE
from flowgrad.plot.thinning import spacing_of, square_numbers
from flowgrad.plot.triangles import areas_of, triangles_of
from flowgrad.plot.vectors import draw_arrows
from flowgrad.typing import FloatArray, IntArray

# Squares filled less than this part of the fullest have no arrow.
_FILLED = 0.2


def gradient_arrows(
    result: Drawn,
    name: str,
    ax: Axes,
    section: Section | None = None,
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
    what = shown(result, name)
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
        levels = levels_of(values[np.unique(triangles[known])]) if limits is None else levels_within(*limits)
        _fill(ax, places, values, triangles[known], chosen, levels)
        _mark(ax, chosen, levels)
        unit = what.label[what.label.rindex("[") :]
        _arrows(ax, section, places, values, triangles[known], count, f"# {unit} per [L]")
    return ax


def _fill(
    ax: Axes, places: FloatArray, values: FloatArray, triangles: IntArray, chosen: Colours, levels: FloatArray
) -> None:
    drawn = Triangulation(places[:, 0], places[:, 1], triangles)
    filled = np.where(np.isfinite(values), values, 0.0)
    ax.tricontourf(drawn, filled, levels, cmap=chosen.map, norm=chosen.norm, extend="both")
    ax.tricontour(drawn, filled, levels, colors="0.25", linewidths=0.4)


def _mark(ax: Axes, chosen: Colours, levels: FloatArray) -> None:
    """The levels on the colour bar."""
    bar = ax.child_axes[-1]
    assert isinstance(bar, Axes)
    line = bar.axvline if is_wide(ax) else bar.axhline
    low, high = chosen.norm.vmin or 0.0, chosen.norm.vmax or 0.0
    for level in levels[(levels > low) & (levels < high)]:
        line(level, color="0.25", linewidth=0.4)


def _arrows(
    ax: Axes, section: Section, places: FloatArray, values: FloatArray, triangles: IntArray, count: int, text: str
) -> None:
    """Gradients of the triangles, averaged by area over squares of the page, at the mean places there."""
    a, b, c = (places[triangles[:, k]] for k in range(3))
    (x1, y1), (x2, y2) = (b - a).T, (c - a).T
    first, second = (values[triangles[:, k]] - values[triangles[:, 0]] for k in (1, 2))
    twice = x1 * y2 - x2 * y1
    # Twice the area times the gradient, so that flat triangles add nothing.
    slopes = np.column_stack([y2 * first - y1 * second, x1 * second - x2 * first]) * np.sign(twice)[:, None]
    middles = (a + b + c) / 3
    square = square_numbers(section, middles, count)
    area = np.bincount(square, np.abs(twice))
    kept = area > _FILLED * area.max()
    sums = [np.bincount(square, each) for each in (*slopes.T, *(middles * np.abs(twice)[:, None]).T)]
    means = np.column_stack(sums)[kept] / area[kept, None]
    draw_arrows(ax, means[:, 2:], means[:, :2], spacing_of(section, count), text)
