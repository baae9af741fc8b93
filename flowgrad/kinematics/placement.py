"""The velocity where the gradient is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowgrad.flow import Flow
from flowgrad.mesh import Mesh
from flowgrad.mesh.locate import locate
from flowgrad.mesh.planar import frame_of
from flowgrad.mesh.ragged import runs
from flowgrad.typing import FloatArray, IntArray


def velocity_at(flow: Flow, L: FloatArray, location: str | None, positions: FloatArray | None) -> FloatArray:
    """Velocities (n, 3) of a flow where its gradients L (n, 3, 3) are: its own values where these are there, else
    the mean over those of the cell, or the cells, there, led along L to the place; exact where the velocity is linear.
    Points of patches (``flow.boundary``) have the velocity of these. NaN without L."""
    if positions is None and location == flow.location:
        return flow.velocity
    mesh = flow.mesh
    samples = mesh.points if flow.location == "points" else mesh.centroids
    values = np.column_stack([flow.velocity, samples])
    if positions is not None:
        there, places = _at_positions(flow, values, positions), positions
    elif location == "cells":
        there, places = _over_cells(mesh, values), mesh.centroids
    else:
        there, places = _over_points(mesh, values), mesh.points
    found = _led(flow, L, there, places)
    return found if positions is not None or location == "cells" else _with_patches(flow, L, found)


def axes_of_gradient(flow: Flow) -> FloatArray:
    """The axes (3, 3), one a row, along which the components of L run: x, y, z, but for an oblique plane cut from a
    3-D flow those of the plane."""
    normal = None if flow.out_of_plane == "zero" else flow.mesh.structure.normal
    return np.eye(3) if normal is None else frame_of(normal)


def _led(flow: Flow, L: FloatArray, there: FloatArray, places: FloatArray) -> FloatArray:
    """v + L (x − x_v) of velocities and where they are (n, 6), to places x (n, 3)."""
    axes = axes_of_gradient(flow)
    arms = (places - there[:, 3:]) @ axes.T
    return there[:, :3] + np.einsum("nij,nj->ni", np.where(np.isnan(L) & ~_nowhere(L), 0.0, L), arms) @ axes


def _nowhere(L: FloatArray) -> NDArray[np.bool_]:
    """Where no component of L is known: (n, 1, 1); others may be missing throughout a plane."""
    return np.asarray(np.isnan(L).all(axis=(1, 2), keepdims=True))


def _at_positions(flow: Flow, values: FloatArray, positions: FloatArray) -> FloatArray:
    """Of the cell that holds each position: its own value, or the mean over its points; of a cloud's nearest point."""
    mesh = flow.mesh
    if not mesh.dimension:
        return values[_nearest(values[:, 3:], positions)]
    cells = locate(mesh, positions).cells
    there = np.full((len(positions), 6), np.nan)
    inside = cells >= 0
    if flow.location == "cells":
        there[inside] = values[cells[inside]]
    else:
        offsets, sizes = mesh.cells.offsets, np.diff(mesh.cells.offsets)[cells[inside]]
        own = mesh.cells.connectivity[runs(offsets[cells[inside]], sizes)]
        there[inside] = _means(values[own], np.concatenate([[0], np.cumsum(sizes)]))
    return there


def _nearest(samples: FloatArray, positions: FloatArray) -> IntArray:
    from scipy.spatial import cKDTree

    known = np.flatnonzero(np.isfinite(samples).all(axis=1))
    where = np.where(np.isfinite(positions), positions, 0.0)
    return known[cKDTree(samples[known]).query(where)[1]]


def _over_cells(mesh: Mesh, values: FloatArray) -> FloatArray:
    """Means of point values over the points of each cell."""
    return _means(values[mesh.cells.connectivity], mesh.cells.offsets)


def _over_points(mesh: Mesh, values: FloatArray) -> FloatArray:
    """Means of cell values over the full cells around each point; NaN in no cell."""
    offsets, cells = mesh.topology.point_cells
    return _means(values[cells], offsets)


def _with_patches(flow: Flow, L: FloatArray, found: FloatArray) -> FloatArray:
    """The velocities at the points, of patches the mean over their faces there, led along L to the point; at rest
    where one of these is."""
    if not flow.boundary:
        return found
    start, connectivity = flow.mesh.topology.boundary_polygons
    faces = np.concatenate([patch.faces for patch in flow.boundary])
    velocity = np.concatenate([patch.velocity for patch in flow.boundary])
    sizes = np.diff(start)[faces]
    points = connectivity[runs(start[faces], sizes)]
    each = np.repeat(np.column_stack([velocity, flow.mesh.topology.boundary_geometry[1][faces]]), sizes, axis=0)
    led = _led(flow, L[points], each, flow.mesh.points[points])
    counts = np.bincount(points, minlength=len(found))
    rests = np.bincount(points, ~each[:, :3].any(axis=1), minlength=len(found)) > 0
    sums = np.column_stack([np.bincount(points, column, minlength=len(found)) for column in led.T])
    means = np.where(rests[:, None], 0.0, sums / np.maximum(counts, 1)[:, None])
    return np.where((counts > 0)[:, None], means, found)


def _means(values: FloatArray, offsets: IntArray) -> FloatArray:
    sizes = np.diff(offsets)
    owners = np.repeat(np.arange(len(sizes)), sizes)
    sums = np.column_stack([np.bincount(owners, column, minlength=len(sizes)) for column in values.T])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums / sizes[:, None])
