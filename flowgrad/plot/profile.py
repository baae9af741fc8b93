"""Profiles along a line: the exact values that a mesh has on it, several results over one another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.kinematics import QUANTITIES, VelocityGradient
from flowgrad.mesh import Mesh
from flowgrad.mesh.planar import FLAT
from flowgrad.plot.axes import NOTHING, apart, legend_rows, linear, number
from flowgrad.plot.cut import cut, section_of
from flowgrad.plot.distribution import note_empty
from flowgrad.plot.plane import equation, plane, plane_of_surface
from flowgrad.plot.scalar_field import Drawn, ScalarField, mesh_of, scalar_field
from flowgrad.plot.slice import Slice
from flowgrad.plot.style import CATEGORIES
from flowgrad.typing import FloatArray

# A vertex within this fraction of the line's length of it lies on it.
_ON_LINE = 1e-9


@dataclass(frozen=True, eq=False)
class Line:
    """The way from ``start`` (3,) to ``end`` (3,), its ``length``, and the coordinate ``axis`` that it runs along, None
    for an oblique one."""

    start: FloatArray
    end: FloatArray
    length: float
    axis: int | None

    @classmethod
    def between(cls, start: ArrayLike, end: ArrayLike, z: float = 0.0) -> Line:
        """From points (3,) or (2,), which have the given z; OptionError for others and for two that are one."""
        ends = [np.asarray(each, float) for each in (start, end)]
        for each in ends:
            if each.shape not in ((2,), (3,)) or not np.isfinite(each).all():
                raise OptionError(f"a line ends at {each.tolist()}: give two or three finite coordinates")
        ends = [np.append(each, z)[:3] for each in ends]
        if (ends[0] == ends[1]).all():
            raise OptionError(f"the line begins and ends at {ends[0].tolist()}: give two different points")
        axes = np.flatnonzero(ends[1] != ends[0])
        return cls(ends[0], ends[1], float(np.linalg.norm(ends[1] - ends[0])), int(axes[0]) if len(axes) == 1 else None)

    def at(self, way: FloatArray | float) -> Any:
        """What the axis of a figure shows for a distance from the start: that coordinate, or the distance."""
        if self.axis is None:
            return way
        return self.start[self.axis] + way * np.sign(self.end[self.axis] - self.start[self.axis])

    @property
    def where(self) -> str:
        """The coordinates that stay, or those of both ends."""
        if self.axis is not None:
            return ", ".join(f"{'xyz'[k]} = {number(self.start[k], 4)}" for k in range(3) if k != self.axis)
        ends = ["(" + ", ".join(number(part, 4) for part in each + 0.0) + ")" for each in (self.start, self.end)]
        return f"{ends[0]} to {ends[1]}"


@dataclass(frozen=True, eq=False)
class Crossings:
    """Segments of a line in cells, from ``first`` to ``last`` (k,), counted from its start, and the values at these
    (k, 2), NaN where they are not known."""

    first: FloatArray
    last: FloatArray
    values: FloatArray


def profile(results: Drawn | Mapping[str, Drawn], name: str, ax: Axes, start: ArrayLike, end: ArrayLike) -> Axes:
    """A quantity, as ``field`` takes it, along the line from ``start`` to ``end``, of one result or of several by the
    names of the legend.

    The line is cut where it goes from cell to cell: values of cells make steps, those of points go straight from one
    crossing to the next; holes are gaps. Where the standard deviation is known a band of one is drawn. Raises
    OptionError for a line that meets no cell or is not in the plane of a planar mesh, a result without a mesh and an
    unknown quantity. Ends (2,) have the height z of the middle of the first mesh.
    """
    several = dict(results) if isinstance(results, Mapping) else {"": results}
    if not several:
        return note_empty(ax)
    meshes = {title: mesh_of(result) for title, result in several.items()}
    heights = next(iter(meshes.values())).structure.used_points[:, 2]
    line = Line.between(start, end, float(heights.min() + heights.max()) / 2)
    colours: Sequence[Any] = CATEGORIES[:-1]
    if len(several) > len(colours):
        colours = list(colormaps["viridis"](np.linspace(0, 0.9, len(several))))
    label = ""
    for (title, result), colour in zip(several.items(), colours, strict=False):
        what = scalar_field(result, name)
        label = what.label
        _check_plane(meshes[title], line, title)
        met = along(meshes[title], line, what.values, what.location)
        if not len(met.first):
            raise OptionError(
                f"{title}{': ' if title else ''}the line from {line.start.tolist()} to {line.end.tolist()} meets no "
                "cell: choose another"
            )
        x, y = _joined(met)
        # Dollar signs begin no formula, and matplotlib leaves out of a legend what begins with an underscore.
        named = title.replace("$", r"\$")
        named = NOTHING + named if named.startswith("_") else named
        ax.plot(line.at(x), y, color=colour, label=named or None, lw=1.1)
        _draw_band(ax, result, what, line, colour)
    way = "distance from the start" if line.axis is None else "xyz"[line.axis]
    ax.set(xlabel=f"{way} [L]", ylabel=label, xlim=(line.at(0.0), line.at(line.length)))
    ax.set_title(line.where, loc="left")
    ax.set_ylim(apart(*ax.get_ylim()))
    linear(ax.xaxis)
    linear(ax.yaxis)
    if len(several) > 1:
        legend_rows(ax)
    return ax


def _check_plane(mesh: Mesh, line: Line, title: str) -> None:
    """OptionError for a line that would have to be projected on a planar mesh."""
    if mesh.dimension != 2 or mesh.structure.normal is None:
        return
    points, ends = mesh.structure.used_points, np.stack([line.start, line.end])
    found = plane_of_surface(mesh)
    size = float(np.ptp(points, axis=0).max())
    if np.abs(ends @ found.normal - found.level).max() > FLAT * size:
        where = equation(found.normal, found.level)
        raise OptionError(
            f"{title}{': ' if title else ''}the line from {line.start.tolist()} to {line.end.tolist()} is not in the "
            f"plane of the mesh ({where}): give ends in it, or two coordinates of each where it is normal to z"
        )


def along(mesh: Mesh, line: Line, values: FloatArray, location: str) -> Crossings:
    """Crossings of a line with the cells of a surface or solid mesh, in order along the line, with the values (n,) that
    live at ``location``."""
    section = _section_along(mesh, line)
    ends = np.stack([line.start, line.end]) @ section.plane.axes.T
    direction = ends[1] - ends[0]
    length = float(np.hypot(*direction))
    if length < _ON_LINE * line.length:
        raise OptionError("the line runs across the plane of the mesh: choose one in it")
    direction /= length
    arms = section.vertices - ends[0]
    ways, sides = arms @ direction, arms @ [-direction[1], direction[0]]
    sides[np.abs(sides) <= _ON_LINE * max(length, float(section.spans.max()))] = 0.0
    at_vertices = section.at_vertices(values, location)
    return _ordered(*_segments(section, ways, sides, at_vertices), length)


def _section_along(mesh: Mesh, line: Line) -> Slice:
    """The slice that holds the line: the surface itself, or a cut along the coordinate axis nearest to it."""
    if mesh.dimension != 3:
        return section_of(mesh)
    direction = (line.end - line.start) / line.length
    axis = np.eye(3)[2 - int(np.argmin(np.abs(direction[::-1])))]
    normal = axis - (axis @ direction) * direction
    normal /= np.linalg.norm(normal)
    return cut(mesh, plane(normal, float(normal @ line.start)))


def _segments(section: Slice, ways: FloatArray, sides: FloatArray, values: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Ways (k, 2) at which the line enters and leaves polygons, and the values there (k, 2)."""
    following = section.following
    above = sides > 0
    if not above.any():
        above = sides >= 0
    crossing = np.flatnonzero(above != above[following])
    ahead = following[crossing]
    share = sides[crossing] / (sides[crossing] - sides[ahead])
    where = ways[crossing] + share * (ways[ahead] - ways[crossing])
    found = values[crossing] + share * (values[ahead] - values[crossing])
    polygon = section.owners[crossing]
    order = np.lexsort((where, polygon))
    return where[order].reshape(-1, 2), found[order].reshape(-1, 2)


def _ordered(where: FloatArray, values: FloatArray, length: float) -> Crossings:
    """Segments of some length within the line, in order."""
    low, high = np.clip(where, 0, length).T
    longer = high - low > _ON_LINE * length
    where, values, low, high = where[longer], values[longer], low[longer], high[longer]
    slope = ((values[:, 1] - values[:, 0]) / (where[:, 1] - where[:, 0]))[:, None]
    clipped = values[:, :1] + slope * (np.column_stack([low, high]) - where[:, :1])
    order = np.argsort(low, kind="stable")
    return Crossings(low[order], high[order], clipped[order])


def _joined(met: Crossings) -> tuple[FloatArray, FloatArray]:
    """Positions and values from segment to segment, NaN in the gaps between them."""
    if not len(met.first):
        return np.empty(0), np.empty(0)
    gap = np.append(met.first[1:] - met.last[:-1] > 1e-6 * float(np.ptp(met.last)), False)
    x = np.column_stack([met.first, met.last, np.where(gap, met.last, np.nan)])
    y = np.column_stack([met.values, np.full(len(gap), np.nan)])
    kept = np.column_stack([np.ones((len(gap), 2), bool), gap])
    return x[kept], y[kept]


def _draw_band(ax: Axes, result: Drawn, what: ScalarField, line: Line, colour: Any) -> None:
    """One standard deviation to both sides."""
    if not isinstance(result, VelocityGradient) or result.location != what.location:
        return
    if what.name not in QUANTITIES or not result.carries_noise(what.name):
        return
    spread = scalar_field(result, f"std({what.name})")
    mesh = mesh_of(result)
    low, high = (along(mesh, line, what.values + sign * spread.values, what.location) for sign in (-1, 1))
    x, lower = _joined(low)
    ax.fill_between(line.at(x), lower, _joined(high)[1], color=colour, alpha=0.2, lw=0)
