from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest

from flowgrad.io import read_contents
from tests.io.vtk_twin import assert_same_arrays, assert_same_mesh, read_with_vtk, vtk_arrays, write_with_vtk

COMPRESSORS, ORDERS = ("None", "ZLib", "LZMA", "LZ4"), ("LittleEndian", "BigEndian")
LAYOUTS = [
    ("Ascii", False, "None", 32, "LittleEndian"),
    *product(("Binary",), (False,), COMPRESSORS, (32, 64), ORDERS),
    *product(("Appended",), (False, True), COMPRESSORS, (32, 64), ORDERS),
]


@pytest.mark.parametrize(("mode", "base64", "compressor", "header", "order"), LAYOUTS)
def test_reads_what_vtk_writes(vtk_grid, tmp_path, mode, base64, compressor, header, order):
    path = tmp_path / "mixed.vtu"
    # A small block: every array has several, the last one shorter.
    block = 64 if compressor == "LZMA" else 8
    write_with_vtk(vtk_grid, path, mode, base64, compressor, header, block=block, order=order)
    contents = read_contents(path)
    assert_same_mesh(contents.mesh, vtk_grid)
    assert_same_arrays(contents.point_data, vtk_arrays(vtk_grid.GetPointData()))
    assert_same_arrays(contents.cell_data, vtk_arrays(vtk_grid.GetCellData()))
    assert_same_arrays(contents.field_data, vtk_arrays(vtk_grid.GetFieldData()))
    assert (contents.time, contents.producer, contents.source) == (0.1, "", path)


@pytest.mark.parametrize("version", ["0.1", "1.0", "2.0", "2.9"])
def test_reads_all_versions(vtk_grid, tmp_path, version):
    path = tmp_path / "mixed.vtu"
    write_with_vtk(vtk_grid, path)
    path.write_bytes(re.sub(rb'version="[^"]*" byte', b'version="%s" byte' % version.encode(), path.read_bytes()))
    assert_same_mesh(read_contents(path).mesh, vtk_grid)


def test_large_arrays_go_through_the_threads(tmp_path):
    pytest.importorskip("vtkmodules", reason="VTK compresses the file")
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonCore import vtkPoints
    from vtkmodules.vtkCommonDataModel import vtkUnstructuredGrid

    values = np.random.default_rng(1).normal(size=(150_001, 3)).round(2)
    grid, points = vtkUnstructuredGrid(), vtkPoints()
    points.SetData(numpy_to_vtk(values))
    grid.SetPoints(points)
    write_with_vtk(grid, tmp_path / "cloud.vtu", block=32768)
    np.testing.assert_array_equal(read_contents(tmp_path / "cloud.vtu").mesh.points, values)


def ascii_vtu(*pieces: str, head: str = "", version: str = "1.0") -> str:
    return (
        f'<VTKFile type="UnstructuredGrid" version="{version}" byte_order="LittleEndian"><UnstructuredGrid>{head}'
        + "".join(pieces)
        + "</UnstructuredGrid></VTKFile>"
    )


def array(name: str, values: str, kind: str = "Float64", components: int = 1, **more: object) -> str:
    extra = "".join(f' {key}="{value}"' for key, value in more.items())
    return (
        f'<DataArray type="{kind}" Name="{name}" NumberOfComponents="{components}" format="ascii"{extra}>'
        f"{values}</DataArray>"
    )


def section(tag: str, *arrays: str) -> str:
    return f"<{tag}>{''.join(arrays)}</{tag}>"


def piece(points: int, *cells: tuple[int, str], point_data: str = "", cell_data: str = "", extra: str = "") -> str:
    """A piece whose point i of n is (i, i², 0), cells given by type and points."""
    rows = [text.split() for _, text in cells]
    return (
        f'<Piece NumberOfPoints="{points}" NumberOfCells="{len(cells)}">'
        + section("PointData", point_data)
        + section("CellData", cell_data)
        + section("Points", array("Points", " ".join(f"{i} {i * i} 0" for i in range(points)), components=3))
        + section(
            "Cells",
            array("connectivity", " ".join(" ".join(row) for row in rows), "Int32"),
            array("offsets", " ".join(map(str, np.cumsum([len(row) for row in rows]))), "Int32"),
            array("types", " ".join(str(kind) for kind, _ in cells), "UInt8"),
            extra,
        )
        + "</Piece>"
    )


@pytest.fixture
def parse(tmp_path):
    def read(text: str | bytes):
        path = tmp_path / "case.vtu"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return read_contents(path)

    return read


def test_pieces_are_joined_with_shifted_points(parse):
    contents = parse(
        ascii_vtu(
            piece(3, (5, "0 1 2"), point_data=array("p", "1 2 3"), cell_data=array("id", "7", "Int32")),
            '<Piece NumberOfPoints="0" NumberOfCells="0"/>',
            piece(
                4,
                (9, "0 1 2 3"),
                (5, "1 2 3"),
                point_data=array("p", "4 5 nan 7"),
                cell_data=array("id", "8 9", "Int32"),
            ),
        )
    )
    assert contents.mesh.cells.types.tolist() == [5, 9, 5]
    assert contents.mesh.cells.offsets.tolist() == [0, 3, 7, 10]
    assert contents.mesh.cells.connectivity.tolist() == [0, 1, 2, 3, 4, 5, 6, 4, 5, 6]
    assert contents.mesh.points[:, 0].tolist() == [0, 1, 2, 0, 1, 2, 3]
    np.testing.assert_array_equal(contents.point_data["p"], [1, 2, 3, 4, 5, np.nan, 7])
    assert contents.cell_data["id"].tolist() == [7, 8, 9]
    assert contents.cell_data["id"].dtype == np.int32


def test_pieces_read_as_vtk_reads_them(vtk_grid, tmp_path):
    write_with_vtk(vtk_grid, tmp_path / "pieces.vtu", pieces=3)
    contents = read_contents(tmp_path / "pieces.vtu")
    grid = read_with_vtk(tmp_path / "pieces.vtu")
    assert len(contents.mesh) == 3 * vtk_grid.GetNumberOfCells()
    # VTK 9.7 does not shift the points of the faces of later pieces, so those are compared with the
    # points of their cells.
    assert_same_mesh(contents.mesh, grid, faces=False)
    for cell in np.flatnonzero(contents.mesh.cells.types == 42):
        offsets, faces = contents.mesh.cells.offsets, contents.mesh.cells.polyhedra
        start, stop = faces.offsets[faces.cell_offsets[cell : cell + 2]]
        points = contents.mesh.cells.connectivity[offsets[cell] : offsets[cell + 1]]
        assert set(faces.connectivity[start:stop]) == set(points)
    assert_same_arrays(contents.cell_data, vtk_arrays(grid.GetCellData()))
    assert_same_arrays(contents.point_data, vtk_arrays(grid.GetPointData()))


def test_polyhedra_of_several_pieces(parse):
    faces = array("faces", "4 3 0 1 2 3 0 1 3 3 1 2 3 3 2 0 3", "Int32") + array("faceoffsets", "17", "Int32")
    plain = piece(3, (5, "0 1 2"))
    contents = parse(ascii_vtu(plain, piece(4, (42, "0 1 2 3"), extra=faces), plain))
    polyhedra = contents.mesh.cells.polyhedra
    assert polyhedra.cell_offsets.tolist() == [0, 0, 4, 4]
    assert polyhedra.offsets.tolist() == [0, 3, 6, 9, 12]
    assert polyhedra.connectivity.tolist() == [3, 4, 5, 3, 4, 6, 4, 5, 6, 5, 3, 6]


@pytest.mark.parametrize("ends", ["3 6 9 12", "0 3 6 9 12"])
@pytest.mark.parametrize("cell_ends", ["0 4 8", "0 0 4 8"])
def test_new_polyhedra_may_share_faces_in_any_order(parse, ends, cell_ends):
    extra = (
        array("face_connectivity", "0 1 2 0 1 3 1 2 3 2 0 3", "Int64")
        + array("face_offsets", ends, "Int64")
        + array("polyhedron_to_faces", "3 2 1 0 0 1 2 3", "Int64")
        + array("polyhedron_offsets", cell_ends, "Int64")
    )
    cells = ((5, "0 1 2"), (42, "0 1 2 3"), (42, "3 2 1 0"))
    polyhedra = parse(ascii_vtu(piece(4, *cells, extra=extra))).mesh.cells.polyhedra
    assert polyhedra.cell_offsets.tolist() == [0, 0, 4, 8]
    assert polyhedra.connectivity.tolist() == [2, 0, 3, 1, 2, 3, 0, 1, 3, 0, 1, 2, 0, 1, 2, 0, 1, 3, 1, 2, 3, 2, 0, 3]
    assert polyhedra.offsets.tolist() == list(range(0, 27, 3))


def test_scattered_points_need_no_cells(parse):
    text = '<Piece NumberOfPoints="2" NumberOfCells="0">' + section("Points", array("", "0 0 0 1 2 3", components=3))
    contents = parse(ascii_vtu(text + "</Piece>"))
    assert len(contents.mesh) == 0
    assert contents.mesh.points.tolist() == [[0, 0, 0], [1, 2, 3]]


@pytest.mark.parametrize(
    ("head", "time"),
    [
        ("", None),
        (section("FieldData", array("TimeValue", "0.1", "Float32", NumberOfTuples=1)), 0.1),
        (section("FieldData", array("TIME", "2.5", NumberOfTuples=1)), 2.5),
        (section("FieldData", array("TimeValue", "7", "Int32")), 7.0),
        (section("FieldData", array("TimeValue", "1 2", NumberOfTuples=2)), None),
        (section("FieldData", array("other", "3")), None),
    ],
)
def test_time(parse, head, time):
    assert parse(ascii_vtu(piece(1), head=head)).time == time


@pytest.mark.parametrize(
    ("comment", "producer"),
    [
        ("<!-- case='cavity' region='region0' time='0.5' index='100' -->", "OpenFOAM"),
        ("<!-- patch='wall' time='0.5' index='100' -->", "OpenFOAM"),
        ("<!-- my case='cavity' -->", ""),
    ],
)
def test_producer(parse, comment, producer):
    assert parse(f"<?xml version='1.0'?>{comment}" + ascii_vtu(piece(1))).producer == producer


def test_text_arrays_are_left_out_and_logged(parse, caplog):
    caplog.set_level("INFO", "flowgrad")
    data = '<Array type="String" Name="label" format="ascii">97 0</Array>' + array("p", "1")
    contents = parse(ascii_vtu(piece(1, point_data=data), head=section("FieldData", data)))
    assert list(contents.point_data) == list(contents.field_data) == ["p"]
    assert len([r for r in caplog.messages if "'label'" in r]) == 2


def bad(text: str, *arguments: str, **options: str) -> tuple[str, str]:
    return ascii_vtu(*arguments, **options), text


TRIANGLE = (5, "0 1 2")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        bad("has version 3.0", version="3.0"),
        bad("no <Piece>"),
        bad("'p' in PointData: has 2 values", piece(3, point_data=array("p", "1 2"))),
        bad("two arrays named 'p'", piece(1, point_data=array("p", "1") + array("p", "1"))),
        bad("array without a name", piece(1, point_data=array("", "1"))),
        bad("not a number", piece(1, point_data=array("p", "1x"))),
        bad("not a number", piece(1, point_data=array("p", "1,0"))),
        bad("not a number", piece(1, point_data=array("p", "1.5", "Int32"))),
        bad("outside uint8", piece(1, point_data=array("p", "256", "UInt8"))),
        bad("outside int64", piece(1, point_data=array("p", "9" * 30, "Int64"))),
        bad("type 'Float16'", piece(1, point_data=array("p", "1", "Float16"))),
        bad("NumberOfComponents is 0", piece(1, point_data=array("p", "1", components=0))),
        bad("has 3 values instead of 4", piece(2, point_data=array("p", "1 2 3", components=2))),
        bad("NumberOfTuples is 2 instead of 1", piece(1, point_data=array("p", "1", NumberOfTuples=2))),
        bad("'-3', not a number", piece(1).replace('Points="1"', 'Points="-3"')),
        bad("3 values instead of 3000000", piece(1).replace('Points="1"', 'Points="1000000"')),
        bad(
            "NumberOfComponents 1",
            piece(3).replace('Components="3"', 'Components="1"').replace("0 0 0 1 1 0 2 4 0", "0 0 0"),
        ),
        bad("point 3", piece(3, (5, "0 1 3"))),
        bad("point -1", piece(3, (5, "0 1 -1"))),
        bad("point 3 ", piece(3, (5, "0 1 3")), piece(3, TRIANGLE)),
        bad("tetra with 3 points", piece(3, (10, "0 1 2"))),
        bad("convex_point_set", piece(6, (41, "0 1 2 3 4 5"))),
        bad("'types' has 1 values up to 261", piece(3, TRIANGLE).replace('"UInt8"', '"Int32"').replace(">5<", ">261<")),
        bad("'offsets' has 1 values.* up to 4 with 3", piece(3, TRIANGLE).replace(">3<", ">4<")),
        bad("use 2 point numbers", piece(3, (4, "0 1 2")).replace(">3<", ">2<")),
        bad("no array 'types'", piece(3, TRIANGLE).replace('"types"', '"kinds"')),
        bad("'connectivity' is float64", piece(3, TRIANGLE).replace('"Int32" Name="conn', '"Float32" Name="conn')),
        bad("1 polyhedra but neither", piece(4, (42, "0 1 2 3"))),
        bad("2 <PointData>", piece(1).replace("<PointData>", "<PointData></PointData><PointData>")),
        bad("lacks the array 'p' on points", piece(1, point_data=array("p", "1")), piece(1)),
        bad(
            "'p' has 1 and 3 components",
            piece(1, point_data=array("p", "1")),
            piece(1, point_data=array("p", "1 2 3", components=3)),
        ),
    ],
)
def test_contradictions_are_refused(parse, refused, tmp_path, text, message):
    with refused(tmp_path / "case.vtu", message):
        parse(text)


@pytest.mark.parametrize(
    ("stream", "end"),
    [
        ("4 3 0 1 2 3 0 1 3 3 1 2 3 3 2 0", "16"),
        ("5 3 0 1 2 3 0 1 3 3 1 2 3 3 2 0 3", "17"),
        ("3 3 0 1 2 3 0 1 3 3 1 2 3 3 2 0 3", "17"),
        ("4 3 0 1 2 3 0 1 3 3 1 2 3 3 2 0 3", "16"),
        ("4 3 0 1 2 3 0 1 3 3 1 2 3 3 2 0 3", "-1"),
        ("4 0 3 0 1 2 3 0 1 3 3 1 2 3 3 2 0 3", "18"),
        ("4 3 0 1 2 3 0 1 3 3 1 2 3 9223372036854775806 2 0 3", "17"),
        ("9223372036854775806 3 0 1 2 3 0 1 3 3 1 2 3 3 2 0 3", "17"),
        ("0", "1"),
        ("4 3 0 1 2 3 0 1 3 3 1 2 3 3 2 0 3", "17 17"),
        ("4 3 0 1 2 3 0 1 3 3 1 2 3 3 2 0 4", "17"),
    ],
)
def test_damaged_polyhedra_are_refused(parse, refused, tmp_path, stream, end):
    extra = array("faces", stream, "Int64") + array("faceoffsets", end, "Int64")
    with refused(tmp_path / "case.vtu", r"face.*damaged"):
        parse(ascii_vtu(piece(4, (42, "0 1 2 3"), extra=extra)))


@pytest.mark.parametrize(
    ("ends", "listed", "cell_ends"),
    [
        ("3 6 9 13", "0 1 2 3", "4"),
        ("3 2 9 12", "0 1 2 3", "4"),
        ("3 6 9 12", "0 1 2 4", "4"),
        ("3 6 9 12", "0 1 2 -1", "4"),
        ("3 6 9 12", "0 1 2 3", "3"),
        ("3 6 9 12", "0 1 2 3", "4 4"),
        ("3 6 9 12", "0 0 0 3", "4"),
        ("3 6 9 12", "", "0"),
        ("3 6 6 12", "0 1 2 3", "4"),
        ("0 0 3 6 9 12", "0 1 2 3", "4"),
        ("", "", "0"),
        ("3 6 9 12", "0 1 2 3", "1 4"),
    ],
)
def test_damaged_new_polyhedra_are_refused(parse, refused, tmp_path, ends, listed, cell_ends):
    extra = (
        array("face_connectivity", "0 1 2 0 1 3 1 2 3 2 0 3", "Int64")
        + array("face_offsets", ends, "Int64")
        + array("polyhedron_to_faces", listed, "Int64")
        + array("polyhedron_offsets", cell_ends, "Int64")
    )
    with refused(tmp_path / "case.vtu", "(face|polyhed).*damaged"):
        parse(ascii_vtu(piece(4, (42, "0 1 2 3"), extra=extra)))
