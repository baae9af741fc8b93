"""Compiled moments of cells: averages of monomials over them, by quadrature on their simplices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numba import prange

from flowgrad.compiled import called, kernel
from flowgrad.errors import MeshError
from flowgrad.gradient.local_fits.directions import Directions
from flowgrad.gradient.local_fits.fit_kernels import principal_axes
from flowgrad.gradient.local_fits.fits import AveragingNodes, monomials
from flowgrad.mesh import Mesh
from flowgrad.typing import FloatArray


@called
def _cell_frame(points: Any, row: Any, centre: Any, rank: int, T: Any, S: Any, Q: Any) -> None:
    """x̂ = T (x − centre): along the principal axes of the cell's points, of the order of one in it."""
    for i in range(3):
        for j in range(3):
            S[i, j] = 0.0
    for p in row:
        for i in range(rank):
            for j in range(rank):
                S[i, j] += (points[p, i] - centre[i]) * (points[p, j] - centre[j]) / len(row)
    principal_axes(S, Q, rank)
    for i in range(3):
        for k in range(3):
            T[i, k] = Q[i, k] / math.sqrt(S[i, i]) if i < rank else 0.0


@called
def _add_simplex(
    corners: Any, volume: float, quadrature: Any, centre: Any, T: Any, table: Any, mono: Any, total: Any
) -> None:
    """Add the integrals of the monomials over one simplex with the given corners (d + 1, 3)."""
    (bary, shares), (parent, axis) = quadrature, table
    x, xi = np.empty(3), np.empty(3)
    for q in range(len(shares)):
        for k in range(3):
            x[k] = -centre[k]
            for c in range(len(corners)):
                x[k] += bary[q, c] * corners[c, k]
        for i in range(3):
            xi[i] = T[i, 0] * x[0] + T[i, 1] * x[1] + T[i, 2] * x[2]
        for a in range(len(parent)):
            if axis[a] < 0:
                mono[a] = 1.0
            else:
                mono[a] = xi[axis[a]] * (mono[parent[a]] if parent[a] >= 0 else 1.0)
            total[a] += volume * shares[q] * mono[a]


@called
def _mean(points: Any, row: Any, origin: Any, mean: Any) -> None:
    for k in range(3):
        mean[k] = 0.0
        for p in row:
            mean[k] += (points[p, k] - origin[k]) / len(row)


@kernel(parallel=True)
def cell_moments(
    points: Any, corners_of: Any, faces_of: Any, centres: Any, cells: Any, rank: int, quadrature: Any, table: Any
) -> Any:
    """Averages (n, k) of the monomials of x̂ over the cells, and the frames T (n, 3, 3) of x̂.

    ``quadrature`` of simplices is barycentric nodes (q, d + 1) and shares, ``table`` the monomials' parents and axes.
    Cells have their corners as offsets and connectivity, and their faces as connectivity and two offsets. Solids are
    split over their faces, fanned about the vertex means, from their first point; polygons about their vertex mean.
    Positions count from the first point: the simplices of a thin cell far from the origin would lose their volumes to
    rounding.
    """
    (offsets, connectivity), (faces, face_offsets, cell_faces) = corners_of, faces_of
    n, k, d = len(cells), len(table[0]), quadrature[0].shape[1] - 1
    moments, frames = np.zeros((n, k)), np.zeros((n, 3, 3))
    for i in prange(n):
        c = cells[i]
        row = connectivity[offsets[c] : offsets[c + 1]]
        T, S, Q = frames[i], np.empty((3, 3)), np.empty((3, 3))
        _cell_frame(points, row, centres[c], rank, T, S, Q)
        corners, mono = np.zeros((d + 1, 3)), np.empty(k)
        o = points[row[0]]
        centre = centres[c] - o
        for f in range(cell_faces[c], cell_faces[c + 1]):
            face = faces[face_offsets[f] : face_offsets[f + 1]]
            if d == 3:
                _mean(points, face, o, corners[1])
                for j in range(len(face)):
                    corners[2], corners[3] = points[face[j]] - o, points[face[(j + 1) % len(face)]] - o
                    a, b, e = corners[1], corners[2], corners[3]
                    volume = a[0] * (b[1] * e[2] - b[2] * e[1]) + a[1] * (b[2] * e[0] - b[0] * e[2])
                    volume += a[2] * (b[0] * e[1] - b[1] * e[0])
                    _add_simplex(corners, volume, quadrature, centre, T, table, mono, moments[i])
            elif d == 2:
                _mean(points, row, o, corners[0])
                corners[1], corners[2] = points[face[0]] - o, points[face[1]] - o
                a, b = corners[1] - corners[0], corners[2] - corners[0]
                area = a[0] * b[1] - a[1] * b[0]
                _add_simplex(corners, area, quadrature, centre, T, table, mono, moments[i])
            elif f == cell_faces[c]:
                corners[1] = points[row[1]] - o
                _add_simplex(corners, 1.0, quadrature, centre, T, table, mono, moments[i])
        whole = moments[i, 0]
        for a in range(k):
            moments[i, a] /= whole
    return moments, frames


def averaging_nodes(mesh: Mesh, extra: FloatArray, directions: Directions, order: int) -> AveragingNodes:
    """AveragingNodes of the cells, exact for degree ``order``, and one node for each of the ``extra`` samples (b, 3).

    Raises MeshError on curved surfaces and for curved cells.
    """
    if directions.curved or any(block.reference.is_curved for block in mesh.blocks):
        raise MeshError(
            "cell averages on curved surfaces or in cells of higher order are not known: say cell_values='samples'"
        )
    rank, basis = directions.rank, directions.basis
    table = monomials(order, rank, rank, True)
    cells = np.flatnonzero(mesh.is_full & (mesh.measures > 0))
    faces = mesh.faces
    moments, frames = cell_moments(
        mesh.points @ basis.T,
        (mesh.cells.offsets, mesh.cells.connectivity),
        (faces.connectivity, faces.offsets, faces.cell_offsets),
        mesh.centroids @ basis.T,
        cells,
        rank,
        simplex_quadrature(mesh.dimension, order // 2 + 1),
        (table.parent, table.axis),
    )
    # The principal lattice of a simplex between −1 and 1: as many points as monomials, which they tell apart.
    steps = np.stack(np.meshgrid(*[np.arange(order + 1)] * rank, indexing="ij"), -1).reshape(-1, rank)
    lattice = 2.0 * steps[steps.sum(axis=1) <= order] / max(order, 1) - 1
    shares = np.linalg.solve(_values(lattice, table.parent, table.axis).T, moments.T).T
    # Rows that take x̂ back to x: the frames' rows are orthogonal.
    inverse = frames[:, :rank] / (frames[:, :rank] ** 2).sum(axis=2, keepdims=True)
    nodes = mesh.centroids[cells][:, None] + np.einsum("qi,nij,jk->nqk", lattice, inverse, basis)
    return _nodes(mesh, cells, nodes, shares, extra)


def _nodes(mesh: Mesh, cells: np.ndarray, nodes: FloatArray, shares: FloatArray, extra: FloatArray) -> AveragingNodes:
    """AveragingNodes of all samples: those of the cells, and a single one for what has no moments."""
    count = np.ones(len(mesh) + len(extra), np.int64)
    count[cells] = nodes.shape[1]
    start = np.concatenate([[0], np.cumsum(count)])
    positions = np.empty((start[-1], 3))
    weights = np.ones(start[-1])
    single = np.flatnonzero(count == 1)
    positions[start[single]] = np.concatenate([mesh.centroids, extra])[single]
    slots = start[cells][:, None] + np.arange(nodes.shape[1])
    positions[slots], weights[slots] = nodes, shares
    return AveragingNodes(positions, weights, start)


def simplex_quadrature(dimension: int, points: int) -> tuple[FloatArray, FloatArray]:
    """Barycentric nodes (q, d + 1) and shares (q,) on a simplex: ``points`` in each direction, exact to the
    degree 2·points − 1 (conical product, Stroud 1971, Approximate Calculation of Multiple Integrals, §2.5)."""
    from scipy.special import roots_jacobi

    nodes, shares = np.ones((1, 1)), np.ones(1)
    for level in range(1, dimension + 1):
        x, w = roots_jacobi(points, level - 1, 0)
        x, w = (1 + x) / 2, w / w.sum()
        # A point x of the way from the simplex of one dimension less to a new corner.
        grown = np.concatenate(
            [(1 - x)[:, None, None] * nodes[None], np.broadcast_to(x[:, None, None], (points, len(nodes), 1))], axis=2
        )
        nodes, shares = grown.reshape(-1, level + 1), np.outer(w, shares).ravel()
    return nodes, shares


def _values(positions: FloatArray, parent: np.ndarray, axis: np.ndarray) -> FloatArray:
    """Monomials (n, k) at positions (n, rank)."""
    columns: list[FloatArray] = []
    for p, i in zip(parent, axis, strict=True):
        factor = columns[p] if p >= 0 else np.ones(len(positions))
        columns.append(factor * positions[:, i] if i >= 0 else np.ones(len(positions)))
    return np.column_stack(columns)
