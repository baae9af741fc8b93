"""Local polynomial fits as an operator: to the values at the points or cells of a mesh, or to a cloud's."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.errors import MeshError, OptionError
from flowgrad.flow import Flow
from flowgrad.gradient.local_fits.averages import averaging_nodes
from flowgrad.gradient.local_fits.directions import directions, one_sided_cells, unresolved_cells
from flowgrad.gradient.local_fits.fits import NO_NODES, LocalFits
from flowgrad.gradient.local_fits.neighbourhoods import Samples, Targets, WallFrames
from flowgrad.gradient.scheme import (
    Composed,
    Gradients,
    Operator,
    Where,
    boundary_samples,
    from_owners,
    handed_on,
    patch_centroids,
    patch_faces,
    spread_rows,
)
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import offsets, take
from flowgrad.mesh.face_sites import face_sites
from flowgrad.mesh.locate import locate
from flowgrad.mesh.wall_layers import layers_note
from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


# Squares of distances are alike that differ by no more than this part: no rounding shall choose between them.
_ALIKE = 1e-6


@dataclass(frozen=True, eq=False)
class PolynomialFits(Operator):
    """Gradients by local fits to the values at the ``location`` of a mesh, and on its boundary. ``places`` are where
    they are: ``points``, ``cells`` or ``positions``."""

    mesh: Mesh
    location: str
    places: str
    fits: LocalFits

    def gradients(self, flow: Flow, keep: bool = False) -> Gradients:
        """Velocity gradients of a flow, with the weights that are kept or with new ones; ``keep`` these."""
        return self._gradients(self.samples(flow), keep)

    def _gradients(self, values: FloatArray, keep: bool) -> Gradients:
        if self.known is None or len(values) != len(self.known):
            raise OptionError(
                f"{len(values)} values for {len(self.fits.samples.usable)} samples: give those at the {self.location}"
                + (f", then the {self.boundary_count} on the boundary" if self.boundary_count else "")
            )
        L, order = self.fits.first(self.fits.kept if keep or "kept" in self.fits.__dict__ else None, values)
        lowered = int(((order < self.fits.order) & (order > 0)).sum())
        notes = self.notes
        if lowered:
            notes += (f"the order is lowered at {lowered} of {len(order)} {self.places}: too few samples around",)
        if self.places == "cells":
            order = order if self.mesh.is_full.all() else order[np.maximum(self.mesh.topology.owners, 0)]
            L = from_owners(self.mesh, L)
        return Gradients(L, notes, self.one_sided, self, order)

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (m, 3, 3) of vectors (n, 3) at the samples."""
        return self._gradients(values, keep=True).L

    def second(self, values: FloatArray) -> FloatArray:
        """Second derivatives (m, 3, 3, 3) of vectors (n, 3); OptionError for order 1 and on curved surfaces."""
        if self.fits.order < 2:
            raise OptionError("finite-difference(order=1) has no second derivatives: choose order=2 or more")
        if self.fits.directions.curved:
            raise OptionError("second derivatives on curved surfaces are not known: leave them out")
        H = self.fits.second(values)
        return from_owners(self.mesh, H) if self.places == "cells" else H

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (m, n)."""
        own = self.fits.matrices()
        if self.places != "cells":
            return own
        return tuple(spread_rows(matrix, self.mesh.topology.owners) for matrix in own)


def prepare_fits(
    flow: Flow,
    at: Where,
    order: int,
    smoothing: float,
    averages: bool,
    targets_of: Callable[[Samples], Targets] | None = None,
) -> PolynomialFits:
    """Fits of an order to the values of a flow, which are ``averages`` over its cells or samples.

    ``targets_of`` makes the targets at the positions ``at``, where these are not just somewhere in the mesh.
    Raises MeshError where the samples do not spread, OptionError for cells of a mesh without cells.
    """
    samples = samples_of(flow, order, smoothing)
    where = directions(flow.mesh, spread_of(flow, samples))
    if not where.rank:
        raise MeshError(f"{flow.name}: all samples lie in one point: there is nothing to differentiate")
    boundary = flow.boundary if flow.location == "cells" else ()
    nodes, notes = NO_NODES, where.notes
    on_surface = where.curved and where.rank == 2
    if on_surface:
        from flowgrad.gradient.local_fits.creases import up_to_creases, without_tangents

        samples, more = up_to_creases(samples, flow.mesh, flow.location)
        notes += more
    if averages and flow.location == "cells":
        nodes = averaging_nodes(flow.mesh, patch_centroids(flow.mesh, boundary), where, order)
    targets = targets_at(flow, at, samples, smoothing) if targets_of is None else targets_of(samples)
    if flow.location == "cells":
        blind = unresolved_cells(flow.mesh, samples, where)
        targets = targets.without(_within(blind, flow.mesh, at, len(targets))) if len(blind) else targets
    fits = LocalFits(samples, targets, where, order, smoothing, nodes)
    if on_surface:
        missing, more = without_tangents(fits, flow.mesh, flow.location, at)
        fits = dataclasses.replace(fits, targets=targets.without(missing)) if missing.any() else fits
        notes += more
    known, faces = finite_rows(boundary_samples(flow) if boundary else flow.velocity), patch_faces(boundary)
    one_sided = None
    if flow.location == "cells" and isinstance(at, str) and at == "cells":
        one_sided = one_sided_cells(flow.mesh, faces, where.across)
    taken = faces if flow.location == "cells" else None
    bent, places = int((targets.frames.bent > 0).sum()), at if isinstance(at, str) else "positions"
    if bent:
        notes += (layers_note(bent, len(targets), places),)
    about = {"notes": notes, "faces": taken, "known": known, "one_sided": one_sided, "directions": where}
    return PolynomialFits(flow.mesh, flow.location, places, fits, **about)  # type: ignore[arg-type]


def _within(cells: IntArray, mesh: Mesh, at: Where, count: int) -> BoolArray:
    """Targets (m,) that lie in no other cells than the given ones."""
    chosen = np.zeros(len(mesh) + 1, bool)
    chosen[cells] = True
    if not isinstance(at, str):
        return chosen[locate(mesh, at).cells]
    if at == "cells":
        return chosen[:count]
    points = mesh.cells.connectivity
    others = np.repeat(mesh.is_full & ~chosen[:-1], np.diff(mesh.cells.offsets))
    within = np.ones(count, bool)
    within[points[others]] = False
    return within


def samples_of(flow: Flow, order: int, smoothing: float) -> Samples:
    """The samples of a flow; those without a finite value or place take no part."""
    mesh = flow.mesh
    if flow.location == "cells":
        has_volume = np.ones(len(mesh) + len(patch_faces(flow.boundary)), bool)
        has_volume[: len(mesh)] = mesh.is_full & (mesh.measures > 0)
        centroids = patch_centroids(mesh, flow.boundary)
        usable = finite_rows(boundary_samples(flow)) & has_volume
        return _screened(Samples.of_cells(mesh, patch_faces(flow.boundary), centroids, usable), flow)
    usable = finite_rows(flow.velocity) & finite_rows(mesh.points)
    if mesh.dimension:
        return _screened(Samples.of_points(mesh, usable), flow)
    return Samples.of_cloud(mesh.points, usable, order, smoothing)


def _screened(samples: Samples, flow: Flow) -> Samples:
    """The samples with the plates of the mesh, through which fits do not see."""
    if flow.mesh.plates is None:
        return samples
    from flowgrad.gradient.local_fits.screen import Screen

    screen = Screen.of(flow.mesh, samples.positions, flow.location, patch_faces(flow.boundary))
    return dataclasses.replace(samples, screen=screen)


def spread_of(flow: Flow, samples: Samples) -> FloatArray:
    """Where the usable samples lie that have neighbours."""
    chosen = samples.usable & (np.diff(samples.start) > 0)
    if not chosen.any():
        raise MeshError(f"{flow.name}: no two finite velocities are neighbours: there is nothing to differentiate")
    return samples.positions if chosen.all() else samples.positions[chosen]


def targets_at(flow: Flow, at: Where, samples: Samples, smoothing: float) -> Targets:
    """Where the gradients of a flow are wanted; fits go through the samples there where nothing is smoothed."""
    if not isinstance(at, str):
        return _beside(flow, at, samples, smoothing)
    if at == flow.location:
        own = np.arange(len(flow.velocity))
        if smoothing == 1:
            return Targets.at_samples(samples, own)
        walls = None if samples.walls is None else samples.walls[own]
        return Targets.seeded(samples.positions[: len(own)], np.append(own, len(own)), own, walls)
    if not flow.mesh.dimension:
        raise OptionError(f"{flow.name}: has no cells to take the gradient at: choose at='points'")
    if at == "points":
        layers = flow.mesh.wall_layers
        walls = None if layers is None else layers.points
        return Targets.seeded(flow.mesh.points, *flow.mesh.topology.point_cells, walls)
    return Targets.at_cells(flow.mesh)


def _beside(flow: Flow, at: FloatArray, samples: Samples, smoothing: float) -> Targets:
    """Targets at positions (m, 3) somewhere in the mesh; along bent walls as far from these as their cells tell."""
    mesh = flow.mesh
    cells = locate(mesh, at).cells if mesh.dimension else np.full(len(at), -1)
    own = _nearest(flow, at, cells, samples)
    at, layers = np.where(own[:, None] >= 0, at, np.nan), mesh.wall_layers
    walls = None if layers is None else layers.within(cells, at - mesh.centroids[cells])
    if smoothing != 1:
        return Targets.seeded(at, offsets(np.asarray(own >= 0, np.int64)), own[own >= 0], walls)
    targets = Targets.at_samples(samples, own, at)
    if walls is None or not len(targets.frames.bent):
        return targets
    # The fit goes through the value of the sample, which is nearer to the wall or farther than the position.
    frames, d = WallFrames.of(walls), at - samples.positions[own]
    entry = samples.walls.entries(own, frames.wall)  # type: ignore[union-attr]
    square = (d**2).sum(axis=1)
    known = (entry >= 0) & (frames.bent > 0) & (square > 0)
    distance = samples.walls.distance[entry]  # type: ignore[union-attr]
    rest = frames.distance - distance - (d * frames.normal).sum(axis=1)
    slope = frames.normal + np.where(known, rest / np.where(square > 0, square, 1.0), 0.0)[:, None] * d
    seen = dataclasses.replace(frames, distance=distance, slope=slope, bent=np.where(known, frames.bent, 0.0))
    return dataclasses.replace(targets, frames=targets.frames.where(square == 0, seen))


def _nearest(flow: Flow, at: FloatArray, cells: IntArray, samples: Samples) -> IntArray:
    """The sample near to each position (m, 3) through whose value its fit goes, -1 for none outside the mesh: that of
    its cell (m,), or the nearest of the cell's points; where it has no value, and of a cloud, the nearest that has
    one."""
    from scipy.spatial import cKDTree

    mesh, own = flow.mesh, np.full(len(at), -1)
    inside = np.flatnonzero(finite_rows(at))
    if mesh.dimension:
        inside = np.flatnonzero(cells >= 0)
        own[inside] = cells[inside]
        if flow.location == "points":
            start, corners = take(mesh.cells.offsets, mesh.cells.connectivity, cells[inside])
            position = np.repeat(np.arange(len(inside)), np.diff(start))
            square = ((mesh.points[corners] - at[inside][position]) ** 2).sum(axis=1)
            own[inside] = corners[np.lexsort((square, position))[start[:-1]]]
    usable = samples.usable & (np.diff(samples.start) > 0)
    lost = inside[(own[inside] < 0) | ~usable[own[inside]]]
    if len(lost):
        chosen = np.flatnonzero(usable)
        own[lost] = chosen[cKDTree(samples.positions[chosen]).query(at[lost], workers=-1)[1]]
    return own


@dataclass(frozen=True, eq=False)
class FaceMeans(Composed):
    """Gradients on boundary faces: ``means`` (k, m), or interpolations, of those of the ``inner`` fits at m points."""

    means: csr_array

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (k, 3, 3) of vectors (n, 3)."""
        L = self.inner.vectors(values)
        return (self.means @ L.reshape(-1, 9)).reshape(-1, 3, 3)

    def gradients(self, flow: Flow, keep: bool = False) -> Gradients:
        """Velocity gradients, with the notes of the fits, whose weights are kept with ``keep``."""
        found = self.inner.gradients(flow, keep)
        L = (self.means @ found.L.reshape(-1, 9)).reshape(-1, 3, 3)
        return Gradients(L, found.notes, None, self)

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (k, n)."""
        return tuple((self.means @ matrix).tocsr() for matrix in self.inner.matrices)


def _nearest_in(start: IntArray, x: FloatArray, centroids: FloatArray) -> IntArray:
    """The entry (k,) of each face's point that is nearest to its centroid, of those that are alike the first."""
    square = ((x - np.repeat(centroids, np.diff(start), axis=0)) ** 2).sum(axis=1)
    least = np.repeat(np.minimum.reduceat(square, start[:-1]), np.diff(start)) if len(x) else square
    alike = np.flatnonzero(square <= (1 + _ALIKE) * least)
    return alike[np.searchsorted(alike, start[:-1])]


def prepare_on_boundary(flow: Flow, faces: IntArray, order: int, smoothing: float, averages: bool) -> Operator:
    """Fits of an order for the gradients on boundary faces (k,), rows of ``mesh.topology.boundary``.

    They are at the faces' centroids. With values at points the fits go through that of the face's point nearest to it,
    along bent layers near the values of all its points; on curved faces the gradients at the points are interpolated to
    the sites (q,) of :func:`flowgrad.mesh.face_sites.face_sites`. With values at cells the fits go through the
    velocities known on the faces where it is known on all of them, and else are those to what is around.
    """
    mesh, centroids = flow.mesh, flow.mesh.topology.boundary_geometry[1][faces]
    walls = None if mesh.wall_layers is None else mesh.wall_layers.on_faces(faces)
    if flow.location == "points":
        start, points = mesh.topology.face_points(faces)
        if smoothing > 1 or (walls is not None and (walls.bent > 0).any()):
            between = Targets.seeded(centroids, start, points, walls)
            return prepare_fits(flow, centroids, order, smoothing, averages, lambda samples: between)
        if (sites := face_sites(mesh, faces)).is_flat:
            near = points[_nearest_in(start, mesh.points[points], centroids)]
            beside = functools.partial(Targets.at_samples, own=near, positions=centroids)
            return prepare_fits(flow, centroids, order, smoothing, averages, beside)
        means = sites.from_points
        own, number = np.unique(means.indices, return_inverse=True)
        at_points = functools.partial(Targets.at_samples, own=own)
        fits = prepare_fits(flow, mesh.points[own], order, smoothing, averages, at_points)
        means.indices = number.astype(means.indices.dtype)
        means.resize(means.shape[0], len(own))
        return FaceMeans(fits, means, **handed_on(fits))
    known = np.full(len(mesh.topology.boundary), -1)
    known[patch_faces(flow.boundary)] = len(mesh) + np.arange(len(patch_faces(flow.boundary)))
    seeds = np.where(known[faces] >= 0, known[faces], mesh.topology.boundary_cells[faces])
    through = bool((known[faces] >= 0).all()) and smoothing == 1

    def targets(samples: Samples) -> Targets:
        if through:
            return Targets.at_samples(samples, seeds)
        return Targets.seeded(centroids, np.arange(len(seeds) + 1), seeds, walls)

    return prepare_fits(flow, centroids, order, smoothing, averages, targets)
