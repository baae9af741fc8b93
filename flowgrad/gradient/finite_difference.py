"""Finite differences on unstructured meshes: weighted least squares over neighbouring samples.

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

from flowgrad.errors import MeshError, OptionError
from flowgrad.flow import Flow, Patch
from flowgrad.gradient import stencil_kernels as kernels
from flowgrad.gradient.operator import (
    FloatArray,
    IntArray,
    Operator,
    Scheme,
    average_to_points,
    from_owners,
)
from flowgrad.gradient.stencils import Stencils, across_faces, around_points
from flowgrad.mesh import Mesh

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# The spread of the cells' centroids in a direction, as a fraction of the points': below it the mesh
# is one cell thick there.
_ONE_CELL = 1e-3
# The same as a fraction of the mesh's largest extent: the rounding of float32 coordinates.
_FLAT = 2e-6
# det M/(tr M/r)^r of the fit's matrix is 1 where the samples lie evenly around, 0 where they
# determine nothing; below this value the neighbourhood grows. Higher values help smooth fields at
# boundaries and harm those with steep walls.
_POOR = 0.1


@dataclass(frozen=True)
class FiniteDifference(Scheme):
    """Least squares over neighbouring samples; exact for linear fields.

    ``order`` is the degree of the local polynomial: 1.
    """

    order: int = 1

    def __post_init__(self) -> None:
        if self.order != 1:
            raise OptionError(f"finite-difference has order 1 so far, not {self.order}")

    def prepare(self, flow: Flow, at: str) -> Operator:
        """The operator for a flow with values at cells; its boundary values are part of the fits."""
        if flow.location != "cells":
            raise OptionError("finite-difference needs the velocity at cells and it is at points: use autodiff")
        cells = CellFits(flow.mesh, flow.boundary, *_directions(flow))
        return cells if at == "cells" else PointMeans(cells)


@dataclass(frozen=True, eq=False)
class CellFits(Operator):
    """Gradients at the cells. ``basis`` (3, 3) has the mesh's directions as rows, of which the first
    ``rank`` are resolved."""

    mesh: Mesh
    boundary: tuple[Patch, ...]
    basis: FloatArray
    rank: int

    @property
    def notes(self) -> tuple[str, ...]:
        """Directions without a derivative."""
        flat = self.basis[self.rank :]
        if not len(flat) or self.mesh.dimension < 3:
            return ()
        axes = " and ".join(f"({x:.3g}, {y:.3g}, {z:.3g})" for x, y, z in _near_coordinate_axes(flat))
        return (f"the mesh is one cell thick along {axes}: derivatives across are taken as zero",)

    @cached_property
    def boundary_values(self) -> FloatArray:
        """Velocity known on the boundary, patch after patch (b, 3)."""
        return np.concatenate([np.empty((0, 3)), *(patch.velocity for patch in self.boundary)])

    @cached_property
    def positions(self) -> FloatArray:
        """Where the samples sit: cells, then boundary faces (n + b, 3)."""
        return np.concatenate([self.mesh.centroids, _patch_centroids(self.mesh, self.boundary)])

    @cached_property
    def stencils(self) -> Stencils:
        """Samples and weights: L_i = Σ_j (v_j − v_i) ⊗ w_ij."""
        patches = _patch_faces(self.boundary)
        near = across_faces(self.mesh, patches)
        weights, quality = self._weights(near)
        poor = np.flatnonzero(self.mesh.is_full & ~(quality > _POOR))
        if not len(poor):
            return Stencils(near.offsets, near.samples, weights)
        grown = near.replaced(poor, around_points(self.mesh, patches, poor))
        weights, quality = self._weights(grown)
        weights[np.repeat(~(quality > kernels.SINGULAR), np.diff(grown.offsets))] = np.nan
        return Stencils(grown.offsets, grown.samples, weights)

    def _weights(self, stencils: Stencils) -> tuple[FloatArray, FloatArray]:
        return kernels.fit_weights(self.positions, stencils.offsets, stencils.samples, self.basis, self.rank)

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (n, 3, 3) of vectors (n, 3) whose boundary values are those of the patches."""
        return from_owners(self.mesh, self.full_cells(values))

    def full_cells(self, values: FloatArray) -> FloatArray:
        """The same, NaN on cells of lower dimension."""
        samples = np.concatenate([values, self.boundary_values])
        stencils = self.stencils
        return kernels.apply_weights(samples, stencils.offsets, stencils.samples, stencils.weights)

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
            center = csr_array((-np.bincount(rows, weights, minlength=n), (range(n), range(n))), shape=shape)
            result.append((own + center)[self.mesh.topology.owners])
        return tuple(result)


@dataclass(frozen=True, eq=False)
class PointMeans(Operator):
    """Gradients at the points: the measure-weighted mean of the fits of the cells around."""

    cells: CellFits

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the fits at the cells."""
        return self.cells.notes

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (n_points, 3, 3) of vectors (n_cells, 3)."""
        from flowgrad.gradient.element_kernels import empty_sums, mean_of_sums

        mesh = self.cells.mesh
        sums = empty_sums(len(mesh.points))
        average_to_points(mesh, self.cells.full_cells(values), np.flatnonzero(mesh.is_full), sums)
        return mean_of_sums(sums)


def _patch_faces(boundary: tuple[Patch, ...]) -> IntArray:
    return np.concatenate([np.empty(0, np.int64), *(patch.faces for patch in boundary)])


def _patch_centroids(mesh: Mesh, boundary: tuple[Patch, ...]) -> FloatArray:
    faces = _patch_faces(boundary)
    return mesh.topology.boundary_geometry[1][faces] if len(faces) else np.empty((0, 3))


def _directions(flow: Flow) -> tuple[FloatArray, int]:
    """The principal directions of the cells as rows, most extended first, and how many of them have
    more than one cell.

    Raises MeshError for a curved surface or line, whose tangent plane differs from cell to cell.
    """
    mesh = flow.mesh
    centers = mesh.centroids[mesh.is_full]
    if not len(centers):
        raise MeshError(f"{flow.name}: finite-difference on cell data needs cells and the mesh has none")
    samples = np.concatenate([centers, _patch_centroids(mesh, flow.boundary)])
    basis = np.linalg.svd(np.cov(samples.T, bias=True))[2]
    points = mesh.points[np.unique(mesh.cells.connectivity)] @ basis.T
    extent = np.ptp(points, axis=0)
    resolved = np.ptp(samples @ basis.T, axis=0) > np.maximum(_ONE_CELL * extent, _FLAT * extent.max())
    rank = int(resolved.sum())
    if rank > mesh.dimension:
        raise MeshError(
            f"{flow.name}: cell data on a curved {'surface' if mesh.dimension == 2 else 'line'} are not "
            "supported: give the velocity at points"
        )
    return np.ascontiguousarray(basis[np.argsort(~resolved, kind="stable")]), rank


def _near_coordinate_axes(rows: FloatArray) -> FloatArray:
    """Another orthonormal basis of the space of the rows, along coordinate axes where these lie in it."""
    from scipy.linalg import qr

    turned = qr(rows.T @ rows, pivoting=True)[0][:, : len(rows)].T
    signs = np.sign(turned[np.arange(len(rows)), np.abs(turned).argmax(axis=1)])
    return np.round(turned * signs[:, None], 12) + 0.0
