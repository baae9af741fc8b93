"""A mesh with every kind of cell, made by hand, and its twin in VTK."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flowgrad import Cells, Mesh, ReadError
from flowgrad.mesh import CellFaces
from tests.io.vtk_twin import attach_arrays

# Type and points of each cell; the polyhedra are a cube and a pyramid in the corner of the lattice.
CELLS = (
    (12, (0, 1, 4, 3, 9, 10, 13, 12)),
    (42, (1, 2, 5, 4, 10, 11, 14, 13)),
    (10, (3, 4, 7, 12)),
    (13, (3, 4, 6, 12, 13, 15)),
    (14, (4, 5, 8, 7, 13)),
    (11, (9, 10, 12, 13, 18, 19, 21, 22)),
    (42, (10, 11, 14, 13, 20)),
    (5, (0, 1, 3)),
    (9, (1, 2, 5, 4)),
    (8, (9, 10, 12, 13)),
    (7, (0, 1, 2, 5, 4)),
    (3, (0, 26)),
    (4, (0, 1, 2, 5)),
    (1, (7,)),
    (2, (6, 7, 8)),
)
FACES = {
    1: ((1, 4, 5, 2), (10, 11, 14, 13), (1, 2, 11, 10), (2, 5, 14, 11), (5, 4, 13, 14), (4, 1, 10, 13)),
    6: ((10, 13, 14, 11), (10, 11, 20), (11, 14, 20), (14, 13, 20), (13, 10, 20)),
}


def lattice_points() -> np.ndarray:
    z, y, x = np.meshgrid(*[np.arange(3.0)] * 3, indexing="ij")
    return np.column_stack([x.ravel(), y.ravel(), z.ravel()])


@pytest.fixture
def refused() -> Callable[[Path, str], AbstractContextManager[None]]:
    """A block that must raise a ReadError of one line: the file, then a text with this pattern.

    The pattern is not looked for in the file's name, of which pytest makes the test's own name.
    """

    @contextmanager
    def expect(path: Path, pattern: str) -> Iterator[None]:
        with pytest.raises(ReadError) as caught:
            yield
        message = str(caught.value)
        assert message.startswith(f"{path}: ")
        assert re.search(pattern, message.replace(str(path), ""))
        assert "\n" not in message

    return expect


@pytest.fixture
def mixed_mesh() -> Mesh:
    sizes = [len(points) for _, points in CELLS]
    faces = [face for cell in FACES.values() for face in cell]
    return Mesh(
        lattice_points() * [0.1, 1.0, 3.0],
        Cells(
            np.array([kind for kind, _ in CELLS], np.uint8),
            np.concatenate([[0], np.cumsum(sizes)]),
            np.concatenate([points for _, points in CELLS]).astype(np.int64),
            CellFaces(
                np.concatenate(faces).astype(np.int64),
                np.concatenate([[0], np.cumsum([len(face) for face in faces])]),
                np.concatenate([[0], np.cumsum([len(FACES.get(cell, ())) for cell in range(len(CELLS))])]),
            ),
        ),
    )


@pytest.fixture
def arrays() -> Callable[[int], dict[str, np.ndarray]]:
    """Arrays of all types, shapes and special values for so many rows."""

    def make(count: int) -> dict[str, np.ndarray]:
        rng = np.random.default_rng(count)
        odd = rng.normal(size=count)
        odd[:4] = np.nan, np.inf, -np.inf, 1e-310
        return {
            "U": rng.normal(size=(count, 3)),
            "gradU": rng.normal(size=(count, 9)),
            "vorticity": rng.normal(size=(count, 3)).astype(np.float32),
            "p π": odd,
            "planar": rng.normal(size=(count, 2)),
            "sigma": rng.normal(size=(count, 6)).astype(np.float32),
            **{
                f"{sign}{bits}": rng.integers(0, 2 ** min(bits - 1, 50), count).astype(f"{sign}{bits // 8}")
                for sign in "iu"
                for bits in (8, 16, 32, 64)
            },
        }

    return make


@pytest.fixture
def vtk_grid(mixed_mesh: Mesh, arrays: Callable[[int], dict[str, np.ndarray]]) -> Any:
    """The mixed mesh with arrays as VTK's own object."""
    pytest.importorskip("vtkmodules", reason="compares with VTK's own reader and writer")
    from vtkmodules.vtkCommonCore import vtkIdList
    from vtkmodules.vtkCommonDataModel import vtkUnstructuredGrid

    grid = vtkUnstructuredGrid()
    grid.SetPoints(_vtk_points(mixed_mesh.points))
    for cell, (kind, points) in enumerate(CELLS):
        entries = points
        if kind == 42:
            entries = (len(FACES[cell]), *(n for face in FACES[cell] for n in (len(face), *face)))
        ids = vtkIdList()
        for entry in entries:
            ids.InsertNextId(entry)
        grid.InsertNextCell(kind, ids)
    attach_arrays(grid, arrays)
    return grid


def _vtk_points(points: np.ndarray) -> Any:
    from vtkmodules.util.numpy_support import numpy_to_vtk
    from vtkmodules.vtkCommonCore import vtkPoints

    result = vtkPoints()
    result.SetData(numpy_to_vtk(points, deep=True))
    return result


@pytest.fixture(scope="session")
def data_folder() -> Path:
    return Path(__file__).parents[2] / "data"
