"""Distance of the first value off a wall, along the normal."""

from __future__ import annotations

import numpy as np

from flowgrad.flow import Flow
from flowgrad.mesh.face_sites import FaceSites
from flowgrad.typing import FloatArray

# Points nearer to a face than this part of the farthest of its cell are on it: sag, and the rounding of float32 files.
_ON_FACE = 1e-3


def first_distance(flow: Flow, on: FaceSites) -> FloatArray:
    """Of the faces (k,): that of the cell's centroid with values at cells, or of the nearest of its points that are not
    on the face, from the mean of its sites; NaN where the cell has no extent off the wall."""
    mesh, topology = flow.mesh, flow.mesh.topology
    cells = topology.boundary_cells[on.faces]
    centroids = on.means @ on.positions
    normals = on.means @ on.normals
    normals = normals / np.sqrt((normals**2).sum(axis=1, keepdims=True))
    if flow.location == "cells":
        distance = ((centroids - mesh.centroids[cells]) * normals).sum(axis=1)
        return np.where(distance > 0, distance, np.nan)
    own = mesh.cells.take(cells)
    row = np.repeat(np.arange(len(cells)), np.diff(own.offsets))
    off = -((mesh.points[own.connectivity] - centroids[row]) * normals[row]).sum(axis=1)
    start, points = topology.face_points(on.faces)
    face = np.repeat(np.arange(len(cells)), np.diff(start))
    is_on = np.isin(own.connectivity + row * mesh.point_count, points + face * mesh.point_count)
    far = np.maximum.reduceat(off, own.offsets[:-1])
    off = np.where(is_on | (off <= _ON_FACE * far[row]), np.inf, off)
    nearest = np.minimum.reduceat(off, own.offsets[:-1])
    return np.where(np.isfinite(nearest), nearest, np.nan)
