"""Order 1 on cell data: compact least squares over the cells across faces and the known boundary values.

Around each cell, L minimises Σ_j w_j |v_j − v_i − L (x_j − x_i)|² with w_j = 1/|x_j − x_i|², over
the cells across its faces and the known values on the boundary (Barth & Jespersen 1989, AIAA
89-0366; the weights of Mavriplis 2003, AIAA 2003-3986). Directions in which the mesh is one cell
thick carry no information and have no derivative.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import MeshError
from flowgrad.flow import Flow, Patch
from flowgrad.gradient import stencil_kernels as kernels
from flowgrad.gradient.directions import Directions, directions
from flowgrad.gradient.matrices import mean_matrix
from flowgrad.gradient.one_sided import do_not_reach, one_sided_cells
from flowgrad.gradient.operator import Operator, average_to_points, from_owners, rows_of_owners
from flowgrad.gradient.patches import boundary_samples, patch_centroids, patch_faces
from flowgrad.gradient.stencils import Stencils, across_faces, around_points
from flowgrad.mesh import Mesh
from flowgrad.tensors import finite_rows
from flowgrad.typing import FloatArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

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
    def stencils(self) -> Stencils:
        """Samples and weights: L_i = Σ_j (v_j − v_i) ⊗ w_ij."""
        patches = patch_faces(self.boundary)
        near = across_faces(self.mesh, patches).of_usable(self.usable)
        weights, quality = self._weights(near)
        poor = np.flatnonzero(self.mesh.is_full & ~(quality > _POOR))
        if not len(poor):
            return Stencils(near.offsets, near.samples, weights)
        grown = near.replaced(poor, around_points(self.mesh, patches, poor).of_usable(self.usable))
        weights, quality = self._weights(grown)
        blind = ~(quality > kernels.SINGULAR)
        doubtful = np.flatnonzero((quality > kernels.SINGULAR) & ~(quality > _POOR))
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
        return Stencils(grown.offsets, grown.samples, weights)

    def _weights(self, stencils: Stencils) -> tuple[FloatArray, FloatArray]:
        return kernels.fit_weights(
            self.positions, stencils.offsets, stencils.samples, self.directions.basis, self.directions.rank
        )

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (n, 3, 3) of the samples (n + b, 3)."""
        return from_owners(self.mesh, self.full_cells(values))

    def full_cells(self, values: FloatArray) -> FloatArray:
        """The same, NaN on cells of lower dimension."""
        stencils = self.stencils
        return kernels.apply_weights(values, stencils.offsets, stencils.samples, stencils.weights)

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
