"""Generated meshes: blocks of cells with points moved at random, which schemes are measured on."""

from __future__ import annotations

import numpy as np

from flowgrad.mesh.cells import Cells
from flowgrad.mesh.mesh import Mesh
from flowgrad.mesh.reference.cell import VTK

# The corners of a cube that are those of the tetrahedra and of the wedges that fill it.
_TETRAHEDRA = ((0, 1, 2, 6), (0, 2, 3, 6), (0, 3, 7, 6), (0, 7, 4, 6), (0, 4, 5, 6), (0, 5, 1, 6))
_WEDGES = ((0, 1, 2, 4, 5, 6), (0, 2, 3, 4, 6, 7))
_TRIANGLES = ((0, 1, 2), (0, 2, 3))
_CORNERS = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [0, 1, 1]])
# VTK type, dimension, and the cells in a cube or a square.
_KINDS: dict[str, tuple[VTK, int, tuple[tuple[int, ...], ...]]] = {
    "triangle": (VTK.TRIANGLE, 2, _TRIANGLES),
    "quad": (VTK.QUAD, 2, (tuple(range(4)),)),
    "tetra": (VTK.TETRA, 3, _TETRAHEDRA),
    "hexahedron": (VTK.HEXAHEDRON, 3, (tuple(range(8)),)),
    "wedge": (VTK.WEDGE, 3, _WEDGES),
}


def block(kind: str, n: int, size: float = 1.0, jitter: float = 0.15, seed: int = 0) -> Mesh:
    """A cube or square [0, size]^d of ``triangle``, ``quad``, ``tetra``, ``hexahedron`` or ``wedge`` cells.

    It has ``n`` points a side; points inside are moved by up to ± ``jitter`` spacings in each component,
    those on the boundary stay.
    """
    vtk_type, dimension, parts = _KINDS[kind]
    index = np.stack(np.meshgrid(*[np.arange(n)] * dimension, indexing="ij"), -1).reshape(-1, dimension)
    moves = np.random.default_rng(seed).uniform(-jitter, jitter, index.shape)
    moves *= ((index > 0) & (index < n - 1)).all(axis=1, keepdims=True)
    points = np.zeros((len(index), 3))
    points[:, :dimension] = (index + moves) * (size / (n - 1))
    number = np.arange(n**dimension).reshape((n,) * dimension)
    corners = _CORNERS[: 2**dimension, :dimension]
    cubes = np.stack([number[tuple(slice(c, n - 1 + c) for c in corner)].ravel() for corner in corners], axis=1)
    return Mesh(points, Cells.of_type(vtk_type, cubes[:, parts].reshape(-1, len(parts[0]))))


def quadratic(mesh: Mesh) -> Mesh:
    """Triangles or tetrahedra of a mesh as quadratic ones, with points at the middle of their edges."""
    rows = mesh.cells.connectivity.reshape(len(mesh), -1)
    pairs = ((0, 1), (1, 2), (2, 0), (0, 3), (1, 3), (2, 3))[: 3 if rows.shape[1] == 3 else 6]
    edges = np.sort(rows[:, pairs], axis=2).reshape(-1, 2)
    unique, number = np.unique(edges[:, 0] * mesh.point_count + edges[:, 1], return_inverse=True)
    ends = np.stack(np.divmod(unique, mesh.point_count), axis=1)
    points = np.vstack([mesh.points, mesh.points[ends].mean(axis=1)])
    kind = VTK.QUADRATIC_TRIANGLE if len(pairs) == 3 else VTK.QUADRATIC_TETRA
    middles = mesh.point_count + number.reshape(len(rows), -1)
    return Mesh(points, Cells.of_type(kind, np.hstack([rows, middles])))
