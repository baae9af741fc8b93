"""A Dataset of xarray on a grid, or a series of them, as flows on a lattice."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.interop.given import flow_in, numeric, refuse_complex, tool
from flowgrad.interop.periods import lengths, vectors
from flowgrad.interop.remembered import RECORD, recalled
from flowgrad.io.contents import Contents
from flowgrad.mesh import Lattice
from flowgrad.series import Series

_SOURCE = Path("the xarray data set")
_TIMES = ("time", "t")
_EPOCH = np.datetime64(0, "s")
CELL = "_cell"
# Attributes: the name of an array whose variable has another, the name of a field, the periods of the axes.
NAME, FIELD, PERIODS = "flowgrad_name", "flowgrad_field", "flowgrad_periods"


def from_xarray(data: Any, velocity: str | None = None, location: str | None = None, **about: Any) -> Flow | Series:
    """The flow in a Dataset, or the series in one with a dimension ``time`` (``t``): its variables on the grid of the
    coordinates ``x``, ``y`` and, in space, ``z``, along the axes or of every point, whatever the order of their
    dimensions. Variables on ``x_cell`` … are values in cells.

    The velocity is a variable with a dimension of two or three components, or variables ``u``, ``v``, ``w``; options as
    those of :func:`flowgrad.read`. Times that are dates become seconds since the first, the date of a Dataset of one
    time seconds since 1970. Raises OptionError for coordinates that are missing or make no grid, for variables that are
    neither on it nor without it, and for times that are none.
    """
    if not isinstance(data, tool("xarray", "xarray").Dataset):
        raise OptionError(f"{type(data).__name__} is no xarray.Dataset: give one, of a DataArray its to_dataset()")
    about = {"velocity": velocity, "location": location, **about}
    axis = next((name for name in _TIMES if name in data.dims), None)
    lattice, dims = _grid(data, axis)
    if axis is None:
        name = next((name for name in _TIMES if name in data.coords and not data[name].ndim), None)
        time = None if name is None else float(_seconds(data[name].values[None], _EPOCH)[0])
        return _flow(data, lattice, dims, time, about)
    times = _seconds(data[axis].values) if axis in data.coords else np.arange(data.sizes[axis], dtype=float)
    makers = [partial(_step, data, axis, number, lattice, dims, float(t), about) for number, t in enumerate(times)]
    return Series(tuple(makers))


def _step(
    data: Any,
    axis: str,
    number: int,
    lattice: Lattice,
    dims: Sequence[str],
    time: float,
    about: Mapping[str, Any],
) -> Flow:
    return _flow(data.isel({axis: number}), lattice, dims, time, about)


def _flow(data: Any, lattice: Lattice, dims: Sequence[str], time: float | None, about: Mapping[str, Any]) -> Flow:
    attributes = {name: value for name, value in data.attrs.items() if name not in (PERIODS, RECORD)}
    fields = {name: np.atleast_1d(value) for name, value in attributes.items() if _is_number(value)}
    places: dict[str, dict[str, np.ndarray]] = {"points": {}, "cells": {}}
    for key, variable in data.data_vars.items():
        if FIELD in variable.attrs:
            fields[variable.attrs[FIELD]] = variable.values
            continue
        place, values = _placed(key, variable, lattice, dims)
        name = _name(str(key), variable)
        if name in places[place]:
            raise OptionError(f"{_SOURCE} has two variables '{name}' at the {place}: rename one")
        places[place][name] = values
    points, cells = (numeric(each, _SOURCE) for each in places.values())
    contents = Contents(lattice, _SOURCE, points, cells, numeric(fields, _SOURCE), time)
    return dataclasses.replace(flow_in(contents, about, recalled(data.attrs.get(RECORD))), time=time)


def _name(key: str, variable: Any) -> str:
    """The name of a variable's array, which is another where it was taken and nobody has renamed it since."""
    name = str(variable.attrs.get(NAME, key))
    return name if re.fullmatch(f"{re.escape(name)}({CELL})?_*", key) else key


def _placed(key: Any, variable: Any, lattice: Lattice, dims: Sequence[str]) -> tuple[str, np.ndarray]:
    """Whether a variable is at the points or the cells, and its values (n, …) in their order."""
    for place, own, full in (
        ("points", list(dims), lattice.shape),
        ("cells", [f"{dim}{CELL}" for dim in dims], lattice.cell_shape),
    ):
        if set(own) <= set(variable.dims):
            values = _in_order(variable, own)
            if np.prod(values.shape[: len(own)]) != np.prod(full):
                break
            return place, lattice.flat(values.reshape(*full, *values.shape[len(own) :]))
    raise OptionError(
        f"{_SOURCE}: '{key}' has the dimensions {dict(variable.sizes)}, not those of the grid {tuple(dims)}: drop "
        "it, or put it on the grid"
    )


def _is_number(value: Any) -> bool:
    return np.asarray(value).dtype.kind in "fiub"


def _in_order(variable: Any, place: Sequence[str]) -> np.ndarray:
    rest = [dim for dim in variable.dims if dim not in place]
    return np.asarray(variable.transpose(*place, *rest).values)


def _grid(data: Any, time: str | None) -> tuple[Lattice, list[str]]:
    """The lattice of the coordinates, and the names of its dimensions along its axes."""
    given = {axis: _coordinate(data, axis) for axis in "xyz"}
    missing = [axis for axis in "xy" if given[axis] is None]
    if missing:
        raise OptionError(
            f"{_SOURCE} has no coordinate '{missing[0]}' among {', '.join(map(str, data.coords)) or 'none'}: rename "
            "the coordinates of its grid to x, y and, in space, z"
        )
    periods = data.attrs.get(PERIODS)
    found = [each for each in given.values() if each is not None]
    refuse_complex({each.name: each.values for each in found}, _SOURCE)
    odd = next((each for each in found if each.dtype.kind not in "fiu"), None)
    if odd is not None:
        raise OptionError(f"{_SOURCE}: the coordinate '{odd.name}' is {odd.dtype}, not numbers: give positions")
    if all(each.ndim < 2 for each in found):
        values = [np.asarray(each.values, np.float64) for each in found]
        x, y, z = [*values, np.zeros(1), np.zeros(1)][:3]
        lattice = Lattice.rectilinear(x, y, z, periodic=lengths(None if periods is None else np.asarray(periods)))
        return lattice, [str(each.dims[0]) for each in found if each.size > 1 or each.ndim]
    dims = max((each.dims for each in found), key=len)
    if any(each.ndim and set(each.dims) != set(dims) for each in found) or time in dims:
        shapes = ", ".join(f"{each.name} {each.dims}" for each in found)
        raise OptionError(f"{_SOURCE} has coordinates on different dimensions ({shapes}): give them alike")
    shape = tuple(data.sizes[dim] for dim in dims)
    values = [np.broadcast_to(each.transpose(*dims).values if each.ndim else each.values, shape) for each in found]
    points = np.stack(values, -1)
    return Lattice.curvilinear(points, vectors(None if periods is None else np.asarray(periods))), list(map(str, dims))


def _coordinate(data: Any, axis: str) -> Any:
    return next((data.coords[name] for name in (axis, axis.upper()) if name in data.coords), None)


def _seconds(times: np.ndarray, start: np.datetime64 | None = None) -> np.ndarray:
    """Times as numbers; dates and durations in seconds, dates since a start, or the first."""
    if times.dtype.kind == "M":
        times = times - (times[0] if start is None else start)
    if times.dtype.kind == "m":
        if np.isnat(times).any():
            raise OptionError(
                f"{_SOURCE}: the time is missing at {np.isnat(times).sum()} of {len(times)} steps: drop them"
            )
        return times / np.timedelta64(1, "s")
    if times.dtype.kind not in "fiu":
        raise OptionError(f"{_SOURCE}: the time is {times[0]!r}: give numbers, or dates as numpy.datetime64")
    return times.astype(np.float64)
