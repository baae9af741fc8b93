"""The velocity where the gradient is."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowgrad.flow import Flow
from flowgrad.mesh import Mesh
from flowgrad.mesh.plane import frame_of, normal_of

FloatArray = NDArray[np.float64]


def velocity_at(flow: Flow, L: FloatArray, location: str | None, positions: FloatArray | None) -> FloatArray:
    """Velocities (n, 3) of a flow where its gradients L (n, 3, 3) are: its own values where these are there, else
    the mean over the nearest ones, led along L to the place; exact where the velocity is linear. NaN without L."""
    if positions is None and location == flow.location:
        return flow.velocity
    samples = flow.mesh.points if flow.location == "points" else flow.mesh.centroids
    if positions is not None:
        values, middles, places = flow.velocity, samples, positions
        nearest = _nearest(samples, positions)
        values, middles = values[nearest], middles[nearest]
    else:
        both = np.column_stack([flow.velocity, samples])
        means = _over_cells(flow.mesh, both) if location == "cells" else _over_points(flow.mesh, both)
        values, middles = means[:, :3], means[:, 3:]
        places = flow.mesh.centroids if location == "cells" else flow.mesh.points
    axes = axes_of_gradient(flow)
    arms = (places - middles) @ axes.T
    return values + np.einsum("nij,nj->ni", np.where(np.isnan(L) & ~_nowhere(L), 0.0, L), arms) @ axes


def axes_of_gradient(flow: Flow) -> FloatArray:
    """The axes (3, 3), one a row, along which the components of L run: x, y, z, but for an oblique plane cut from a
    3-D flow those of the plane."""
    normal = None if flow.out_of_plane == "zero" else normal_of(flow.mesh)
    return np.eye(3) if normal is None else frame_of(normal)


def _nowhere(L: FloatArray) -> NDArray[np.bool_]:
    """Where no component of L is known: (n, 1, 1); others may be missing throughout a plane."""
    return np.asarray(np.isnan(L).all(axis=(1, 2), keepdims=True))


def _nearest(samples: FloatArray, positions: FloatArray) -> NDArray[np.int64]:
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


def _means(values: FloatArray, offsets: NDArray[np.int64]) -> FloatArray:
    sizes = np.diff(offsets)
    owners = np.repeat(np.arange(len(sizes)), sizes)
    sums = np.column_stack([np.bincount(owners, column, minlength=len(sizes)) for column in values.T])
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(sums / sizes[:, None])
