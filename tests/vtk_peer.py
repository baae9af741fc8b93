"""VTK's gradients of the same flow, for comparison."""

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, numpy_to_vtkIdTypeArray, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkIdList, vtkPoints
from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkUnstructuredGrid
from vtkmodules.vtkFiltersGeneral import vtkCellDerivatives, vtkGradientFilter


def vtk_grid(mesh, velocity):
    """A vtkUnstructuredGrid of a mesh, with vectors ``v`` at points or, by their number, at cells."""
    grid = vtkUnstructuredGrid()
    points = vtkPoints()
    points.SetData(numpy_to_vtk(mesh.points, deep=True))
    grid.SetPoints(points)
    cells = vtkCellArray()
    offsets, connectivity = mesh.cells.offsets, mesh.cells.connectivity
    cells.SetData(numpy_to_vtkIdTypeArray(offsets, deep=True), numpy_to_vtkIdTypeArray(connectivity, deep=True))
    if mesh.cells.polyhedra is None:
        grid.SetCells(numpy_to_vtk(mesh.cells.types, deep=True), cells)
    else:
        insert_polyhedra(grid, mesh)
    vectors = numpy_to_vtk(np.ascontiguousarray(velocity), deep=True)
    vectors.SetName("v")
    (grid.GetPointData() if len(velocity) == len(mesh.points) else grid.GetCellData()).SetVectors(vectors)
    return grid


def insert_polyhedra(grid, mesh):
    """Cells one by one, polyhedra as streams of faces."""
    faces = mesh.cells.polyhedra
    for c, kind in enumerate(mesh.cells.types):
        if kind == 42:
            own = range(faces.cell_offsets[c], faces.cell_offsets[c + 1])
            stream = [list(faces.connectivity[faces.offsets[f] : faces.offsets[f + 1]]) for f in own]
            flat = [len(stream), *(n for face in stream for n in (len(face), *face))]
            ids = vtkIdList()
            for n in flat:
                ids.InsertNextId(int(n))
            grid.InsertNextCell(42, ids)
        else:
            points = mesh.cells.connectivity[mesh.cells.offsets[c] : mesh.cells.offsets[c + 1]]
            grid.InsertNextCell(int(kind), len(points), [int(p) for p in points])


def vtk_cell_gradients(mesh, velocity):
    filter = vtkCellDerivatives()
    filter.SetInputData(vtk_grid(mesh, velocity))
    filter.SetVectorModeToPassVectors()
    filter.SetTensorModeToComputeGradient()
    filter.Update()
    # vtkCellDerivatives writes ∂v_j/∂x_i.
    return vtk_to_numpy(filter.GetOutput().GetCellData().GetTensors()).reshape(-1, 3, 3)


def vtk_point_gradients(mesh, velocity):
    """Gradients of point vectors at the points, by VTK's gradient filter."""
    return _gradients(_filtered(mesh, velocity, 0).GetPointData())


def vtk_cell_data_gradients(mesh, velocity):
    """Gradients of cell vectors at the cells, by VTK's gradient filter."""
    return _gradients(_filtered(mesh, velocity, 1).GetCellData())


def _filtered(mesh, velocity, association):
    filter = vtkGradientFilter()
    filter.SetInputData(vtk_grid(mesh, velocity))
    filter.SetInputScalars(association, "v")
    filter.SetResultArrayName("L")
    filter.Update()
    return filter.GetOutput()


def _gradients(data):
    return vtk_to_numpy(data.GetArray("L")).reshape(-1, 3, 3)
