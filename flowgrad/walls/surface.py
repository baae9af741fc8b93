"""Walls as surfaces: a mesh of their faces, and areas of the surfaces that the edges of a meridian plane sweep."""

from __future__ import annotations

import numpy as np

from flowgrad.flow import Flow
from flowgrad.mesh import Cells, Mesh
from flowgrad.mesh.planar import FLAT
from flowgrad.typing import FloatArray, IntArray

# VTK's types by the number of points: lines of edges, polygons of faces.
_LINE, _POLY_LINE, _TRIANGLE, _QUAD, _POLYGON = 3, 4, 5, 9, 7


def surface_mesh(mesh: Mesh, faces: IntArray) -> Mesh:
    """Boundary faces (k,), rows of ``mesh.topology.boundary``, as k cells with the points that they use."""
    start, points = mesh.topology.face_points(faces)
    used, connectivity = np.unique(points, return_inverse=True)
    kinds = {2: (_LINE, _POLY_LINE, _POLY_LINE)}.get(mesh.dimension, (_TRIANGLE, _QUAD, _POLYGON))
    first = 2 if mesh.dimension == 2 else 3
    types = np.array(kinds, np.uint8)[np.clip(np.diff(start) - first, 0, 2)]
    return Mesh(mesh.points[used], Cells(types, start, connectivity.astype(np.int64)))


def areas_of_revolution(flow: Flow, centroids: FloatArray, lengths: FloatArray) -> FloatArray:
    """2π|r| times the length of edges of a meridian plane (Pappus), half of it where the mesh lies on both sides
    of the axis and has every ring twice."""
    radial = 1 if flow.axisymmetric == "x" else 0
    rho = flow.mesh.points[:, radial]
    rounding = FLAT * np.nanmax(np.abs(rho), initial=0.0)
    twice = bool((rho < -rounding).any() and (rho > rounding).any())
    return (np.pi if twice else 2 * np.pi) * np.abs(centroids[:, radial]) * lengths
