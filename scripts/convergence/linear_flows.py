"""The error for a linear flow in cells of each kind, which is rounding, beside VTK's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from flowgrad.exact import Linear
from flowgrad.flow import Flow
from flowgrad.gradient import Autodiff, FiniteDifference
from flowgrad.mesh import Mesh
from flowgrad.mesh.generate import block
from flowgrad.typing import FloatArray
from flowgrad.verify import LINEAR, sampled
from scripts.convergence.cell_blocks import hexagons, polyhedra, pyramids, with_boundary
from scripts.convergence.table import EXACT, Accuracy, beside_vtk, largest


def linear() -> Iterator[Accuracy]:
    """The largest error of L, over the largest component, at cells and, of point data, at points."""
    solid, tetrahedra = block("hexahedron", 4), block("tetra", 4)
    for what, mesh, location in (
        ("tetrahedra", tetrahedra, "points"),
        ("pyramids", pyramids(solid), "points"),
        ("tetrahedra", tetrahedra, "cells"),
        ("hexahedra", solid, "cells"),
        ("polygons", hexagons(block("quad", 5)), "points"),
        ("polyhedra", polyhedra(solid), "points"),
        ("tetrahedra with boundary triangles", with_boundary(tetrahedra), "points"),
        ("hexahedra of size 10⁻⁶", Mesh(3e-6 * solid.points, solid.cells), "points"),
    ):
        yield _row(f"linear flow: {what}, {location[:-1]} data", mesh, location)


def _row(what: str, mesh: Mesh, location: str) -> Accuracy:
    matrix = LINEAR if mesh.dimension == 3 else LINEAR @ np.diag([1.0, 1, 0])
    flow = sampled(Linear(matrix, np.zeros(3)), mesh, location)
    scheme = Autodiff() if location == "points" else FiniteDifference(order=1)
    ours = largest(np.concatenate([scheme.gradients(flow, at).L for at in {"cells", location}]), matrix)
    return Accuracy(what, (ours,), beside_vtk(lambda: [largest(_by_vtk(flow), matrix)]), (EXACT,))


def _by_vtk(flow: Flow) -> FloatArray:
    """L at cells and, of point data, at points too."""
    from tests.vtk_peer import vtk_cell_data_gradients, vtk_cell_gradients, vtk_point_gradients

    if flow.location == "cells":
        return vtk_cell_data_gradients(flow.mesh, flow.velocity)
    found = [gradients(flow.mesh, flow.velocity) for gradients in (vtk_cell_gradients, vtk_point_gradients)]
    return np.concatenate(found)
