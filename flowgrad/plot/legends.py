"""Legends outside the axes, in as many columns as there is room for."""

from __future__ import annotations

from matplotlib.axes import Axes
from matplotlib.legend import Legend

from flowgrad.plot.frame import inches
from flowgrad.plot.names import as_given
from flowgrad.plot.style import figure_of

# Widest legend, as a multiple of the axes' width, and its distance below them in inches.
_WIDEST, _BELOW = 1.05, 0.45


def legend_rows(ax: Axes) -> Legend:
    """A legend below the axes and no wider than they, whatever the number and the length of its entries."""
    handles, names = ax.get_legend_handles_labels()
    figure = figure_of(ax)
    width, height = inches(ax)
    columns = min(len(names), 8)
    while True:
        legend = ax.legend(
            handles,
            names,
            loc="upper left",
            bbox_to_anchor=(0, -_BELOW / height),
            ncols=columns,
            borderaxespad=0,
            columnspacing=1.2,
            handlelength=1.4,
        )
        drawn = legend.get_window_extent().width / figure.dpi
        if columns == 1 or drawn <= _WIDEST * width:
            break
        columns -= 1
    for text in legend.get_texts():
        text.set_text(as_given(text.get_text()))
    return legend
