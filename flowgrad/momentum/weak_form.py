"""Weak form of the balance of momentum, as equations for the viscosity at nodes of log γ̇, cubic in between.

φ = (1 − |Sx|²/R²)⁵ in a ball of stretched positions Sx, w = ∇φ × e_k: without divergence, so that the pressure drops
out, and zero with its slope at the edge, so that no traction is needed. By parts no derivative but D is left:
∫ 2η D:∇w dV = ρ [∫ (f − ∂v/∂t)·w dV + ∫ v⊗v:∇w dV]. Along directions in which the mesh is one cell thick nothing
varies but the pressure, linearly, and φ does not depend on them. The integrals are sums over samples of the flow.

About an axis φ is one of the axial coordinate z and of the distance r, from which w = (2φ + r ∂φ/∂r) e_z − r ∂φ/∂z e_r
of the stream function r²φ (Stokes 1842, Trans. Camb. Phil. Soc. 7, 439), and w = r/R φ e_θ where the flow swirls. With
samples on both sides of the axis, counted half each, φ and its mirror image together are smooth across it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numba import prange

from flowgrad.compiled import called, kernel
from flowgrad.momentum.flow_samples import FlowSamples, strips_of
from flowgrad.momentum.test_functions import Balls
from flowgrad.typing import FloatArray, IntArray

_POWER = 5
# So many samples in a ball make its integrals worth something, by dimension.
_FEWEST = {1: 8, 2: 40, 3: 150}
# Samples that deform less than this part of the lowest node's rate, as so many of the nearest do, are in a plug.
_STILL = 0.01
_NEIGHBOURS = {1: 12, 2: 40, 3: 100}


@dataclass(frozen=True, eq=False)
class Balance:
    """For n balls and b nodes of log γ̇ (``log_rates``, evenly spaced): ``work`` (n, 3, b) of the stress on the three
    test functions for unit viscosity at each node, ``size`` (n, b) of it without regard to sign, ``inertia`` (n, 3),
    the right-hand side for unit density, and ``momentum`` (n,) the size of what cancels in that. ``centres`` (n, d),
    ``radii`` (n,) and ``sizes`` (n,) are those of the balls, of stretched positions."""

    log_rates: FloatArray
    work: FloatArray
    size: FloatArray
    inertia: FloatArray
    momentum: FloatArray
    centres: FloatArray
    radii: FloatArray
    sizes: IntArray

    def __len__(self) -> int:
        return len(self.size)

    def joined(self, others: Sequence[Balance]) -> Balance:
        """With the equations of others for the same nodes."""
        names = [each.name for each in fields(self) if each.name != "log_rates"]
        parts = [np.concatenate([getattr(each, name) for each in (self, *others)]) for name in names]
        return Balance(self.log_rates, *parts)


@dataclass(frozen=True, eq=False)
class SampledBalance:
    """The samples of one step, stretched, the balance on the balls in them, and whether there are plugs beside."""

    samples: FlowSamples
    balance: Balance
    beside_plug: bool


def balance(samples: FlowSamples, balls: Balls, log_rates: FloatArray) -> Balance:
    """The equations of all balls with enough samples, none of them unknown."""
    b, d = len(log_rates), samples.positions.shape[1]
    node, weights = node_weights(samples.shear_rate, log_rates)
    flow = samples.velocity, samples.D, samples.shear_rate, samples.force
    sums, counts = _integrals(*_geometry(samples, balls), *flow, node, weights, b)
    # In powers of the radius, so that the numbers of balls of all sizes are alike.
    sums *= (balls.radii ** (2 - d))[:, None]
    size = sums[:, 3 * b : 4 * b]
    good = (counts >= _FEWEST[d]) & np.isfinite(sums).all(axis=1) & (size.sum(axis=1) > 0)
    sums, n = sums[good], int(good.sum())
    return Balance(
        log_rates,
        sums[:, : 3 * b].reshape(n, 3, b),
        sums[:, 3 * b : 4 * b],
        sums[:, 4 * b : 4 * b + 3],
        sums[:, 4 * b + 3],
        balls.centres[good],
        balls.radii[good],
        balls.sizes[good],
    )


def plug(samples: FlowSamples, log_rates: FloatArray) -> FloatArray:
    """Positions (k, d) in plugs: nothing deforms there, and no velocity tells the stress."""
    from scipy.spatial import cKDTree

    x = samples.positions
    still = samples.shear_rate <= _STILL * np.exp(log_rates[0])
    many = min(_NEIGHBOURS[x.shape[1]], len(x))
    if still.sum() < many:
        return np.empty((0, x.shape[1]))
    nearest = cKDTree(x).query(x[still], k=many)[1]
    return np.asarray(x[still][still[nearest].all(axis=1)])


def placed_work(samples: FlowSamples, balls: Balls, viscosities: FloatArray) -> FloatArray:
    """The work (n, 3, q) on the test functions of each of q viscosities (m, q) of place, as :class:`Balance` has it."""
    d, q = samples.positions.shape[1], viscosities.shape[1]
    sums = _placed(*_geometry(samples, balls), samples.D, samples.shear_rate, viscosities)
    return np.asarray(sums * (balls.radii ** (2 - d))[:, None]).reshape(-1, 3, q)


def _geometry(samples: FlowSamples, balls: Balls) -> tuple[Any, ...]:
    """What the kernels need of the samples' places and of the balls: which samples may lie in each, too; and the first
    test function that a flow works on: in planar ones, and without swirl, the third alone."""
    x, S = samples.positions, np.zeros((3, 3))
    d = x.shape[1]
    S[:d, :d] = samples.stretch
    strips = strips_of(x, x[:, 0])
    starts = np.searchsorted(strips, np.arange(strips[-1] + 2))
    first, last = (strips_of(x, balls.centres[:, 0] + reach) for reach in (-balls.radii, balls.radii))
    radial, one = samples.radial, 0
    if radial >= 0:
        one = 1 if np.nan_to_num(np.hstack([samples.velocity[:, 2:], samples.force[:, 2:]])).any() else 2
    elif d == 2:
        across = np.hstack([samples.velocity[:, d:], samples.force[:, d:], samples.D[:, d:].reshape(len(x), -1)])
        one = 0 if np.nan_to_num(across).any() else 2
    place = x, samples.volumes, samples.radius, radial
    return *place, S, balls.centres, balls.radii, first, last, starts, one


def node_weights(rate: FloatArray, log_rates: FloatArray) -> tuple[IntArray, FloatArray]:
    """The first of the four nodes (m,) between which η is taken at each rate, by Lagrange's cubics with weights (m, 4);
    below the second node and above the last but one at these."""
    step = log_rates[1] - log_rates[0]
    with np.errstate(divide="ignore", invalid="ignore"):
        place = (np.log(rate) - log_rates[0]) / step
    place = np.clip(np.nan_to_num(place, nan=1.0, neginf=1.0), 1.0, len(log_rates) - 2 - 1e-9)
    node = place.astype(np.int64)
    t = place - node
    weights = [-t * (t - 1) * (t - 2) / 6, (t + 1) * (t - 1) * (t - 2) / 2]
    weights += [-(t + 1) * t * (t - 2) / 2, (t + 1) * t * (t - 1) / 6]
    return node - 1, np.stack(weights, axis=1)


@called
def _between(x: Any, start: int, end: int, middle: float, radius: float) -> Any:
    """The samples of a strip, sorted along the last axis, that a ball may hold."""
    across = x[start:end, x.shape[1] - 1]
    return start + np.searchsorted(across, middle - radius), start + np.searchsorted(across, middle + radius)


@called
def _left(place: Any, centre: Any, square: float, arm: Any) -> float:
    """1 − r²/R² at a place in a ball, whose distance (3,) from its centre is filled in."""
    r2 = 0.0
    for j in range(len(place)):
        arm[j] = place[j] - centre[j]
        r2 += arm[j] ** 2
    return 1 - r2 / square


@kernel(parallel=True)
def _integrals(
    x: Any, volumes: Any, radius: Any, radial: int, S: Any, centres: Any, radii: Any, first: Any, last: Any,
    starts: Any, one: int, velocity: Any, D: Any, rate: Any, force: Any, node: Any, weights: Any, nodes: int,
) -> Any:  # fmt: skip
    """Of each ball the work (3 b) on the test functions, its size (b), the inertia (3) and the size of what cancels in
    it; and the number of samples."""
    n, d = centres.shape
    G = S @ S
    sums, counts = np.zeros((n, 4 * nodes + 4)), np.zeros(n, np.int64)
    for c in prange(n):
        arm, p, turn, square = np.zeros(3), np.zeros(3), np.zeros(3), radii[c] ** 2
        for strip in range(first[c], last[c] + 1):
            low, high = _between(x, starts[strip], starts[strip + 1], centres[c, d - 1], radii[c])
            for q in range(low, high):
                left = _left(x[q], centres[c], square, arm)
                if left <= 0:
                    continue
                counts[c] += 1
                # ∇φ = along p, ∇∇φ = along G + bend p⊗p
                along = -2 * _POWER / square * left ** (_POWER - 1)
                bend = 4 * _POWER * (_POWER - 1) / square**2 * left ** (_POWER - 2)
                p2 = _pulled(S, arm, p)
                r, R = radius[q], radii[c]
                if radial < 0:
                    size = _turned(D[q], rate[q], one, p, G, along, bend, turn)
                else:
                    size = _turned_about(D[q], rate[q], p, G, along, bend, r, R, radial, turn)
                for k in range(one, 3):
                    for i in range(4):
                        sums[c, k * nodes + node[q] + i] += 2 * volumes[q] * weights[q, i] * turn[k]
                # Linear between the inner two nodes, so that it is positive; the cubics reproduce how far it is.
                upper = weights[q, 2] + 2 * weights[q, 3] - weights[q, 0]
                sums[c, 3 * nodes + node[q] + 1] += 2 * volumes[q] * (1 - upper) * size
                sums[c, 3 * nodes + node[q] + 2] += 2 * volumes[q] * upper * size
                v, arm_of = velocity[q], 1.0
                if radial < 0:
                    _inertia(v, force[q], one, p, G, along, bend, turn)
                else:
                    _inertia_about(v, force[q], p, G, along, bend, left**_POWER, r, R, radial, turn)
                    arm_of = abs(r)
                for k in range(one, 3):
                    sums[c, 4 * nodes + k] += volumes[q] * turn[k]
                speed2 = v[0] ** 2 + v[1] ** 2 + v[2] ** 2
                sums[c, 4 * nodes + 3] += volumes[q] * arm_of * bend * p2 * speed2
    return sums, counts


@kernel(parallel=True)
def _placed(
    x: Any, volumes: Any, radius: Any, radial: int, S: Any, centres: Any, radii: Any, first: Any, last: Any,
    starts: Any, one: int, D: Any, rate: Any, viscosities: Any,
) -> Any:  # fmt: skip
    """Of each ball the work (3 q) on the test functions."""
    n, d = centres.shape
    G, columns = S @ S, viscosities.shape[1]
    sums = np.zeros((n, 3 * columns))
    for c in prange(n):
        arm, p, turn, square = np.zeros(3), np.zeros(3), np.zeros(3), radii[c] ** 2
        for strip in range(first[c], last[c] + 1):
            low, high = _between(x, starts[strip], starts[strip + 1], centres[c, d - 1], radii[c])
            for q in range(low, high):
                left = _left(x[q], centres[c], square, arm)
                if left <= 0:
                    continue
                along = -2 * _POWER / square * left ** (_POWER - 1)
                bend = 4 * _POWER * (_POWER - 1) / square**2 * left ** (_POWER - 2)
                _pulled(S, arm, p)
                if radial < 0:
                    _turned(D[q], rate[q], one, p, G, along, bend, turn)
                else:
                    _turned_about(D[q], rate[q], p, G, along, bend, radius[q], radii[c], radial, turn)
                for k in range(one, 3):
                    for i in range(columns):
                        sums[c, k * columns + i] += 2 * volumes[q] * viscosities[q, i] * turn[k]
    return sums


@called
def _pulled(S: Any, arm: Any, p: Any) -> float:
    """p = S arm; returns its square."""
    square = 0.0
    for i in range(3):
        p[i] = S[i, 0] * arm[0] + S[i, 1] * arm[1] + S[i, 2] * arm[2]
        square += p[i] ** 2
    return square


@called
def _turned(D: Any, rate: float, one: int, p: Any, G: Any, along: float, bend: float, turn: Any) -> float:
    """D:∇w_k of the test functions from ``one`` on; returns |D| times the size of the part of ∇∇φ that counts."""
    across = 0.0
    for k in range(one, 3):
        i, j = (k + 1) % 3, (k + 2) % 3
        u = D[i, 0] * p[0] + D[i, 1] * p[1] + D[i, 2] * p[2]
        v = D[j, 0] * p[0] + D[j, 1] * p[1] + D[j, 2] * p[2]
        # ε_ijk (D·G)_ij, nothing where G is the identity
        a = 0.0
        for m in range(3):
            a += D[i, m] * G[m, j] - D[j, m] * G[m, i]
        turn[k] = bend * (u * p[j] - v * p[i]) + along * a
        across += a**2
    return 0.5 * bend * (p[0] ** 2 + p[1] ** 2 + p[2] ** 2) * rate + abs(along) * math.sqrt(across)


@called
def _turned_about(
    D: Any, rate: float, p: Any, G: Any, along: float, bend: float, r: float, R: float, radial: int, turn: Any
) -> float:
    """D:∇w of the test functions about an axis, the second and the third; returns |D| times the size of those parts of
    ∇w that count."""
    a, b = 1 - radial, radial
    straight = D[a, b] * (G[b, b] - G[a, a]) + (D[a, a] - D[b, b]) * G[a, b]
    bent = D[a, b] * (p[b] ** 2 - p[a] ** 2) + (D[a, a] - D[b, b]) * p[a] * p[b]
    first = p[a] * (2 * D[a, a] - D[b, b] - D[2, 2]) + 3 * p[b] * D[a, b]
    turn[2] = r * (along * straight + bend * bent) + along * first
    turn[1] = r / R * along * (D[a, 2] * p[a] + D[b, 2] * p[b])
    p2 = p[a] ** 2 + p[b] ** 2
    return abs(r) * (0.5 * bend * p2 * rate + abs(along * straight)) + 1.5 * abs(along) * math.sqrt(p2) * rate


@called
def _inertia(v: Any, f: Any, one: int, p: Any, G: Any, along: float, bend: float, turn: Any) -> None:
    """v⊗v:∇w_k + f·w_k of the test functions from ``one`` on."""
    s = v[0] * p[0] + v[1] * p[1] + v[2] * p[2]
    for k in range(one, 3):
        i, j = (k + 1) % 3, (k + 2) % 3
        a = 0.0
        for m in range(3):
            a += v[m] * (v[i] * G[m, j] - v[j] * G[m, i])
        turn[k] = bend * s * (v[i] * p[j] - v[j] * p[i]) + along * (a + f[i] * p[j] - f[j] * p[i])


@called
def _inertia_about(
    v: Any, f: Any, p: Any, G: Any, along: float, bend: float, phi: float, r: float, R: float, radial: int, turn: Any
) -> None:
    """v⊗v:∇w + f·w of the test functions about an axis, the second and the third."""
    a, b = 1 - radial, radial
    straight = v[a] * v[b] * (G[b, b] - G[a, a]) + (v[a] ** 2 - v[b] ** 2) * G[a, b]
    bent = v[a] * v[b] * (p[b] ** 2 - p[a] ** 2) + (v[a] ** 2 - v[b] ** 2) * p[a] * p[b]
    first = p[a] * (2 * v[a] ** 2 - v[b] ** 2 - v[2] ** 2) + 3 * p[b] * v[a] * v[b]
    turn[2] = r * (along * straight + bend * bent) + along * first
    turn[2] += f[a] * (2 * phi + r * along * p[b]) - f[b] * r * along * p[a]
    turn[1] = r / R * (along * v[2] * (v[a] * p[a] + v[b] * p[b]) + phi * f[2])
