"""A table of pandas as a flow on a lattice or on scattered points."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.interop.columns import joined
from flowgrad.interop.given import as_options, flow_in, numeric, refuse_complex, tool
from flowgrad.interop.lattices import lattice_again
from flowgrad.interop.remembered import RECORD
from flowgrad.io.columns import coordinate_names, invalid_rows, plain
from flowgrad.io.contents import Arrays, Contents
from flowgrad.io.naming import naming
from flowgrad.io.samples import contents_of
from flowgrad.mesh import Lattice

_SOURCE = Path("the table")
_COORDINATES = ("x", "y", "z")
# pandas' types that hold missing values, by numpy's letter of their kind.
_PLAIN = {"f": np.float64, "i": np.int64, "u": np.uint64, "b": np.bool_}


def from_pandas(frame: Any, velocity: str | None = None, **about: Any) -> Flow:
    """The flow in a DataFrame with columns of positions (``x``, ``y`` and, in space, ``z``) and of a velocity (``u``,
    ``v``, ``w``, or ``velocity``): on a lattice where the positions are one, in its order, else on scattered points.

    Other columns of numbers become arrays; of a table that :func:`flowgrad.to_pandas` made, the very arrays of the
    flow. In others columns such as ``flag`` and ``mask`` mark rows that are no measurement. The options are those of
    :func:`flowgrad.read`. Raises OptionError where columns are missing, doubled or complex and where positions are not
    finite numbers.
    """
    if not isinstance(frame, tool("pandas", "pandas").DataFrame):
        raise OptionError(f"{type(frame).__name__} is no pandas.DataFrame: give one")
    columns = _columns(frame)
    found = frame.attrs.get(RECORD)
    record: Mapping[str, Any] = found if isinstance(found, dict) else {}
    names = _positions(columns, record)
    points = np.zeros((len(frame), 3))
    for axis, name in enumerate(names):
        points[:, axis] = columns[name]
    arrays, rest = joined({k: v for k, v in columns.items() if k not in names}, record.get("arrays", {}), len(frame))
    in_order = np.array_equal(frame.index, np.arange(len(frame)))
    lattice = lattice_again(points, record.get("lattice", {})) if in_order else None
    contents = _contents(points, numeric(arrays, _SOURCE), numeric(rest, _SOURCE), record, lattice)
    flow = flow_in(contents, {"velocity": velocity, **about}, record)
    return dataclasses.replace(flow, time=record.get("time"))


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
    own = record and all(name in columns for name in _COORDINATES)
    names = _COORDINATES if own else coordinate_names(list(columns))
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
    """Arrays of a flow, none of which is a flag whatever its name, and other columns as they are read from a table."""
    fields = {name: np.asarray(values, kind) for name, (kind, values) in record.get("fields", {}).items()}
    keys = {f"{RECORD} {name}": name for name in arrays}
    with as_options(), naming(_SOURCE):
        if lattice is not None:
            contents = Contents(lattice, _SOURCE, arrays | rest, invalid=invalid_rows(rest)[0])
        else:
            contents = contents_of(_SOURCE, points, {key: arrays[name] for key, name in keys.items()} | rest)
    ordered = {keys.get(key, key): values for key, values in contents.point_data.items()}
    return dataclasses.replace(contents, point_data=ordered, field_data=numeric(fields, _SOURCE))
