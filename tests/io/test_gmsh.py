"""Gmsh's files, of Gmsh's own writer and by hand: rows by tag, steps, groups, and fields that the elements contain."""

from __future__ import annotations

import struct
from collections.abc import Callable
from itertools import product

import numpy as np
import pytest

import flowgrad
from flowgrad import velocity_gradient
from flowgrad.io import read_contents
from flowgrad.io.formats import steps_of
from flowgrad.io.gmsh_elements import element_type

A = np.array([[1.0, 2, -0.5], [0.3, -3, 1], [0.2, 0.7, 2]])
CORNER = np.array([10.0, 20, 30])
HEAD = "$MeshFormat\n2.2 0 8\n$EndMeshFormat\n"
NODES = "$Nodes\n5\n{}\n$EndNodes\n"
ELEMENTS = "$Elements\n2\n7 4 2 1 1 5 9 2 4\n3 4 2 1 1 9 2 4 8\n$EndElements\n"
PLACES = {5: (0, 0, 0), 9: (1, 0, 0), 2: (0, 1, 0), 4: (0, 0, 1), 8: (1, 1, 1)}
MESH = HEAD + NODES.format("\n".join(f"{tag} {x} {y} {z}" for tag, (x, y, z) in PLACES.items())) + ELEMENTS


def section(kind: str, rows: dict[int, tuple[float, ...]], name: str = "U", time: str = "0.5", step: int = 0) -> str:
    count = len(next(iter(rows.values())))
    lines = "".join(f"{tag} {' '.join(map(repr, values))}\n" for tag, values in rows.items())
    return f'${kind}\n1\n"{name}"\n1\n{time}\n3\n{step}\n{count}\n{len(rows)}\n{lines}$End{kind}\n'


def linear(tag: int) -> tuple[float, ...]:
    return tuple((A @ PLACES[tag]).tolist())


def test_rows_belong_to_their_tags(tmp_path):
    rows = {tag: linear(tag) for tag in (8, 2, 5, 4, 9)}
    (tmp_path / "a.msh").write_text(
        MESH + section("NodeData", rows) + section("ElementData", {3: (3.0,), 7: (7.0,)}, "p")
    )
    flow = flowgrad.read(tmp_path / "a.msh")
    assert flow.time == 0.5
    assert flow.cell_data["p"].tolist() == [7, 3]
    assert flow.mesh.cells.connectivity.tolist() == [0, 1, 2, 3, 1, 2, 3, 4]
    np.testing.assert_allclose(velocity_gradient(flow, "autodiff").L, np.broadcast_to(A, (5, 3, 3)), atol=1e-14)


def test_far_tags_take_no_memory(tmp_path):
    text = MESH.replace("\n8 1 1 1", "\n4000000000 1 1 1").replace("9 2 4 8\n", "9 2 4 4000000000\n")
    (tmp_path / "a.msh").write_text(text)
    assert read_contents(tmp_path / "a.msh").mesh.cells.connectivity.tolist() == [0, 1, 2, 3, 1, 2, 3, 4]


def test_steps_are_times_and_missing_rows_nan(tmp_path, caplog):
    whole = {tag: linear(tag) for tag in PLACES}
    part = {tag: linear(tag) for tag in (9, 2, 4, 5)}
    views = (
        section("NodeData", part, time="2")
        + section("NodeData", whole, time="1")
        + section("ElementData", {3: (1.0,)}, "p", "1")
    )
    (tmp_path / "a.msh").write_text(MESH + views)
    assert [step.time for step in steps_of(tmp_path / "a.msh")] == [1, 2]
    last = read_contents(tmp_path / "a.msh")
    assert np.isnan(last.point_data["U"]).any(axis=1).tolist() == [False] * 4 + [True]
    assert "'U' has no number at 1 of the nodes" in caplog.text
    assert "there is no p, only at others" in caplog.text
    first = read_contents(tmp_path / "a.msh", 1.0)
    np.testing.assert_array_equal(first.point_data["U"], list(whole.values()))
    np.testing.assert_array_equal(first.cell_data["p"], [np.nan, 1])


def test_steps_of_one_time_are_told_apart_by_their_numbers(tmp_path):
    views = [
        section("NodeData", {tag: (float(step),) * 3 for tag in PLACES}, time="0", step=step) for step in (0, 1, 5)
    ]
    (tmp_path / "a.msh").write_text(MESH + "".join(views))
    assert [step.time for step in steps_of(tmp_path / "a.msh")] == [0, 1, 5]
    assert read_contents(tmp_path / "a.msh", 1).point_data["U"][0, 0] == 1


def at_corners(value: Callable[[int, int], tuple[float, ...]]) -> str:
    """Three values of each element at each of its nodes."""
    corners = {7: (5, 9, 2, 4), 3: (9, 2, 4, 8)}
    rows = [[e, 4, *(repr(x) for tag in tags for x in value(e, tag))] for e, tags in corners.items()]
    lines = "".join(" ".join(map(str, row)) + "\n" for row in rows)
    return f'$ElementNodeData\n1\n"U"\n1\n0\n3\n0\n3\n2\n{lines}$EndElementNodeData\n'


def test_values_at_the_nodes_of_elements(tmp_path, caplog):
    (tmp_path / "a.msh").write_text(MESH + at_corners(lambda element, tag: linear(tag)))
    np.testing.assert_array_equal(read_contents(tmp_path / "a.msh").point_data["U"], [linear(tag) for tag in PLACES])
    assert not caplog.records


def test_values_that_jump_between_elements_are_said(tmp_path, caplog):
    (tmp_path / "a.msh").write_text(MESH + at_corners(lambda element, tag: (float(element),) * 3))
    assert read_contents(tmp_path / "a.msh").point_data["U"][:, 0].tolist() == [7, 5, 5, 5, 3]
    assert "differs between elements at 3 of 5 nodes, by up to 2 from the mean" in caplog.text


DAMAGES = {
    MESH + section("NodeData", {6: (1.0,)}): "uses 1 nodes that are not there, such as 6",
    MESH + section("NodeData", {9: (1.0,)}).replace("\n1\n9", "\n2\n9 2\n9"): "gives 'U' twice for 1 tags of nodes",
    MESH + section("NodeData", {9: (1.0,)}).replace("\n1\n9", "\n2\n9"): "declares 2 rows more than there are",
    MESH + section("NodeData", {9: (1.0,), 2: (2.0,)}).replace("\n2\n9", "\n1\n9"): "has 2 numbers in .NodeData after",
    MESH + section("NodeData", {9: (1.0,)}).replace("9 1.0", "9.5 1.0"): "a tag or a count that is not whole",
    MESH.replace("\n2 0 1 0", "\n9 0 1 0"): "has 1 nodes with the tag of another",
    MESH.replace("9 2 4 8\n$", "9 2 4 6\n$"): "uses 1 nodes that are not there, such as 6",
    MESH.replace("\n3 4 2", "\n3 90 2"): "has 1 elements of Gmsh's type 90, which are not read",
    MESH + MESH.replace("1 1 1", "1 1 2"): "has 2 sections .Nodes that differ",
    MESH.replace(NODES.split("{}")[0], "$Nodes\n6\n"): "declares 6 rows more than there are",
    MESH.replace("2.2 0 8", "3.1 0 8"): "has the format '3.1 0 8'",
    HEAD + section("NodeData", {9: (1.0,)}): "has no .Nodes: write the mesh",
    MESH + "stray\n": "has 'stray' where a section should begin",
    MESH + section("NodeData", {9: (1.0,)}) + section("NodeData", {9: (1.0, 2.0)}): r"'U' with \[1, 2\] components",
}


@pytest.mark.parametrize(("text", "message"), DAMAGES.items(), ids=range(len(DAMAGES)))
def test_damage_is_refused(tmp_path, refused, text, message):
    (tmp_path / "a.msh").write_text(text)
    with refused(tmp_path / "a.msh", message):
        read_contents(tmp_path / "a.msh")


@pytest.mark.parametrize("order", "<>")
def test_binary_files_of_either_byte_order(tmp_path, order):
    def packed(kinds: str, *values: float) -> bytes:
        return struct.pack(order + kinds, *values)

    tags = list(PLACES)
    nodes = packed("4Q3iQ5Q", 1, 5, 2, 9, 3, 1, 0, 5, *tags) + packed("15d", *np.ravel(list(PLACES.values())))
    elements = packed("4Q3iQ10Q", 1, 2, 3, 7, 3, 1, 4, 2, 7, 5, 9, 2, 4, 3, 9, 2, 4, 8)
    rows = b"".join(packed("i3d", tag, *linear(tag)) for tag in reversed(tags))
    (tmp_path / "a.msh").write_bytes(
        b"$MeshFormat\n4.1 1 8\n"
        + packed("i", 1)
        + b"\n$EndMeshFormat\n$Nodes\n"
        + nodes
        + b"\n$EndNodes\n$Elements\n"
        + elements
        + b'\n$EndElements\n$NodeData\n1\n"U"\n1\n2\n3\n0\n3\n5\n'
        + rows
        + b"\n$EndNodeData\n"
    )
    contents = read_contents(tmp_path / "a.msh")
    np.testing.assert_array_equal(contents.point_data["U"], [linear(tag) for tag in PLACES])
    assert contents.mesh.cells.connectivity.tolist() == [0, 1, 2, 3, 1, 2, 3, 4]


@pytest.fixture
def gmsh():
    module = pytest.importorskip("gmsh", reason="writes the files")
    module.initialize(interruptible=False)
    module.option.setNumber("General.Terminal", 0)
    yield module
    module.finalize()


def test_node_orders_are_those_of_gmsh(gmsh):
    known = 0
    for number in range(1, 140):
        kind = element_type(number)
        if kind is None or number == 15:
            continue
        _, dimension, degree, count, nodes, _ = gmsh.model.mesh.getElementProperties(number)
        own = kind.nodes.copy()
        centred = {"line": [0], "quad": [0, 1], "hexahedron": [0, 1, 2], "wedge": [2], "pyramid": [0, 1]}
        axes = centred.get(kind.family.name, [])
        own[:, axes] = 2 * own[:, axes] - 1
        assert (kind.family.dimension, kind.degree, kind.size) == (dimension, degree, count)
        np.testing.assert_allclose(own, nodes.reshape(count, dimension), atol=1e-12)
        known += 1
    assert known == 57


def boxes(gmsh, shape: str, degree: int) -> None:
    """A box of tetrahedra, prisms or hexahedra with groups of two of its faces and of itself, nodes numbered anew."""
    gmsh.option.setNumber("Mesh.MeshSizeMax", 0.7)
    gmsh.option.setNumber("Mesh.MeshSizeMin", 0.7)
    occ, mesh = gmsh.model.occ, gmsh.model.mesh
    if shape == "tetra":
        box = occ.addBox(*CORNER, 1, 1, 1)
    else:
        base = occ.addRectangle(*CORNER, 1, 1)
        occ.synchronize()
        if shape == "hexahedron":
            mesh.setTransfiniteSurface(base)
            mesh.setRecombine(2, base)
        box = next(tag for dim, tag in occ.extrude([(2, base)], 0, 0, 1, [2], recombine=True) if dim == 3)
    occ.synchronize()
    faces = [tag for _, tag in gmsh.model.getBoundary([(3, box)], oriented=False)]
    gmsh.model.addPhysicalGroup(2, faces[:2], 7, "a wall")
    gmsh.model.addPhysicalGroup(3, [box], 1, "fluid")
    mesh.generate(3)
    mesh.setOrder(degree)
    tags = mesh.getNodes()[0]
    mesh.renumberNodes(tags, np.random.default_rng(1).permutation(len(tags)) * 3 + 1)


def field(points: np.ndarray, degree: int) -> tuple[np.ndarray, np.ndarray]:
    """A polynomial that elements of a degree contain, and its gradient."""
    x, y, z = (points - CORNER).T
    values, L = points @ A.T, np.tile(A, (len(points), 1, 1))
    if degree > 1:
        values[:, 0] += x * y + z * z
        L[:, 0] += np.column_stack([y, x, 2 * z])
    if degree > 2:
        values[:, 2] += x * y * z - y**3
        L[:, 2] += np.column_stack([y * z, x * z - 3 * y**2, x * y])
    return values, L


CASES = [
    (shape, degree)
    for shape, degree in product(("tetra", "wedge", "hexahedron"), (1, 2, 3))
    if (shape, degree) != ("wedge", 3)
]


@pytest.mark.parametrize(("shape", "degree"), CASES)
@pytest.mark.parametrize(("version", "binary"), [(2.2, 0), (2.2, 1), (4.0, 0), (4.1, 0), (4.1, 1)])
def test_what_gmsh_writes(tmp_path, gmsh, shape, degree, version, binary, caplog):
    gmsh.model.add("m")
    boxes(gmsh, shape, degree)
    tags, points, _ = gmsh.model.mesh.getNodes()
    points = points.reshape(-1, 3)
    own = dict(zip(tags.tolist(), field(points, degree)[0], strict=True))
    kinds, elements, nodes = gmsh.model.mesh.getElements(3)
    assert [element_type(kind).family.name for kind in kinds] == [shape]
    at_nodes, of_elements, at_corners = (gmsh.view.add(name) for name in ("U", "number", "again"))
    gmsh.view.addModelData(at_nodes, 0, "m", "NodeData", tags, list(own.values()), time=0.5)
    numbers = [[float(tag)] for tag in elements[0]]
    gmsh.view.addModelData(of_elements, 0, "m", "ElementData", elements[0], numbers, time=0.5)
    rows = nodes[0].reshape(len(elements[0]), -1)
    corners = [np.concatenate([own[tag] for tag in row]) for row in rows.tolist()]
    gmsh.view.addModelData(at_corners, 0, "m", "ElementNodeData", elements[0], corners, time=0.5, numComponents=3)
    gmsh.option.setNumber("Mesh.MshFileVersion", version)
    gmsh.option.setNumber("Mesh.Binary", binary)
    gmsh.option.setNumber("Mesh.SaveParametric", int(version > 4))
    for view in (at_nodes, of_elements, at_corners):
        gmsh.view.write(view, str(tmp_path / "a.msh"), append=view != at_nodes)
    flow = flowgrad.read(tmp_path / "a.msh")
    assert flow.mesh.dimension == 3
    found = velocity_gradient(flow, "autodiff", at="points")
    used = flow.mesh.cells.used(len(flow.mesh.points))
    exact = field(flow.mesh.points, degree)[1]
    np.testing.assert_allclose(found.L[used], exact[used], atol=2e-11 if degree < 3 else 1e-10)
    np.testing.assert_array_equal(flow.point_data["again"][used], flow.velocity[used])
    full = flow.mesh.cells.is_full
    assert sorted(flow.cell_data["number"][full]) == sorted(elements[0].tolist())
    assert np.isnan(flow.cell_data["number"][~full]).all()
    assert {*flow.cell_data["gmsh:physical"][full]} == {1}
    assert {*flow.cell_data["gmsh:physical"][~full]} == {7}
    assert flow.field_data["a wall"].tolist() == [7, 2]
    assert not caplog.records


def test_other_interpolation_is_refused(tmp_path, gmsh, refused):
    """Values of degree 0, of which a scheme makes constants, on linear tetrahedra."""
    gmsh.model.add("m")
    boxes(gmsh, "tetra", 1)
    _, elements, _ = gmsh.model.mesh.getElements(3)
    view = gmsh.view.add("U")
    gmsh.view.addModelData(
        view, 0, "m", "ElementNodeData", elements[0], [[1.0] * 12] * len(elements[0]), numComponents=3
    )
    gmsh.option.setNumber("Mesh.Binary", 0)
    gmsh.view.write(view, str(tmp_path / "a.msh"))
    text = (tmp_path / "a.msh").read_text()
    assert "\n1 -1 -1 -1 \n" in text
    (tmp_path / "a.msh").write_text(text.replace("\n1 -1 -1 -1 \n", "\n1 -1 -1 -2 \n"))
    with refused(tmp_path / "a.msh", "interpolates 'U' on tetra cells of 4 nodes by the scheme"):
        read_contents(tmp_path / "a.msh")
