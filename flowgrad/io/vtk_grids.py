"""Meshes in VTK's memory: cells to and from unstructured grids, in their own numbering; VTK must be there."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowgrad.io.node_order import DEGREES, with_degrees
from flowgrad.io.vtk_xml.polyhedra import POLYHEDRON, from_lists
from flowgrad.mesh import CellFaces, Cells, Mesh
from flowgrad.typing import IntArray


def put_mesh(mesh: Mesh, grid: Any) -> None:
    """The points and cells of a mesh into an empty vtkUnstructuredGrid, copied."""
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonCore import vtkPoints

    points = vtkPoints()
    points.SetData(numpy_to_vtk(mesh.points, deep=True))
    grid.SetPoints(points)
    cells, types = mesh.cells, numpy_to_vtk(np.ascontiguousarray(mesh.cells.types, np.uint8), deep=True)
    listed = _lists(cells.offsets, cells.connectivity)
    if cells.polyhedra is None:
        grid.SetCells(types, listed)
    else:
        faces = cells.polyhedra
        numbers = _lists(faces.cell_offsets, np.arange(len(faces.offsets) - 1))
        grid.SetPolyhedralCells(types, listed, numbers, _lists(faces.offsets, faces.connectivity))
    if cells.degrees is not None:
        degrees = numpy_to_vtk(cells.degrees.astype(float), deep=True)
        degrees.SetName(DEGREES)
        grid.GetCellData().SetHigherOrderDegrees(degrees)


def cells_in(grid: Any, types: NDArray[np.uint8]) -> Cells:
    """The cells of a vtkUnstructuredGrid, of these types, with polyhedra's faces and Lagrange cells' degrees."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    if not grid.GetNumberOfCells():
        return Cells.empty()
    connectivity, offsets = _arrays(grid.GetCells())
    cells = Cells(types, offsets, connectivity, _polyhedra(grid, types))
    degrees = grid.GetCellData().GetHigherOrderDegrees()
    return cells if degrees is None else with_degrees(cells, DEGREES, {DEGREES: vtk_to_numpy(degrees)})


def _polyhedra(grid: Any, types: NDArray[np.uint8]) -> CellFaces | None:
    if not (types == POLYHEDRON).any():
        return None
    points, starts = _arrays(grid.GetPolyhedronFaces())
    listed, cell_starts = _arrays(grid.GetPolyhedronFaceLocations())
    return from_lists(len(types), points, starts, listed, cell_starts)


def _lists(offsets: IntArray, connectivity: IntArray) -> Any:
    """A vtkCellArray."""
    from vtkmodules.util.numpy_support import numpy_to_vtkIdTypeArray
    from vtkmodules.vtkCommonDataModel import vtkCellArray

    array = vtkCellArray()
    parts = (np.ascontiguousarray(each, np.int64) for each in (offsets, connectivity))
    array.SetData(*(numpy_to_vtkIdTypeArray(each, deep=True) for each in parts))
    return array


def _arrays(listed: Any) -> tuple[IntArray, IntArray]:
    """Connectivity and offsets of a vtkCellArray."""
    from vtkmodules.util.numpy_support import vtk_to_numpy

    connectivity, offsets = listed.GetConnectivityArray(), listed.GetOffsetsArray()
    return np.array(vtk_to_numpy(connectivity), np.int64), np.array(vtk_to_numpy(offsets), np.int64)
