"""Figures: each function takes a result and an Axes and returns the Axes.

from flowgrad import plot

with plot.figure() as ax:
    plot.flow_curve(separation, ax)
    plot.save(ax, "curve.pdf")
"""

from flowgrad.plot.above import say_where
from flowgrad.plot.categories import Classes, categories, flow_types, labels, regions
from flowgrad.plot.contours import Landscape, contours
from flowgrad.plot.cutting import boundary, cut, section_of
from flowgrad.plot.distribution import distribution
from flowgrad.plot.ellipses import ellipses
from flowgrad.plot.field import field
from flowgrad.plot.flow_curve import flow_curve, normal_stress, viscosity
from flowgrad.plot.frame import size_for
from flowgrad.plot.gradient_arrows import gradient_arrows
from flowgrad.plot.invariants import invariants
from flowgrad.plot.plane import Plane, plane
from flowgrad.plot.profile import profile
from flowgrad.plot.rheometer import residuals, rheometer_curve, rheometer_viscosity
from flowgrad.plot.section import Section
from flowgrad.plot.shown import Shown, shown
from flowgrad.plot.streamlines import streamlines
from flowgrad.plot.style import ONE_COLUMN, TWO_COLUMN, figure, save, style
from flowgrad.plot.uncertainty import uncertainty
from flowgrad.plot.vectors import vectors

__all__ = [
    "ONE_COLUMN",
    "TWO_COLUMN",
    "Classes",
    "Landscape",
    "Plane",
    "Section",
    "Shown",
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
    "normal_stress",
    "plane",
    "profile",
    "regions",
    "residuals",
    "rheometer_curve",
    "rheometer_viscosity",
    "save",
    "say_where",
    "section_of",
    "shown",
    "size_for",
    "streamlines",
    "style",
    "uncertainty",
    "vectors",
    "viscosity",
]
