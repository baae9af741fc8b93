"""The labels of a separation on a section: which part of the flow shows what."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from flowgrad.errors import OptionError
from flowgrad.plot.field import draw_polygons, flow_of
from flowgrad.plot.frame import frame, inches, is_wide
from flowgrad.plot.section import Section, section_of
from flowgrad.plot.style import BLUE, GREEN, NO_VALUE, PURPLE, VERMILION
from flowgrad.rheology import LABELS, Separation

_COLOURS = dict(zip(LABELS, (NO_VALUE, GREEN, BLUE, VERMILION, PURPLE), strict=True))
# Distance of a legend below the axes, in inches.
_BELOW = 0.42


def labels(separation: Separation, ax: Axes, section: Section | None = None) -> Axes:
    """The label of each cell on a section of its mesh, with a legend of their shares of the dissipation.

    A polygon of point labels has that of its first vertex's nearer end. Raises OptionError for a
    separation without a mesh, and where neither stress nor viscosity is known.
    """
    gradient = separation.gradient
    section = section or section_of(flow_of(gradient).mesh)
    codes = separation.label[_representatives(section, gradient.location or "cells")]
    polygons = draw_polygons(ax, section)
    polygons.set(facecolor=[_COLOURS[LABELS[code]] for code in codes], edgecolor="face")
    frame(ax, section)
    _legend(ax, separation)
    return ax


def _representatives(section: Section, location: str) -> np.ndarray:
    """A cell or a point for each polygon: classes cannot be averaged."""
    if location == "positions":
        raise OptionError("labels at positions cannot be drawn on a section: take the gradient at points or cells")
    if location == "cells":
        return section.cells
    first = section.offsets[:-1]
    return np.where(section.shares[first] < 0.5, section.ends[first, 0], section.ends[first, 1])


def _percent(share: float) -> str:
    return "< 0.01 %" if 0 < share < 1e-4 else f"{100 * share:.3g} %"


def _legend(ax: Axes, separation: Separation) -> None:
    present = {LABELS[code] for code in np.unique(separation.label)}
    shares = {name: share for name, share in separation.shares.items() if name in present}
    handles = [
        Patch(facecolor=_COLOURS[name], edgecolor="0.45", linewidth=0.4, label=f"{name}: {_percent(share)}")
        for name, share in shares.items()
    ]
    width, height = inches(ax)
    wide = is_wide(ax)
    ax.legend(
        handles=handles,
        title="share of the dissipation",
        title_fontsize=7,
        alignment="left",
        ncols=max(1, int(width / 1.2)) if wide else 1,
        loc="upper left",
        bbox_to_anchor=(0, -_BELOW / height) if wide else (1 + 0.05 / width, 1),
        borderaxespad=0,
        handlelength=1.2,
    )
