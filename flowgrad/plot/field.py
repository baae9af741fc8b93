"""Fields on a slice: cells in their own colour or point values smoothly between the points, and arrows of vectors and
ellipses of D over them."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import Collection, LineCollection, PolyCollection, TriMesh
from matplotlib.patches import Patch
from matplotlib.tri import Triangulation
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.kinematics import GIVEN, QUANTITIES, VelocityGradient
from flowgrad.plot.axes import (
    Colours,
    colours,
    frame,
    inches,
    is_wide,
    linear,
    named_ticks,
    number,
    reference_arrow,
    stretch,
)
from flowgrad.plot.cut import section_of
from flowgrad.plot.scalar_field import Drawn, Result, flow_of, mesh_of, scalar_field
from flowgrad.plot.slice import Slice, areas_of, smooth_triangles
from flowgrad.plot.style import BLUE, NO_VALUE, VERMILION, figure_of
from flowgrad.typing import BoolArray, FloatArray, IntArray

# More polygons than this become a picture inside a vector figure.
_RASTERIZE = 2000
# Thickness of the colour bar, its distance to the right and below, in inches.
_BAR, _GAP, _BELOW = 0.09, 0.08, 0.51


def field(
    result: Drawn, name: str, ax: Axes, section: Slice | None = None, *, limits: tuple[float, float] | None = None
) -> Axes:
    """A quantity, ``velocity``, ``viscosity``, ``error``, ``std(NAME)`` or an array of the file on a slice of its
    mesh, with a colour bar; or what is known on walls, or follows from paths that begin at the points of a mesh.

    Vectors and tensors are shown by their magnitude. Cells have the colour of their value, point values go over
    smoothly; grey has no value. Unless ``limits`` are given the colours leave out outliers, at most 2 % of the area at
    each end, and the bar says how much is beyond and how far. Raises OptionError for a result without a mesh and for
    an unknown quantity.
    """
    section = section or section_of(mesh_of(result))
    what = scalar_field(result, name)
    known = np.where(np.isfinite(what.values), what.values, np.nan)
    values = section.values(known, what.location)
    if what.location == "points":
        smooth = smooth_triangles(section, section.at_vertices(known, "points"))
        chosen = colours(what.scale, smooth.values, areas_of(smooth.places, smooth.triangles), limits)
        # A polygon with a vertex without value is grey.
        mesh = TriMesh(Triangulation(smooth.places[:, 0], smooth.places[:, 1], smooth.triangles), rasterized=True)
        ax.add_collection(mesh, autolim=False)
        _paint(mesh, smooth.values, chosen, None if section.shades is None else section.shades[smooth.polygons])
    else:
        chosen = colours(what.scale, values, section.areas, limits)
        _paint(draw_polygons(ax, section.outlines), values, chosen, section.shades, edgecolor="face")
    frame(ax, section)
    colour_bar(ax, chosen, what.label)
    _note_missing(ax, section, np.isnan(values), bool(np.isinf(what.values).any()))
    return ax


def draw_polygons(ax: Axes, outlines: FloatArray) -> PolyCollection:
    """Polygons (k, n, 2); lines of their own colour close the seams between neighbours."""
    rasterized = len(outlines) > _RASTERIZE
    given: Any = outlines
    polygons = PolyCollection(given, linewidths=0.5, joinstyle="round", rasterized=rasterized, snap=False)
    ax.add_collection(polygons, autolim=False)
    return polygons


def _paint(drawn: Collection, values: FloatArray, chosen: Colours, shades: FloatArray | None, **more: str) -> None:
    """The parts of what is drawn in the colours of their ``values`` (k,), dimmed by ``shades`` (k,)."""
    known = np.ma.masked_invalid(values)
    if shades is None:
        drawn.set(array=known, cmap=chosen.map, norm=chosen.norm, **more)
    else:
        drawn.set(facecolor=shaded(chosen.map(chosen.norm(known)), shades), **more)


def shaded(colours: FloatArray, shades: FloatArray | None) -> FloatArray:
    """Colours (k, 4) dimmed by shades (k,)."""
    return colours if shades is None else np.column_stack([colours[:, :3] * shades[:, None], colours[:, 3]])


def colour_bar(ax: Axes, chosen: Colours, label: str) -> None:
    """Below a wide picture, else to its right; fixed to the axes, whatever their aspect makes of them."""
    width, height = inches(ax)
    wide = is_wide(ax)
    place = (0.0, -_BELOW / height, 1.0, _BAR / height) if wide else (1 + _GAP / width, 0.0, _BAR / width, 1.0)
    bar = figure_of(ax).colorbar(
        ScalarMappable(chosen.norm, chosen.map),
        cax=ax.inset_axes(place),
        orientation="horizontal" if wide else "vertical",
        extend=chosen.extend,
        extendfrac=0.03,
    )
    bar.set_label(f"{label}\n({chosen.note})" if chosen.note else label)
    bar.outline.set_linewidth(0.4)
    if chosen.ticks:
        bar.set_ticks(list(chosen.ticks), labels=named_ticks(chosen.ticks, "\n" if wide else " "))
    else:
        linear(bar.ax.xaxis if wide else bar.ax.yaxis)


def _note_missing(ax: Axes, section: Slice, missing: BoolArray, infinite: bool) -> None:
    """Legend that says what grey means and how much of the area it is, if any."""
    if missing.any():
        share = 100 * float(section.areas[missing].sum() / section.areas.sum())
        text = f"no {'finite ' * infinite}value: {'< 0.1' if share < 0.1 else f'{share:.3g}'} % of the area"
        ax.legend(
            handles=[Patch(facecolor=NO_VALUE, edgecolor="0.45", linewidth=0.4, label=text)],
            loc="lower left",
            bbox_to_anchor=(0, 1.0),
            borderaxespad=0.2,
            handlelength=1.2,
        )


# Hatching of what was not measured, and the crosses on outliers.
_HATCH = "////"
# The share of a point in a value from which this is its value.
_MOSTLY = 0.5


def mark_left_out(result: Result, ax: Axes, section: Slice | None = None) -> Axes:
    """Crosses on the outliers among the velocities, and hatching over what was not measured, on a field of a slice,
    with a legend; nothing where there are neither. Raises OptionError for a result without a mesh."""
    flow = flow_of(result)
    section = section or section_of(flow.mesh)
    handles: list[Artist] = []
    missing = ~np.isfinite(section.values(flow.velocity, flow.location)).all(axis=1)
    if flow.outlier is not None:
        by_cell = flow.location == "cells"
        at = section.centers[flow.outlier[section.cells]] if by_cell else _vertices_of(section, flow.outlier)
        label = f"{flow.outlier.sum()} outlier{'s' * int(flow.outlier.sum() > 1)}, left out"
        cross: Any = {"markersize": 5.5, "markerfacecolor": _FACE, "markeredgecolor": _EDGE, "markeredgewidth": 0.5}
        handles += ax.plot(*at.T, "X", **cross, label=label)
    if missing.any():
        outlines: Any = section.outlines[missing]
        about: dict[str, Any] = {"facecolor": NO_VALUE, "edgecolor": "0.55", "hatch": _HATCH, "linewidth": 0.0}
        ax.add_collection(PolyCollection(outlines, **about), autolim=False)
        share = 100 * float(section.areas[missing].sum() / section.areas.sum())
        handles.append(Patch(**about, label=f"not measured: {number(share)} % of the area"))
    if handles:
        ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), borderaxespad=0.2, handlelength=1.2)
    return ax


def _vertices_of(section: Slice, points: BoolArray) -> FloatArray:
    """The vertices (m, 2) that mostly are one of these points of the mesh, each once."""
    chosen = section.at_vertices(points, "points") > _MOSTLY
    return section.vertices[chosen][np.unique(section.keys[chosen], return_index=True)[1]]


def uncertainty(gradient: VelocityGradient, name: str, ax: Axes, section: Slice | None = None) -> Axes:
    """The standard deviation of a quantity where the noise of the velocity is known, else the estimated error of the
    gradient, on a slice of its mesh: to be put beside ``field`` of the quantity.

    Raises OptionError where neither is known.
    """
    return field(gradient, measure_of(gradient, name), ax, section)


def measure_of(gradient: VelocityGradient, name: str) -> str:
    """The measure of a quantity's uncertainty: ``std(NAME)`` or ``error``, as ``field`` takes them."""
    if name not in QUANTITIES:
        raise OptionError(
            f"{name} has no uncertainty: only quantities of the gradient do; choose one of flowgrad list quantities"
        )
    if gradient.carries_noise(name):
        return f"std({name})"
    if gradient.error is not None:
        return "error"
    raise OptionError(
        f"the uncertainty of {name} is not known: give the noise of the velocity (--noise, noise= in Python) or ask "
        "for an estimate of the error (--error, error=True)"
    )


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
