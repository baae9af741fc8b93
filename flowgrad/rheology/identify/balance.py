"""The balance of momentum on test functions, as equations for the viscosity at nodes of log γ̇, cubic in between.

φ = (1 − r²/R²)⁵ in a ball, w = ∇φ × e_k: without divergence, so that the pressure drops out, and zero with its slope at
the edge, so that no traction is needed. Integrated by parts no derivative but D is left:
∫ 2η D:∇w dV = ρ [∫ (f − ∂v/∂t)·w dV + ∫ v⊗v:∇w dV]. Along directions in which the mesh is one cell thick nothing
varies but the pressure, linearly, and φ does not depend on them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import prange

from flowgrad.compiled import called, kernel
from flowgrad.rheology.identify.balls import Balls
from flowgrad.rheology.identify.samples import Samples
from flowgrad.typing import FloatArray, IntArray

_POWER = 5
# So many samples in a ball make its integrals worth something, by dimension.
_FEWEST = {1: 8, 2: 40, 3: 150}


@dataclass(frozen=True, eq=False)
class Balance:
    """For n balls and b nodes of log γ̇ (``log_rates``, evenly spaced): ``work`` (n, 3, b) of the stress on the three
    test functions for unit viscosity at each node, ``size`` (n, b) of it without regard to sign, and ``inertia``
    (n, 3), the right-hand side for unit density. ``centres`` (n, d) and ``sizes`` (n,) are those of the balls."""

    log_rates: FloatArray
    work: FloatArray
    size: FloatArray
    inertia: FloatArray
    centres: FloatArray
    sizes: IntArray

    def __len__(self) -> int:
        return len(self.size)

    def joined(self, others: Sequence[Balance]) -> Balance:
        """With the equations of others for the same nodes."""
        names = ("work", "size", "inertia", "centres", "sizes")
        parts = [np.concatenate([getattr(each, name) for each in (self, *others)]) for name in names]
        return Balance(self.log_rates, *parts)


def balance(samples: Samples, balls: Balls, log_rates: FloatArray) -> Balance:
    """The equations of all balls with enough samples, none of them unknown."""
    x, R = samples.positions, balls.radii
    d = x.shape[1]
    first = np.searchsorted(x[:, 0], balls.centres[:, 0] - R)
    last = np.searchsorted(x[:, 0], balls.centres[:, 0] + R, side="right")
    node, share = _places(samples.shear_rate, log_rates)
    sums, counts = _integrals(
        x, samples.volumes, samples.velocity, samples.D, samples.force, node, share, balls.centres, R, first, last,
        len(log_rates),
    )  # fmt: skip
    b = len(log_rates)
    # In powers of the radius, so that the numbers of balls of all sizes are alike.
    sums *= (R ** (2 - d))[:, None]
    good = (counts >= _FEWEST[d]) & np.isfinite(sums).all(axis=1) & (sums[:, 3 * b : 4 * b].sum(axis=1) > 0)
    sums, n = sums[good], int(good.sum())
    return Balance(
        log_rates,
        sums[:, : 3 * b].reshape(n, 3, b),
        sums[:, 3 * b : 4 * b],
        sums[:, 4 * b :],
        balls.centres[good],
        balls.sizes[good],
    )


def _places(rate: FloatArray, log_rates: FloatArray) -> tuple[IntArray, FloatArray]:
    """Between which nodes a rate lies, and how far towards the upper one; beyond the last but one, at these."""
    step = log_rates[1] - log_rates[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        place = (np.log(rate) - log_rates[0]) / step
    place = np.clip(np.nan_to_num(place, nan=1.0, neginf=1.0), 1.0, len(log_rates) - 2 - 1e-9)
    node = place.astype(np.int64)
    return node, place - node


@kernel(parallel=True)
def _integrals(
    x: Any, volumes: Any, velocity: Any, D: Any, force: Any, node: Any, share: Any, centres: Any, radii: Any,
    first: Any, last: Any, nodes: int,
) -> Any:  # fmt: skip
    """Of each ball the work (3 b) on the test functions, its size (b), the inertia (3); and the number of samples."""
    n, d = centres.shape
    sums, counts = np.zeros((n, 4 * nodes + 3)), np.zeros(n, np.int64)
    for c in prange(n):
        arm, turn, cubic, square = np.zeros(3), np.zeros(3), np.zeros(4), radii[c] ** 2
        for q in range(first[c], last[c]):
            r2 = 0.0
            for j in range(d):
                arm[j] = x[q, j] - centres[c, j]
                r2 += arm[j] ** 2
            left = 1 - r2 / square
            if left <= 0:
                continue
            counts[c] += 1
            # ∇∇φ = along I + bend x⊗x, ∇φ = along x
            along = -2 * _POWER / square * left ** (_POWER - 1)
            bend = 4 * _POWER * (_POWER - 1) / square**2 * left ** (_POWER - 2)
            size = _turned(D[q], arm, along, bend, d, turn)
            _cubic(share[q], cubic)
            for i in range(4):
                for k in range(3):
                    sums[c, k * nodes + node[q] - 1 + i] += 2 * volumes[q] * cubic[i] * turn[k]
            sums[c, 3 * nodes + node[q]] += 2 * volumes[q] * (1 - share[q]) * size
            sums[c, 3 * nodes + node[q] + 1] += 2 * volumes[q] * share[q] * size
            _inertia(velocity[q], force[q], arm, along, bend, d, turn)
            for k in range(3):
                sums[c, 4 * nodes + k] += volumes[q] * turn[k]
    return sums, counts


@called
def _cubic(t: float, weights: Any) -> None:
    """Lagrange's cubics on the nodes −1, 0, 1, 2, at t between 0 and 1."""
    weights[0] = -t * (t - 1) * (t - 2) / 6
    weights[1] = (t + 1) * (t - 1) * (t - 2) / 2
    weights[2] = -(t + 1) * t * (t - 2) / 2
    weights[3] = (t + 1) * t * (t - 1) / 6


@called
def _turned(D: Any, arm: Any, along: float, bend: float, d: int, turn: Any) -> float:
    """D:∇w_k of the three test functions; returns |D| times the size of the part of ∇∇φ that counts."""
    px = D[0, 0] * arm[0] + D[0, 1] * arm[1] + D[0, 2] * arm[2]
    py = D[1, 0] * arm[0] + D[1, 1] * arm[1] + D[1, 2] * arm[2]
    pz = D[2, 0] * arm[0] + D[2, 1] * arm[1] + D[2, 2] * arm[2]
    turn[0] = bend * (py * arm[2] - pz * arm[1])
    turn[1] = bend * (pz * arm[0] - px * arm[2])
    turn[2] = bend * (px * arm[1] - py * arm[0])
    across = 0.0
    if d == 2:
        turn[0] -= along * D[2, 1]
        turn[1] += along * D[2, 0]
        across = math.sqrt(D[2, 0] ** 2 + D[2, 1] ** 2)
    elif d == 1:
        turn[1] += along * D[2, 0]
        turn[2] -= along * D[1, 0]
        across = math.sqrt(D[2, 0] ** 2 + D[1, 0] ** 2)
    total = 0.0
    for i in range(3):
        for j in range(3):
            total += D[i, j] ** 2
    r2 = arm[0] ** 2 + arm[1] ** 2 + arm[2] ** 2
    return bend * r2 * math.sqrt(total / 2) + abs(along) * across


@called
def _inertia(v: Any, f: Any, arm: Any, along: float, bend: float, d: int, turn: Any) -> None:
    """v⊗v:∇w_k + f·w_k of the three test functions."""
    p = bend * (v[0] * arm[0] + v[1] * arm[1] + v[2] * arm[2])
    for k in range(3):
        i, j = (k + 1) % 3, (k + 2) % 3
        turn[k] = p * (v[i] * arm[j] - v[j] * arm[i]) + along * (f[i] * arm[j] - f[j] * arm[i])
    if d == 2:
        turn[0] -= along * v[2] * v[1]
        turn[1] += along * v[2] * v[0]
    elif d == 1:
        turn[1] += along * v[2] * v[0]
        turn[2] -= along * v[1] * v[0]
