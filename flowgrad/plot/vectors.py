"""Arrows of the velocity and ellipses of the rate of deformation, evenly spread however fine the mesh is."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection, PolyCollection
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.kinematics import GIVEN, VelocityGradient
from flowgrad.plot.axes import frame, number, reference_arrow, stretch
from flowgrad.plot.cut import section_of
from flowgrad.plot.scalar_field import Result, flow_of
from flowgrad.plot.slice import Slice
from flowgrad.plot.style import BLUE, VERMILION
from flowgrad.typing import FloatArray, IntArray

# Places nearer than this, in sides of the squares, crowd each other.
_NEAR = 0.6


def spacing_of(section: Slice, count: int) -> float:
    """Side of the squares of the page of which ``count`` go along the longer side of a slice."""
    return float((section.spans * [1, stretch(section)]).max()) / count


def spread_places(places: FloatArray, spacing: float) -> IntArray:
    """Of places (m, 2) on the page those nearest to the middles of squares of a side, one in each that has any and
    none that is nearer than 0.6 of it to another."""
    place = (places - places.min(axis=0)) / spacing
    square = np.floor(place)
    distance = np.hypot(*(place - square - 0.5).T)
    order = np.lexsort((distance, square[:, 1], square[:, 0]))
    first = np.ones(len(order), bool)
    first[1:] = (square[order][1:] != square[order][:-1]).any(axis=1)
    # Without those that crowd one before, in a square beside theirs.
    kept: dict[tuple[int, int], int] = {}
    for each in order[first].tolist():
        i, j = square[each].astype(int).tolist()
        beside = (kept.get((i + a, j + b)) for a in (-1, 0, 1) for b in (-1, 0, 1))
        if all(other is None or np.hypot(*(place[each] - place[other])) > _NEAR for other in beside):
            kept[i, j] = each
    return np.array(list(kept.values()), np.int64)


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


def vectors(result: Result, ax: Axes, section: Slice | None = None, count: int = 22) -> Axes:
    """In-plane velocity at about ``count`` places along the longer side of a slice.

    Each arrow starts at the polygon nearest to the middle of a square of the page; above the axes is one for a round
    speed. Nothing is drawn where the fluid is at rest or moves through the plane only. Raises OptionError for a result
    without a mesh.
    """
    flow = flow_of(result)
    section = section or section_of(flow.mesh)
    if not ax.collections:
        frame(ax, section)
    velocity = section.values(flow.velocity, flow.location) @ section.plane.axes.T
    chosen = spread_places(section.centers * [1, stretch(section)], spacing_of(section, count))
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


# Radius of the circles in distances between them, and the strain of the fastest.
_RADIUS, _STRAIN = 0.26, 0.6
_SIDES = 48


def ellipses(gradient: VelocityGradient, ax: Axes, section: Slice | None = None, count: int = 18) -> Axes:
    """D in the plane of a slice at about ``count`` places along its longer side: ellipses that small circles would
    be after a time δt at these rates, exp(D δt), without their spin, with the direction that is stretched and the one
    that is compressed.

    The title says δt, after which the fastest has a strain of 0.6; above the 98th percentile of the rates the strain
    is that at it. They lie over what has been drawn. Raises OptionError for a gradient without a mesh.
    """
    section = section or section_of(flow_of(gradient).mesh)
    if not ax.collections:
        frame(ax, section)
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
    gradient: VelocityGradient, section: Slice, count: int
) -> tuple[NDArray[np.int64], FloatArray, FloatArray]:
    """Polygons (m,) at evenly spread places, the principal rates (m, 2) of D in the plane there, the lower first, and
    their directions as columns (m, 2, 2)."""
    location = gradient.location or "points"
    if location == "positions":
        raise OptionError("D at positions cannot be drawn on a slice: take the gradient at points or cells")
    across = section.plane.axes
    chosen = spread_places(section.centers * [1, stretch(section)], spacing_of(section, count))
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
