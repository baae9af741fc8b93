"""VTK's gradients of the same flow, for comparison."""

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkUnstructuredGrid
from vtkmodules.vtkFiltersGeneral import vtkCellDerivatives, vtkGradientFilter


def vtk_grid(mesh, velocity):
    """A vtkUnstructuredGrid of a mesh without polyhedra, with point vectors ``v``."""
    grid = vtkUnstructuredGrid()
    points = vtkPoints()
    points.SetData(numpy_to_vtk(mesh.points, deep=True))
    grid.SetPoints(points)
    cells = vtkCellArray()
    offsets, connectivity = mesh.cells.offsets, mesh.cells.connectivity
    cells.SetData(numpy_to_vtkIdTypeArray(offsets, deep=True), numpy_to_vtkIdTypeArray(connectivity, deep=True))
    grid.SetCells(numpy_to_vtk(mesh.cells.types, deep=True), cells)
    vectors = numpy_to_vtk(np.ascontiguousarray(velocity), deep=True)
    vectors.SetName("v")
    grid.GetPointData().SetVectors(vectors)
    return grid


def vtk_cell_gradients(mesh, velocity):
    filter = vtkCellDerivatives()
    filter.SetInputData(vtk_grid(mesh, velocity))
    filter.SetVectorModeToPassVectors()
    filter.SetTensorModeToComputeGradient()
    filter.Update()
    # vtkCellDerivatives writes ∂v_j/∂x_i.
    tensors = vtk_to_numpy(filter.GetOutput().GetCellData().GetTensors()).reshape(-1, 3, 3)
    return tensors


def vtk_point_gradients(mesh, velocity):
    filter = vtkGradientFilter()
    filter.SetInputData(vtk_grid(mesh, velocity))
    filter.SetInputScalars(0, "v")
    filter.SetResultArrayName("L")
    filter.Update()
    return vtk_to_numpy(filter.GetOutput().GetPointData().GetArray("L")).reshape(-1, 3, 3)
