"""Where particles are between the ends of a step."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

from flowgrad.compiled import kernel
from flowgrad.paths.runge_kutta import Step, between
from flowgrad.typing import FloatArray


class Way(NamedTuple):
    """``positions`` (m, k, 3) at ``fractions`` (k,) of a step from time ``t`` by ``h``: numbers, or (m, 1)."""

    positions: FloatArray
    fractions: tuple[float, ...]
    t: float | FloatArray
    h: float | FloatArray

    @classmethod
    def of(cls, made: Step, y: FloatArray, t: float | FloatArray, h: float | FloatArray, at: tuple[float, ...]) -> Way:
        """Of a step from states y (m, 3 or more), by the interpolant of fourth order that belongs to the method."""
        positions = np.empty((len(y), len(at), 3))
        along(y, np.ravel(np.asarray(h, float)), made.rates, _weights(at), positions)
        return cls(positions, at, t, h)

    def time(self, number: int) -> float | FloatArray:
        """When they are at the positions of this number: one time, or (m,)."""
        found = self.t + self.fractions[number] * self.h
        return found if np.ndim(found) == 0 else np.ravel(found)


@cache
def _weights(fractions: tuple[float, ...]) -> FloatArray:
    return np.array([between(each) for each in fractions])


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
