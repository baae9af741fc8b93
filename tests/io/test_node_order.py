"""Quadratic cells in the orders of other formats."""

import numpy as np
import pytest

import flowgrad
from flowgrad import Mesh, ReadError
from flowgrad.io.node_order import in_vtk_order
from tests.high_order import bent, reference, straight

NAMES = {22: "triangle6", 23: "quad8", 24: "tetra10", 25: "hexahedron20", 26: "wedge15", 27: "pyramid13"}
NAMES |= {28: "quad9", 29: "hexahedron27", 32: "wedge18"}
WRITTEN_BY_MESHIO = dict.fromkeys((".vtk", ".msh"), (22, 23, 24, 25, 28, 29, 32))
# Edges by their corners, in the order of each format's manual, for cells of two formats that differ from VTK.
GMSH = {24: ((0, 1), (1, 2), (0, 2), (0, 3), (2, 3), (1, 3))}
HEXAHEDRON = ((0, 1), (0, 3), (0, 4), (1, 2), (1, 5), (2, 3), (2, 6), (3, 7), (4, 5), (4, 7), (5, 6), (6, 7))
GMSH |= {25: HEXAHEDRON, 29: HEXAHEDRON}
GMSH_FACES = {29: ((0, 1, 2, 3), (0, 1, 4, 5), (0, 3, 4, 7), (1, 2, 5, 6), (2, 3, 6, 7), (4, 5, 6, 7), tuple(range(8)))}
EXODUS = {
    25: ((0, 1), (1, 2), (2, 3), (3, 0), (0, 4), (1, 5), (2, 6), (3, 7), (4, 5), (5, 6), (6, 7), (7, 4)),
    26: ((0, 1), (1, 2), (2, 0), (0, 3), (1, 4), (2, 5), (3, 4), (4, 5), (5, 3)),
}


def numbering(cell, groups):
    """Which of VTK's nodes stands at each place of an order that is given by groups of corners."""
    corners = cell.family.corners
    middles = [corners[list(group)].mean(axis=0) for group in groups]
    return [int(np.abs(cell.nodes - place).max(axis=1).argmin()) for place in (*corners, *middles)]


def mesh_of(vtk_type):
    return bent(straight(reference(vtk_type)))


@pytest.mark.parametrize(
    ("vtk_type", "suffix"), [(cell, suffix) for suffix, cells in WRITTEN_BY_MESHIO.items() for cell in cells]
)
def test_what_meshio_writes_comes_back_in_order(tmp_path, vtk_type, suffix):
    import meshio

    mesh = mesh_of(vtk_type)
    rows = mesh.cells.connectivity.reshape(len(mesh), -1)
    options = {"file_format": "gmsh"} if suffix == ".msh" else {}
    meshio.write(tmp_path / f"a{suffix}", meshio.Mesh(mesh.points, [(NAMES[vtk_type], rows)]), **options)
    read = flowgrad.io.read_contents(tmp_path / f"a{suffix}").mesh
    assert read.cells.types.tolist() == [vtk_type] * len(mesh)
    np.testing.assert_allclose(
        read.points[read.cells.connectivity], mesh.points[mesh.cells.connectivity], rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("vtk_type", EXODUS)
def test_upright_edges_before_the_top(vtk_type):
    mesh, cell = mesh_of(vtk_type), reference(vtk_type)
    rows = mesh.cells.connectivity.reshape(len(mesh), -1)
    order = numbering(cell, EXODUS[vtk_type])
    assert order != list(range(cell.size))
    np.testing.assert_array_equal(in_vtk_order(cell, mesh.points, rows[:, order]), rows)


@pytest.mark.parametrize("vtk_type", GMSH)
def test_gmsh_files(tmp_path, vtk_type):
    """A file written here in the order of Gmsh's manual; meshio does not read wedges and pyramids."""
    mesh, cell = mesh_of(vtk_type), reference(vtk_type)
    rows = mesh.cells.connectivity.reshape(len(mesh), -1)
    order = numbering(cell, GMSH[vtk_type] + GMSH_FACES.get(vtk_type, ()))
    kind = {24: 11, 25: 17, 29: 12}[vtk_type]
    nodes = "\n".join(f"{i + 1} {x!r} {y!r} {z!r}" for i, (x, y, z) in enumerate(mesh.points.tolist()))
    elements = "\n".join(f"{i + 1} {kind} 2 0 1 " + " ".join(map(str, row + 1)) for i, row in enumerate(rows[:, order]))
    (tmp_path / "a.msh").write_text(
        f"$MeshFormat\n2.2 0 8\n$EndMeshFormat\n$Nodes\n{len(mesh.points)}\n{nodes}\n$EndNodes\n"
        f"$Elements\n{len(rows)}\n{elements}\n$EndElements\n"
    )
    read = flowgrad.io.read_contents(tmp_path / "a.msh").mesh
    assert read.points[read.cells.connectivity] == pytest.approx(mesh.points[mesh.cells.connectivity], abs=1e-12)


def test_an_unknown_order_is_refused():
    mesh, cell = mesh_of(25), reference(25)
    rows = mesh.cells.connectivity.reshape(len(mesh), -1)
    mixed = [*range(8), *np.random.default_rng(0).permutation(np.arange(8, 20))]
    with pytest.raises(ReadError, match="8 cells of the type quadratic_hexahedron are in an order that is not known"):
        in_vtk_order(cell, mesh.points, rows[:, mixed])


def test_thin_and_curved_cells_keep_their_order():
    for vtk_type in (24, 25, 26, 27, 29, 32):
        mesh, cell = bent(straight(reference(vtk_type)), 0.1), reference(vtk_type)
        rows = mesh.cells.connectivity.reshape(len(mesh), -1)
        thin = Mesh(mesh.points * [1, 1, 0.01], mesh.cells)
        np.testing.assert_array_equal(in_vtk_order(cell, thin.points, rows), rows)
