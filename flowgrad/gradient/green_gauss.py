"""Scheme ``green-gauss``: ∇v of a cell from the velocities on its faces, made exact for linear fields on any cells.

Gauss's theorem gives V L = Σ_f (v_f − v_i) ⊗ A_f with the outward area vectors A_f. On a face between two cells v_f is
interpolated linearly between their centroids, by the distances of these from the face (Jasak 1996, PhD thesis, Imperial
College, §3.3), hence at a point x_f of the line between them, which need not be the face's centroid; a known velocity
on the boundary sits at the centroid of its face. Of a linear field the sum is then L M with the geometry alone in

    M = Σ_f (x_f − x_i) ⊗ A_f,

which on orthogonal meshes is V times the unit tensor. So (Σ_f (v_f − v_i) ⊗ A_f) M⁻¹ is exact for linear fields, on
skewed, warped and polyhedral cells too, without iterations and from the nearest neighbours alone. Without M⁻¹ it
would not converge on such meshes (Syrakos et al. 2017, Phys. Fluids 29, 127103). A tensor of the cell's geometry
corrects the gradient of Betchen & Straatman (2010, Int. J. Numer. Meth. Fluids 62, 945) too, with second derivatives.

A face of unknown velocity is left out of both sums: v_f = v_i + L·(x_f − x_i) there, extrapolated with the gradient
that is sought. Where too few faces are left for M⁻¹ (tetrahedra in corners), it is the neighbours' mean gradient.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient.cell_least_squares import CellSamples, CellStencils, cell_differences
from flowgrad.gradient.local_fits.directions import do_not_reach
from flowgrad.gradient.point_means import PointMeans
from flowgrad.gradient.scheme import Composed, Operator, Scheme, Where, handed_on, on_owners, on_rows, register_scheme
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import offsets
from flowgrad.mesh.geometry import polygon_geometry, rings
from flowgrad.mesh.locate import locate
from flowgrad.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# det M/(tr M/r)^r is 1 on orthogonal cells, 0 where the faces of known velocity leave a direction open. Below the first
# value M has no inverse worth the name, below the second the layer may be too thin to tell a derivative.
_OPEN, _DOUBTFUL = 0.01, 0.1
# So often gradients spread from neighbours into cells with too few faces of their own.
_ROUNDS = 2


@dataclass(frozen=True)
class GreenGauss(Scheme):
    """Gauss's theorem over the faces of each cell, exact for linear fields, from values at cells.

    Velocities known on the boundary are taken there. At points it is the mean over the cells around, weighted with
    their measures, at positions (m, 3) the gradient of the cell that holds them.
    """

    location = "cells"

    def prepare(self, flow: Flow, at: Where) -> Operator:
        """The operator for a flow with values at cells; OptionError for point values, MeshError on curved surfaces."""
        if flow.location != "cells":
            raise OptionError(f"{flow.name}: green-gauss needs the velocity at cells and it is at points: use autodiff")
        cells = _operator(flow)
        if not isinstance(at, str):
            found = locate(flow.mesh, at)
            return on_rows(cells, np.where(found.inside, found.cells, -1))
        return cells if at == "cells" else PointMeans(cells, flow.mesh, **handed_on(cells, one_sided=None))


def _operator(flow: Flow) -> Operator:
    """Gradients at the cells."""
    on = CellSamples.of(flow, "green-gauss")
    mesh, count, basis = on.mesh, len(on.mesh), on.directions.basis[: on.directions.rank]
    cells, samples, weights = _faces(on)
    arms = on.positions[samples] - on.positions[cells]
    M = _sums(np.einsum("ki,kj->kij", arms @ basis.T, weights @ basis.T), cells, count)
    size = np.trace(M, axis1=1, axis2=2) / len(basis)
    with np.errstate(divide="ignore", invalid="ignore"):
        quality = np.linalg.det(M / size[:, None, None])
    solved = (size > 0) & (quality > _OPEN)
    start, doubtful = offsets(np.bincount(cells, minlength=count)), np.flatnonzero(solved & (quality < _DOUBTFUL))
    blind = do_not_reach(mesh, on.positions, start, samples, on.directions, doubtful, np.arange(count))
    inverse = np.full((count, 3, 3), np.nan)
    inverse[solved] = basis.T @ np.linalg.inv(M[solved]) @ basis
    inverse[doubtful[blind]] = np.nan
    inner = cell_differences(on, CellStencils(start, samples, np.einsum("ki,kij->kj", weights, inverse[cells])))
    is_open = ~solved & mesh.is_full & on.usable[:count] & (np.diff(start) > 0)
    if not is_open.any():
        return on_owners(mesh, inner)
    rest = basis.T @ (np.eye(len(basis)) - M / mesh.measures[:, None, None]) @ basis
    parts = _parts(mesh, is_open, solved, cells, samples, weights / mesh.measures[cells, None], rest)
    return on_owners(mesh, _Extrapolated(inner, parts, **handed_on(inner))) if parts else on_owners(mesh, inner)


@dataclass(frozen=True, eq=False)
class _Part:
    """Cells (k,) whose faces leave a direction open: L = Σ_f (v_f − v_i) ⊗ A_f/V + L̄ (1 − M/V), with the mean L̄ of
    neighbours, ``mean`` (k, n), and ``rest`` (k, 3, 3) = 1 − M/V; exact for linear fields. The sum is that over
    ``samples`` with ``weights`` (f, 3), of the cells with the numbers ``owner`` (f,) among these."""

    cells: IntArray
    mean: csr_array
    rest: FloatArray
    owner: IntArray
    samples: IntArray
    weights: FloatArray


def _parts(
    mesh: Mesh,
    is_open: BoolArray,
    known: BoolArray,
    cells: IntArray,
    samples: IntArray,
    weights: FloatArray,
    rest: FloatArray,
) -> tuple[_Part, ...]:
    """Open cells beside known ones, then those beside these."""
    from scipy.sparse import csr_array

    pairs, parts, known = np.concatenate([mesh.topology.pairs, mesh.topology.pairs[:, ::-1]]), [], known.copy()
    for _ in range(_ROUNDS):
        near = pairs[is_open[pairs[:, 0]] & ~known[pairs[:, 0]] & known[pairs[:, 1]]]
        new, row = np.unique(near[:, 0], return_inverse=True)
        shares = 1 / np.bincount(row, minlength=len(new))[row]
        mean = csr_array((shares, (row, near[:, 1])), shape=(len(new), len(mesh)))
        own = np.flatnonzero(np.isin(cells, new))
        owner = np.searchsorted(new, cells[own])
        if len(new):
            parts.append(_Part(new, mean, rest[new], owner, samples[own], weights[own]))
        known[new] = True
    return tuple(parts)


@dataclass(frozen=True, eq=False)
class _Extrapolated(Composed):
    """Gradients at cells, in some of which they follow in part from those of their neighbours."""

    parts: tuple[_Part, ...]

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (n, 3, 3) of the samples (n + b, 3)."""
        L = self.inner.vectors(values)
        for part in self.parts:
            differences = values[part.samples] - values[part.cells[part.owner]]
            own = _sums(np.einsum("ki,kj->kij", differences, part.weights), part.owner, len(part.cells))
            L[part.cells] = own + (part.mean @ L.reshape(-1, 9)).reshape(-1, 3, 3) @ part.rest
        return L

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (n, n + b)."""
        from scipy.sparse import csr_array, diags_array, vstack

        D = self.inner.matrices
        for part in self.parts:
            k, n = len(part.cells), D[0].shape[0]
            rows, columns = np.tile(part.owner, 2), np.concatenate([part.samples, part.cells[part.owner]])
            means, new = [part.mean @ each for each in D], []
            for j, weights in enumerate(part.weights.T):
                own = csr_array((np.concatenate([weights, -weights]), (rows, columns)), shape=(k, D[0].shape[1]))
                new.append(own + sum(diags_array(part.rest[:, i, j]) @ means[i] for i in range(3)))
            places = np.arange(n)
            places[part.cells] = n + np.arange(k)
            D = tuple(vstack([one, other]).tocsr()[places] for one, other in zip(D, new, strict=True))
        return D


def _faces(on: CellSamples) -> tuple[IntArray, IntArray, FloatArray]:
    """The faces of known velocity, cell after cell: the cell, the sample beyond the face, and the outward area vector
    times the sample's share in the velocity on the face."""
    mesh, x = on.mesh, on.positions
    topology = mesh.topology
    first, second = topology.pairs.T
    area, centroids = _shared_faces(mesh)
    near = np.abs(((centroids - x[first]) * area).sum(axis=1))
    far = np.abs(((x[second] - centroids) * area).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        share = np.where(near + far > 0, near / (near + far), 0.5)
    owner, outward = topology.boundary_cells[on.faces], topology.boundary_geometry[0][on.faces]
    if mesh.dimension == 1:
        outward = _unit(x[len(mesh) :] - x[owner])
    cells = np.concatenate([first, second, owner])
    samples = np.concatenate([second, first, len(mesh) + np.arange(len(owner))])
    weights = np.concatenate([share[:, None] * area, (share - 1)[:, None] * area, outward])
    known = np.flatnonzero(on.usable[samples])
    order = known[np.argsort(cells[known], kind="stable")]
    return cells[order], samples[order], weights[order]


def _shared_faces(mesh: Mesh) -> tuple[FloatArray, FloatArray]:
    """Area vectors, outward from the first cell of each of ``topology.pairs``, and centroids of the faces between."""
    first, second = mesh.topology.pairs.T
    start, points = mesh.faces.take(mesh.topology.pair_faces)
    if mesh.dimension == 3:
        area, centroids = polygon_geometry(mesh.points, start, points)
        return area * np.sign(mesh.signed_measures[first])[:, None], centroids
    ends = mesh.points[points[start[:-1]]], mesh.points[points[start[1:] - 1]]
    centroids = (ends[0] + ends[1]) / 2
    if mesh.dimension == 1:
        return _unit(mesh.centroids[second] - mesh.centroids[first]), centroids
    cells, number = np.unique(first, return_inverse=True)
    normals = _unit(polygon_geometry(mesh.points, *rings(mesh.cells, cells))[0])
    return np.cross(ends[1] - ends[0], normals[number]), centroids


def _unit(vectors: FloatArray) -> FloatArray:
    size = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    return vectors / np.where(size > 0, size, 1.0)


def _sums(values: FloatArray, cells: IntArray, count: int) -> FloatArray:
    """Sums (n, r, r) over the faces of each cell."""
    flat = values.reshape(len(values), -1).T
    sums = [np.bincount(cells, each, count) for each in flat]
    return np.column_stack(sums).astype(float).reshape(count, *values.shape[1:])


register_scheme(
    "green-gauss",
    GreenGauss,
    summary="Gauss's theorem is applied to the velocities on the faces of each cell, corrected to be exact for linear "
    "fields",
    finer="finite-difference(order=3)",
    reach=lambda scheme, location, at: 1 + _ROUNDS + (at == "points"),
)
