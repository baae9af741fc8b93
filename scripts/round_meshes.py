"""Meshes of prisms that follow a round wall: a pipe, and the shell around a sphere.

Layers of points stand on a surface of quads. The prism on a quad is a hexahedron, two wedges, or six tetrahedra: a
wedge on the triangle a < b < c (by number) falls into (a, b, c, c'), (a, b, c', b') and (a, b', c', a'), so that
neighbours share the diagonals of their faces (Dompierre, Labbé, Vallet & Camarero 1999, 8th Int. Meshing Roundtable).
"""

from __future__ import annotations

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.mesh.cells import Cells
from flowgrad.mesh.generate import block
from flowgrad.mesh.mesh import Mesh
from flowgrad.typing import FloatArray, IntArray

KINDS = {"hexahedron": 12, "wedge": 13, "tetra": 10}
# Where the faces of a curved wall meet it: at their points, or at their centroids.
TOUCH = ("points", "faces")
# Points of a wedge, its triangle sorted, in its three tetrahedra.
_IN_WEDGE = ((0, 1, 2, 5), (0, 1, 5, 4), (0, 4, 5, 3))
# Half the side of the square in the middle of a pipe, over its radius, and how far its corners are drawn in.
_CORE, _DRAWN = 0.5, 0.2
# Corrections after which the centroids of faces lie on the sphere to rounding.
_CORRECTIONS = 12


def sphere_shell(
    kind: str = "hexahedron",
    n: int = 16,
    layers: int = 8,
    radius: float = 1.0,
    outer: float = 2.0,
    touch: str = "points",
) -> Mesh:
    """The shell between a sphere of a ``radius`` at the origin and one ``outer`` times as large.

    The sphere is a cube of ``n`` × ``n`` quads a side, blown up; ``layers`` are thinnest at the wall, in geometric
    progression. The wall's faces ``touch`` the sphere with their ``points`` or with their centroids (``faces``).
    ``kind`` is ``hexahedron``, ``wedge`` or ``tetra``. OptionError for others.
    """
    _check(kind, touch)
    cube = block("hexahedron", n + 1, jitter=0.0)
    used, quads = np.unique(cube.topology.boundary_polygons[1], return_inverse=True)
    faces = _faces(kind, quads.reshape(-1, 4))
    wall = _unit(np.tan(np.pi / 4 * (2 * cube.points[used] - 1)))
    if touch == "faces":
        wall = _touching(faces, wall)
    return _prisms(kind, faces, radius * wall * outer ** np.linspace(0, 1, layers + 1)[:, None, None])


def pipe(
    kind: str = "hexahedron",
    n: int = 8,
    layers: int = 4,
    radius: float = 1.0,
    length: float = 1.0,
    touch: str = "points",
    rings: int | None = None,
) -> Mesh:
    """A pipe of a ``radius`` along z from 0 to ``length``, with ``layers`` of cells along it.

    The section is a square of ``n`` × ``n`` quads within ``rings`` of 4 n (half of n unless given); the other
    arguments are those of :func:`sphere_shell`.
    """
    _check(kind, touch)
    quads, section = _disc(n, max(n // 2, 1) if rings is None else rings)
    half = np.pi / (4 * n)
    if touch == "faces":
        # The centroid of a triangle lies at a third of its chord.
        section = section / np.hypot(np.cos(half), np.sin(half) / 3 if kind == "tetra" else 0.0)
    heights = np.linspace(0, length, layers + 1)[:, None, None] * [0.0, 0.0, 1.0]
    return _prisms(kind, _faces(kind, quads), radius * section + heights)


def _check(kind: str, touch: str) -> None:
    for value, name, known in ((kind, "kind", tuple(KINDS)), (touch, "touch", TOUCH)):
        if value not in known:
            raise OptionError(f"{name}='{value}' is unknown: choose one of {', '.join(known)}")


def _disc(n: int, rings: int) -> tuple[IntArray, FloatArray]:
    """Quads and points of a disc of radius 1: a square with its corners drawn in, and rings to the circle."""
    square = block("quad", n + 1, jitter=0.0)
    flat = 2 * square.points * (1, 1, 0) - (1, 1, 0)
    core = _CORE * flat * (1 - _DRAWN * flat[:, :1] ** 2 * flat[:, 1:2] ** 2)
    first, second = square.topology.boundary_polygons[1].reshape(-1, 2).T
    steps = np.linspace(0, 1, rings + 1)[1:, None, None]
    around = (1 - steps) * core[first] + steps * _unit(np.tan(np.pi / 4 * flat[first]))
    numbers = np.vstack([first[None], len(core) + np.arange(rings * len(first)).reshape(rings, -1)])
    following = np.argsort(first)[np.searchsorted(np.sort(first), second)]
    corners = numbers[:-1], numbers[1:], numbers[1:, following], numbers[:-1, following]
    quads = np.vstack([square.cells.connectivity.reshape(-1, 4), np.stack(corners, -1).reshape(-1, 4)])
    return quads, np.vstack([core, around.reshape(-1, 3)])


def _faces(kind: str, quads: IntArray) -> IntArray:
    """The quads, or two triangles of each."""
    return quads if kind == "hexahedron" else quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)


def _touching(faces: IntArray, directions: FloatArray) -> FloatArray:
    """Points in the directions (p, 3), moved out until the centroids of the faces lie on the unit sphere."""
    points = directions
    for _ in range(_CORRECTIONS):
        distance = np.sqrt((points[faces].mean(axis=1) ** 2).sum(axis=1))
        shares = np.bincount(faces.ravel(), np.repeat(1 / distance, faces.shape[1]))
        points = points * (shares / np.bincount(faces.ravel()))[:, None]
    return points


def _prisms(kind: str, faces: IntArray, layers: FloatArray) -> Mesh:
    """Prisms on each of the faces (m, 3 or 4) between each of the layers of points (k, p, 3) and the next."""
    steps = layers.shape[1] * np.arange(len(layers) - 1)[:, None, None]
    if kind == "tetra":
        faces = np.sort(faces, axis=1)
    bottom = (steps + faces).reshape(-1, faces.shape[1])
    rows = np.hstack([bottom, bottom + layers.shape[1]])
    points = layers.reshape(-1, 3)
    if kind == "tetra":
        rows = _positive(rows[:, _IN_WEDGE].reshape(-1, 4), points)
    return Mesh(points, Cells.of_type(KINDS[kind], rows))


def _positive(tetrahedra: IntArray, points: FloatArray) -> IntArray:
    """The tetrahedra, two points exchanged where the volume is negative."""
    a, b, c = (points[tetrahedra[:, i]] - points[tetrahedra[:, 0]] for i in (1, 2, 3))
    negative = (np.cross(a, b) * c).sum(axis=1) < 0
    return np.where(negative[:, None], tetrahedra[:, [0, 2, 1, 3]], tetrahedra)


def _unit(vectors: FloatArray) -> FloatArray:
    return vectors / np.sqrt((vectors**2).sum(axis=1, keepdims=True))
