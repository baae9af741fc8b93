"""One pass over a series that gathers the statistics of its steps."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient import Scheme, velocity_gradients
from flowgrad.gradient.rates import check_times, time_of
from flowgrad.kinematics import VelocityGradient
from flowgrad.statistics.moments import Moments
from flowgrad.statistics.result import SeriesStatistics, check_same, same_faces

Step: TypeAlias = Flow | VelocityGradient


def series_statistics(
    steps: Iterable[Step],
    quantities: Sequence[str] = ("velocity",),
    *,
    weights: str | Iterable[float] | None = None,
    scheme: Scheme | str = "auto",
    at: str | ArrayLike | None = None,
) -> SeriesStatistics:
    """Mean, fluctuations, extremes and count of quantities over the steps of a series, in one pass over it.

    ``steps`` are flows, a ``Series`` above all, whose gradients are computed by ``scheme`` ``at`` a place where a
    quantity needs them, or gradients, one after the other as :func:`flowgrad.velocity_gradients` gives them (with
    ``rates`` or ``second`` for the quantities that need these). ``quantities`` are ``velocity`` and names of the
    registry. All steps weigh the same unless ``weights`` gives positive numbers, one for each, or says ``time``: half
    the interval between a step's neighbours, the trapezoidal rule for uneven times. Raises OptionError for no
    steps, an unknown quantity, weights that do not fit and steps at another place, MeshError for another mesh.
    """
    if isinstance(steps, (Flow, VelocityGradient)):
        raise OptionError("a single step has no statistics: give several in a list, a Series, or velocity_gradients(…)")
    names = (quantities,) if isinstance(quantities, str) else tuple(dict.fromkeys(quantities))
    if not names:
        raise OptionError("no quantities are named: give velocity, or names of 'flowgrad list quantities'")
    running: SeriesStatistics | None = None
    number = -1
    for number, (step, weight) in enumerate(_weighted(_prepared(steps, names, scheme, at), weights)):
        samples = {name: Moments.of_sample(_values(step, name), weight) for name in names}
        boundary = _boundary_sample(_flow_of(step), weight)
        if running is None:
            running = _begin(step, samples, boundary)
        running = _add(running, step, samples, boundary, number)
    if running is None:
        raise OptionError("there are no steps: give flows or velocity gradients")
    return dataclasses.replace(running, steps=number + 1)


def _begin(step: Step, samples: Mapping[str, Moments], boundary: Moments | None) -> SeriesStatistics:
    flow = _flow_of(step)
    if flow is not None:
        flow = dataclasses.replace(flow, time=None, point_data={}, cell_data={}, field_data={}, source=None, noise=None)
    return SeriesStatistics(
        {name: each.empty() for name, each in samples.items()},
        0,
        flow,
        step.location,
        step.positions if isinstance(step, VelocityGradient) else None,
        None if boundary is None else boundary.empty(),
    )


def _add(
    running: SeriesStatistics, step: Step, samples: Mapping[str, Moments], boundary: Moments | None, number: int
) -> SeriesStatistics:
    """A step's values, added in place; the boundary's mean is given up where its faces are others."""
    check_same(running, _begin(step, {}, None), f"step {number}")
    for name, each in samples.items():
        running.moments[name].absorb(each)
    if running.boundary is None:
        return running
    if boundary is None or not same_faces(running.first, _flow_of(step)):
        return dataclasses.replace(running, boundary=None)
    running.boundary.absorb(boundary)
    return running


def _flow_of(step: Step) -> Flow | None:
    return step if isinstance(step, Flow) else step.flow


def _values(step: Step, name: str) -> np.ndarray:
    return step.velocity if isinstance(step, Flow) else step[name]


def _prepared(
    steps: Iterable[Step], names: tuple[str, ...], scheme: Scheme | str, at: str | ArrayLike | None
) -> Iterator[Step]:
    """The steps as they are, or the gradients of flows where a quantity needs them."""
    remaining = iter(steps)
    first = next(remaining, None)
    if first is None:
        return iter(())
    steps = _again([first], remaining)
    if isinstance(first, VelocityGradient):
        if at is not None or scheme != "auto":
            raise OptionError("scheme= and at= are for flows: the gradients have theirs")
        return steps
    if names == ("velocity",) and at is None:
        return steps
    return velocity_gradients(steps, scheme, at)  # type: ignore[arg-type]


def _again(taken: list[Step], remaining: Iterator[Step]) -> Iterator[Step]:
    """A step that was looked at, which nothing holds when the next one is made, and those after it."""
    yield taken.pop()
    yield from remaining


def _weighted(steps: Iterator[Step], weights: str | Iterable[float] | None) -> Iterator[tuple[Step, float]]:
    if weights is None:
        return ((step, 1.0) for step in steps)
    if isinstance(weights, str):
        if weights != "time":
            raise OptionError(f"weights='{weights}' is unknown: say time, or give one number for each step")
        return _by_time(steps)
    if not isinstance(weights, Iterable):
        raise OptionError(f"weights={weights!r}: say time, or give one number for each step")
    return _by_number(steps, iter(weights))


def _by_number(steps: Iterator[Step], weights: Iterator[float]) -> Iterator[tuple[Step, float]]:
    number = -1
    for number, step in enumerate(steps):
        weight = next(weights, None)
        if weight is None or not 0 < weight < math.inf:
            raise OptionError(f"the weight of step {number} is {weight}: give a positive number for each step")
        yield step, float(weight)
    if next(weights, None) is not None:
        raise OptionError(f"there are more weights than the {number + 1} steps: give one for each")


def _by_time(steps: Iterator[Step]) -> Iterator[tuple[Step, float]]:
    """Each with half the interval between its neighbours, the first and the last with half of their one interval."""
    held: Step | None = None
    times: list[float] = []
    for number, step in enumerate(steps):
        times = [*times[-2:], time_of(_flow_of(step), number)]
        check_times(times, number)
        if held is not None:
            yield held, abs(times[-1] - times[0]) / 2
        held = step
    if held is None:
        return
    if len(times) < 2:
        raise OptionError("weights='time' needs the interval to another step, and there is one: leave out weights")
    yield held, abs(times[-1] - times[-2]) / 2


def _boundary_sample(flow: Flow | None, weight: float) -> Moments | None:
    """The velocities on all patches."""
    if flow is None or not flow.boundary:
        return None
    return Moments.of_sample(np.concatenate([patch.velocity for patch in flow.boundary]), weight)
