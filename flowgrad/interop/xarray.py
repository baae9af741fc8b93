"""xarray: flows on lattices, results on them, and series of them, as a Dataset.

Dimensions ``x``, ``y``, ``z`` where the axes run along x, y and z, else ``i``, ``j``, ``k`` with the positions of the
points as coordinates; ``x_cell`` … (``i_cell`` …) of values in cells, ``time`` of a series, ``component`` and
``derivative`` of vectors and of tensors such as L. Attributes tell symbols and dimensions of quantities.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.interop.given import tool
from flowgrad.interop.given_xarray import from_xarray
from flowgrad.interop.periods import period_vectors
from flowgrad.interop.records import about_of
from flowgrad.mesh import Lattice
from flowgrad.output import DEFAULT, OnMesh, Result, on_mesh
from flowgrad.series import Series

__all__ = ["from_xarray", "to_xarray"]

_AXES = ("x", "y", "z")
_LENGTH = {"dimension": "L"}
Variable = tuple[tuple[str, ...], np.ndarray, dict[str, str]]


def to_xarray(result: Flow | Result | Series, quantities: Sequence[str] = DEFAULT, *, std: bool = False) -> Any:
    """A flow on a lattice with all its arrays, a result on one with its ``quantities`` (and their deviations with
    ``std``), or a series of flows on one with all its steps, in memory.

    Raises OptionError for a mesh that is no lattice, and for steps with different arrays, MissingDependencyError
    without xarray.
    """
    xarray = tool("xarray", "xarray")
    if isinstance(result, Series):
        return _of_series(xarray, result)
    found = on_mesh(result, quantities, std=std)
    return _dataset(xarray, found, partial(about_of, result=result))


def _of_series(xarray: Any, series: Series) -> Any:
    flows = list(series)
    steps = [on_mesh(flow) for flow in flows]
    names = {(*step.point_data, *step.cell_data) for step in steps}
    if len(names) > 1:
        odd = sorted({name for each in names for name in each if any(name not in other for other in names)})
        raise OptionError(
            f"the steps of the series do not all have {', '.join(odd) or 'one order of arrays'}: unify them"
        )
    times = [float(number) if flow.time is None else flow.time for number, flow in enumerate(flows)]
    lattice = _lattice(steps[0])
    variables: dict[str, Variable] = {}
    for which in ("point_data", "cell_data"):
        for name in getattr(steps[0], which):
            stacked = np.stack([_on_axes(lattice, getattr(step, which)[name]) for step in steps])
            dims = _dims(lattice, which, name, stacked.shape[1 + lattice.dimension :])
            variables[name] = (("time", *dims), stacked, _attributes(name, about_of(name, flows[0])))
    return _assembled(xarray, lattice, variables).assign_coords(time=np.array(times))


def _dataset(xarray: Any, found: OnMesh, about: Callable[[str], dict[str, str]]) -> Any:
    lattice = _lattice(found)
    variables: dict[str, Variable] = {}
    for which, arrays in (("point_data", found.point_data), ("cell_data", found.cell_data)):
        for name, values in arrays.items():
            key = f"{name}_cell" if name in variables else name
            on_axes = _on_axes(lattice, values)
            dims = _dims(lattice, which, name, on_axes.shape[lattice.dimension :])
            variables[key] = (dims, on_axes, _attributes(name, about(name)))
    dataset = _assembled(xarray, lattice, variables)
    time = found.field_data.get("TimeValue")
    fields = {name: values for name, values in found.field_data.items() if name != "TimeValue"}
    dataset.attrs.update({name: np.asarray(values) for name, values in fields.items()})
    return dataset if time is None else dataset.assign_coords(time=float(time[0]))


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


def _dims(lattice: Lattice, which: str, name: str, rest: tuple[int, ...]) -> tuple[str, ...]:
    """The dimensions of an array with components of the shape ``rest``."""
    suffix = "" if which == "point_data" else "_cell"
    own = {(3,): ("component",), (3, 3): ("component", "derivative")}.get(
        rest, tuple(f"{name}_{number}" for number in range(len(rest)))
    )
    return (*(axis + suffix for axis in _names(lattice)), *own)


def _attributes(name: str, about: dict[str, str]) -> dict[str, str]:
    return {"long_name": name.replace("_", " "), **about}


def _assembled(xarray: Any, lattice: Lattice, variables: dict[str, Variable]) -> Any:
    used = {dim for dims, *_ in variables.values() for dim in dims}
    coordinates = _coordinates(lattice, any(f"{name}_cell" in used for name in _names(lattice)))
    coordinates |= {name: ((name,), list(_AXES), {}) for name in ("component", "derivative") if name in used}
    dataset = xarray.Dataset(variables, coordinates)
    vectors = period_vectors(lattice)
    if not np.isnan(vectors).all():
        dataset.attrs["flowgrad_periods"] = vectors.ravel()
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
            result[f"{name}_cell"] = ((f"{name}_cell",), 0.5 * (line[1:] + line[:-1]), _LENGTH)
    return result
