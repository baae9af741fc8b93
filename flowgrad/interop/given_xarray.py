"""A Dataset of xarray on a grid, or a series of them, as flows on a lattice."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.interop.given import flow_in, numeric
from flowgrad.interop.periods import lengths, vectors
from flowgrad.io.contents import Arrays, Contents
from flowgrad.mesh import Lattice
from flowgrad.series import Series

_SOURCE = Path("the xarray data set")
_TIMES = ("time", "t")
_CELL = "_cell"


def from_xarray(data: Any, velocity: str | None = None, location: str | None = None, **about: Any) -> Flow | Series:
    """The flow in a Dataset, or the series in one with a dimension ``time`` (``t``): its variables on the grid of the
    coordinates ``x``, ``y`` and, in space, ``z``, along the axes or of every point, whatever the order of their
    dimensions. Variables on ``x_cell`` … are values in cells.

    The velocity is a variable with a dimension of two or three components, or variables ``u``, ``v``, ``w``; options as
    those of :func:`flowgrad.read`. Times that are dates become seconds since the first. Raises OptionError for
    coordinates that are missing or make no grid, and for variables that are neither on it nor without it.
    """
    about = {"velocity": velocity, "location": location, **about}
    axis = next((name for name in _TIMES if name in data.dims), None)
    lattice, dims = _grid(data, axis)
    if axis is None:
        time = next((float(data.coords[name]) for name in _TIMES if name in data.coords), None)
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
    at_cells = tuple(f"{dim}{_CELL}" for dim in dims)
    found: dict[tuple[str, ...], Arrays] = {tuple(dims): {}, at_cells: {}}
    for name, variable in data.data_vars.items():
        place = next((each for each in found if set(each) <= set(variable.dims)), None)
        if place is None:
            raise OptionError(
                f"{_SOURCE}: '{name}' has the dimensions {variable.dims}, not those of the grid {tuple(dims)}: drop "
                "it, or put it on the grid"
            )
        found[place][str(name)] = lattice.flat(_in_order(variable, place))
    points, cells = (numeric(each, _SOURCE) for each in found.values())
    fields = numeric({name: np.atleast_1d(value) for name, value in data.attrs.items() if _is_number(value)}, _SOURCE)
    fields.pop("flowgrad_periods", None)
    return dataclasses.replace(flow_in(Contents(lattice, _SOURCE, points, cells, fields, time), about), time=time)


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
    periods = data.attrs.get("flowgrad_periods")
    found = [each for each in given.values() if each is not None]
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


def _seconds(times: np.ndarray) -> np.ndarray:
    """Times as numbers; dates and durations in seconds, dates since the first."""
    if times.dtype.kind == "M":
        times = times - times[0]
    return times / np.timedelta64(1, "s") if times.dtype.kind == "m" else times.astype(np.float64)
