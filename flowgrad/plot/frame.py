"""The frame of a picture of a section: equal scales, room for long thin domains, named axes."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from flowgrad.plot.section import Section
from flowgrad.plot.style import TWO_COLUMN
from flowgrad.plot.ticks import linear

# Beyond this ratio of its sides a section is drawn as if it had the second one, and the axis says so.
_SLENDER, _SHOWN = 30.0, 12.0
# Beyond this ratio of width to height the colour bar lies below.
_WIDE = 1.6
# Share of the figure's width that labels and a colour bar take, and the largest height.
_MARGINS, _TALLEST = 0.8, 0.9
# Least distances of ticks in inches.
_DISTANCES = (0.6, 0.25)


def size_for(section: Section, width: float = TWO_COLUMN) -> tuple[float, float]:
    """Size in inches of a figure for a section, at most as wide as asked for."""
    ratio = _shown_ratio(section)
    inner = width - _MARGINS
    height = min(inner / ratio, _TALLEST * inner)
    return height * ratio + _MARGINS, height + _MARGINS


def frame(ax: Axes, section: Section) -> None:
    """Limits, equal scales and names of the axes, and the outline of the section."""
    low, high = section.bounds
    margins = np.where(high > low, 0.01 * (high - low), 0.5)
    ax.set(xlim=(low[0] - margins[0], high[0] + margins[0]), ylim=(low[1] - margins[1], high[1] + margins[1]))
    ax.set_aspect(stretch(section), adjustable="box")
    ax.apply_aspect()
    ax.spines[:].set_visible(False)
    for axis, label, count in zip((ax.xaxis, ax.yaxis), _labels(section), _tick_counts(ax), strict=True):
        axis.set_label_text(label)
        linear(axis, count)
    lines = LineCollection(list(section.outline), colors="0.45", linewidths=0.5, capstyle="round", snap=False)
    ax.add_collection(lines, autolim=False)


def is_wide(ax: Axes) -> bool:
    """Whether the axes, as they are drawn, are much wider than high."""
    width, height = inches(ax)
    return width > _WIDE * height


def inches(ax: Axes) -> tuple[float, float]:
    """Width and height of the axes as they are drawn."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    box = ax.get_window_extent()
    return box.width / figure.dpi, box.height / figure.dpi


def _labels(section: Section) -> list[str]:
    """Names of the axes; the longer one says when the other is not to its scale."""
    first, second = section.plane.names
    labels = [f"{first} [L]", f"{second} [L]"]
    factor = stretch(section)
    if factor > 1:
        labels[0] += f"  ({second} is stretched {float(f'{factor:.2g}'):g} times)"
    elif factor < 1:
        labels[1] += f"  ({first} is stretched {float(f'{1 / factor:.2g}'):g} times)"
    return labels


def _tick_counts(ax: Axes) -> list[int]:
    return [min(max(int(inch / least), 1), 8) for inch, least in zip(inches(ax), _DISTANCES, strict=True)]


def stretch(section: Section) -> float:
    """Length of a unit of the second axis over that of the first: 1 but for very slender sections."""
    width, height = section.spans
    if not width or not height or 1 / _SLENDER <= width / height <= _SLENDER:
        return 1.0
    return float(width / height / (_SHOWN if width > height else 1 / _SHOWN))


def _shown_ratio(section: Section) -> float:
    width, height = section.spans
    return float(width / height / stretch(section)) if width and height else 1.0
