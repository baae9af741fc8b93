"""The labels and the regions of a separation on a section: which part of the flow shows what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Patch

from flowgrad.errors import OptionError
from flowgrad.plot.field import draw_polygons, flow_of
from flowgrad.plot.frame import frame, inches, is_wide
from flowgrad.plot.section import Section, section_of
from flowgrad.plot.style import BLUE, GREEN, NO_VALUE, PURPLE, VERMILION
from flowgrad.rheology import LABELS, REGIONS, Separation

_COLOURS = dict(zip(LABELS, (NO_VALUE, GREEN, BLUE, VERMILION, PURPLE), strict=True))
_REGION_COLOURS = dict(zip(REGIONS, (NO_VALUE, PURPLE, BLUE, GREEN, VERMILION), strict=True))
# Distance of a legend below the axes, in inches.
_BELOW = 0.42


def labels(separation: Separation, ax: Axes, section: Section | None = None) -> Axes:
    """The label of each cell on a section of its mesh, with a legend of their shares of the dissipation.

    A polygon of point labels has that of its first vertex's nearer end. Raises OptionError for a
    separation without a mesh, and where neither stress nor viscosity is known.
    """
    return _draw(
        separation, ax, section, _Classes(separation.label, LABELS, _COLOURS, separation.shares, "dissipation")
    )


def regions(separation: Separation, ax: Axes, section: Section | None = None) -> Axes:
    """The region of each cell (plug, plateaus, sheared) on a section, with a legend of their shares of the volume.

    As ``labels`` otherwise.
    """
    shares = {name: volume for name, (volume, _) in separation.region_shares.items()}
    return _draw(separation, ax, section, _Classes(separation.region, REGIONS, _REGION_COLOURS, shares, "volume"))


@dataclass(frozen=True, eq=False)
class _Classes:
    """Codes (n,) of named classes, their colours and their shares of something."""

    codes: np.ndarray
    names: tuple[str, ...]
    colours: Mapping[str, str]
    shares: Mapping[str, float]
    of: str


def _draw(separation: Separation, ax: Axes, section: Section | None, classes: _Classes) -> Axes:
    gradient = separation.gradient
    section = section or section_of(flow_of(gradient).mesh)
    codes = classes.codes[_representatives(section, gradient.location or "cells")]
    polygons = draw_polygons(ax, section)
    polygons.set(facecolor=[classes.colours[classes.names[code]] for code in codes], edgecolor="face")
    frame(ax, section)
    _legend(ax, classes)
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


def _legend(ax: Axes, classes: _Classes) -> None:
    present = {classes.names[code] for code in np.unique(classes.codes)}
    shares = {name: share for name, share in classes.shares.items() if name in present}
    handles = [
        Patch(facecolor=classes.colours[name], edgecolor="0.45", linewidth=0.4, label=f"{name}: {_percent(share)}")
        for name, share in shares.items()
    ]
    width, height = inches(ax)
    wide = is_wide(ax)
    ax.legend(
        handles=handles,
        title=f"share of the {classes.of}",
        title_fontsize=7,
        alignment="left",
        ncols=max(1, int(width / 1.2)) if wide else 1,
        loc="upper left",
        bbox_to_anchor=(0, -_BELOW / height) if wide else (1 + 0.05 / width, 1),
        borderaxespad=0,
        handlelength=1.2,
    )
