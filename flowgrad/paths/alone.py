"""Particles that cannot make the step of the others: each goes on with a step of its own, up to the wall."""

from __future__ import annotations

import numpy as np

from flowgrad.paths.attempt import State, attempt
from flowgrad.paths.control import Control
from flowgrad.paths.field import Field
from flowgrad.typing import FloatArray


def move_alone(
    field: Field, control: Control, t: float, state: State, h: float, smallest: float
) -> tuple[State, FloatArray]:
    """The particles where a step from t to t + h takes them, or as far as they come (``state`` is overwritten), and how
    much of h each made (m,).

    A step that fails is halved, until it is shorter than ``smallest``; then the particle has left. Two that do not are
    followed by one of twice their length.
    """
    made, own = np.zeros(len(state.y)), np.full(len(state.y), 0.5 * h)
    eager = np.zeros(len(state.y), bool)
    going = np.arange(len(state.y))
    while len(going):
        rest = h - made[going]
        size = np.sign(h) * np.minimum(np.abs(own[going]), np.abs(rest))
        tried = attempt(field, control, (t + made[going])[:, None], state.some(going), size[:, None])
        good = tried.good
        state.put(going[good], tried.state.some(good))
        made[going[good]] = np.where(size == rest, h, made[going] + size)[good]
        own[going] = size * np.where(good, np.where(eager[going], 2.0, 1.0), 0.5)
        eager[going] = good
        going = going[(made[going] != h) & (np.abs(own[going]) >= smallest)]
    return state, made
