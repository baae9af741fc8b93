"""The frame of a picture of a section: equal scales, room for long thin domains, named axes."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection

from flowgrad.plot.section import Section
from flowgrad.plot.style import TWO_COLUMN, figure_of
from flowgrad.plot.ticks import linear

# Beyond this ratio of its sides a section is drawn as if it had the second one, and the axis says so.
_SLENDER, _SHOWN = 30.0, 12.0
# Beyond this ratio of width to height the colour bar lies below.
_WIDE = 1.6
# Share of the figure's width that labels and a colour bar take, and the largest height.
_MARGINS, _TALLEST = 0.9, 0.9
# Room below a body in space for its scale, in its widths.
_SCALE = 0.15
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
    low, high = low - margins, high + margins
    if not all(section.plane.names):
        low[1] -= _SCALE * (high[0] - low[0])
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    ax.set_aspect(stretch(section), adjustable="box")
    ax.apply_aspect()
    ax.spines[:].set_visible(False)
    if not all(section.plane.names):
        _oblique(ax, section)
        return
    for axis, label, count in zip((ax.xaxis, ax.yaxis), _labels(section), _tick_counts(ax), strict=True):
        axis.set_label_text(label)
        linear(axis, count)
    lines = LineCollection(list(section.outline), colors="0.45", linewidths=0.5, capstyle="round", snap=False)
    ax.add_collection(lines, autolim=False)


def framed(ax: Axes, section: Section) -> None:
    """The frame of a section, unless something has been drawn in it."""
    if not ax.collections:
        frame(ax, section)


def _oblique(ax: Axes, section: Section) -> None:
    """A bar of a round length and the directions of x, y and z, instead of axes."""
    ax.set(xticks=[], yticks=[])
    start, across = float(section.bounds[0][0]), float(section.spans[0])
    unit, length = across / inches(ax)[0], round_length(across / 4)
    level = ax.get_ylim()[0] + 0.2 * unit
    ax.plot([start, start + length], [level, level], color="0.2", lw=1.2, clip_on=False, solid_capstyle="butt")
    ax.annotate(
        f"{length:g} [L]",
        (start, level),
        (0, -4),
        textcoords="offset points",
        ha="left",
        va="top",
        annotation_clip=False,
    )
    arms = 0.24 * unit * section.plane.axes.T
    foot = np.array([start + max(length, unit) + 0.45 * unit, level - 0.27 * unit - 1.2 * min(arms[:, 1].min(), 0)])
    if foot[0] + 1.5 * arms[:, 0].max() > start + across:
        # Beside a narrow picture is its colour bar: below that there is room.
        foot[1] = ax.get_ylim()[0] - 0.2 * unit - 1.35 * arms[:, 1].max()
    for name, arm in zip("xyz", arms, strict=True):
        if np.hypot(*arm) > 0.03 * unit:
            style = {"arrowstyle": "-", "lw": 0.7, "color": "0.2", "shrinkA": 0, "shrinkB": 0}
            ax.annotate("", tuple(foot + arm), tuple(foot), arrowprops=style, annotation_clip=False)
            ax.text(foot[0] + 1.35 * arm[0], foot[1] + 1.35 * arm[1], name, ha="center", va="center", size=7)


def round_length(most: float) -> float:
    """The largest of 1, 2 and 5 times a power of ten that is not above ``most``."""
    power = 10.0 ** np.floor(np.log10(most)) if most > 0 else 1.0
    return float(power * max(step for step in (1, 2, 5) if step * power <= most * (1 + 1e-9) or step == 1))


def is_wide(ax: Axes) -> bool:
    """Whether the axes, as they are drawn, are much wider than high."""
    width, height = inches(ax)
    return width > _WIDE * height


def inches(ax: Axes) -> tuple[float, float]:
    """Width and height of the axes as they are drawn."""
    figure = figure_of(ax)
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
    if not all(section.plane.names):
        height = height + _SCALE * width
    return float(width / height / stretch(section)) if width and height else 1.0
