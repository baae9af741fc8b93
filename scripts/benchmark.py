#!/usr/bin/env python3
"""Speed and exactness beside VTK and PyVista, measured in one run: the table of the README.

Usage: scripts/benchmark.py [--write]   (needs the extra flowgrad[benchmark]; --write updates README.md)
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from vtkmodules.vtkCommonCore import vtkSMPTools  # noqa: E402
from vtkmodules.vtkFiltersGeneral import vtkCellDerivatives, vtkGradientFilter  # noqa: E402

from flowgrad import Cells, Flow, Mesh, velocity_gradient  # noqa: E402
from flowgrad.io import write_vtu  # noqa: E402
from tests import meshes  # noqa: E402
from tests.vtk_peer import vtk_cell_data_gradients, vtk_cell_gradients, vtk_grid, vtk_point_gradients  # noqa: E402

EDGE = 55  # cells along an edge of the block of 6 · 55³ ≈ 1 M tetrahedra
REPEATS, WARM_UP = 9, 9  # ours
PEER_REPEATS, PEER_WARM_UP = 5, 2  # VTK, whose runs take seconds

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
A = np.array([[0.3, -1.2, 0.7], [2.1, -0.4, 0.5], [-0.6, 0.9, 0.1]])


def million_tetrahedra() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, tetrahedra (in the order of their hexahedra) and a smooth velocity."""
    points, rows = meshes.lattice(EDGE)
    tetrahedra = np.stack([rows[:, list(t)] for t in meshes.TETRAHEDRA], axis=1).reshape(-1, 4)
    x = 2 * np.pi * points / EDGE
    velocity = np.column_stack([np.sin(x[:, 1]), np.cos(x[:, 2]) * x[:, 0], np.sin(x[:, 0] + x[:, 1])])
    return points, tetrahedra, velocity


def median_time(task: Callable[[], object], repeats: int, warm_up: int) -> float:
    """Median seconds of a task after some runs that are not counted."""
    times = []
    for _ in range(warm_up):
        task()
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def speed_rows() -> list[str]:
    """L at cells and at points beside VTK; ours takes a new mesh each time, so that all topology counts."""
    points, tetrahedra, velocity = million_tetrahedra()
    mesh = Mesh(points, Cells.of_type(10, tetrahedra))
    grid = vtk_grid(mesh, velocity)
    rows = []
    for at, peer, run in (
        ("cells", "vtkCellDerivatives", cell_derivatives),
        ("points", "vtkGradientFilter", gradient_filter),
    ):
        flows = [Flow(Mesh(points, mesh.cells), velocity, "points") for _ in range(REPEATS + WARM_UP)]
        ours = median_time(lambda at=at, flows=flows: velocity_gradient(flows.pop(), at=at), REPEATS, WARM_UP)
        for backend in ("Sequential", "STDThread"):
            vtkSMPTools.SetBackend(backend)
            theirs = median_time(lambda run=run: run(grid), PEER_REPEATS, PEER_WARM_UP)
            rows.append(row(f"L at {at}, {len(mesh):,} tetrahedra", ours, f"{peer}, {backend}", theirs))
    return rows


def cell_derivatives(grid: object) -> None:
    """VTK's gradients in cells."""
    derivatives = vtkCellDerivatives()
    derivatives.SetInputData(grid)
    derivatives.SetVectorModeToPassVectors()
    derivatives.SetTensorModeToComputeGradient()
    derivatives.Update()


def gradient_filter(grid: object) -> None:
    """VTK's gradients at points."""
    gradient = vtkGradientFilter()
    gradient.SetInputData(grid)
    gradient.SetInputScalars(0, "v")
    gradient.Update()


def process_rows(folder: Path) -> list[str]:
    """``flowgrad run`` beside the same with PyVista and NumPy, as whole processes in turn."""
    points, tetrahedra, velocity = million_tetrahedra()
    source = folder / "tets.vtu"
    write_vtu(source, Mesh(points, Cells.of_type(10, tetrahedra)), {"U": velocity})
    rows = []
    for at, peer in (("points", PEER), ("cells", PEER_CELLS)):
        ours = [sys.executable, "-m", "flowgrad", "run", str(source), "-o", str(folder / "out"), "--at", at]
        ours += ["--quantities", QUANTITIES, "--no-report", "-q"]
        theirs = [sys.executable, "-c", peer, str(source), str(folder / "peer.vtu")]
        times = [process_times([ours, theirs]) for _ in range(4)][1:]
        mine, others = (statistics.median(column) for column in zip(*times, strict=True))
        rows.append(row(f"whole process, L and 7 quantities at {at}", mine, "PyVista + NumPy", others))
    return rows


def process_times(commands: list[list[str]]) -> list[float]:
    """Wall seconds of each command."""
    times = []
    for command in commands:
        start = time.perf_counter()
        subprocess.run(command, check=True)
        times.append(time.perf_counter() - start)
    return times


def row(what: str, ours: float, peer: str, theirs: float) -> str:
    """One line of the table of speed."""
    return f"| {what} | {ours:.3f} s | {peer} | {theirs:.3f} s | {theirs / ours:.1f} × |"


def exactness_rows() -> list[str]:
    """Relative error of L of a linear field, ours and VTK's."""
    small = Mesh(1e-6 * meshes.SOLIDS["hexahedron"].points, meshes.SOLIDS["hexahedron"].cells)
    cases = [
        ("tetrahedra, point data", meshes.SOLIDS["tetra"], "points"),
        ("pyramids, point data", meshes.SOLIDS["pyramid"], "points"),
        ("tetrahedra, cell data", meshes.SOLIDS["tetra"], "cells"),
        ("hexahedra, cell data", meshes.SOLIDS["hexahedron"], "cells"),
        ("polygons, point data", meshes.pentagons(), "points"),
        ("polyhedra, point data", meshes.SOLIDS["polyhedron"], "points"),
        ("tetrahedra with boundary triangles, point data", meshes.SOLIDS["tetra_with_boundary"], "points"),
        ("hexahedra of size 10⁻⁶, point data", small, "points"),
    ]
    return [exactness_row(*case) for case in cases]


def exactness_row(what: str, mesh: Mesh, location: str) -> str:
    """One line of the table of exactness: worst error at cells and, from point data, at points."""
    exact = A if mesh.dimension == 3 else A @ np.diag([1.0, 1, 0])
    where = mesh.points if location == "points" else mesh.centroids
    flow = Flow(mesh, where @ exact.T, location)
    ours = [velocity_gradient(flow, at="cells").L]
    if location == "cells":
        theirs = [vtk_cell_data_gradients(mesh, flow.velocity)]
    else:
        ours.append(velocity_gradient(flow, at="points").L)
        theirs = [vtk_cell_gradients(mesh, flow.velocity), vtk_point_gradients(mesh, flow.velocity)]
    return f"| {what} | {worst(np.concatenate(ours), exact)} | {worst(np.concatenate(theirs), exact)} |"


def worst(gradients: np.ndarray, exact: np.ndarray) -> str:
    """Largest relative error, as text."""
    value = np.abs(gradients - exact).max() / np.abs(exact).max()
    return "NaN" if not np.isfinite(value) else f"{value:.0e}" if value else "0"


def table(folder: Path) -> str:
    """The whole table in Markdown."""
    names = ("flowgrad", "numpy", "numba", "vtk", "pyvista")
    machine = f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    lines = [
        f"Measured {datetime.date.today()} on {machine}, "
        + ", ".join(f"{name} {version(name)}" for name in names)
        + " by `scripts/benchmark.py` (medians).",
        "",
        "| | flowgrad | peer | | ratio |",
        "|---|---|---|---|---|",
        *speed_rows(),
        *process_rows(folder),
        "",
        "| largest relative error of L, linear velocity field | flowgrad | VTK |",
        "|---|---|---|",
        *exactness_rows(),
    ]
    return "\n".join(lines)


def processor() -> str:
    """Name of the processor where the system tells it."""
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found.group(1).strip() if found else platform.processor() or platform.machine()


def main() -> None:
    """Print the table; with --write put it into the README."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    write = parser.parse_args().write
    with tempfile.TemporaryDirectory() as folder:
        text = table(Path(folder))
    print(text)
    if write:
        readme = ROOT / "README.md"
        pattern = re.compile(r"(<!-- benchmark -->\n).*(<!-- end -->)", re.DOTALL)
        readme.write_text(pattern.sub(lambda m: f"{m[1]}{text}\n{m[2]}", readme.read_text()))


if __name__ == "__main__":
    main()
