"""Pictures of a flow's section of the report, each with a caption."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

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

    @property
    def is_drawing(self) -> bool:
        """Whether it is of lines and letters, which want room."""
        return self.image.startswith("<svg")


def section_of(analysis: Analysis) -> Slice | str:
    """The section on which the fields are drawn, or why there is none."""
    try:
        return plot.section_of(analysis.flow.mesh)
    except OptionError as error:
        return f"No picture of the fields: {error}."


def fields(analysis: Analysis, section: Slice) -> list[Picture]:
    """Velocity, kinematic quantities and, where the fluid is known, viscosity and labels."""
    width, height = plot.size_for(section, _WIDE)
    is_wide = width > _SLENDER * height
    size = (width, height) if is_wide else plot.size_for(section, _FIELD)
    return [
        replace(_picture(draw, caption, size, embed.raster), is_wide=is_wide)
        for draw, caption in (*_quantity_fields(analysis, section), *_fluid_fields(analysis, section))
    ]


def _quantity_fields(analysis: Analysis, section: Slice) -> Iterator[tuple[Draw, str]]:
    yield (
        lambda ax: _velocity(analysis, section, ax),
        "Velocity: its magnitude, and arrows along its part in the plane.",
    )
    for name in _chosen(analysis):
        yield _field(analysis, name, section), QUANTITIES[name].description


def _velocity(analysis: Analysis, section: Slice, ax: Axes) -> Axes:
    return plot.vectors(analysis.gradient, plot.field(analysis.gradient, "velocity", ax, section), section, _ARROWS)


def _fluid_fields(analysis: Analysis, section: Slice) -> Iterator[tuple[Draw, str]]:
    separation = analysis.separation
    if not separation.given.option:
        return
    if len(np.unique(separation.eta[np.isfinite(separation.eta)])) > 1:
        yield _field(analysis, "viscosity", section), "Viscosity η."
    if len(np.unique(separation.label)) > 1:
        yield (
            lambda ax: plot.labels(separation, ax, section),
            "What each part of the flow shows: the Newtonian viscosity, a lower one (thinner), a higher one "
            "(thicker), or a stress that no viscosity explains.",
        )
    if len(np.unique(separation.region)) > 1:
        yield (
            lambda ax: plot.regions(separation, ax, section),
            "Regions: a plug whose stress stays below the yield stress, plateaus of the viscosity (within the margin "
            "of what its law tends to), and where the fluid is sheared between them.",
        )


def curves(analysis: Analysis) -> list[Picture]:
    """Stress and viscosity against the shear rate, normal stresses where a stress is known."""
    separation = analysis.separation
    if not separation.given.option:
        return []
    drawn: list[tuple[Draw, str]] = [
        (lambda ax: plot.flow_curve(separation, ax), "Stress against shear rate (flow curve)."),
        (lambda ax: plot.viscosity(separation, ax), "Viscosity against shear rate."),
    ]
    if separation.given.stress is not None:
        drawn.append(
            (lambda ax: plot.normal_stress(separation, ax), "Normal stress differences N1 and N2 against shear rate.")
        )
    return [_picture(draw, caption, (_CURVE, None), embed.svg) for draw, caption in drawn]


def distributions(analysis: Analysis) -> list[Picture]:
    """How much of the flow has which shear rate and which flow type."""
    gradient = analysis.gradient
    captions = {"shear_rate": "Distribution of the shear rate.", "flow_type": "Distribution of the flow type."}
    return [
        _picture(_distribution(analysis, name), caption, (_CURVE, None), embed.svg)
        for name, caption in captions.items()
        if len(gradient) and name not in analysis.unknown
    ]


def _distribution(analysis: Analysis, name: str) -> Draw:
    return lambda ax: plot.distribution(analysis.gradient, name, ax)


def _field(analysis: Analysis, name: str, section: Slice) -> Draw:
    return lambda ax: plot.field(analysis.gradient, name, ax, section)


def _picture(
    draw: Draw, caption: str, size: tuple[float, float | None], encoder: Callable[[Axes, str], Markup]
) -> Picture:
    with plot.figure(*size) as ax:
        return Picture(encoder(draw(ax), caption), caption)


def _chosen(analysis: Analysis) -> tuple[str, ...]:
    """The quantities that the user asked for, or the usual ones."""
    asked = tuple(name for name in analysis.options.quantities if name not in _TENSORS)
    return asked[:_MOST] or tuple(name for name in _USUAL if name not in analysis.unknown) or ("vorticity",)
