"""Pictures of a flow's section of the report, each with a caption, and its thumbnail on a common colour scale."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any

import matplotlib
import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure
from numpy.typing import NDArray

from flowgrad import plot
from flowgrad.errors import OptionError
from flowgrad.kinematics import QUANTITIES
from flowgrad.plot.axes import robust_limits, stretch
from flowgrad.plot.scalar_field import scalar_field
from flowgrad.report import embed
from flowgrad.report.embed import Pixels, image, pixels_of
from flowgrad.report.measured_pictures import Draw, measured_fields, residual_curves
from flowgrad.rheology import Verdict
from flowgrad.typing import FloatArray

if TYPE_CHECKING:
    from flowgrad.pipeline.analysis import Analysis
    from flowgrad.plot import Slice
    from flowgrad.separation import Separation

# Widths of pictures in inches: three stand side by side, and one of a long thin flow takes the whole width.
_FIELD, _WIDE, _CURVE = 3.5, 8.0, 3.3
# Width over height beyond which a flow is long and thin.
_SLENDER = 4.0
# Arrows along the longer side.
_ARROWS = 14
# The largest number of fields that the user's choice of quantities may add.
_MOST = 6
_USUAL = ("shear_rate", "flow_type")
_TENSORS = ("L", "D", "W", "principal_directions")


@dataclass(frozen=True)
class Picture:
    """A figure as HTML and its caption, and whether it takes the whole width of the page."""

    image: Markup
    caption: str
    is_wide: bool = False


def section_of(analysis: Analysis) -> Slice | str:
    """The section on which the fields are drawn, or why there is none."""
    try:
        return plot.section_of(analysis.flow.mesh)
    except OptionError as error:
        return f"No picture of the fields: {error}."


def picture(
    draw: Draw,
    caption: str,
    width: float = _CURVE,
    height: float | None = None,
    encoder: Callable[[Axes, str], Markup] = embed.svg,
) -> Picture:
    """A figure of the given size in inches, as a drawing unless another ``encoder`` is given."""
    with plot.figure(width, height) as ax:
        return Picture(encoder(draw(ax), caption), caption)


def fields(analysis: Analysis, section: Slice) -> list[Picture]:
    """Velocity, kinematic quantities and, where the fluid is known, viscosity and labels."""
    width, height = plot.size_for(section, _WIDE)
    is_wide = width > _SLENDER * height
    size = (width, height) if is_wide else plot.size_for(section, _FIELD)
    drawn = (picture(draw, caption, *size, embed.raster) for draw, caption in _fields(analysis, section))
    return [replace(each, is_wide=is_wide) for each in drawn]


def _fields(analysis: Analysis, section: Slice) -> Iterator[tuple[Draw, str]]:
    gradient, separation = analysis.gradient, analysis.separation
    if gradient.covariance is not None:
        yield from measured_fields(analysis, section)
    yield (
        lambda ax: plot.vectors(gradient, plot.field(gradient, "velocity", ax, section), section, _ARROWS),
        "Velocity: its magnitude, and arrows along its part in the plane.",
    )
    drawn = (*_TENSORS, *(("vorticity",) if gradient.covariance is not None else ()))
    asked = tuple(name for name in analysis.options.quantities if name not in drawn)[:_MOST]
    for name in asked or tuple(name for name in _USUAL if name not in analysis.unknown) or ("vorticity",):
        yield partial(plot.field, gradient, name, section=section), QUANTITIES[name].description
    if not separation.given.option:
        return
    if len(np.unique(separation.eta[np.isfinite(separation.eta)])) > 1:
        yield partial(plot.field, gradient, "viscosity", section=section), "Viscosity η."
    if separation.verdict is Verdict.NOT_A_FUNCTION_OF_RATE and "place_factor" in separation.evidence:
        yield (
            partial(_departure, separation, section=section),
            (
                "Viscosity over the median of all places with the same shear rate: 1 everywhere where it is a function "
                "of the rate."
            ),
        )
    if len(np.unique(separation.label)) > 1:
        yield (
            partial(plot.labels, separation, section=section),
            "What each part of the flow shows: the Newtonian viscosity, a lower one (thinner), a higher one "
            "(thicker), or a stress that no viscosity explains.",
        )
    if len(np.unique(separation.region)) > 1:
        yield (
            partial(plot.regions, separation, section=section),
            "Regions: a plug whose stress stays below the yield stress, plateaus of the viscosity (within the margin "
            "of what its law tends to), and where the fluid is sheared between them.",
        )


def _departure(separation: Separation, ax: Axes, section: Slice) -> Axes:
    """The map that shows where η is not the one that other places have at the same shear rate."""
    flow, location = separation.gradient.flow, separation.gradient.location
    assert flow is not None
    name = "η over its median at equal rates [–]"
    arrays = {name: separation.viscosity_departure}
    known = {"cell_data": arrays} if location == "cells" else {"point_data": arrays}
    return plot.field(replace(flow, **known), name, ax, section)  # type: ignore[arg-type]


def curves(analysis: Analysis) -> list[Picture]:
    """Stress, viscosity and normal stresses against the shear rate, where they are known; and how much of the flow has
    which shear rate and which flow type."""
    gradient, separation = analysis.gradient, analysis.separation
    found = []
    if separation.given.option:
        found.append(picture(partial(plot.flow_curve, separation), "Stress against shear rate (flow curve)."))
        found.append(picture(partial(plot.viscosity, separation), "Viscosity against shear rate."))
    if separation.given.stress is not None:
        caption = "Normal stress differences N1 and N2 against shear rate."
        found.append(picture(partial(plot.normal_stress, separation), caption))
    for name in ("shear_rate", "flow_type"):
        if len(gradient) and name not in analysis.unknown:
            caption = f"Distribution of the {name.replace('_', ' ')}."
            found.append(picture(partial(plot.distribution, gradient, name), caption))
    if gradient.covariance is not None:
        found += [picture(draw, caption) for draw, caption in residual_curves(analysis)]
    return found


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
