"""Legacy .vtk files that VTK writes, in every kind of data set: all of it comes back, whole or not at all."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from flowgrad import ReadError
from flowgrad.io import read_contents

pytest.importorskip("vtkmodules", reason="VTK writes the files")

from vtkmodules import vtkIOLegacy
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkIdList, vtkIdTypeArray, vtkLookupTable, vtkPoints
from vtkmodules.vtkCommonDataModel import (
    vtkCellArray,
    vtkImageData,
    vtkPolyData,
    vtkRectilinearGrid,
    vtkStructuredGrid,
    vtkUnstructuredGrid,
)

SHAPE = (4, 3, 3)


def places() -> np.ndarray:
    z, y, x = np.meshgrid(*[np.arange(float(n)) for n in SHAPE[::-1]], indexing="ij")
    return np.column_stack([x.ravel(), y.ravel(), z.ravel()]) + 0.125


def points() -> Any:
    found = vtkPoints()
    found.SetData(numpy_to_vtk(places(), deep=True))
    return found


def image() -> Any:
    grid = vtkImageData()
    grid.SetDimensions(*SHAPE)
    grid.SetOrigin(0.125, 0.125, 0.125)
    return grid


def rectilinear() -> Any:
    grid = vtkRectilinearGrid()
    grid.SetDimensions(*SHAPE)
    for axis, count in zip("XYZ", SHAPE, strict=True):
        getattr(grid, f"Set{axis}Coordinates")(numpy_to_vtk(np.arange(float(count)) + 0.125, deep=True))
    return grid


def structured() -> Any:
    grid = vtkStructuredGrid()
    grid.SetDimensions(*SHAPE)
    grid.SetPoints(points())
    return grid


def surface() -> Any:
    grid = vtkPolyData()
    grid.SetPoints(points())
    for kind, rows in (("Verts", [[0]]), ("Polys", [[0, 1, 4], [1, 2, 6, 5]]), ("Strips", [[12, 13, 16, 17]])):
        cells = vtkCellArray()
        for row in rows:
            cells.InsertNextCell(len(row), row)
        getattr(grid, f"Set{kind}")(cells)
    return grid


def cells(*given: tuple[int, tuple[int, ...]]) -> Any:
    grid = vtkUnstructuredGrid()
    grid.SetPoints(points())
    for kind, row in given:
        grid.InsertNextCell(kind, len(row), row)
    return grid


def usual() -> Any:
    return cells((12, (0, 1, 5, 4, 12, 13, 17, 16)), (10, (2, 3, 6, 14)), (14, (5, 6, 10, 9, 18)))


def odd() -> Any:
    """A voxel, a pixel, a polygon and a prism of five sides."""
    prism = (12, 13, 17, 20, 16, 24, 25, 29, 32, 28)
    rows = [(11, (0, 1, 4, 5, 12, 13, 16, 17)), (8, (2, 3, 6, 7)), (7, (4, 5, 9, 8)), (15, prism)]
    return cells(*rows)


def polyhedron() -> Any:
    grid = cells((10, (2, 3, 6, 14)))
    faces = ((0, 1, 4), (0, 12, 1), (1, 12, 4), (4, 12, 0))
    stream = vtkIdList()
    for number in (4, *(n for face in faces for n in (3, *face))):
        stream.InsertNextId(number)
    grid.InsertNextCell(42, stream)
    return grid


KINDS = {each.__name__: each for each in (image, rectilinear, structured, surface, usual, odd, polyhedron)}
WRITERS = {
    "vtkImageData": "StructuredPoints",
    "vtkRectilinearGrid": "RectilinearGrid",
    "vtkStructuredGrid": "StructuredGrid",
    "vtkPolyData": "PolyData",
    "vtkUnstructuredGrid": "UnstructuredGrid",
}


def put(target: Any, name: str, values: np.ndarray) -> Any:
    array = numpy_to_vtk(np.ascontiguousarray(values), deep=True)
    array.SetName(name)
    target.AddArray(array)
    return array


def write(grid: Any, path: Any, version: int, binary: bool) -> None:
    x, data = places(), grid.GetPointData()
    data.SetVectors(put(data, "U", x[:, [1, 2, 0]]))
    pressure = put(data, "p of it", x[:, 0])
    table = vtkLookupTable()
    table.SetNumberOfTableValues(2)
    table.Build()
    pressure.SetLookupTable(table)
    data.SetScalars(pressure)
    put(data, "T", np.arange(len(x) * 9.0).reshape(-1, 9))
    ids = vtkIdTypeArray()
    ids.SetName("ids")
    for number in range(grid.GetNumberOfCells()):
        ids.InsertNextValue(number)
    grid.GetCellData().AddArray(ids)
    writer = getattr(vtkIOLegacy, f"vtk{WRITERS[grid.GetClassName()]}Writer")()
    writer.SetInputData(grid)
    writer.SetFileVersion(version)
    getattr(writer, f"SetFileTypeTo{'Binary' if binary else 'ASCII'}")()
    writer.SetFileName(str(path))
    assert writer.Write()


@pytest.mark.parametrize("version", [42, 51])
@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_what_vtk_writes(tmp_path, kind, binary, version):
    grid = KINDS[kind]()
    write(grid, tmp_path / "a.vtk", version, binary)
    contents = read_contents(tmp_path / "a.vtk")
    np.testing.assert_allclose(contents.mesh.points, places(), atol=1e-12)
    np.testing.assert_allclose(contents.point_data["U"], places()[:, [1, 2, 0]], atol=1e-7)
    np.testing.assert_allclose(contents.point_data["p of it"], places()[:, 0], atol=1e-7)
    assert contents.point_data["T"].shape == (len(places()), 9)
    # A strip is as many triangles, each with its values.
    np.testing.assert_array_equal(np.unique(contents.cell_data["ids"]), np.arange(grid.GetNumberOfCells()))
    if grid.IsA("vtkUnstructuredGrid"):
        assert contents.mesh.cells.types.tolist() == vtk_to_numpy(grid.GetCellTypesArray()).tolist()


@pytest.mark.parametrize("version", [42, 51])
@pytest.mark.parametrize("kind", KINDS)
def test_files_of_text_that_were_cut_are_refused(tmp_path, kind, version):
    """Anywhere between the points and the last line."""
    path = tmp_path / "a.vtk"
    write(KINDS[kind](), path, version, binary=False)
    data = path.read_bytes()
    whole = read_contents(path)
    begin, end = data.index(b"DATASET") + 60, len(data)
    kept = 0
    for length in np.linspace(begin, end - 3, 12).astype(int):
        path.write_bytes(data[:length])
        try:
            part = read_contents(path)
        except ReadError:
            continue
        kept += 1
        # Cut between two arrays it is the whole file of fewer.
        np.testing.assert_array_equal(part.mesh.points, whole.mesh.points)
        for name, values in part.point_data.items():
            np.testing.assert_array_equal(values, whole.point_data[name])
    assert kept < 4


def test_what_neither_reads_is_refused_in_the_words_of_both(tmp_path, refused):
    write(cells((6, (1, 2, 5, 6)), (10, (2, 3, 6, 14))), tmp_path / "a.vtk", 42, binary=True)
    words = "meshio cannot read it .*; VTK: its data set: 1 cells of the type triangle_strip .6. are not supported yet"
    with refused(tmp_path / "a.vtk", words):
        read_contents(tmp_path / "a.vtk")


def test_a_file_without_a_last_line_break(tmp_path):
    write(usual(), tmp_path / "a.vtk", 42, binary=False)
    data = (tmp_path / "a.vtk").read_bytes().rstrip()
    (tmp_path / "a.vtk").write_bytes(data)
    assert len(read_contents(tmp_path / "a.vtk").mesh) == 3


def test_without_vtk_it_is_said(tmp_path, monkeypatch):
    """In place of VTK nothing that can be imported."""
    write(odd(), tmp_path / "a.vtk", 42, binary=False)
    (tmp_path / "vtkmodules.py").write_text("raise ModuleNotFoundError(\"No module named 'vtkmodules'\")")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(ReadError, match=r"a\.vtk: .*; or install flowgrad\[vtk\]"):
        read_contents(tmp_path / "a.vtk")
