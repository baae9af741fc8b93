"""Figures as parts of a page: vector graphics inline, pictures of fields as small as they go."""

from __future__ import annotations

import hashlib
import re
from io import BytesIO

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from numpy.typing import NDArray

from flowgrad.plot.style import figure_of
from flowgrad.report.compressed import small_address
from flowgrad.report.svg import shortened

Pixels = NDArray[np.uint8]

# Dots per inch of pictures: a little more than the page's pixels.
_DPI = 125
# Around what is drawn, in inches; and how far beyond the figure letters are expected.
_MARGIN, _REACH = 0.03, 1.5
# Pixels on the page for a point (1/72 inch) of a figure: its type, of 7 and 8 points, is then readable.
_PIXELS = 1.65
# Of its four bytes.
_WHITE = 0xFFFFFFFF


def raster(ax: Axes, description: str) -> Markup:
    """The figure of an Axes as an image that holds its own data."""
    pixels = _cropped(ax)
    height, width = (round(each * _PIXELS * 72 / _DPI) for each in pixels.shape[:2])
    return image(small_address(pixels), description, width, height)


def image(address: str, description: str, width: int, height: int) -> Markup:
    """A picture that its ``data:`` address holds, of the given size in pixels."""
    return Markup('<img alt="{}" width="{}" height="{}" src="{}">').format(description, width, height, address)


def svg(ax: Axes, description: str) -> Markup:
    """The figure of an Axes as inline SVG, whose names do not clash with those of other figures."""
    ax.minorticks_off()
    drawing = _drawing(ax)
    drawing = shortened(drawing, "f" + hashlib.sha256(drawing.encode()).hexdigest()[:8] + "-")
    label = Markup('<svg role="img" aria-label="{}"').format(description)
    return label + Markup(_on_page(drawing).removeprefix("<svg"))


def _cropped(ax: Axes) -> Pixels:
    """The figure as colours (height, width, 3), cropped to what is drawn.

    It is drawn once, on a sheet with room for its letters: to measure them first would take as long as to draw them,
    and is done only where they reach beyond the sheet.
    """
    figure = figure_of(ax)
    sheet = Bbox.from_bounds(0, 0, *figure.get_size_inches()).padded(_REACH)
    pixels = _drawn(figure, sheet)
    top, bottom, left, right = _inked(pixels)
    margin = round(_MARGIN * _DPI)
    if min(top, left, pixels.shape[0] - 1 - bottom, pixels.shape[1] - 1 - right) < margin:
        # Letters are of other widths at other sizes, so that what is measured is not quite what is drawn.
        pixels = _drawn(figure, Bbox.union([sheet, _extent(figure).expanded(1.1, 1.1)]))
        top, bottom, left, right = _inked(pixels)
    return pixels[top - margin : bottom + margin + 1, left - margin : right + margin + 1, :3]


def _inked(pixels: Pixels) -> tuple[int, int, int, int]:
    """First and last row, first and last column in which something is drawn."""
    inked = pixels.view(np.uint32)[..., 0] != _WHITE
    rows, columns = (np.flatnonzero(inked.any(axis=axis)) for axis in (1, 0))
    return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])


def _drawn(figure: Figure, box: Bbox) -> Pixels:
    """What is drawn within a box in inches: colours (height, width, 4)."""
    width, height = (int(side * _DPI) for side in box.size)
    # Half a pixel more, so that rounding takes none away.
    box = Bbox.from_bounds(box.x0, box.y0, (width + 0.5) / _DPI, (height + 0.5) / _DPI)
    stream = BytesIO()
    figure.savefig(stream, format="rgba", dpi=_DPI, bbox_inches=box)
    return np.frombuffer(stream.getbuffer(), np.uint8).reshape(height, width, 4)


def _extent(figure: Figure) -> Bbox:
    """The box in inches around all that is drawn."""
    return figure.get_tightbbox(FigureCanvasAgg(figure).get_renderer()).padded(_MARGIN)


def _drawing(ax: Axes) -> str:
    """The figure as SVG cropped to what is drawn, letters as text; in two passes instead of ``plot.save``'s three."""
    figure = figure_of(ax)
    stream = BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        figure.savefig(stream, format="svg", dpi=_DPI, bbox_inches=_extent(figure), metadata={"Date": None})
    return stream.getvalue().decode()


def _on_page(drawing: str) -> str:
    """With the size in pixels instead of points."""
    return re.sub(r'\b(width|height)="([\d.]+)pt"', lambda m: f'{m[1]}="{float(m[2]) * _PIXELS:.0f}"', drawing, count=2)
