"""Files that name others: blocks with their boundary (.vtm), and times (.pvd, .series)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from flowgrad import Cells, Flow, Mesh, OptionError, ReadError, read, read_series, velocity_gradient
from flowgrad.io import read_contents, steps_of, write_vtu
from flowgrad.mesh.generate import block

CASE = "offsetCylinder"


def foam(folder: Path, data_folder: Path, case: str = CASE, time: float = 2.0) -> Path:
    """A case as foamToVTK writes it: a .vtm, its internal mesh and the patches in a folder beside it."""
    beside = folder / f"{case}_1"
    (beside / "boundary").mkdir(parents=True)
    shutil.copy(data_folder / f"{case}.vtu", beside / "internal.vtu")
    patches = sorted((data_folder / "boundary" / case).glob("*.vtp"))
    for patch in patches:
        shutil.copy(patch, beside / "boundary" / patch.name)
    sets = "".join(f"      <DataSet name='{p.stem}' file='{beside.name}/boundary/{p.name}' />\n" for p in patches)
    path = folder / f"{case}_1.vtm"
    path.write_text(
        f"<?xml version='1.0'?>\n<!-- case='{case}' time='{time}' -->\n"
        "<VTKFile type='vtkMultiBlockDataSet' version='1.0' byte_order='LittleEndian' header_type='UInt64'>\n"
        f"  <vtkMultiBlockDataSet>\n    <DataSet name='internal' file='{beside.name}/internal.vtu' />\n"
        f"    <Block name='boundary'>\n{sets}    </Block>\n  </vtkMultiBlockDataSet>\n"
        "  <FieldData>\n    <DataArray type='Float32' Name='TimeValue' NumberOfTuples='1' format='ascii'>"
        f"{time}</DataArray>\n  </FieldData>\n</VTKFile>\n"
    )
    return path


@pytest.mark.parametrize("case", [CASE, "elbow"])
def test_patches_of_a_case_are_its_boundary(tmp_path, data_folder, case):
    path = foam(tmp_path, data_folder, case)
    flow = read(path)
    pattern = str(data_folder / "boundary" / case / "*.vtp")
    with_pattern = read(data_folder / f"{case}.vtu", boundary=pattern)
    assert (flow.time, flow.source, flow.producer) == (2.0, path, "OpenFOAM")
    np.testing.assert_array_equal(flow.velocity, with_pattern.velocity)
    assert list(flow.cell_data) == list(with_pattern.cell_data)
    found, wanted = ({patch.name: patch for patch in each.boundary} for each in (flow, with_pattern))
    assert found.keys() == wanted.keys()
    for name, patch in wanted.items():
        np.testing.assert_array_equal(found[name].faces, patch.faces)
        np.testing.assert_array_equal(found[name].velocity, patch.velocity)


def test_a_pattern_goes_before_the_patches_of_the_file(tmp_path, data_folder):
    pattern = str(data_folder / "boundary" / CASE / "cylinder.vtp")
    assert [patch.name for patch in read(foam(tmp_path, data_folder), boundary=pattern).boundary] == ["cylinder"]


def blocks(folder: Path, **files: str) -> Path:
    sets = "".join(f'<DataSet index="{i}" name="{n}" file="{f}"/>' for i, (n, f) in enumerate(files.items()))
    kind = "vtkMultiBlockDataSet"
    path = folder / "a.vtm"
    path.write_text(f'<VTKFile type="{kind}" version="1.0"><{kind}>{sets}</{kind}></VTKFile>')
    return path


@pytest.fixture
def mesh() -> Mesh:
    return block("hexahedron", 3)


def written(path: Path, mesh: Mesh, shift: float = 0.0, time: float | None = None, **fields) -> Path:
    moved = Mesh(mesh.points + np.array([shift, 0, 0]), mesh.cells)
    data = fields or {"U": moved.points}
    write_vtu(path, moved, data, None, {} if time is None else {"TimeValue": time})
    return path


def test_meshes_that_lie_on_each_other_are_refused_by_name(tmp_path, mesh, refused):
    for name in ("air.vtu", "wall.vtu"):
        written(tmp_path / name, mesh)
    with refused(blocks(tmp_path, air="air.vtu", solid="wall.vtu"), r"8 cells of its 2 meshes.*\(air, solid\)"):
        read(tmp_path / "a.vtm")


def test_blocks_that_meet_are_one_mesh(tmp_path, caplog):
    whole = block("hexahedron", 7)
    L = np.random.default_rng(0).normal(size=(3, 3))
    cells, points = [], []
    for name, chosen in (("low", whole.centroids[:, 2] < 0.5), ("high", whole.centroids[:, 2] > 0.5)):
        rows = whole.blocks[0].rows[chosen]
        used, number = np.unique(rows, return_inverse=True)
        part = Mesh(whole.points[used], Cells.of_type(12, number.reshape(-1, 8)))
        extra = {"only": np.ones(len(used))} if name == "low" else {}
        write_vtu(tmp_path / f"{name}.vtu", part, {"U": np.sin(part.points @ L.T), **extra})
        cells += np.flatnonzero(chosen).tolist()
        points += used.tolist()
    flow = read(blocks(tmp_path, low="low.vtu", high="high.vtu"))
    assert "not all of the 2 blocks have only: left out" in caplog.text
    assert flow.mesh.point_count == len(points)
    np.testing.assert_array_equal(flow.mesh.points, whole.points[points])
    due = Flow(whole, np.sin(whole.points @ L.T), "points")
    for scheme in ("auto", "autodiff", "finite-difference(order=3)"):
        for at, rows in (("points", points), ("cells", cells)):
            found = velocity_gradient(flow, scheme, at).L
            np.testing.assert_allclose(found, velocity_gradient(due, scheme, at).L[rows], atol=1e-11)
    assert len(flow.mesh.topology.boundary) == len(whole.topology.boundary)


def test_a_surface_inside_is_no_patch(tmp_path, mesh, caplog):
    written(tmp_path / "all.vtu", mesh)
    inside = Mesh(mesh.points, Cells.of_type(9, mesh.cells.connectivity[None, [1, 2, 6, 5]]))
    write_vtu(tmp_path / "cut.vtu", inside, None, {"U": np.ones((1, 3))})
    flow = read(blocks(tmp_path, internal="all.vtu", slice="cut.vtu"))
    assert not flow.boundary
    assert "1 of the 1 faces of the patch 'slice' are not boundary faces" in caplog.text


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "no file with points"),
        ({"a": "../a.vtu"}, "not in its folder"),
        ({"a": "b.vtu"}, "not there"),
        ({"a": "a.vtm"}, "a.vtm.*not one of .vtu"),
        ({"a": "empty.vtu"}, "no file with points"),
    ],
)
def test_blocks_that_cannot_be_read(tmp_path, refused, files, message):
    write_vtu(tmp_path / "empty.vtu", Mesh(np.empty((0, 3)), Cells.empty()))
    with refused(blocks(tmp_path, **files), message):
        read_contents(tmp_path / "a.vtm")


def collection(folder: Path, *entries: tuple[str, str]) -> Path:
    sets = "".join(f'<DataSet timestep="{t}" group="" part="0" file="{f}"/>' for t, f in entries)
    path = folder / "a.pvd"
    path.write_text(f'<VTKFile type="Collection" version="0.1"><Collection>{sets}</Collection></VTKFile>')
    return path


def series(folder: Path, *entries: tuple[object, str]) -> Path:
    path = folder / "a.vtu.series"
    listed = [{"name": name, "time": time} for time, name in entries]
    path.write_text(json.dumps({"file-series-version": "1.0", "files": listed}))
    return path


@pytest.fixture(params=[collection, series])
def listing(request):
    return request.param


TIMES = (0.25, 0.0, 10.0)


def test_times(tmp_path, mesh, listing, caplog):
    """They come in their order, the last is read unless another is asked for; the listed time counts."""
    caplog.set_level("INFO", "flowgrad")
    for number, time in enumerate(TIMES):
        written(tmp_path / f"{number}.vtu", mesh, U=np.full((27, 3), time))
    path = listing(tmp_path, *((time, f"{number}.vtu") for number, time in enumerate(TIMES)))
    assert [step.time for step in steps_of(path)] == [0, 0.25, 10]
    assert read(path).velocity[0, 0] == 10
    assert "holds 3 times (0, 0.25, 10): the last is read" in caplog.text
    flow = read(path, time=0.2500001)
    assert (flow.time, flow.velocity[0, 0], flow.source) == (0.25, 0.25, tmp_path / "0.vtu")
    with pytest.raises(OptionError, match=r"has no time 3: it holds 0, 0\.25, 10"):
        read(path, time=3)
    steps = read_series(path, velocity="U")
    assert [(flow.time, flow.velocity[0, 0]) for flow in steps] == [(0, 0), (0.25, 0.25), (10, 10)]
    assert len({id(flow.mesh) for flow in steps}) == 1


def test_the_time_of_a_single_file(tmp_path, mesh):
    path = written(tmp_path / "a.vtu", mesh, time=0.5)
    assert read(path, time=0.5).time == 0.5
    assert [flow.time for flow in read_series(path)] == [0.5]
    with pytest.raises(OptionError, match=r"has no time 1: it holds the time 0\.5 only"):
        read(path, time=1)
    with pytest.raises(OptionError, match="tells no time"):
        read(written(tmp_path / "b.vtu", mesh), time=1)


def test_parts_of_one_time_are_joined(tmp_path, mesh):
    written(tmp_path / "left.vtu", mesh)
    written(tmp_path / "right.vtu", mesh, shift=1.0)
    path = collection(tmp_path, ("0.5", "left.vtu"), ("0.5", "right.vtu"))
    contents = read_contents(path)
    # The block's outer points lie on whole multiples of 0.5, so that those in the middle are the same.
    assert (len(contents.mesh), len(contents.mesh.points), contents.time) == (16, 45, 0.5)
    np.testing.assert_array_equal(contents.point_data["U"], contents.mesh.points)


def test_a_series_of_cases_has_their_patches(tmp_path, data_folder):
    name = foam(tmp_path, data_folder).name
    path = tmp_path / "case.vtm.series"
    path.write_text(json.dumps({"file-series-version": "1.0", "files": [{"name": name, "time": 7}]}))
    flow = read(path)
    assert (flow.time, len(flow.boundary)) == (7.0, 5)


def test_lists_that_cannot_be_read(tmp_path, mesh, refused, listing):
    written(tmp_path / "a.vtu", mesh)
    for entries, message in (
        ([("0", "../a.vtu")], "not in its folder"),
        ([("0", "b.vtu")], "not there"),
        ([("now", "a.vtu")], "time 'now'"),
        ([("inf", "a.vtu")], "time 'inf'"),
        ([], "holds no time step"),
    ):
        path = listing(tmp_path, *entries)
        with refused(path, message):
            read_contents(path)
    path = listing(tmp_path, ("0", listing(tmp_path).name))
    with refused(path, "names the collection"):
        read_contents(path)


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"files": 3}', '{"files": [3]}', "[" * 100_000, "\xff"])
def test_a_series_that_is_no_json(tmp_path, text):
    (tmp_path / "a.vtu.series").write_text(text, "latin-1")
    with pytest.raises(ReadError, match=r"is not JSON of the form|is empty"):
        read_contents(tmp_path / "a.vtu.series")


def test_points_that_are_not_finite_are_refused(tmp_path, mesh):
    points = mesh.points.copy()
    points[3, 1] = np.inf
    with pytest.raises(ReadError, match="1 of 27 points are not finite, such as number 3"):
        read(written(tmp_path / "a.vtu", Mesh(points, mesh.cells)))


def test_hidden_cells_of_a_mesh_are_left_out(tmp_path, mesh):
    marks = np.zeros(8, np.uint8)
    marks[[0, 3]] = 32
    marks[5] = 1  # a copy of what another piece owns, which in a file of its own is a cell like others
    write_vtu(tmp_path / "a.vtu", mesh, {"U": mesh.points}, {"vtkGhostType": marks, "id": np.arange(8)})
    flow = read(tmp_path / "a.vtu")
    assert flow.cell_data["id"].tolist() == [1, 2, 4, 5, 6, 7]
    np.testing.assert_array_equal(flow.velocity, flow.mesh.points)
    # The corner that belongs to the first cell alone, and that of cell 3, are gone.
    assert len(flow.mesh.points) == 25
    assert len(read_contents(tmp_path / "a.vtu").mesh) == 8
