"""One step of the Runge–Kutta method of Dormand and Prince, of any arrays or dual numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

# Arrays, dual numbers, numbers; time and step may be numbers or one for each particle.
Value = Any
Rate = Callable[[Value, Value], Value]

# Hairer, Nørsett & Wanner 1993, Solving Ordinary Differential Equations I, table II.5.2. The last row is the solution
# of fifth order, so that the last rate of a step is the first of the next.
_NODES = (0.0, 1 / 5, 3 / 10, 4 / 5, 8 / 9, 1.0, 1.0)
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


class Step(NamedTuple):
    """What is reached, and the rates at the seven stages: the first where the step starts, the last at its end."""

    y: Value
    rates: tuple[Value, ...]

    def error(self, h: Value) -> Value:
        """The error of the embedded solution of fourth order."""
        return h * _combined(_ERROR, self.rates)


def step(rate: Rate, t: Value, y: Value, h: Value, first: Value = None) -> Step:
    """From y at time t to t + h, where dy/dt = ``rate(t, y)``; ``first`` is the rate at the start where it is known."""
    rates: tuple[Value, ...] = (rate(t, y) if first is None else first,)
    reached = y
    for node, weights in zip(_NODES[1:], _WEIGHTS[1:], strict=True):
        reached = y + h * _combined(weights, rates)
        rates = (*rates, rate(t + node * h, reached))
    return Step(reached, rates)


def between(fraction: float) -> tuple[float, ...]:
    """Weights (7,) of the rates of a step, so that y + h Σ weight · rate is where it is at a fraction of h."""
    rest = 1 - fraction
    total = (*_WEIGHTS[-1], 0.0)
    first, last = (1.0, *[0.0] * 6), (*[0.0] * 6, 1.0)
    return tuple(
        fraction * (b + rest * (one - b + fraction * (2 * b - one - other + rest * d)))
        for b, one, other, d in zip(total, first, last, _WITHIN, strict=True)
    )


def _combined(weights: tuple[float, ...], rates: tuple[Value, ...]) -> Value:
    total: Value = None
    for weight, each in zip(weights, rates, strict=True):
        if weight:
            total = weight * each if total is None else total + weight * each
    return total
