"""Comparison with other people's code on the same data: NumPy and SciPy, and VTK where it is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from flowgrad.exact import ABC
from flowgrad.flow import Flow
from flowgrad.gradient import Autodiff, FiniteDifference
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh import Lattice
from flowgrad.mesh.generate import block
from flowgrad.paths import pathlines
from flowgrad.rheology import fit_flow_curve
from flowgrad.typing import FloatArray
from scripts.convergence.table import is_installed, largest

# Above these fractions of the largest value a difference is no rounding, no error of the steps in time, no end of a
# search.
_ROUNDING, _STEPS, _SEARCH = 1e-10, 1e-6, 1e-3
# VTK's middle of a wedge is rounded to six digits.
_WEDGE = 1e-5

Peer = tuple[str, str, Callable[[], float], float]


def lines() -> Iterator[tuple[str, bool]]:
    """A line for each comparison, each with whether it passed."""
    yield "", True
    yield "beside other people's code: the largest difference, over the largest value", True
    yield from (_line(*peer) for peer in _OF_SCIPY)
    if not is_installed("vtkmodules"):
        yield "  VTK is not installed and not compared with: pip install 'flowgrad[vtk]'", True
    else:
        yield from (_line(*peer) for peer in _OF_VTK)


def _line(what: str, peer: str, difference: Callable[[], float], allowed: float) -> tuple[str, bool]:
    found = difference()
    passed = found <= allowed
    return f"  {what:<38}{peer:<30}{found:<9.0e}{'ok' if passed else 'FAIL'}", passed


def of_eigenvalues() -> float:
    """λ2 of random gradients, a third of them nearly symmetric about an axis, beside LAPACK's eigenvalues."""
    L = np.random.default_rng(0).normal(size=(3000, 3, 3))
    L[::3] = np.diag([1.0, 1.0, -2.0]) + 1e-9 * L[::3]
    gradient = VelocityGradient(L)
    theirs = np.linalg.eigvalsh(gradient.D @ gradient.D + gradient.W @ gradient.W)[:, 1]
    return largest(gradient["lambda2"], np.asarray(theirs, np.float64))


def of_differences() -> float:
    """Second-order differences on a lattice with uneven axes, its ends included."""
    axes = [np.sort(np.random.default_rng(n).uniform(0, 1, n)) for n in (11, 12, 13)]
    lattice = Lattice.rectilinear(axes[0], axes[1], axes[2])
    v = np.random.default_rng(0).normal(size=(11, 12, 13, 3))
    theirs = np.stack(list(np.gradient(v, *axes, axis=(0, 1, 2), edge_order=2)), axis=-1)
    ours = FiniteDifference(order=2).gradients(Flow.on_lattice(lattice, v), "points").L
    return largest(lattice.grid(ours), theirs)


def of_paths() -> float:
    """Where particles of a chaotic flow are after a while, beside SciPy's eighth-order method."""
    from scipy.integrate import solve_ivp

    flow, seeds = ABC(), np.random.default_rng(0).uniform(0, 2 * np.pi, (20, 3))

    def rate(t: float, x: FloatArray) -> FloatArray:
        return np.asarray(flow.velocity(x.reshape(-1, 3))).ravel()

    theirs = solve_ivp(rate, (0, 3), seeds.ravel(), "DOP853", rtol=1e-11, atol=1e-11).y[:, -1].reshape(-1, 3)
    return largest(pathlines(flow, seeds, [0, 3], rtol=1e-10).positions[-1], theirs)


def of_fits() -> float:
    """The parameters of a law from a noisy flow curve, beside SciPy's curve_fit started at the truth."""
    from scipy.optimize import curve_fit

    def law(rate: FloatArray, *parameters: float) -> FloatArray:
        return np.asarray(parameters[0] + parameters[1] * rate ** parameters[2])

    rate, truth = np.geomspace(0.01, 100, 25), (3.0, 2.5, 0.5)
    stress = law(rate, *truth) * (1 + 0.02 * np.random.default_rng(0).normal(size=25))
    theirs, _ = curve_fit(law, rate, stress, truth, sigma=stress)
    model = fit_flow_curve(rate, stress, models=["herschel-bulkley"]).ranking[0].model
    return largest(np.array([getattr(model, name) for name in ("tau0", "K", "n")]), theirs)


def of_cells(kind: str) -> float:
    """Gradients of random velocities in the cells of a block, beside vtkCellDerivatives."""
    from tests.vtk_peer import vtk_cell_gradients

    mesh = block(kind, 8)
    v = np.random.default_rng(0).normal(size=mesh.points.shape)
    return largest(Autodiff().gradients(Flow(mesh, v, "points"), "cells").L, vtk_cell_gradients(mesh, v))


def of_equal_cells() -> float:
    """Gradients at the points of equal hexahedra, where a mean is a mean, beside vtkGradientFilter."""
    from tests.vtk_peer import vtk_point_gradients

    mesh = block("hexahedron", 8, jitter=0)
    v = np.random.default_rng(0).normal(size=mesh.points.shape)
    return largest(Autodiff().gradients(Flow(mesh, v, "points"), "points").L, vtk_point_gradients(mesh, v))


_OF_SCIPY: tuple[Peer, ...] = (
    ("lambda2 of random gradients", "numpy.linalg.eigvalsh", of_eigenvalues, _ROUNDING),
    ("finite-difference(order=2), lattice", "numpy.gradient", of_differences, _ROUNDING),
    ("pathlines of the ABC flow", "scipy.integrate.solve_ivp", of_paths, _STEPS),
    ("Herschel-Bulkley, noisy flow curve", "scipy.optimize.curve_fit", of_fits, _SEARCH),
)
_OF_VTK: tuple[Peer, ...] = (
    ("autodiff in triangles", "vtkCellDerivatives", lambda: of_cells("triangle"), _ROUNDING),
    ("autodiff in tetrahedra", "vtkCellDerivatives", lambda: of_cells("tetra"), _ROUNDING),
    ("autodiff in hexahedra", "vtkCellDerivatives", lambda: of_cells("hexahedron"), _ROUNDING),
    ("autodiff in wedges", "vtkCellDerivatives", lambda: of_cells("wedge"), _WEDGE),
    ("autodiff at points, equal hexahedra", "vtkGradientFilter", of_equal_cells, _ROUNDING),
)
