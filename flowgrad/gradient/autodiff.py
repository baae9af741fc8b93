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
from flowgrad.gradient.operator import FloatArray, Operator, Scheme, average_to_points, from_owners
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
        if not len(flow.mesh):
            raise OptionError("autodiff needs cells and the mesh has none: there is no interpolant to differentiate")
        return CellInterpolant(flow.mesh) if at == "cells" else PointInterpolant(flow.mesh)


@dataclass(frozen=True, eq=False)
class CellInterpolant(Operator):
    """Gradients at the centres of the cells."""

    mesh: Mesh

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (n_cells, 3, 3) of vectors (n_points, 3)."""
        return from_owners(self.mesh, self.full_cells(values))

    def full_cells(self, values: FloatArray) -> FloatArray:
        """The same, NaN on cells of lower dimension."""
        mesh = self.mesh
        result = np.empty((len(mesh), 3, 3))
        for block in mesh.blocks:
            if block.reference.dimension != mesh.dimension:
                result[block.cells] = np.nan
            elif block.reference.has_interpolant:
                dN = block.reference.center_gradients
                kernels.cell_gradients(mesh.points, values, block.rows, dN, block.cells, result)
            else:
                kernels.plane_fits(mesh.points, values, *self._rings(block.cells), block.cells, result)
        return result

    def _rings(self, cells: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
        return (*rings(self.mesh, cells), self.mesh.dimension)

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (n_cells, n_points), found by differentiating unit values."""
        from scipy.sparse import csr_array

        cells = self.mesh.cells
        sizes = np.diff(cells.offsets)
        local = np.arange(len(cells.connectivity)) - np.repeat(cells.offsets[:-1], sizes)
        apart = CellInterpolant(self._taken_apart())
        weights = np.zeros((len(local), 3))
        for first in range(0, int(sizes.max(initial=0)), 3):
            unit = (local[:, None] == first + np.arange(3)).astype(float)
            gradients = apart.full_cells(unit)
            for k in range(3):
                mine = np.flatnonzero(local == first + k)
                weights[mine] = gradients[np.repeat(np.arange(len(sizes)), sizes)[mine], k]
        shape = (len(cells), len(self.mesh.points))
        own = [csr_array((weights[:, i], cells.connectivity, cells.offsets), shape=shape) for i in range(3)]
        return tuple(matrix[self.mesh.topology.owners] for matrix in own)

    def _taken_apart(self) -> Mesh:
        """The same cells, each with its own copies of its points."""
        from flowgrad.mesh import Cells

        cells = self.mesh.cells
        flat = Cells(cells.types, cells.offsets, np.arange(len(cells.connectivity)))
        return Mesh(self.mesh.points[cells.connectivity], flat)


@dataclass(frozen=True, eq=False)
class PointInterpolant(Operator):
    """Gradients at the points: the measure-weighted mean of those of the cells around."""

    mesh: Mesh

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (n_points, 3, 3) of vectors (n_points, 3)."""
        mesh = self.mesh
        sums = kernels.empty_sums(len(mesh.points))
        for block in mesh.blocks:
            reference = block.reference
            if reference.dimension == mesh.dimension and reference.has_interpolant:
                dN = reference.node_gradients
                kernels.add_point_gradients(mesh.points, values, block.rows, dN, reference.volume, sums)
        self._add_plane_fits(values, sums)
        return kernels.mean_of_sums(sums)

    def _add_plane_fits(self, values: FloatArray, sums: FloatArray) -> None:
        fitted = [b for b in self.mesh.blocks if not b.reference.has_interpolant]
        fitted = [b for b in fitted if b.reference.dimension == self.mesh.dimension]
        if fitted:
            gradients = CellInterpolant(self.mesh).full_cells(values)
            average_to_points(self.mesh, gradients, np.concatenate([b.cells for b in fitted]), sums)
