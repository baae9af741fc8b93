"""Figures: each function takes a result and an Axes and returns the Axes.

from flowgrad import plot

with plot.figure() as ax:
    plot.flow_curve(separation, ax)
    plot.save(ax, "curve.pdf")
"""

from flowgrad.plot.arrows import arrows
from flowgrad.plot.contours import Landscape, contours
from flowgrad.plot.distribution import distribution
from flowgrad.plot.field import field
from flowgrad.plot.flow_curve import flow_curve, normal_stress, viscosity
from flowgrad.plot.frame import size_for
from flowgrad.plot.labels import labels, regions
from flowgrad.plot.plane import Plane, plane
from flowgrad.plot.rheometer import rheometer_curve, rheometer_viscosity
from flowgrad.plot.section import Section, cut, section_of
from flowgrad.plot.style import ONE_COLUMN, TWO_COLUMN, figure, save, style

__all__ = [
    "ONE_COLUMN",
    "TWO_COLUMN",
    "Landscape",
    "Plane",
    "Section",
    "arrows",
    "contours",
    "cut",
    "distribution",
    "field",
    "figure",
    "flow_curve",
    "labels",
    "normal_stress",
    "plane",
    "regions",
    "rheometer_curve",
    "rheometer_viscosity",
    "save",
    "section_of",
    "size_for",
    "style",
    "viscosity",
]
