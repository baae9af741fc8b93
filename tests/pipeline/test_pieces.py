"""Meshes in pieces, one at a time: the same gradients as of the whole, on the boundaries between them too."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from flowgrad import Cells, Mesh, OptionError, Options, read
from flowgrad.cli import main
from flowgrad.io import Contents, read_contents, write_vtu
from flowgrad.io.ghosts import selected
from flowgrad.io.pieces import without_ghosts
from flowgrad.mesh import CellFaces
from flowgrad.mesh.generate import block
from flowgrad.pipeline.analysis import analyse_flow
from flowgrad.pipeline.out_of_core import run_in_blocks
from flowgrad.pipeline.out_of_core.overlap import surroundings
from flowgrad.pipeline.out_of_core.piece_files import PieceFiles
from tests.io import test_parallel

NAMES = ("L", "shear_rate", "lambda2", "helicity")


def polyhedra(n: int) -> Mesh:
    """Hexahedra written as polyhedra."""
    mesh = block("hexahedron", n)
    faces, cells = mesh.faces, mesh.cells
    types = np.full(len(mesh), 42, np.uint8)
    own = CellFaces(faces.connectivity, faces.offsets, faces.cell_offsets)
    return Mesh(mesh.points, Cells(types, cells.offsets, cells.connectivity, own))


MESHES = {
    "tetra": lambda: block("tetra", 5),
    "hexahedron": lambda: block("hexahedron", 7),
    "polyhedra": lambda: polyhedra(6),
}


def cut(folder: Path, mesh: Mesh, owner: np.ndarray, numbered: bool = False) -> Path:
    """A mesh in pieces, and as a whole with the numbers of its points and cells, ``whole.vtu``."""
    rng = np.random.default_rng(0)
    point_data = {"v": rng.normal(size=(len(mesh.points), 3)), "id": np.arange(len(mesh.points))}
    cell_data = {"U": rng.normal(size=(len(mesh), 3)), "cell": np.arange(len(mesh))}
    whole = Contents(mesh, folder / "whole.vtu", point_data, cell_data)
    write_vtu(folder / "whole.vtu", mesh, point_data, cell_data)
    names = []
    for piece in range(int(owner.max()) + 1):
        chosen = owner == piece
        used = np.zeros(len(mesh.points), bool)
        used[mesh.cells.connectivity[np.repeat(chosen, np.diff(mesh.cells.offsets))]] = True
        part = selected(whole, used, chosen)
        names.append(f"piece_{piece}.vtu")
        data = {**part.point_data, **({"GlobalPointIds": part.point_data["id"]} if numbered else {})}
        write_vtu(folder / names[-1], part.mesh, data, part.cell_data, {"TimeValue": 0.5})
    kind = "PUnstructuredGrid"
    files = "".join(f'<Piece Source="{name}"/>' for name in names)
    head = f'<VTKFile type="{kind}" version="0.1" byte_order="LittleEndian">'
    text = f'{head}<{kind} GhostLevel="0">{files}</{kind}></VTKFile>'
    (folder / "a.pvtu").write_text(text)
    return folder / "a.pvtu"


def octants(mesh: Mesh) -> np.ndarray:
    """Eight pieces whose boundaries are no planes."""
    return (mesh.centroids + 0.1 * np.sin(20 * mesh.centroids[:, ::-1]) > 0.5) @ [1, 2, 4]


def compare(path: Path, folder: Path, mesh: Mesh, **options) -> dict:
    """The pieces' results against those of the whole file, and points of several pieces against each other."""
    given = Options(**{"quantities": NAMES, **options, "block_memory": "1K"})
    found = run_in_blocks(path, folder / "out", given)
    assert found is not None
    flow = read(folder / "whole.vtu", given.velocity, length_scale=given.length_scale)
    whole = analyse_flow(dataclasses.replace(flow, axisymmetric=given.axisymmetric), given)
    gradient, at = whole.gradient, whole.gradient.location
    seen: dict[int, np.ndarray] = {}
    for number in range(8):
        result = read_contents(folder / "out_pieces" / f"{number}.vtu")
        piece = without_ghosts(read_contents(folder / f"piece_{number}.vtu"))
        data = result.point_data if at == "points" else result.cell_data
        ids = (piece.point_data["id"] if at == "points" else piece.cell_data["cell"]).astype(int)
        np.testing.assert_array_equal(data["valid"], gradient.valid[ids])
        for name in given.quantities:
            due = gradient[name].reshape(len(gradient), -1)[ids]
            # The rounding of λ2 is that of the tensor D² + W² whose eigenvalue it is.
            whole_of = np.square(gradient.L).sum(axis=(1, 2)) if name == "lambda2" else np.abs(gradient[name])
            atol = 1e-12 * np.nanmax(whole_of)
            np.testing.assert_allclose(data[name].reshape(due.shape), due, rtol=0, atol=atol, err_msg=name)
        for one, L in zip(ids if at == "points" else [], data.get("L", []), strict=False):
            np.testing.assert_array_equal(L, seen.setdefault(int(one), L))
    whole_summary, ours = whole.summary(), found.summary
    for name in ("scheme", "reason", "at", "count", "excluded"):
        assert ours["gradient"][name] == whole_summary["gradient"][name], name
    assert ours["velocity"] == whole_summary["velocity"]
    for name in ("points", "cells", "types"):
        assert ours["mesh"][name] == whole_summary["mesh"][name]
    assert ours["mesh"]["measure"] == pytest.approx(whole_summary["mesh"]["measure"], rel=1e-12)
    for name, due in whole_summary["statistics"].items():
        for each in ("minimum", "maximum", "mean"):
            assert ours["statistics"][name][each] == pytest.approx(
                due[each], rel=1e-11, abs=1e-11 * abs(due["maximum"])
            )
    together = read_contents(folder / "out_pieces.pvtu")
    assert (len(together.mesh), len(together.mesh.points), together.time) == (len(mesh), len(mesh.points), 0.5)
    return ours


FITS = [f"finite-difference(order={order}, lattice=False)" for order in (1, 2, 3)]


EVERYWHERE = [
    *(("v", "points", scheme) for scheme in ("autodiff", *FITS)),
    *(("U", "cells", scheme) for scheme in ("green-gauss", *FITS)),
]
ACROSS = [("v", "cells", "autodiff"), ("v", "cells", FITS[1]), ("U", "points", FITS[0]), ("U", "points", FITS[1])]
ACROSS += [("U", "points", "green-gauss")]


@pytest.mark.parametrize(
    ("kind", "velocity", "at", "scheme"),
    [
        *((kind, *each) for kind in MESHES for each in EVERYWHERE),
        *(("hexahedron", *each) for each in ACROSS),
    ],
)
def test_equal_to_the_whole(tmp_path, kind, velocity, at, scheme):
    mesh = MESHES[kind]()
    path = cut(tmp_path, mesh, octants(mesh))
    compare(path, tmp_path, mesh, velocity=velocity, at=at, scheme=scheme, axisymmetric="none")


def test_numbers_tell_the_points_too(tmp_path):
    mesh = MESHES["tetra"]()
    path = cut(tmp_path, mesh, octants(mesh), numbered=True)
    compare(path, tmp_path, mesh, velocity="v", scheme=FITS[1], length_scale=1e-3)
    assert "GlobalPointIds" in read_contents(tmp_path / "out_pieces" / "3.vtu").point_data


def test_ghosts_in_the_file_are_left_out(tmp_path):
    mesh = MESHES["tetra"]()
    owner = (mesh.centroids > 0.5) @ [1, 2, 4]
    path = test_parallel.cut(tmp_path, mesh, owner, ghosts=True, numbered=False, swap=True)
    write_vtu(
        tmp_path / "whole.vtu",
        mesh,
        {"v": test_parallel.velocity(mesh.points)},
        {"U": test_parallel.velocity(mesh.centroids)},
    )
    for name in "vU":
        compare(path, tmp_path, mesh, velocity=name, scheme=FITS[1])


def test_an_empty_piece(tmp_path):
    mesh = MESHES["tetra"]()
    owner = octants(mesh)
    owner[owner == 0] = 1
    compare(cut(tmp_path, mesh, owner), tmp_path, mesh, velocity="v", scheme=FITS[0])


def test_missing_velocities(tmp_path):
    """A sample without a value beside a boundary lets the searches go on through it."""
    mesh = MESHES["tetra"]()
    path = cut(tmp_path, mesh, octants(mesh))
    lost = np.random.default_rng(1).random(len(mesh.points)) < 0.2
    for file in (tmp_path / "whole.vtu", *(tmp_path / f"piece_{number}.vtu" for number in range(8))):
        each = read_contents(file)
        values = np.where(lost[each.point_data["id"]][:, None], np.nan, each.point_data["v"])
        write_vtu(file, each.mesh, {**each.point_data, "v": values}, each.cell_data, {"TimeValue": 0.5})
    notes = " ".join(compare(path, tmp_path, mesh, velocity="v", scheme=FITS[1])["gradient"]["notes"])
    assert f"{lost.sum()} velocities at points are not finite" in notes


def test_layers_are_those_of_the_whole(tmp_path):
    """Through corners, where the way leads through a third piece."""
    mesh = MESHES["hexahedron"]()
    pieces = PieceFiles.of(cut(tmp_path, mesh, octants(mesh)))
    owner, rows = octants(mesh), mesh.cells.connectivity.reshape(len(mesh), -1)
    layer = np.where(owner == 5, 0, 99)
    for depth in (1, 2, 3):
        near = np.zeros(len(mesh.points), bool)
        near[rows[layer < depth]] = True
        layer = np.where(near[rows].any(axis=1), np.minimum(layer, depth), layer)
        around = surroundings(pieces, 5, depth)
        found = dict(zip(around.contents.cell_data["cell"].tolist(), around.layer.tolist(), strict=True))
        assert found == {cell: int(layer[cell]) for cell in np.flatnonzero(layer <= depth)}


REFUSED = (
    ({"velocity": "v"}, "may be a lattice"),
    ({"velocity": "v", "scheme": "file(name='G')"}, "taken from the file"),
    ({"velocity": "v", "scheme": FITS[1], "quantities": ("laplacian",)}, "second derivatives"),
    ({"velocity": "U", "stress": "sigma"}, "--stress"),
    ({"velocity": "U", "error": True}, "--error"),
    ({}, "could both be the velocity"),
)


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_what_needs_the_whole_is_refused(tmp_path, options, message):
    mesh = block("hexahedron", 5)
    path = cut(tmp_path, mesh, octants(mesh))
    if not options:
        for file in tmp_path.glob("piece_*.vtu"):
            each = read_contents(file)
            data = {"velocity": np.zeros_like(each.point_data["v"]), "U": np.zeros_like(each.point_data["v"])}
            write_vtu(file, each.mesh, data)
    with pytest.raises(OptionError, match=message):
        run_in_blocks(path, tmp_path / "out", Options(**options, block_memory="1K"))


def test_planar_meshes_and_slits(tmp_path):
    mesh = block("triangle", 9)
    path = cut(tmp_path, mesh, octants(mesh) % 4)
    with pytest.raises(OptionError, match="planar or one cell thick"):
        run_in_blocks(path, tmp_path / "out", Options(velocity="U", block_memory="1K"))
    assert run_in_blocks(path, tmp_path / "out", Options(velocity="U")) is None
    assert run_in_blocks(path, tmp_path / "out", Options(velocity="v", scheme="autodiff", block_memory="1K"))
    each = read_contents(tmp_path / "piece_0.vtu")
    points = each.mesh.points.copy()
    points[1] = points[0]
    write_vtu(tmp_path / "piece_0.vtu", Mesh(points, each.mesh.cells), each.point_data, each.cell_data)
    with pytest.raises(OptionError, match="several points at one place"):
        run_in_blocks(path, tmp_path / "out", Options(velocity="v", scheme="autodiff", block_memory="1K"))


def test_a_run_is_done_again_where_a_piece_is_lost(tmp_path):
    mesh = block("tetra", 5)
    path = cut(tmp_path, mesh, octants(mesh))
    command = ["run", str(path), "-o", str(tmp_path / "out"), "--velocity", "v", "--quantities", "shear_rate"]
    assert main([*command, "--block-memory", "1K"]) == 0
    piece = tmp_path / "out" / "a_pieces" / "3.vtu"
    before = piece.stat().st_mtime_ns
    assert main([*command, "--block-memory", "1K"]) == 0
    assert piece.stat().st_mtime_ns == before
    piece.unlink()
    assert main([*command, "--block-memory", "1K"]) == 0
    assert piece.exists()
    assert "8 pieces, each with up to" in (tmp_path / "out" / "report.html").read_text()
    assert main(command) == 0
    assert not piece.parent.exists()
    assert (tmp_path / "out" / "a.vtu").exists()


def test_pieces_of_vtks_own_parallel_writer(tmp_path):
    """It leaves NumberOfComponents out of the arrays of scalars."""
    pytest.importorskip("vtkmodules", reason="VTK writes the pieces")
    from vtkmodules.vtkIOParallelXML import vtkXMLPUnstructuredGridWriter
    from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridReader

    mesh = block("hexahedron", 4)
    A = np.array([[0.3, 1, 2], [-1, 0.5, 0], [0, 2, 1]])
    write_vtu(tmp_path / "whole.vtu", mesh, {"U": mesh.points @ A.T, "p": mesh.points[:, 0]}, {})
    reader, writer = vtkXMLUnstructuredGridReader(), vtkXMLPUnstructuredGridWriter()
    reader.SetFileName(str(tmp_path / "whole.vtu"))
    writer.SetInputConnection(reader.GetOutputPort())
    writer.SetFileName(str(tmp_path / "a.pvtu"))
    writer.Write()
    assert main(["run", str(tmp_path / "a.pvtu"), "-o", str(tmp_path / "out"), "--no-report"]) == 0
    (found,) = (tmp_path / "out").rglob("*.vtu")
    L = read_contents(found).point_data["L"].reshape(-1, 3, 3)
    np.testing.assert_allclose(L, np.broadcast_to(A, L.shape), atol=1e-12)
