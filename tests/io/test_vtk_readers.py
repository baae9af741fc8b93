"""Files that VTK's writers make, against the data sets that were written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import flowgrad
from flowgrad import Lattice, read
from flowgrad.io import read_contents
from tests.io.vtk_twin import assert_same_arrays, assert_same_mesh, vtk_arrays

pytest.importorskip("vtkmodules", reason="VTK writes the files")

from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonCore import vtkDoubleArray, vtkPoints
from vtkmodules.vtkCommonDataModel import (
    vtkImageData,
    vtkPolyData,
    vtkRectilinearGrid,
    vtkStructuredGrid,
    vtkUnstructuredGrid,
)


def with_velocity(data: Any, points: np.ndarray) -> Any:
    values = {"U": np.column_stack([points[:, 1], -points[:, 0], points[:, 2]]), "p": points[:, 0] * 2}
    for name, each in values.items():
        array = numpy_to_vtk(each, deep=True)
        array.SetName(name)
        data.GetPointData().AddArray(array)
    cells = numpy_to_vtk(np.arange(float(data.GetNumberOfCells())), deep=True)
    cells.SetName("id")
    data.GetCellData().AddArray(cells)
    return data


def lattice_points(bend: float = 0.0) -> np.ndarray:
    z, y, x = np.meshgrid(np.arange(3.0), np.arange(4.0), np.arange(5.0), indexing="ij")
    return np.column_stack([(x + bend * y * y).ravel(), y.ravel(), z.ravel()])


def vtk_points(points: np.ndarray) -> vtkPoints:
    result = vtkPoints()
    result.SetData(numpy_to_vtk(points, deep=True))
    return result


def image() -> vtkImageData:
    data = vtkImageData()
    data.SetDimensions(5, 4, 3)
    return with_velocity(data, lattice_points())


def rectilinear() -> vtkRectilinearGrid:
    data = vtkRectilinearGrid()
    data.SetDimensions(5, 4, 3)
    for axis, count in zip("XYZ", (5, 4, 3), strict=True):
        array = vtkDoubleArray()
        for i in range(count):
            array.InsertNextValue(i)
        getattr(data, f"Set{axis}Coordinates")(array)
    return with_velocity(data, lattice_points())


def curvilinear() -> vtkStructuredGrid:
    data = vtkStructuredGrid()
    data.SetDimensions(5, 4, 3)
    data.SetPoints(vtk_points(lattice_points(0.1)))
    return with_velocity(data, lattice_points(0.1))


def unstructured() -> vtkUnstructuredGrid:
    data = vtkUnstructuredGrid()
    points = lattice_points()
    data.SetPoints(vtk_points(points))
    data.InsertNextCell(12, 8, [0, 1, 6, 5, 20, 21, 26, 25])
    data.InsertNextCell(10, 4, [1, 2, 6, 21])
    return with_velocity(data, points)


def polygons() -> vtkPolyData:
    data = vtkPolyData()
    data.SetPoints(vtk_points(lattice_points()[:20]))
    data.Allocate()
    data.InsertNextCell(9, 4, [0, 1, 6, 5])
    data.InsertNextCell(5, 3, [1, 2, 6])
    return with_velocity(data, lattice_points()[:20])


def legacy(path: Path, data: Any, binary: bool = True) -> Path:
    from vtkmodules.vtkIOLegacy import vtkDataSetWriter

    writer = vtkDataSetWriter()
    writer.SetInputData(data)
    writer.SetFileVersion(51)
    writer.SetFileTypeToBinary() if binary else writer.SetFileTypeToASCII()
    writer.SetFileName(str(path))
    assert writer.Write() == 1
    return path


@pytest.mark.parametrize("make", [image, rectilinear, curvilinear, polygons])
def test_legacy_files_of_version_5(tmp_path, make):
    data = make()
    contents = read_contents(legacy(tmp_path / "a.vtk", data, make is not rectilinear))
    assert isinstance(contents.mesh, Lattice) == (make is not polygons)
    assert contents.mesh.point_count == data.GetNumberOfPoints()
    assert_same_arrays(contents.point_data, vtk_arrays(data.GetPointData()))
    assert_same_arrays(contents.cell_data, vtk_arrays(data.GetCellData()))
    x, y, z = contents.mesh.points.T
    np.testing.assert_allclose(contents.point_data["U"], np.column_stack([y, -x, z]))


def test_legacy_files_that_are_cut_off(tmp_path, refused):
    path = legacy(tmp_path / "a.vtk", image())
    data = path.read_bytes()
    for share in (0.3, 0.9):
        path.write_bytes(data[: int(share * len(data))])
        with refused(path, ": "):
            read_contents(path)


def test_400_cubed_in_111_bytes(tmp_path, refused):
    for version in ("3.0", "5.1"):
        text = f"# vtk DataFile Version {version}\nt\nASCII\nDATASET STRUCTURED_POINTS\nDIMENSIONS 400 400 400\n"
        (tmp_path / "a.vtk").write_text(text + "ORIGIN 0 0 0\nSPACING 1 1 1\n")
        with refused(tmp_path / "a.vtk", r"declares 64000000 points but has \d+ bytes"):
            read_contents(tmp_path / "a.vtk")


def test_vtkhdf(tmp_path):
    io = pytest.importorskip("vtkmodules.vtkIOHDF")
    data = unstructured()
    writer = io.vtkHDFWriter()
    writer.SetInputData(data)
    writer.SetFileName(str(tmp_path / "a.vtkhdf"))
    assert writer.Write() == 1
    contents = read_contents(tmp_path / "a.vtkhdf")
    assert_same_mesh(contents.mesh, data)
    assert_same_arrays(contents.point_data, vtk_arrays(data.GetPointData()))
    assert_same_arrays(contents.cell_data, vtk_arrays(data.GetCellData()))


CASE = """FORMAT
type: ensight gold

GEOMETRY
model: a.geo

VARIABLE
vector per node: U a.U*

TIME
time set: 1
number of steps: 2
filename start number: 0
filename increment: 1
time values: 0.25 0.5
"""


def test_ensight(tmp_path):
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    numbers = "\n".join(f"{value:12.5e}" for value in points.T.ravel())
    (tmp_path / "a.case").write_text(CASE)
    (tmp_path / "a.geo").write_text(
        "title\ntitle\nnode id off\nelement id off\npart\n         1\nfluid\ncoordinates\n         4\n"
        f"{numbers}\ntetra4\n         1\n         1         2         3         4\n"
    )
    for number in (0, 1):
        values = np.column_stack([points[:, 1] * (1 + number), -points[:, 0], points[:, 2]])
        rows = "\n".join(f"{value:12.5e}" for value in values.T.ravel())
        (tmp_path / f"a.U{number}").write_text(f"U\npart\n         1\ncoordinates\n{rows}\n")
    series = flowgrad.read_series(tmp_path / "a.case")
    assert [flow.time for flow in series] == [0.25, 0.5]
    for number, flow in enumerate(series):
        assert flow.mesh.type_counts() == {"tetra": 1}
        x, y, z = flow.mesh.points.T
        np.testing.assert_allclose(flow.velocity, np.column_stack([y * (1 + number), -x, z]))


def _binary_ensight(folder: Path, points: np.ndarray, velocity: np.ndarray, order: str) -> Path:
    """The tetrahedron as C binary files, whose variables have no head."""

    def text(*lines: str) -> bytes:
        return b"".join(line.encode().ljust(80, b"\0") for line in lines)

    def number(*values: int) -> bytes:
        return np.array(values, f"{order}i4").tobytes()

    def floats(values: np.ndarray) -> bytes:
        return values.T.astype(f"{order}f4").tobytes()

    geometry = text("C Binary", "title", "title", "node id off", "element id off", "part") + number(1)
    geometry += text("fluid", "coordinates") + number(4) + floats(points)
    geometry += text("tetra4") + number(1) + number(1, 2, 3, 4)
    (folder / "a.geo").write_bytes(geometry)
    (folder / "a.U0").write_bytes(text("U", "part") + number(1) + text("coordinates") + floats(velocity))
    (folder / "a.case").write_text(CASE.split("TIME")[0].replace("a.U*", "a.U0"))
    return folder / "a.case"


@pytest.mark.parametrize("order", ["<", ">"])
def test_binary_ensight(tmp_path, order, refused):
    points = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
    path = _binary_ensight(tmp_path, points, points[:, [1, 2, 0]], order)
    flow = read(path)
    np.testing.assert_array_equal(flow.mesh.points, points)
    np.testing.assert_array_equal(flow.velocity, points[:, [1, 2, 0]])
    variable = tmp_path / "a.U0"
    variable.write_bytes(variable.read_bytes()[:-4])
    with refused(variable, "ends in the middle of"):
        read_contents(path)


def test_ensight_of_vtks_own_writer(tmp_path):
    from vtkmodules.vtkIOParallel import vtkEnSightWriter

    data = unstructured()
    blocks = numpy_to_vtk(np.ones(data.GetNumberOfCells(), np.int32), deep=True)
    blocks.SetName("BlockId")
    data.GetCellData().AddArray(blocks)
    writer = vtkEnSightWriter()
    writer.SetInputData(data)
    writer.SetPath(str(tmp_path))
    writer.SetBaseName("a")
    writer.SetFileName("a")
    writer.Write()
    writer.WriteCaseFile(1)
    (path,) = tmp_path.glob("*.case")
    contents = read_contents(path)
    # Points of no cell are not written.
    theirs = vtk_to_numpy(data.GetPoints().GetData())
    kept = [int(np.flatnonzero((theirs == point).all(axis=1))[0]) for point in contents.mesh.points]
    assert len(kept) == 9
    np.testing.assert_allclose(contents.point_data["U_n"], vtk_arrays(data.GetPointData())["U"][kept], rtol=1e-6)


FLUENT_CASE = """(0 "two cubes")
(2 3)
(10 (0 1 c 0 3))
(10 (1 1 c 1 3)(
0 0 0
1 0 0
2 0 0
0 1 0
1 1 0
2 1 0
0 0 1
1 0 1
2 0 1
0 1 1
1 1 1
2 1 1
))
(12 (0 1 2 0 0))
(12 (2 1 2 1 4))
(13 (0 1 b 0 0))
(13 (4 1 1 2 4)(
2 8 b 5 1 2
))
(13 (3 2 b 3 4)(
1 2 5 4 1 0
7 a b 8 1 0
1 7 8 2 1 0
4 5 b a 1 0
1 4 a 7 1 0
2 3 6 5 2 0
8 b c 9 2 0
2 8 9 3 2 0
5 6 c b 2 0
3 9 c 6 2 0
))
(45 (2 fluid fluid)())
(45 (3 wall wall)())
(45 (4 interior interior)())
"""


def test_fluent(tmp_path):
    (tmp_path / "a.cas").write_text(FLUENT_CASE)
    values = [(111, "1.5", "2.5"), (112, "3", "4"), (113, "5", "6")]
    sections = "".join(f"(300 ({number} 2 1 0 0 1 2)(\n{one}\n{two}\n))\n" for number, one, two in values)
    (tmp_path / "a.dat").write_text(f'(0 "data")\n{sections}')
    flow = read(tmp_path / "a.cas")
    assert flow.mesh.type_counts() == {"hexahedron": 2}
    np.testing.assert_allclose(flow.mesh.measures, 1)
    order = np.argsort(flow.mesh.centroids[:, 0])
    np.testing.assert_allclose(flow.velocity[order], [[1.5, 3, 5], [2.5, 4, 6]])


def test_cgns(tmp_path):
    h5py = pytest.importorskip("h5py")
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 1.0]])
    cells = np.array([[0, 1, 2, 3], [1, 2, 3, 4]])
    with h5py.File(tmp_path / "a.cgns", "w", track_order=True, libver="earliest") as file:
        write_cgns(file, points, cells, points[:, [1, 0, 2]])
    flow = read(tmp_path / "a.cgns")
    assert flow.mesh.type_counts() == {"tetra": 2}
    np.testing.assert_array_equal(flow.mesh.cells.connectivity.reshape(2, 4), cells)
    np.testing.assert_array_equal(flow.mesh.points, points)
    np.testing.assert_array_equal(flow.velocity, points[:, [1, 0, 2]])


def write_cgns(file: Any, points: np.ndarray, cells: np.ndarray, velocity: np.ndarray) -> None:
    """One zone of tetrahedra; the layout of the nodes is that of the CGNS HDF5 mapping, version 3.4."""

    def text(value: str) -> np.ndarray:
        return np.frombuffer(value.encode(), np.int8)

    def about(group: Any, name: str, label: str, kind: str) -> None:
        for key, value, size in (("name", name, 33), ("label", label, 33), ("type", kind, 3)):
            group.attrs.create(key, np.bytes_(value), dtype=f"S{size}")

    def node(parent: Any, name: str, label: str, kind: str = "MT", data: np.ndarray | None = None) -> Any:
        group = parent.create_group(name, track_order=True)
        about(group, name, label, kind)
        group.attrs["flags"] = np.array([1], np.int32)
        if data is not None:
            group.create_dataset(" data", data=data)
        return group

    about(file, "HDF5 MotherNode", "Root Node of HDF5 File", "MT")
    file.create_dataset(" format", data=text("IEEE_LITTLE_32"))
    file.create_dataset(" hdf5version", data=text("HDF5 Version 1.8.0".ljust(33, "\0")))
    node(file, "CGNSLibraryVersion", "CGNSLibraryVersion_t", "R4", np.array([3.4], np.float32))
    base = node(file, "Base", "CGNSBase_t", "I4", np.array([3, 3], np.int32))
    zone = node(base, "Zone", "Zone_t", "I4", np.array([[len(points)], [len(cells)], [0]], np.int32))
    node(zone, "ZoneType", "ZoneType_t", "C1", text("Unstructured"))
    places = node(zone, "GridCoordinates", "GridCoordinates_t")
    elements = node(zone, "Elements", "Elements_t", "I4", np.array([10, 0], np.int32))
    node(elements, "ElementRange", "IndexRange_t", "I4", np.array([1, len(cells)], np.int32))
    node(elements, "ElementConnectivity", "DataArray_t", "I4", (cells + 1).astype(np.int32).ravel())
    solution = node(zone, "FlowSolution", "FlowSolution_t")
    node(solution, "GridLocation", "GridLocation_t", "C1", text("Vertex"))
    for a, axis in enumerate("XYZ"):
        node(places, f"Coordinate{axis}", "DataArray_t", "R8", points[:, a].copy())
        node(solution, f"Velocity{axis}", "DataArray_t", "R8", velocity[:, a].copy())


def test_what_vtk_reports_is_an_error(tmp_path, refused, capfd):
    for name in ("a.vtkhdf", "a.cgns", "a.case", "a.cas"):
        (tmp_path / name).write_text("this is no such file\n")
        with refused(tmp_path / name, ": "):
            read(tmp_path / name)
    assert capfd.readouterr() == ("", "")
