"""Autodiff: differentiate the interpolant that the mesh defines from values at its points.

In a cell v(ξ) = Σ N_a(ξ) v_a and x(ξ) = Σ N_a(ξ) x_a, so ∇v = (Σ v_a ⊗ dN_a/dξ) J⁻¹ with
J = Σ x_a ⊗ dN_a/dξ (Hughes 2000, The Finite Element Method, §3.9). The dN_a/dξ come from dual
numbers, for each cell type at its centre and its nodes, and at any position where asked. Cells
without an interpolant (polygons, polyhedra) get the least squares plane through their own points.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient import element_kernels as kernels
from flowgrad.gradient.matrices import cell_matrices, point_matrices, taken_apart
from flowgrad.gradient.operator import (
    Operator,
    Scheme,
    Where,
    average_to_points,
    from_owners,
    rows_of_owners,
    spread_rows,
)
from flowgrad.mesh import Mesh
from flowgrad.mesh.geometry import rings
from flowgrad.mesh.locate import Location, locate
from flowgrad.typing import FloatArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from flowgrad.mesh.cells import Block


@dataclass(frozen=True)
class Autodiff(Scheme):
    """Gradient of the element's interpolant, from values at the points of the mesh.

    At cells it is evaluated at the centre of the reference cell, at points it is the mean over the
    cells around, each evaluated at that point and weighted with its measure there, at positions
    (m, 3) it is that of the cell that holds them, of several the one of the lowest number. Exact for
    fields that the elements contain, linear ones at least.
    """

    def prepare(self, flow: Flow, at: Where) -> Operator:
        """The operator for the mesh of a flow with values at points; OptionError for cell values."""
        if flow.location != "points":
            raise OptionError("autodiff needs the velocity at points and it is at cells: use finite-difference")
        if not flow.mesh.dimension:
            raise OptionError("autodiff needs cells and the mesh has only points: there is nothing to differentiate")
        if not isinstance(at, str):
            return PositionInterpolant(flow.mesh, at)
        return CellInterpolant(flow.mesh) if at == "cells" else PointInterpolant(flow.mesh)

    def finer(self) -> Scheme:
        """Local cubic fits: means over symmetric neighbourhoods are of second order, as quadratic fits are."""
        from flowgrad.gradient.finite_difference import FiniteDifference

        return FiniteDifference(order=3)


@dataclass(frozen=True, eq=False)
class _Interpolant(Operator):
    """What the gradients at cells and at points have in common."""

    mesh: Mesh

    @property
    def notes(self) -> tuple[str, ...]:
        """On surfaces and lines: what they do not tell."""
        what = {1: "lines", 2: "surfaces"}.get(self.mesh.dimension)
        return (f"the cells are {what}: derivatives out of them are taken as zero",) if what else ()


@dataclass(frozen=True, eq=False)
class CellInterpolant(_Interpolant):
    """Gradients at the centres of the cells."""

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (n_cells, 3, 3) of vectors (n_points, 3)."""
        return from_owners(self.mesh, self.full_cells(values))

    def full_cells(self, values: FloatArray) -> FloatArray:
        """The same, NaN on cells of lower dimension."""
        mesh = self.mesh
        result = np.empty((len(mesh), 3, 3))
        for block in mesh.blocks:
            if block.reference.dimension == mesh.dimension and block.reference.has_interpolant:
                kernels.cell_gradients(mesh.points, values, block.rows, self.sites(block), block.cells, result)
            else:
                result[block.cells] = np.nan
        self._fit(values, result)
        return result

    def sites(self, block: Block) -> FloatArray:
        """dN/dξ where the gradients of a block are taken: (1, k, d), or (m, k, d) for its m cells."""
        return block.reference.center_gradients

    def fitted_cells(self, values: FloatArray) -> FloatArray:
        """The same, NaN also on cells that have an interpolant."""
        result = np.full((len(self.mesh), 3, 3), np.nan)
        self._fit(values, result)
        return result

    def _fit(self, values: FloatArray, result: FloatArray) -> None:
        mesh = self.mesh
        for block in mesh.blocks:
            if block.reference.dimension == mesh.dimension and block.reference.is_fitted:
                kernels.plane_fits(mesh.points, values, *self._rings(block.cells), block.cells, result)

    def _rings(self, cells: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        return (*rings(self.mesh.cells, cells), self.mesh.dimension)

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (n_cells, n_points)."""
        own = cell_matrices(self.mesh, CellInterpolant(taken_apart(self.mesh)).full_cells)
        return tuple(rows_of_owners(self.mesh, matrix) for matrix in own)


@dataclass(frozen=True, eq=False)
class PointInterpolant(_Interpolant):
    """Gradients at the points: the measure-weighted mean of those of the cells around."""

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (n_points, 3, 3) of vectors (n_points, 3)."""
        return kernels.mean_of_sums(self.sums(values))

    def sums(self, values: FloatArray) -> FloatArray:
        """Weighted gradients and weights at the points, summed over the cells (t, n_points, 10)."""
        mesh = self.mesh
        sums = kernels.empty_sums(len(mesh.points))
        for block in mesh.blocks:
            reference = block.reference
            if reference.dimension == mesh.dimension and reference.has_interpolant:
                dN = reference.node_gradients
                kernels.add_point_gradients(mesh.points, values, block.rows, dN, reference.volume, sums)
        self._add_plane_fits(values, sums)
        return sums

    def _add_plane_fits(self, values: FloatArray, sums: FloatArray) -> None:
        mesh = self.mesh
        fitted = [b.cells for b in mesh.blocks if b.reference.is_fitted and b.reference.dimension == mesh.dimension]
        if fitted:
            average_to_points(mesh, CellInterpolant(mesh).fitted_cells(values), np.concatenate(fitted), sums)

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (n_points, n_points)."""
        apart = PointInterpolant(taken_apart(self.mesh, with_measures=True))
        shares = apart.sums(np.zeros((len(apart.mesh.points), 3)))[:, :, 9].sum(axis=0)
        return point_matrices(self.mesh, apart.vectors, shares)


@dataclass(frozen=True, eq=False)
class PositionInterpolant(_Interpolant):
    """Gradients at positions (m, 3): each from the cell that holds it, NaN outside the mesh."""

    positions: FloatArray

    @cached_property
    def location(self) -> Location:
        """The cells and reference coordinates of the positions."""
        return locate(self.mesh, self.positions)

    @property
    def notes(self) -> tuple[str, ...]:
        """How many positions lie outside, besides."""
        outside = int((~self.location.inside).sum())
        where = f"{outside} of {len(self.positions)} positions lie outside the mesh"
        return (*super().notes, where) if outside else super().notes

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (m, 3, 3) of vectors (n_points, 3)."""
        result = np.full((len(self.positions), 3, 3), np.nan)
        result[self.location.inside] = self._probes.full_cells(values)
        return result

    def interpolate(self, values: FloatArray) -> FloatArray:
        """The interpolant itself (m, ...) of values (n_points, ...) at the positions."""
        result = np.full((len(self.positions), *values.shape[1:]), np.nan)
        result[self.location.inside] = self._probes.interpolate(values, self.positions[self.location.inside])
        return result

    @cached_property
    def _probes(self) -> Probes:
        inside = self.location.inside
        cells = self.mesh.cells.take(self.location.cells[inside])
        return Probes(Mesh(self.mesh.points, cells), self.location.xi[inside])

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (m, n_points)."""
        probes = self._probes
        own = cell_matrices(probes.mesh, Probes(taken_apart(probes.mesh), probes.xi).full_cells)
        inside = self.location.inside
        return tuple(spread_rows(matrix, np.where(inside, np.cumsum(inside) - 1, -1)) for matrix in own)


@dataclass(frozen=True, eq=False)
class Probes(CellInterpolant):
    """A mesh of one cell for each position, and the reference coordinates ``xi`` (m, 3) in it."""

    xi: FloatArray

    def sites(self, block: Block) -> FloatArray:
        """At the positions."""
        return block.reference.gradients(self.xi[block.cells, : block.reference.dimension])

    def interpolate(self, values: FloatArray, positions: FloatArray) -> FloatArray:
        """Values (m, ...) of point values (n, ...): Σ N_a v_a, or the fitted plane where there is no N."""
        columns = values.reshape(len(values), -1)
        result = np.full((len(self.mesh), columns.shape[1]), np.nan)
        for block in self.mesh.blocks:
            if block.reference.has_interpolant:
                N = block.reference.values(self.xi[block.cells, : block.reference.dimension])
                result[block.cells] = np.einsum("mk,mkc->mc", N, columns[block.rows])
            else:
                result[block.cells] = self._planes(columns, positions)[block.cells]
        return result.reshape(len(result), *values.shape[1:])

    def _planes(self, columns: FloatArray, positions: FloatArray) -> FloatArray:
        """The mean of each cell's points, and from there along its gradient."""
        cells = self.mesh.cells
        sizes = np.diff(cells.offsets)
        owner = np.repeat(np.arange(len(sizes)), sizes)
        both = np.hstack([columns, self.mesh.points])[cells.connectivity]
        means = np.column_stack([np.bincount(owner, column, len(sizes)) for column in both.T]) / sizes[:, None]
        gradients = self.apply(columns)
        return means[:, :-3] + np.einsum("mcj,mj->mc", gradients, positions - means[:, -3:])
