"""Order 1 on cell data: compact least squares over the cells across faces and the known boundary values.

Around each cell, L minimises Σ_j w_j |v_j − v_i − L (x_j − x_i)|² with w_j = 1/|x_j − x_i|², over
the cells across its faces and the known values on the boundary (Barth & Jespersen 1989, AIAA
89-0366; the weights of Mavriplis 2003, AIAA 2003-3986). Directions in which the mesh is one cell
thick carry no information and have no derivative.

Samples are numbered through: cells first, then the boundary faces whose values are known.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import prange

from flowgrad.compiled import kernel
from flowgrad.errors import MeshError
from flowgrad.flow import Flow
from flowgrad.gradient.local_fits.directions import Directions, directions, do_not_reach, one_sided_cells
from flowgrad.gradient.local_fits.fits import LocalFits
from flowgrad.gradient.local_fits.neighbourhoods import Targets
from flowgrad.gradient.local_fits.operator import prepare_fits
from flowgrad.gradient.point_means import PointMeans
from flowgrad.gradient.scheme import (
    Operator,
    Where,
    boundary_samples,
    handed_on,
    on_owners,
    on_rows,
    patch_centroids,
    patch_faces,
)
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import offsets, take
from flowgrad.mesh.locate import locate
from flowgrad.mesh.wall_layers import layers_note
from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray, FloatArray, IntArray

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


# det M/(tr M/r)^r of the fit's matrix is 1 where the samples lie evenly around, 0 where they
# determine nothing; below this value the neighbourhood grows. Higher values help smooth fields at
# boundaries and harm those with steep walls.
_POOR = 0.1


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

    def of_usable(self, usable: BoolArray) -> CellStencils:
        """These stencils without the samples that have no value."""
        if usable.all():
            return self
        kept = usable[self.samples]
        cells = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        return CellStencils.from_pairs(cells[kept], self.samples[kept], len(self.offsets) - 1)

    def with_fits(self, cells: IntArray, fits: LocalFits) -> CellStencils:
        """These stencils with those of some cells (m,) taken from fits through their values."""
        targets, samples, weights = fits.stencils()
        owners = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        kept = ~np.isin(owners, cells)
        owners = np.concatenate([owners[kept], cells[targets]])
        order = np.argsort(owners, kind="stable")
        samples = np.concatenate([self.samples[kept], samples])[order]
        weights = np.concatenate([self.weights[kept], weights])[order]
        return CellStencils(offsets(np.bincount(owners, minlength=len(self.offsets) - 1)), samples, weights)

    def replaced(self, cells: IntArray, other: CellStencils) -> CellStencils:
        """These stencils with those of some cells taken from another."""
        keep = np.ones(len(self.offsets) - 1, bool)
        keep[cells] = False
        owners, samples = [], []
        for chosen, each in ((np.flatnonzero(keep), self), (cells, other)):
            start, found = take(each.offsets, each.samples, chosen)
            owners.append(np.repeat(chosen, np.diff(start)))
            samples.append(found)
        return CellStencils.from_pairs(np.concatenate(owners), np.concatenate(samples), len(keep))


def across_faces(mesh: Mesh, patch_faces: IntArray) -> CellStencils:
    """Each cell's neighbours across its faces, and the known values on its own boundary faces."""
    first, second = mesh.topology.pairs.T
    owner = mesh.topology.boundary_cells[patch_faces]
    known = len(mesh) + np.arange(len(patch_faces))
    cells = np.concatenate([first, second, owner])
    return CellStencils.from_pairs(cells, np.concatenate([second, first, known]), len(mesh))


def around_points(mesh: Mesh, patch_faces: IntArray, chosen: IntArray) -> CellStencils:
    """For the chosen cells all cells and known boundary faces that share a point with them."""
    start, points = take(mesh.cells.offsets, mesh.cells.connectivity, chosen)
    counts, others = take(*mesh.topology.point_cells, points)
    cells = np.repeat(np.repeat(chosen, np.diff(start)), np.diff(counts))
    pairs = np.unique(np.column_stack([cells, others])[cells != others], axis=0)
    near = across_faces(mesh, patch_faces)
    own = np.flatnonzero(near.samples >= len(mesh))
    owners = np.repeat(np.arange(len(mesh)), np.diff(near.offsets))[own]
    faces = CellStencils.from_pairs(owners, near.samples[own], len(mesh))
    every = np.concatenate([pairs, np.column_stack([chosen, chosen])])
    start, known = take(faces.offsets, faces.samples, every[:, 1])
    cells = np.concatenate([pairs[:, 0], np.repeat(every[:, 0], np.diff(start))])
    return CellStencils.from_pairs(cells, np.concatenate([pairs[:, 1], known]), len(mesh))


@dataclass(frozen=True, eq=False)
class CellSamples:
    """Samples of a flow at cells: ``positions`` (n + b, 3) of the cells of a mesh, then of boundary ``faces``
    (b,), those that have a value (``usable``), and the directions that they resolve."""

    mesh: Mesh
    positions: FloatArray
    faces: IntArray
    usable: BoolArray
    directions: Directions

    @classmethod
    def of(cls, flow: Flow, scheme: str) -> CellSamples:
        """Those of a flow; MeshError where there are none, and on curved surfaces, which ``scheme`` does not know."""
        mesh, on_boundary = flow.mesh, patch_centroids(flow.mesh, flow.boundary)
        samples = np.concatenate([mesh.centroids[mesh.is_full], on_boundary])
        if not finite_rows(samples).any():
            raise MeshError(f"{flow.name}: {scheme} on cell data needs cells and the mesh has none: use autodiff")
        found = directions(mesh, samples)
        if found.curved:
            what = "surface" if mesh.dimension == 2 else "line"
            raise MeshError(f"{flow.name}: {scheme} does not know curved {what}s: use finite-difference(order=2)")
        positions = np.concatenate([mesh.centroids, on_boundary])
        return cls(mesh, positions, patch_faces(flow.boundary), finite_rows(boundary_samples(flow)), found)


@dataclass(frozen=True, eq=False)
class CellDifferences(Operator):
    """Gradients at the cells of full dimension, Σ_j (v_j − v_i) ⊗ w_ij with the weights w of their ``stencils``."""

    on: CellSamples
    stencils: CellStencils

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (n, 3, 3) of the samples (n + b, 3)."""
        return apply_weights(values, self.stencils.offsets, self.stencils.samples, self.stencils.weights)

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (n, n + b) on cell values followed by boundary values."""
        from scipy.sparse import csr_array

        stencils, n = self.stencils, len(self.on.mesh)
        rows = np.repeat(np.arange(n), np.diff(stencils.offsets))
        shape = (n, len(self.on.positions))
        result = []
        for weights in stencils.weights.T:
            own = csr_array((weights, stencils.samples, stencils.offsets), shape=shape)
            own_weight = np.where(np.diff(stencils.offsets) > 0, -np.bincount(rows, weights, minlength=n), np.nan)
            center = csr_array((own_weight, (range(n), range(n))), shape=shape)
            result.append((own + center).tocsr())
        return tuple(result)


def cell_differences(on: CellSamples, stencils: CellStencils) -> CellDifferences:
    """The operator of some stencils; one-sided are cells with an open boundary face."""
    one_sided, where = one_sided_cells(on.mesh, on.faces, on.directions.across), on.directions
    about = {"notes": where.notes, "faces": on.faces, "known": on.usable, "one_sided": one_sided, "directions": where}
    return CellDifferences(on, stencils, **about)  # type: ignore[arg-type]


def prepare_compact(flow: Flow, at: Where) -> Operator:
    """Least squares for a flow with values at cells; at positions those of the cells around. MeshError where it has no
    cells, and on curved surfaces."""
    on = CellSamples.of(flow, "finite-difference(order=1)")
    cells, layers = cell_differences(on, _least_squares(on)), flow.mesh.wall_layers
    if layers is not None:
        bent = np.flatnonzero(layers.cells.most > 0)
        along = functools.partial(Targets.at_samples, own=bent)
        fits = prepare_fits(flow, flow.mesh.centroids[bent], 1, 1.0, averages=False, targets_of=along)
        stencils = cells.stencils.with_fits(bent, fits.fits)
        cells = replace(cells, stencils=stencils, notes=(*cells.notes, layers_note(len(bent), len(flow.mesh), "cells")))
    if not isinstance(at, str):
        return on_rows(cells, locate(flow.mesh, at).cells)
    if at == "cells":
        return on_owners(flow.mesh, cells)
    return PointMeans(cells, flow.mesh, **handed_on(cells, one_sided=None))


def _least_squares(on: CellSamples) -> CellStencils:
    """Cells across faces, and where these determine a gradient badly, cells around points."""
    mesh, where = on.mesh, on.directions
    near = across_faces(mesh, on.faces).of_usable(on.usable)
    weights, quality = fit_weights(on.positions, near.offsets, near.samples, where.basis, where.rank)
    poor = np.flatnonzero(mesh.is_full & ~(quality > _POOR))
    if not len(poor):
        return replace(near, weights=weights)
    grown = near.replaced(poor, around_points(mesh, on.faces, poor).of_usable(on.usable))
    weights, quality = fit_weights(on.positions, grown.offsets, grown.samples, where.basis, where.rank)
    blind = ~(quality > SINGULAR)
    doubtful = np.flatnonzero((quality > SINGULAR) & ~(quality > _POOR))
    own = np.arange(len(mesh))
    blind[doubtful] = do_not_reach(mesh, on.positions, grown.offsets, grown.samples, where, doubtful, own)
    weights[np.repeat(blind, np.diff(grown.offsets))] = np.nan
    return replace(grown, weights=weights)
