"""A step of particles through a field, which some may not survive."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from flowgrad.paths.control import Control
from flowgrad.paths.deformation_kernel import deform
from flowgrad.paths.field import Field
from flowgrad.paths.runge_kutta import step
from flowgrad.paths.way import Way
from flowgrad.typing import BoolArray, FloatArray, IntArray


class State(NamedTuple):
    """Particles: ``y`` (m, 3) positions, or (m, 12) with the deformation gradients F behind them; ``rates`` dy/dt;
    ``cells`` (m,) where they are."""

    y: FloatArray
    rates: FloatArray
    cells: IntArray

    def some(self, which: BoolArray | IntArray) -> State:
        """Those chosen (copies)."""
        return State(self.y[which], self.rates[which], self.cells[which])

    def put(self, which: BoolArray | IntArray, others: State) -> None:
        """Overwrite those chosen."""
        for own, other in zip(self, others, strict=True):
            own[which] = other


class Attempt(NamedTuple):
    """What a step leads to, whether it and the way to it were inside (m,), and its error over what is allowed (m,)."""

    state: State
    inside: BoolArray
    errors: FloatArray

    @property
    def good(self) -> BoolArray:
        """Which particles (m,) have made the step."""
        return self.inside & (self.errors <= 1)


class Rates:
    """dy/dt of particles: the velocity, and L F; ``inside`` tells who has been inside each time it was asked."""

    def __init__(self, field: Field, cells: IntArray) -> None:
        self.field, self.cells = field, cells
        self.inside = np.ones(len(cells), bool)

    def __call__(self, t: float | FloatArray, y: FloatArray) -> FloatArray:
        """At one time, or a time (m, 1) for each."""
        with_F = y.shape[1] > 3
        positions = np.ascontiguousarray(y[:, :3])
        found = self.field.sample(positions, t if np.ndim(t) == 0 else np.ravel(t), self.cells, with_F)
        self.inside &= found.inside
        if not with_F:
            return np.where(found.inside[:, None], found.velocity, 0.0)
        rates = np.empty_like(y)
        deform(found.velocity, found.L, found.inside, y, rates)
        return rates


def attempt(field: Field, control: Control, t: float | FloatArray, state: State, h: float | FloatArray) -> Attempt:
    """A step from time t by h: numbers, or (m, 1) where each particle has its own."""
    rates = Rates(field, state.cells.copy())
    made = step(rates, t, state.y, h, state.rates)
    if field.watched:
        field.trace(Way.of(made, state.y, t, h, field.watched), state.cells, rates.inside)
    return Attempt(State(made.y, made.rates[-1], rates.cells), rates.inside, control.errors(made, h))
