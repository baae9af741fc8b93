"""Autodiff: differentiate the interpolant that the mesh defines from values at its points.

In a cell v(ξ) = Σ N_a(ξ) v_a and x(ξ) = Σ N_a(ξ) x_a, so ∇v = (Σ v_a ⊗ dN_a/dξ) J⁻¹ with
J = Σ x_a ⊗ dN_a/dξ (Hughes 2000, The Finite Element Method, §3.9). The dN_a/dξ come from dual
numbers, once for each cell type. Cells without an interpolant (polygons, polyhedra) get the least
squares plane through their own points.
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
    FloatArray,
    Operator,
    Scheme,
    average_to_points,
    from_owners,
    rows_of_owners,
)
from flowgrad.mesh import Mesh
from flowgrad.mesh.geometry import rings

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True)
class Autodiff(Scheme):
    """Gradient of the element's interpolant, from values at the points of the mesh.

    At cells it is evaluated at the centre of the reference cell, at points it is the mean over the
    cells around, each evaluated at that point and weighted with its measure there. Exact for
    fields that the elements contain, linear ones at least.
    """

    def prepare(self, flow: Flow, at: str) -> Operator:
        """The operator for the mesh of a flow with values at points; OptionError for cell values."""
        if flow.location != "points":
            raise OptionError("autodiff needs the velocity at points and it is at cells: use finite-difference")
        if not flow.mesh.dimension:
            raise OptionError("autodiff needs cells and the mesh has only points: there is nothing to differentiate")
        return CellInterpolant(flow.mesh) if at == "cells" else PointInterpolant(flow.mesh)


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
                dN = block.reference.center_gradients
                kernels.cell_gradients(mesh.points, values, block.rows, dN, block.cells, result)
            else:
                result[block.cells] = np.nan
        self._fit(values, result)
        return result

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
        return (*rings(self.mesh, cells), self.mesh.dimension)

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
        apart = PointInterpolant(taken_apart(self.mesh))
        shares = apart.sums(np.zeros((len(apart.mesh.points), 3)))[:, :, 9].sum(axis=0)
        return point_matrices(self.mesh, apart.vectors, shares)
