"""Conversion between other tools' data and flows, by the rules of :func:`flowgrad.read`: options, columns, records."""

from __future__ import annotations

import dataclasses
import importlib
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.errors import MissingDependencyError, OptionError, ReadError
from flowgrad.flow import Flow
from flowgrad.interop.metadata import with_record
from flowgrad.io.formats import Arrays, Contents, native
from flowgrad.io.options import ReadOptions
from flowgrad.io.reading import flow_of
from flowgrad.kinematics import GIVEN, QUANTITIES, Record, VelocityGradient
from flowgrad.pipeline.write import Result, velocity_array
from flowgrad.separation import Separation
from flowgrad.walls import OVER_TIME, RECORDS, Walls, WallStatistics
from flowgrad.walls.records import record_on

log = logging.getLogger("flowgrad")

# The options in the advice of readers, with the values that they propose.
_OPTION = re.compile(r"(?<!\S)--([a-z][a-z-]*)(?: (?:(NAME|u,v,w|points|cells)\b|(\d[\d.e+-]*\b)|('[^']*')))?")

_AXES = "xyz"
# A column, or the columns of the components of an array.
Names = dict[str, str | list[str]]
_COMPONENT = re.compile(r"_[xyz]$")
_PART = re.compile(r"_(?:[xyz]{1,2}|\d+|std|mean|rms|minimum|maximum)$")


def tool(name: str, extra: str) -> Any:
    """A module of an optional package; MissingDependencyError with the extra that brings it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        raise MissingDependencyError(f"this needs {extra}: install flowgrad[{extra}]") from None


def flow_in(contents: Contents, about: Mapping[str, Any], record: Mapping[str, Any] | None = None) -> Flow:
    """The flow in Contents that no file holds, with the options of :func:`flowgrad.read` and those of a record."""
    if about.get("time") is not None:
        raise OptionError(f"{contents.source} holds one time, which is taken: leave out time")
    if record:  # the arrays of a flow are no flags, whatever their names
        known = record.get("arrays", (*contents.point_data, *contents.cell_data))
        contents = dataclasses.replace(contents, no_flags=frozenset(known))
    contents, told = with_record(contents, about, record or {})
    with as_options():
        return dataclasses.replace(flow_of(contents, ReadOptions(**told)), source=None)


@contextmanager
def as_options() -> Iterator[None]:
    """What a reader refuses in a file is here an argument that does not fit, and advice names arguments."""
    try:
        yield
    except (ReadError, OptionError) as error:
        raise OptionError(_OPTION.sub(_argument, str(error))) from None


def _argument(option: re.Match[str]) -> str:
    """``--velocity u,v,w`` as ``velocity="u,v,w"``, ``--boundary`` as ``boundary=``."""
    name, text, number, condition = option.groups()
    value = f'"{text}"' if text else number or condition or ""
    return f"{name.replace('-', '_')}={value}"


def numeric(arrays: Mapping[str, Any], source: Path) -> Arrays:
    """The arrays of numbers as Contents keeps them, (n,) or (n, k); texts and dates are left out and said.

    Raises OptionError for complex numbers.
    """
    refuse_complex(arrays, source)
    kept: Arrays = {}
    for name, given in arrays.items():
        values = np.asarray(given)
        if values.dtype.kind not in "fiub":
            log.warning("%s: '%s' is %s, not numeric, and is left out", source, name, values.dtype)
        else:
            kept[str(name)] = native(np.atleast_1d(in_rows(values)))
    return kept


def check_numbers(arrays: Mapping[str, np.ndarray]) -> None:
    """OptionError for arrays of a flow that would not come back: complex ones and texts."""
    refuse_complex(arrays, "the flow")
    for name, values in arrays.items():
        if np.asarray(values).dtype.kind not in "fiub":
            raise OptionError(f"the flow: '{name}' is {np.asarray(values).dtype}, not numeric: leave it out")


def refuse_complex(arrays: Mapping[str, Any], source: Path | str) -> None:
    """OptionError for complex numbers, of which a gradient knows nothing."""
    for name, values in arrays.items():
        if np.iscomplexobj(values):
            raise OptionError(f"{source}: '{name}' is complex: give its real and its imaginary part as two arrays")


def refuse_patches(result: Any, boundary: bool, tool: str) -> None:
    """OptionError for a flow with patches, of which a tool has none, unless they are to be left out."""
    patches = result.boundary if isinstance(result, Flow) else ()
    if patches and boundary:
        raise OptionError(
            f"{tool} has no place for the patches of the flow's boundary ({', '.join(each.name for each in patches)}): "
            "use flowgrad.to_pyvista, or leave them out with boundary=False"
        )


def in_rows(values: np.ndarray) -> np.ndarray:
    """An array (n, …) as (n, k); one of fewer axes as it is."""
    if values.ndim <= 2:
        return values
    return values.reshape(len(values), int(np.prod(values.shape[1:])))


def in_columns(values: np.ndarray) -> np.ndarray:
    """An array (n, …) as other tools hold it: (n,) or (n, k), numbers for truth."""
    rows = in_rows(values)
    return np.ascontiguousarray(rows, np.uint8 if rows.dtype.kind == "b" else None)


def column_names(arrays: Mapping[str, np.ndarray], first: Sequence[str] = (), others: Sequence[str] = ()) -> Names:
    """The columns of each array, in their order; _ is added where ``others``, an array of ``first`` or one before has
    the name."""
    taken = set(others)
    found: Names = {}
    for name in (*first, *(each for each in arrays if each not in first)):
        suffixes = _suffixes(arrays[name].shape[1:])
        found[name] = name if suffixes is None else [name + each for each in suffixes]
        while not taken.isdisjoint(_listed(found[name])):
            last = found[name]
            found[name] = last + "_" if isinstance(last, str) else [each + "_" for each in last]
        taken.update(_listed(found[name]))
    return {name: found[name] for name in arrays}


def in_columns_of(arrays: Mapping[str, np.ndarray], names: Names) -> Arrays:
    """The columns (n,) of arrays (n, …) by their names."""
    result: Arrays = {}
    for name, values in arrays.items():
        listed = _listed(names[name])
        result.update(zip(listed, values.reshape(len(values), len(listed)).T, strict=True))
    return result


def joined(columns: Mapping[str, np.ndarray], names: Names, count: int) -> tuple[Arrays, Arrays]:
    """The arrays (n,) or (n, k) of which all columns are there, and the other columns."""
    rest = dict(columns)
    whole = {name: each for name, each in names.items() if all(column in columns for column in _listed(each))}
    arrays: Arrays = {}
    for name, each in whole.items():
        parts = [columns[column] for column in _listed(each)]
        arrays[name] = parts[0] if isinstance(each, str) else np.column_stack(parts) if parts else np.empty((count, 0))
        for column in _listed(each):
            rest.pop(column, None)
    return arrays, rest


def _suffixes(shape: tuple[int, ...]) -> list[str] | None:
    """``_x`` … for vectors, ``_xx`` … for tensors, a number for other components; None for scalars."""
    if not shape:
        return None
    count = int(np.prod(shape))
    tensor = [f"_{a}{b}" for a in _AXES for b in _AXES]
    others = [f"_{n}" for n in range(count)]
    return {1: [""], 3: [f"_{a}" for a in _AXES], 9: tensor}.get(count, others)


def _listed(names: str | list[str]) -> list[str]:
    return [names] if isinstance(names, str) else names


def about_of(name: str, result: Flow | Result) -> dict[str, str]:
    """What the record of an array, or of its component, mean or deviation, says; nothing where there is none, as of
    the arrays of a flow, whose units are its file's whatever they are called."""
    if isinstance(result, Flow):
        is_velocity = velocity_array(result) in (name, _COMPONENT.sub("", name))
        record = GIVEN["velocity"] if is_velocity else None
    else:
        record = _computed(name, result)
    if record is None:
        return {}
    return {"symbol": record.symbol, "dimension": record.dimension, "description": record.description}


def _computed(name: str, result: Result) -> Record | None:
    known = {**QUANTITIES, "velocity": GIVEN["velocity"], "eta": GIVEN["viscosity"]}
    if isinstance(result, Walls):
        known |= {each: record_on(result, each) for each in RECORDS}
    if isinstance(result, WallStatistics):
        known |= {each: result.record(each) for each in OVER_TIME}
    while name not in known and _PART.search(name):
        name = _PART.sub("", name)
    if name not in known:
        return None
    gradient = result.gradient if isinstance(result, Separation) else result
    return known[name].known(dynamic=isinstance(gradient, VelocityGradient) and "density" in gradient.supplied)
