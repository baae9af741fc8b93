"""Figures: each function takes a result and an Axes and returns the Axes.

from flowgrad import plot

with plot.figure() as ax:
    plot.flow_curve(separation, ax)
    plot.save(ax, "curve.pdf")
"""

from flowgrad.plot.axes import say_where, size_for
from flowgrad.plot.classes import Classes, categories, flow_types, labels, regions
from flowgrad.plot.contours import Landscape, contours, gradient_arrows
from flowgrad.plot.cut import boundary, cut, section_of
from flowgrad.plot.distribution import distribution, invariants
from flowgrad.plot.field import ellipses, field, mark_left_out, uncertainty, vectors
from flowgrad.plot.flow_curve import (
    flow_curve,
    normal_stress,
    residuals,
    rheometer_curve,
    rheometer_viscosity,
    viscosity,
)
from flowgrad.plot.plane import Plane, plane
from flowgrad.plot.profile import profile
from flowgrad.plot.reduction import reduced_by, reduced_curves
from flowgrad.plot.scalar_field import ScalarField, scalar_field
from flowgrad.plot.slice import Slice
from flowgrad.plot.streamlines import streamlines
from flowgrad.plot.style import ONE_COLUMN, TWO_COLUMN, figure, save, style

# Names of earlier versions.
Section, Shown, shown = Slice, ScalarField, scalar_field

__all__ = [
    "ONE_COLUMN",
    "TWO_COLUMN",
    "Classes",
    "Landscape",
    "Plane",
    "ScalarField",
    "Section",
    "Shown",
    "Slice",
    "boundary",
    "categories",
    "contours",
    "cut",
    "distribution",
    "ellipses",
    "field",
    "figure",
    "flow_curve",
    "flow_types",
    "gradient_arrows",
    "invariants",
    "labels",
    "mark_left_out",
    "normal_stress",
    "plane",
    "profile",
    "reduced_by",
    "reduced_curves",
    "regions",
    "residuals",
    "rheometer_curve",
    "rheometer_viscosity",
    "save",
    "say_where",
    "scalar_field",
    "section_of",
    "shown",
    "size_for",
    "streamlines",
    "style",
    "uncertainty",
    "vectors",
    "viscosity",
]
