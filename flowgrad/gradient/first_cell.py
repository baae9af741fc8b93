"""Scheme ``first-cell``: the difference between the velocity on a wall and that in the cell before it, from which
finite-volume solvers have the stress on the wall.

With n the unit normal of a boundary face out of the fluid, x_f its centroid, P its cell and d = n·(x_f − x_P),

    L = G + ∂v/∂n ⊗ n,    ∂v/∂n = (v_f − v_P − G·(x_f − x_P))/d,

where G, with G·n = 0, is the gradient along the wall of the wall's own velocity: zero on a wall that does not move or
moves as one, so that ∂v/∂n is (v_f − v_P)/d, which OpenFOAM takes on boundary faces of any skewness (Jasak 1996, PhD
thesis, Imperial College, §3.3.1.3). The solver's balance of momentum holds with this difference and no other: a fit of
higher order is nearer to the truth of exact samples, and farther from it where the solver's half-cell difference has
shifted them. G is that of a least-squares plane in space through the values on the faces around of the same patch,
weighted with 1/distance²: exact for linear fields, a rigid rotation among them, on flat walls and curved ones. On a
wedge or a meridian plane L·e_θ = (a × v)/ρ is known, a the axis and ρ the distance from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient.finite_difference import FiniteDifference
from flowgrad.gradient.scheme import (
    MatrixOperator,
    Operator,
    Scheme,
    Where,
    boundary_samples,
    patch_faces,
    register_scheme,
)
from flowgrad.tensors import finite_rows
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Faces whose normals differ by more than 60° are on different sides of an edge.
_SAME_SIDE = 0.5
# A direction in which the faces around extend less than this part of their distance is one they do not tell.
_EXTENT = 1e-6


@dataclass(frozen=True)
class FirstCell(Scheme):
    """The difference to the first cell, on boundary faces whose velocity is known, from values at cells."""

    location = "cells"
    knows_symmetry = True

    def prepare(self, flow: Flow, at: Where) -> Operator:
        """OptionError: the scheme is for walls alone."""
        raise OptionError(
            f"{flow.name}: first-cell is a difference from walls to their cells, and there is none elsewhere: give it "
            "as the scheme of at_walls (--wall-scheme), and for the field green-gauss or finite-difference"
        )

    def variants(self, flow: Flow, on_lattice: bool) -> dict[str, Scheme]:
        """None: there is nothing to compare away from walls."""
        return {}

    def rivals(self, flow: Flow) -> tuple[tuple[Scheme, bool, float], ...]:
        """Fits to the cells alone: beside the walls of a solver its half-cell difference has shifted the values, and
        what continues them to the wall finds the stress that balances."""
        return tuple((FiniteDifference(order=order), False, 0.5) for order in (2, 3))

    def prepare_on_boundary(self, flow: Flow, faces: IntArray) -> Operator:
        """The operator for boundary faces (k,); OptionError for point values, and where the velocity is not known on
        some of the faces."""
        if flow.location != "cells":
            raise OptionError(f"{flow.name}: first-cell needs the velocity at cells and it is at points: use autodiff")
        on_patches = patch_faces(flow.boundary)
        known = np.full(len(flow.mesh.topology.boundary), -1)
        # A face of several patches has the value of the first.
        known[on_patches[::-1]] = np.arange(len(on_patches))[::-1]
        missing = int((known[faces] < 0).sum())
        if missing:
            raise OptionError(
                f"{flow.name}: first-cell needs the velocity of the wall, and it is not known on {missing} of "
                f"{len(faces)} faces: give their patches (--boundary), or wall_velocity=0 for walls at rest"
            )
        matrices = _differences(flow, faces, known[faces])
        about = {"faces": on_patches, "known": finite_rows(boundary_samples(flow))}
        own, circles = len(flow.velocity) + known[faces], _circles(flow, faces)
        return FirstDifferences(matrices, own, circles, **about)  # type: ignore[arg-type]


@dataclass(frozen=True, eq=False)
class FirstDifferences(MatrixOperator):
    """Differences across boundary faces, whose own values are the samples ``own`` (k,); ``circles`` are the axis (3,)
    of an axisymmetric flow and a × x/ρ², the direction along the circles over their radius (k, 3), None without."""

    own: IntArray
    circles: tuple[FloatArray, FloatArray] | None

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (k, 3, 3) of the samples (n + b, 3)."""
        L = super().vectors(values)
        if self.circles is not None:
            axis, around = self.circles
            L = L + np.cross(axis, values[self.own])[:, :, None] * around[:, None, :]
        return np.where(np.isfinite(L).all(axis=(1, 2), keepdims=True), L, np.nan)


def _differences(flow: Flow, faces: IntArray, own: IntArray) -> tuple[csr_array, ...]:
    """The matrices (k, n + b) of L; ``own`` (k,) are the rows of the faces among those of all patches."""
    from scipy.sparse import csr_array, diags_array

    mesh, count = flow.mesh, len(faces)
    cells = mesh.topology.boundary_cells[faces]
    area, centroids = (each[faces] for each in mesh.topology.boundary_geometry)
    with np.errstate(invalid="ignore", divide="ignore"):
        normals = area / np.sqrt((area**2).sum(axis=1, keepdims=True))
        arms = centroids - mesh.centroids[cells]
        distance = (arms * normals).sum(axis=1)
        inverse = np.where(distance > 0, 1 / distance, np.nan)
    along = _along_wall(flow, own, normals)
    width = len(mesh) + along[0].shape[1]
    ends = np.concatenate([len(mesh) + own, cells])
    signs, rows = np.repeat([1.0, -1.0], count), np.tile(np.arange(count), 2)
    change = csr_array((signs, (rows, ends)), shape=(count, width))
    G = [csr_array((each.data, each.indices + len(mesh), each.indptr), shape=(count, width)) for each in along]
    for part, arm in zip(G, arms.T, strict=True):
        change = change - diags_array(arm) @ part
    return tuple((part + diags_array(n * inverse) @ change).tocsr() for part, n in zip(G, normals.T, strict=True))


def _along_wall(flow: Flow, own: IntArray, normals: FloatArray) -> tuple[csr_array, ...]:
    """G·e_x, G·e_y, G·e_z as matrices (k, b) on the values of the patches; ``own`` (k,) are the faces' rows there."""
    from scipy.sparse import csr_array

    rows, others = _around(flow, own, normals)
    positions = flow.mesh.topology.boundary_geometry[1][patch_faces(flow.boundary)]
    arms = positions[others] - positions[own[rows]]
    length2 = (arms**2).sum(axis=1)
    count, width = len(own), len(positions)
    unit = arms / np.sqrt(length2)[:, None]
    M = np.stack([np.bincount(rows, unit[:, i] * unit[:, j], count) for i in range(3) for j in range(3)], axis=1)
    weights = np.einsum("kij,kj->ki", np.linalg.pinv(M.reshape(-1, 3, 3), _EXTENT**2, hermitian=True)[rows], arms)
    weights /= length2[:, None]
    weights -= (weights * normals[rows]).sum(axis=1, keepdims=True) * normals[rows]
    totals = [np.bincount(rows, each, count) for each in weights.T]
    places = np.concatenate([rows, np.arange(count)]), np.concatenate([others, own])
    return tuple(
        csr_array((np.concatenate([each, -total]), places), shape=(count, width))
        for each, total in zip(weights.T, totals, strict=True)
    )


def _around(flow: Flow, own: IntArray, normals: FloatArray) -> tuple[IntArray, IntArray]:
    """Pairs (row of ``own``, row of the patches) of faces of one patch that share a point and lie on one side of its
    edges; where they form one row those that are next but one as well."""
    from scipy.sparse import csr_array

    topology, on_patches = flow.mesh.topology, patch_faces(flow.boundary)
    start, points = topology.face_points(on_patches)
    sizes = np.diff(start)
    patch = np.repeat(np.arange(len(flow.boundary)), [len(each.faces) for each in flow.boundary])
    # Points of different patches are different ones.
    keys = points + np.repeat(patch, sizes) * np.int64(flow.mesh.point_count)
    numbers = np.unique(keys, return_inverse=True)[1]
    touch = csr_array((np.ones(len(points)), numbers, start))
    near = touch[own] @ touch.T
    # Faces in one row, of planar meshes and of those one cell thick.
    if np.diff(near.indptr).max(initial=0) <= 3:
        near = near @ (touch @ touch.T)
    pairs: Any = near.tocoo()
    rows, others = (each.astype(np.int64) for each in pairs.coords)
    area = topology.boundary_geometry[0][on_patches]
    sizes = np.sqrt((area**2).sum(axis=1))
    with np.errstate(invalid="ignore"):
        alike = (normals[rows] * area[others]).sum(axis=1) > _SAME_SIDE * sizes[others]
    kept = alike & (others != own[rows])
    return rows[kept], others[kept]


def _circles(flow: Flow, faces: IntArray) -> tuple[FloatArray, FloatArray] | None:
    x, wedge = flow.mesh.topology.boundary_geometry[1][faces], flow.wedge
    if wedge is not None:
        axis, x = wedge.frame[0], x - wedge.origin
    elif flow.is_meridian:
        axis = np.eye(3)[0 if flow.axisymmetric == "x" else 1]
        x = x * (1.0, 1.0, 0.0)
    else:
        return None
    around = np.cross(axis, x)
    radius2 = (around**2).sum(axis=1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return axis, np.where(radius2 > 0, around / radius2, 0.0)


register_scheme(
    "first-cell",
    FirstCell,
    summary="on walls alone: the difference to the first cell, over the distance along the normal, as finite-volume "
    "solvers have the stress on a wall",
)
