"""Fields on a slice: each cell in its own colour, point values smoothly between the points."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.collections import Collection, PolyCollection, TriMesh
from matplotlib.patches import Patch
from matplotlib.tri import Triangulation

from flowgrad.errors import OptionError
from flowgrad.kinematics import QUANTITIES, VelocityGradient
from flowgrad.plot.axes import frame, inches, is_wide, linear, named_ticks
from flowgrad.plot.colours import Colours, colours
from flowgrad.plot.cut import section_of
from flowgrad.plot.scalar_field import Drawn, mesh_of, scalar_field
from flowgrad.plot.slice import Slice, areas_of, smooth_triangles
from flowgrad.plot.style import NO_VALUE, figure_of
from flowgrad.typing import BoolArray, FloatArray

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
