from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from flowgrad.io import read_contents
from flowgrad.io.meshio_formats import SUFFIXES, TYPES, read_with_meshio
from tests.io.vtk_twin import attach_arrays

POINTS = [[0.0, 0], [1, 0], [1, 1], [0, 1], [2, 0], [2, 1]]


def test_suffixes_and_types_are_meshios():
    meshio = pytest.importorskip("meshio")
    from meshio._vtk_common import meshio_to_vtk_type

    assert set(SUFFIXES) <= set(meshio.extension_to_filetypes)
    # VTK has no quadratic pyramid of 14 points but the Lagrange one.
    own = {"pyramid14": 74, "wedge6": 13}
    assert {name: meshio_to_vtk_type[name] for name in TYPES if name not in own} | own == TYPES


def test_mesh_of_two_types(tmp_path):
    import meshio

    u = np.arange(18.0).reshape(6, 3)
    mesh = meshio.Mesh(
        np.column_stack([POINTS, np.zeros(6)]),
        [("triangle", [[0, 1, 2], [0, 2, 3]]), ("quad", [[1, 4, 5, 2]])],
        point_data={"U": u, "one": np.ones((6, 1))},
        cell_data={"id": [[7, 8], [9]], "L": [np.ones((2, 9)), np.full((1, 9), 3.0)]},
    )
    meshio.write(tmp_path / "flat.msh", mesh, file_format="gmsh22", binary=True)
    contents = read_contents(tmp_path / "flat.msh")
    assert contents.mesh.cells.types.tolist() == [5, 5, 9]
    assert contents.mesh.cells.connectivity.tolist() == [0, 1, 2, 0, 2, 3, 1, 4, 5, 2]
    np.testing.assert_array_equal(contents.point_data["U"], u)
    assert contents.point_data["one"].shape == (6,)
    assert contents.cell_data["id"].tolist() == [7, 8, 9]
    assert contents.cell_data["L"].tolist() == [[1] * 9, [1] * 9, [3] * 9]


@pytest.mark.parametrize("version", [42, 51])
@pytest.mark.parametrize("binary", [True, False])
def test_legacy_vtk_as_vtk_wrote_it(vtk_grid, arrays, tmp_path, version, binary):
    from vtkmodules.vtkCommonDataModel import vtkUnstructuredGrid
    from vtkmodules.vtkIOLegacy import vtkUnstructuredGridWriter

    grid = vtkUnstructuredGrid()
    grid.SetPoints(vtk_grid.GetPoints())
    cells = [(12, (0, 1, 4, 3, 9, 10, 13, 12)), (13, (3, 4, 6, 12, 13, 15)), (14, (4, 5, 8, 7, 13)), (5, (0, 1, 3))]
    for kind, points in cells:
        grid.InsertNextCell(kind, len(points), points)
    attach_arrays(grid, lambda count: {"U": arrays(count)["U"], "p": arrays(count)["U"][:, 0]} if count > 4 else {})
    writer = vtkUnstructuredGridWriter()
    writer.SetInputData(grid)
    writer.SetFileVersion(version)
    getattr(writer, f"SetFileTypeTo{'Binary' if binary else 'ASCII'}")()
    writer.SetFileName(str(tmp_path / "grid.vtk"))
    writer.Write()
    contents = read_contents(tmp_path / "grid.vtk")
    assert contents.mesh.cells.types.tolist() == [kind for kind, _ in cells]
    assert contents.mesh.cells.connectivity.tolist() == [*itertools.chain(*(points for _, points in cells))]
    np.testing.assert_allclose(contents.point_data["U"], arrays(27)["U"], rtol=1e-5)
    np.testing.assert_allclose(contents.point_data["p"], arrays(27)["U"][:, 0], rtol=1e-5)
    assert contents.time == 0.1
    assert contents.field_data["table"].tolist() == [[0, 1, 2], [3, 4, 5]]


LEGACY = """# vtk DataFile Version 3.0
title
ASCII
DATASET UNSTRUCTURED_GRID
{field}POINTS 4 double
0 0 0 1 0 0 1 1 0 0 1 0
CELLS {cells}
CELL_TYPES {types}
CELL_DATA 2
VECTORS U double
1 2 3 4 5 6
"""
TRIANGLES = {"cells": "2 8\n3 0 1 2\n3 0 2 3", "types": "2\n5\n5", "field": ""}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cells": "2 8\n3 0 1 2\n3 0 2 4"}, "point 4"),
        ({"cells": "2 8\n3 0 1 2\n3 0 2 3", "types": "2\n5\n22"}, "meshio cannot read it"),
        ({"cells": "1 7\n6 0 1 2 3 0 1", "types": "1\n22"}, "meshio cannot read it|order that is not known"),
        ({"field": "FIELD FieldData 1\nTimeValue 1 2 float\n1 x\n"}, "meshio cannot read it|not 2 numbers"),
        ({"field": "NONSENSE\n"}, "meshio cannot read it"),
    ],
)
def test_legacy_files_that_meshio_reads_badly(refused, tmp_path, changes, message):
    (tmp_path / "a.vtk").write_text(LEGACY.format(**{**TRIANGLES, **changes}))
    with refused(tmp_path / "a.vtk", message):
        read_contents(tmp_path / "a.vtk")


# What meshio may do, in the place of meshio.
FAKES = {
    "import os\nos.abort()": "meshio crashed with SIGABRT",
    "import os\nprint('half a word', flush=True)\nos._exit(3)": r"ended with exit code 3 \(half a word\)",
    "import sys\nprint('line one')\nprint('line two')\nsys.exit(1)": r"cannot read it \(line one line two\)",
    "raise SystemExit": "meshio cannot read it",
    "raise ImportError('no netCDF4')": r"cannot read it \(ImportError: no netCDF4\)",
    "raise ValueError('first\\nsecond')": r"cannot read it \(ValueError: first second\)",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "import time\ntime.sleep(60)": "did not finish in 1 s",
    "def read(path): return None": "AttributeError",
}
FAKE_MESH = """
import numpy as np
from types import SimpleNamespace as Names
print("noise on the output")
def read(path):
    blocks = [Names(type={kind!r}, data={data})]
    return Names(points={points}, cells=blocks, point_data={point_data}, cell_data={{}}, field_data={{"a": "text"}})
"""
GOOD = {"kind": "triangle", "data": "[[0, 1, 2]]", "points": "np.eye(3)", "point_data": "{}"}


@pytest.fixture
def with_fake(tmp_path, monkeypatch):
    def read(code: str, name: str = "case.msh", content: str = "x"):
        (tmp_path / "meshio.py").write_text(code)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        (tmp_path / name).write_text(content)
        if name.endswith(".vtk"):
            return read_contents(tmp_path / name)
        return read_with_meshio(tmp_path / name, timeout=1 if "sleep" in code else 60)

    return read


@pytest.mark.parametrize(("code", "message"), FAKES.items())
def test_whatever_meshio_does_is_one_line(with_fake, refused, tmp_path, code, message):
    with refused(tmp_path / "case.msh", f"{message}.*: convert the file to .vtu$"):
        with_fake(code)


def test_prints_do_not_spoil_the_answer(with_fake, caplog):
    contents = with_fake(FAKE_MESH.format(**GOOD))
    assert contents.mesh.cells.connectivity.tolist() == [0, 1, 2]
    assert any("noise on the output" in message for message in caplog.messages)
    assert contents.field_data == {}


def test_planar_points_and_shapes_of_arrays(with_fake):
    data = "{'a': np.ones((3, 1), bool), 'L': np.arange(27).reshape(3, 3, 3), 'x': np.array(['t'] * 3)}"
    contents = with_fake(FAKE_MESH.format(**{**GOOD, "points": "[[0, 0], [1, 0], [1, 2]]", "point_data": data}))
    assert contents.mesh.points.tolist() == [[0, 0, 0], [1, 0, 0], [1, 2, 0]]
    assert contents.point_data["a"].tolist() == [1, 1, 1]
    assert contents.point_data["L"].tolist() == np.arange(27).reshape(3, 9).tolist()
    assert contents.point_data["L"].dtype == np.int64
    assert list(contents.point_data) == ["a", "L"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kind": "polyhedron4", "data": "[[[0, 1, 2], [0, 1]]] * 7"}, "7 of the type polyhedron4"),
        ({"kind": "hexahedron64", "data": "[list(range(27))]"}, "1 of the type hexahedron64"),
        ({"kind": "wedge", "data": "[[0, 1, 2]]"}, "1 of the type wedge"),
        ({"data": "[[0, 1, 2, 0]]"}, "triangle with 4 points"),
        ({"points": "np.zeros((3, 1))"}, r"points have the shape \(3, 1\)"),
        ({"points": "np.zeros(3)"}, r"shape \(3,\)"),
        ({"point_data": "{'U': np.zeros((2, 3))}"}, r"gives \(2, 3\) values of 'U' for 3 points"),
    ],
)
def test_answers_that_make_no_mesh(with_fake, refused, tmp_path, changes, message):
    with refused(tmp_path / "case.msh", message):
        with_fake(FAKE_MESH.format(**{**GOOD, **changes}))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("POINTS 4 float", "declares 4 points but 3 were read"),
        ("CELL_TYPES 2", "declares 2 cells but 1 were read"),
        ("DIMENSIONS 3 1 1", "declares 2 cells but 1 were read"),
        ("POINT_DATA 3\nSCALARS p float", "declares 'p' in POINT_DATA"),
        ("CELL_DATA 3\nFIELD FieldData 1\nsigma 6 1 double\n", "declares 'sigma' in CELL_DATA"),
    ],
)
def test_what_meshio_leaves_out_is_noticed(with_fake, refused, tmp_path, line, message):
    with refused(tmp_path / "case.vtk", message):
        with_fake(FAKE_MESH.format(**GOOD), "case.vtk", f"# vtk DataFile Version 3.0\nt\nASCII\n{line}\n")


def test_files_of_the_user_are_not_imported(tmp_path, monkeypatch):
    (tmp_path / "pickle.py").write_text("raise RuntimeError('imported from the current directory')")
    (tmp_path / "a.vtk").write_text(LEGACY.format(**TRIANGLES))
    monkeypatch.chdir(tmp_path)
    assert read_with_meshio(Path("a.vtk")).cell_data["U"].tolist() == [[1, 2, 3], [4, 5, 6]]


def test_a_library_gets_no_more_memory_than_its_file_can_need(with_fake, refused, tmp_path):
    with refused(tmp_path / "case.msh", "declares what takes more than 1024 MiB, in a file of 1 bytes"):
        with_fake("import numpy as np\ndef read(path): return np.ones(200_000_000)")
