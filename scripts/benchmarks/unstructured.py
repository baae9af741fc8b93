"""Local fits beside VTK: a box of jittered tetrahedra J(n), a square of jittered triangles T(n), a series."""

from __future__ import annotations

import numpy as np

from flowgrad import Autodiff, FiniteDifference, Flow, Mesh, Series, velocity_gradient, velocity_gradients
from flowgrad.exact import ExactFlow, PlanarWaves, Vortices
from flowgrad.gradient.averages import simplex_quadrature
from flowgrad.mesh.blocks import block
from scripts.benchmarks.measuring import (
    Accuracy,
    Rows,
    Sizes,
    Speed,
    beside_vtk,
    fresh,
    inside_and_boundary,
    listed,
    median_time,
    scheme_time,
    timed,
    vtk_times,
)
from scripts.benchmarks.processes import gradient_filter
from tests import meshes
from tests.vtk_peer import vtk_cell_data_gradients, vtk_cell_gradients, vtk_grid, vtk_point_gradients

# Order: largest error inside and at the boundary, least ratio to VTK.
_BOX = {2: (8.5e-3, 2e-2, 10.0), 3: (3e-4, 3e-3, 4.0), 4: (1e-4, 1.5e-3, 1.5)}


def fit(order: int, **options: object) -> FiniteDifference:
    """Local fits, on lattices too."""
    return FiniteDifference(order=order, lattice=False, **options)  # type: ignore[arg-type]


def box(sizes: Sizes) -> Rows:
    """Fits of orders 2, 3, 4 on J(n): errors inside and at the boundary, times with all topology."""
    mesh, exact, n = block("tetra", sizes.box, 2 * np.pi), Vortices(), sizes.box
    velocity = exact.velocity(mesh.points)
    grid = vtk_grid(mesh, velocity)
    peer = "VTK " + listed(inside_and_boundary(vtk_point_gradients(mesh, velocity), exact, mesh))
    for order, (inner, outer, ratio) in _BOX.items():
        L = velocity_gradient(fresh(mesh, velocity), fit(order)).L
        errors = inside_and_boundary(L, exact, mesh)
        yield Accuracy(f"J({n}), order {order}: inside / boundary", errors, peer, (inner, outer))
        # Both at the same time: machines that others use too are now faster, now slower.
        ours, times = scheme_time(mesh, velocity, fit(order)), vtk_times(lambda: gradient_filter(grid))
        yield beside_vtk(f"J({n}), order {order}", ours, "vtkGradientFilter", times, ratio)


def square(sizes: Sizes) -> Rows:
    """T(n): the root mean square of the largest component's error, cell data and point data."""
    mesh, exact, n = block("triangle", sizes.square, jitter=0.2), PlanarWaves(), sizes.square
    samples, averages = exact.velocity(mesh.centroids), _averages(mesh, exact)
    at_cells, at_points = exact.gradient(mesh.centroids), exact.gradient(mesh.points)
    peer = _typical(vtk_cell_data_gradients(mesh, samples) - at_cells)
    for what, values, scheme in (
        ("samples", samples, fit(2)),
        ("averages", averages, fit(2, cell_values="averages")),
    ):
        error = _typical(velocity_gradient(fresh(mesh, values, "cells"), scheme).L - at_cells)
        yield Accuracy(f"T({n}), cell data ({what}), order 2", (error,), f"VTK {listed([peer])}", (7e-4,))
    velocity = exact.velocity(mesh.points)
    error = _typical(velocity_gradient(fresh(mesh, velocity), fit(3)).L - at_points)
    peer = _typical(vtk_point_gradients(mesh, velocity) - at_points)
    yield Accuracy(f"T({n}), point data, order 3", (error,), f"VTK {listed([peer])}", (3e-5,))


def _typical(difference: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.abs(difference).max(axis=(1, 2)) ** 2)))


def _averages(mesh: Mesh, exact: ExactFlow) -> np.ndarray:
    """Averages over triangles, by a quadrature exact for degree 11."""
    nodes, shares = simplex_quadrature(2, 6)
    corners = mesh.points[mesh.cells.connectivity.reshape(-1, 3)]
    return sum(w * exact.velocity(np.einsum("c,ncx->nx", x, corners)) for x, w in zip(nodes, shares, strict=True))


def series(sizes: Sizes) -> Rows:
    """Ten steps of a series against three single ones, at order 3 on J(n)."""
    mesh = block("tetra", sizes.box, 2 * np.pi)
    velocity = Vortices().velocity(mesh.points)
    one = median_time(lambda: velocity_gradient(fresh(mesh, velocity), fit(3)))

    def ten() -> None:
        flows = Series.from_arrays(Mesh(mesh.points, mesh.cells), np.arange(10.0), [velocity] * 10)
        for _ in velocity_gradients(flows, fit(3)):
            pass

    timed(ten)
    taken = float(np.median([timed(ten) for _ in range(3)]))
    yield Speed(f"ten steps of a series on J({sizes.box}), order 3", taken, "three single steps", 3 * one, 1.0)


def estimate(sizes: Sizes) -> Rows:
    """The estimated error over the true one, in the root mean square, on two meshes J(n)."""
    exact = Vortices()
    for n in (sizes.box // 2, sizes.box):
        mesh = block("tetra", n, 2 * np.pi)
        L = exact.gradient(mesh.points)
        ratios = []
        for scheme in (Autodiff(), fit(1), fit(2), fit(3), fit(4)):
            found = velocity_gradient(fresh(mesh, exact.velocity(mesh.points)), scheme, error=True)
            ratios.append(float(np.sqrt((found.error**2).sum() / ((found.L - L) ** 2).sum())))
        what = f"estimated over true error, J({n}): autodiff / orders 1 to 4"
        yield Accuracy(what, tuple(ratios), "", (1.4,) * 5, (0.7,) * 5)


def linear(_sizes: Sizes) -> Rows:
    """The largest relative error of L of a linear field, ours and VTK's."""
    small = Mesh(1e-6 * meshes.SOLIDS["hexahedron"].points, meshes.SOLIDS["hexahedron"].cells)
    for what, mesh, location in (
        ("tetrahedra, point data", meshes.SOLIDS["tetra"], "points"),
        ("pyramids, point data", meshes.SOLIDS["pyramid"], "points"),
        ("tetrahedra, cell data", meshes.SOLIDS["tetra"], "cells"),
        ("hexahedra, cell data", meshes.SOLIDS["hexahedron"], "cells"),
        ("polygons, point data", meshes.pentagons(), "points"),
        ("polyhedra, point data", meshes.SOLIDS["polyhedron"], "points"),
        ("tetrahedra with boundary triangles, point data", meshes.SOLIDS["tetra_with_boundary"], "points"),
        ("hexahedra of size 10⁻⁶, point data", small, "points"),
    ):
        ours, theirs = _linear(mesh, location)
        yield Accuracy(f"linear flow: {what}", (ours,), f"VTK {listed([theirs])}", (1e-10,))


A = np.array([[0.3, -1.2, 0.7], [2.1, -0.4, 0.5], [-0.6, 0.9, 0.1]])


def _linear(mesh: Mesh, location: str) -> tuple[float, float]:
    """Worst errors at cells and, from point data, at points."""
    exact = A if mesh.dimension == 3 else A @ np.diag([1.0, 1, 0])
    where = mesh.points if location == "points" else mesh.centroids
    flow = Flow(mesh, where @ exact.T, location)
    scheme = Autodiff() if location == "points" else FiniteDifference(order=1)
    ours = [velocity_gradient(flow, scheme, "cells").L]
    if location == "cells":
        theirs = [vtk_cell_data_gradients(mesh, flow.velocity)]
    else:
        ours.append(velocity_gradient(flow, scheme, "points").L)
        theirs = [vtk_cell_gradients(mesh, flow.velocity), vtk_point_gradients(mesh, flow.velocity)]
    worst = [float(np.abs(np.concatenate(each) - exact).max() / np.abs(exact).max()) for each in (ours, theirs)]
    return worst[0], worst[1]
