"""Thin layers along curved walls: shear rates beside VTK's at the same points, and on the walls of a solved flow."""

from __future__ import annotations

import numpy as np

from flowgrad import Flow, at_walls, velocity_gradient
from scripts.benchmarks.measuring import Accuracy, Rows, Sizes
from scripts.convergence.table import number
from tests import layers as meshes
from tests.vtk_peer import vtk_point_gradients

# Annuli that gmsh made, and the thickness of the layer on them.
_SAMPLED = {
    "quads, AR 100": ("0.001-0.1-0.06-quads", 0.02),
    "triangles, AR 100": ("0.001-0.1-0.06", 0.02),
    "triangles, AR 1000": ("0.0001-0.1-0.03", 0.01),
    "triangles, AR 3000": ("1e-05-0.03-0.009", 0.003),
}
_SOLVED = {
    "AR 10": "0.01-0.1-0.1",
    "AR 100": "0.001-0.1-0.06",
    "AR 1000": "0.0001-0.1-0.03",
    "AR 300": "0.0001-0.03-0.03",
    "AR 3000": "1e-05-0.03-0.01",
}


def layers(sizes: Sizes) -> Rows:
    """Point values in the layers of annuli and of a sphere of prisms, and walls of a solved flow from cell values."""
    for what, (name, thickness) in _SAMPLED.items():
        points, cells = meshes.annulus(name)
        yield _beside_vtk(f"layer round a cylinder, {what}", np.pad(points, ((0, 0), (0, 1))), cells, thickness)
    yield _beside_vtk("layer round a sphere, prisms, AR 150", *meshes.sphere(0.15, 1e-3, 12), 0.02)
    for what, name in _SOLVED.items():
        flow, exact = meshes.solved(name)[1:]
        inner = np.linalg.norm(flow.mesh.topology.boundary_geometry[1], axis=1) < 2
        ratio = at_walls(flow, inner).wall_shear_rate / exact(1.0)
        errors = tuple(float(each) for each in np.abs(np.percentile(ratio, [50, 5, 95]) - 1))
        yield Accuracy(
            f"walls of a solved annulus, cell data, {what}: error of median, 5th, 95th percentile",
            errors,
            "",
            (0.01, 0.03, 0.03),
        )


def _beside_vtk(what: str, points: np.ndarray, cells: dict[str, np.ndarray], thickness: float) -> Accuracy:
    mesh = Flow.from_arrays(points, cells, np.zeros_like(points), location="points").mesh
    velocity = meshes.swirl(mesh.points, meshes.distance_from_wall(mesh, mesh.points), thickness)
    L = velocity_gradient(Flow(mesh, velocity, "points")).L, vtk_point_gradients(mesh, velocity)
    ours, theirs = (float(np.sqrt((meshes.rate_errors(mesh.points, each, thickness) ** 2).mean())) for each in L)
    return Accuracy(f"{what}: rms error of ∂u_t/∂n", (ours,), f"vtkGradientFilter {number(theirs)}", (theirs / 2,))
