"""Small pictures of one quantity, stored without colours, so that many files can share one colour scale."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from flowgrad.pipeline.analysis import Analysis
from flowgrad.plot import Slice
from flowgrad.plot.axes import stretch
from flowgrad.plot.colours import robust_limits
from flowgrad.plot.scalar_field import scalar_field
from flowgrad.report.embed import Pixels, image, pixels_of
from flowgrad.typing import FloatArray

Levels = NDArray[np.uint8]

# Longest sides in pixels.
_WIDTH, _HEIGHT = 180, 120
_DPI = 100
# Colours of the scale.
_COLOURS = 64
# Files whose values differ by more than this factor share a logarithmic scale, over at most so many decades.
_LOGARITHMIC, _DECADES = 20.0, 4
# A low limit below this part of the high one is zero.
_FROM_ZERO = 0.2


@dataclass(frozen=True)
class Scale:
    """The colours that several thumbnails of one ``quantity`` share."""

    quantity: str
    low: float
    high: float
    is_logarithmic: bool = False

    def colours(self, values: FloatArray) -> Pixels:
        """The colour (n, 4) of each value, those beyond the ends with them."""
        low, high = self.low, self.high
        if self.is_logarithmic:
            values, low, high = np.log(np.maximum(values, low)), np.log(low), np.log(high)
        share = (values - low) / (high - low) if high > low else np.full_like(values, 0.5)
        steps = np.clip(np.floor(share * _COLOURS), 0, _COLOURS - 1) / (_COLOURS - 1)
        return np.asarray(matplotlib.colormaps["viridis"](steps, bytes=True))


def thumbnail(analysis: Analysis, section: Slice) -> dict[str, Any]:
    """The shear rate on a section, or the speed where that is not known, as JSON types.

    ``levels`` is a grey PNG in base64: 0 where there is nothing, else 1 to 255 for values between ``low`` and
    ``high``, whose distance from ``low`` grows as the square of the level.
    """
    from PIL import Image

    name = "velocity" if "shear_rate" in analysis.unknown else "shear_rate"
    what = scalar_field(analysis.gradient, name)
    values = section.values(what.values, what.location)
    known = np.isfinite(values)
    low, high = robust_limits(values[known], section.areas[known])
    low = 0.0 if low < _FROM_ZERO * high else low
    with np.errstate(invalid="ignore"):
        share = np.clip((values - low) / ((high - low) or 1.0), 0, 1)
    levels = np.where(known, 1 + np.round(254 * np.sqrt(np.nan_to_num(share))), 0).astype(np.uint8)
    stream = BytesIO()
    Image.fromarray(painted(section, levels), "L").save(stream, "png", optimize=True)
    encoded = base64.b64encode(stream.getvalue()).decode()
    return {"quantity": name, "low": low, "high": high, "levels": encoded}


def painted(section: Slice, levels: Levels) -> Levels:
    """The level (k,) of the polygon that each pixel (height, width) lies in, 0 outside."""
    spans = section.spans * [1, stretch(section)]
    scale = min(_WIDTH / (spans[0] or 1), _HEIGHT / (spans[1] or 1))
    width, height = np.maximum(np.round(spans * scale), 8).astype(int)
    figure = Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI, facecolor="black")
    canvas = FigureCanvasAgg(figure)
    ax = figure.add_axes((0, 0, 1, 1))
    low, high = section.bounds
    high = np.where(high > low, high, low + 1.0)
    ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
    ax.set_axis_off()
    grey = np.repeat((levels / 255.0)[:, None], 3, axis=1)
    outlines: Any = section.outlines
    # Lines of one pixel, because cells smaller than a pixel would not be painted at all.
    ax.add_collection(
        PolyCollection(outlines, facecolors=grey, edgecolors=grey, linewidths=72 / _DPI, antialiaseds=False),
        autolim=False,
    )
    canvas.draw()
    return np.asarray(canvas.buffer_rgba())[..., 0].copy()


def common_scale(thumbnails: Sequence[dict[str, Any]]) -> Scale:
    """The scale that shows all of them: from the least to the greatest of their limits, logarithmic where their high
    ends differ by more than a factor of 20."""
    highs = [each["high"] for each in thumbnails]
    low, high = min(each["low"] for each in thumbnails), max(highs)
    positive = [each for each in highs if each > 0]
    if positive and high > _LOGARITHMIC * min(positive):
        return Scale(thumbnails[0]["quantity"], max(min(positive) / 10, high / 10**_DECADES), high, True)
    return Scale(thumbnails[0]["quantity"], 0.0 if low < _FROM_ZERO * high else low, high)


def coloured(stored: dict[str, Any], scale: Scale, description: str) -> Markup:
    """A thumbnail in the colours of a scale; transparent where there is nothing."""
    levels = pixels_of(stored["levels"])
    shares = (np.arange(-1, 255) / 254.0) ** 2
    table = scale.colours(stored["low"] + (stored["high"] - stored["low"]) * shares)
    table[0] = 255, 255, 255, 0
    return image(table[levels], description)


def bar(description: str) -> Markup:
    """The colours of a scale from its low to its high end."""
    strip = Scale("", 0.0, 1.0).colours(np.linspace(0, 1, 256))
    return image(strip[None].repeat(10, axis=0), description)
