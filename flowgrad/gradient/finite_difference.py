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
from numpy.typing import NDArray

from flowgrad.errors import MeshError, OptionError
from flowgrad.flow import Flow, Patch
from flowgrad.gradient import stencil_kernels as kernels
from flowgrad.gradient.matrices import mean_matrix
from flowgrad.gradient.operator import (
    FloatArray,
    IntArray,
    Operator,
    Scheme,
    average_to_points,
    from_owners,
    rows_of_owners,
)
from flowgrad.gradient.stencils import Stencils, across_faces, around_points
from flowgrad.mesh import Mesh
from flowgrad.mesh.mesh import FLAT
from flowgrad.mesh.ragged import offsets, runs

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# The spread of the cells' centroids in a direction, as a fraction of the points': below it the mesh
# is one cell thick there.
_ONE_CELL = 1e-3
# det M/(tr M/r)^r of the fit's matrix is 1 where the samples lie evenly around, 0 where they
# determine nothing; below this value the neighbourhood grows. Higher values help smooth fields at
# boundaries and harm those with steep walls.
_POOR = 0.1
# Samples that lie nearer than this fraction of the cell's own extent do not resolve a direction.
_REACH = 0.5
# A boundary face looks across the layer where its normal lies along it by more than this cosine.
_ACROSS = 0.9


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
    ``rank`` are resolved; along ``across`` (k, 3) the mesh is one cell thick."""

    mesh: Mesh
    boundary: tuple[Patch, ...]
    basis: FloatArray
    rank: int
    across: FloatArray

    @property
    def notes(self) -> tuple[str, ...]:
        """Directions without a derivative."""
        if not self.rank or not len(self.across):
            return ()
        axes = " and ".join(f"({x:.3g}, {y:.3g}, {z:.3g})" for x, y, z in _near_coordinate_axes(self.across))
        return (f"the mesh is one cell thick along {axes}: derivatives across are taken as zero",)

    @cached_property
    def one_sided(self) -> NDArray[np.bool_] | None:
        """Cells with an open boundary face: neither a known value on it nor a direction across."""
        topology = self.mesh.topology
        is_open = np.ones(len(topology.boundary), bool)
        is_open[_patch_faces(self.boundary)] = False
        area = topology.boundary_geometry[0]
        along = np.abs(area @ self.across.T).max(axis=1, initial=0.0)
        is_open &= along <= _ACROSS * np.sqrt((area**2).sum(axis=1))
        if not is_open.any():
            return None
        touched = np.zeros(len(self.mesh), bool)
        touched[topology.boundary_cells[is_open]] = True
        return touched[topology.owners]

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
        blind = ~(quality > kernels.SINGULAR)
        doubtful = np.flatnonzero((quality > kernels.SINGULAR) & ~(quality > _POOR))
        blind[doubtful] = self._do_not_reach(grown, doubtful)
        weights[np.repeat(blind, np.diff(grown.offsets))] = np.nan
        return Stencils(grown.offsets, grown.samples, weights)

    def _weights(self, stencils: Stencils) -> tuple[FloatArray, FloatArray]:
        return kernels.fit_weights(self.positions, stencils.offsets, stencils.samples, self.basis, self.rank)

    def _do_not_reach(self, stencils: Stencils, cells: IntArray) -> NDArray[np.bool_]:
        """Cells whose samples, in the direction that they determine worst, lie nearer than the cell's
        own points: a curved layer one cell thick, whose derivative across would be made of nothing."""
        if not len(cells):
            return np.zeros(0, bool)
        basis = self.basis[: self.rank]
        counts = np.diff(stencils.offsets)[cells]
        samples = stencils.samples[runs(stencils.offsets[cells], counts)]
        d = (self.positions[samples] - np.repeat(self.positions[cells], counts, axis=0)) @ basis.T
        starts = offsets(counts)[:-1]
        unit = d / np.sqrt((d**2).sum(axis=1, keepdims=True))
        weakest = np.linalg.eigh(np.add.reduceat(unit[:, :, None] * unit[:, None, :], starts))[1][:, :, 0]
        reach = np.maximum.reduceat(np.abs((d * np.repeat(weakest, counts, axis=0)).sum(axis=1)), starts)
        sizes = np.diff(self.mesh.cells.offsets)[cells]
        points = self.mesh.points[self.mesh.cells.connectivity[runs(self.mesh.cells.offsets[cells], sizes)]]
        own = (points - np.repeat(self.positions[cells], sizes, axis=0)) @ basis.T
        extent = np.abs((own * np.repeat(weakest, sizes, axis=0)).sum(axis=1))
        return reach < _REACH * np.maximum.reduceat(extent, offsets(sizes)[:-1])

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

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (n_points, n + b) on cell values followed by boundary values."""
        mean = mean_matrix(self.cells.mesh)
        return tuple((mean @ matrix).tocsr() for matrix in self.cells.matrices)

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


def _directions(flow: Flow) -> tuple[FloatArray, int, FloatArray]:
    """The principal directions of the cells as rows, resolved ones first, how many are resolved, and
    those in which the mesh has an extent but no more than one cell.

    Raises MeshError for a curved surface or line, whose tangent plane differs from cell to cell.
    """
    mesh = flow.mesh
    samples = np.concatenate([mesh.centroids[mesh.is_full], _patch_centroids(mesh, flow.boundary)])
    samples = samples[np.isfinite(samples).all(axis=1)]
    if not len(samples):
        raise MeshError(f"{flow.name}: finite-difference on cell data needs cells and the mesh has none")
    basis = np.linalg.svd(np.linalg.qr(samples - samples.mean(axis=0), mode="r"))[2]
    points = mesh.points[np.unique(mesh.cells.connectivity)] @ basis.T
    extent = np.nanmax(points, axis=0) - np.nanmin(points, axis=0)
    rounding = FLAT * extent.max()
    spread = np.ptp(samples @ basis.T, axis=0)
    resolved = spread > (_ONE_CELL * extent if mesh.dimension == 3 else np.maximum(_ONE_CELL * extent, rounding))
    rank = int(resolved.sum())
    if rank > mesh.dimension:
        raise MeshError(
            f"{flow.name}: cell data on a curved {'surface' if mesh.dimension == 2 else 'line'} are not "
            "supported: give the velocity at points"
        )
    order = np.argsort(~resolved, kind="stable")
    return np.ascontiguousarray(basis[order]), rank, basis[~resolved & (extent > rounding)]


def _near_coordinate_axes(rows: FloatArray) -> FloatArray:
    """Another orthonormal basis of the space of the rows, along coordinate axes where these lie in it."""
    from scipy.linalg import qr

    turned = qr(rows.T @ rows, pivoting=True)[0][:, : len(rows)].T
    signs = np.sign(turned[np.arange(len(rows)), np.abs(turned).argmax(axis=1)])
    return np.round(turned * signs[:, None], 12) + 0.0
