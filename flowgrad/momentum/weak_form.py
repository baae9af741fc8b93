"""Weak form of the balance of momentum, as equations for the viscosity at nodes of log γ̇, cubic in between.

φ = (1 − |Sx|²/R²)⁵ in a ball of stretched positions Sx, w = ∇φ × e_k: without divergence, so that the pressure drops
out, and zero with its slope at the edge, so that no traction is needed. By parts no derivative but D is left:
∫ 2η D:∇w dV = ρ [∫ (f − ∂v/∂t)·w dV + ∫ v⊗v:∇w dV]. Along directions in which the mesh is one cell thick nothing
varies but the pressure, linearly, and φ does not depend on them. The integrals are sums over samples of the flow: its
cells, or Gauss points within them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numba import prange

from flowgrad.compiled import called, kernel
from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient import FiniteDifference
from flowgrad.gradient.joined import on_joined
from flowgrad.gradient.local_fits.directions import directions
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import Block
from flowgrad.momentum.test_functions import Balls
from flowgrad.tensors import symmetric
from flowgrad.typing import FloatArray, IntArray

# Gauss points a direction by dimension: the test functions bend within large cells. Two, and then but one, are enough
# where there are so many cells, of which most balls hold hundreds.
_POINTS = {1: 4, 2: 3, 3: 2}
_FINE, _FINEST = 20_000, 200_000


@dataclass(frozen=True, eq=False)
class FlowSamples:
    """Stretched positions Sx (m, d), x in the d directions along which the mesh extends, S (d, d) its ``stretch``;
    volumes (m,), velocities (m, 3), rates of deformation D (m, 3, 3), forces f − ∂v/∂t (m, 3) and shear rates √(2D:D)
    (m,), all in the frame of ``basis`` (3, 3), whose first d rows are those directions. Those
    that :meth:`stretched` gives are sorted by strips. NaN where the flow is not known."""

    basis: FloatArray
    stretch: FloatArray
    positions: FloatArray
    volumes: FloatArray
    velocity: FloatArray
    D: FloatArray
    force: FloatArray
    shear_rate: FloatArray

    @property
    def places(self) -> FloatArray:
        """The positions (m, d) before they were stretched."""
        return np.asarray(self.positions @ np.linalg.inv(self.stretch).T)

    def stretched(self, stretch: FloatArray) -> FlowSamples:
        """With positions that are stretched by S (d, d) from what they are."""
        x = self.positions @ stretch.T
        order = np.lexsort((x[:, -1], _strip(x, x[:, 0])))
        names = ("volumes", "velocity", "D", "force", "shear_rate")
        values = {name: getattr(self, name)[order] for name in names}
        return replace(self, stretch=stretch @ self.stretch, positions=np.ascontiguousarray(x[order]), **values)


def frame_of(gradient: VelocityGradient) -> tuple[FloatArray, int]:
    """Directions (3, 3) as rows, and in how many of them the mesh is more than one cell thick. OptionError for
    flows whose balance of momentum is another one."""
    flow = gradient.flow
    if flow is None or not flow.mesh.dimension:
        raise OptionError("a viscosity from the velocity alone needs a flow on a mesh with cells: give them")
    if flow.is_meridian or flow.wedge is not None:
        raise OptionError(
            f"{flow.name}: a viscosity from the velocity alone is not available for axisymmetric flows in a meridian "
            "plane: give the flow in three dimensions, or a stress or viscosity that is known"
        )
    if not gradient.valid.any() or np.isnan(gradient.L[gradient.valid]).any():
        raise OptionError(
            f"{flow.name}: the velocity gradient is not known in all components "
            f"(out_of_plane={flow.out_of_plane}): say out_of_plane=zero if the flow is two-dimensional"
        )
    found = directions(flow.mesh, flow.mesh.centroids)
    if found.curved or not found.rank:
        raise OptionError(f"{flow.name}: the mesh is curved or has no extent: give a plane or solid mesh")
    return found.basis, found.rank


def samples(gradient: VelocityGradient, force: FloatArray) -> FlowSamples:
    """The samples of a gradient at points or cells, and of the force (n, 3) there."""
    basis, rank = frame_of(gradient)
    D = basis @ symmetric(gradient.L) @ basis.T
    values = np.hstack([gradient["velocity"] @ basis.T, D.reshape(-1, 9), force @ basis.T])
    values[~gradient.valid] = np.nan
    positions, volumes, values = _led(gradient, values)
    D = np.ascontiguousarray(values[:, 3:12]).reshape(-1, 3, 3)
    return FlowSamples(
        basis,
        np.eye(rank),
        positions @ basis[:rank].T,
        volumes,
        np.ascontiguousarray(values[:, :3]),
        D,
        np.ascontiguousarray(values[:, 12:]),
        np.sqrt(2 * (D.reshape(-1, 9) ** 2).sum(axis=1)),
    )


def _led(gradient: VelocityGradient, values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Values (n, c) at the points or cells of a gradient led along their slopes to Gauss points within the cells."""
    flow = gradient.flow
    assert flow is not None
    mesh, location = flow.mesh, gradient.location
    full = [block for block in mesh.blocks if block.reference.dimension == mesh.dimension]
    # Shape functions of the second degree need no slopes.
    needs = location == "cells" or any(block.reference.degree == 1 for block in full)
    slopes = _slopes(flow, str(location), values) if needs else np.zeros((0, values.shape[1], 3))
    parts = [_in_block(mesh, block, values, slopes, location == "cells") for block in full]
    positions, volumes, found = (np.concatenate(each) for each in zip(*parts, strict=True))
    return positions, volumes, found


def _slopes(flow: Flow, location: str, values: FloatArray) -> FloatArray:
    """Derivatives (n, c, 3) of values (n, c) at points or cells; none beside places where these are not known."""
    places = flow.mesh.places(location)
    bare = Flow(flow.mesh, np.zeros_like(places), location)
    # Points that are one have one slope, and no fit looks through a plate.
    operator = FiniteDifference(order=1).prepare(bare.joined, location)
    found = (operator if bare.joined is bare else on_joined(operator, bare, location)).apply(values)
    return np.where(np.isfinite(found), found, 0.0)


def _in_block(
    mesh: Mesh, block: Block, values: FloatArray, slopes: FloatArray, of_cells: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Positions (m s, 3) of s Gauss points in each of m cells, the volumes that these stand for (m s,), and the values
    there; of cells that have no shape functions the centroid alone."""
    N, rows = None, block.rows
    positions, volumes = mesh.centroids[block.cells], mesh.measures[block.cells]
    if block.reference.has_interpolant and rows is not None:
        N, positions, volumes = _gauss(mesh, block)
    if of_cells:
        alike = np.ones((len(positions) // len(block.cells), 1))
        found = _interpolated(alike, block.cells[:, None], values, slopes, mesh.centroids, positions, 1.0)
    elif N is None:
        start, points = mesh.cells.offsets, mesh.cells.connectivity
        found = np.array([values[points[start[c] : start[c + 1]]].mean(axis=0) for c in block.cells])
    else:
        # With half the slopes linear shape functions are exact for what is quadratic.
        part = 0.5 if block.reference.degree == 1 else 0.0
        found = _interpolated(N, rows, values, slopes, mesh.points, positions, part)
    return positions, volumes, found


@kernel(parallel=True)
def _interpolated(N: Any, rows: Any, values: Any, slopes: Any, places: Any, positions: Any, part: float) -> Any:
    """Values (m s, c) at s positions in each of m cells by the shape functions N (s, k) of its ``rows`` (m, k), each
    value led there along a ``part`` of its slopes."""
    m, columns, many = len(rows), values.shape[1], len(N)
    found = np.zeros((m * many, columns))
    for cell in prange(m):
        for site in range(many):
            q = cell * many + site
            for k in range(rows.shape[1]):
                row = rows[cell, k]
                for c in range(columns):
                    value = values[row, c]
                    if part != 0:
                        for i in range(3):
                            value += part * slopes[row, c, i] * (positions[q, i] - places[row, i])
                    found[q, c] += N[site, k] * value
    return found


def _gauss(mesh: Mesh, block: Block) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Shape functions at the Gauss points (s, k), positions (m s, 3) and volumes (m s,) of these."""
    family = block.reference.family
    assert family is not None
    count = 1 if len(mesh) > _FINEST else 2 if len(mesh) > _FINE else _POINTS[family.dimension]
    sites, weights = family.gauss(count)
    N, dN = block.reference.values(sites), block.reference.gradients(sites)
    nodes = mesh.points[block.rows]
    J = np.einsum("ska,mkd->msda", dN, nodes)
    # √det JᵀJ is |det J| of solids, and the measure of surfaces and lines.
    measure = np.sqrt(np.maximum(np.linalg.det(np.swapaxes(J, -1, -2) @ J), 0.0))
    return N, np.einsum("sk,mkd->msd", N, nodes).reshape(-1, 3), (measure * weights).ravel()


_POWER = 5
# So many samples in a ball make its integrals worth something, by dimension.
_FEWEST = {1: 8, 2: 40, 3: 150}
# Strips of samples are so many times as long as wide, counted in samples.
_IN_STRIP = 8
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
    test function that a flow works on: in planar ones the third alone."""
    x, S = samples.positions, np.zeros((3, 3))
    d = x.shape[1]
    S[:d, :d] = samples.stretch
    strips = _strip(x, x[:, 0])
    starts = np.searchsorted(strips, np.arange(strips[-1] + 2))
    first, last = (_strip(x, balls.centres[:, 0] + reach) for reach in (-balls.radii, balls.radii))
    across = np.hstack([samples.velocity[:, d:], samples.force[:, d:], samples.D[:, d:].reshape(len(x), -1)])
    one = 2 if d == 2 and not np.nan_to_num(across).any() else 0
    return x, samples.volumes, S, balls.centres, balls.radii, first, last, starts, one


def _strip(x: FloatArray, along: FloatArray) -> IntArray:
    """The strip of the first coordinate that each value (n,) lies in, of about as many as there are samples (m, d) in
    it; values beyond the samples are in the first or last."""
    low, high = x[:, 0].min(), x[:, 0].max()
    count = max(1, int(np.sqrt(len(x) / _IN_STRIP)))
    place = (along - low) / max(high - low, 1e-300) * count
    return np.clip(place, 0, count - 1).astype(np.int64)


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
    x: Any, volumes: Any, S: Any, centres: Any, radii: Any, first: Any, last: Any, starts: Any, one: int, velocity: Any,
    D: Any, rate: Any, force: Any, node: Any, weights: Any, nodes: int,
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
                size = _turned(D[q], rate[q], one, p, G, along, bend, turn)
                for k in range(one, 3):
                    for i in range(4):
                        sums[c, k * nodes + node[q] + i] += 2 * volumes[q] * weights[q, i] * turn[k]
                # Linear between the inner two nodes, so that it is positive; the cubics reproduce how far it is.
                upper = weights[q, 2] + 2 * weights[q, 3] - weights[q, 0]
                sums[c, 3 * nodes + node[q] + 1] += 2 * volumes[q] * (1 - upper) * size
                sums[c, 3 * nodes + node[q] + 2] += 2 * volumes[q] * upper * size
                speed2 = _inertia(velocity[q], force[q], one, p, G, along, bend, turn)
                for k in range(one, 3):
                    sums[c, 4 * nodes + k] += volumes[q] * turn[k]
                sums[c, 4 * nodes + 3] += volumes[q] * bend * p2 * speed2
    return sums, counts


@kernel(parallel=True)
def _placed(
    x: Any, volumes: Any, S: Any, centres: Any, radii: Any, first: Any, last: Any, starts: Any, one: int, D: Any,
    rate: Any, viscosities: Any,
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
                _turned(D[q], rate[q], one, p, G, along, bend, turn)
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
def _inertia(v: Any, f: Any, one: int, p: Any, G: Any, along: float, bend: float, turn: Any) -> float:
    """v⊗v:∇w_k + f·w_k of the test functions from ``one`` on; returns |v|²."""
    s = v[0] * p[0] + v[1] * p[1] + v[2] * p[2]
    for k in range(one, 3):
        i, j = (k + 1) % 3, (k + 2) % 3
        a = 0.0
        for m in range(3):
            a += v[m] * (v[i] * G[m, j] - v[j] * G[m, i])
        turn[k] = bend * s * (v[i] * p[j] - v[j] * p[i]) + along * (a + f[i] * p[j] - f[j] * p[i])
    return v[0] ** 2 + v[1] ** 2 + v[2] ** 2
