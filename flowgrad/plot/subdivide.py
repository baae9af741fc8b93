"""Subdivision of curved cells into straight ones, which shows their edges and what their shape functions say."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from flowgrad.mesh import Cells, Mesh
from flowgrad.mesh.cells import offsets
from flowgrad.mesh.reference import shapes
from flowgrad.mesh.reference.shapes import Family
from flowgrad.typing import FloatArray, IntArray

# Parts of an edge for each degree, at most so many, and fewer where there would be more cells than these.
_PER_DEGREE, _PARTS, _MOST = 2, 8, 2_000_000
# Shape functions are compared in these units, no multiple of which is a fraction with a small denominator.
_UNIT = 1 / (1e6 * np.pi)
# Shape functions below this are rounding.
_ZERO = 1e-13


@dataclass(frozen=True, eq=False)
class Subdivision:
    """A mesh of straight cells; ``owners`` (k,) are the curved cells that they are parts of, ``weights`` (p, n) give
    values at its points from those at the points of the curved ones."""

    mesh: Mesh
    owners: IntArray
    weights: csr_array


def subdivided(mesh: Mesh, chosen: IntArray) -> Subdivision:
    """The chosen cells, all of them curved; points on what two cells share are one."""
    parts = list(_parts(mesh, chosen))
    keys = np.concatenate([part.keys(mesh.point_count) for part in parts])
    _, first, number = np.unique(keys, return_index=True, return_inverse=True)
    weights = _weights(parts, mesh.point_count)[first]
    types, sizes, points, owners = [], [], [], []
    start = 0
    for part in parts:
        count = part.rows.shape[0] * len(part.values)
        own = number[start : start + count].reshape(len(part.cells), -1)
        start += count
        for vtk_type, cells in part.sites.cells:
            rows = own[:, cells].reshape(-1, cells.shape[1])
            types.append(np.full(len(rows), vtk_type, np.uint8))
            sizes.append(np.full(len(rows), rows.shape[1]))
            points.append(rows.ravel())
            owners.append(np.repeat(part.cells, len(cells)))
    flat = Cells(np.concatenate(types), offsets(np.concatenate(sizes)), np.concatenate(points))
    return Subdivision(Mesh(weights @ mesh.points, flat), np.concatenate(owners), weights)


@dataclass(frozen=True, eq=False)
class RefinedCell:
    """Sites (s, d) in a reference cell and the cells between them: their VTK type and their sites (c, k)."""

    sites: FloatArray
    cells: tuple[tuple[int, IntArray], ...]


@dataclass(frozen=True, eq=False)
class _Part:
    """Curved cells of one type, the rows of their points, their sites and the shape functions there (s, k)."""

    cells: IntArray
    rows: IntArray
    sites: RefinedCell
    values: FloatArray

    def keys(self, point_count: int) -> NDArray[np.uint64]:
        """A number for each site that tells which points it is made of, at which shares: on a face that two cells
        share it is the same for both."""
        names = np.random.default_rng(0).integers(1, 2**63, point_count).astype(np.uint64)
        shares = np.round(self.values / _UNIT).astype(np.int64).view(np.uint64)
        return (names[self.rows] @ shares.T).ravel()


def _parts(mesh: Mesh, chosen: IntArray) -> Iterator[_Part]:
    wanted = np.zeros(len(mesh), bool)
    wanted[chosen] = True
    for block in mesh.blocks:
        own, reference = wanted[block.cells], block.reference
        if not own.any() or block.rows is None or reference.family is None:
            continue
        parts = min(_PER_DEGREE * reference.degree, _PARTS)
        while parts > 1 and len(chosen) * parts**reference.dimension > _MOST:
            parts -= 1
        sites = refined(reference.family, parts)
        values = reference.values(sites.sites)
        yield _Part(block.cells[own], block.rows[own], sites, np.where(np.abs(values) > _ZERO, values, 0.0))


def _weights(parts: list[_Part], point_count: int) -> csr_array:
    """The shape functions at all sites of all cells (sites, points)."""
    data, columns, counts = [], [], []
    for part in parts:
        shape = (len(part.rows), *part.values.shape)
        data.append(np.broadcast_to(part.values, shape).ravel())
        columns.append(np.broadcast_to(part.rows[:, None], shape).ravel())
        counts.append(np.full(shape[0] * shape[1], shape[2]))
    start = offsets(np.concatenate(counts))
    weights = csr_array((np.concatenate(data), np.concatenate(columns), start), (len(start) - 1, point_count))
    weights.eliminate_zeros()
    return weights


@cache
def refined(family: Family, n: int) -> RefinedCell:
    """A cell of a family whose edges are cut into ``n`` parts, as cells of its own kind (pyramids: and tetrahedra)."""
    if family is shapes.PYRAMID:
        return _pyramid(n)
    if family is shapes.WEDGE:
        return _wedge(n)
    if family in (shapes.TRIANGLE, shapes.TETRA):
        return _simplex(n, family.dimension)
    return _box(n, family.dimension)


def _box(n: int, d: int) -> RefinedCell:
    """Squares or cubes."""
    sites = list(product(range(n + 1), repeat=d))
    number = {site: k for k, site in enumerate(sites)}
    family = shapes.QUAD if d == 2 else shapes.HEXAHEDRON
    corners = family.corners.astype(int)
    cells = [[number[tuple(np.add(each, c))] for c in corners] for each in product(range(n), repeat=d)]
    return RefinedCell(np.array(sites) / n, ((9 if d == 2 else 12, np.array(cells)),))


def _simplex(n: int, d: int) -> RefinedCell:
    """Triangles or tetrahedra: those of Kuhn (1960, IBM J. Res. Dev. 4, 518) in n ≥ x ≥ y ≥ z ≥ 0."""
    sites = [each for each in product(range(n + 1), repeat=d) if list(each) == sorted(each, reverse=True)]
    number = {site: k for k, site in enumerate(sites)}
    ways = [
        np.vstack([np.zeros(d, int), np.cumsum(np.eye(d, dtype=int)[list(p)], axis=0)]) for p in permutations(range(d))
    ]
    cells = []
    for start, way in product(product(range(n), repeat=d), ways):
        corners = [tuple(np.add(start, step)) for step in way]
        if all(corner in number for corner in corners):
            cells.append([number[corner] for corner in corners])
    at = np.array(sites)
    places = np.column_stack([at[:, :-1] - at[:, 1:], at[:, -1]]) / n
    return RefinedCell(places, ((5 if d == 2 else 10, np.array(cells)),))


def _wedge(n: int) -> RefinedCell:
    """Layers of wedges over triangles."""
    base = _simplex(n, 2)
    (_, triangles), count = base.cells[0], len(base.sites)
    sites = np.vstack([np.column_stack([base.sites, np.full(count, k / n)]) for k in range(n + 1)])
    cells = np.vstack([np.hstack([triangles + k * count, triangles + (k + 1) * count]) for k in range(n)])
    return RefinedCell(sites, ((13, cells),))


def _pyramid(n: int) -> RefinedCell:
    """Pyramids upright and upside down, and tetrahedra between their sides."""
    sites: list[tuple[int, ...]] = [(i, j, k) for k in range(n + 1) for i in range(n - k + 1) for j in range(n - k + 1)]
    number = {site: k for k, site in enumerate(sites)}
    square = ((0, 0), (1, 0), (1, 1), (0, 1))
    upright = [
        [*(number[i + a, j + b, k] for a, b in square), number[i, j, k + 1]]
        for k in range(n)
        for i, j in product(range(n - k), repeat=2)
    ]
    hanging = [
        [*(number[i + a, j + b, k + 1] for a, b in square[::-1]), number[i + 1, j + 1, k]]
        for k in range(n)
        for i, j in product(range(n - k - 1), repeat=2)
    ]
    between = []
    for k in range(n):
        for i, j in product(range(n - k), range(1, n - k)):
            between.append([number[i, j, k], number[i + 1, j, k], number[i, j - 1, k + 1], number[i, j, k + 1]])
            between.append([number[j, i, k], number[j, i + 1, k], number[j - 1, i, k + 1], number[j, i, k + 1]])
    at = np.array(sites, float)
    places = np.column_stack([at[:, 0] + at[:, 2] / 2, at[:, 1] + at[:, 2] / 2, at[:, 2]]) / n
    cells = [(14, np.array(upright + hanging))]
    if between:
        cells.append((10, np.array(between)))
    return RefinedCell(places, tuple(cells))
