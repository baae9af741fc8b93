"""Arrows of the velocity over a section, evenly spread however fine the mesh is."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes

from flowgrad.kinematics import GIVEN
from flowgrad.plot.above import reference_arrow
from flowgrad.plot.cutting import section_of
from flowgrad.plot.frame import framed
from flowgrad.plot.section import Section
from flowgrad.plot.shown import Result, flow_of
from flowgrad.plot.thinning import spacing_of, spread
from flowgrad.typing import FloatArray

# Speeds above this percentile have arrows as long as the squares that they are spread over.
_FULL = 98
# White with a dark edge is seen on every colour.
_FACE, _EDGE = "white", "#202020"
_ARROWS: Any = {
    "facecolor": _FACE,
    "edgecolor": _EDGE,
    "linewidth": 0.3,
    "angles": "xy",
    "scale_units": "width",
    "units": "inches",
    "width": 0.013,
    "headwidth": 3.5,
    "minlength": 0.3,
}


def vectors(result: Result, ax: Axes, section: Section | None = None, count: int = 22) -> Axes:
    """In-plane velocity at about ``count`` places along the longer side of a section.

    Each arrow starts at the polygon nearest to the middle of a square of the page; above the axes is one for a round
    speed. Nothing is drawn where the fluid is at rest or moves through the plane only. Raises OptionError for a result
    without a mesh.
    """
    flow = flow_of(result)
    section = section or section_of(flow.mesh)
    framed(ax, section)
    velocity = section.values(flow.velocity, flow.location) @ section.plane.axes.T
    chosen = spread(section, count)
    chosen = chosen[np.isfinite(velocity[chosen]).all(axis=1)]
    text = f"# [{GIVEN['velocity'].dimension}]"
    draw_arrows(ax, section.centers[chosen], velocity[chosen], spacing_of(section, count), text)
    return ax


def draw_arrows(ax: Axes, places: FloatArray, arms: FloatArray, length: float, text: str) -> None:
    """Arrows (m, 2) at places (m, 2), the 98th percentile of the given ``length`` along the axis to the right and none
    longer, and one of a round number, the # of the ``text``, above the axes."""
    sizes = np.hypot(*arms.T)
    full = float(np.percentile(sizes, _FULL)) if len(sizes) else 0.0
    if full > 0:
        arms = arms * np.minimum(1.0, full / np.maximum(sizes, full))[:, None]
        span = abs(float(np.ptp(ax.get_xlim())))
        arrows = ax.quiver(*places.T, *arms.T, scale=full * span / length, **_ARROWS)
        reference_arrow(ax, arrows, full, length / span, text)
