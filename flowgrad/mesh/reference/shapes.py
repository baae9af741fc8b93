"""Reference shapes, the seven of them: corners, faces, half-spaces and Gauss rules, whatever the degree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from flowgrad.typing import FloatArray

Face = tuple[int, ...]

# Nodes this near to an edge of the reference cell lie on it; they are multiples of small fractions.
_ON_EDGE = 1e-9


@dataclass(frozen=True, eq=False)
class Family:
    """A reference shape in [0, 1]^d: ``corners`` (c, d), ``faces`` as corner numbers with their normals
    outward, ``volume``, the ``walls`` (f, d + 1) of which x is inside where walls·(x, 1) ≤ 0, and
    ``collapse``, which maps the unit cube onto the shape with a det J that is the product of (1 − x_k)^``powers``_k,
    and ``spans``, which gives at sites (m, d) the directions (m, d, d), one a row, in which the shape extends from
    there: along its edges at a corner.

    ``dimension`` is the number of reference coordinates, ``center`` (d,) the mean of the corners; the first
    ``simplicial`` coordinates are those of a triangle or tetrahedron.
    The pyramid is the true one, apex above the centre of its base: x and y run from z/2 to 1 − z/2.
    """

    name: str
    corners: FloatArray
    faces: tuple[Face, ...]
    volume: float
    walls: FloatArray
    powers: tuple[int, ...]
    collapse: Callable[[FloatArray], FloatArray]
    spans: Callable[[FloatArray], FloatArray]
    dimension: int = field(init=False)
    center: FloatArray = field(init=False)
    simplicial: int = field(init=False)

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "dimension", self.corners.shape[1])
        put(self, "simplicial", {"triangle": 2, "wedge": 2, "tetra": 3}.get(self.name, 0))
        put(self, "center", np.asarray(self.corners.mean(axis=0)))

    def outside(self, xi: FloatArray) -> FloatArray:
        """How far positions (m, d) lie outside (m,), in units of the cell; negative inside."""
        return np.asarray((xi @ self.walls[:, :-1].T + self.walls[:, -1]).max(axis=1))

    def gauss(self, count: int) -> tuple[FloatArray, FloatArray]:
        """Sites (s, d) and weights (s,), exact to the degree 2 ``count`` − 1: the conical product of ``count`` points a
        direction, Gauss–Jacobi's for (1 − x)^p (Stroud 1971, Approximate Calculation of Multiple Integrals, §2.5)."""
        from scipy.special import roots_jacobi

        rules = [roots_jacobi(count, power, 0) for power in self.powers]
        grid = np.meshgrid(*[(x + 1) / 2 for x, _ in rules], indexing="ij")
        weights = np.meshgrid(*[w / 2 ** (1 + p) for (_, w), p in zip(rules, self.powers, strict=True)], indexing="ij")
        sites = self.collapse(np.stack(grid, -1).reshape(-1, self.dimension))
        return sites, np.prod(weights, axis=0).ravel()

    def node_faces(self, nodes: FloatArray) -> tuple[Face, ...]:
        """Faces as node numbers: the nodes on their edges in ring order (on an edge: from end to end).

        Nodes inside a face are left out: the ring tells which faces are the same, and is a polygon.
        """
        if self.dimension == 1:
            return self.faces
        if self.dimension == 2:
            return tuple((a, *between(nodes, a, b), b) for a, b in self.faces)
        rings = ((*face, face[0]) for face in self.faces)
        return tuple(tuple(n for a, b in pairwise(ring) for n in (a, *between(nodes, a, b))) for ring in rings)


def between(nodes: FloatArray, a: int, b: int) -> list[int]:
    """Nodes on the straight way from node a to node b, without the two."""
    way = nodes[b] - nodes[a]
    share = (nodes - nodes[a]) @ way / (way @ way)
    off = np.abs(nodes - nodes[a] - share[:, None] * way).max(axis=1)
    inner = np.flatnonzero((off < _ON_EDGE) & (share > _ON_EDGE) & (share < 1 - _ON_EDGE))
    return [int(n) for n in inner[np.argsort(share[inner])]]


def _simplex(x: FloatArray) -> FloatArray:
    """Each coordinate shrinks with what the later ones leave of the whole."""
    left, sites = np.ones(len(x)), np.empty_like(x)
    for k in reversed(range(x.shape[1])):
        sites[:, k] = x[:, k] * left
        left = left - sites[:, k]
    return sites


def _axes(x: FloatArray) -> FloatArray:
    return np.tile(np.eye(x.shape[1]), (len(x), 1, 1))


def _towards_corners(x: FloatArray) -> FloatArray:
    """In a simplex to its corners, but for the one whose barycentric coordinate is the largest."""
    corners = np.vstack([np.zeros(x.shape[1]), np.eye(x.shape[1])])
    nearest = np.column_stack([1 - x.sum(axis=1), x]).argmax(axis=1)
    others = np.array([np.delete(corners, corner, axis=0) for corner in nearest])
    return np.asarray(others - x[:, None])


def _in_prism(x: FloatArray) -> FloatArray:
    found = _axes(x)
    found[:, :2, :2] = _towards_corners(x[:, :2])
    return found


def _towards_apex(x: FloatArray) -> FloatArray:
    """In a pyramid along the sides of the section through a site, and to the apex."""
    found = _axes(x) * (1 - x[:, 2])[:, None, None]
    found[:, 2] = np.array([0.5, 0.5, 1.0]) - x
    return found


def extruded(base: FloatArray) -> FloatArray:
    """A surface cell's corners at z = 0 and again at z = 1."""
    return np.vstack([np.column_stack([base, np.full(len(base), z)]) for z in (0.0, 1.0)])


def prism_faces(n: int) -> tuple[Face, ...]:
    """Faces of a prism over a polygon of n corners, their normals outward."""
    bottom, top = tuple(range(n))[::-1], tuple(range(n, 2 * n))
    return (bottom, top, *((i, (i + 1) % n, n + (i + 1) % n, n + i) for i in range(n)))


def _box_walls(dimension: int) -> FloatArray:
    eye, one = np.eye(dimension), np.ones((dimension, 1))
    return np.vstack([np.hstack([-eye, 0 * one]), np.hstack([eye, -one])])


_LINE = np.array([[0.0], [1]])
_SQUARE = np.array([[0.0, 0], [1, 0], [1, 1], [0, 1]])
_TRIANGLE = np.array([[0.0, 0], [1, 0], [0, 1]])
_TETRA = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]])
_PYRAMID = np.vstack([np.column_stack([_SQUARE, np.zeros(4)]), [[0.5, 0.5, 1.0]]])
_SIDES3, _SIDES4 = ((0, 1), (1, 2), (2, 0)), ((0, 1), (1, 2), (2, 3), (3, 0))
_TETRA_FACES = ((0, 2, 1), (0, 1, 3), (1, 2, 3), (2, 0, 3))
_PYRAMID_FACES = ((3, 2, 1, 0), (0, 1, 4), (1, 2, 4), (2, 3, 4), (3, 0, 4))
_TRIANGLE_WALLS = np.array([[-1.0, 0, 0], [0, -1, 0], [1, 1, -1]])
_TETRA_WALLS = np.array([[-1.0, 0, 0, 0], [0, -1, 0, 0], [0, 0, -1, 0], [1, 1, 1, -1]])
_WEDGE_WALLS = np.array([[-1.0, 0, 0, 0], [0, -1, 0, 0], [1, 1, 0, -1], [0, 0, -1, 0], [0, 0, 1, -1]])
_PYRAMID_WALLS = np.array([[0, 0, -1.0, 0], [-1, 0, 0.5, 0], [1, 0, 0.5, -1], [0, -1, 0.5, 0], [0, 1, 0.5, -1]])

LINE = Family("line", _LINE, ((0,), (1,)), 1.0, _box_walls(1), (0,), lambda x: x, _axes)
TRIANGLE = Family("triangle", _TRIANGLE, _SIDES3, 1 / 2, _TRIANGLE_WALLS, (0, 1), _simplex, _towards_corners)
QUAD = Family("quad", _SQUARE, _SIDES4, 1.0, _box_walls(2), (0, 0), lambda x: x, _axes)
TETRA = Family("tetra", _TETRA, _TETRA_FACES, 1 / 6, _TETRA_WALLS, (0, 1, 2), _simplex, _towards_corners)
HEXAHEDRON = Family("hexahedron", extruded(_SQUARE), prism_faces(4), 1.0, _box_walls(3), (0, 0, 0), lambda x: x, _axes)
WEDGE = Family(
    *("wedge", extruded(_TRIANGLE), prism_faces(3), 1 / 2, _WEDGE_WALLS, (0, 1, 0)),
    collapse=lambda x: np.column_stack([_simplex(x[:, :2]), x[:, 2]]),
    spans=_in_prism,
)
PYRAMID = Family(
    *("pyramid", _PYRAMID, _PYRAMID_FACES, 1 / 3, _PYRAMID_WALLS, (0, 0, 2)),
    collapse=lambda x: np.hstack([x[:, 2:] / 2 + x[:, :2] * (1 - x[:, 2:]), x[:, 2:]]),
    spans=_towards_apex,
)
