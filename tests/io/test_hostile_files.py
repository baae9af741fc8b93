"""Files that are unlucky or meant to harm: each refused in one line, and a run of them beside good ones goes on."""

from __future__ import annotations

import gzip
import io
import json
import lzma
import os
import time
from pathlib import Path

import numpy as np
import pytest

from flowgrad import read
from flowgrad.cli import main
from flowgrad.files import CONTROLS
from flowgrad.io import read_contents, write_vtu
from tests import meshes
from tests.io.damage import limits
from tests.io.small_files import MAKERS
from tests.io.test_vtu import array


def vtu(**changes: str) -> str:
    """One tetrahedron; ``changes`` replace one of its texts."""
    parts = {
        "points": "0 0 0 1 0 0 0 1 0 0 0 1",
        "connectivity": "0 1 2 3",
        "offsets": "4",
        "types": "10",
        "velocity": '<DataArray type="Float64" Name="U" NumberOfComponents="3" format="ascii">'
        "1 0 0 0 1 0 0 0 1 1 1 1</DataArray>",
        "counts": 'NumberOfPoints="4" NumberOfCells="1"',
        **changes,
    }
    cells = "".join(array(name, parts[name], "Int64") for name in ("connectivity", "offsets", "types"))
    return (
        '<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian"><UnstructuredGrid>'
        f"<Piece {parts['counts']}><PointData>{parts['velocity']}</PointData><Points>"
        f'<DataArray type="Float64" NumberOfComponents="3" format="ascii">{parts["points"]}</DataArray></Points>'
        f"<Cells>{cells}</Cells></Piece></UnstructuredGrid></VTKFile>"
    )


def collection(kind: str, entries: str, attributes: str = "") -> str:
    return f'<VTKFile type="{kind}" version="1.0"><{kind} {attributes}>{entries}</{kind}></VTKFile>'


def npz(**arrays: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def named(text: str) -> str:
    return vtu(velocity=vtu().split("<PointData>")[1].split("</PointData>")[0].replace('"U"', f'"{text}"'))


BLOCKS, PIECES, TIMES = "vtkMultiBlockDataSet", "PUnstructuredGrid", "Collection"
ZONE = 'VARIABLES="x","y","u","v"\nZONE I={0}\n1 2 3 4\n1 3 3 4\n'
GMSH = "$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$Nodes\n{0}$EndNodes\n$Elements\n1\n1 15 2 0 0 1\n$EndElements\n"
FILES: dict[str, tuple[str | bytes, str]] = {
    "deep.vtu": ("<a>" * 10**5, "in one another to the depth 101"),
    "none.vtu": (vtu(counts='NumberOfPoints="4" Numbe2OfCells="1"'), "<Piece> has no NumberOfCells"),
    "text.vtu": (vtu().replace("<DataArray", "9DataArray", 1), "has the text '9DataArray|not well-formed"),
    "tag.vtu": (vtu().replace("PointData", "PointDbta"), "<PointDbta>"),
    "array.vtu": (vtu(velocity='<HataArray Name="U" format="ascii"/>'), "<HataArray>"),
    "components.vtu": (vtu().replace('"3"', '"1000000000"', 1), "instead of 4000000000"),
    "line.vtu": (named("U&#10;x"), r"has the name 'U\\nx', which cannot be written"),
    "escape.vtu": (named("U&#x9b;31m"), r"has the name 'U\\x9b31m', which cannot be written"),
    "latin.vtu": (vtu().replace('"U"', '"Ü"').encode("latin-1"), "not well-formed"),
    "utf32.vtu": (vtu().encode("utf-32"), "not well-formed"),
    "zeros.vtu": (bytes(1000), "not well-formed"),
    "zeros.csv": (bytes(1000), "has a byte 0"),
    "zeros.npz": (bytes(1000), "not a zip file"),
    "zeros.ele": (bytes(1000), "declares no number of rows"),
    "zeros.cas": (bytes(1000), "brackets that do not match"),
    "zeros.vtu.gz": (bytes(1000), "cannot be expanded"),
    "zeros.vtu.xz": (bytes(1000), "cannot be expanded"),
    "bomb.vtu.gz": (gzip.compress(bytes(80 << 20)), "expands to more than 64 MiB"),
    "bomb.csv.xz": (lzma.compress(bytes(80 << 20), preset=0), "expands to more than 64 MiB"),
    "itself.pvd": (collection(TIMES, '<DataSet timestep="0" file="itself.pvd"/>'), "names the collection"),
    "elsewhere.pvd": (collection(TIMES, '<DataSet timestep="0" file="/etc/passwd"/>'), "not in its folder"),
    "twice.pvd": (collection(TIMES, '<DataSet timestep="0" file="good.vtu"/>' * 9), "names the file 'good.vtu' twice"),
    "some.pvd": (
        collection(TIMES, '<DataSet timestep="0" file="good.vtu"/><DataSet ti8estep="1" file="good.vtu"/>'),
        "has 2 files, of which 1 have a timestep",
    ),
    "itself.pvtu": (collection(PIECES, '<Piece Source="itself.pvtu"/>'), "holds 'PUnstructuredGrid'"),
    "elsewhere.pvtu": (collection(PIECES, '<Piece Source="../../etc/passwd"/>'), "not in its folder"),
    "twice.pvtu": (collection(PIECES, '<Piece Source="good.vtu"/>' * 9), "names the file 'good.vtu' twice"),
    "tag.pvtu": (collection(PIECES, '<Piece Source="good.vtu"/><Pi2ce Source="l.vtu"/>'), "<Pi2ce>"),
    "itself.vtm": (collection(BLOCKS, '<DataSet file="itself.vtm"/>'), "itself.vtm.*not one of .vtu"),
    "attribute.vtm": (collection(BLOCKS, '<DataSet name="a" fi2e="good.vtu"/>'), "fi2e"),
    "itself.series": (json.dumps({"files": [{"name": "itself.series", "time": 0}]}), "names the collection"),
    "digits.series": ('{"files": [{"name": "good.vtu", "time": ' + "9" * 10**4 + "}]}", "is not JSON of the form"),
    "large.vti": (
        collection("ImageData", f'<Piece Extent="{"0 2000000000 " * 3}"/>', f'WholeExtent="{"0 2000000000 " * 3}"'),
        "no array, so that the extent cannot be right",
    ),
    "long.csv": ("x,y,u,v\n" + "1" * 10**6 + ",2,3,4\n", "a line of 1000006 characters"),
    "wide.csv": (",".join(f"c{i}" for i in range(5000)) + "\n" + "1," * 4999 + "1\n", "c19 and 4980 more"),
    "first.csv": ("x,y,u,v,p\n1,2,3,4,gone\n1,3,3,4,5\n", "text in the first row of 'p' and numbers below"),
    "head.csv": ("x,3,u,v\n1,2,3,4\n1,3,3,4\n", "numbers among the names of its columns, x, 3, u, v"),
    "digits.dat": (ZONE.format("9" * 5000), "a count of 5000 digits"),
    "time.dat": (ZONE.format("2, SOLUTIONTIME=1.2.3"), "has the time '1.2.3'"),
    "rows.dat": (ZONE.format("10000000000, J=10000000000"), "points but has 2"),
    "davis.txt": ('#DaVis 8.4 2D-vector 8 3 4 "" "mm"\n1 2 3 4\n2 2 3 4\n', "declares 12 vectors in a plane but has 2"),
    "digits.vtk": ("# vtk DataFile Version 3.0\nt\nASCII\nDATASET X\nPOINTS " + "9" * 5000 + "\n", "of 5000 digits"),
    "field.vtk": (
        "# vtk DataFile Version 3.0\nt\nBINARY\nDATASET UNSTRUCTURED_GRID\nFIELD F 1\nT 9 999999999 double\n",
        "field data 'T' are not 8999999991 numbers",
    ),
    "open.msh": (GMSH.replace("$EndElements", "$EndElement").format("0\n"), r"no end of \$Elements"),
    "corners.msh": (
        GMSH.format("0\n") + "$ElementNodeData\n$EndElementNodeData\n",
        "where a number of rows should stand",
    ),
    "rows.msh": (GMSH.format("9" * 17 + "\n"), "declares 9{17} rows more than there are"),
    "none.npz": (npz(x=np.zeros(0), y=np.zeros(0), u=np.zeros(0), v=np.zeros(0)), r"shape \(0,\)"),
    "objects.npz": (npz(x=np.array([{}], object), y=np.zeros(1)), "holds Python objects"),
    "rows.ele": ("2 4 0\n1 1 2 3 4\n", "'rows.ele' declares 2 of rows and has 1"),
    "model.mdpa": ("Begin Nodes\n1 0 0 0\n", "is Kratos' model"),
    "elsewhere.case": ("FORMAT\ntype: ensight gold\nGEOMETRY\nmodel: /etc/passwd\n", "not in its folder"),
    "bracket.cas": ('(0 "a")\n(10 (0 1 c 0 3)\n', "brackets that do not match"),
    "classic.nc": (b"CDF\x01" + bytes(10), "ends inside its header"),
}


def put(folder: Path, name: str) -> Path:
    content = FILES[name][0]
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return folder / name


def good(path: Path) -> Path:
    mesh = meshes.SOLIDS["tetra"]
    write_vtu(path, mesh, {"U": mesh.points[:, [1, 2, 0]]})
    return path


@pytest.mark.parametrize("name", FILES)
def test_each_is_refused_by_its_reason(tmp_path, refused, name):
    good(tmp_path / "good.vtu")
    path, begin = put(tmp_path, name), time.process_time()
    with limits(), refused(path, FILES[name][1]):
        read(path)
    assert time.process_time() - begin < 5


def test_the_file_that_the_others_are_made_of(tmp_path):
    (tmp_path / "a.vtu").write_text(vtu())
    assert len(read(tmp_path / "a.vtu").mesh) == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_names_of_any_language(tmp_path, encoding):
    (tmp_path / "a.vtu").write_bytes(named("Gefälle – 速度").encode(encoding))
    assert list(read_contents(tmp_path / "a.vtu").point_data) == ["Gefälle – 速度"]


@pytest.mark.parametrize("suffix", [".nc", ".e"])
def test_hdf5_that_declares_45_gib(tmp_path, refused, suffix):
    """In chunks that were never written, which take no room in the file."""
    h5py = pytest.importorskip("h5py", reason="writes the file")
    pytest.importorskip("netCDF4", reason="reads the file")
    with h5py.File(tmp_path / f"a{suffix}", "w") as file:
        file.create_dataset("u", (2 * 10**9, 3), "f8", chunks=(1000, 3))
    with limits(), refused(tmp_path / f"a{suffix}", "'u' declares 48000000000 bytes in a file of"):
        read(tmp_path / f"a{suffix}")


def test_vtkhdf_that_declares_45_gib(tmp_path, refused):
    h5py = pytest.importorskip("h5py", reason="writes the file")
    pytest.importorskip("vtkmodules", reason="reads the file")
    path = MAKERS["a.vtkhdf"](tmp_path)[0]
    with h5py.File(path, "a") as file:
        group = file["VTKHDF"]
        del group["Points"]
        group.create_dataset("Points", (2 * 10**9, 3), "f8", chunks=(1000, 3))
        group["NumberOfPoints"][0] = 2 * 10**9
    with limits(), refused(path, "VTK|takes more than"):
        read(path)


def test_xdmf_that_declares_45_gib(tmp_path, refused, monkeypatch):
    h5py = pytest.importorskip("h5py", reason="writes the file")
    monkeypatch.chdir(tmp_path)
    path = MAKERS["a.xdmf"](tmp_path)[0]
    with h5py.File(tmp_path / "a.h5", "a") as file:
        del file["data0"]
        file.create_dataset("data0", (2 * 10**9, 3), "f8", chunks=(1000, 3))
    with limits(), refused(path, "takes more than 1024 MiB, in a file of|meshio"):
        read(path)


def test_a_run_with_all_of_them_does_the_good_ones(tmp_path, capfd):
    """And links, pipes, folders and names that would spoil the list; each is told in one line."""
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    quick = [name for name in FILES if name.endswith((".vtu", ".csv", ".pvd", ".pvtu", ".series", ".npz"))]
    bad = [put(folder, name) for name in quick]
    (folder / "empty.vtu").touch()
    (folder / "zero.vtu").symlink_to("/dev/zero")
    (folder / "dangling.vtu").symlink_to("nothing.vtu")
    (folder / "folder.vtu").mkdir()
    os.mkfifo(folder / "pipe.vtu")
    odd = folder / "two\nlines \x1b[31m.vtu"
    odd.write_text("no file")
    bad += [folder / f"{name}.vtu" for name in ("empty", "zero", "dangling", "folder", "pipe")] + [odd]
    fine = [good(folder / f"{name}.vtu") for name in ("good", "better")]
    code = main(["run", *map(str, (*bad, *fine)), "-o", str(out), "--no-report", "--jobs", "1", "-q"])
    printed = capfd.readouterr()
    assert code == 1
    assert sorted(file.name.split("-")[0].split(".")[0] for file in out.glob("*.vtu")) == ["better", "good"]
    lines = printed.err.splitlines()
    for path in bad:
        assert sum(CONTROLS.sub("?", path.name) in line.split(": FAILED")[0] for line in lines) == 1, path.name
    assert "Traceback" not in printed.err
    assert "\x1b" not in printed.err + printed.out
    # One line each, and one that counts them.
    assert len(lines) <= len(bad) + 1
