"""pandas: what is at each point, cell or face as a row; statistics, rankings of laws and curves as tables.

The names of the columns are those of the arrays, with ``_x`` … for vectors, ``_xx`` … for tensors and a number for
other components, and with ``_`` where another column has the name; ``frame.attrs`` keeps symbols and dimensions of the
quantities by column, and of a flow what makes its arrays of the columns again.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from flowgrad.flow import Flow
from flowgrad.interop.columns import column_names, in_columns_of
from flowgrad.interop.given import check_numbers, tool
from flowgrad.interop.given_pandas import from_pandas
from flowgrad.interop.lattices import told_of
from flowgrad.interop.records import about_of
from flowgrad.interop.remembered import RECORD
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh import Lattice
from flowgrad.momentum import Identification
from flowgrad.pipeline.analysis import Analysis
from flowgrad.pipeline.write import DEFAULT, Arrays, Result, arrays_of, on_mesh
from flowgrad.rheology import FlowCurveFit
from flowgrad.rheology.flow_curve import FlowCurve
from flowgrad.separation import Separation
from flowgrad.walls import Walls

Tabular: TypeAlias = Flow | Result | Analysis | FlowCurveFit | Identification | FlowCurve

__all__ = ["from_pandas", "to_pandas"]

log = logging.getLogger("flowgrad")

_AXES = "xyz"


def to_pandas(result: Tabular, quantities: Sequence[str] = DEFAULT, *, std: bool = False) -> Any:
    """A result as a DataFrame.

    A row for each point or cell, in the order of the mesh, with its coordinates (of a cell those of its centroid), the
    velocity of a flow and its arrays there, the ``quantities`` of a gradient or a separation (also at positions, also
    without a mesh), deviations with ``std``; for each face of ``Walls``; for each quantity of an ``Analysis``, with its
    statistics; for each law of a ``FlowCurveFit``, best first, with its parameters and their intervals; for each shear
    rate of an ``Identification`` or a ``FlowCurve``.

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
    _say_what_is_missing(flow, there)
    places = _positions(found.mesh.points if flow.location == "points" else found.mesh.centroids)
    names = column_names(here, (found.record["velocity"],), _AXES)
    frame = _frame(pandas, {**places, **in_columns_of(here, names)}, flow)
    fields = {name: [values.dtype.str, values.tolist()] for name, values in found.field_data.items()}
    frame.attrs[RECORD] = {**found.record, "location": "points", "arrays": names, "fields": fields, "time": flow.time}
    if isinstance(found.mesh, Lattice) and flow.location == "points":
        frame.attrs[RECORD]["lattice"] = told_of(found.mesh)
    return frame


def _say_what_is_missing(flow: Flow, there: Arrays) -> None:
    if there:
        log.info("%s: the table has the %s; arrays elsewhere are %s", flow.name, flow.location, ", ".join(there))
    if flow.boundary:
        patches = ", ".join(patch.name for patch in flow.boundary)
        log.warning("%s: a table has no place for the patches of the boundary (%s)", flow.name, patches)


def _rows(result: Result, quantities: Sequence[str], std: bool) -> Arrays:
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
