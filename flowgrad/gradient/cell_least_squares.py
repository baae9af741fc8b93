"""Compiled loops of the least-squares gradients: weights of each stencil, and their application."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import prange
from numpy.typing import NDArray

from flowgrad.compiled import kernel
from flowgrad.errors import MeshError
from flowgrad.flow import Flow, Patch
from flowgrad.gradient.element import mean_matrix
from flowgrad.gradient.local_fits.directions import Directions, directions
from flowgrad.gradient.local_fits.one_sided import do_not_reach, one_sided_cells
from flowgrad.gradient.operator import (
    Operator,
    average_to_points,
    boundary_samples,
    from_owners,
    patch_centroids,
    patch_faces,
    rows_of_owners,
)
from flowgrad.mesh import Mesh
from flowgrad.mesh.ragged import offsets, runs
from flowgrad.tensors import finite_rows
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# A fit with a smaller det M/(tr M/r)^r has no solution worth the name.
SINGULAR = 1e-10


@kernel(parallel=True)
def fit_weights(positions: Any, offsets: Any, samples: Any, basis: Any, rank: int) -> Any:
    """Weight vectors w_ij (m, 3) of linear fits through the centre, weighted with 1/distance², in
    the first ``rank`` rows of ``basis``; and det M/(tr M/r)^r of each fit (n,)."""
    n = len(offsets) - 1
    weights = np.empty((len(samples), 3))
    quality = np.zeros(n)
    for i in prange(n):
        M = np.zeros((3, 3))
        for j in range(offsets[i], offsets[i + 1]):
            length2 = 0.0
            for k in range(3):
                d = 0.0
                for m in range(3):
                    d += basis[k, m] * (positions[samples[j], m] - positions[i, m])
                weights[j, k] = d if k < rank else 0.0
                length2 += weights[j, k] ** 2
            if length2 > 0.0:
                for k in range(3):
                    for m in range(3):
                        M[k, m] += weights[j, k] * weights[j, m] / length2
                    weights[j, k] /= length2
            # (weights holds d/|d|² from here on)
        spread = 0.0
        for k in range(rank):
            spread += M[k, k] / rank
        for k in range(rank, 3):
            M[k, k] = spread
        c00 = M[1, 1] * M[2, 2] - M[1, 2] * M[1, 2]
        c01 = M[0, 2] * M[1, 2] - M[0, 1] * M[2, 2]
        c02 = M[0, 1] * M[1, 2] - M[0, 2] * M[1, 1]
        c11 = M[0, 0] * M[2, 2] - M[0, 2] * M[0, 2]
        c12 = M[0, 1] * M[0, 2] - M[0, 0] * M[1, 2]
        c22 = M[0, 0] * M[1, 1] - M[0, 1] * M[0, 1]
        det = M[0, 0] * c00 + M[0, 1] * c01 + M[0, 2] * c02
        quality[i] = det / spread**3 if spread > 0.0 and rank > 0 else 0.0
        if not quality[i] > SINGULAR:
            weights[offsets[i] : offsets[i + 1]] = np.nan
            continue
        for j in range(offsets[i], offsets[i + 1]):
            a, b, c = weights[j, 0], weights[j, 1], weights[j, 2]
            p = (c00 * a + c01 * b + c02 * c) / det
            q = (c01 * a + c11 * b + c12 * c) / det
            r = (c02 * a + c12 * b + c22 * c) / det
            for k in range(3):
                weights[j, k] = p * basis[0, k] + q * basis[1, k] + r * basis[2, k]
    return weights, quality


@kernel(parallel=True)
def apply_weights(values: Any, offsets: Any, samples: Any, weights: Any) -> Any:
    """Gradients (n, 3, 3): Σ_j (v_j − v_i) ⊗ w_ij; NaN for an empty stencil."""
    n = len(offsets) - 1
    result = np.empty((n, 3, 3))
    for i in prange(n):
        for k in range(3):
            x, y, z = 0.0, 0.0, 0.0
            for j in range(offsets[i], offsets[i + 1]):
                difference = values[samples[j], k] - values[i, k]
                x, y, z = x + difference * weights[j, 0], y + difference * weights[j, 1], z + difference * weights[j, 2]
            result[i, k, 0], result[i, k, 1], result[i, k, 2] = x, y, z
        if offsets[i] == offsets[i + 1] or not np.isfinite(result[i].sum()):
            result[i] = np.nan
    return result


@dataclass(frozen=True, eq=False)
class CellStencils:
    """Cell ``i`` uses ``samples[offsets[i]:offsets[i + 1]]``, each with a weight vector (m, 3)."""

    offsets: IntArray
    samples: IntArray
    weights: FloatArray = field(default_factory=lambda: np.empty((0, 3)))

    @classmethod
    def from_pairs(cls, cells: IntArray, samples: IntArray, count: int) -> CellStencils:
        """CellStencils of ``count`` cells from pairs (cell, sample)."""
        order = np.argsort(cells, kind="stable")
        return cls(offsets(np.bincount(cells, minlength=count)), samples[order])

    def of_usable(self, usable: NDArray[np.bool_]) -> CellStencils:
        """These stencils without the samples that have no value."""
        if usable.all():
            return self
        kept = usable[self.samples]
        cells = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        return CellStencils.from_pairs(cells[kept], self.samples[kept], len(self.offsets) - 1)

    def replaced(self, cells: IntArray, other: CellStencils) -> CellStencils:
        """These stencils with those of some cells taken from another."""
        keep = np.ones(len(self.offsets) - 1, bool)
        keep[cells] = False
        kept = np.flatnonzero(keep)
        parts = [(kept, self), (cells, other)]
        owner = [np.repeat(chosen, np.diff(each.offsets)[chosen]) for chosen, each in parts]
        samples = [each.samples[runs(each.offsets[chosen], np.diff(each.offsets)[chosen])] for chosen, each in parts]
        return CellStencils.from_pairs(np.concatenate(owner), np.concatenate(samples), len(keep))


def across_faces(mesh: Mesh, patch_faces: IntArray) -> CellStencils:
    """Each cell's neighbours across its faces, and the known values on its own boundary faces."""
    first, second = mesh.topology.pairs.T
    owner = mesh.topology.boundary_cells[patch_faces]
    known = len(mesh) + np.arange(len(patch_faces))
    cells = np.concatenate([first, second, owner])
    return CellStencils.from_pairs(cells, np.concatenate([second, first, known]), len(mesh))


def around_points(mesh: Mesh, patch_faces: IntArray, chosen: IntArray) -> CellStencils:
    """For the chosen cells all cells and known boundary faces that share a point with them."""
    start, around = mesh.topology.point_cells
    sizes = np.diff(mesh.cells.offsets)[chosen]
    points = mesh.cells.connectivity[runs(mesh.cells.offsets[chosen], sizes)]
    counts = np.diff(start)[points]
    cells = np.repeat(np.repeat(chosen, sizes), counts)
    others = around[runs(start[points], counts)]
    pairs = np.unique(np.column_stack([cells, others])[cells != others], axis=0)
    near = across_faces(mesh, patch_faces)
    own = np.flatnonzero(near.samples >= len(mesh))
    faces = CellStencils.from_pairs(
        np.repeat(np.arange(len(mesh)), np.diff(near.offsets))[own], near.samples[own], len(mesh)
    )
    every = np.concatenate([pairs, np.column_stack([chosen, chosen])])
    counts = np.diff(faces.offsets)[every[:, 1]]
    known = faces.samples[runs(faces.offsets[every[:, 1]], counts)]
    return CellStencils.from_pairs(
        np.concatenate([pairs[:, 0], np.repeat(every[:, 0], counts)]),
        np.concatenate([pairs[:, 1], known]),
        len(mesh),
    )


# det M/(tr M/r)^r of the fit's matrix is 1 where the samples lie evenly around, 0 where they
# determine nothing; below this value the neighbourhood grows. Higher values help smooth fields at
# boundaries and harm those with steep walls.
_POOR = 0.1


def _usable(flow: Flow) -> NDArray[np.bool_]:
    return finite_rows(boundary_samples(flow))


def prepare_compact(flow: Flow, at: str) -> CellFits | PointMeans:
    """The operator for a flow with values at cells; MeshError where it has none, and on curved surfaces."""
    mesh = flow.mesh
    samples = np.concatenate([mesh.centroids[mesh.is_full], patch_centroids(mesh, flow.boundary)])
    if not finite_rows(samples).any():
        raise MeshError(f"{flow.name}: finite-difference on cell data needs cells and the mesh has none")
    where = directions(mesh, samples)
    if where.curved:
        what = "surface" if mesh.dimension == 2 else "line"
        raise MeshError(f"{flow.name}: order 1 does not know curved {what}s: use finite-difference(order=2)")
    cells = CellFits(mesh, flow.boundary, where, _usable(flow))
    return cells if at == "cells" else PointMeans(cells)


@dataclass(frozen=True, eq=False)
class CellFits(Operator):
    """Gradients at the cells, with the known velocities on the boundary, in the directions of the mesh;
    samples that are not ``usable`` (n + b,) are left out."""

    mesh: Mesh
    boundary: tuple[Patch, ...]
    directions: Directions
    usable: NDArray[np.bool_]

    @property
    def notes(self) -> tuple[str, ...]:
        """Directions without a derivative."""
        return self.directions.notes

    @cached_property
    def one_sided(self) -> NDArray[np.bool_] | None:
        """Cells with an open boundary face: neither a known value on it nor a direction across."""
        return one_sided_cells(self.mesh, patch_faces(self.boundary), self.directions.across)

    @property
    def sampled_directions(self) -> Directions:
        """Those of the mesh."""
        return self.directions

    @property
    def boundary_count(self) -> int:
        """How many of the samples lie on the boundary."""
        return len(patch_faces(self.boundary))

    def samples(self, flow: Flow) -> FloatArray:
        """The velocity of a flow, and after it the values on its boundary."""
        return boundary_samples(flow)

    def suits(self, flow: Flow) -> bool:
        """Whether a flow knows values in the same places."""
        same = np.array_equal(patch_faces(flow.boundary), patch_faces(self.boundary))
        return same and np.array_equal(_usable(flow), self.usable)

    @cached_property
    def positions(self) -> FloatArray:
        """Where the samples sit: cells, then boundary faces (n + b, 3)."""
        return np.concatenate([self.mesh.centroids, patch_centroids(self.mesh, self.boundary)])

    @cached_property
    def stencils(self) -> CellStencils:
        """Samples and weights: L_i = Σ_j (v_j − v_i) ⊗ w_ij."""
        patches = patch_faces(self.boundary)
        near = across_faces(self.mesh, patches).of_usable(self.usable)
        weights, quality = self._weights(near)
        poor = np.flatnonzero(self.mesh.is_full & ~(quality > _POOR))
        if not len(poor):
            return CellStencils(near.offsets, near.samples, weights)
        grown = near.replaced(poor, around_points(self.mesh, patches, poor).of_usable(self.usable))
        weights, quality = self._weights(grown)
        blind = ~(quality > SINGULAR)
        doubtful = np.flatnonzero((quality > SINGULAR) & ~(quality > _POOR))
        blind[doubtful] = do_not_reach(
            self.mesh,
            self.positions,
            grown.offsets,
            grown.samples,
            self.directions,
            doubtful,
            np.arange(len(self.mesh)),
        )
        weights[np.repeat(blind, np.diff(grown.offsets))] = np.nan
        return CellStencils(grown.offsets, grown.samples, weights)

    def _weights(self, stencils: CellStencils) -> tuple[FloatArray, FloatArray]:
        return fit_weights(
            self.positions, stencils.offsets, stencils.samples, self.directions.basis, self.directions.rank
        )

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (n, 3, 3) of the samples (n + b, 3)."""
        return from_owners(self.mesh, self.full_cells(values))

    def full_cells(self, values: FloatArray) -> FloatArray:
        """The same, NaN on cells of lower dimension."""
        stencils = self.stencils
        return apply_weights(values, stencils.offsets, stencils.samples, stencils.weights)

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (n, n + b) on cell values followed by boundary values."""
        from scipy.sparse import csr_array

        stencils, n = self.stencils, len(self.mesh)
        rows = np.repeat(np.arange(n), np.diff(stencils.offsets))
        shape = (n, len(self.positions))
        result = []
        for weights in stencils.weights.T:
            own = csr_array((weights, stencils.samples, stencils.offsets), shape=shape)
            own_weight = np.where(np.diff(stencils.offsets) > 0, -np.bincount(rows, weights, minlength=n), np.nan)
            center = csr_array((own_weight, (range(n), range(n))), shape=shape)
            result.append(rows_of_owners(self.mesh, (own + center).tocsr()))
        return tuple(result)


@dataclass(frozen=True, eq=False)
class PointMeans(Operator):
    """Gradients at the points: the measure-weighted mean of the fits of the cells around."""

    cells: CellFits

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the fits at the cells."""
        return self.cells.notes

    @property
    def sampled_directions(self) -> Directions:
        """Those of the mesh."""
        return self.cells.directions

    @property
    def boundary_count(self) -> int:
        """How many of the samples lie on the boundary."""
        return self.cells.boundary_count

    def samples(self, flow: Flow) -> FloatArray:
        """The velocity of a flow, and after it the values on its boundary."""
        return self.cells.samples(flow)

    def suits(self, flow: Flow) -> bool:
        """Whether a flow knows values in the same places."""
        return self.cells.suits(flow)

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (n_points, n + b) on cell values followed by boundary values."""
        mean = mean_matrix(self.cells.mesh)
        return tuple((mean @ matrix).tocsr() for matrix in self.cells.matrices)

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (n_points, 3, 3) of the samples (n_cells + b, 3)."""
        from flowgrad.gradient.element_kernels import empty_sums, mean_of_sums

        mesh = self.cells.mesh
        sums = empty_sums(len(mesh.points))
        average_to_points(mesh, self.cells.full_cells(values), np.flatnonzero(mesh.is_full), sums)
        return mean_of_sums(sums)
