"""Conversion from and to pandas: tables on lattices or scattered points as flows, and results as tables.

The names of the columns are those of the arrays, with ``_x`` … for vectors, ``_xx`` … for tensors and a number for
other components, and with ``_`` where another column has the name; ``frame.attrs`` keeps symbols and dimensions of the
quantities by column, and of a flow what makes its arrays of the columns again.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.interop.convert import (
    about_of,
    as_options,
    check_numbers,
    column_names,
    flow_in,
    in_columns_of,
    joined,
    numeric,
    refuse_complex,
    tool,
)
from flowgrad.interop.metadata import RECORD, lattice_again, told_of
from flowgrad.io.formats import Contents, Step, naming
from flowgrad.io.point_samples import contents_of, coordinate_names, grouped, name_and_unit, plain, position_unit
from flowgrad.io.table_times import steps_of_rows
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh import Lattice
from flowgrad.momentum import Identification
from flowgrad.pipeline.analysis import Analysis
from flowgrad.pipeline.write import DEFAULT, Arrays, Result, arrays_of, on_mesh
from flowgrad.rheology import FlowCurveFit
from flowgrad.rheology.flow_curve import FlowCurve
from flowgrad.separation import Separation
from flowgrad.series import Series
from flowgrad.walls import Walls, WallStatistics

log = logging.getLogger("flowgrad")

Tabular: TypeAlias = Flow | Result | Analysis | FlowCurveFit | Identification | FlowCurve
_SOURCE = Path("the table")
_AXES = ("x", "y", "z")
# pandas' types that hold missing values, by numpy's letter of their kind.
_PLAIN = {"f": np.float64, "i": np.int64, "u": np.uint64, "b": np.bool_}


def from_pandas(frame: Any, velocity: str | None = None, **about: Any) -> Flow | Series:
    """The flow in a DataFrame with columns of positions (``x``, ``y`` and, in space, ``z``) and of a velocity (``u``,
    ``v``, ``w``, or ``velocity``): on a lattice where the positions are one, in its order, else on scattered points;
    the series in one with rows of several times, by a column ``time``, ``t``, ``frame``.

    Other columns of numbers become arrays; of a table that :func:`flowgrad.to_pandas` made, the very arrays of the
    flow. In others columns such as ``flag`` and ``mask`` mark rows that are no measurement. The options are those of
    :func:`flowgrad.read`. Raises OptionError where columns are missing, doubled or complex and where positions are not
    finite numbers.
    """
    if not isinstance(frame, tool("pandas", "pandas").DataFrame):
        raise OptionError(f"{type(frame).__name__} is not a pandas.DataFrame: give one")
    columns = _columns(frame)
    found = frame.attrs.get(RECORD)
    record: Mapping[str, Any] = found if isinstance(found, dict) else {}
    names = _positions(columns, record)
    unit = position_unit(*name_and_unit(names[0]))
    units = {"x": unit} if unit else {}
    points = np.zeros((len(frame), 3))
    for axis, name in enumerate(names):
        points[:, axis] = columns[name]
    arrays, rest = joined({k: v for k, v in columns.items() if k not in names}, record.get("arrays", {}), len(frame))
    in_order = np.array_equal(frame.index, np.arange(len(frame)))
    lattice = lattice_again(points, record.get("lattice", {})) if in_order else None
    if not record:
        with as_options(), naming(_SOURCE):
            steps = steps_of_rows(_SOURCE, points, grouped(numeric(rest, _SOURCE)), units) or ()
        if len(steps) > 1:
            return Series(tuple(partial(_step, step, {"velocity": velocity, **about}) for step in steps))
    contents = _contents(points, numeric(arrays, _SOURCE), numeric(rest, _SOURCE), record, lattice)
    flow = flow_in(dataclasses.replace(contents, units=units), {"velocity": velocity, **about}, record)
    return dataclasses.replace(flow, time=record.get("time"))


def _step(step: Step, about: Mapping[str, Any]) -> Flow:
    with as_options(), naming(_SOURCE):
        contents = step.contents()
    return flow_in(contents, about)


def _columns(frame: Any) -> Arrays:
    names = [str(name) for name in frame.columns]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise OptionError(f"{_SOURCE} has {names.count(twice)} columns '{twice}': rename them, or leave the others out")
    return {name: _values(frame.iloc[:, number]) for number, name in enumerate(names)}


def _values(column: Any) -> np.ndarray:
    """The values of a column, missing ones NaN."""
    kind = getattr(column.dtype, "kind", "O")
    if isinstance(column.dtype, np.dtype) or kind not in _PLAIN:
        return np.asarray(column.to_numpy())
    if column.isna().any():
        return np.asarray(column.to_numpy(np.float64, na_value=np.nan))
    return np.asarray(column.to_numpy(_PLAIN[kind]))


def _positions(columns: Arrays, record: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns of the positions; OptionError where there are none, several that could be, or texts in them."""
    own = record and all(name in columns for name in _AXES)
    names = _AXES if own else coordinate_names(list(columns))
    if not names:
        raise OptionError(
            f"{_SOURCE} has no columns of positions among {', '.join(columns)}: name them x, y and z (an index becomes "
            "columns by reset_index)"
        )
    for name in names:
        alike = [each for each in columns if each != name and plain(each) == plain(name)]
        if alike and not own:
            raise OptionError(f"{_SOURCE}: '{name}' and '{alike[0]}' could both be positions: rename one")
        refuse_complex({name: columns[name]}, _SOURCE)
        if columns[name].dtype.kind not in "fiu":
            raise OptionError(f"{_SOURCE}: '{name}' is {columns[name].dtype}, not numbers: give positions")
    return names


def _contents(
    points: np.ndarray, arrays: Arrays, rest: Arrays, record: Mapping[str, Any], lattice: Lattice | None
) -> Contents:
    """Arrays of a flow, and other columns as they are read from a table."""
    fields = {name: np.asarray(values, kind) for name, (kind, values) in record.get("fields", {}).items()}
    keys = {f"{RECORD} {name}": name for name in arrays}
    with as_options(), naming(_SOURCE):
        if lattice is not None:
            contents = Contents(lattice, _SOURCE, arrays | rest)
        else:
            contents = contents_of(_SOURCE, points, {key: arrays[name] for key, name in keys.items()} | rest)
    ordered = {keys.get(key, key): values for key, values in contents.point_data.items()}
    return dataclasses.replace(contents, point_data=ordered, field_data=numeric(fields, _SOURCE))


def to_pandas(result: Tabular, quantities: Sequence[str] = DEFAULT, *, std: bool = False) -> Any:
    """A result as a DataFrame.

    A row for each point or cell, in the order of the mesh, with its coordinates (of a cell those of its centroid), the
    velocity of a flow and its arrays there, the ``quantities`` of a gradient or a separation (also at positions, also
    without a mesh), deviations with ``std``; for each face of ``Walls`` and of averages over time on them; for each
    quantity of an ``Analysis``, with its statistics; for each law of a ``FlowCurveFit``, best first, with its
    parameters and their intervals; for each shear rate of an ``Identification`` or a ``FlowCurve``.

    A table of points or cells has neither the mesh, nor the patches of its boundary, nor arrays at the other places; an
    array of a flow whose column has the name of another gets ``_`` added. Raises OptionError for complex arrays and
    MissingDependencyError without pandas.
    """
    pandas = tool("pandas", "pandas")
    if isinstance(result, Analysis):
        return pandas.DataFrame.from_records(
            [dataclasses.asdict(each) for each in result.statistics.values()],
            index=pandas.Index(list(result.statistics), name="quantity"),
        )
    if isinstance(result, FlowCurveFit):
        return pandas.DataFrame(_ranking(result))
    if isinstance(result, Identification | FlowCurve):
        return pandas.DataFrame(_curve(result))
    if isinstance(result, Flow):
        return _of_flow(pandas, result)
    arrays = _rows(result, quantities, std)
    return _frame(pandas, in_columns_of(arrays, column_names(arrays)), result)


def _frame(pandas: Any, columns: Arrays, result: Flow | Result) -> Any:
    frame = pandas.DataFrame(columns)
    frame.attrs.update({column: about for column in columns if (about := about_of(column, result))})
    return frame


def _of_flow(pandas: Any, flow: Flow) -> Any:
    """The coordinates, the velocity and the arrays beside it; in ``attrs`` what no column holds."""
    found = on_mesh(flow)
    here, there = (found.point_data, found.cell_data)[:: 1 if flow.location == "points" else -1]
    check_numbers(here)
    if there:
        log.info("%s: the table has the %s; arrays elsewhere are %s", flow.name, flow.location, ", ".join(there))
    if flow.boundary:
        patches = ", ".join(patch.name for patch in flow.boundary)
        log.warning("%s: a table has no place for the patches of the boundary (%s)", flow.name, patches)
    places = _coordinates(found.mesh.points if flow.location == "points" else found.mesh.centroids)
    names = column_names(here, (found.record["velocity"],), _AXES)
    frame = _frame(pandas, {**places, **in_columns_of(here, names)}, flow)
    fields = {name: [values.dtype.str, values.tolist()] for name, values in found.field_data.items()}
    frame.attrs[RECORD] = {**found.record, "location": "points", "arrays": names, "fields": fields, "time": flow.time}
    if isinstance(found.mesh, Lattice) and flow.location == "points":
        frame.attrs[RECORD]["lattice"] = told_of(found.mesh)
    return frame


def _rows(result: Result, quantities: Sequence[str], std: bool) -> Arrays:
    """The arrays of a table, the coordinates first."""
    if isinstance(result, VelocityGradient | Separation):
        return _of_gradient(result, quantities, std)
    found = on_mesh(result, quantities, std=std)
    if isinstance(result, Walls):
        names = np.array(result.names)[result.patches]
        return {**_coordinates(result.centroids), **found.cell_data, "patch": names}
    if isinstance(result, WallStatistics):
        names = np.array(result.surface.names)[result.surface.patches]
        return {**_coordinates(found.mesh.centroids), **found.cell_data, "patch": names}
    location = result.location
    assert location is not None
    data = found.point_data if location == "points" else found.cell_data
    return {**_coordinates(found.mesh.points if location == "points" else found.mesh.centroids), **data}


def _of_gradient(result: VelocityGradient | Separation, quantities: Sequence[str], std: bool) -> Arrays:
    gradient = result.gradient if isinstance(result, Separation) else result
    arrays = arrays_of(result, quantities, std)
    if gradient.positions is not None:
        return {**_coordinates(gradient.positions), **arrays}
    if gradient.flow is None:
        return arrays
    mesh = gradient.flow.mesh
    places = mesh.places(gradient.location or "cells")
    return {**_coordinates(places), "velocity": gradient["velocity"], **arrays}


def _coordinates(places: np.ndarray) -> Arrays:
    return {axis: places[:, a] for a, axis in enumerate(_AXES)}


def _ranking(fit: FlowCurveFit) -> list[Mapping[str, Any]]:
    return [
        {
            "law": each.model.name,
            "weight": each.weight,
            "aicc": each.aicc,
            "chi2": each.chi2,
            "misfit": each.misfit,
            "points": each.points,
            "parameters": dataclasses.asdict(each.model),
            "intervals": dict(each.intervals),
        }
        for each in fit.ranking
    ]


def _curve(result: Identification | FlowCurve) -> Arrays:
    curve = result.curve if isinstance(result, Identification) else result
    names = ("rate", "viscosity", "stress", "low", "high", "share", "count", "uncertainty")
    return {name: getattr(curve, name) for name in names}
