"""Times of a table: rows of several times become a step each, never one field.

Positions that come again at other times (Eulerian data, as those of particle image velocimetry) make one mesh for all
steps, on which a row that a time lacks is a vector that was not found; positions of their own at each time (tracked
particles) make a mesh for each.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.formats import Arrays, Contents, Step, seconds_in
from flowgrad.io.point_samples import Placed, contents_of, name_and_unit, plain
from flowgrad.typing import FloatArray

log = logging.getLogger("flowgrad")

_NAMES = frozenset(
    [
        "time",
        "timevalue",
        "solutiontime",
        "physicaltime",
        "flowtime",
        "timestep",
        "frame",
        "framenumber",
        "frameindex",
        "snapshot",
        "image",
        "imagenumber",
    ]
)
# Fewer rows of one time are no field.
_FEWEST = 4
# A mesh is that of all times where a position comes so many times on average.
_AGAIN = 1.3


def time_column(columns: Arrays) -> str | None:
    """The column that tells the time of each row: ``t``, not the ``T`` of a temperature, ``time``, ``frame``, …"""
    for name, values in columns.items():
        word = name_and_unit(name)[0]
        if values.ndim == 1 and (word == "t" or plain(word) in _NAMES):
            return name
    return None


def steps_of_rows(path: Path, points: FloatArray, columns: Arrays, units: Mapping[str, str]) -> Sequence[Step] | None:
    """A step for each time, rising, in seconds where the unit is known, of rows at ``points`` (n, 3) with ``columns``
    (n, …); None for a table of one field, which it is without a column of times too, and where each row was measured at
    a time and a position of its own.

    Raises ReadError for rows without a time, for positions that come twice at one time and for ones that come again at
    times that few rows share.
    """
    name = time_column(columns)
    if name is None or len(points) < _FEWEST:
        return None
    told = columns[name]
    if not np.isfinite(told).all():
        raise ReadError(f"{np.sum(~np.isfinite(told))} of {len(told)} rows have no '{name}': leave such rows out")
    times, step_of = np.unique(told, return_inverse=True)
    data = {key: values for key, values in columns.items() if key != name}
    seconds = (times * seconds_in(units.get(name) or name_and_unit(name)[1])).tolist()
    if len(times) == 1:
        # The number of a frame is no time.
        counts = plain(name) == "t" or "time" in plain(name)
        every = np.arange(len(points))
        return [Step(path, seconds[0], partial(_own_points, path, points, data, units, every))] if counts else None
    places, first, place_of = np.unique(points, axis=0, return_index=True, return_inverse=True)
    comes_again = len(points) > _AGAIN * len(places)
    if len(times) * _FEWEST > len(points):
        if comes_again:
            raise ReadError(
                f"has {len(times)} values of '{name}' in {len(points)} rows at {len(places)} positions: give the rows "
                "of one field one time, or average them at each position"
            )
        log.info("%s: each of its rows has its own '%s': they are taken as one field", path, name)
        return None
    rows = np.split(np.argsort(step_of, kind="stable"), np.cumsum(np.bincount(step_of))[:-1])
    for time, here in zip(times, rows, strict=True):
        if len(np.unique(place_of[here])) < len(here):
            raise ReadError(
                f"has {len(here)} rows at {len(np.unique(place_of[here]))} positions at {name} = {time:g}: a position "
                "has one velocity at a time"
            )
    if not comes_again:
        contents = partial(_own_points, path, points, data, units)
    else:
        # In the order of the file.
        order = np.argsort(first)
        number = np.empty(len(order), np.intp)
        number[order] = np.arange(len(order))
        contents = partial(_same_points, path, Placed.at(points[first[order]]), number[place_of], data, units)
    return [Step(path, time, partial(contents, here)) for time, here in zip(seconds, rows, strict=True)]


def _own_points(
    path: Path, points: FloatArray, columns: Arrays, units: Mapping[str, str], rows: np.ndarray
) -> Contents:
    return contents_of(path, points[rows], {name: values[rows] for name, values in columns.items()}, units=units)


def _same_points(
    path: Path, placed: Placed, place_of: np.ndarray, columns: Arrays, units: Mapping[str, str], rows: np.ndarray
) -> Contents:
    """The rows of one time on the mesh of all; NaN at the points that it lacks."""
    count = int(place_of.max()) + 1
    lacking = count - len(rows)
    if not lacking:
        at = np.argsort(place_of[rows])
        return placed.contents(path, {name: values[rows[at]] for name, values in columns.items()}, units)
    log.info("%s: %d of %d positions have no row at this time: no vector was found there", path, lacking, count)
    data = {}
    for name, values in columns.items():
        data[name] = np.full((count, *values.shape[1:]), np.nan)
        data[name][place_of[rows]] = values[rows]
    return placed.contents(path, data, units)
