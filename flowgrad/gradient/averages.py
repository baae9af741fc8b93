"""Cell values as averages: a few nodes for each cell that stand for the moments of the whole of it.

The average of a polynomial over a cell is Σ_q share_q · value at node_q, exactly up to the degree of the
fit, with shares that reproduce the cell's moments (Ollivier-Gooch & Van Altena 2002, J. Comput. Phys.
181, 729, enter the moments themselves).
"""

from __future__ import annotations

import numpy as np

from flowgrad.errors import MeshError
from flowgrad.gradient.directions import Directions
from flowgrad.gradient.local_fits import Nodes
from flowgrad.gradient.moment_kernels import cell_moments
from flowgrad.gradient.monomials import monomials
from flowgrad.mesh import Mesh
from flowgrad.typing import FloatArray


def averaging_nodes(mesh: Mesh, extra: FloatArray, directions: Directions, order: int) -> Nodes:
    """Nodes of the cells, exact for degree ``order``, and one node for each of the ``extra`` samples (b, 3).

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
        mesh.cells.offsets,
        mesh.cells.connectivity,
        faces.connectivity,
        faces.offsets,
        faces.cell_offsets,
        mesh.centroids @ basis.T,
        cells,
        rank,
        *simplex_quadrature(mesh.dimension, order // 2 + 1),
        table.parent,
        table.axis,
    )
    lattice = _lattice(order, rank)
    shares = np.linalg.solve(_values(lattice, table.parent, table.axis).T, moments.T).T
    nodes = mesh.centroids[cells][:, None] + np.einsum("qi,nij,jk->nqk", lattice, _inverse(frames, rank), basis)
    return _nodes(mesh, cells, nodes, shares, extra)


def _nodes(mesh: Mesh, cells: np.ndarray, nodes: FloatArray, shares: FloatArray, extra: FloatArray) -> Nodes:
    """Nodes of all samples: those of the cells, and a single one for what has no moments."""
    count = np.ones(len(mesh) + len(extra), np.int64)
    count[cells] = nodes.shape[1]
    start = np.concatenate([[0], np.cumsum(count)])
    positions = np.empty((start[-1], 3))
    weights = np.ones(start[-1])
    single = np.flatnonzero(count == 1)
    positions[start[single]] = np.concatenate([mesh.centroids, extra])[single]
    slots = start[cells][:, None] + np.arange(nodes.shape[1])
    positions[slots], weights[slots] = nodes, shares
    return Nodes(positions, weights, start)


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


def _lattice(order: int, rank: int) -> FloatArray:
    """The principal lattice of a simplex between −1 and 1: as many points as monomials, which they tell apart."""
    steps = np.stack(np.meshgrid(*[np.arange(order + 1)] * rank, indexing="ij"), -1).reshape(-1, rank)
    return 2.0 * steps[steps.sum(axis=1) <= order] / max(order, 1) - 1


def _values(positions: FloatArray, parent: np.ndarray, axis: np.ndarray) -> FloatArray:
    """Monomials (n, k) at positions (n, rank)."""
    columns: list[FloatArray] = []
    for p, i in zip(parent, axis, strict=True):
        factor = columns[p] if p >= 0 else np.ones(len(positions))
        columns.append(factor * positions[:, i] if i >= 0 else np.ones(len(positions)))
    return np.column_stack(columns)


def _inverse(frames: FloatArray, rank: int) -> FloatArray:
    """Rows that take x̂ (rank,) back to x: the frames' rows are orthogonal."""
    rows = frames[:, :rank]
    return rows / (rows**2).sum(axis=2, keepdims=True)
