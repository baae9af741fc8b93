"""Interpolant on unstructured meshes: quadratics in simplices, of the velocity and its gradient at the points."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numba import prange

from flowgrad.compiled import kernel
from flowgrad.flow import Flow, Patch
from flowgrad.gradient import PreparedGradient, Scheme
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import runs
from flowgrad.mesh.simplices import simplices_of
from flowgrad.paths.field import Advance, Interpolant, Stages
from flowgrad.paths.plane import PathPlane, in_plane
from flowgrad.paths.simplex_kernels import step_simplices, trace_simplices
from flowgrad.typing import BoolArray, FloatArray, IntArray

STRAIGHTENED = (
    "curved cells are taken as straight between their corners, as cells without shape functions lie beside them"
)
# Two faces of one velocity may be those of a symmetric profile, and so do not make a patch of one velocity.
_FEW_FACES = 3


class MeshInterpolant(Interpolant):
    """The velocity v_a and its gradient L_a at the points of a mesh, continued as v(x) = Σ λ_a [v_a + ½ L_a (x − x_a)]
    with the barycentric coordinates λ of the tetrahedra (triangles) that its cells are cut into.

    Exact for quadratic fields with exact L_a, else of third order in v and second in L; continuous across all faces.
    Walls at rest are at rest everywhere: along edges of the boundary with both ends at rest the quadratic part is
    left out. Of curved cells the corners are used: ``ElementInterpolant`` is for these. Planar meshes carry particles
    in their own plane. Points without a velocity or a gradient leave a hole: positions in a simplex with one are
    outside. MeshError for a mesh without surface or solid cells, or on a curved surface.
    """

    # L jumps from simplex to simplex, and errors of the interpolant are larger.
    rtol = 1e-4

    def __init__(self, flow: Flow, scheme: Scheme | str = "auto") -> None:
        self.simplices = own = simplices_of(flow.mesh.joined)
        self._geometry = own.points, own.corners, own.neighbours, own.normal
        self._on_boundary = own.on_boundary
        if any(block.reference.is_curved for block in flow.mesh.blocks):
            self.notes = (STRAIGHTENED,)
        self._tree = own.tree.boxes, own.tree.members
        if own.dimension == 2:
            self.plane = PathPlane.around(own.normal, own.points[own.corners[:, 0]], 2 * float(own.measures.mean()))
        self._at_points, self._at_cells = PreparedGradient(scheme, "points"), PreparedGradient(scheme, "cells")

    def nodal(self, flow: Flow) -> FloatArray:
        """v and L (n, 12) at the points of the simplices, of a flow on the same mesh."""
        flow = flow.joined
        if self.plane is not None:
            # Derivatives across do not count, and L is along x, y, z.
            flow = dataclasses.replace(flow, out_of_plane="zero")
        gradient = self._at_points.of(flow)
        v, L = flow.velocity, known_components(gradient)
        if flow.location == "cells":
            v = velocity_at_points(flow, L, known_components(self._at_cells.of(flow)))
        if self.plane is not None:
            inward = self.plane.inward
            v, L = v @ inward, inward @ L @ inward
        return self._with_centres(v, L)

    def _with_centres(self, v: FloatArray, L: FloatArray) -> FloatArray:
        """The points added in cells take the means of v_a + ½ L_a (x − x_a), exact for quadratics, and of L_a."""
        own = self.simplices
        arms = np.repeat(own.points[len(v) :], np.diff(own.start), axis=0) - own.points[own.around]
        about = v[own.around] + 0.5 * (L[own.around] @ arms[:, :, None])[:, :, 0]
        v = np.concatenate([v, own.means(about)])
        L = np.concatenate([L, own.means(L[own.around])])
        nodal = np.column_stack([v, L.reshape(-1, 9)])
        nodal[~np.isfinite(nodal).all(axis=1)] = np.nan
        return nodal

    def advance(self, nodal: FloatArray, weights: FloatArray, step: Stages, cells: IntArray) -> Advance:
        """Stages of a step through the simplices, whose numbers are ``cells``."""
        made = step.made()
        origin = np.zeros(3) if self.plane is None else self.plane.origin
        places = self._geometry, self._tree, self._on_boundary, origin
        step_simplices(*places, nodal, weights, step.y, step.rates, step.h, cells, step.stages, step.within, made)
        return made

    def trace(self, nodal: FloatArray, way: FloatArray, cells: IntArray, inside: BoolArray) -> None:
        """From simplex to simplex across their faces; where there is no neighbour the way ends unless another simplex
        goes on there."""
        trace_simplices(*self._geometry, *self._tree, nodal, in_plane(way, self.plane), cells, inside)


def known_components(gradient: VelocityGradient) -> FloatArray:
    """L (n, 3, 3) with zeros for the components that are known nowhere; NaN where others are missing."""
    return np.where(gradient.valid[:, None, None], np.nan_to_num(gradient.L, nan=0.0), np.nan)


def velocity_at_points(flow: Flow, at_points: FloatArray, at_cells: FloatArray) -> FloatArray:
    """The velocity (n, 3) at the points of a mesh from that of the cells, whose gradients are known at both places:
    the mean of v_c + ½ (L_c + L_p)(x_p − x_c) over the cells around a point, exact for quadratics.

    ``at_points`` (n, 3, 3), ``at_cells`` (m, 3, 3). Points of faces whose velocity is known (``flow.boundary``) take
    the mean of these, led to the point by the mean of its L and the face's, as exact; or zero where one of them is at
    rest, so that it holds up to its rim. Patches of one velocity throughout, such as moving lids, lead it nowhere. NaN
    at points around which no cell has a velocity and a gradient.
    """
    mesh = flow.mesh
    found: FloatArray = extrapolated(
        mesh.points, *mesh.topology.point_cells, mesh.centroids, flow.velocity, at_cells, at_points
    )
    if not flow.boundary:
        return found
    parts = [_on_patch(mesh, patch, at_points) for patch in flow.boundary]
    points, values, still = (np.concatenate(each) for each in zip(*parts, strict=True))
    count = np.bincount(points, minlength=len(found))
    at_rest = np.bincount(points, still, len(found)) > 0
    sums = np.column_stack([np.bincount(points, each, len(found)) for each in values.T])
    known = count > 0
    found[known] = np.where(at_rest[known, None], 0.0, sums[known] / count[known, None])
    return found


def _on_patch(mesh: Mesh, patch: Patch, at_points: FloatArray) -> tuple[IntArray, FloatArray, BoolArray]:
    """Points of the faces of a patch, as often as they have faces, the velocity there by each face, and which faces are
    at rest."""
    start, connectivity = mesh.topology.boundary_polygons
    sizes = np.diff(start)[patch.faces]
    points = connectivity[runs(start[patch.faces], sizes)]
    still = np.repeat(~patch.velocity.any(axis=1), sizes)
    values = np.repeat(patch.velocity, sizes, axis=0)
    if len(patch.faces) < _FEW_FACES or np.ptp(patch.velocity, axis=0).any():
        begin = np.append(0, np.cumsum(sizes)[:-1])
        of_faces = np.add.reduceat(at_points[points], begin) / sizes[:, None, None]
        arms = mesh.points[points] - np.repeat(mesh.topology.boundary_geometry[1][patch.faces], sizes, axis=0)
        L = 0.5 * (np.repeat(of_faces, sizes, axis=0) + at_points[points])
        values = values + np.einsum("nij,nj->ni", L, arms)
    return points, values, still


@kernel(parallel=True)
def extrapolated(points: Any, start: Any, around: Any, x: Any, v: Any, at_cells: Any, at_points: Any) -> Any:
    """Means of v_c + ½ (L_c + L_p)(x_p − x_c) over the cells around points, those with all of it."""
    n = len(points)
    found = np.empty((n, 3))
    for p in prange(n):
        count, total = 0, np.zeros(3)
        for c in around[start[p] : start[p + 1]]:
            term = v[c].copy()
            for i in range(3):
                for k in range(3):
                    term[i] += 0.5 * (at_cells[c, i, k] + at_points[p, i, k]) * (points[p, k] - x[c, k])
            if np.isfinite(term).all():
                total += term
                count += 1
        found[p] = total / count
    return found
