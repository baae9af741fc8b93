from __future__ import annotations

import numpy as np
import pytest

from flowgrad import Cells, Mesh, OptionError, read, velocity_gradient
from flowgrad.io import write_vtu
from flowgrad.io.patches import matching_files

# Two cubes side by side along x.
POINTS = np.array([[x, y, z] for z in (0.0, 1) for y in (0.0, 1) for x in (0.0, 1, 2)])
HEXAHEDRA = np.array([[0, 1, 4, 3, 6, 7, 10, 9], [1, 2, 5, 4, 7, 8, 11, 10]])
LEFT, RIGHT, INSIDE = [0, 3, 9, 6], [2, 5, 11, 8], [1, 4, 10, 7]


def vtp(points: np.ndarray, rows: list[list[int]], time: float = 1.0, **arrays: np.ndarray) -> str:
    def array(name, kind, values, components=1):
        text = " ".join(str(value) for value in np.ravel(values))
        attributes = f"type='{kind}' Name='{name}' NumberOfComponents='{components}' format='ascii'"
        return f"<DataArray {attributes}>{text}</DataArray>"

    return (
        "<VTKFile type='PolyData' version='0.1' byte_order='LittleEndian'><PolyData>"
        f"<FieldData>{array('TimeValue', 'Float64', [time])}</FieldData>"
        f"<Piece NumberOfPoints='{len(points)}' NumberOfPolys='{len(rows)}'>"
        f"<Points>{array('Points', 'Float64', points, 3)}</Points><Polys>"
        + array("connectivity", "Int32", [p for row in rows for p in row])
        + array("offsets", "Int32", np.cumsum([len(row) for row in rows], dtype=int))
        + "</Polys><CellData>"
        + "".join(array(name, "Float64", values, np.shape(values)[1]) for name, values in arrays.items())
        + "</CellData></Piece></PolyData></VTKFile>"
    )


def face(row: list[int], **arrays: np.ndarray) -> str:
    """A patch of one face, in points of its own and starting with another corner than the mesh."""
    return vtp(POINTS[[*row[2:], *row[:2]]] + 1e-9, [[0, 1, 2, 3]], **(arrays or {"U": [[7.0, 8, 9]]}))


@pytest.fixture
def case(tmp_path):
    path = tmp_path / "run[2]" / "case[1].vtu"
    path.parent.mkdir()
    write_vtu(path, Mesh(POINTS, Cells.of_type(12, HEXAHEDRA)), {}, {"U": np.ones((2, 3))}, {"TimeValue": 1})
    (path.parent / "walls" / "case[1]").mkdir(parents=True)
    return path


def put(case, **files: str) -> None:
    for name, text in files.items():
        (case.parent / "walls" / case.stem / f"{name}.vtp").write_text(text)


PATTERN = "walls/{stem}/*.vtp"


def test_patches_are_matched_to_faces(case):
    put(case, right=face(RIGHT, U=[[1.0, 2, 3]]), left=face(LEFT, U=[[4.0, 5, 6]]))
    flow = read(case, boundary=PATTERN)
    assert [patch.name for patch in flow.boundary] == ["left", "right"]
    assert [patch.velocity.tolist() for patch in flow.boundary] == [[[4, 5, 6]], [[1, 2, 3]]]
    offsets, points = flow.mesh.topology.boundary_polygons
    for patch, row in zip(flow.boundary, (LEFT, RIGHT), strict=True):
        f = patch.faces[0]
        assert sorted(points[offsets[f] : offsets[f + 1]]) == sorted(row)


@pytest.mark.parametrize("arrays", [{"velocity": [[7.0, 8, 9]]}, {"U": [[7.0, 8, 9]], "velocity": [[1.0, 1, 1]]}])
def test_velocity_under_the_flows_name_or_a_usual_one(case, arrays):
    put(case, left=face(LEFT, **arrays))
    assert read(case, boundary=PATTERN).boundary[0].velocity.tolist() == [[7, 8, 9]]


def test_empty_patch(case):
    put(case, none=vtp(np.empty((0, 3)), [], U=np.empty((0, 3))))
    assert len(read(case, boundary=PATTERN).boundary[0].faces) == 0


def test_pattern_from_the_current_directory_first(case, tmp_path, monkeypatch):
    put(case, left=face(LEFT))
    other = tmp_path / "other"
    (other / "walls" / case.stem).mkdir(parents=True)
    (other / "walls" / case.stem / "right.vtp").write_text(face(RIGHT))
    assert matching_files(PATTERN, case) == [case.parent / "walls" / case.stem / "left.vtp"]
    monkeypatch.chdir(other)
    assert [path.name for path in matching_files(PATTERN, case)] == ["right.vtp"]
    with pytest.raises(OptionError, match="no file matches") as caught:
        matching_files("nothing/*.vtp", case.relative_to(case.parent))
    assert str(caught.value).count("nothing/*.vtp") == 1


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, r"no file matches the boundary pattern 'walls/.*check --boundary"),
        ({"inside": face(INSIDE)}, r"inside\.vtp: 1 of the 1 faces of the patch 'inside' are not boundary faces"),
        ({"far": vtp(POINTS[LEFT] + [0, 0.1, 0], [[0, 1, 2, 3]], U=[[1.0, 2, 3]])}, "1 of the 1 faces"),
        ({"part": vtp(POINTS[LEFT], [[0, 1, 2]], U=[[1.0, 2, 3]])}, "1 of the 1 faces"),
        ({"old": face(LEFT).replace(">1.0<", ">0.5<")}, r"old\.vtp: the patch has the time 0\.5 and the flow 1"),
        ({"none": face(LEFT, T=[[1.0, 2, 3]])}, r"none\.vtp: no velocity under a usual name"),
        ({"a": face(LEFT, U=[[1.0, 2, 3]]), "b": face(LEFT, U=[[1.0, 2, 4]])}, "'a' and 'b' give 1 faces different"),
    ],
)
def test_patches_that_do_not_fit(case, files, message):
    put(case, **files)
    with pytest.raises(OptionError, match=message):
        read(case, boundary=PATTERN)


def test_a_patch_that_cannot_be_placed_is_named_and_left_out(case, caplog):
    put(case, left=face(LEFT), inside=face(INSIDE))
    flow = read(case, boundary=PATTERN)
    assert [patch.name for patch in flow.boundary] == ["left"]
    assert "1 of the 1 faces of the patch 'inside' are not boundary faces of the mesh: it is left out" in caplog.text


def test_two_patches_that_look_the_same_way_are_on_both_sides_of_a_baffle(case):
    put(case, one=face(INSIDE), other=face(INSIDE))
    flow = read(case, boundary=PATTERN)
    one, other = (int(flow.mesh.topology.boundary_cells[patch.faces[0]]) for patch in flow.boundary)
    assert {one, other} == {0, 1}


def test_patches_on_both_sides_of_a_face_make_it_a_baffle(case):
    put(case, left=face(LEFT), below=face(INSIDE, U=[[1.0, 0, 0]]), above=face(INSIDE[::-1], U=[[2.0, 0, 0]]))
    flow = read(case, boundary=PATTERN)
    assert [patch.name for patch in flow.boundary] == ["above", "below", "left"]
    assert len(flow.mesh.topology.boundary) == 12
    assert not len(flow.mesh.topology.pairs)
    above, below, _ = (int(flow.mesh.topology.boundary_cells[patch.faces[0]]) for patch in flow.boundary)
    assert {above, below} == {0, 1}
    area = flow.mesh.topology.boundary_geometry[0]
    a, b, c, _ = POINTS[INSIDE]
    assert area[flow.boundary[1].faces[0]] @ np.cross(b - a, c - a) > 0
    L = velocity_gradient(flow).L
    np.testing.assert_allclose(L[above, 0, 0], (2.0 - 1) / (1 - flow.mesh.centroids[above, 0]), rtol=1e-12)
    scaled = read(case, boundary=PATTERN, length_scale=2.0)
    np.testing.assert_allclose(velocity_gradient(scaled).L[above, 0, 0], L[above, 0, 0] / 2, rtol=1e-12)


def test_equal_values_twice_are_no_conflict(case):
    put(case, a=face(LEFT), b=face(LEFT))
    assert len(read(case, boundary=PATTERN).boundary) == 2
