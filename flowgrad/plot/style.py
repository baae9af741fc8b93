"""The one style of all figures: sizes, type, lines; and how a figure becomes a file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from flowgrad.errors import OptionError

Pixels = NDArray[np.uint8]

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
# How far beyond the figure letters are expected, in inches.
_REACH = 1.5
# Of the four bytes of a pixel.
_WHITE = 0xFFFFFFFF

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
    if kind == "png":
        _write_png(cropped(ax, DPI)[0], target)
        return
    is_text = not isinstance(target, BytesIO) if text is None else text
    _write_vectors(ax, target, kind, extent(figure_of(ax)), is_text)


def _write_png(pixels: Pixels, target: Path | str | BinaryIO) -> None:
    from PIL import Image

    Image.fromarray(pixels[..., :3]).save(target, "png", dpi=(DPI, DPI))


def _write_vectors(ax: Axes, target: Path | str | BinaryIO, kind: str, box: Bbox, is_text: bool) -> None:
    dated: dict[str, dict[str, None]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    with matplotlib.rc_context({"svg.fonttype": "none" if is_text else "path"}):
        figure_of(ax).savefig(target, format=kind, bbox_inches=box, metadata=dated[kind], dpi=_PRINT_DPI)


@dataclass(frozen=True)
class Drawing:
    """A figure as ``png`` and as ``svg``, its letters as text."""

    png: bytes
    svg: str


def drawing(ax: Axes) -> Drawing:
    """The figure of an Axes as png and svg: the pixels of the one say how far the other reaches."""
    pixels, box = cropped(ax, DPI)
    stream = BytesIO()
    _write_png(pixels, stream)
    return Drawing(stream.getvalue(), as_svg(ax, box))


def as_svg(ax: Axes, box: Bbox | None = None) -> str:
    """The figure of an Axes as svg, its letters as text, cropped to a box in inches or to what is drawn."""
    stream = BytesIO()
    _write_vectors(ax, stream, "svg", extent(figure_of(ax)) if box is None else box, True)
    return stream.getvalue().decode()


def cropped(ax: Axes, dpi: int) -> tuple[Pixels, Bbox]:
    """The figure as colours (height, width, 4), cropped to what is drawn, and its box in inches.

    It is drawn once, on a sheet with room for its letters: to measure them first would take as long as to draw them,
    and is done only where they reach beyond the sheet.
    """
    figure, margin = figure_of(ax), round(MARGIN * dpi)
    sheet = Bbox.from_bounds(0, 0, *figure.get_size_inches()).padded(_REACH)
    pixels = _drawn(figure, sheet, dpi)
    top, bottom, left, right = _inked(pixels)
    if min(top, left, pixels.shape[0] - 1 - bottom, pixels.shape[1] - 1 - right) < margin:
        # Letters are of other widths at other sizes, so that what is measured is not quite what is drawn.
        sheet = Bbox.union([sheet, extent(figure).expanded(1.1, 1.1)])
        pixels = _drawn(figure, sheet, dpi)
        top, bottom, left, right = _inked(pixels)
    rows, columns = slice(top - margin, bottom + margin + 1), slice(left - margin, right + margin + 1)
    x, y = np.array([columns.start, columns.stop]), len(pixels) - np.array([rows.stop, rows.start])
    return pixels[rows, columns], Bbox(sheet.min + np.stack([x, y], axis=1) / dpi)


def _inked(pixels: Pixels) -> tuple[int, int, int, int]:
    """First and last row, first and last column in which something is drawn."""
    inked = pixels.view(np.uint32)[..., 0] != _WHITE
    rows, columns = (np.flatnonzero(inked.any(axis=axis)) for axis in (1, 0))
    return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])


def _drawn(figure: Figure, box: Bbox, dpi: int) -> Pixels:
    """The part of a figure within a box in inches: colours (height, width, 4)."""
    width, height = (int(side * dpi) for side in box.size)
    # Half a pixel more, so that rounding takes none away.
    box = Bbox.from_bounds(box.x0, box.y0, (width + 0.5) / dpi, (height + 0.5) / dpi)
    stream = BytesIO()
    figure.savefig(stream, format="rgba", dpi=dpi, bbox_inches=box)
    return np.frombuffer(stream.getbuffer(), np.uint8).reshape(height, width, 4)
