"""Errors for smooth flows beside other people's code: in a box of tetrahedra J(n), in a square of triangles T(n), on
lattices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from flowgrad.exact import ExactFlow, PlanarWaves, Vortices
from flowgrad.flow import Flow
from flowgrad.gradient import FiniteDifference
from flowgrad.gradient.local_fits.averages import simplex_quadrature
from flowgrad.mesh import Lattice, Mesh
from flowgrad.mesh.generate import block
from flowgrad.typing import FloatArray
from flowgrad.verify import ErrorNorms, at_boundary, sampled
from scripts.convergence.lattice_peers import Derivatives, by_findiff, by_numpy
from scripts.convergence.table import Accuracy, Sizes, beside_vtk, is_installed, listed

LEGEND = (
    "J(n): a cube of n³ points and six tetrahedra a cell, inner points moved by up to 0.15 spacings, with",
    "v = (sin x cos y cos z, −cos x sin y cos z, 0.3 x sin 2z) on [0, 2π]³, as on the lattices; errors are rms",
    "over the rms |L|. T(n): the unit square, two triangles a cell, points moved by up to 0.2 spacings,",
    "v = (sin 2x cos 3y, cos x sin 2y + xy); errors are rms of the largest component's. Linear flows: the largest",
    "error of L over its largest component. σ_L, σ_v: standard deviations of L and of v, h the spacing.",
)

# The largest errors allowed at the README's sizes; elsewhere they are (spacing)^order as large.
_BOX = {2: (8.5e-3, 2e-2), 3: (3e-4, 3e-3), 4: (1e-4, 1.5e-3)}
_SQUARE = {2: 7e-4, 3: 3e-5}


def box(n: int) -> Iterator[Accuracy]:
    """Fits of orders 2, 3, 4 on J(n), inside and at the boundary."""
    mesh, exact = block("tetra", n, 2 * np.pi), Vortices()
    flow = sampled(exact, mesh, "points")
    peer = beside_vtk(lambda: inside_and_boundary(_by_vtk(flow), exact, mesh))
    for order, bounds in _BOX.items():
        L = FiniteDifference(order=order, lattice=False).gradients(flow, "points").L
        allowed = _scaled(bounds, n, Sizes().box, order)
        yield Accuracy(f"J({n}), order {order}: inside / boundary", inside_and_boundary(L, exact, mesh), peer, allowed)


def lattices(n: int) -> Iterator[Accuracy]:
    """An image at orders 2 and 6 beside NumPy and findiff, and a curvilinear lattice at order 2."""
    exact, image = Vortices(), Lattice.uniform((n, n, n), 2 * np.pi / (n - 1))
    for order in (2, 6):
        yield _on_lattice(f"image {n}³, order {order}", order, exact, image, _peers(image, exact, order))
    s = np.linspace(0, 2 * np.pi, n)
    x = np.stack(np.meshgrid(s, s, s, indexing="ij"), -1)
    bent = Lattice.curvilinear(x + 0.3 * np.sin(x[..., [1, 2, 0]]))
    yield _on_lattice(f"curvilinear {n}³, order 2", 2, exact, bent, "")


def _on_lattice(what: str, order: int, exact: ExactFlow, lattice: Lattice, peer: str) -> Accuracy:
    L = FiniteDifference(order=order).gradients(sampled(exact, lattice, "points"), "points").L
    return Accuracy(f"{what}, inside / boundary", inside_and_boundary(L, exact, lattice), peer)


def _peers(image: Lattice, exact: ExactFlow, order: int) -> str:
    """NumPy's errors where it has the order, and findiff's where it is installed."""
    grid = exact.velocity(image.points).reshape(*image.shape[::-1], 3)
    peers: dict[str, Derivatives] = {"np.gradient": by_numpy} if order == 2 else {}
    if is_installed("findiff"):
        peers["findiff"] = by_findiff
    h = 2 * np.pi / (image.shape[0] - 1)
    errors = {name: inside_and_boundary(find(grid, h, order), exact, image) for name, find in peers.items()}
    return ", ".join(f"{name} {listed(found)}" for name, found in errors.items())


def square(n: int) -> Iterator[Accuracy]:
    """Fits on T(n) to samples and averages at cells, of order 2, and to points, of order 3."""
    mesh, exact = block("triangle", n, jitter=0.2), PlanarWaves()
    samples, averages = sampled(exact, mesh, "cells"), Flow(mesh, _averages(mesh, exact), "cells")
    points = sampled(exact, mesh, "points")
    at_cells = beside_vtk(lambda: [_typical(_by_vtk(samples), exact.gradient(mesh.centroids))])
    at_points = beside_vtk(lambda: [_typical(_by_vtk(points), exact.gradient(mesh.points))])
    for what, flow, order, values, peer in (
        ("cell data (samples)", samples, 2, "samples", at_cells),
        ("cell data (averages)", averages, 2, "averages", at_cells),
        ("point data", points, 3, "samples", at_points),
    ):
        scheme = FiniteDifference(order=order, lattice=False, cell_values=values)
        error = _typical(scheme.gradients(flow, flow.location).L, exact.gradient(mesh.places(flow.location)))
        allowed = _scaled((_SQUARE[order],), n, Sizes().square, order)
        yield Accuracy(f"T({n}), {what}, order {order}", (error,), peer, allowed)


def _by_vtk(flow: Flow) -> FloatArray:
    """L where the values are."""
    from tests.vtk_peer import vtk_cell_data_gradients, vtk_point_gradients

    gradients = vtk_point_gradients if flow.location == "points" else vtk_cell_data_gradients
    return gradients(flow.mesh, flow.velocity)


def inside_and_boundary(L: FloatArray, exact: ExactFlow, mesh: Mesh) -> tuple[float, float]:
    """Root mean square errors at the points inside and at the boundary, over the rms |L| of all of them."""
    found = ErrorNorms.of(L, exact.gradient(mesh.points), at_boundary(mesh, "points"))
    return found.interior, found.boundary


def _typical(L: FloatArray, exact: FloatArray) -> float:
    return float(np.sqrt(np.mean(np.abs(L - exact).max(axis=(1, 2)) ** 2)))


def _scaled(bounds: Sequence[float], n: int, full: int, order: int) -> tuple[float, ...]:
    return tuple(bound * ((full - 1) / (n - 1)) ** order for bound in bounds)


def _averages(mesh: Mesh, exact: ExactFlow) -> FloatArray:
    """Averages over triangles, by a quadrature exact for degree 11."""
    nodes, shares = simplex_quadrature(2, 6)
    corners = mesh.points[mesh.cells.connectivity.reshape(-1, 3)]
    return np.einsum("q,qnx->nx", shares, exact.velocity(np.einsum("qc,ncx->qnx", nodes, corners)))
