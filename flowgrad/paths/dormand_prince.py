"""Runge–Kutta step of Dormand and Prince, of any arrays or dual numbers, and its dense output."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from flowgrad.compiled import inlined, kernel
from flowgrad.typing import FloatArray

# Arrays, dual numbers, numbers; time and step may be numbers or one for each particle.
Value = Any
Rate = Callable[[Value, Value], Value]

# Hairer, Nørsett & Wanner 1993, Solving Ordinary Differential Equations I, table II.5.2. The last row is the solution
# of fifth order, so that the last rate of a step is the first of the next.
NODES = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
_WEIGHTS: tuple[tuple[float, ...], ...] = (
    (),
    (1 / 5,),
    (3 / 40, 9 / 40),
    (44 / 45, -56 / 15, 32 / 9),
    (19372 / 6561, -25360 / 2187, 64448 / 6561, -212 / 729),
    (9017 / 3168, -355 / 33, 46732 / 5247, 49 / 176, -5103 / 18656),
    (35 / 384, 0.0, 500 / 1113, 125 / 192, -2187 / 6784, 11 / 84),
)
# The solution of fifth order less that of fourth.
_ERROR = (71 / 57600, 0.0, -71 / 16695, 71 / 1920, -17253 / 339200, 22 / 525, -1 / 40)
# Of the interpolant within a step, of fourth order: the coefficients d of DOPRI5 (ibid., the code's contd5).
_WITHIN = (
    -12715105075 / 11282082432,
    0.0,
    87487479700 / 32700410799,
    -10690763975 / 1880347072,
    701980252875 / 199316789632,
    -1453857185 / 822651844,
    69997945 / 29380423,
)
# The same as compiled loops read them: row i for the positions of stage i.
_STAGES = np.array([[*row, *(0.0,) * (7 - len(row))] for row in _WEIGHTS])
_ERRORS = np.array(_ERROR)


class RungeKuttaStep(NamedTuple):
    """What is reached, and the rates at the seven stages: the first where the step starts, the last at its end."""

    y: Value
    rates: tuple[Value, ...]

    def error(self, h: Value) -> Value:
        """The error of the embedded solution of fourth order."""
        return h * _combined(_ERROR, self.rates)


def step(rate: Rate, t: Value, y: Value, h: Value, first: Value = None) -> RungeKuttaStep:
    """From y at time t to t + h, where dy/dt = ``rate(t, y)``; ``first`` is the rate at the start where it is known."""
    rates: tuple[Value, ...] = (rate(t, y) if first is None else first,)
    reached = y
    for node, weights in zip(NODES[1:], _WEIGHTS[1:], strict=True):
        reached = y + h * _combined(weights, rates)
        rates = (*rates, rate(t + node * h, reached))
    return RungeKuttaStep(reached, rates)


def _combined(weights: tuple[float, ...], rates: tuple[Value, ...]) -> Value:
    total: Value = None
    for weight, each in zip(weights, rates, strict=True):
        if weight:
            total = weight * each if total is None else total + weight * each
    return total


class DenseOutput(NamedTuple):
    """Dense output of a step: ``positions`` (m, k, 3) at ``fractions`` (k,) of it, from time ``t`` by ``h``: numbers,
    or (m, 1)."""

    positions: FloatArray
    fractions: tuple[float, ...]
    t: float | FloatArray
    h: float | FloatArray

    @classmethod
    def of_step(
        cls, made: RungeKuttaStep, y: FloatArray, t: float | FloatArray, h: float | FloatArray, at: tuple[float, ...]
    ) -> DenseOutput:
        """Of a step from states y (m, 3 or more), by the interpolant of fourth order that belongs to the method."""
        positions = np.empty((len(y), len(at), 3))
        along(y, np.ravel(np.asarray(h, float)), made.rates, weights_within(at), positions)
        return cls(positions, at, t, h)

    def time(self, number: int) -> float | FloatArray:
        """The time at the positions of this number: one for all, or (m,)."""
        time = self.t + self.fractions[number] * self.h
        return time if np.ndim(time) == 0 else np.ravel(time)


@cache
def weights_within(fractions: tuple[float, ...]) -> FloatArray:
    """Weights (k, 7) of the rates of a step: at each fraction of h the dense output is y + h Σ weight · rate."""
    total = (*_WEIGHTS[-1], 0.0)
    first, last = (1.0, *[0.0] * 6), (*[0.0] * 6, 1.0)
    rows = []
    for fraction in fractions:
        rest = 1 - fraction
        coefficients = zip(total, first, last, _WITHIN, strict=True)
        rows.append(
            [
                fraction * (b + rest * (one - b + fraction * (2 * b - one - other + rest * d)))
                for b, one, other, d in coefficients
            ]
        )
    return np.array(rows).reshape(-1, 7)


@kernel()
def along(y, h, rates, weights, positions):  # type: ignore[no-untyped-def]
    """y + h Σ weights[f, i] rates[i] at each fraction f, h one or (m,)."""
    # The second of the seven has no weight.
    k1, _, k3, k4, k5, k6, k7 = rates
    for p in range(len(y)):
        size = h[p if len(h) > 1 else 0]
        for c in range(3):
            a1, a3, a4, a5, a6, a7 = k1[p, c], k3[p, c], k4[p, c], k5[p, c], k6[p, c], k7[p, c]
            for f in range(len(weights)):
                w = weights[f]
                total = w[0] * a1 + w[2] * a3 + w[3] * a4 + w[4] * a5 + w[5] * a6 + w[6] * a7
                positions[p, f, c] = y[p, c] + size * total


@inlined
def stage(number: Any, y: Any, h: Any, rates: Any, reached: Any) -> None:
    """The state (c,) of one particle at which a stage of its step takes the rates, from those (c, 7) of the stages
    before."""
    for c in range(len(y)):
        total = 0.0
        for i in range(number):
            total += _STAGES[number, i] * rates[c, i]
        reached[c] = y[c] + h * total


@inlined
def deform(v: Any, L: Any, y: Any, rates: Any) -> None:
    """dy/dt (c,) of the position (and the deformation gradient F behind it) of one particle: v, and L F."""
    for i in range(3):
        rates[i] = v[i]
    if len(y) > 3:
        for i in range(3):
            for j in range(3):
                rates[3 + 3 * i + j] = L[i, 0] * y[3 + j] + L[i, 1] * y[6 + j] + L[i, 2] * y[9 + j]


@inlined
def finish(y: Any, h: Any, rates: Any, weights: Any, error: Any, way: Any) -> Any:
    """The error (c,) of one particle's step, its ``way`` (k, 3) in between with :func:`weights_within` (k, 7), and its
    largest speed."""
    speed = 0.0
    for c in range(len(y)):
        total = 0.0
        for i in range(7):
            total += _ERRORS[i] * rates[c, i]
            speed = max(speed, abs(rates[c, i])) if c < 3 else speed
        error[c] = h * total
    for k in range(len(weights)):
        for c in range(3):
            total = 0.0
            for i in range(7):
                total += weights[k, i] * rates[c, i]
            way[k, c] = y[c] + h * total
    return speed
