"""Pathlines: positions of particles at given times; and the flow map of a function, to be differentiated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.mesh import Mesh
from flowgrad.paths.dormand_prince import Value, step
from flowgrad.paths.field import Field
from flowgrad.paths.field_of import Source, field_of
from flowgrad.paths.function_field import takes_time
from flowgrad.paths.integrator import Control, integrate
from flowgrad.paths.plane import in_space
from flowgrad.reprs import ReprMixin
from flowgrad.typing import FloatArray


@dataclass(frozen=True, eq=False)
class Paths(ReprMixin):
    """Particles at ``times`` (k,): ``positions`` (k, n, 3), and ``left`` (n,), when each left the domain, NaN where it
    stayed; from then on its position, and its ``F`` (k, n, 3, 3), if it was asked for, are the last ones inside."""

    times: FloatArray
    positions: FloatArray
    left: FloatArray
    F: FloatArray | None = None
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.left)

    @property
    def stayed(self) -> np.ndarray:
        """Which particles (n,) were inside up to the last time."""
        return np.isnan(self.left)


def pathlines(
    flow: Source,
    seeds: ArrayLike,
    times: ArrayLike,
    *,
    F: bool = False,
    rtol: float | None = None,
    atol: float = 0.0,
    steps: int | None = None,
    backend: str | None = None,
) -> Paths:
    """The paths of particles that are at ``seeds`` (n, 3) or (n, 2) at the first of some ``times`` (k,), which rise or
    fall.

    ``flow`` is a Flow (steady), a Series (cubic in time between its steps), or a function v(x) or v(x, t) of positions
    (…, 3), or (…, 2) where the seeds have two coordinates. On straight lattices velocities are interpolated by cubic
    splines, in meshes with curved cells by their shape functions, in others by
    :class:`~flowgrad.paths.mesh_interpolant.MeshInterpolant`. A particle stops at the wall, a hole, or the end of the
    data, however long its steps; where a function is not a number (NaN) a step sees that if it is so for a quarter of
    the step: give ``steps`` or more times for smaller holes. Planar flows move particles within their plane: seeds off
    it are outside, and two coordinates do for planes of constant z.

    The method is Dormand and Prince's of fifth order; the error of each step is below ``rtol`` times the way made in it
    plus ``atol`` (a length), or there are ``steps`` equal steps from each time to the next (in a series at least one
    between two of its own). ``rtol`` is 1e-7 unless given, and 1e-4 in meshes, where L jumps from cell to cell. With
    ``F`` the relative deformation gradient comes too, dF/dt = L F, F = I at the start,
    with L the derivative of the interpolated velocity. Raises OptionError for times that turn back or lie outside the
    series, tolerances that are not positive, and two coordinates where three are needed.
    """
    given = as_seeds(seeds)
    moments = as_times(times)
    field = field_of(flow, given.shape[1], backend)
    start = in_space(given, field.plane, "seeds")
    states, left = integrate(field, start, moments, Control(field.rtol if rtol is None else rtol, atol, steps), F)
    gradients = np.ascontiguousarray(states[..., 3:]).reshape(*states.shape[:2], 3, 3) if F else None
    notes = notes_of(field, left, moments[0])
    return Paths(moments, np.ascontiguousarray(states[..., :3]), left, gradients, notes)


def as_seeds(seeds: ArrayLike | Mesh, name: str = "seeds") -> FloatArray:
    """Positions (n, 2) or (n, 3), of a mesh its points; OptionError for others."""
    positions = seeds.points if isinstance(seeds, Mesh) else np.asarray(seeds, float)
    if positions.ndim != 2 or positions.shape[1] not in (2, 3):
        raise OptionError(f"{name} have the shape {positions.shape}: give positions (n, 2) or (n, 3)")
    return positions


def as_times(times: ArrayLike) -> FloatArray:
    """Times (k,) that rise or fall; OptionError for others."""
    moments = np.asarray(times, float)
    if moments.ndim != 1 or not len(moments) or not np.isfinite(moments).all():
        raise OptionError(f"times have the shape {moments.shape}: give finite times (k,), the first that of the seeds")
    directions = np.sign(np.diff(moments))
    if (directions != directions[:1]).any() or (directions == 0).any():
        raise OptionError(f"the times {moments.tolist()[:6]} … turn back or repeat: sort them, rising or falling")
    return moments


def notes_of(field: Field, left: FloatArray, start: float) -> tuple[str, ...]:
    """Notes on particles that start outside or left (n,), and the first time, and those of the field."""
    outside = left == start
    gone = ~np.isnan(left) & ~outside
    notes = []
    if outside.any():
        notes.append(f"{int(outside.sum())} of {len(left)} particles start outside the flow")
    if gone.any():
        first = left[gone][np.abs(left[gone] - start).argmin()]
        notes.append(f"{int(gone.sum())} of {len(left)} particles leave the flow, the first at t = {first:.6g}")
    return (*notes, *field.notes)


def flow_map(velocity: Callable[..., Any], x: Value, t0: Value, t1: Value, steps: int) -> Value:
    """Where particles at x (…, d) at time t0 are at t1, in equal steps; ``velocity(x)`` or ``velocity(x, t)``.

    Plain arithmetic throughout, so that :func:`flowgrad.autodiff.jacobian` of it with respect to x is the relative
    deformation gradient, and with respect to t1 the velocity. OptionError without a step.
    """
    if steps < 1:
        raise OptionError(f"steps is {steps}: take one at least")
    timed = takes_time(velocity)

    def rate(t: Value, y: Value) -> Value:
        return velocity(y, t) if timed else velocity(y)

    h = (t1 - t0) * (1 / steps)
    first = None
    for number in range(steps):
        x, rates = step(rate, t0 + number * h, x, h, first)
        first = rates[-1]
    return x
