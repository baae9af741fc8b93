"""Creases of curved surfaces: edges at which the surface turns, over which no fit reaches, and fits that miss the
surface's tangents."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flowgrad.gradient.local_fits.fits import LocalFits
from flowgrad.gradient.local_fits.neighbourhoods import Samples
from flowgrad.gradient.scheme import Where
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import corners, offsets
from flowgrad.mesh.distance import CREASE
from flowgrad.mesh.geometry import polygon_geometry, rings
from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray, FloatArray

_DEGREES = f"{np.degrees(CREASE):.0f}°"


def _creases(mesh: Mesh) -> BoolArray:
    """Which ``topology.pairs`` (m, 2) of cells of a surface turn by more than :data:`CREASE` at their edge."""
    start, points = mesh.faces.take(mesh.topology.pair_faces)
    along = _unit(mesh.points[points[start[1:] - 1]] - mesh.points[points[start[:-1]]])
    # Of a curved edge one of its own points lies on the surface, which its chord does not.
    middle = mesh.points[points[start[:-1] + np.diff(start) // 2]]
    ways = [mesh.centroids[cells] - middle for cells in mesh.topology.pairs.T]
    one, other = (_unit(way - (way * along).sum(axis=1, keepdims=True) * along) for way in ways)
    # On both sides of an edge of a plane the ways from it are opposite.
    return np.asarray((one * other).sum(axis=1) > -np.cos(CREASE))


def crease_points(mesh: Mesh) -> BoolArray:
    """Points (n,) on edges at which a surface turns by more than :data:`CREASE`."""
    found = np.zeros(mesh.point_count, bool)
    found[mesh.faces.take(mesh.topology.pair_faces[_creases(mesh)])[1]] = True
    return found


def up_to_creases(samples: Samples, mesh: Mesh, location: str) -> tuple[Samples, tuple[str, ...]]:
    """The samples of a surface, of which no neighbourhood grows over a crease, and a note on these: points on creases
    are neighbours of others and have none, cells on both sides are no neighbours."""
    owner = np.repeat(np.arange(len(samples.start) - 1), np.diff(samples.start))
    if location == "points":
        on_crease = crease_points(mesh)
        kept, notes = ~on_crease[owner], (crease_note(on_crease),) if on_crease.any() else ()
    else:
        apart, count = mesh.topology.pairs[_creases(mesh)], len(samples.positions)
        keys = np.concatenate([apart[:, 0] * count + apart[:, 1], apart[:, 1] * count + apart[:, 0]])
        kept, notes = ~np.isin(owner * count + samples.neighbours, keys), ()
    if kept.all():
        return samples, notes
    sizes = np.bincount(owner[kept], minlength=len(samples.start) - 1)
    return replace(samples, start=offsets(sizes), neighbours=samples.neighbours[kept]), notes


def crease_note(on_crease: BoolArray) -> str:
    """How many points lie on creases, and that they have no gradient."""
    count = (
        f"{on_crease.sum()} of {len(on_crease)} points lie on edges at which the surface turns by more than {_DEGREES}"
    )
    return f"{count}: it has no tangents there"


def without_tangents(fits: LocalFits, mesh: Mesh, location: str, at: Where) -> tuple[BoolArray, tuple[str, ...]]:
    """Targets (m,) at which the fits do not find the tangents of the surface, and notes on these: also points on
    creases, whose fits to values at cells would begin on both sides."""
    missing = misses_surface(fits, mesh)
    notes: tuple[str, ...] = ()
    places = at if isinstance(at, str) else "positions"
    if missing.any():
        count = f"{missing.sum()} of {len(missing)} {places}"
        notes += (f"{count} have no gradient: too few samples around tell the tangents of the surface",)
    if location == "cells" and places == "points":
        on_crease = crease_points(mesh)
        missing, notes = missing | on_crease, (*notes, crease_note(on_crease)) if on_crease.any() else notes
    return missing, notes


def misses_surface(fits: LocalFits, mesh: Mesh) -> BoolArray:
    """Targets (m,) whose fits find tangents that are off the surface's, at the nearest cell or point, by more than half
    of :data:`CREASE`, as chords to one side may be: the gradient of the position is the projection on the tangents
    found."""
    from scipy.spatial import cKDTree

    places, normals = _normals(mesh)
    finite = finite_rows(fits.targets.positions)
    nearest = np.zeros(len(finite), np.int64)
    nearest[finite] = cKDTree(places).query(fits.targets.positions[finite])[1]
    n, P = normals[nearest], fits.first(fits.kept, fits.samples.positions)[0]
    with np.errstate(invalid="ignore"):
        return np.asarray(np.einsum("ni,nij,nj->n", n, P, n) > np.sin(CREASE / 2) ** 2)


def _normals(mesh: Mesh) -> tuple[FloatArray, FloatArray]:
    """Places (k, 3) and the unit normals there, of either sign: the cells', and at the points that lie on no crease the
    principal axis of these, weighted with the areas."""
    cells = np.flatnonzero(mesh.is_full & (mesh.measures > 0))
    area = polygon_geometry(mesh.points, *rings(mesh.cells, cells))[0]
    squares = np.zeros((len(mesh), 3, 3))
    squares[cells] = area[:, :, None] * area[:, None, :] / np.sqrt((area**2).sum(axis=1))[:, None, None]
    places, owner = corners(mesh.cells, cells)
    points = mesh.cells.connectivity[places]
    sums = [np.bincount(points, squares[owner, i, j], mesh.point_count) for i in range(3) for j in range(3)]
    tensors = np.stack(sums, -1).reshape(-1, 3, 3)
    chosen = np.flatnonzero((np.trace(tensors, axis1=1, axis2=2) > 0) & ~crease_points(mesh))
    at_points = np.linalg.eigh(tensors[chosen])[1][:, :, 2]
    return np.concatenate([mesh.points[chosen], mesh.centroids[cells]]), np.concatenate([at_points, _unit(area)])


def _unit(vectors: FloatArray) -> FloatArray:
    size = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
    return vectors / np.where(size > 0, size, 1.0)
