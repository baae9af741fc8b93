"""Fields and classes of cells on a section: each cell is one polygon, in its own colour."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PolyCollection
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.kinematics import VelocityGradient
from flowgrad.plot.colours import Colours, colours
from flowgrad.plot.frame import frame, inches, is_wide
from flowgrad.plot.section import Section, section_of
from flowgrad.plot.shown import shown
from flowgrad.plot.ticks import linear, named_ticks

FloatArray = NDArray[np.float64]

# More polygons than this become a picture inside a vector figure.
_RASTERIZE = 2000
# Thickness of the colour bar, its distance to the right and below, in inches.
_BAR, _GAP, _BELOW = 0.09, 0.08, 0.51


def field(gradient: VelocityGradient, name: str, ax: Axes, section: Section | None = None) -> Axes:
    """A quantity, ``velocity`` or ``viscosity`` on a section of its mesh, with a colour bar.

    Vectors and tensors are shown by their magnitude, point values averaged over each polygon's
    vertices; grey has no value. The colours leave out 2 % of the area at each end, where the bar has
    an arrow. Raises OptionError for a gradient without a mesh and for an unknown quantity.
    """
    section = section or section_of(flow_of(gradient).mesh)
    what = shown(gradient, name)
    values = section.values(what.values, what.location)
    chosen = colours(what.scale, values, section.areas)
    polygons = draw_polygons(ax, section)
    polygons.set(array=np.ma.masked_invalid(values), cmap=chosen.map, norm=chosen.norm, edgecolor="face")
    frame(ax, section)
    _colour_bar(ax, polygons, chosen, what.label)
    return ax


def flow_of(gradient: VelocityGradient) -> Flow:
    """The flow of a gradient; OptionError without one."""
    if gradient.flow is None:
        raise OptionError("the gradient was made without a mesh, so there is nothing to draw it on")
    return gradient.flow


def draw_polygons(ax: Axes, section: Section) -> PolyCollection:
    """The section's polygons; lines of their own colour close the seams between neighbours."""
    rasterized = len(section) > _RASTERIZE
    outlines: Any = section.outlines
    polygons = PolyCollection(outlines, linewidths=0.5, joinstyle="round", rasterized=rasterized, snap=False)
    ax.add_collection(polygons, autolim=False)
    return polygons


def _colour_bar(ax: Axes, polygons: PolyCollection, chosen: Colours, label: str) -> None:
    """Below a wide picture, else to its right; fixed to the axes, whatever their aspect makes of them."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    width, height = inches(ax)
    if is_wide(ax):
        place, orientation = (0.0, -_BELOW / height, 1.0, _BAR / height), "horizontal"
    else:
        place, orientation = (1 + _GAP / width, 0.0, _BAR / width, 1.0), "vertical"
    bar = figure.colorbar(
        polygons, cax=ax.inset_axes(place), orientation=orientation, extend=chosen.extend, extendfrac=0.03
    )
    bar.set_label(label)
    bar.outline.set_linewidth(0.4)
    if chosen.ticks:
        bar.set_ticks(list(chosen.ticks), labels=named_ticks(chosen.ticks, "\n" if is_wide(ax) else " "))
    else:
        linear(bar.ax.xaxis if is_wide(ax) else bar.ax.yaxis)
