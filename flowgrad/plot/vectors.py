"""Arrows of the velocity over a section, evenly spread however fine the mesh is."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from flowgrad.plot.cutting import section_of
from flowgrad.plot.frame import framed
from flowgrad.plot.section import Section
from flowgrad.plot.shown import Result, flow_of
from flowgrad.plot.thinning import spacing_of, spread

FloatArray = NDArray[np.float64]

# Speeds above this percentile have arrows as long as the squares that they are spread over.
_FULL = 98
# White with a dark edge is seen on every colour.
_FACE, _EDGE = "white", "#202020"
_ARROWS: Any = {
    "facecolor": _FACE,
    "edgecolor": _EDGE,
    "linewidth": 0.3,
    "angles": "xy",
    "scale_units": "xy",
    "units": "inches",
    "width": 0.013,
    "headwidth": 3.5,
    "minlength": 0.3,
}


def vectors(result: Result, ax: Axes, section: Section | None = None, count: int = 22) -> Axes:
    """In-plane velocity at about ``count`` places along the longer side of a section.

    Each arrow starts at the polygon nearest to the middle of a square of the page. Nothing is drawn where the
    fluid is at rest or moves through the plane only. Raises OptionError for a result without a mesh.
    """
    flow = flow_of(result)
    section = section or section_of(flow.mesh)
    framed(ax, section)
    velocity = section.values(flow.velocity, flow.location) @ section.plane.axes.T
    chosen = spread(section, count)
    chosen = chosen[np.isfinite(velocity[chosen]).all(axis=1)]
    draw_arrows(ax, section.centers[chosen], velocity[chosen], spacing_of(section, count))
    return ax


def draw_arrows(ax: Axes, places: FloatArray, arms: FloatArray, length: float) -> None:
    """Arrows (m, 2) at places (m, 2), the 98th percentile of the given ``length`` and none longer."""
    sizes = np.hypot(*arms.T)
    full = float(np.percentile(sizes, _FULL)) if len(sizes) else 0.0
    if full > 0:
        arms = arms * np.minimum(1.0, full / np.maximum(sizes, full))[:, None]
        ax.quiver(*places.T, *arms.T, scale=full / length, **_ARROWS)
