"""The predicted standard deviation of L against random draws, and inside a uniform lattice."""

from __future__ import annotations

import dataclasses

import numpy as np

from flowgrad import Autodiff, Cells, FiniteDifference, Flow, Lattice, Mesh, velocity_gradient
from flowgrad.gradient import Scheme
from flowgrad.mesh.blocks import block
from scripts.benchmarks.measuring import Accuracy, Rows, Sizes
from scripts.benchmarks.unstructured import fit

SIGMA = 0.02


def noise(sizes: Sizes) -> Rows:
    """The predicted standard deviation against random draws, and inside a uniform lattice."""
    rng = np.random.default_rng(0)
    cloud = rng.uniform(size=(800, 3))
    kinds = {
        "tetrahedra": block("tetra", 8),
        "triangles": block("triangle", 20),
        "scattered": Mesh(cloud, Cells.empty()),
    }
    for name, mesh in kinds.items():
        first = fit(1) if name == "scattered" else Autodiff()
        ratios = tuple(_drawn(mesh, scheme, sizes.draws, rng) for scheme in (first, fit(2), fit(3)))
        which = "order 1" if name == "scattered" else "autodiff"
        what = f"predicted over drawn deviation, {name}: {which} / orders 2, 3"
        yield Accuracy(what, ratios, "", (1.05,) * 3, (0.95,) * 3)
    yield from _inside_a_lattice()


def _drawn(mesh: Mesh, scheme: Scheme, draws: int, rng: np.random.Generator) -> float:
    """Rms over the mesh of the predicted deviation of L, over that of random draws."""
    flow = Flow(mesh, np.ones((mesh.point_count, 3)), "points", noise=SIGMA)
    predicted = velocity_gradient(flow, scheme).covariance
    operator = scheme.prepare(dataclasses.replace(flow, noise=None), "points")
    used = range(mesh.dimension or 3)
    square = np.zeros((len(predicted), 3, 3))
    for _ in range(draws):
        square += operator.vectors(rng.normal(0, SIGMA, flow.velocity.shape)) ** 2
    drawn = square[:, :, used].mean() / draws
    return float(np.sqrt(np.mean([predicted[:, j, j].mean() for j in used]) / drawn))


def _inside_a_lattice() -> Rows:
    """σ_L h / σ_v for central differences: √(Σ w²)."""
    h = 0.1
    lattice = Lattice.uniform((13, 13, 13), h)
    middle = 6 * (1 + 13 + 13**2)
    flow = Flow(lattice, np.zeros((13**3, 3)), "points", noise=SIGMA)
    for order, known in ((2, 0.7071), (4, 0.9501)):
        C = velocity_gradient(flow, FiniteDifference(order=order)).covariance[middle]
        found = float(np.sqrt(C[0, 0]) * h / SIGMA)
        what = f"σ_L h/σ_v inside a uniform lattice, order {order}"
        yield Accuracy(what, (found,), f"closed form {known}", (known + 1e-4,), (known - 1e-4,))
