"""What stands above the axes, one over another: the meaning of grey, a reference arrow, where the section is."""

from __future__ import annotations

from textwrap import fill

from matplotlib.axes import Axes
from matplotlib.quiver import Quiver, QuiverKey

from flowgrad.plot.frame import inches, round_length
from flowgrad.plot.section import Section
from flowgrad.plot.style import ONE_COLUMN, figure_of
from flowgrad.plot.ticks import number

# Height of a line of small type and width of a letter, of a title's too, in inches.
_LINE, _LETTER, _TITLE_LETTER = 0.16, 0.062, 0.066
# Distance of a title to what is below it, in points.
_PAD = 5.0


def say_where(ax: Axes, section: Section) -> None:
    """Where the section is, as a title over all that stands above the axes and over a title that there is."""
    width = int(max(figure_of(ax).get_figwidth(), ONE_COLUMN) / _TITLE_LETTER)
    lines = [fill(each, width) for each in (section.where, ax.get_title(loc="left")) if each]
    ax.set_title("\n".join(lines), loc="left", pad=_PAD + 72 * _height_above(ax))


def reference_arrow(ax: Axes, arrows: Quiver, full: float, length: float, text: str) -> None:
    """An arrow of a round number, not above ``full``, above the axes to the right, beside the ``text`` with that number
    in the place of #; an arrow for ``full`` has this ``length`` in widths of the axes."""
    ax.apply_aspect()
    size, (width, height) = round_length(full), inches(ax)
    text = text.replace("#", number(size))
    drawn = size / full * length * width
    beside = _legend_width(ax) + _LETTER * len(text) + drawn + _LINE < width
    level = 1 + ((0.0 if beside else _height_above(ax)) + 0.6 * _LINE) / height
    start = 1 - drawn / width
    ax.quiverkey(arrows, start, level, size, "", labelpos="W")
    # A text of its own: matplotlib crops pictures to texts, and not to those of keys.
    ax.text(start - 0.06 / width, level, text, ha="right", va="center", size=7, transform=ax.transAxes)


def _legend_width(ax: Axes) -> float:
    """Of a legend above the axes, in inches."""
    legend = ax.get_legend()
    if legend is None or not _legend_height(ax):
        return 0.0
    return float(legend.get_window_extent().width / figure_of(ax).dpi)


def _legend_height(ax: Axes) -> float:
    """How far a legend reaches above the axes, in inches."""
    legend = ax.get_legend()
    if legend is None:
        return 0.0
    box, top = legend.get_window_extent(), ax.get_window_extent().y1
    return float(max(0.0, box.y1 - top) / figure_of(ax).dpi) if box.y0 > top - 0.5 * box.height else 0.0


def _height_above(ax: Axes) -> float:
    """How far what stands above the axes reaches, in inches."""
    height = inches(ax)[1]
    keys = [(each.Y - 1) * height + 0.6 * _LINE for each in ax.artists if isinstance(each, QuiverKey)]
    return max([_legend_height(ax), *keys])
