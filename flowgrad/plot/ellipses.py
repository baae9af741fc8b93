"""The rate of deformation as ellipses: what small circles of fluid are a moment later."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.kinematics import VelocityGradient
from flowgrad.plot.cutting import section_of
from flowgrad.plot.frame import framed, stretch
from flowgrad.plot.section import Section
from flowgrad.plot.shown import flow_of
from flowgrad.plot.style import BLUE, VERMILION
from flowgrad.plot.thinning import spacing_of, spread
from flowgrad.plot.ticks import number
from flowgrad.typing import FloatArray

# Radius of the circles in distances between them, and the strain of the fastest, which is that of this percentile.
_RADIUS, _STRAIN, _FULL = 0.26, 0.6, 98
_SIDES = 48


def ellipses(gradient: VelocityGradient, ax: Axes, section: Section | None = None, count: int = 18) -> Axes:
    """D in the plane of a section at about ``count`` places along its longer side: ellipses that small circles would
    be after a time δt at these rates, exp(D δt), without their spin, with the direction that is stretched and the one
    that is compressed.

    The title says δt, after which the fastest has a strain of 0.6; above the 98th percentile of the rates the strain
    is that at it. They lie over what has been drawn. Raises OptionError for a gradient without a mesh.
    """
    section = section or section_of(flow_of(gradient).mesh)
    framed(ax, section)
    chosen, rates, axes = principal(gradient, section, count)
    fastest = float(np.percentile(np.abs(rates).max(axis=1), _FULL)) if len(rates) else 0.0
    if not fastest > 0:
        ax.set_title("no deformation to draw", loc="left")
        return ax
    radius = _RADIUS * spacing_of(section, count)
    strains = np.clip(rates / fastest, -1, 1) * _STRAIN
    arms = radius * np.exp(strains)[:, None, :] * axes
    _draw(ax, section.centers[chosen], arms, np.abs(strains).max(axis=1) > 1e-3, stretch(section))
    text = f"circles of fluid after δt = {number(_STRAIN / fastest)} [T]; red: stretched, blue: compressed"
    ax.set_title(text, loc="left")
    return ax


def principal(
    gradient: VelocityGradient, section: Section, count: int
) -> tuple[NDArray[np.int64], FloatArray, FloatArray]:
    """Polygons (m,) at evenly spread places, the principal rates (m, 2) of D in the plane there, the lower first, and
    their directions as columns (m, 2, 2)."""
    location = gradient.location or "points"
    if location == "positions":
        raise OptionError("D at positions cannot be drawn on a section: take the gradient at points or cells")
    across = section.plane.axes
    chosen = spread(section, count)
    D = section.take(chosen).values(gradient.D, location)
    # What is known nowhere lies across the plane of the measurement.
    D = np.where(np.isfinite(D).any(axis=0), D, 0.0)
    known = np.isfinite(D).all(axis=(1, 2)) & D.any(axis=(1, 2))
    rates, axes = np.linalg.eigh(across @ D[known] @ across.T)
    return chosen[known], rates, axes


def _draw(ax: Axes, centers: FloatArray, arms: FloatArray, has_axes: NDArray[np.bool_], stretched: float) -> None:
    """Ellipses with the columns of ``arms`` (m, 2, 2) as semi-axes, on a page that may be stretched."""
    page = np.array([1, 1 / stretched])
    angles = np.linspace(0, 2 * np.pi, _SIDES, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)])
    outlines = centers[:, None] + (arms @ circle).transpose(0, 2, 1) * page
    ax.add_collection(
        PolyCollection(list(outlines), facecolors=(1, 1, 1, 0.75), edgecolors="0.3", linewidths=0.4), autolim=False
    )
    for column, colour in ((0, BLUE), (1, VERMILION)):
        half = arms[has_axes, :, column] * page
        ends = np.stack([centers[has_axes] - half, centers[has_axes] + half], axis=1)
        ax.add_collection(LineCollection(list(ends), colors=colour, linewidths=0.9), autolim=False)
