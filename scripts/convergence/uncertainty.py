"""The predicted standard deviation of L against random draws, and inside a uniform lattice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from flowgrad.flow import Flow
from flowgrad.gradient import Autodiff, FiniteDifference, Scheme, velocity_gradient
from flowgrad.mesh import Cells, Lattice, Mesh
from flowgrad.mesh.generate import block
from flowgrad.typing import FloatArray
from scripts.convergence.table import Accuracy

_SIGMA = 0.02


def noise(draws: int) -> Iterator[Accuracy]:
    """Three schemes on three meshes, predicted over drawn; and differences on a lattice, in closed form."""
    rng = np.random.default_rng(0)
    kinds = {
        "scattered": Mesh(rng.uniform(size=(800, 3)), Cells.empty()),
        "tetrahedra": block("tetra", 8),
        "triangles": block("triangle", 20),
    }
    for name in ("tetrahedra", "triangles", "scattered"):
        first: Scheme = FiniteDifference(order=1) if name == "scattered" else Autodiff()
        schemes = first, FiniteDifference(order=2), FiniteDifference(order=3)
        ratios = tuple(_drawn(kinds[name], scheme, draws, rng) for scheme in schemes)
        which = "order 1" if name == "scattered" else "autodiff"
        yield Accuracy(f"σ_L predicted over drawn, {name}: {which}, 2, 3", ratios, "", (1.05,) * 3, (0.95,) * 3)
    yield from inside_a_lattice()


def _drawn(mesh: Mesh, scheme: Scheme, draws: int, rng: np.random.Generator) -> float:
    """Rms over the mesh of the predicted deviation of L, over that of random draws."""
    flow = Flow(mesh, np.ones((mesh.point_count, 3)), "points", noise=_SIGMA)
    predicted = _covariance(flow, scheme)
    operator = scheme.prepare(replace(flow, noise=None), "points")
    used = range(mesh.dimension or 3)
    square = np.zeros((len(predicted), 3, 3))
    for _ in range(draws):
        square += operator.vectors(rng.normal(0, _SIGMA, flow.velocity.shape)) ** 2
    drawn = square[:, :, used].mean() / draws
    return float(np.sqrt(np.mean([predicted[:, j, j].mean() for j in used]) / drawn))


def inside_a_lattice() -> Iterator[Accuracy]:
    """σ_L h / σ_v for central differences: √(Σ w²)."""
    h = 0.1
    middle = 6 * (1 + 13 + 13**2)
    flow = Flow(Lattice.uniform((13, 13, 13), h), np.zeros((13**3, 3)), "points", noise=_SIGMA)
    for order, known in ((2, 0.7071), (4, 0.9501)):
        found = float(np.sqrt(_covariance(flow, FiniteDifference(order=order))[middle, 0, 0]) * h / _SIGMA)
        what = f"σ_L h/σ_v inside a uniform lattice, order {order}"
        yield Accuracy(what, (found,), f"closed form {known}", (known + 1e-4,), (known - 1e-4,))


def _covariance(flow: Flow, scheme: Scheme) -> FloatArray:
    found = velocity_gradient(flow, scheme).covariance
    assert found is not None
    return found
