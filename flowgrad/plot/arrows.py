"""Arrows of the velocity over a section, evenly spread however fine the mesh is."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from flowgrad.kinematics import VelocityGradient
from flowgrad.plot.field import flow_of
from flowgrad.plot.frame import stretch
from flowgrad.plot.section import Section, section_of

FloatArray = NDArray[np.float64]

# Speeds above this percentile have longer arrows than the spacing.
_FULL = 98
# White with a dark edge is seen on every colour.
_FACE, _EDGE = "white", "#202020"


def arrows(gradient: VelocityGradient, ax: Axes, section: Section | None = None, count: int = 22) -> Axes:
    """In-plane velocity at about ``count`` places along the longer side of a section.

    Each arrow starts at the polygon nearest to a node of a grid that is square on the page. Nothing is drawn where the
    fluid is at rest or moves through the plane only. Raises OptionError for a gradient without a mesh.
    """
    flow = flow_of(gradient)
    section = section or section_of(flow.mesh)
    velocity = section.values(flow.velocity, flow.location) @ section.plane.axes.T
    spacing = float((section.spans * [1, stretch(section)]).max()) / count
    chosen = _spread(section.centers * [1, stretch(section)], spacing)
    chosen = chosen[np.isfinite(velocity[chosen]).all(axis=1)]
    speed = np.hypot(*velocity[chosen].T)
    longest = float(np.percentile(speed, _FULL)) if len(chosen) else 0.0
    if longest > 0:
        ax.quiver(
            *section.centers[chosen].T,
            *velocity[chosen].T,
            facecolor=_FACE,
            edgecolor=_EDGE,
            linewidth=0.3,
            angles="xy",
            scale_units="xy",
            scale=longest / spacing,
            width=0.0032,
            headwidth=3.5,
            minlength=0.3,
        )
    return ax


def _spread(centers: FloatArray, spacing: float) -> NDArray[np.int64]:
    """In each square of a grid the polygon nearest to its middle."""
    place = (centers - centers.min(axis=0)) / spacing
    square = np.floor(place)
    distance = np.hypot(*(place - square - 0.5).T)
    order = np.lexsort((distance, square[:, 1], square[:, 0]))
    first = np.ones(len(order), bool)
    first[1:] = (square[order][1:] != square[order][:-1]).any(axis=1)
    return order[first]
