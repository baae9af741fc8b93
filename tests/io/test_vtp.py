from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from flowgrad.io import read_contents
from tests.io.vtk_twin import assert_same_arrays, attach_arrays, read_with_vtk, vtk_arrays, write_with_vtk

VERTS, LINES = ((4,), (5, 6, 7)), ((0, 1), (1, 2, 3))
POLYS = ((0, 1, 2), (0, 1, 2, 3), (4, 5, 6, 7, 8))
STRIPS = ((0, 1, 2, 3, 4), (5, 6, 7), (8, 7, 6, 5))


@pytest.fixture
def poly_data(arrays):
    pytest.importorskip("vtkmodules", reason="VTK writes the file")
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData

    data, points = vtkPolyData(), vtkPoints()
    for i in range(9):
        points.InsertNextPoint(i, i * i, 0.5)
    data.SetPoints(points)
    for setter, rows in ((data.SetVerts, VERTS), (data.SetLines, LINES), (data.SetPolys, POLYS)):
        cells = vtkCellArray()
        for row in rows:
            cells.InsertNextCell(len(row), row)
        setter(cells)
    attach_arrays(data, arrays)
    return data


@pytest.mark.parametrize(
    ("mode", "base64", "compressor", "header"),
    [("Ascii", 0, "None", 32), *product(("Binary", "Appended"), (0, 1), ("None", "ZLib"), (32, 64))],
)
def test_reads_what_vtk_writes(poly_data, tmp_path, mode, base64, compressor, header):
    path = tmp_path / "surface.vtp"
    write_with_vtk(poly_data, path, mode, base64, compressor, header, kind="PolyData", block=16)
    contents = read_contents(path)
    cells = contents.mesh.cells
    assert cells.types.tolist() == [1, 2, 3, 4, 5, 9, 7]
    assert [row.tolist() for row in np.split(cells.connectivity, cells.offsets[1:-1])] == [
        list(row) for row in (*VERTS, *LINES, *POLYS)
    ]
    assert_same_arrays(contents.cell_data, vtk_arrays(poly_data.GetCellData()))
    assert_same_arrays(contents.point_data, vtk_arrays(poly_data.GetPointData()))
    assert contents.time == 0.1


def test_several_pieces_are_joined_section_by_section(poly_data, tmp_path):
    path = tmp_path / "surface.vtp"
    write_with_vtk(poly_data, path, kind="PolyData", pieces=2)
    contents, theirs = read_contents(path), read_with_vtk(path, "PolyData")
    assert theirs.GetNumberOfCells() == len(contents.mesh) == 14
    assert contents.mesh.cells.types.tolist() == [theirs.GetCellType(c) for c in range(14)]
    for c in range(14):
        ids = theirs.GetCell(c).GetPointIds()
        ours = contents.mesh.cells.connectivity[slice(*contents.mesh.cells.offsets[c : c + 2])]
        assert ours.tolist() == [ids.GetId(i) for i in range(ids.GetNumberOfIds())]
    assert_same_arrays(contents.cell_data, vtk_arrays(theirs.GetCellData()))
    assert_same_arrays(contents.point_data, vtk_arrays(theirs.GetPointData()))


def test_strips_become_the_triangles_that_vtk_makes_of_them(poly_data, arrays, tmp_path):
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkCommonDataModel import vtkCellArray, vtkPolyData
    from vtkmodules.vtkFiltersCore import vtkTriangleFilter

    strips = vtkCellArray()
    for row in STRIPS:
        strips.InsertNextCell(len(row), row)
    data = vtkPolyData()
    data.SetPoints(poly_data.GetPoints())
    data.SetVerts(poly_data.GetVerts())
    data.SetStrips(strips)
    attach_arrays(data, arrays)
    write_with_vtk(data, tmp_path / "strips.vtp", kind="PolyData")
    contents = read_contents(tmp_path / "strips.vtp")
    # The filter takes a vertex of several points apart, so it sees the strips alone.
    alone = vtkPolyData()
    alone.SetPoints(poly_data.GetPoints())
    alone.SetStrips(strips)
    cut = vtkTriangleFilter()
    cut.SetInputData(alone)
    cut.Update()
    triangles = vtk_to_numpy(cut.GetOutput().GetPolys().GetConnectivityArray()).reshape(-1, 3)
    assert contents.mesh.cells.types.tolist() == [1, 2] + [5] * 6
    np.testing.assert_array_equal(contents.mesh.cells.connectivity[4:].reshape(-1, 3), triangles)
    theirs = vtk_arrays(data.GetCellData())
    assert_same_arrays(contents.cell_data, {name: theirs[name][[0, 1, 2, 2, 2, 3, 4, 4]] for name in theirs})


def text(attributes: str, sections: str = "", points: str = "0 0 0 1 0 0 0 1 0") -> str:
    return (
        "<VTKFile type='PolyData' version='0.1' byte_order='LittleEndian'><PolyData>"
        f"<Piece NumberOfPoints='{len(points.split()) // 3}' {attributes}>"
        f"<Points><DataArray type='Float64' NumberOfComponents='3' format='ascii'>{points}</DataArray></Points>"
        f"{sections}</Piece></PolyData></VTKFile>"
    )


def polys(connectivity: str, offsets: str) -> str:
    return "<Polys>" + "".join(
        f"<DataArray type='Int32' Name='{name}' format='ascii'>{values}</DataArray>"
        for name, values in (("connectivity", connectivity), ("offsets", offsets))
    ) + "</Polys>"  # fmt: skip


@pytest.mark.parametrize(
    ("content", "types"),
    [
        (text("NumberOfPolys='1'", polys("0 1 2", "3")), [5]),
        (text("", polys("", "")), []),
        (text("NumberOfPolys='0'", "", points=""), []),
    ],
)
def test_absent_sections_are_empty(tmp_path, content, types):
    (tmp_path / "a.vtp").write_text(content)
    assert read_contents(tmp_path / "a.vtp").mesh.cells.types.tolist() == types


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (text("NumberOfStrips='4'"), "Strips: has no array 'connectivity'"),
        (text("NumberOfStrips='1'", polys("0 1", "2").replace("Polys>", "Strips>")), "triangle strip of 2 points"),
        (text("NumberOfPolys='1'"), "Polys: has no array 'connectivity'"),
        (text("NumberOfPolys='2'", polys("0 1 2", "3")), "Polys: 'offsets' has 1 values for 2 cells"),
        (text("NumberOfPolys='1'", polys("0 1 2 0", "3")), "'connectivity' has 4 values instead of 3"),
        (text("NumberOfPolys='2'", polys("0 1 2 0", "3 2")), "damaged"),
        (text("NumberOfPolys='1'", polys("0 1 3", "3")), "point 3"),
        (text("").replace("PolyData'", "UnstructuredGrid'"), "holds 'UnstructuredGrid', not one PolyData"),
    ],
)
def test_contradictions_are_refused(refused, tmp_path, content, message):
    (tmp_path / "a.vtp").write_text(content)
    with refused(tmp_path / "a.vtp", message):
        read_contents(tmp_path / "a.vtp")
