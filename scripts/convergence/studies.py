"""Convergence studies: schemes, the meshes that they are measured on, and the orders that they must show."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from flowgrad.exact import Waves
from flowgrad.gradient import Autodiff, FiniteDifference
from flowgrad.mesh import Cells, Lattice, Mesh
from flowgrad.mesh.generate import block, quadratic
from scripts.convergence.orders import Row, Study

# Half a wave or so across the unit box.
_SPACE = Waves(
    np.array([[2.1, 1.1, -0.8], [-0.7, 1.9, 1.3], [1.2, -0.9, 2.2]]),
    np.array([[1.0, 0.4, -0.3], [-0.5, 1.0, 0.3], [0.2, -0.4, 1.0]]),
    np.array([0.3, 1.1, 2.0]),
)
_PLANE = Waves(_SPACE.wave_vectors * [1, 1, 0], _SPACE.amplitudes * [1, 1, 0], _SPACE.phases)
# Twice as many on lattices, whose errors would be rounding otherwise.
_SHORT = Waves(2 * _SPACE.wave_vectors, _SPACE.amplitudes, _SPACE.phases)
_EDGES = (15, 25, 41)
_FITS = (1, 2, 3, 4)
_LATTICE = (2, 4, 6, 8)


def studies() -> Iterator[Study]:
    """All of them, autodiff first."""
    yield from _autodiff()
    yield from _fits()
    yield from _lattices()


def _autodiff() -> Iterator[Study]:
    rows = tuple(Row(f"at {at}", Autodiff(), at, 1) for at in ("cells", "points"))
    second = tuple(Row(f"at {at}", Autodiff(), at, 2, with_estimate=False) for at in ("cells", "points"))
    title = "autodiff, values at the points of {}"
    yield Study(title.format("triangles"), partial(_triangles), (17, 33, 65), _PLANE, "points", rows)
    yield Study(title.format("tetrahedra"), partial(_tetrahedra), (9, 13, 19), _SPACE, "points", rows)
    yield Study(title.format("quadratic tetrahedra"), _quadratic, (5, 8, 12), _SPACE, "points", second)


def _fits() -> Iterator[Study]:
    for location, sizes in (("points", (9, 13, 19)), ("cells", (7, 9, 13))):
        rows = tuple(Row(f"order {p}", FiniteDifference(order=p, lattice=False), location, p) for p in _FITS)
        title = f"finite differences, values at the {location} of "
        yield Study(title + "triangles", _triangles, (17, 33, 65), _PLANE, location, rows)
        yield Study(title + "tetrahedra", _tetrahedra, sizes, _SPACE, location, rows)
    rows = tuple(Row(f"order {p}", FiniteDifference(order=p), "points", p, False) for p in _FITS)
    title = "finite differences, scattered points in a {}"
    yield Study(title.format("square"), partial(_cloud, dimension=2), (16, 24, 36, 54), _PLANE, "points", rows)
    yield Study(title.format("cube"), partial(_cloud, dimension=3), (8, 11, 15, 20), _SPACE, "points", rows)


def _lattices() -> Iterator[Study]:
    rows = tuple(Row(f"order {p}", FiniteDifference(order=p), "points", p) for p in _LATTICE)
    for name, make in (("uniform", _uniform), ("stretched", _stretched), ("curvilinear", _curvilinear)):
        yield Study(f"finite differences, {name} lattice", make, _EDGES, _SHORT, "points", rows)


def _triangles(n: int) -> Mesh:
    return block("triangle", n, jitter=0.2, seed=n)


def _tetrahedra(n: int) -> Mesh:
    return block("tetra", n, seed=n)


def _quadratic(n: int) -> Mesh:
    return quadratic(_tetrahedra(n))


def _cloud(n: int, dimension: int) -> Mesh:
    """Points in the unit box that lie nowhere in particular, one near each of n^d places."""
    index = np.stack(np.meshgrid(*[np.arange(n)] * dimension, indexing="ij"), -1).reshape(-1, dimension)
    points = np.zeros((len(index), 3))
    points[:, :dimension] = (index + np.random.default_rng(n).uniform(0, 1, index.shape)) / n
    return Mesh(points, Cells.empty())


def _uniform(n: int) -> Lattice:
    return Lattice.uniform((n, n, n), 1 / (n - 1))


def _stretched(n: int) -> Lattice:
    """Spacings that are finer towards the ends."""
    x = 0.5 + 0.5 * np.tanh(np.linspace(-1, 1, n)) / np.tanh(1)
    return Lattice.rectilinear(x, x, x)


def _curvilinear(n: int) -> Lattice:
    s = np.linspace(0, 1, n)
    x = np.stack(np.meshgrid(s, s, s, indexing="ij"), -1)
    return Lattice.curvilinear(x + 0.1 * np.sin(2 * x[..., [1, 2, 0]] + [0, 1, 2]))
