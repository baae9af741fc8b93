"""Distance of the first value off a wall, along the normal."""

from __future__ import annotations

import numpy as np

from flowgrad.flow import Flow
from flowgrad.mesh.face_sites import FaceSites
from flowgrad.typing import FloatArray, IntArray

# Points nearer to a face than this part of the farthest of its cell are on it: the rounding of float32 files.
_ON_FACE = 1e-3


def first_distance(flow: Flow, on: FaceSites) -> FloatArray:
    """Of the faces (k,): that of the cell's centroid with values at cells, or of the nearest of its points that are not
    on the face, from the face's centroid, or from the nearest point of a curved one; NaN where the cell has no extent
    off the wall."""
    mesh = flow.mesh
    cells = mesh.topology.boundary_cells[on.faces]
    centroids = on.means @ on.positions
    normals = on.means @ on.normals
    normals = normals / np.sqrt((normals**2).sum(axis=1, keepdims=True))
    if flow.location == "cells":
        distance = ((centroids - mesh.centroids[cells]) * normals).sum(axis=1)
        return np.where(distance > 0, distance, np.nan)
    own = mesh.cells.take(cells)
    row, x = np.repeat(np.arange(len(cells)), np.diff(own.offsets)), mesh.points[own.connectivity]
    # Values on a face are interpolated from the points on it, those within its edges too.
    site, point = on.from_points.tocoo().coords
    is_on = np.isin(own.connectivity + row * mesh.point_count, point + on.face[site] * np.int64(mesh.point_count))
    feet, along = centroids[row], normals[row]
    if not on.is_flat:
        bent = np.flatnonzero(~is_on & (np.bincount(on.face) > 1)[row])
        places, faces = x[bent], row[bent]
        feet[bent] = x[is_on][_nearest(places, faces, x[is_on], row[is_on])]
        along[bent] = on.normals[_nearest(places, faces, on.positions, on.face)]
    off = ((feet - x) * along).sum(axis=1)
    far = np.maximum.reduceat(off, own.offsets[:-1])
    off = np.where(is_on | (off <= _ON_FACE * far[row]), np.inf, off)
    nearest = np.minimum.reduceat(off, own.offsets[:-1])
    return np.where(np.isfinite(nearest), nearest, np.nan)


def _nearest(x: FloatArray, group: IntArray, others: FloatArray, group_of: IntArray) -> IntArray:
    """Of other places (n, 3) the nearest to each of x (m, 3) in the same group."""
    from scipy.spatial import cKDTree

    # Along a fourth coordinate groups are farther apart than any places.
    apart = 2 * float(np.ptp(np.concatenate([x, others]), axis=0).sum())
    tree = cKDTree(np.column_stack([others, apart * group_of]))
    return np.asarray(tree.query(np.column_stack([x, apart * group]))[1])
