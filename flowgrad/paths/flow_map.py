"""The flow map of a velocity that is given as a function, to be differentiated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flowgrad.errors import OptionError
from flowgrad.paths.function_field import takes_time
from flowgrad.paths.runge_kutta import Value, step


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
