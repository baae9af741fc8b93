"""OpenFOAM's files in every form: ASCII, binary, compressed, decomposed and collated, of cells of every shape."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import numpy as np
import pytest

import flowgrad
from flowgrad import Mesh, ReadError, read
from flowgrad.cli import main
from flowgrad.io import read_contents, steps_of, write_vtu
from flowgrad.mesh.generate import block
from tests.io.test_openfoam_case import HEAD

A = np.array([[0.3, 1.0, 2.0], [-1.0, 0.5, 0.25], [0.0, 2.0, -0.8]])
BINARY = HEAD.replace("ascii", "binary").replace(
    "class {kind}", 'arch "LSB;label={label};scalar={scalar}";\n class {kind}'
)


class Writer:
    """Writes files in one format."""

    def __init__(self, binary: bool = False, label: int = 32, scalar: int = 64, packed: bool = False) -> None:
        self.binary, self.packed, self.about = binary, packed, {"label": label, "scalar": scalar}
        self.types = {"i": np.dtype(f"<i{label // 8}"), "f": np.dtype(f"<f{scalar // 8}")}

    def listed(self, values: np.ndarray) -> bytes:
        if self.binary:
            return b"%d\n(" % len(values) + values.astype(self.types[values.dtype.kind]).tobytes() + b")"
        rows = (str(row) if row.ndim == 0 else f"({' '.join(map(repr, row.tolist()))})" for row in values)
        return f"{len(values)}\n(\n{chr(10).join(rows)}\n)".encode()

    def head(self, kind: str, name: str) -> bytes:
        return (
            BINARY.format(kind=kind, name=name, **self.about) if self.binary else HEAD.format(kind=kind, name=name)
        ).encode()

    def file(self, path: Path, kind: str, data: bytes) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        data = self.head(kind, path.name) + data + b"\n"
        if self.packed:
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(data))
        else:
            path.write_bytes(data)

    def field(self, path: Path, kind: str, values: np.ndarray, patches: str) -> None:
        text = b"dimensions [0 1 -1 0 0 0 0];\ninternalField nonuniform List<%s>\n" % kind.encode()
        text += self.listed(values) + b";\nboundaryField\n{\n" + patches.encode() + b"\n}\n"
        self.file(path, f"vol{kind[0].upper()}{kind[1:]}Field", text)


def poly_mesh(case: Path, mesh: Mesh, writer: Writer, halved: bool = False) -> np.ndarray:
    """A mesh as OpenFOAM has it, all of its boundary one patch; the points of the boundary's faces' middles (n, 3)."""
    faces, seen = mesh.faces, {}
    for cell in range(len(mesh)):
        for face in range(faces.cell_offsets[cell], faces.cell_offsets[cell + 1]):
            corners = faces.connectivity[faces.offsets[face] : faces.offsets[face + 1]]
            seen.setdefault(tuple(sorted(corners.tolist())), []).append((cell, corners))
    inner = sorted((each for each in seen.values() if len(each) == 2), key=lambda each: (each[0][0], each[1][0]))
    outer = [each for each in seen.values() if len(each) == 1]
    # Where the block is cut in two it has its neighbour.
    cut = [each for each in outer if halved and np.ptp(mesh.points[each[0][1]][:, 0]) == 0 and each[0][1].size == 4]
    cut = [each for each in cut if mesh.points[each[0][1][0], 0] == 0.5]
    outer = [each for each in outer if not any(each is other for other in cut)] + cut
    all_faces = [each[0][1] for each in (*inner, *outer)]
    folder = case / "constant/polyMesh"
    writer.file(folder / "points", "vectorField", writer.listed(mesh.points))
    if writer.binary:
        offsets = np.concatenate([[0], np.cumsum([len(face) for face in all_faces])])
        data = writer.listed(offsets) + b"\n\n" + writer.listed(np.concatenate(all_faces))
        writer.file(folder / "faces", "faceCompactList", data)
    else:
        rows = "\n".join(f"{len(face)}({' '.join(map(str, face))})" for face in all_faces)
        writer.file(folder / "faces", "faceList", f"{len(all_faces)}\n(\n{rows}\n)".encode())
    writer.file(folder / "owner", "labelList", writer.listed(np.array([each[0][0] for each in (*inner, *outer)])))
    writer.file(folder / "neighbour", "labelList", writer.listed(np.array([each[1][0] for each in inner], int)))
    walls = len(outer) - len(cut)
    about = f"walls {{ type wall; inGroups 1(wall); nFaces {walls}; startFace {len(inner)}; }}\n"
    if halved:
        about += f"cut {{ type processor; nFaces {len(cut)}; startFace {len(inner) + walls}; }}\n"
    about = f"{1 + halved}\n(\n{about})"
    writer.file(folder / "boundary", "polyBoundaryMesh", about.encode())
    return np.array([mesh.points[each[0][1]].mean(axis=0) for each in outer[:walls]])


def case(folder: Path, mesh: Mesh, writer: Writer, time: str = "2", halved: bool = False) -> Path:
    """A case with a linear velocity in all of its forms."""
    middles = poly_mesh(folder, mesh, writer, halved)
    Writer().file(folder / "system/controlDict", "dictionary", b"application simpleFoam;\n")
    walls = b"walls { type fixedValue; value nonuniform List<vector> " + writer.listed(middles @ A.T) + b"; }"
    text = b"dimensions [0 1 -1 0 0 0 0];\ninternalField nonuniform List<vector>\n" + writer.listed(
        mesh.centroids @ A.T
    )
    writer.file(folder / time / "U", "volVectorField", text + b";\nboundaryField\n{\n" + walls + b"\n}\n")
    writer.field(folder / time / "nu", "scalar", mesh.centroids[:, 0], '".*" { type zeroGradient; }')
    writer.file(folder / time / "phi", "surfaceScalarField", b"dimensions [0 0 0 0 0 0 0]; internalField uniform 0;")
    return folder


def solid(shape: str, n: int) -> Mesh:
    """A cube of n³ hexahedra, or of other cells on their points; of pyramids six in one cube."""
    if shape != "pyramid":
        return block(shape, n + 1)
    cube = block("hexahedron", 2)
    sides = cube.faces.connectivity.reshape(6, 4)[:, ::-1]
    corners = np.column_stack([sides, np.full(6, 8)])
    return Mesh(np.append(cube.points, [[0.5, 0.5, 0.4]], axis=0), flowgrad.Cells.of_type(14, corners))


FORMS = {
    "ascii": Writer(),
    "binary": Writer(True),
    "binary, 64-bit labels": Writer(True, 64),
    "compressed": Writer(packed=True),
    "compressed binary": Writer(True, packed=True),
}
SHAPES = {"hexahedron": 12, "wedge": 13, "pyramid": 14, "tetra": 10}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_the_same_flow(tmp_path, form):
    mesh = solid("hexahedron", 3)
    flow = read(case(tmp_path / "case", mesh, FORMS[form]))
    assert (flow.time, flow.producer, flow.location) == (2, "OpenFOAM", "cells")
    np.testing.assert_array_equal(flow.mesh.points, mesh.points)
    np.testing.assert_array_equal(flow.velocity, mesh.centroids @ A.T)
    np.testing.assert_array_equal(flow.cell_data["nu"], mesh.centroids[:, 0])
    assert "phi" not in flow.cell_data
    assert [len(patch.faces) for patch in flow.boundary] == [54]
    np.testing.assert_allclose(flowgrad.velocity_gradient(flow).L, np.broadcast_to(A, (27, 3, 3)), atol=1e-12)


def test_single_precision(tmp_path):
    flow = read(case(tmp_path / "case", solid("hexahedron", 2), Writer(True, scalar=32)))
    np.testing.assert_allclose(flow.velocity, flow.mesh.centroids @ A.T, rtol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
def test_cells_have_their_shapes(tmp_path, shape):
    mesh = solid(shape, 2)
    found = read_contents(case(tmp_path / "case", mesh, Writer())).mesh
    assert set(found.cells.types.tolist()) == {SHAPES[shape]}
    np.testing.assert_allclose(found.measures, mesh.measures, rtol=1e-12)  # turned inside out they would be negative
    np.testing.assert_allclose(found.centroids, mesh.centroids, rtol=1e-12)


def test_other_cells_are_polyhedra(tmp_path):
    """A block of hexahedra of which one side of one has been cut into triangles."""
    mesh = solid("hexahedron", 2)
    folder = case(tmp_path / "case", mesh, Writer())
    file = folder / "constant/polyMesh/faces"
    head, _, rows = file.read_text().partition("(\n")
    lines = rows.splitlines()
    a, b, c, d = lines[-2][2:-1].split()
    split = [*lines[:-2], f"3({a} {b} {c})", f"3({a} {c} {d})", ")"]
    file.write_text(head.replace("36", "37") + "(\n" + "\n".join(split) + "\n")
    for name, last in (("owner", "repeat"), ("boundary", "count")):
        path = folder / "constant/polyMesh" / name
        text = path.read_text()
        if last == "repeat":
            rows = text.rstrip().splitlines()
            text = "\n".join([*rows[:-1], rows[-2], rows[-1]]).replace("36\n(", "37\n(") + "\n"
        else:
            text = text.replace("nFaces 24", "nFaces 25")
        path.write_text(text)
    found = read_contents(folder)
    assert found.mesh.type_counts() == {"hexahedron": 7, "polyhedron": 1}
    np.testing.assert_allclose(found.mesh.measures, mesh.measures, rtol=0.02)  # its side is folded now
    assert found.mesh.measures.sum() == pytest.approx(1, abs=0.01)
    # The values on the patch are those of another mesh now.
    assert "nu" in found.cell_data
    assert "U" not in found.cell_data


@pytest.mark.parametrize("shape", ["hexahedron", "wedge", "tetra"])
def test_vtks_reader_reads_the_same(tmp_path, shape):
    pytest.importorskip("vtkmodules", reason="VTK reads the case too")
    from vtkmodules.util.numpy_support import vtk_to_numpy
    from vtkmodules.vtkFiltersVerdict import vtkCellSizeFilter
    from vtkmodules.vtkIOGeometry import vtkOpenFOAMReader
    from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridReader

    folder = case(tmp_path / "case", solid(shape, 3), Writer())
    (folder / "case.foam").touch()
    reader = vtkOpenFOAMReader()
    reader.SetFileName(str(folder / "case.foam"))
    reader.SetCreateCellToPoint(False)
    reader.Update()
    theirs = reader.GetOutput().GetBlock(0)
    ours = read_contents(folder)
    np.testing.assert_allclose(vtk_to_numpy(theirs.GetCellData().GetArray("U")), ours.cell_data["U"], rtol=1e-6)
    sizes, written = vtkCellSizeFilter(), vtkXMLUnstructuredGridReader()
    write_vtu(tmp_path / "ours.vtu", ours.mesh, {}, {})
    written.SetFileName(str(tmp_path / "ours.vtu"))
    sizes.SetInputConnection(written.GetOutputPort())
    sizes.Update()
    volumes = vtk_to_numpy(sizes.GetOutput().GetCellData().GetArray("Volume"))
    np.testing.assert_allclose(volumes, ours.mesh.measures, rtol=1e-12)
    sizes.SetInputData(theirs)
    sizes.Update()
    # The prisms of VTK 9.7's reader have negative volumes.
    volumes = np.abs(vtk_to_numpy(sizes.GetOutput().GetCellData().GetArray("Volume")))
    np.testing.assert_allclose(volumes, ours.mesh.measures, rtol=1e-5)


def decomposed(folder: Path) -> np.ndarray:
    """Two halves of a block as processors; the centroids of all, one half after the other."""
    whole = block("hexahedron", 3, jitter=0)
    Writer().file(folder / "system/controlDict", "dictionary", b"application simpleFoam;\n")
    (folder / "constant").mkdir()
    centroids = []
    for number in (0, 1):
        chosen = np.flatnonzero((whole.centroids[:, 0] > 0.5) == number)
        cells = whole.cells.take(chosen)
        used, inverse = np.unique(cells.connectivity, return_inverse=True)
        half = Mesh(whole.points[used], flowgrad.Cells(cells.types, cells.offsets, inverse.reshape(-1)))
        case(folder / f"processor{number}", half, Writer(), halved=True)
        Writer().file(
            folder / f"processor{number}/constant/polyMesh/pointProcAddressing", "labelList", Writer().listed(used)
        )
        centroids.append(half.centroids)
    return np.concatenate(centroids)


def collated(folder: Path) -> None:
    """The files of the processors put together as the collated file handler does."""
    for file in sorted((folder / "processor0").rglob("*")):
        if file.is_file():
            name = file.relative_to(folder / "processor0")
            blocks = [(folder / f"processor{number}" / name).read_bytes() for number in (0, 1)]
            blocks[1] = blocks[1][blocks[1].index(b"}") + 1 :]  # only the first has a header
            parts = b"".join(
                b"// Processor%d\n\n%d\n(%s)\n\n" % (number, len(block), block) for number, block in enumerate(blocks)
            )
            Writer(True).file(folder / "processors2" / name, "decomposedBlockData", b"\n" + parts)
    for number in (0, 1):
        shutil.rmtree(folder / f"processor{number}")


@pytest.mark.parametrize("together", [False, True])
def test_decomposed_and_collated_cases(tmp_path, together, caplog):
    folder = tmp_path / "case"
    centroids = decomposed(folder)
    # What decomposePar leaves at the top: start values, and the whole mesh.
    case(folder, block("hexahedron", 3, jitter=0), Writer(), time="0")
    if together:
        collated(folder)
    with caplog.at_level("INFO", "flowgrad"):
        flow = read(folder)
    assert "its newest time, 2, is in its processors only" in caplog.text
    assert flow.time == 2
    assert flow.mesh.point_count == 27
    np.testing.assert_array_equal(flow.velocity, centroids @ A.T)
    np.testing.assert_allclose(flowgrad.velocity_gradient(flow).L, np.broadcast_to(A, (8, 3, 3)), atol=1e-12)
    assert read(folder, time=0).time == 0
    assert len(flowgrad.read_series(folder)) == 1


def test_a_folder_is_an_input_of_the_command(tmp_path):
    folder = case(tmp_path / "case", solid("hexahedron", 2), Writer())
    out = tmp_path / "out"
    assert main(["run", str(folder), "-o", str(out), "--no-report"]) == 0
    assert (out / "case.vtu").is_file()
    before = (out / "case.json").stat().st_mtime_ns
    assert main(["run", str(folder), "-o", str(out), "--no-report"]) == 0
    assert (out / "case.json").stat().st_mtime_ns == before
    shutil.copytree(folder / "2", folder / "3")
    assert main(["run", str(folder), "-o", str(out), "--no-report"]) == 0
    assert (out / "case.json").stat().st_mtime_ns != before
    assert [step.time for step in steps_of(folder)] == [2, 3]


def test_the_digest_is_of_what_was_read(tmp_path):
    from flowgrad.pipeline.summary import digest_of_input

    folder = case(tmp_path / "case", solid("hexahedron", 2), Writer())
    before = digest_of_input(folder)
    assert len(before) == 64
    file = folder / "2/U"
    file.write_bytes(file.read_bytes().replace(b"0.3", b"0.4", 1))
    assert digest_of_input(folder) != before


def test_moving_meshes(tmp_path):
    """The newest points up to the time, with the faces that there are."""
    folder = case(tmp_path / "case", solid("hexahedron", 2), Writer())
    points = solid("hexahedron", 2).points
    Writer().file(folder / "2/polyMesh/points", "vectorField", Writer().listed(points * [1, 2, 1]))
    shutil.copytree(folder / "2", folder / "1")
    Writer().file(folder / "1/polyMesh/points", "vectorField", Writer().listed(points * [1, 3, 1]))
    assert np.ptp(read(folder).mesh.points[:, 1]) == 2
    assert np.ptp(read(folder, time=1).mesh.points[:, 1]) == 3


def test_regions_are_named(tmp_path, refused):
    folder = case(tmp_path / "case", solid("hexahedron", 2), Writer())
    (folder / "constant/polyMesh").rename(folder / "constant/moved")
    (folder / "constant/solid").mkdir()
    (folder / "constant/moved").rename(folder / "constant/solid/polyMesh")
    with refused(folder, "regions solid"):
        read_contents(folder)


def test_a_field_that_cannot_be_read_is_named_and_left_out(tmp_path, caplog):
    folder = case(tmp_path / "case", solid("hexahedron", 2), Writer())
    file = folder / "2/nu"
    file.write_bytes(file.read_bytes().replace(b"8\n(", b"9\n("))
    found = read_contents(folder)
    assert "nu" not in found.cell_data
    assert "U" in found.cell_data
    assert "nu (has 8 numbers for 9 scalars" in caplog.text


@pytest.mark.parametrize("binary", [False, True])
def test_cut_and_changed_files_are_never_silently_other_meshes(tmp_path, binary):
    """What a count tells is refused: files cut anywhere, and counts changed."""
    folder = case(tmp_path / "case", solid("hexahedron", 2), Writer(binary))
    whole = read_contents(folder)
    for name in ("constant/polyMesh/points", "constant/polyMesh/faces", "constant/polyMesh/owner", "2/U"):
        file = folder / name
        data = file.read_bytes()
        for cut in np.linspace(1, len(data) - 3, 25).astype(int):
            file.write_bytes(data[:cut])
            try:
                found = read_contents(folder)
            except ReadError:
                continue
            assert (name, "U" in found.cell_data) == ("2/U", False)
        file.write_bytes(data)
    np.testing.assert_array_equal(read_contents(folder).cell_data["U"], whole.cell_data["U"])
