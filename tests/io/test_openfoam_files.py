"""Files of OpenFOAM's own tools."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from flowgrad import read
from flowgrad.io import read_contents
from tests.io.vtk_twin import assert_same_arrays, assert_same_mesh, read_with_vtk, vtk_arrays

OWN = Path(__file__).parents[2] / "data"
FILES = sorted(OWN.rglob("*.vt[up]"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_as_vtk_reads_it(path):
    pytest.importorskip("vtkmodules", reason="VTK reads the file")
    contents = read_contents(path)
    data = read_with_vtk(path, "UnstructuredGrid" if path.suffix == ".vtu" else "PolyData")
    if path.suffix == ".vtu":
        assert_same_mesh(contents.mesh, data)
    assert len(contents.mesh) == data.GetNumberOfCells()
    assert_same_arrays(contents.cell_data, vtk_arrays(data.GetCellData()))
    assert_same_arrays(contents.point_data, vtk_arrays(data.GetPointData()))
    assert contents.producer == "OpenFOAM"
    assert contents.time == pytest.approx(vtk_arrays(data.GetFieldData())["TimeValue"][0])


def test_mixed_mesh_with_polyhedra():
    contents = read_contents(OWN / "pipeCyclic.vtu")
    assert contents.mesh.type_counts() == {"hexahedron": 1100, "wedge": 250, "polyhedron": 250}
    np.testing.assert_allclose(contents.mesh.measures, contents.cell_data["V"], rtol=2e-4)


def test_boundary_of_the_offset_cylinder():
    flow = read(OWN / "offsetCylinder.vtu", boundary="boundary/{stem}/*.vtp")
    assert {patch.name: len(patch.faces) for patch in flow.boundary} == {
        "cylinder": 80,
        "down": 40,
        "left": 35,
        "right": 35,
        "up": 40,
    }
    named = {patch.name: patch for patch in flow.boundary}
    assert not named["cylinder"].velocity.any()
    np.testing.assert_allclose(named["left"].velocity, [[1, 0, 0]] * 35)
    assert flow.mesh.topology.boundary_geometry[1][named["left"].faces][:, 0] == pytest.approx(-5)


def test_legacy_file_holds_the_same_values():
    legacy, xml = read_contents(OWN / "cavity_legacy_binary.vtk"), read_contents(OWN / "cavity.vtu")
    assert legacy.time == xml.time == 0.5
    assert_same_arrays(legacy.cell_data, xml.cell_data)
    assert_same_arrays(legacy.point_data, xml.point_data)
    for name in ("types", "offsets", "connectivity"):
        np.testing.assert_array_equal(getattr(legacy.mesh.cells, name), getattr(xml.mesh.cells, name))
