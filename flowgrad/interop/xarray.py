"""Conversion from and to xarray: flows on lattices, results on them, and series of them, as a Dataset.

Dimensions ``x``, ``y``, ``z`` where the axes run along x, y and z, else ``i``, ``j``, ``k`` with the positions of the
points as coordinates; ``x_cell`` … (``i_cell`` …) of values in cells, ``time`` of a series, ``component`` and
``derivative`` of vectors and of tensors such as L. Attributes tell symbols and dimensions of quantities. An array whose
name is that of another variable, of a dimension or a coordinate gets ``_cell`` or ``_`` added, and its own name back.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.interop.convert import (
    about_of,
    check_numbers,
    flow_in,
    in_columns,
    numeric,
    refuse_complex,
    refuse_patches,
    tool,
)
from flowgrad.interop.metadata import RECORD, lengths, period_vectors, recalled, vectors
from flowgrad.io.formats import Contents
from flowgrad.io.point_samples import position_unit
from flowgrad.io.validity import attributes_of
from flowgrad.mesh import Lattice
from flowgrad.pipeline.write import DEFAULT, OnMesh, Result, on_mesh
from flowgrad.series import Series

_SOURCE = Path("the xarray data set")
_TIMES = ("time", "t")
_EPOCH = np.datetime64(0, "s")
CELL = "_cell"
# Attributes: the name of an array whose variable has another, the name of a field, the periods of the axes.
NAME, FIELD, PERIODS = "flowgrad_name", "flowgrad_field", "flowgrad_periods"

__all__ = ["from_xarray", "to_xarray"]
_AXES = ("x", "y", "z")
_LENGTH = {"dimension": "L"}
_PLACES = ("point_data", "cell_data")
_KEPT = (*_PLACES, "field_data")
_TIME = "TimeValue"
# No array can have one of these as the name of its variable.
_TAKEN = {"time", "component", "derivative", *(name + end for name in (*_AXES, *"ijk") for end in ("", CELL))}
Variable = tuple[tuple[str, ...], np.ndarray, dict[str, str]]


def from_xarray(data: Any, velocity: str | None = None, location: str | None = None, **about: Any) -> Flow | Series:
    """The flow in a Dataset, or the series in one with a dimension ``time`` (``t``): its variables on the grid of the
    coordinates ``x``, ``y`` and, in space, ``z``, along the axes or of every point, whatever the order of their
    dimensions. Variables on ``x_cell`` … are values in cells.

    The velocity is a variable with a dimension of two or three components, or variables ``u``, ``v``, ``w``; options as
    those of :func:`flowgrad.read`. Times that are dates become seconds since the first, the date of a Dataset of one
    time seconds since 1970. Raises OptionError for coordinates that are missing or make no grid, for variables that are
    neither on it nor without it, and for times that are not numbers or dates.
    """
    if not isinstance(data, tool("xarray", "xarray").Dataset):
        raise OptionError(f"{type(data).__name__} is not an xarray.Dataset: give one, of a DataArray its to_dataset()")
    about = {"velocity": velocity, "location": location, **about}
    axis = next((name for name in _TIMES if name in data.dims), None)
    lattice, dims = _grid(data, axis)
    if axis is None:
        name = next((name for name in _TIMES if name in data.coords and not data[name].ndim), None)
        time = None if name is None else float(_seconds(data[name].values[None], _EPOCH)[0])
        return _flow(data, {}, lattice, dims, time, about)
    times = _seconds(data[axis].values) if axis in data.coords else np.arange(data.sizes[axis], dtype=float)
    makers = [partial(_flow, data, {axis: number}, lattice, dims, float(t), about) for number, t in enumerate(times)]
    return Series(tuple(makers))


def _flow(
    data: Any,
    step: Mapping[str, int],
    lattice: Lattice,
    dims: Sequence[str],
    time: float | None,
    about: Mapping[str, Any],
) -> Flow:
    """The flow at a step of a series, or of a Dataset without steps."""
    data = data.isel(step)
    attributes = {name: value for name, value in data.attrs.items() if name not in (PERIODS, RECORD)}
    fields = {n: np.atleast_1d(value) for n, value in attributes.items() if np.asarray(value).dtype.kind in "fiub"}
    places: dict[str, dict[str, np.ndarray]] = {"points": {}, "cells": {}}
    for key, variable in data.data_vars.items():
        if FIELD in variable.attrs:
            fields[variable.attrs[FIELD]] = variable.values
            continue
        place, values = _placed(key, variable, lattice, dims)
        # The name is another where it was taken and nobody has renamed it since.
        name = str(variable.attrs.get(NAME, key))
        if not re.fullmatch(f"{re.escape(name)}({CELL})?_*", str(key)):
            name = str(key)
        if name in places[place]:
            raise OptionError(f"{_SOURCE} has two variables '{name}' at the {place}: rename one")
        places[place][name] = values
    points, cells = (numeric(each, _SOURCE) for each in places.values())
    told = {str(key): attributes_of(variable.attrs) for key, variable in data.data_vars.items()}
    units = {str(key): str(each.attrs["units"]) for key, each in data.data_vars.items() if "units" in each.attrs}
    first = _coordinates_of(data)["x"]
    unit = position_unit(str(first.name), str(first.attrs.get("units", "")))
    units |= {"x": unit} if unit else {}
    contents = Contents(lattice, _SOURCE, points, cells, numeric(fields, _SOURCE), time, units=units)
    contents = dataclasses.replace(contents, attributes={name: about for name, about in told.items() if about})
    return dataclasses.replace(flow_in(contents, about, recalled(data.attrs.get(RECORD))), time=time)


def _placed(key: Any, variable: Any, lattice: Lattice, dims: Sequence[str]) -> tuple[str, np.ndarray]:
    """Whether a variable is at the points or the cells, and its values (n, …) in their order."""
    for place, own, full in (
        ("points", list(dims), lattice.shape),
        ("cells", [f"{dim}{CELL}" for dim in dims], lattice.cell_shape),
    ):
        if set(own) <= set(variable.dims):
            rest = [dim for dim in variable.dims if dim not in own]
            values = np.asarray(variable.transpose(*own, *rest).values)
            if np.prod(values.shape[: len(own)]) != np.prod(full):
                break
            return place, lattice.flat(values.reshape(*full, *values.shape[len(own) :]))
    raise OptionError(
        f"{_SOURCE}: '{key}' has the dimensions {dict(variable.sizes)}, not those of the grid {tuple(dims)}: drop "
        "it, or put it on the grid"
    )


def _grid(data: Any, time: str | None) -> tuple[Lattice, list[str]]:
    """The lattice of the coordinates, and the names of its dimensions along its axes."""
    given = _coordinates_of(data)
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


def _coordinates_of(data: Any) -> dict[str, Any]:
    """The coordinates x, y and z, or longitudes and latitudes where there are no x and y; None for one that is not
    there."""
    given = {axis: data.coords.get(axis, data.coords.get(axis.upper())) for axis in _AXES}
    for angles in (("lon", "lat"), ("longitude", "latitude"), ("nav_lon", "nav_lat")):
        if given["x"] is None and given["y"] is None and set(angles) <= set(map(str, data.coords)):
            return given | {"x": data.coords[angles[0]], "y": data.coords[angles[1]]}
    return given


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


def to_xarray(
    result: Flow | Result | Series, quantities: Sequence[str] = DEFAULT, *, std: bool = False, boundary: bool = True
) -> Any:
    """A flow on a lattice with all its arrays, a result on one with its ``quantities`` (and their deviations with
    ``std``), or a series of flows on one with all its steps, in memory. Field data are attributes; those that change
    from step to step are variables.

    Raises OptionError for a mesh that is no lattice, for steps with different arrays, for complex arrays, and for
    patches on the boundary of a flow, which xarray has no place for (``boundary=False`` leaves them out);
    MissingDependencyError without xarray.
    """
    xarray = tool("xarray", "xarray")
    if not isinstance(result, Series):
        refuse_patches(result, boundary, "xarray")
        return _dataset(xarray, [on_mesh(result, quantities, std=std)], None, partial(about_of, result=result))
    flows = list(result)
    for flow in flows:
        refuse_patches(flow, boundary, "xarray")
    steps = [on_mesh(flow) for flow in flows]
    _check_alike(steps)
    return _dataset(xarray, steps, _times(flows), partial(about_of, result=flows[0]))


def _times(flows: Sequence[Flow]) -> list[float]:
    """The times of the steps, their numbers where none has one; OptionError where some have."""
    times = [flow.time for flow in flows if flow.time is not None]
    if times and len(times) < len(flows):
        raise OptionError(f"{len(times)} of {len(flows)} steps of the series have a time: give it to all, or to none")
    return times or [float(number) for number in range(len(flows))]


def _check_alike(steps: Sequence[OnMesh]) -> None:
    """OptionError for steps that do not have the same arrays, or know other things of their flows."""
    names = [[(which, name) for which in _KEPT for name in getattr(step, which) if name != _TIME] for step in steps]
    odd = sorted({name for each in names for which, name in each if any((which, name) not in o for o in names)})
    if odd:
        raise OptionError(f"the steps of the series do not all have {', '.join(odd)}: unify them")
    records = [step.record for step in steps]
    told = sorted({name for each in records for name in each if any(each[name] != o.get(name) for o in records)})
    if told:
        raise OptionError(f"the steps of the series differ in {', '.join(told)}: unify them")


def _dataset(
    xarray: Any, steps: Sequence[OnMesh], times: Sequence[float] | None, about: Callable[[str], dict[str, str]]
) -> Any:
    """The arrays of one step, or with ``times`` of several along a first dimension ``time``."""
    lattice = _lattice(steps[0])
    first = () if times is None else ("time",)
    variables: dict[str, Variable] = {}
    for which in _PLACES:
        for name in getattr(steps[0], which):
            stacked = _stacked(lattice, name, [getattr(step, which)[name] for step in steps], times is not None)
            rest = stacked.shape[len(first) + lattice.dimension :]
            key, dims = _named(lattice, which, name, rest, variables)
            attributes = {"long_name": name.replace("_", " "), **about(name)}
            variables[key] = (*first, *dims), stacked, attributes if key == name else {**attributes, NAME: name}
    dataset = _assembled(xarray, lattice, variables)
    _put_fields(dataset, steps)
    if times is not None:
        return dataset.assign_coords(time=np.array(times))
    time = steps[0].field_data.get(_TIME)
    return dataset if time is None else dataset.assign_coords(time=float(time[0]))


def _put_fields(dataset: Any, steps: Sequence[OnMesh]) -> None:
    """Field data as attributes where they are the same at all steps, else as variables; and what else is known."""
    for name in steps[0].field_data:
        check_numbers({name: steps[0].field_data[name]})
        given = [in_columns(np.atleast_1d(step.field_data[name])) for step in steps]
        if name == _TIME:
            continue
        if all(np.array_equal(each, given[0], equal_nan=True) for each in given):
            dataset.attrs[name] = given[0]
            continue
        stacked = _stack(name, given)
        key = _free(name, {*_TAKEN, *dataset.variables, *dataset.dims}, stacked.ndim - 1)
        dataset[key] = (("time", *_own_dims(key, stacked.ndim - 1)), stacked, {FIELD: name})
    if steps[0].record:
        dataset.attrs[RECORD] = json.dumps(dict(steps[0].record))


def _stacked(lattice: Lattice, name: str, given: Sequence[np.ndarray], several: bool) -> np.ndarray:
    check_numbers({name: given[0]})
    on_axes = [_on_axes(lattice, values) for values in given]
    return _stack(name, on_axes) if several else on_axes[0]


def _stack(name: str, given: Sequence[np.ndarray]) -> np.ndarray:
    shapes = sorted({each.shape for each in given})
    if len(shapes) > 1:
        raise OptionError(f"'{name}' has the shapes {', '.join(map(str, shapes))} in the steps of the series: unify it")
    return np.stack(given)


def _lattice(found: OnMesh) -> Lattice:
    if not isinstance(found.mesh, Lattice):
        raise OptionError(
            f"a mesh of {found.mesh.point_count} points and {len(found.mesh)} cells is not a lattice, and xarray has "
            "no other mesh: use flowgrad.to_pyvista or flowgrad.to_pandas"
        )
    return found.mesh


def _on_axes(lattice: Lattice, values: np.ndarray) -> np.ndarray:
    """Values indexed along the axes that the lattice has."""
    alone = tuple(a for a in range(3) if a not in lattice.active)
    return np.ascontiguousarray(np.squeeze(lattice.grid(values), alone))


def _names(lattice: Lattice) -> tuple[str, ...]:
    names = _AXES if lattice.is_aligned else ("i", "j", "k")
    return tuple(names[a] for a in lattice.active)


def _named(
    lattice: Lattice, which: str, name: str, rest: tuple[int, ...], variables: dict[str, Variable]
) -> tuple[str, tuple[str, ...]]:
    """The name of an array's variable, with components of the shape ``rest``, and its dimensions."""
    taken = {*_TAKEN, *variables, *(dim for dims, *_ in variables.values() for dim in dims)}
    suffix = "" if which == "point_data" else CELL
    known = {(3,): ("component",), (3, 3): ("component", "derivative")}.get(rest)
    key = _free(name + suffix if name in variables else name, taken, 0 if known else len(rest))
    return key, (*(axis + suffix for axis in _names(lattice)), *(known or _own_dims(key, len(rest))))


def _free(key: str, taken: set[str], dims: int) -> str:
    """The name, with as many _ as it is not taken, nor one of its own dimensions."""
    while not taken.isdisjoint((key, *_own_dims(key, dims))):
        key += "_"
    return key


def _own_dims(key: str, count: int) -> tuple[str, ...]:
    return tuple(f"{key}_{number}" for number in range(count))


def _assembled(xarray: Any, lattice: Lattice, variables: dict[str, Variable]) -> Any:
    used = {dim for dims, *_ in variables.values() for dim in dims}
    coordinates = _coordinates(lattice, any(name + CELL in used for name in _names(lattice)))
    coordinates |= {name: ((name,), list(_AXES), {}) for name in ("component", "derivative") if name in used}
    dataset = xarray.Dataset(variables, coordinates)
    vectors = period_vectors(lattice)
    if not np.isnan(vectors).all():
        dataset.attrs[PERIODS] = vectors.ravel()
    return dataset


def _coordinates(lattice: Lattice, with_cells: bool) -> dict[str, Any]:
    """Positions along the axes, or of all points; of the cells' centres too where there are values."""
    if not lattice.is_aligned:
        return {
            name: (_names(lattice), _on_axes(lattice, lattice.points[:, a]), _LENGTH) for a, name in enumerate(_AXES)
        }
    result: dict[str, Any] = {}
    for a, (name, axis) in enumerate(zip(_AXES, lattice.axes, strict=True)):
        line = lattice.origin[a] + axis.coordinates * lattice.steps[a, a]
        result[name] = ((name,), line, _LENGTH) if a in lattice.active else float(line[0])
        if with_cells and a in lattice.active:
            result[name + CELL] = ((name + CELL,), 0.5 * (line[1:] + line[:-1]), _LENGTH)
    return result
