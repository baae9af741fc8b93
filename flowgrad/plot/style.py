"""The one style of all figures: sizes, type, lines; and how a figure becomes a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from flowgrad.errors import OptionError

# Widths of print columns in inches: 86 mm and 178 mm.
ONE_COLUMN = 3.4
TWO_COLUMN = 7.0
GOLDEN = 0.618
KINDS = ("png", "svg", "pdf")
DPI = 150
# Around what is drawn, in inches.
MARGIN = 0.03
# Of what vector figures hold as pictures.
_PRINT_DPI = 300

# Okabe & Ito 2008, colours that people with any colour vision can tell apart.
ORANGE = "#E69F00"
SKY = "#56B4E9"
GREEN = "#009E73"
YELLOW = "#F0E442"
BLUE = "#0072B2"
VERMILION = "#D55E00"
PURPLE = "#CC79A7"
GREY = "#999999"
CATEGORIES = (BLUE, ORANGE, GREEN, PURPLE, SKY, VERMILION, YELLOW, GREY)
# What has no value: darker than the white in the middle of a diverging map, on the shaded side of a body too.
NO_VALUE = "#9E9E9E"

# Any, because matplotlib types the names of its settings as literals.
_STYLE: Any = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.labelsize": 8,
    "axes.titlesize": 8,
    "legend.fontsize": 7,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "mathtext.fontset": "dejavusans",
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.prop_cycle": f"cycler(color={list(CATEGORIES)})",
    "axes.formatter.limits": (-3, 5),
    "axes.axisbelow": True,
    "grid.linewidth": 0.4,
    "grid.color": "#E0E0E0",
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "lines.linewidth": 1.2,
    "lines.markersize": 3.5,
    "legend.frameon": False,
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "figure.facecolor": "white",
    "savefig.facecolor": "white",
    "svg.fonttype": "path",
    "svg.hashsalt": "flowgrad",
    "pdf.fonttype": 42,
}


@contextmanager
def style() -> Iterator[None]:
    """The settings of flowgrad's figures, for the time of a ``with`` block."""
    with matplotlib.rc_context(_STYLE):
        yield


@contextmanager
def figure(width: float = ONE_COLUMN, height: float | None = None) -> Iterator[Axes]:
    """One Axes in a figure of the given size in inches, drawn and to be saved within the block."""
    with style():
        yield Figure(figsize=(width, GOLDEN * width if height is None else height)).add_subplot()


def figure_of(ax: Axes) -> Figure:
    """The figure that an Axes stands in."""
    found = ax.get_figure(root=True)
    assert found is not None
    return found


def extent(figure: Figure) -> Bbox:
    """The box in inches around all that is drawn, with a margin; matplotlib's "tight" draws everything once more."""
    return figure.get_tightbbox(FigureCanvasAgg(figure).get_renderer()).padded(MARGIN)


def save(ax: Axes, target: Path | str | BinaryIO, kind: str | None = None, *, text: bool | None = None) -> None:
    """Write the figure of an Axes as png, svg or pdf (by the suffix unless ``kind`` says it), cropped
    to what is drawn; without the date, so that equal figures are equal files.

    ``text``: letters of an svg are text, which can be searched and edited (default, but for a BytesIO), else outlines,
    which look the same everywhere; those of a pdf are text always. Raises OptionError for another kind.
    """
    kind = kind or Path(str(target)).suffix.lstrip(".").lower()
    if kind not in KINDS:
        raise OptionError(f"{target}: figures are written as {', '.join(KINDS)}: choose one of these suffixes")
    dated: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    is_text = not isinstance(target, BytesIO) if text is None else text
    figure = figure_of(ax)
    with matplotlib.rc_context({"svg.fonttype": "none" if is_text else "path"}):
        figure.savefig(
            target,
            format=kind,
            bbox_inches=extent(figure),
            metadata=dated.get(kind),
            dpi=DPI if kind == "png" else _PRINT_DPI,
        )
