from __future__ import annotations

import numpy as np
import pytest

from flowgrad import Cells, FlowgradError, Mesh, OptionError
from flowgrad.io import read_contents, write_vtu
from flowgrad.io.vtk_xml.polyhedra import from_stream, to_stream
from tests.io.vtk_twin import assert_same_arrays, assert_same_mesh, read_with_vtk, vtk_arrays


@pytest.mark.parametrize("time", [0.1234567890123, 1 / 3, 1e300, 16777217.0])
def test_a_time_is_not_rounded(mixed_mesh, tmp_path, time):
    write_vtu(tmp_path / "out.vtu", mixed_mesh, {}, {}, {"TimeValue": time})
    assert read_contents(tmp_path / "out.vtu").time == time


def test_a_time_of_float32_is_the_number_that_was_printed(mixed_mesh, tmp_path):
    write_vtu(tmp_path / "out.vtu", mixed_mesh, {}, {}, {"TimeValue": np.float32([0.1])})
    assert read_contents(tmp_path / "out.vtu").time == 0.1


def test_what_is_written_is_read_again(mixed_mesh, arrays, tmp_path):
    path = tmp_path / "out.vtu"
    points, cells = arrays(27), arrays(15)
    write_vtu(path, mixed_mesh, points, cells, {"TimeValue": 0.1, "table": np.eye(3), "n": [1, 2]})
    contents = read_contents(path)
    for ours, theirs in ((contents.point_data, points), (contents.cell_data, cells)):
        assert_same_arrays(ours, theirs)
    for name in ("types", "offsets", "connectivity"):
        np.testing.assert_array_equal(getattr(contents.mesh.cells, name), getattr(mixed_mesh.cells, name))
    for name in ("connectivity", "offsets", "cell_offsets"):
        np.testing.assert_array_equal(
            getattr(contents.mesh.cells.polyhedra, name), getattr(mixed_mesh.cells.polyhedra, name)
        )
    np.testing.assert_array_equal(contents.mesh.points, mixed_mesh.points)
    assert contents.time == 0.1
    assert contents.field_data["table"].tolist() == np.eye(3).tolist()
    assert contents.field_data["n"].dtype == np.int64


def test_vtk_reads_what_is_written(mixed_mesh, arrays, tmp_path):
    pytest.importorskip("vtkmodules", reason="VTK reads the file")
    path = tmp_path / "out.vtu"
    names = {"a <&\"'> π": np.arange(15.0)}
    write_vtu(path, mixed_mesh, arrays(27), {**arrays(15), **names}, {"TimeValue": 0.1})
    grid = read_with_vtk(path)
    assert_same_mesh(mixed_mesh, grid)
    for written, data in ((arrays(27), grid.GetPointData()), ({**arrays(15), **names}, grid.GetCellData())):
        read = vtk_arrays(data)
        assert list(read) == list(written)
        for name, array in written.items():
            assert read[name].dtype == array.dtype, name
            np.testing.assert_array_equal(read[name], array, err_msg=name)
    assert vtk_arrays(grid.GetFieldData())["TimeValue"].tolist() == [0.1]


def test_tensors_are_rows_of_nine_named_components(mixed_mesh, tmp_path):
    pytest.importorskip("vtkmodules", reason="VTK tells the names of components")
    tensors = np.arange(15 * 9.0).reshape(15, 3, 3)
    write_vtu(tmp_path / "out.vtu", mixed_mesh, cell_data={"L": tensors, "D": tensors.transpose(0, 2, 1)})
    data = read_with_vtk(tmp_path / "out.vtu").GetCellData()
    names = [data.GetArray("L").GetComponentName(i) for i in range(9)]
    assert " ".join(names) == "XX XY XZ YX YY YZ ZX ZY ZZ"
    np.testing.assert_array_equal(vtk_arrays(data)["L"], tensors.reshape(15, 9))
    np.testing.assert_array_equal(vtk_arrays(data)["D"][2], tensors[2].T.ravel())


@pytest.mark.parametrize(
    ("given", "stored"),
    [
        (np.array([True, False]), np.array([1, 0], np.uint8)),
        (np.array([1.5, 2], ">f8"), np.array([1.5, 2])),
        (np.array([1, 2], ">i4"), np.array([1, 2], np.int32)),
        (np.array([1.5, 2], np.float16), np.array([1.5, 2])),
        (np.array([1.5, 2], np.longdouble), np.array([1.5, 2])),
        (np.arange(8.0).reshape(2, 4)[:, ::2], np.array([[0.0, 2], [4, 6]])),
        (np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.arange(6.0).reshape(2, 3)),
        ([[1], [2]], np.array([1, 2])),
        ([1, 2], np.array([1, 2])),
    ],
)
def test_types_and_memory_orders(tmp_path, given, stored):
    write_vtu(tmp_path / "out.vtu", Mesh(np.zeros((2, 3)), Cells.empty()), {"a": given})
    read = read_contents(tmp_path / "out.vtu").point_data["a"]
    assert read.dtype == stored.dtype
    assert read.tolist() == stored.tolist()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros(3), "'a' has 3 rows but there are 2 points"),
        (np.zeros((2, 3, 3, 3)), "shape"),
        (np.zeros((2, 0)), "shape"),
        (np.array(["x", "y"]), "type"),
        (np.zeros(2, complex), "type complex128"),
    ],
)
def test_what_vtk_has_no_room_for_is_refused(tmp_path, values, message):
    with pytest.raises(OptionError, match=message):
        write_vtu(tmp_path / "out.vtu", Mesh(np.zeros((2, 3)), Cells.empty()), {"a": values})
    assert list(tmp_path.iterdir()) == []


def test_no_half_file_and_no_rest_of_one(mixed_mesh, tmp_path, monkeypatch):
    path = tmp_path / "out.vtu"
    write_vtu(path, mixed_mesh)
    before = path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("flowgrad.io.vtk_xml.write._write", full)
    with pytest.raises(FlowgradError, match=r"out\.vtu: cannot be written \(No space left on device\)"):
        write_vtu(path, mixed_mesh, {"x": np.zeros(27)})
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_folder_that_is_not_there(mixed_mesh, tmp_path):
    with pytest.raises(FlowgradError, match="No such file"):
        write_vtu(tmp_path / "none" / "out.vtu", mixed_mesh)


def test_large_point_numbers_become_int64(tmp_path, monkeypatch):
    monkeypatch.setattr("flowgrad.io.vtk_xml.write.np.iinfo", lambda _: type("limits", (), {"max": 1}))
    write_vtu(tmp_path / "out.vtu", Mesh(np.zeros((3, 3)), Cells.of_type(5, np.array([[0, 1, 2]]))))
    assert b'"Int64" Name="connectivity"' in (tmp_path / "out.vtu").read_bytes()
    assert read_contents(tmp_path / "out.vtu").mesh.cells.connectivity.tolist() == [0, 1, 2]


def test_face_streams_of_random_polyhedra_come_back():
    rng = np.random.default_rng(5)
    for _ in range(20):
        types = rng.choice(np.array([42, 12], np.uint8), 9)
        types[rng.integers(9)] = 42
        stream, ends = [], []
        for kind in types:
            if kind == 42:
                sizes = rng.integers(3, 7, rng.integers(1, 8))
                stream += [len(sizes), *(n for size in sizes for n in (size, *rng.integers(0, 99, size)))]
            ends.append(len(stream) if kind == 42 else -1)
        faces = from_stream(np.array(stream), np.array(ends), types)
        again, ends_again = to_stream(faces, types)
        assert again.tolist() == stream
        assert ends_again.tolist() == ends
