"""Walls in the report: which faces they are, their shear rate, and averages over time, in colours and by patch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from markupsafe import Markup
from matplotlib.axes import Axes

from flowgrad import plot
from flowgrad.flow import Flow
from flowgrad.plot.axes import linear
from flowgrad.plot.scalar_field import scalar_field
from flowgrad.plot.style import BLUE, NO_VALUE
from flowgrad.report import embed
from flowgrad.report.pictures import Picture, picture
from flowgrad.report.template import html, number, render
from flowgrad.typing import FloatArray
from flowgrad.walls import OVER_TIME, Walls, WallStatistics, wall_statistics_summary
from flowgrad.walls.result import surface_mesh
from flowgrad.walls.selection import across_layer

# Widths of pictures in inches.
_WALL, _LINE = 3.5, 3.3
_AXES = "xyz"
HEADINGS = ("least", "5 %", "median", "mean", "95 %", "greatest")
_VALUES = ("minimum", "percentile_5", "median", "mean", "percentile_95", "maximum")


@dataclass(frozen=True)
class AverageRow:
    """One average on one patch: name, what it is, symbol, dimension, and the numbers of the table's columns."""

    patch: str
    name: str
    description: str
    symbol: Markup
    dimension: str
    values: tuple[str, ...]


def taken(walls: Walls) -> list[Picture]:
    """The walls among the faces of the boundary, with their shear rate: as they are seen from outside, of a planar flow
    and one a cell thick in its plane."""
    flow = walls.flow
    behind = across_layer(flow)
    if flow.mesh.dimension == 3 and not behind.any():
        every = surface_mesh(flow.mesh, np.arange(len(behind)))
        rate = np.full(len(behind), np.nan)
        rate[walls.faces] = walls.wall_shear_rate
        shown = Flow(every, np.zeros((len(every), 3)), "cells", cell_data={"wall_shear_rate": rate})
        seen = plot.boundary(every)
        draw = partial(plot.field, shown, "wall_shear_rate", section=seen)
        caption = "The boundary from outside: shear rate on the walls, the rest of it grey."
        return [picture(draw, caption, *plot.size_for(seen, _WALL), embed.raster)]
    centers = flow.mesh.topology.boundary_geometry[1]
    spread = np.ptp(centers[~behind], axis=0)
    first, second = sorted(np.argsort(spread)[-2:])
    plane = partial(_in_plane, centers[~behind], walls.centroids, int(first), int(second))
    pictures = [picture(plane, "Middles of the boundary's faces: those of the walls blue, the rest grey.", _LINE)]
    return [*pictures, picture(partial(_rate_along, walls), "Wall shear rate, and its estimated error as bars.", _LINE)]


def _in_plane(every: FloatArray, walls: FloatArray, first: int, second: int, ax: Axes) -> Axes:
    for places, colour in ((every, NO_VALUE), (walls, BLUE)):
        ax.plot(places[:, first], places[:, second], ".", markersize=3, color=colour)
    for each in (ax.xaxis, ax.yaxis):
        linear(each)
    ax.set(xlabel=f"${_AXES[first]}$ [L]", ylabel=f"${_AXES[second]}$ [L]")
    return ax


def _rate_along(walls: Walls, ax: Axes) -> Axes:
    """Against the coordinate along which the walls are longest."""
    axis, shown = longest(walls.centroids, walls.normals, walls.areas), scalar_field(walls, "wall_shear_rate")
    error = np.where(np.isfinite(walls.error), walls.error, 0.0)
    about = {"markersize": 3, "color": BLUE, "ecolor": NO_VALUE, "elinewidth": 1}
    ax.errorbar(walls.centroids[:, axis], shown.values, error, fmt=".", **about)  # type: ignore[arg-type]
    for each in (ax.xaxis, ax.yaxis):
        linear(each)
    ax.set(xlabel=f"${_AXES[axis]}$ [L]", ylabel=shown.label)
    return ax


def longest(places: FloatArray, normals: FloatArray, areas: FloatArray) -> int:
    """The coordinate along which faces reach farthest, all of them together: those of two parallel walls lie along
    them, however far apart they are."""
    reach = areas @ np.sqrt(np.clip(1 - np.nan_to_num(normals) ** 2, 0, None))
    return int(np.argmax(np.where(np.ptp(places, axis=0) > 0, reach, -1.0)))


def over_time(found: WallStatistics) -> Markup:
    """The part of a page on averages over time: pictures, table and notes."""
    summary = wall_statistics_summary(found)
    names = [name for name in OVER_TIME if name in next(iter(summary["patches"].values()))]
    rows = [
        AverageRow(
            patch,
            record.words or record.name.replace("_", " "),
            record.description,
            html(record.symbol),
            "–" if record.dimension == "1" else record.dimension,
            tuple(number(values[record.name][key]) for key in _VALUES),
        )
        for patch, values in summary["patches"].items()
        for record in map(found.record, names)
    ]
    return Markup(
        render(
            "walls.html",
            steps=found.steps,
            start=number(found.start),
            end=number(found.end),
            shown=f"the walls {'along their length' if found.surface.mesh.dimension < 2 else 'from outside'}",
            pictures=pictures(found, names),
            headings=HEADINGS,
            rows=rows,
            notes=summary["notes"],
        )
    )


def pictures(found: WallStatistics, names: list[str]) -> list[Picture]:
    """Each average on the walls as they are seen from outside, or of a planar flow along its longest side."""
    if found.surface.mesh.dimension < 2:
        return [picture(partial(_along, found, name), _caption(found, name), _LINE) for name in names]
    seen = plot.boundary(found.surface.mesh)
    size = plot.size_for(seen, _WALL)
    return [
        picture(partial(plot.field, found, name, section=seen), _caption(found, name), *size, embed.raster)
        for name in names
        if np.isfinite(found.arrays[name]).any()
    ]


def _caption(found: WallStatistics, name: str) -> str:
    record = found.record(name)
    return f"{record.description[:-1]} ({record.reference})."


def _along(found: WallStatistics, name: str, ax: Axes) -> Axes:
    """An average on the lines that are the walls of a planar flow, against the coordinate along which these are
    longest."""
    axis = longest(found.centroids, found.surface.normals, found.surface.areas)
    shown = scalar_field(found, name)
    ax.plot(found.centroids[:, axis], shown.values, ".", markersize=3, color=BLUE)
    for each in (ax.xaxis, ax.yaxis):
        linear(each)
    ax.set(xlabel=f"${_AXES[axis]}$ [L]", ylabel=shown.label.replace(" [", "\n["))
    return ax
