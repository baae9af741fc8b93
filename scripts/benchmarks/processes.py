"""Autodiff beside VTK on a million tetrahedra, and ``flowgrad run`` as a whole process beside PyVista and NumPy."""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from vtkmodules.vtkFiltersGeneral import vtkCellDerivatives, vtkGradientFilter

from flowgrad import Autodiff, Mesh
from flowgrad.exact import Vortices
from flowgrad.io import write_vtu
from flowgrad.mesh.generate import block
from scripts.benchmarks.measuring import Rows, Sizes, Speed, beside_vtk, scheme_time, timed, vtk_times
from tests.vtk_peer import vtk_grid

PEER = """
import sys
import numpy as np
import pyvista as pv
mesh = pv.read(sys.argv[1])
names = {"divergence": "divergence", "vorticity": "vorticity", "qcriterion": "q_criterion"}
out = mesh.compute_derivative("U", gradient="L", **names)
L = out.point_data["L"].reshape(-1, 3, 3)
D, W = (L + L.transpose(0, 2, 1)) / 2, (L - L.transpose(0, 2, 1)) / 2
out.point_data["D"], out.point_data["W"] = D.reshape(-1, 9), W.reshape(-1, 9)
out.point_data["shear_rate"] = np.sqrt(2 * np.einsum("nij,nij->n", D, D))
out.point_data["lambda2"] = np.linalg.eigvalsh(D @ D + W @ W)[:, 1]
out.save(sys.argv[2])
"""
PEER_CELLS = """
import sys
import numpy as np
import pyvista as pv
from vtkmodules.vtkFiltersGeneral import vtkCellDerivatives
mesh = pv.read(sys.argv[1])
mesh.set_active_vectors("U", "point")
derivatives = vtkCellDerivatives()
derivatives.SetInputData(mesh)
derivatives.SetVectorModeToPassVectors()
derivatives.SetTensorModeToComputeGradient()
derivatives.Update()
out = pv.wrap(derivatives.GetOutput())
L = np.asarray(out.cell_data.pop("VectorGradient")).reshape(-1, 3, 3)
D, W = (L + L.transpose(0, 2, 1)) / 2, (L - L.transpose(0, 2, 1)) / 2
out.cell_data["L"], out.cell_data["D"], out.cell_data["W"] = (A.reshape(-1, 9) for A in (L, D, W))
out.cell_data["divergence"] = np.trace(L, axis1=1, axis2=2)
out.cell_data["vorticity"] = np.stack([L[:, 2, 1] - L[:, 1, 2], L[:, 0, 2] - L[:, 2, 0], L[:, 1, 0] - L[:, 0, 1]], 1)
out.cell_data["q_criterion"] = (np.einsum("nij,nij->n", W, W) - np.einsum("nij,nij->n", D, D)) / 2
out.cell_data["shear_rate"] = np.sqrt(2 * np.einsum("nij,nij->n", D, D))
out.cell_data["lambda2"] = np.linalg.eigvalsh(D @ D + W @ W)[:, 1]
out.save(sys.argv[2])
"""
QUANTITIES = "L,D,W,vorticity,q_criterion,lambda2,shear_rate,divergence"


def _tetrahedra(sizes: Sizes) -> tuple[Mesh, np.ndarray]:
    mesh = block("tetra", sizes.tetrahedra + 1, 2 * np.pi)
    return mesh, Vortices().velocity(mesh.points)


def autodiff(sizes: Sizes) -> Rows:
    """L at cells and at points beside VTK; ours takes a new mesh each time, so that all topology counts."""
    mesh, velocity = _tetrahedra(sizes)
    grid = vtk_grid(mesh, velocity)
    for at, peer, run in (
        ("cells", "vtkCellDerivatives", cell_derivatives),
        ("points", "vtkGradientFilter", gradient_filter),
    ):
        ours = scheme_time(mesh, velocity, Autodiff(), at)
        times = vtk_times(lambda run=run: run(grid))
        yield beside_vtk(f"autodiff at {at}, {len(mesh):,} tetrahedra", ours, peer, times)


def cell_derivatives(grid: object) -> None:
    """VTK's gradients in cells."""
    derivatives = vtkCellDerivatives()
    derivatives.SetInputData(grid)
    derivatives.SetVectorModeToPassVectors()
    derivatives.SetTensorModeToComputeGradient()
    derivatives.Update()


def gradient_filter(grid: object) -> None:
    """VTK's gradients at points, of images and structured grids too."""
    gradient = vtkGradientFilter()
    gradient.SetInputData(grid)
    gradient.SetInputScalars(0, "v")
    gradient.Update()


def processes(sizes: Sizes) -> Rows:
    """``flowgrad run`` beside the same with PyVista and NumPy, as whole processes in turn."""
    mesh, velocity = _tetrahedra(sizes)
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "tets.vtu"
        write_vtu(source, mesh, {"U": velocity})
        for at, peer in (("points", PEER), ("cells", PEER_CELLS)):
            ours = [sys.executable, "-m", "flowgrad", "run", str(source), "-o", f"{folder}/out", "--at", at]
            ours += ["--scheme", "autodiff", "--quantities", QUANTITIES, "--no-report", "-q"]
            theirs = [sys.executable, "-c", peer, str(source), f"{folder}/peer.vtu"]
            times = [[_process(command) for command in (ours, theirs)] for _ in range(3)][1:]
            mine, others = (statistics.median(column) for column in zip(*times, strict=True))
            yield Speed(f"whole process, L and 7 quantities at {at}", mine, "PyVista + NumPy", others)


def _process(command: list[str]) -> float:
    return timed(lambda: subprocess.run(command, check=True))
