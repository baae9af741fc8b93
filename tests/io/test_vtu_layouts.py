"""Random arrays in random layouts, every array bit for bit as VTK's own reader has it; all of VTK's cell types."""

from __future__ import annotations

import re
from itertools import product

import numpy as np
import pytest

pytest.importorskip("vtkmodules", reason="compares with VTK's own reader and writer")

from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonCore import vtkPoints
from vtkmodules.vtkCommonDataModel import vtkUnstructuredGrid

from flowgrad import ReadError
from flowgrad.io import read_contents
from flowgrad.mesh import LAGRANGE_CELLS, REFERENCE_CELLS, cell_name
from tests.io.test_vtu import LAYOUTS, array, ascii_vtu, piece
from tests.io.vtk_twin import assert_same_arrays, assert_same_mesh, read_with_vtk, vtk_arrays, write_with_vtk

KINDS = [*(f"{sign}{size}" for sign, size in product("iu", (1, 2, 4, 8))), "f4", "f8"]
NAMES = ("U", "p π", "0", "velocity magnitude", "grad(U)", "vtkGhostType_", "名")
RUNS = 300


def random_values(rng: np.random.Generator, count: int) -> np.ndarray:
    kind, components = np.dtype(KINDS[rng.integers(len(KINDS))]), int(rng.integers(1, 10))
    data = np.frombuffer(rng.bytes(count * components * kind.itemsize), kind)
    if kind.kind == "f":
        data = np.where(np.isnan(data), np.array(np.nan, kind), data)
    return data.reshape(count, components) if components > 1 else data


def random_grid(rng: np.random.Generator) -> vtkUnstructuredGrid:
    """Points and vertices, none of either sometimes, and up to four arrays on each."""
    points, cells = (int(rng.integers(0, 40)) if rng.random() > 0.15 else 0 for _ in range(2))
    grid, positions = vtkUnstructuredGrid(), vtkPoints()
    positions.SetData(numpy_to_vtk(rng.normal(size=(points, 3)).astype(("f4", "f8")[rng.integers(2)]), deep=True))
    grid.SetPoints(positions)
    for _ in range(cells if points else 0):
        grid.InsertNextCell(1, 1, [int(rng.integers(points))])
    for data, count in ((grid.GetPointData(), points), (grid.GetCellData(), grid.GetNumberOfCells())):
        for name in rng.choice(NAMES, rng.integers(0, 5), replace=False):
            values = numpy_to_vtk(random_values(rng, count), deep=True)
            values.SetName(str(name))
            data.AddArray(values)
    return grid


@pytest.mark.parametrize("seed", range(10))
def test_random_arrays_are_those_of_vtk(tmp_path, seed):
    path = tmp_path / "random.vtu"
    for run in range(RUNS // 10):
        rng = np.random.default_rng((seed, run))
        mode, base64, compressor, header, order = LAYOUTS[rng.integers(len(LAYOUTS))]
        block = int(rng.choice([64, 200, 4096]))
        pieces = int(rng.integers(1, 4))
        write_with_vtk(random_grid(rng), path, mode, base64, compressor, header, block, pieces, order=order)
        ours, theirs = read_contents(path), read_with_vtk(path)
        assert len(ours.mesh) == theirs.GetNumberOfCells()
        if len(ours.mesh.points):
            assert_same_mesh(ours.mesh, theirs)
        for data, of_vtk in ((ours.point_data, theirs.GetPointData()), (ours.cell_data, theirs.GetCellData())):
            there = vtk_arrays(of_vtk)
            # VTK leaves out what is empty in a file of no points or cells; we keep the names.
            assert_same_arrays(data, there) if there else np.testing.assert_equal(sum(map(np.size, data.values())), 0)


def sizes(kind: int) -> int:
    cell = REFERENCE_CELLS.get(kind)
    if cell is None:
        # Linear Lagrange cells; the others are refused for what they are, whatever their points.
        return LAGRANGE_CELLS[kind].family.corners.shape[0] if kind in LAGRANGE_CELLS else 4
    return cell.size or 5


@pytest.mark.parametrize("kind", [kind for kind in range(82) if kind != 42])
def test_every_cell_type_is_that_of_vtk_or_refused(tmp_path, kind):
    """Polyhedra (42) are compared with their faces, in test_vtu.py."""
    path, size = tmp_path / "one.vtu", sizes(kind)
    extra = array("faceoffsets", "-1 -1", "Int32")
    path.write_text(ascii_vtu(piece(30, (kind, " ".join(map(str, range(size)))), (1, "3"), extra=extra)))
    if kind in REFERENCE_CELLS or kind in LAGRANGE_CELLS:
        assert_same_mesh(read_contents(path).mesh, read_with_vtk(path))
        return
    with pytest.raises(ReadError, match=re.escape(f"1 cells of the type {cell_name(kind)} ({kind}) are not supported")):
        read_contents(path)
