"""pandas: what is at each point, cell or face as a row; statistics, rankings of laws and curves as tables.

The names of the columns are those of the arrays, with ``_x`` … for vectors, ``_xx`` … for tensors and a number for
other components; ``frame.attrs`` keeps symbols and dimensions of the quantities by column.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from flowgrad.analysis import Analysis
from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.interop.given import as_options, flow_in, numeric, tool
from flowgrad.interop.records import about_of
from flowgrad.io.columns import coordinate_names
from flowgrad.io.samples import contents_of
from flowgrad.kinematics import VelocityGradient
from flowgrad.output import DEFAULT, Arrays, Result, arrays_of, on_mesh
from flowgrad.rheology import FlowCurveFit, Identification, Separation
from flowgrad.rheology.curve import FlowCurve
from flowgrad.walls import Walls

Tabular: TypeAlias = Flow | Result | Analysis | FlowCurveFit | Identification | FlowCurve

_SOURCE = Path("the table")
_AXES = "xyz"


def to_pandas(result: Tabular, quantities: Sequence[str] = DEFAULT, *, std: bool = False) -> Any:
    """A result as a DataFrame.

    A row for each point or cell, in the order of the mesh, with its coordinates (of a cell those of its centroid), the
    velocity of a flow and its arrays there, the ``quantities`` of a gradient or a separation (also at positions, also
    without a mesh), deviations with ``std``; for each face of ``Walls``; for each quantity of an ``Analysis``, with its
    statistics; for each law of a ``FlowCurveFit``, best first, with its parameters and their intervals; for each shear
    rate of an ``Identification`` or a ``FlowCurve``.

    Raises MissingDependencyError without pandas.
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
    arrays = _rows(result, quantities, std)
    columns = {column: values for name, each in arrays.items() for column, values in _columns(name, each)}
    frame = pandas.DataFrame(columns)
    frame.attrs.update({column: about for column in columns if (about := about_of(column, result))})
    return frame


def from_pandas(frame: Any, velocity: str | None = None, **about: Any) -> Flow:
    """The flow in a DataFrame with columns of positions (``x``, ``y`` and, in space, ``z``) and of a velocity (``u``,
    ``v``, ``w``, or ``velocity``): on a lattice where the positions are one, in its order, else on scattered points.

    Other columns of numbers become arrays; the options are those of :func:`flowgrad.read`. Raises OptionError where
    columns are missing or positions are not finite.
    """
    columns = {str(name): frame[name].to_numpy() for name in frame.columns}
    names = coordinate_names(list(columns))
    if not names:
        raise OptionError(f"{_SOURCE} has no columns of positions among {', '.join(columns)}: name them x, y and z")
    points = np.zeros((len(frame), 3))
    for axis, name in enumerate(names):
        points[:, axis] = columns[name]
    data = numeric({name: values for name, values in columns.items() if name not in names}, _SOURCE)
    with as_options():
        contents = contents_of(_SOURCE, points, data)
    return flow_in(contents, {"velocity": velocity, **about})


def _rows(result: Flow | Result, quantities: Sequence[str], std: bool) -> Arrays:
    """The arrays of a table, the coordinates first."""
    if isinstance(result, VelocityGradient | Separation):
        return _of_gradient(result, quantities, std)
    found = on_mesh(result, quantities, std=std)
    if isinstance(result, Walls):
        names = np.array(result.names)[result.patches]
        return {**_positions(result.centroids), **found.cell_data, "patch": names}
    location = result.location
    assert location is not None
    data = found.point_data if location == "points" else found.cell_data
    return {**_positions(found.mesh.points if location == "points" else found.mesh.centroids), **data}


def _of_gradient(result: VelocityGradient | Separation, quantities: Sequence[str], std: bool) -> Arrays:
    gradient = result.gradient if isinstance(result, Separation) else result
    arrays = arrays_of(result, quantities, std)
    if gradient.positions is not None:
        return {**_positions(gradient.positions), **arrays}
    if gradient.flow is None:
        return arrays
    mesh = gradient.flow.mesh
    places = mesh.points if gradient.location == "points" else mesh.centroids
    return {**_positions(places), "velocity": gradient["velocity"], **arrays}


def _positions(places: np.ndarray) -> Arrays:
    return {axis: places[:, a] for a, axis in enumerate(_AXES)}


def _columns(name: str, values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    rows = values.reshape(len(values), -1) if values.ndim > 1 else values[:, None]
    if rows.shape[1] == 1:
        yield name, rows[:, 0]
        return
    suffixes = {3: list(_AXES), 9: [a + b for a in _AXES for b in _AXES]}.get(rows.shape[1])
    for number, column in enumerate(rows.T):
        yield f"{name}_{suffixes[number] if suffixes else number}", column


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
