"""Cells of higher degree in files: what VTK writes we read, what we write VTK reads, old files included."""

import numpy as np
import pytest

import flowgrad
from flowgrad import Cells, Flow, Mesh, ReadError, velocity_gradient
from flowgrad.io import write_vtu
from tests.high_order import bent, reference, straight
from tests.io.vtk_twin import read_with_vtk, write_with_vtk

QUADRATIC = (21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 37)
LAGRANGE = [(t, (3, 3, 3)) for t in range(68, 74)] + [(70, (3, 2, 1)), (72, (4, 2, 3)), (73, (2, 2, 3))]
CASES = [(t, None) for t in QUADRATIC] + LAGRANGE


def mesh_of(vtk_type, degrees):
    return bent(straight(reference(vtk_type, degrees), degrees=degrees))


@pytest.mark.parametrize(("vtk_type", "degrees"), CASES)
def test_what_we_write_is_the_same_mesh_to_vtk_and_to_us(tmp_path, vtk_type, degrees):
    pytest.importorskip("vtkmodules", reason="vtk is not installed")
    from vtkmodules.util.numpy_support import vtk_to_numpy

    mesh = mesh_of(vtk_type, degrees)
    write_vtu(tmp_path / "a.vtu", mesh, {"U": mesh.points})
    ours = flowgrad.read(tmp_path / "a.vtu").mesh
    for name in ("types", "offsets", "connectivity", "degrees"):
        np.testing.assert_array_equal(getattr(ours.cells, name), getattr(mesh.cells, name))
    theirs = read_with_vtk(tmp_path / "a.vtu")
    np.testing.assert_array_equal(vtk_to_numpy(theirs.GetCells().GetConnectivityArray()), mesh.cells.connectivity)
    if vtk_type in (70, 72):
        assert tuple(theirs.GetCell(0).GetOrder(axis) for axis in range(2)) == degrees[:2]


@pytest.mark.parametrize(("vtk_type", "degrees"), CASES)
def test_what_vtk_writes_we_read(tmp_path, vtk_type, degrees):
    pytest.importorskip("vtkmodules", reason="vtk is not installed")
    from tests.gradient.test_high_order import _with_degrees
    from tests.vtk_peer import vtk_grid

    mesh = mesh_of(vtk_type, degrees)
    grid = vtk_grid(mesh, mesh.points)
    _with_degrees(grid, degrees)
    write_with_vtk(grid, tmp_path / "a.vtu")
    flow = flowgrad.read(tmp_path / "a.vtu")
    np.testing.assert_array_equal(flow.mesh.cells.connectivity, mesh.cells.connectivity)
    assert [b.reference for b in flow.mesh.blocks] == [b.reference for b in mesh.blocks]
    assert "HigherOrderDegrees" not in flow.cell_data


@pytest.mark.parametrize("degrees", [(2, 2, 2), (3, 4, 3), (2, 3, 4)])
def test_hexahedra_of_old_files_are_read_as_vtk_reads_them(tmp_path, degrees):
    pytest.importorskip("vtkmodules", reason="vtk is not installed")
    from vtkmodules.util.numpy_support import vtk_to_numpy

    mesh = mesh_of(72, degrees)
    write_vtu(tmp_path / "new.vtu", mesh, {"U": mesh.points})
    new = (tmp_path / "new.vtu").read_bytes()
    assert b'version="2.1"' in new
    (tmp_path / "old.vtu").write_bytes(new.replace(b'version="2.1"', b'version="1.0"', 1))
    ours = flowgrad.read(tmp_path / "old.vtu").mesh.cells.connectivity
    theirs = vtk_to_numpy(read_with_vtk(tmp_path / "old.vtu").GetCells().GetConnectivityArray())
    np.testing.assert_array_equal(ours, theirs)
    assert (ours != mesh.cells.connectivity).any()


def test_cells_of_several_degrees_in_one_file(tmp_path):
    parts = [straight(reference(71, (p, p, p)), 1) for p in (1, 2, 3)]
    parts += [straight(reference(72, (2, 1, 3)), 1, degrees=(2, 1, 3))]
    shifts = np.cumsum([0, *(len(part.points) for part in parts)])
    sizes = np.concatenate([np.diff(part.cells.offsets) for part in parts])
    degrees = np.zeros((len(sizes), 3), np.int64)
    degrees[-1] = 2, 1, 3
    cells = Cells(
        np.concatenate([part.cells.types for part in parts]),
        np.concatenate([[0], np.cumsum(sizes)]),
        np.concatenate([part.cells.connectivity + shift for part, shift in zip(parts, shifts, strict=False)]),
        None,
        degrees,
    )
    mesh = Mesh(np.vstack([part.points for part in parts]), cells)
    write_vtu(tmp_path / "a.vtu", mesh, {"U": mesh.points @ np.diag([1, 2, -3])})
    result = velocity_gradient(flowgrad.read(tmp_path / "a.vtu"), "autodiff", at="cells")
    np.testing.assert_allclose(result.L, np.broadcast_to(np.diag([1.0, 2, -3]), (len(mesh), 3, 3)), atol=1e-12)


def test_damaged_degrees_are_refused(tmp_path):
    mesh = straight(reference(72, (2, 2, 2)))
    write_vtu(tmp_path / "a.vtu", mesh, {"U": mesh.points}, {"HigherOrderDegrees": np.full((len(mesh), 3), 2.5)})
    with pytest.raises(ReadError, match="not three whole numbers a cell"):
        flowgrad.read(tmp_path / "a.vtu")
    write_vtu(tmp_path / "a.vtu", mesh, {"U": mesh.points}, {"HigherOrderDegrees": np.full((len(mesh), 3), 3)})
    with pytest.raises(ReadError, match=r"degrees \(3, 3, 3\) has not 27 points"):
        flowgrad.read(tmp_path / "a.vtu")


def test_a_gradient_on_curved_cells_comes_back_from_its_file(tmp_path):
    mesh = mesh_of(25, None)
    result = velocity_gradient(Flow(mesh, mesh.points**2, "points"), "autodiff", at="points")
    flowgrad.write(tmp_path / "a.vtu", result)
    again = flowgrad.read(tmp_path / "a.vtu")
    np.testing.assert_array_equal(again.point_data["L"].reshape(-1, 3, 3), result.L)
