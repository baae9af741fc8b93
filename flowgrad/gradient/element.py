"""Sparse matrices of the element gradients, found by differentiating unit values.

On the mesh taken apart, each cell with its own copies of its points, a unit value at one point of
every cell gives the weights of that point in all cells at once, three points for each pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient import element_kernels as kernels
from flowgrad.gradient.operator import Operator, average_to_points, from_owners, rows_of_owners, spread_rows
from flowgrad.gradient.scheme import Scheme, Where, register_scheme
from flowgrad.mesh import Cells, Mesh
from flowgrad.mesh.geometry import rings
from flowgrad.mesh.locate import Location, locate
from flowgrad.mesh.ragged import runs
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from flowgrad.mesh.cells import Block


def taken_apart(mesh: Mesh, with_measures: bool = False) -> Mesh:
    """The same cells, each with its own copies of its points, perhaps with the measures they had."""
    cells = mesh.cells
    flat = Cells(cells.types, cells.offsets, np.arange(len(cells.connectivity)), None, cells.degrees)
    apart = Mesh(mesh.points[cells.connectivity], flat)
    if with_measures:
        apart.__dict__["measures"] = mesh.measures  # cached; polyhedra have no faces here
    return apart


def cell_matrices(mesh: Mesh, vectors: Callable[[FloatArray], FloatArray]) -> tuple[csr_array, ...]:
    """d/dx, d/dy, d/dz (n_cells, n_points); ``vectors`` gives gradients (n_cells, 3, 3) on the mesh
    taken apart."""
    cells = mesh.cells
    sizes = np.diff(cells.offsets)
    rows = np.repeat(np.arange(len(cells)), sizes)
    weights = np.zeros((len(rows), 3))
    for chosen, column, gradients in _unit_gradients(cells, vectors):
        weights[chosen] = gradients[rows[chosen], column]
    return _assembled(weights, rows, cells.connectivity, (len(cells), len(mesh.points)))


def point_matrices(
    mesh: Mesh, vectors: Callable[[FloatArray], FloatArray], shares: FloatArray
) -> tuple[csr_array, ...]:
    """d/dx, d/dy, d/dz (n_points, n_points); ``vectors`` gives gradients (k, 3, 3) at the points of
    the mesh taken apart, ``shares`` (k,) their weights in the means."""
    cells = mesh.cells
    sizes = np.diff(cells.offsets)
    total = np.bincount(cells.connectivity, shares, minlength=len(mesh.points))
    used = np.flatnonzero(shares > 0)
    parts: list[tuple[FloatArray, IntArray, IntArray]] = []
    for chosen, column, gradients in _unit_gradients(cells, vectors):
        # Every corner of a cell that has a unit value is differentiated with respect to it.
        source = np.full(len(cells), -1)
        source[np.repeat(np.arange(len(cells)), sizes)[chosen]] = chosen
        here = np.repeat(source, sizes)[used]
        corners, sources = used[here >= 0], here[here >= 0]
        target = cells.connectivity[corners]
        scale = (shares[corners] / total[target])[:, None]
        parts.append((scale * gradients[corners, column], target, cells.connectivity[sources]))
    weights, rows, columns = (np.concatenate(each) for each in zip(*parts, strict=True))
    empty = np.flatnonzero(total == 0)
    weights = np.concatenate([weights, np.full((len(empty), 3), np.nan)])
    shape = (len(mesh.points), len(mesh.points))
    return _assembled(weights, np.concatenate([rows, empty]), np.concatenate([columns, empty]), shape)


def mean_matrix(mesh: Mesh) -> csr_array:
    """The measure-weighted means at points of values at full cells (n_points, n_cells)."""
    from scipy.sparse import csr_array

    full = np.flatnonzero(mesh.is_full & (mesh.measures > 0))
    sizes = np.diff(mesh.cells.offsets)[full]
    points = mesh.cells.connectivity[runs(mesh.cells.offsets[full], sizes)]
    cells = np.repeat(full, sizes)
    total = np.bincount(points, mesh.measures[cells], minlength=len(mesh.points))
    values = mesh.measures[cells] / total[points]
    return csr_array((values, (points, cells)), shape=(len(mesh.points), len(mesh)))


def _unit_gradients(
    cells: Cells, vectors: Callable[[FloatArray], FloatArray]
) -> list[tuple[IntArray, int, FloatArray]]:
    """For each local point number: the points of the mesh taken apart that have it, the component
    that carried their unit value, and the gradients of that pass."""
    sizes = np.diff(cells.offsets)
    local = np.arange(len(cells.connectivity)) - np.repeat(cells.offsets[:-1], sizes)
    found = []
    for first in range(0, int(sizes.max(initial=0)), 3):
        gradients = vectors((local[:, None] == first + np.arange(3)).astype(float))
        found += [(np.flatnonzero(local == first + k), k, gradients) for k in range(3)]
    return found


def _assembled(weights: FloatArray, rows: IntArray, columns: IntArray, shape: tuple[int, int]) -> tuple[csr_array, ...]:
    from scipy.sparse import csr_array

    return tuple(csr_array((weights[:, axis], (rows, columns)), shape=shape) for axis in range(3))


@dataclass(frozen=True)
class Autodiff(Scheme):
    """Gradient of the element's interpolant, from values at the points of the mesh.

    At cells it is evaluated at the centre of the reference cell, at points it is the mean over the
    cells around, each evaluated at that point and weighted with its measure there, at positions
    (m, 3) it is that of the cell that holds them, of several the one of the lowest number. Exact for
    fields that the elements contain, linear ones at least.
    """

    location = "points"
    is_local = True

    def prepare(self, flow: Flow, at: Where) -> Operator:
        """The operator for the mesh of a flow with values at points; OptionError for cell values."""
        if flow.location != "points":
            raise OptionError("autodiff needs the velocity at points and it is at cells: use finite-difference")
        if not flow.mesh.dimension:
            raise OptionError("autodiff needs cells and the mesh has only points: there is nothing to differentiate")
        if not isinstance(at, str):
            return PositionInterpolant(flow.mesh, at)
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


register_scheme(
    "autodiff",
    Autodiff,
    summary="the velocity between the points of a cell is interpolated by the cell's own functions, whose derivatives "
    "are exact",
    # Means over symmetric neighbourhoods are of second order, as quadratic fits are: cubic ones tell their error.
    finer="finite-difference(order=3)",
    reach=1,  # at cells for those of lower dimension, which carry a neighbour's
)
