"""Particles written as cells of one vertex: scattered points; empty cells beside others."""

from __future__ import annotations

import numpy as np
import pytest

from flowgrad import Cells, Mesh, ReadError, read, velocity_gradient
from flowgrad.io import read_contents, write_vtu
from flowgrad.mesh.generate import block

A = np.array([[0.3, 1.0, 2.0], [-1.0, 0.5, 0.25], [0.0, 2.0, -0.8]])
POINTS = np.random.default_rng(0).uniform(size=(200, 3))


@pytest.mark.parametrize("where", ["points", "cells"])
def test_vertices_are_scattered_points(tmp_path, where):
    order = np.random.default_rng(1).permutation(len(POINTS))
    mesh = Mesh(POINTS, Cells.of_type(1, order[:, None]))
    values = POINTS @ A.T if where == "points" else POINTS[order] @ A.T
    data = [{"velocity": values}, {}]
    write_vtu(tmp_path / "a.vtu", mesh, *(data if where == "points" else data[::-1]))
    flow = read(tmp_path / "a.vtu")
    assert flow.location == "points"
    assert not len(flow.mesh)
    np.testing.assert_array_equal(flow.velocity, flow.mesh.points @ A.T)
    gradient = velocity_gradient(flow)
    np.testing.assert_allclose(gradient.L, np.broadcast_to(A, (200, 3, 3)), atol=1e-11)


def test_one_cell_of_all_vertices(tmp_path):
    write_vtu(tmp_path / "a.vtu", Mesh(POINTS, Cells.of_type(2, np.arange(200)[None])), {"velocity": POINTS @ A.T}, {})
    assert len(read(tmp_path / "a.vtu").velocity) == 200
    write_vtu(tmp_path / "b.vtu", Mesh(POINTS, Cells.of_type(2, np.arange(200)[None])), {}, {"velocity": A[:1]})
    with pytest.raises(ReadError, match="1 cells of 200 vertices in all"):
        read(tmp_path / "b.vtu")


def test_empty_cells_are_left_out(tmp_path, caplog):
    mesh = block("hexahedron", 3)
    write_vtu(tmp_path / "a.vtu", mesh, {}, {"U": mesh.centroids @ A.T})
    whole = read_contents(tmp_path / "a.vtu")
    # Two in front, one behind, as VTK_EMPTY_CELL has no points.
    lists = {
        "connectivity": mesh.cells.connectivity,
        "offsets": np.concatenate([[0, 0], mesh.cells.offsets[1:], mesh.cells.offsets[-1:]]),
        "types": np.concatenate([[0, 0], mesh.cells.types, [0]]),
    }
    cells = "".join(
        f'<DataArray type="Int64" Name="{name}" format="ascii">{" ".join(map(str, values.tolist()))}</DataArray>'
        for name, values in lists.items()
    )
    U = np.pad(mesh.centroids @ A.T, [(2, 1), (0, 0)])
    array = '<DataArray type="Float64" {} NumberOfComponents="3" format="ascii">{}</DataArray>'
    points, velocity = (
        array.format(name, " ".join(map(repr, values.ravel().tolist())))
        for name, values in (("", mesh.points), ('Name="U"', U))
    )
    (tmp_path / "b.vtu").write_text(
        '<VTKFile type="UnstructuredGrid" version="1.0" byte_order="LittleEndian"><UnstructuredGrid>'
        f'<Piece NumberOfPoints="27" NumberOfCells="11"><CellData>{velocity}</CellData><Points>{points}</Points>'
        f"<Cells>{cells}</Cells></Piece></UnstructuredGrid></VTKFile>"
    )
    with caplog.at_level("INFO", "flowgrad"):
        found = read_contents(tmp_path / "b.vtu")
    assert "3 cells are empty and left out" in caplog.text
    np.testing.assert_array_equal(found.mesh.cells.connectivity, whole.mesh.cells.connectivity)
    np.testing.assert_array_equal(found.cell_data["U"], whole.cell_data["U"])
