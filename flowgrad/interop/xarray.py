"""xarray: flows on lattices, results on them, and series of them, as a Dataset.

Dimensions ``x``, ``y``, ``z`` where the axes run along x, y and z, else ``i``, ``j``, ``k`` with the positions of the
points as coordinates; ``x_cell`` … (``i_cell`` …) of values in cells, ``time`` of a series, ``component`` and
``derivative`` of vectors and of tensors such as L. Attributes tell symbols and dimensions of quantities. An array whose
name is that of another variable, of a dimension or a coordinate gets ``_cell`` or ``_`` added, and its own name back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.interop.given import check_numbers, in_columns, refuse_patches, tool
from flowgrad.interop.given_xarray import CELL, FIELD, NAME, PERIODS, from_xarray
from flowgrad.interop.periods import period_vectors
from flowgrad.interop.records import about_of
from flowgrad.interop.remembered import RECORD, written
from flowgrad.mesh import Lattice
from flowgrad.pipeline.write import DEFAULT, OnMesh, Result, on_mesh
from flowgrad.series import Series

__all__ = ["from_xarray", "to_xarray"]

_AXES = ("x", "y", "z")
_LENGTH = {"dimension": "L"}
_PLACES = ("point_data", "cell_data")
_KEPT = (*_PLACES, "field_data")
_TIME = "TimeValue"
# No array can have one of these as the name of its variable.
_TAKEN = {"time", "component", "derivative", *(name + end for name in (*_AXES, *"ijk") for end in ("", CELL))}
Variable = tuple[tuple[str, ...], np.ndarray, dict[str, str]]


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
            variables[key] = ((*first, *dims), stacked, _attributes(name, key, about(name)))
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
        dataset.attrs[RECORD] = written(steps[0].record)


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
            f"a mesh of {found.mesh.point_count} points and {len(found.mesh)} cells is no lattice, and xarray has no "
            "other mesh: use flowgrad.to_pyvista or flowgrad.to_pandas"
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


def _attributes(name: str, key: str, about: dict[str, str]) -> dict[str, str]:
    return {"long_name": name.replace("_", " "), **about, **({} if key == name else {NAME: name})}


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
