"""Exodus files that VTK's writer makes, against VTK's reader and against fields that the elements contain."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import flowgrad
from flowgrad import read
from flowgrad.io import read_contents

netCDF4 = pytest.importorskip("netCDF4")
vtk = pytest.importorskip("vtkmodules.vtkIOExodus", reason="VTK writes the files")

from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy  # noqa: E402
from vtkmodules.vtkCommonCore import vtkPoints  # noqa: E402
from vtkmodules.vtkCommonDataModel import vtkUnstructuredGrid  # noqa: E402

from flowgrad.mesh import REFERENCE_CELLS  # noqa: E402

# VTK's writer leaves these in VTK's order; that of Exodus is fig. 4.9 of Schoof & Yarberry 1994.
_EDGES = [16, 17, 18, 19, 12, 13, 14, 15]
ORDERS = {
    25: [*range(12), *_EDGES],
    26: [*range(9), 12, 13, 14, 9, 10, 11],
    29: [*range(12), *_EDGES, 26, 24, 25, 20, 21, 22, 23],
}
TYPES = [10, 12, 13, 14, 24, 25, 26, 27, 29, 5, 9, 22, 23]


def quadratic(points: np.ndarray) -> np.ndarray:
    x, y, z = points.T
    return np.column_stack([y * y + 2 * x * z, x - z * y, 0.5 * x * x + y])


def bent(points: np.ndarray) -> np.ndarray:
    """An affine map, so that quadratic fields stay in the elements."""
    return points @ np.array([[1.0, 0.2, 0.1], [0.1, 0.9, -0.2], [-0.3, 0.1, 1.1]]).T + [0.5, -1, 2]


def write(path: Path, vtk_type: int) -> np.ndarray:
    nodes = np.zeros((REFERENCE_CELLS[vtk_type].size, 3))
    nodes[:, : REFERENCE_CELLS[vtk_type].dimension] = REFERENCE_CELLS[vtk_type].nodes
    points = bent(nodes)
    grid, places = vtkUnstructuredGrid(), vtkPoints()
    places.SetDataTypeToDouble()
    places.SetData(numpy_to_vtk(points, deep=True))
    grid.SetPoints(places)
    grid.InsertNextCell(vtk_type, len(points), list(range(len(points))))
    for data, values in ((grid.GetPointData(), quadratic(points)), (grid.GetCellData(), np.array([7.5]))):
        array = numpy_to_vtk(values, deep=True)
        array.SetName("velocity" if values.ndim > 1 else "p")
        data.AddArray(array)
    writer = vtk.vtkExodusIIWriter()
    writer.SetFileName(str(path))
    writer.SetInputData(grid)
    writer.WriteOutBlockIdArrayOff()
    assert writer.Write() == 1
    if vtk_type in ORDERS:
        with netCDF4.Dataset(path, "a") as file:
            file["connect1"][0] = file["connect1"][0][ORDERS[vtk_type]]
            file["connect1"].elem_type = {25: "HEX20", 26: "WEDGE15", 29: "HEX27"}[vtk_type]
    return points


def with_vtk(path: Path) -> Any:
    reader = vtk.vtkExodusIIReader()
    reader.SetFileName(str(path))
    reader.UpdateInformation()
    for kind in (reader.NODAL, reader.ELEM_BLOCK):
        for i in range(reader.GetNumberOfObjectArrays(kind)):
            reader.SetObjectArrayStatus(kind, i, 1)
    reader.Update()
    return reader.GetOutput().GetBlock(0).GetBlock(0)


@pytest.mark.parametrize("vtk_type", TYPES)
def test_cells_as_vtk_reads_them(tmp_path, vtk_type):
    path = tmp_path / "a.exo"
    points = write(path, vtk_type)
    contents = read_contents(path)
    peer = with_vtk(path)
    theirs = vtk_to_numpy(peer.GetPoints().GetData())
    ours = contents.mesh.points[contents.mesh.cells.connectivity]
    assert contents.mesh.cells.types.tolist() == [vtk_type] == [peer.GetCellType(0)]
    ids = [peer.GetCell(0).GetPointId(i) for i in range(peer.GetCell(0).GetNumberOfPoints())]
    np.testing.assert_allclose(ours, theirs[ids], rtol=1e-6)
    np.testing.assert_allclose(ours, points)
    assert contents.cell_data["p"].tolist() == [7.5]
    assert contents.mesh.signed_measures[0] > 0


@pytest.mark.parametrize("vtk_type", [24, 25, 26, 29])
def test_quadratic_fields_are_differentiated_exactly(tmp_path, vtk_type):
    write(tmp_path / "a.exo", vtk_type)
    flow = read(tmp_path / "a.exo", "velocityX,velocityY,velocityZ")
    gradient = flowgrad.velocity_gradient(flow, "autodiff", at="points")
    x, y, z = flow.mesh.points.T
    zero = np.zeros_like(x)
    expected = np.array([[2 * z, 2 * y, 2 * x], [zero + 1, -z, -y], [x, zero + 1, zero]]).transpose(2, 0, 1)
    np.testing.assert_allclose(gradient.L, expected, atol=1e-12)


def test_all_times(tmp_path):
    path = tmp_path / "a.e"
    write(path, 10)
    with netCDF4.Dataset(path, "a") as file:
        for number in (1, 2):
            file["time_whole"][number] = 0.5 * number
            for i in (1, 2, 3):
                file[f"vals_nod_var{i}"][number] = file[f"vals_nod_var{i}"][0] * (1 + number)
    series = flowgrad.read_series(path, velocity="velocityX,velocityY,velocityZ")
    assert [flow.time for flow in series] == [0, 0.5, 1]
    np.testing.assert_allclose(series[2].velocity, 3 * series[0].velocity)


def test_other_elements_are_refused_by_name_and_count(tmp_path, refused):
    path = tmp_path / "a.e"
    write(path, 10)
    with netCDF4.Dataset(path, "a") as file:
        file["connect1"].elem_type = "NFACED"
    with refused(path, "1 elements NFACED of 4 nodes, which are not read"):
        read_contents(path)
