"""Figures as parts of a page: vector graphics inline, pictures of fields as PNG with few colours."""

from __future__ import annotations

import base64
import hashlib
import re
from io import BytesIO

from markupsafe import Markup
from matplotlib.axes import Axes

from flowgrad.plot import save
from flowgrad.plot.style import DPI

# Colours of a stored picture: a third of the bytes, and no colour off by more than a few hundredths.
_PALETTE = 255
# Pixels on the page for a point (1/72 inch) of a figure: its type, of 7 and 8 points, is then readable.
_PIXELS = 1.65


def png(ax: Axes, description: str) -> Markup:
    """The figure of an Axes as an image that holds its own data."""
    from PIL import Image

    raw, small = BytesIO(), BytesIO()
    save(ax, raw, "png")
    picture = Image.open(raw).convert("RGB")
    few = picture.quantize(_PALETTE, Image.Quantize.MAXCOVERAGE, kmeans=1, dither=Image.Dither.NONE)
    few.save(small, "png", optimize=True)
    data = base64.b64encode(small.getvalue()).decode()
    width, height = (round(pixels * _PIXELS * 72 / DPI) for pixels in picture.size)
    return Markup('<img alt="{}" width="{}" height="{}" src="data:image/png;base64,{}">').format(
        description, width, height, data
    )


def svg(ax: Axes, description: str) -> Markup:
    """The figure of an Axes as inline SVG, whose names do not clash with those of other figures."""
    stream = BytesIO()
    save(ax, stream, "svg")
    drawing = stream.getvalue().decode()
    drawing = _shortened(drawing[drawing.index("<svg") :])
    drawing = _renamed(drawing, "f" + hashlib.sha256(drawing.encode()).hexdigest()[:8])
    label = Markup('<svg role="img" aria-label="{}"').format(description)
    return label + Markup(_on_page(drawing).removeprefix("<svg"))


def _on_page(drawing: str) -> str:
    """With the size in pixels instead of points."""
    return re.sub(r'\b(width|height)="([\d.]+)pt"', lambda m: f'{m[1]}="{float(m[2]) * _PIXELS:.0f}"', drawing, count=2)


def _shortened(drawing: str) -> str:
    """Without metadata, comments, line ends, namespaces that HTML implies, and digits of paths below a
    hundredth of a point."""
    drawing = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", drawing, flags=re.DOTALL)
    drawing = re.sub(r'\bd="[^"]*"', lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path[0]), drawing)
    drawing = re.sub(r'\sxmlns(:xlink)?="[^"]*"', "", drawing).replace("xlink:href", "href")
    return re.sub(r"\s*\n\s*", " ", drawing)


def _renamed(drawing: str, prefix: str) -> str:
    return re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{prefix}-", drawing)
