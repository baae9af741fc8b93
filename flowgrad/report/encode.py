"""Figures as parts of a page: vector graphics inline, pictures of fields as small as they go."""

from __future__ import annotations

import hashlib
import re
import struct
from io import BytesIO
from typing import Any

import matplotlib
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg

from flowgrad.report.compressed import small_address
from flowgrad.report.svg import shortened

# Dots per inch of pictures: a little more than the page's pixels.
_DPI = 125
# Around a figure, in inches.
_MARGIN = 0.03
# Pixels on the page for a point (1/72 inch) of a figure: its type, of 7 and 8 points, is then readable.
_PIXELS = 1.65


def png(ax: Axes, description: str) -> Markup:
    """The figure of an Axes as an image that holds its own data."""
    saved = _saved(ax, "png")
    width, height = (round(each * _PIXELS * 72 / _DPI) for each in struct.unpack(">II", saved[16:24]))
    return image(small_address(saved), description, width, height)


def image(address: str, description: str, width: int, height: int) -> Markup:
    """A picture that its ``data:`` address holds, of the given size in pixels."""
    return Markup('<img alt="{}" width="{}" height="{}" src="{}">').format(description, width, height, address)


def svg(ax: Axes, description: str) -> Markup:
    """The figure of an Axes as inline SVG, whose names do not clash with those of other figures."""
    ax.minorticks_off()
    drawing = _saved(ax, "svg").decode()
    drawing = shortened(drawing, "f" + hashlib.sha256(drawing.encode()).hexdigest()[:8] + "-")
    label = Markup('<svg role="img" aria-label="{}"').format(description)
    return label + Markup(_on_page(drawing).removeprefix("<svg"))


def _saved(ax: Axes, kind: str) -> bytes:
    """The figure cropped to what is drawn, letters as text; as ``plot.save`` does, in two passes instead of three."""
    figure = ax.get_figure(root=True)
    assert figure is not None
    drawn = figure.get_tightbbox(FigureCanvasAgg(figure).get_renderer()).padded(_MARGIN)
    stream = BytesIO()
    with matplotlib.rc_context({"svg.fonttype": "none"}):
        # A picture is compressed again, so its first form need not be small.
        more: Any = {"metadata": {"Date": None}} if kind == "svg" else {"pil_kwargs": {"compress_level": 1}}
        figure.savefig(stream, format=kind, dpi=_DPI, bbox_inches=drawn, **more)
    return stream.getvalue()


def _on_page(drawing: str) -> str:
    """With the size in pixels instead of points."""
    return re.sub(r'\b(width|height)="([\d.]+)pt"', lambda m: f'{m[1]}="{float(m[2]) * _PIXELS:.0f}"', drawing, count=2)
