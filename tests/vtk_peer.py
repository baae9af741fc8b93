"""VTK's gradients of the same velocities on the same mesh, for comparison (flowgrad[vtk])."""

from __future__ import annotations

from typing import Any

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkUnstructuredGrid
from vtkmodules.vtkFiltersGeneral import vtkCellDerivatives, vtkGradientFilter

from flowgrad import Mesh
from flowgrad.io.vtk_grids import put_mesh
from flowgrad.typing import FloatArray


def vtk_grid(mesh: Mesh, velocity: FloatArray) -> Any:
    """A vtkUnstructuredGrid of a mesh, with vectors ``v`` at points or, by their number, at cells."""
    grid = vtkUnstructuredGrid()
    put_mesh(mesh, grid)
    vectors = numpy_to_vtk(np.ascontiguousarray(velocity), deep=True)
    vectors.SetName("v")
    (grid.GetPointData() if len(velocity) == mesh.point_count else grid.GetCellData()).SetVectors(vectors)
    return grid


def vtk_cell_gradients(mesh: Mesh, velocity: FloatArray) -> FloatArray:
    """Gradients (n, 3, 3) of point vectors at the cells' parametric centres, by vtkCellDerivatives."""
    derivatives = vtkCellDerivatives()
    derivatives.SetInputData(vtk_grid(mesh, velocity))
    derivatives.SetVectorModeToPassVectors()
    derivatives.SetTensorModeToComputeGradient()
    derivatives.Update()
    # vtkCellDerivatives writes ∂v_j/∂x_i.
    return np.asarray(vtk_to_numpy(derivatives.GetOutput().GetCellData().GetTensors())).reshape(-1, 3, 3)


def vtk_point_gradients(mesh: Mesh, velocity: FloatArray) -> FloatArray:
    """Gradients of point vectors at the points, by vtkGradientFilter."""
    return _gradients(_filtered(mesh, velocity, 0).GetPointData())


def vtk_cell_data_gradients(mesh: Mesh, velocity: FloatArray) -> FloatArray:
    """Gradients of cell vectors at the cells, by vtkGradientFilter."""
    return _gradients(_filtered(mesh, velocity, 1).GetCellData())


def _filtered(mesh: Mesh, velocity: FloatArray, association: int) -> Any:
    gradient = vtkGradientFilter()
    gradient.SetInputData(vtk_grid(mesh, velocity))
    gradient.SetInputScalars(association, "v")
    gradient.SetResultArrayName("L")
    gradient.Update()
    return gradient.GetOutput()


def _gradients(data: Any) -> FloatArray:
    return np.asarray(vtk_to_numpy(data.GetArray("L"))).reshape(-1, 3, 3)
