"""Against VTK's own derivatives where VTK is right, and where it is not."""

import numpy as np
import pytest

from flowgrad import Flow, velocity_gradient
from tests import meshes

pytest.importorskip("vtkmodules", reason="vtk is not installed")
from tests.vtk_peer import vtk_cell_gradients, vtk_point_gradients


# VTK's centre of a wedge is rounded to 0.333333; that of a pyramid is another point than the mean of its nodes.
@pytest.mark.parametrize(
    ("name", "rounding"), [("tetra", 1e-12), ("hexahedron", 1e-12), ("voxel", 1e-12), ("wedge", 1e-5)]
)
def test_cell_gradients_are_vtks_for_any_point_data(name, rounding):
    mesh = meshes.SOLIDS[name]
    velocity = np.random.default_rng(0).normal(size=mesh.points.shape)
    ours = velocity_gradient(Flow(mesh, velocity, "points"), at="cells").L
    theirs = vtk_cell_gradients(mesh, velocity)
    np.testing.assert_allclose(ours, theirs, atol=rounding * np.abs(ours).max())


def test_point_gradients_are_vtks_where_all_cells_are_equal():
    """VTK takes plain means where ours are weighted with the measure: the same in a regular lattice."""
    mesh = meshes.solid("voxel")
    velocity = np.random.default_rng(0).normal(size=mesh.points.shape)
    ours = velocity_gradient(Flow(mesh, velocity, "points"), "autodiff").L
    np.testing.assert_allclose(ours, vtk_point_gradients(mesh, velocity), atol=1e-12 * np.abs(ours).max())
