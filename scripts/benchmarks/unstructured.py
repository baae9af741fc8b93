"""Local fits on a box of jittered tetrahedra J(n): their time beside VTK's and in a series, their estimated error."""

from __future__ import annotations

import numpy as np

from flowgrad import Autodiff, FiniteDifference, Mesh, Series, velocity_gradient, velocity_gradients
from flowgrad.exact import Vortices
from flowgrad.mesh.generate import block
from scripts.benchmarks.measuring import (
    Accuracy,
    Rows,
    Sizes,
    Speed,
    beside_vtk,
    fresh,
    median_time,
    scheme_time,
    timed,
    vtk_times,
)
from scripts.benchmarks.processes import gradient_filter
from tests.vtk_peer import vtk_grid

# Least ratio to VTK of each order.
_BOX = {2: 20.0, 3: 8.0, 4: 4.0}


def fit(order: int) -> FiniteDifference:
    """Local fits, on lattices too."""
    return FiniteDifference(order=order, lattice=False)


def box(sizes: Sizes) -> Rows:
    """Fits of orders 2, 3, 4 on J(n), with all topology."""
    mesh, n = block("tetra", sizes.box, 2 * np.pi), sizes.box
    velocity = Vortices().velocity(mesh.points)
    grid = vtk_grid(mesh, velocity)
    for order, ratio in _BOX.items():
        # Both at the same time: machines that others use too are now faster, now slower.
        ours, times = scheme_time(mesh, velocity, fit(order)), vtk_times(lambda: gradient_filter(grid))
        yield beside_vtk(f"J({n}), order {order}", ours, "vtkGradientFilter", times, ratio)


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
