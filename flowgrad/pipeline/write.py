"""Results on their mesh: the arrays that leave flowgrad, and the files that ParaView opens."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import LOCATIONS, Flow
from flowgrad.io import write_vtu
from flowgrad.kinematics import VelocityGradient, select
from flowgrad.mesh import Mesh
from flowgrad.separation import Separation
from flowgrad.statistics import SeriesStatistics
from flowgrad.walls import Walls, WallStatistics

Arrays = dict[str, np.ndarray]
Result: TypeAlias = VelocityGradient | Separation | Walls | WallStatistics | SeriesStatistics
DEFAULT = ("L", "D", "W")

# What a flow is told beside its arrays.
_SAID = ("producer", "axisymmetric", "out_of_plane")


@dataclass(frozen=True, eq=False)
class OnMesh:
    """A mesh with the arrays (n, …) on its points and cells, and field data, the time among them.

    ``record`` is what else a flow knows: which array is its ``velocity`` and at which ``location``, its ``noise`` (a
    number or the name of an array there), and what is not as usual of ``producer``, ``axisymmetric``, ``out_of_plane``.
    """

    mesh: Mesh
    point_data: Arrays = field(default_factory=dict)
    cell_data: Arrays = field(default_factory=dict)
    field_data: Arrays = field(default_factory=dict)
    record: Mapping[str, Any] = field(default_factory=dict)


def write(path: Path | str, result: Result, quantities: Sequence[str] = DEFAULT, *, std: bool = False) -> None:
    """Write a gradient, or a separation with its fields, on its mesh as VTU; walls, and averages
    over time on walls, on their own faces, statistics of a series on its mesh, with the names of ``arrays``.

    Arrays carry the names of the registry; tensors are row-major 9 components. The velocity is
    written along (as ``velocity`` if its own name is taken), ``valid`` where some gradients are
    missing, and ``L_error`` where it was estimated; ``std`` adds the standard deviation of each quantity
    of L as ``NAME_std``, where the noise is known, and the ends of 95 % intervals that are not 1.96 of these about the
    value, as of the shear rate, as ``NAME_low`` and ``NAME_high``. Raises OptionError for a result without a mesh or at
    positions of its own, another suffix than .vtu and an unknown quantity.
    """
    path = Path(path)
    if path.suffix != ".vtu":
        raise OptionError(f"{path}: results are written as .vtu, not '{path.suffix}'")
    try:
        found = on_mesh(result, quantities, std=std)
    except OptionError as error:
        raise OptionError(f"{path}: {error}") from None
    write_vtu(path, found.mesh, found.point_data, found.cell_data, found.field_data)


def on_mesh(result: Flow | Result, quantities: Sequence[str] = DEFAULT, *, std: bool = False) -> OnMesh:
    """The mesh and the arrays of a result, as :func:`write` has them; of a flow all that it knows but its boundary."""
    if isinstance(result, Flow):
        return _of_flow(result)
    if not isinstance(result, Result):
        raise OptionError(f"{type(result).__name__} is neither a flow on a mesh nor a result on one: give such a one")
    if isinstance(result, Walls):
        surface, arrays = result.surface()
        return OnMesh(surface, {}, dict(arrays), _time(result.flow))
    if isinstance(result, WallStatistics):
        return OnMesh(result.surface.mesh, {}, dict(result.arrays))
    if isinstance(result, SeriesStatistics):
        if result.first is None or result.location not in LOCATIONS:
            raise OptionError(f"statistics at {result.location} have no mesh to be written on")
        data = {location: result.arrays() if location == result.location else {} for location in LOCATIONS}
        return OnMesh(result.first.mesh, data["points"], data["cells"])
    return _of_gradient(result, quantities, std)


def _of_flow(flow: Flow) -> OnMesh:
    data = {location: dict(flow.data(location)) for location in LOCATIONS}
    here = data[flow.location]
    record: dict[str, Any] = {"velocity": velocity_array(flow), "location": flow.location}
    here[record["velocity"]] = flow.velocity
    if isinstance(flow.noise, np.ndarray):
        record["noise"] = _free("noise", flow.noise, here)
        here[record["noise"]] = flow.noise
    elif flow.noise is not None:
        record["noise"] = float(flow.noise)
    record |= {name: value for name in _SAID if (value := getattr(flow, name)) != getattr(Flow, name)}
    return OnMesh(flow.mesh, data["points"], data["cells"], {**flow.field_data, **_time(flow)}, record)


def velocity_array(flow: Flow) -> str:
    """The name of a flow's velocity among its arrays: its own, or ``velocity`` where that is one of components; with
    _ where another array has this name."""
    own = "velocity" if "," in flow.velocity_name else flow.velocity_name
    return _free(own, flow.velocity, flow.data(flow.location))


def _free(name: str, values: np.ndarray, taken: Mapping[str, np.ndarray]) -> str:
    """The name, with as many _ as no array of other values has it."""
    while name in taken and not _same(np.asarray(taken[name]), values):
        name += "_"
    return name


def _same(given: np.ndarray, values: np.ndarray) -> bool:
    """Whether both are equal, two components being vectors without a third."""
    if given.dtype.kind not in "fiu":
        return False
    if given.shape == (len(values), 2) and values.shape == (len(values), 3):
        given = np.column_stack([given, np.zeros(len(given))])
    return np.array_equal(given, values, equal_nan=True)


def _of_gradient(result: VelocityGradient | Separation, quantities: Sequence[str], std: bool) -> OnMesh:
    gradient = result.gradient if isinstance(result, Separation) else result
    flow = gradient.flow
    if flow is None:
        raise OptionError("the result has no mesh to be written on (it was made from L alone)")
    if gradient.positions is not None:
        raise OptionError("gradients at positions have no mesh to be written on: take them at points or cells")
    data: dict[str, Arrays] = {"points": {}, "cells": {}}
    here = data[str(gradient.location)]
    here.update(arrays_of(result, quantities, std))
    name = "velocity" if flow.velocity_name in here else flow.velocity_name
    data[flow.location][name] = flow.velocity
    if flow.outlier is not None:
        data[flow.location]["outlier"] = flow.outlier
    return OnMesh(flow.mesh, data["points"], data["cells"], _time(flow))


def arrays_of(result: VelocityGradient | Separation, quantities: Sequence[str], std: bool) -> Arrays:
    """The arrays (n, …) where a gradient is: the quantities, what was separated, deviations and estimated errors, and
    ``valid`` where some gradients are missing."""
    gradient = result.gradient if isinstance(result, Separation) else result
    found: Arrays = {each.name: gradient[each.name] for each in select(quantities)}
    if isinstance(result, Separation):
        found.update(result.fields())
    for record in select(quantities) if std else ():
        if gradient.carries_noise(record.name):
            found[f"{record.name}_std"] = gradient.std(record.name)
            if record.form:
                found[f"{record.name}_low"], found[f"{record.name}_high"] = gradient.interval(record.name)
    if gradient.error is not None:
        found["L_error"] = gradient.error
    if not gradient.valid.all():
        found["valid"] = gradient.valid
    return found


def _time(flow: Flow) -> Arrays:
    return {} if flow.time is None else {"TimeValue": np.array([flow.time])}
