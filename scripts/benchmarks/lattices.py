"""How fast differences on lattices are, beside NumPy, VTK and findiff."""

from __future__ import annotations

import sys

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkDataSet, vtkImageData, vtkStructuredGrid

from flowgrad import FiniteDifference, Flow, Lattice, velocity_gradient
from flowgrad.exact import ExactFlow, Vortices
from scripts.benchmarks.measuring import PEER_SECONDS, Rows, Sizes, Speed, beside_vtk, median_time, vtk_times
from scripts.benchmarks.processes import gradient_filter
from scripts.convergence.lattice_peers import Derivatives, by_findiff, by_numpy
from scripts.convergence.table import is_installed


def lattices(sizes: Sizes) -> Rows:
    """An image at orders 2 and 6, a curvilinear lattice at order 2."""
    n = sizes.image
    h = 2 * np.pi / (n - 1)
    lattice, exact = Lattice.uniform((n, n, n), h), Vortices()
    velocity = exact.velocity(lattice.points)
    what = f"image {n}³"
    times = {order: _time(lattice, velocity, order) for order in (2, 6)}
    yield Speed(f"{what}, order 2", times[2], "np.gradient, stacked", _stacked_time(velocity, n, h, by_numpy, 2), 4.0)
    image = _image(n, h, velocity)
    theirs = vtk_times(lambda: gradient_filter(image))
    yield beside_vtk(f"{what}, order 2", times[2], "vtkGradientFilter", theirs, 6.0)
    yield Speed(f"{what}, order 6", times[6], "twice order 2", 2 * times[2], 1.0)
    if not is_installed("findiff"):
        print("findiff is not installed: its rows are left out (flowgrad[benchmark] has it)", file=sys.stderr)
    else:
        for order, ours in times.items():
            peer = _stacked_time(velocity, n, h, by_findiff, order)
            yield Speed(f"{what}, order {order}", ours, "findiff, stacked", peer)
    yield _curvilinear(n, exact)


def _time(lattice: Lattice, velocity: np.ndarray, order: int) -> float:
    """On a new lattice each time."""

    def task() -> None:
        own = Lattice(lattice.axes, lattice.steps, lattice.origin, lattice.curve, lattice.shifts)
        velocity_gradient(Flow(own, velocity, "points"), FiniteDifference(order=order))

    return median_time(task)


def _stacked_time(velocity: np.ndarray, n: int, h: float, derivatives: Derivatives, order: int) -> float:
    grid = velocity.reshape(n, n, n, 3)
    return median_time(lambda: derivatives(grid, h, order), PEER_SECONDS)


def _curvilinear(n: int, exact: ExactFlow) -> Speed:
    s = np.linspace(0, 2 * np.pi, n)
    x = np.stack(np.meshgrid(s, s, s, indexing="ij"), -1)
    lattice = Lattice.curvilinear(x + 0.3 * np.sin(x[..., [1, 2, 0]]))
    velocity = exact.velocity(lattice.points)
    grid = _structured(n, lattice.points, velocity)
    ours, what = _time(lattice, velocity, 2), f"curvilinear {n}³, order 2"
    return beside_vtk(what, ours, "vtkGradientFilter", vtk_times(lambda: gradient_filter(grid)), 4.0)


def _image(n: int, h: float, velocity: np.ndarray) -> vtkImageData:
    image = vtkImageData()
    image.SetDimensions(n, n, n)
    image.SetSpacing(h, h, h)
    return _with_velocity(image, velocity)


def _structured(n: int, points: np.ndarray, velocity: np.ndarray) -> vtkStructuredGrid:
    grid, positions = vtkStructuredGrid(), vtkPoints()
    positions.SetData(numpy_to_vtk(points, deep=True))
    grid.SetDimensions(n, n, n)
    grid.SetPoints(positions)
    return _with_velocity(grid, velocity)


def _with_velocity(data: vtkDataSet, velocity: np.ndarray) -> vtkDataSet:
    vectors = numpy_to_vtk(velocity, deep=True)
    vectors.SetName("v")
    data.GetPointData().SetVectors(vectors)
    return data
