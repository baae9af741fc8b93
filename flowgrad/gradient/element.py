"""Scheme ``autodiff``: the derivative of the interpolant that the mesh defines from values at its points.

In a cell v(ξ) = Σ N_a(ξ) v_a and x(ξ) = Σ N_a(ξ) x_a, so ∇v = (Σ v_a ⊗ dN_a/dξ) J⁻¹ with
J = Σ x_a ⊗ dN_a/dξ (Hughes 2000, The Finite Element Method, §3.9). The dN_a/dξ come from dual
numbers, for each cell type at its centre and its nodes, and at any position where asked. Cells
without an interpolant (polygons, polyhedra) get the least squares plane through their own points.

Sparse matrices are found by differentiating unit values. On the mesh taken apart, each cell with its own copies of its
points, a unit value at one point of every cell gives the weights of that point in all cells at once, three points for
each pass.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient import element_kernels as kernels
from flowgrad.gradient.plane_fits import plane_fits
from flowgrad.gradient.scheme import Operator, Scheme, Where, on_owners, on_rows, register_scheme
from flowgrad.mesh import Cells, Mesh
from flowgrad.mesh.cells import corners, offsets, successor
from flowgrad.mesh.face_sites import face_sites
from flowgrad.mesh.geometry import rings
from flowgrad.mesh.locate import locate
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from flowgrad.mesh.cells import Block


@dataclass(frozen=True)
class Autodiff(Scheme):
    """Gradient of the element's interpolant, from values at the points of the mesh.

    At cells it is evaluated at the centre of the reference cell, at points it is the mean over the
    cells around, each evaluated at that point and weighted inversely to its size there, at positions
    (m, 3) it is that of the cell that holds them, of several the one of the lowest number. Exact for
    fields that the elements contain, linear ones at least. Where cells own their points and the velocity jumps
    between them, at points it is that of the cell which owns the point.
    """

    location = "points"
    is_local = True
    by_cell = True

    def prepare(self, flow: Flow, at: Where) -> Operator:
        """The operator for the mesh of a flow with values at points; OptionError for cell values."""
        mesh = flow.mesh
        if flow.location != "points":
            raise OptionError("autodiff needs the velocity at points and it is at cells: use finite-difference")
        if not mesh.dimension:
            raise OptionError("autodiff needs cells and the mesh has only points: there is nothing to differentiate")
        what = {1: "lines", 2: "surfaces"}.get(mesh.dimension)
        notes: tuple[str, ...] = (f"the cells are {what}: derivatives out of them are taken as zero",) if what else ()
        notes += mesh.cells.notes
        if isinstance(at, str):
            if at == "cells":
                return on_owners(mesh, CellInterpolant(mesh, notes=notes))
            return _off_creases(mesh, PointInterpolant(mesh, notes=notes))
        found = locate(mesh, at)
        inside, outside = found.inside, int((~found.inside).sum())
        if outside:
            notes += (f"{outside} of {len(at)} positions lie outside the mesh",)
        probes = Mesh(mesh.points, mesh.cells.take(found.cells[inside]))
        cells = CellInterpolant(probes, found.xi[inside], notes=notes)
        return on_rows(cells, np.where(inside, np.cumsum(inside) - 1, -1))

    def prepare_on_boundary(self, flow: Flow, faces: IntArray) -> Operator:
        """The operator for gradients of the cells of boundary faces: at the middles of flat faces (k,), and on curved
        ones at the sites of :func:`flowgrad.mesh.face_sites.face_sites` (q,); OptionError for cell values."""
        on_cells = self.prepare(flow, "cells")
        sites = face_sites(flow.mesh, faces)
        return CellInterpolant(Mesh(flow.mesh.points, sites.probes), sites.xi, notes=on_cells.notes)


def _off_creases(mesh: Mesh, operator: Operator) -> Operator:
    """Gradients at points, without those on creases of a curved surface, where the means would be over two planes."""
    if mesh.dimension != 2 or mesh.structure.normal is not None:
        return operator
    from flowgrad.gradient.local_fits.creases import crease_note, crease_points

    on_crease = crease_points(mesh)
    if not on_crease.any():
        return operator
    noted = replace(operator, notes=(*operator.notes, crease_note(on_crease)))
    return on_rows(noted, np.where(on_crease, -1, np.arange(mesh.point_count)))


@dataclass(frozen=True, eq=False)
class CellInterpolant(Operator):
    """Gradients in the cells, NaN in those of lower dimension: at their centres, or each at its own reference
    coordinates ``xi`` (m, 3)."""

    mesh: Mesh
    xi: FloatArray | None = None

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (n_cells, 3, 3) of vectors (n_points, 3)."""
        mesh = self.mesh
        result = np.empty((len(mesh), 3, 3))
        for block in mesh.blocks:
            if block.reference.dimension == mesh.dimension and block.reference.has_interpolant:
                kernels.cell_gradients(mesh.points, values, block.rows, self._sites(block), block.cells, result)
            else:
                result[block.cells] = np.nan
        fit_planes(mesh, values, result)
        return result

    def _sites(self, block: Block) -> FloatArray:
        """dN/dξ where the gradients of a block are taken: (1, k, d), or (m, k, d) for its m cells."""
        if self.xi is None:
            return block.reference.center_gradients
        return block.reference.gradients(self.xi[block.cells, : block.reference.dimension])

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (n_cells, n_points)."""
        cells, apart = self.mesh.cells, CellInterpolant(taken_apart(self.mesh), xi=self.xi)
        rows = np.repeat(np.arange(len(cells)), np.diff(cells.offsets))
        weights = np.zeros((len(rows), 3))
        for chosen, column, gradients in _unit_gradients(cells, apart.vectors):
            weights[chosen] = gradients[rows[chosen], column]
        return _assembled(weights, rows, cells.connectivity, (len(cells), len(self.mesh.points)))


def fit_planes(mesh: Mesh, values: FloatArray, result: FloatArray) -> IntArray:
    """Put the gradients of the cells without an interpolant into ``result`` (n_cells, 3, 3); the numbers of these."""
    fitted = _fitted(mesh)
    if len(fitted):
        plane_fits(mesh.points, values, *rings(mesh.cells, fitted), mesh.dimension, fitted, result)
    return fitted


def _fitted(mesh: Mesh) -> IntArray:
    """The cells without an interpolant."""
    fitted = [b.cells for b in mesh.blocks if b.reference.is_fitted and b.reference.dimension == mesh.dimension]
    return np.concatenate([np.empty(0, np.int64), *fitted])


@dataclass(frozen=True, eq=False)
class PointInterpolant(Operator):
    """Gradients at the points: the mean of those of the cells around, each taken at the point and weighted with its
    share there (:mod:`flowgrad.gradient.element_kernels`). ``given`` are these shares where they are known already."""

    mesh: Mesh
    given: FloatArray | None = None

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (n_points, 3, 3) of vectors (n_points, 3)."""
        return kernels.mean_of_sums(self.sums(values))

    def sums(self, values: FloatArray) -> FloatArray:
        """Weighted gradients and weights at the points, summed over the cells (t, n_points, 10)."""
        mesh, shares = self.mesh, self.shares
        starts, sums = mesh.cells.offsets[:-1], kernels.empty_sums(len(mesh.points))
        for block in self._interpolated():
            dN, begin = block.reference.node_gradients, starts[block.cells]
            kernels.add_point_gradients(mesh.points, values, block.rows, dN, begin, shares, sums)
        if any(block.reference.is_fitted for block in mesh.blocks):
            gradients = np.full((len(mesh), 3, 3), np.nan)
            fitted = fit_planes(mesh, values, gradients)
            kernels.add_cell_gradients(gradients, shares, mesh.cells.offsets, mesh.cells.connectivity, fitted, sums)
        return sums

    def _interpolated(self) -> list[Block]:
        blocks = [block for block in self.mesh.blocks if block.reference.dimension == self.mesh.dimension]
        return [block for block in blocks if block.reference.has_interpolant]

    @cached_property
    def shares(self) -> FloatArray:
        """Weights of the cells at their points (len(connectivity),)."""
        if self.given is not None:
            return self.given
        mesh = self.mesh
        connectivity, starts, blocks = mesh.cells.connectivity, mesh.cells.offsets[:-1], self._interpolated()
        sums, shares = kernels.empty_sums(len(mesh.points), 6), np.zeros(len(connectivity))
        sites = [(mesh.points, b.rows, b.reference.node_gradients, b.reference.spans) for b in blocks]
        for each in sites:
            kernels.add_extents(*each, sums)
        places, diagonals, sides, measures = self._fitted_arms()
        for each in sides if len(sides) else diagonals[None]:
            kernels.add_arms(each, connectivity[places], sums)
        metric = kernels.metrics(kernels.means_of_squares(sums))
        for block, each in zip(blocks, sites, strict=True):
            kernels.corner_weights(*each, block.reference.degree, metric, starts[block.cells], shares)
        if len(places):
            here, d = metric[connectivity[places]], mesh.dimension
            shares[places] = measures * (d / np.einsum("ki,kij,kj->k", diagonals, here, diagonals)) ** d
        if len(sides):
            spanned, squares = np.cross(*sides), np.einsum("aki,kij,akj->ak", sides, here, sides).prod(axis=0)
            with np.errstate(invalid="ignore"):
                shares[places] = np.fmax(shares[places], np.sqrt((spanned**2).sum(axis=1)) / squares)
        return shares

    def _fitted_arms(self) -> tuple[IntArray, FloatArray, FloatArray, FloatArray]:
        """Of the corners of cells without an interpolant: places in the connectivity (k,); twice the ways to the cells'
        centroids (k, 3), as the diagonals of cubes and squares; the sides of polygons (2, k, 3), none of polyhedra,
        which are better where they are not in line; and the cells' measures (k,)."""
        mesh, fitted = self.mesh, _fitted(self.mesh)
        if not len(fitted):
            return fitted, np.empty((0, 3)), np.empty((0, 0, 3)), np.empty(0)
        places, cells = corners(mesh.cells, fitted)
        x = mesh.points[mesh.cells.connectivity[places]]
        following = successor(offsets(np.diff(mesh.cells.offsets)[fitted]))
        sides = np.stack([x[following] - x, (x - x[following])[np.argsort(following)]])
        found = sides if mesh.dimension == 2 else sides[:0]
        return places, 2 * (mesh.centroids[cells] - x), found, mesh.measures[cells]

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (n_points, n_points)."""
        apart = PointInterpolant(taken_apart(self.mesh), given=self.shares)
        shares = apart.sums(np.zeros((len(apart.mesh.points), 3)))[:, :, 9].sum(axis=0)
        return point_matrices(self.mesh, apart.vectors, shares)


def taken_apart(mesh: Mesh) -> Mesh:
    """The same cells, each with its own copies of its points, polyhedra without their faces."""
    cells = mesh.cells
    flat = Cells(cells.types, cells.offsets, np.arange(len(cells.connectivity)), None, cells.degrees, cells.node_set)
    return Mesh(mesh.points[cells.connectivity], flat)


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


register_scheme(
    "autodiff",
    Autodiff,
    summary="the velocity between the points of a cell is interpolated by the cell's own functions, whose derivatives "
    "are exact",
    # Means over symmetric neighbourhoods are of second order, as quadratic fits are: cubic ones tell their error.
    finer="finite-difference(order=3)",
    reach=1,  # at cells for those of lower dimension, which carry a neighbour's
)
