"""Noisy velocities on lattices: what the choice of smoothing costs, beside differences and penalised least squares."""

from __future__ import annotations

import numpy as np

from flowgrad import Flow, Lattice, Series, velocity_gradient, velocity_gradients
from scripts.benchmarks.measuring import Rows, Sizes, Speed, timed
from scripts.penalised import smoothn

# Noise in parts of the largest velocity; fields of a series.
_NOISE, _FIELDS = 0.05, 100


def noise(sizes: Sizes) -> Rows:
    """One field of a plane, a series of a hundred, and a cube; of a new lattice each but for the series."""
    n = sizes.image
    plane, cube = (n, n), (n, n, n)
    velocity_gradient(_flow(plane, 0))  # compiled loops are loaded
    flow = _flow(plane, 1)
    one = timed(lambda: velocity_gradient(flow))
    what = f"smooth, {n}² noisy velocities"
    yield Speed(what, one, "smoothn and np.gradient", timed(lambda: _smoothn(flow)))
    yield Speed(what, one, "np.gradient alone", timed(lambda: _differences(flow)))
    series = Series.from_flows([_flow(plane, seed, flow.mesh) for seed in range(2, 2 + _FIELDS)])
    hundred = timed(lambda: [each.L for each in velocity_gradients(series)])
    yield Speed(f"smooth, {_FIELDS} fields of {n}²", hundred, "one of them", one, 0.1)
    whole = _flow(cube, 0)
    third = timed(lambda: velocity_gradient(whole))
    order_2 = timed(lambda: velocity_gradient(whole, "finite-difference(order=2)"))
    yield Speed(f"smooth, {n}³ noisy velocities", third, "finite-difference(order=2)", order_2, 0.1)
    yield Speed(f"smooth, {n}³ noisy velocities", third, "smoothn and np.gradient", timed(lambda: _smoothn(whole)))


def _flow(shape: tuple[int, ...], seed: int, mesh: Lattice | None = None) -> Flow:
    """Vortices with noise."""
    lattice = Lattice.uniform(shape, 1 / (shape[0] - 1)) if mesh is None else mesh
    a, b, c = (4 * np.pi * lattice.points).T
    velocity = np.stack([np.sin(a) * np.cos(b), -np.cos(a) * np.sin(b), np.sin(c)], axis=1)
    known = np.arange(3) < len(shape)
    return Flow(lattice, velocity + known * _NOISE * np.random.default_rng(seed).normal(size=velocity.shape), "points")


def _fields(flow: Flow) -> list[np.ndarray]:
    shape = [n for n in flow.mesh.shape[::-1] if n > 1]
    return [np.ascontiguousarray(v.reshape(shape)) for v in flow.velocity.T[: len(shape)]]


def _differences(flow: Flow) -> list[list[np.ndarray]]:
    return [np.gradient(field, edge_order=2) for field in _fields(flow)]


def _smoothn(flow: Flow) -> list[list[np.ndarray]]:
    return [np.gradient(field, edge_order=2) for field in smoothn(_fields(flow))]
