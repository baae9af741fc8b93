"""Rates of change in time at fixed places, ∂v/∂t and ∂L/∂t: from neighbouring steps of a series, or zero."""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from flowgrad.compiled import over_rows
from flowgrad.errors import MeshError, OptionError
from flowgrad.flow import Flow
from flowgrad.kinematics import VelocityGradient
from flowgrad.kinematics.on_mesh import axes_of_gradient
from flowgrad.series import difference
from flowgrad.typing import FloatArray

_ORDERS = {2: "first", 3: "second"}


def steady_rates(gradient: VelocityGradient) -> VelocityGradient:
    """The gradient of a flow that is declared steady: its ``velocity_rate`` (n, 3) and ``L_rate`` (n, 3, 3) are
    zeros, which take no memory and cannot be written into."""
    n = len(gradient)
    return gradient.supply(velocity_rate=np.broadcast_to(0.0, (n, 3)), L_rate=np.broadcast_to(0.0, (n, 3, 3)))


def with_rates(gradients: Iterable[VelocityGradient]) -> Iterator[VelocityGradient]:
    """The gradients of a series, each with ``velocity_rate`` (n, 3) = ∂v/∂t and ``L_rate`` (n, 3, 3) = ∂L/∂t.

    The derivative of the parabola in time through three neighbouring steps, at the middle one, and at the first
    and the last of a series on one side: of second order for even and uneven times; of first order, with a note, where
    there are but two steps. A step is given when the next one is known; three are held. Raises OptionError for
    a single step and for times that are missing, equal or turn back, MeshError for another mesh, naming the steps.
    """
    window: deque[VelocityGradient] = deque(maxlen=3)
    number = -1
    for number, gradient in enumerate(gradients):
        _check_follows([*window, gradient], number)
        window.append(gradient)
        if number == 2:
            yield _rated(window, 0)
        if number > 1:
            yield _rated(window, 1)
    if number == 0:
        raise OptionError("one step tells no rates of change: give more steps, or steady=True for a steady flow")
    for at in range(len(window) if number == 1 else 0):
        yield _rated(window, at)
    if number > 1:
        yield _rated(window, 2)


def time_of(flow: Flow | None, number: int) -> float:
    """The time of step ``number`` of a series; OptionError where it is not known."""
    time = None if flow is None else flow.time
    if time is None or not math.isfinite(time):
        name = "" if flow is None else f" ({flow.name})"
        raise OptionError(f"step {number}{name} has the time {time}: give all steps their times (time= of Flow)")
    return float(time)


def check_times(times: Sequence[float], last: int) -> None:
    """OptionError where neighbouring times, the last one that of step ``last``, are equal or turn back."""
    steps = np.diff(times)
    wrong = np.flatnonzero((steps == 0) | (np.sign(steps) != np.sign(steps[:1])))
    if len(wrong):
        later = last - len(steps) + int(wrong[0]) + 1
        before, after = times[wrong[0]], times[wrong[0] + 1]
        what = "both have" if before == after else f"turn back from the time {before:g} to"
        raise OptionError(
            f"steps {later - 1} and {later} {what} the time {after:g}: give each step its own time, in their order"
        )


def _check_follows(gradients: Sequence[VelocityGradient], number: int) -> None:
    """That the last one, of step ``number``, lives where the one before it does, at another time."""
    if len(gradients) == 1:
        return
    times = [time_of(each.flow, number - len(gradients) + 1 + i) for i, each in enumerate(gradients)]
    check_times(times, number)
    one, other = gradients[-2].flow, gradients[-1].flow
    assert one is not None
    assert other is not None
    if one.location != other.location:
        raise OptionError(f"the velocity is at {one.location} in step {number - 1} and at {other.location} in the next")
    reason = "" if one.mesh is other.mesh else difference(one.mesh, other.mesh)
    if reason:
        raise MeshError(f"step {number} is on another mesh than the one before: {reason}; there is no rate at a place")


def _rated(window: Sequence[VelocityGradient], at: int) -> VelocityGradient:
    """One of two or three neighbouring gradients with its rates."""
    times = [time_of(each.flow, number) for number, each in enumerate(window)]
    gradient = window[at]
    # Rates are given in the axes of L.
    axes = np.eye(3) if gradient.flow is None else axes_of_gradient(gradient.flow)
    rates = {
        "velocity_rate": _rate(times, [each["velocity"] for each in window], at) @ axes.T,
        "L_rate": _rate(times, [each.L for each in window], at),
    }
    steps = " and ".join([", ".join(f"{t:g}" for t in times[:-1]), f"{times[-1]:g}"])
    notes = [f"rates of change are of {_ORDERS[len(times)]} order in time, from the steps at {steps}"]
    missing = int((gradient.valid & ~np.logical_and.reduce([each.valid for each in window])).sum())
    if missing:
        notes.append(f"no ∂L/∂t at {missing} of {len(gradient)} {gradient.location}: a step beside lacks the gradient")
    return dataclasses.replace(gradient.supply(**rates), method_notes=(*gradient.method_notes, *notes))


def _rate(times: Sequence[float], values: Sequence[FloatArray], at: int) -> FloatArray:
    """Σ_j w_j (f_j − f_at), the derivative at t_at of the polynomial through all, in Lagrange's form."""
    weights = []
    for j in (j for j in range(len(times)) if j != at):
        # The derivative at t_at of Lagrange's polynomial that is 1 at t_j.
        others = (times[m] for m in range(len(times)) if m not in (j, at))
        weight = math.prod((times[at] - t) / (times[j] - t) for t in others) / (times[j] - times[at])
        weights.append((values[j], weight))
    total = np.empty(values[at].shape)

    def fill(rows: slice) -> None:
        total[rows] = sum(weight * (each[rows] - values[at][rows]) for each, weight in weights)

    over_rows(fill, len(total))
    return total
