"""Pictures of a flow's section of the report, each with a caption."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from flowgrad import plot
from flowgrad.errors import OptionError
from flowgrad.kinematics import QUANTITIES
from flowgrad.pipeline.analysis import Analysis
from flowgrad.plot import Slice
from flowgrad.report import embed

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

Draw = Callable[[Axes], Axes]


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
    yield (
        lambda ax: plot.vectors(gradient, plot.field(gradient, "velocity", ax, section), section, _ARROWS),
        "Velocity: its magnitude, and arrows along its part in the plane.",
    )
    asked = tuple(name for name in analysis.options.quantities if name not in _TENSORS)[:_MOST]
    for name in asked or tuple(name for name in _USUAL if name not in analysis.unknown) or ("vorticity",):
        yield partial(plot.field, gradient, name, section=section), QUANTITIES[name].description
    if not separation.given.option:
        return
    if len(np.unique(separation.eta[np.isfinite(separation.eta)])) > 1:
        yield partial(plot.field, gradient, "viscosity", section=section), "Viscosity η."
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
    return found
