"""Flows whose velocity is given by a formula, on a grid or on the points of a file's mesh."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.formula.arguments import VelocityFormula, axes
from flowgrad.gradient.function import Function
from flowgrad.io.contents import Contents
from flowgrad.io.registry import read_contents
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh import Lattice

# What the results of a formula on a grid are called.
NAME = "formula"


def prescribed_flow(
    formula: str, mesh: Path | None, grid: str | None = None, time: float | None = None
) -> tuple[Flow, Function]:
    """The flow of a formula such as ``u=-y; v=x``, and the scheme that differentiates the formula itself.

    The flow lives on the points of the file ``mesh``, whose arrays it keeps, or on a ``grid`` such as
    ``-1:1:41,-1:1:41,0:1:11``. ``time`` is t, the file's unless given; points where the velocity is no finite
    number get NaN. Raises OptionError where t is needed and not known, ReadError for a file that cannot be read.
    """
    velocity = VelocityFormula.parse(formula)
    if grid is None:
        assert mesh is not None
        contents = read_contents(mesh)
    else:
        x, y, *z = axes(grid, "--grid")
        contents = Contents(Lattice.rectilinear(x, y, z[0] if z else 0.0), Path(NAME))
    time = contents.time if time is None else time
    if velocity.uses_time and time is None:
        raise OptionError("--formula depends on t: give --time")
    t = time if velocity.uses_time else None
    v = velocity(contents.mesh.points, t)
    flow = Flow(
        contents.mesh,
        np.where(np.isfinite(v), v, np.nan),
        "points",
        time,
        contents.point_data,
        contents.cell_data,
        contents.field_data,
        source=contents.source,
    )
    return flow, Function(velocity, t)


def prescribed_gradient(
    flow: Flow, scheme: Function, at: str | None, second: bool = False, rates: bool = False
) -> VelocityGradient:
    """The velocity gradient of such a flow at its ``points`` or ``cells``, with second derivatives and rates of change
    in time where asked for."""
    at = at or flow.location
    found = scheme.gradients(flow, at)
    gradient = VelocityGradient(
        found.L,
        flow,
        location=at,
        scheme="autodiff",
        reason="the velocity is a formula, which is differentiated itself",
        method_notes=found.notes,
    )
    positions = flow.mesh.points if at == "points" else flow.mesh.centroids
    if rates:
        velocity_rate, L_rate = scheme.rates(positions)
        gradient = gradient.supply(velocity_rate=velocity_rate, L_rate=L_rate)
    return gradient.supply(hessian=scheme.second(positions)) if second else gradient
