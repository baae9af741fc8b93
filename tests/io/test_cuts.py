"""Cuts through cell values are refused; other surfaces are none."""

from __future__ import annotations

import numpy as np
import pytest

from flowgrad import Cells, Mesh, ReadError, read
from flowgrad.io import write_vtu
from flowgrad.mesh.generate import block


def sheared(x: np.ndarray) -> np.ndarray:
    return np.column_stack([np.sin(2 * x[:, 1]) + 0.3 * x[:, 2], 0.2 * x[:, 0] ** 2, np.cos(x[:, 0] + x[:, 2])])


def triangles(n: int) -> Mesh:
    """A square of 2n² triangles."""
    x, y = np.meshgrid(np.linspace(0, 1, n + 1), np.linspace(0, 1, n + 1))
    first = (np.arange(n)[:, None] * (n + 1) + np.arange(n)).ravel()
    corners = np.stack([first, first + 1, first + n + 2, first, first + n + 2, first + n + 1], axis=1)
    points = np.column_stack([x.ravel(), y.ravel(), 0 * x.ravel()])
    return Mesh(points, Cells.of_type(5, corners.reshape(-1, 3)))


@pytest.mark.parametrize("kind", ["tetra", "hexahedron"])
def test_a_slice_of_cell_values(tmp_path, kind):
    pytest.importorskip("vtkmodules", reason="VTK cuts the cells")
    from vtkmodules.vtkCommonDataModel import vtkPlane
    from vtkmodules.vtkFiltersCore import vtkCutter
    from vtkmodules.vtkIOXML import vtkXMLPolyDataWriter, vtkXMLUnstructuredGridReader

    mesh = block(kind, 7)
    write_vtu(tmp_path / "volume.vtu", mesh, {}, {"U": sheared(mesh.centroids)})
    reader, plane, cutter = vtkXMLUnstructuredGridReader(), vtkPlane(), vtkCutter()
    reader.SetFileName(str(tmp_path / "volume.vtu"))
    plane.SetOrigin(0.5, 0.5, 0.47)
    plane.SetNormal(0.1, 0.2, 1)
    cutter.SetCutFunction(plane)
    cutter.SetInputConnection(reader.GetOutputPort())
    writer = vtkXMLPolyDataWriter()
    writer.SetInputConnection(cutter.GetOutputPort())
    writer.SetFileName(str(tmp_path / "cut.vtp"))
    writer.Write()
    with pytest.raises(ReadError, match="carry the values of cells that were cut"):
        read(tmp_path / "cut.vtp")


def test_triangulated_cells_are_refused_and_values_of_triangles_are_not(tmp_path):
    mesh = triangles(6)
    own = sheared(mesh.centroids)
    write_vtu(tmp_path / "own.vtu", mesh, {}, {"U": own})
    write_vtu(tmp_path / "pairs.vtu", mesh, {}, {"U": np.repeat(own[::2], 2, axis=0)})
    write_vtu(tmp_path / "corners.vtu", mesh, {"U": sheared(mesh.points)}, {})
    assert len(read(tmp_path / "own.vtu").velocity) == 72
    assert len(read(tmp_path / "corners.vtu").velocity) == 49
    with pytest.raises(ReadError, match="72 of 72 triangles"):
        read(tmp_path / "pairs.vtu")


@pytest.mark.parametrize("part", [0.3, 1.0])
def test_a_uniform_stream_is_no_cut(tmp_path, part):
    mesh = triangles(8)
    velocity = sheared(mesh.centroids)
    velocity[mesh.centroids[:, 0] <= part] = (1.0, 0, 0)
    write_vtu(tmp_path / "stream.vtu", mesh, {}, {"U": velocity})
    np.testing.assert_array_equal(read(tmp_path / "stream.vtu").velocity, velocity)
