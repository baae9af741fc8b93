"""Meshes in several files: joined into the mesh that was cut, ghosts and all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from flowgrad import Cells, Mesh, ReadError, read, velocity_gradient
from flowgrad.io import ReadOptions, flow_of, read_contents, write_vtu
from flowgrad.io.references import piece_files
from flowgrad.io.vtk_xml.document import open_document
from flowgrad.mesh.generate import block
from tests.io.vtk_twin import write_with_vtk

COPY = "vtkGhostType"


def cut(folder: Path, mesh: Mesh, owner: np.ndarray, ghosts: bool, numbered: bool, swap: bool = False) -> Path:
    """Write a mesh in pieces by the cells' owners, with a layer of the neighbours' cells as ghosts."""
    rng, names = np.random.default_rng(0), []
    for piece in np.unique(owner):
        cells = owner == piece
        rows = mesh.cells.connectivity.reshape(len(mesh), -1)
        own = np.zeros(len(mesh.points), bool)
        own[rows[cells]] = True
        taken = cells | (own[rows].any(axis=1) if ghosts else False)
        chosen = np.flatnonzero(taken)
        if swap:
            chosen = rng.permutation(chosen)
        used = np.unique(rows[chosen])
        number = np.zeros(len(mesh.points), int)
        number[used] = np.arange(len(used))
        point_data = {"v": velocity(mesh.points[used]), "id": used}
        point_data |= {"GlobalPointIds": used} if numbered else {}
        cell_data = {"U": velocity(mesh.centroids[chosen]), "cell": chosen}
        if ghosts:
            point_data |= {COPY: (~own[used]).astype(np.uint8)}
            cell_data |= {COPY: (~cells[chosen]).astype(np.uint8)}
        names.append(f"piece_{piece}.vtu")
        part = Mesh(mesh.points[used], Cells.of_type(int(mesh.cells.types[0]), number[rows[chosen]]))
        write_vtu(folder / names[-1], part, point_data, cell_data, {"TimeValue": 0.5})
    return parallel(folder, names)


def parallel(folder: Path, names: list[str], declared: str = "v", kind: str = "PUnstructuredGrid") -> Path:
    path = folder / f"a.p{'vtp' if 'Poly' in kind else 'vtu'}"
    path.write_text(
        f'<VTKFile type="{kind}" version="0.1" byte_order="LittleEndian"><{kind} GhostLevel="0">'
        f'<PPointData><PDataArray type="Float64" Name="{declared}" NumberOfComponents="3"/></PPointData>'
        + "".join(f'<Piece Source="{name}"/>' for name in names)
        + f"</{kind}></VTKFile>"
    )
    return path


def velocity(points: np.ndarray) -> np.ndarray:
    x, y, z = points.T
    return np.column_stack([np.sin(x) * y, x * z + y**2, np.cos(z) - x])


@pytest.mark.parametrize("kind", ["tetra", "hexahedron"])
@pytest.mark.parametrize(("ghosts", "numbered"), [(False, False), (True, False), (True, True), (False, True)])
def test_pieces_give_the_gradients_of_the_whole(tmp_path, kind, ghosts, numbered):
    mesh = block(kind, 6, 1.0)
    owner = (mesh.centroids > 0.5) @ [1, 2, 4]
    path = cut(tmp_path, mesh, owner, ghosts, numbered, swap=True)
    contents = read_contents(path)
    assert (len(contents.mesh), len(contents.mesh.points)) == (len(mesh), len(mesh.points))
    assert (contents.time, contents.source) == (0.5, path)
    points, cells = contents.point_data["id"], contents.cell_data["cell"]
    assert sorted(points.tolist()) == list(range(len(mesh.points)))
    assert sorted(cells.tolist()) == list(range(len(mesh)))
    np.testing.assert_array_equal(contents.mesh.points, mesh.points[points])
    rows = points[contents.mesh.cells.connectivity.reshape(len(mesh), -1)]
    np.testing.assert_array_equal(rows, mesh.cells.connectivity.reshape(len(mesh), -1)[cells])
    assert len(contents.mesh.topology.boundary) == len(mesh.topology.boundary)
    write_vtu(tmp_path / "whole.vtu", mesh, {"v": velocity(mesh.points)}, {"U": velocity(mesh.centroids)})
    for name, order in (("v", points), ("U", cells)):
        ours = velocity_gradient(flow_of(contents, ReadOptions(name))).L
        whole = velocity_gradient(read(tmp_path / "whole.vtu", name)).L
        assert np.abs(ours - whole[order]).max() < 1e-12 * np.abs(whole).max()


def two(tmp_path, **data) -> tuple[Mesh, Mesh]:
    """Two triangles that share an edge."""
    left = Mesh(np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0.0]]), Cells.of_type(5, np.array([[0, 1, 2]])))
    right = Mesh(np.array([[1, 1, 0], [0, 1, -0.0], [1, 0, 0.0]]), Cells.of_type(5, np.array([[0, 1, 2]])))
    for mesh, name in ((left, "l.vtu"), (right, "r.vtu")):
        given = {key: values[name[0]] for key, values in data.items()}
        write_vtu(tmp_path / name, mesh, {"v": mesh.points, **given})
    return left, right


def test_minus_zero_is_zero(tmp_path):
    two(tmp_path)
    mesh = read_contents(parallel(tmp_path, ["l.vtu", "r.vtu"])).mesh
    assert mesh.points.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]]
    assert mesh.cells.connectivity.tolist() == [0, 1, 2, 3, 2, 1]


def test_values_that_differ_at_a_shared_point_are_told(tmp_path, caplog):
    two(tmp_path, p={"l": [1.0, 2, 3], "r": [4.0, 3, 2.5]})
    contents = read_contents(parallel(tmp_path, ["l.vtu", "r.vtu"]))
    assert contents.point_data["p"].tolist() == [1, 2, 3, 4]
    assert [m for m in caplog.messages if "'p' differs by up to 0.5 between pieces at 1 shared points" in m]


def test_the_owner_gives_the_value(tmp_path):
    ghost = {"l": np.array([0, 1, 0], np.uint8), "r": np.zeros(3, np.uint8)}
    two(tmp_path, p={"l": [1.0, 2, 3], "r": [4.0, 3, 2.5]}, vtkGhostType=ghost)
    assert read_contents(parallel(tmp_path, ["l.vtu", "r.vtu"])).point_data["p"].tolist() == [1, 3, 4, 2.5]


def test_a_slit_stays_open(tmp_path, caplog):
    """Two points at one place in one piece: which of them the other piece means is not known."""
    points = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 0, 0], [0, -1, 0.0]])
    slit = Mesh(points, Cells.of_type(5, np.array([[0, 1, 2], [0, 4, 3]])))
    write_vtu(tmp_path / "l.vtu", slit, {"v": points})
    other = Mesh(np.array([[1, 0, 0], [2, 0, 0], [0, 1, 0.0]]), Cells.of_type(5, np.array([[0, 1, 2]])))
    write_vtu(tmp_path / "r.vtu", other, {"v": other.points})
    mesh = read_contents(parallel(tmp_path, ["l.vtu", "r.vtu"])).mesh
    assert len(mesh.points) == 7
    assert any("3 points at the edge of a piece" in message for message in caplog.messages)


@pytest.mark.parametrize("name", ["../l.vtu", "/etc/hostname", "x/../../l.vtu", "", "missing.vtu", "a\x01b.vtu"])
def test_pieces_elsewhere_are_refused(tmp_path, refused, name):
    (tmp_path / "sub").mkdir()
    two(tmp_path)
    path = parallel(tmp_path / "sub", [name])
    with refused(path, "not in its folder|a file without a name|not there|not well-formed"):
        read_contents(path)


def test_an_array_that_pieces_lack_is_refused(tmp_path, refused):
    two(tmp_path)
    with refused(parallel(tmp_path, ["l.vtu", "r.vtu"], "w"), "declares the array 'w' in PPointData"):
        read_contents(tmp_path / "a.pvtu")


def test_numbers_that_contradict_the_places_are_refused(tmp_path):
    two(tmp_path, GlobalPointIds={"l": [0, 1, 2], "r": [1, 2, 3]})
    with pytest.raises(
        ReadError, match=r"a\.pvtu: 'GlobalPointIds' gives 1 points the number of a point elsewhere, such as 1"
    ):
        read_contents(parallel(tmp_path, ["l.vtu", "r.vtu"]))


def test_a_damaged_piece_is_named(tmp_path):
    two(tmp_path)
    (tmp_path / "r.vtu").write_bytes((tmp_path / "r.vtu").read_bytes()[:-200])
    with pytest.raises(ReadError, match=r"r\.vtu: "):
        read_contents(parallel(tmp_path, ["l.vtu", "r.vtu"]))


@pytest.mark.parametrize("numbered", [False, True])
@pytest.mark.parametrize("levels", [1, 2])
def test_pieces_and_ghosts_that_vtk_makes(tmp_path, levels, numbered):
    """Cut by VTK into four, with the layers of ghost cells and the marks that VTK adds."""
    pytest.importorskip("vtkmodules", reason="VTK cuts the mesh")
    mesh = block("tetra", 6, 1.0)
    pieces = vtk_pieces(mesh, levels)
    names = [f"{number}.vtu" for number in range(len(pieces))]
    for piece, name in zip(pieces, names, strict=True):
        if not numbered:
            piece.GetPointData().RemoveArray("GlobalPointIds")
        write_with_vtk(piece, tmp_path / name)
    path = parallel(tmp_path, names)
    with open_document(path, "PUnstructuredGrid") as document:
        assert piece_files(document) == [tmp_path / name for name in names]
    assert sum(len(read_contents(tmp_path / name).mesh) for name in names) > len(mesh)
    contents = read_contents(path)
    assert (len(contents.mesh), len(contents.mesh.points)) == (len(mesh), len(mesh.points))
    assert len(contents.mesh.topology.boundary) == len(mesh.topology.boundary)
    np.testing.assert_array_equal(contents.point_data["v"], velocity(contents.mesh.points))
    assert not contents.cell_data[COPY].any()
    assert len(np.unique(contents.cell_data["GlobalCellIds"])) == len(mesh)


def vtk_pieces(mesh: Mesh, levels: int) -> list:
    from vtkmodules.vtkFiltersParallelDIY2 import vtkGhostCellsGenerator, vtkRedistributeDataSetFilter

    from tests.vtk_peer import vtk_grid

    cut_up = vtkRedistributeDataSetFilter()
    cut_up.SetInputData(vtk_grid(mesh, velocity(mesh.points)))
    cut_up.SetNumberOfPartitions(4)
    cut_up.PreservePartitionsInOutputOn()
    ghosts = vtkGhostCellsGenerator()
    ghosts.SetInputConnection(cut_up.GetOutputPort())
    ghosts.SetNumberOfGhostLayers(levels)
    ghosts.BuildIfRequiredOff()
    ghosts.GenerateGlobalIdsOn()
    ghosts.Update()
    whole = ghosts.GetOutputDataObject(0)
    return [whole.GetPartition(number) for number in range(whole.GetNumberOfPartitions())]


def test_surfaces_in_pieces(tmp_path):
    triangle = "<Piece NumberOfPoints='3' NumberOfPolys='1'>{0}<Points>{1}</Points><Polys>{2}{3}</Polys></Piece>"
    cells = "<DataArray type='Int32' Name='{}' format='ascii'>{}</DataArray>"
    for name, points in (("l", "0 0 0 1 0 0 0 1 0"), ("r", "1 1 0 0 1 0 1 0 0")):
        coordinates = "<DataArray type='Float64' NumberOfComponents='3' format='ascii' Name='{}'>{}</DataArray>"
        data = f"<PointData>{coordinates.format('v', points)}</PointData>"
        parts = (
            data,
            coordinates.format("", points),
            cells.format("connectivity", "0 1 2"),
            cells.format("offsets", 3),
        )
        text = f"<VTKFile type='PolyData' version='1.0'><PolyData>{triangle.format(*parts)}</PolyData></VTKFile>"
        (tmp_path / f"{name}.vtp").write_text(text)
    contents = read_contents(parallel(tmp_path, ["l.vtp", "r.vtp"], kind="PPolyData"))
    assert contents.mesh.cells.connectivity.tolist() == [0, 1, 2, 3, 2, 1]
    np.testing.assert_array_equal(contents.point_data["v"], contents.mesh.points)
