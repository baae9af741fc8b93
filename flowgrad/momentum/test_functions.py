"""Test functions of compact support inside a flow, smooth, for the weak form of the momentum balance.

A bump is φ = (1 − r²/R²)⁴ for r < R, r the distance from its centre along the directions in which the mesh has more
than one cell. From it come the test fields w = φ e_k and, without divergence, w = ∇φ × e_k. Balls of many sizes and
places are the supports of those from which a whole viscosity curve is identified.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from flowgrad.errors import MeshError
from flowgrad.gradient.local_fits.directions import directions
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh import Mesh
from flowgrad.mesh.distance import clearance
from flowgrad.tensors import apply
from flowgrad.typing import BoolArray, FloatArray, IntArray

# A bump needs about so many samples across for its integrals to mean anything.
_ACROSS = 8
# Share of a cube that a ball fills, by dimension.
_BALL = {1: 1.0, 2: np.pi / 4, 3: np.pi / 6}
# So many centres are tried, spread over the samples, each with its largest bump and one of half that radius.
_CENTRES = 150
_SIZES = (1.0, 0.5)
# Faces whose normals are nearer than this (cosine) to the directions that are one cell thick bound nothing.
_ALONG = 0.99
# Distances that are equal but for rounding, as on a lattice, are equal.
_EVEN = 1 + 1e-9


@dataclass(frozen=True, eq=False)
class Bump:
    """The m samples inside a bump: their numbers, ``arms`` (m, 3) from the ``centre`` along the directions that
    ``active`` (3, 3) projects on, φ (m,), and ``along`` and ``bend`` (m,), of which ∇φ = along a and
    ∇∇φ = along I + bend a⊗a, a the arm and I ``active``."""

    samples: IntArray
    arms: FloatArray
    values: FloatArray
    along: FloatArray
    bend: FloatArray
    active: FloatArray
    centre: FloatArray

    @classmethod
    def around(
        cls, centre: FloatArray, samples: IntArray, positions: FloatArray, active: FloatArray, radius: float
    ) -> Bump:
        """The bump of a radius around a centre (3,)."""
        arms = (positions[samples] - centre) @ active
        rest = np.maximum(1 - (arms**2).sum(axis=1) / radius**2, 0.0)
        along, bend = -8 * rest**3 / radius**2, 48 * rest**2 / radius**4
        return cls(samples, arms, rest**4, along, bend, active, centre)

    @property
    def curvature(self) -> FloatArray:
        """|∇∇φ| (m,)."""
        square = (self.arms**2).sum(axis=1)
        whole = (self.bend * square) ** 2 + 2 * self.bend * self.along * square + self.along**2 * np.trace(self.active)
        return np.sqrt(np.maximum(whole, 0.0))

    def curved(self, A: FloatArray, weights: FloatArray) -> FloatArray:
        """Σ weights A·∇∇φ (3, 3) of tensors A (m, 3, 3)."""
        straight = np.tensordot(weights * self.along, A, 1) @ self.active
        return np.asarray(straight + ((weights * self.bend)[:, None] * apply(A, self.arms)).T @ self.arms)


def bumps(gradient: VelocityGradient, usable: BoolArray) -> Iterator[Bump]:
    """Bumps of many places and sizes inside a flow, whose samples, where the gradient lives, are all ``usable`` (n,).

    Samples on the boundary belong to none. Raises MeshError for a flow without cells.
    """
    from scipy.spatial import cKDTree

    flow = gradient.flow
    if flow is None or not len(flow.mesh) or gradient.positions is not None:
        raise MeshError("a momentum balance needs the cells of a mesh, and the gradient at its cells or points")
    positions = flow.mesh.places(gradient.location or "cells")
    plan = directions(flow.mesh, positions)
    active = plan.basis[: plan.rank]
    inner = usable & ~_on_boundary(flow.mesh, gradient.location, plan.across) & (gradient.weights > 0)
    numbers = np.flatnonzero(inner)
    if plan.curved or not plan.rank:
        raise MeshError(f"{flow.name}: a momentum balance needs a plane or solid mesh of more than one cell")
    if not len(numbers):
        return
    tree = cKDTree(positions[inner] @ active.T)
    if tree.n < _ACROSS:
        return
    reach = _reach(flow.mesh, positions[inner], positions[~inner], active)
    spacing = tree.query(tree.data, k=2)[0][:, 1]
    # Samples, spread over the flow, around which there is room for enough others.
    roomy = np.flatnonzero(2 * _EVEN * reach >= _ACROSS * spacing)
    for i in roomy[:: max(1, len(roomy) // _CENTRES)]:
        for size in _SIZES:
            within = numbers[tree.query_ball_point(tree.data[i], _EVEN * size * reach[i])]
            if len(within) >= _ACROSS**plan.rank * _BALL[plan.rank]:
                yield Bump.around(positions[numbers[i]], np.sort(within), positions, active.T @ active, size * reach[i])


def _on_boundary(mesh: Mesh, location: str | None, across: FloatArray) -> BoolArray:
    """Cells that own a boundary face, or points of one; faces across a mesh one cell thick bound nothing."""
    topology = mesh.topology
    area = topology.boundary_geometry[0]
    size = np.sqrt((area**2).sum(axis=1))
    bounding = ((area @ across.T) ** 2).sum(axis=1) <= (_ALONG * size) ** 2
    if location == "cells":
        marked = np.zeros(len(mesh), bool)
        marked[topology.boundary_cells[bounding]] = True
        return marked
    return topology.points_on(np.flatnonzero(bounding))


def _reach(mesh: Mesh, centres: FloatArray, outside: FloatArray, active: FloatArray) -> FloatArray:
    """Distance (c,) of centres from the boundary and from samples that belong to no bump."""
    from scipy.spatial import cKDTree

    room = clearance(mesh, centres, active)
    known = outside[np.isfinite(outside).all(axis=1)]
    if not len(known):
        return room
    return np.minimum(room, cKDTree(known @ active.T).query(centres @ active.T)[0])


# Each size is this part of the one before; centres of one size keep this part of the radius from each other.
_RATIO = 0.7
_SPACING = 0.5
_BALL_SIZES = 14
# The smallest radius, in distances between the nodes of cells. Balls that have to shrink below this part of their size
# wait for the next one.
_SMALLEST, _SMALLEST_STRETCHED = 4.0, 3.0
_SHRUNK = 0.7
# So many balls of one size tell enough.
_OF_A_SIZE = 400


@dataclass(frozen=True, eq=False)
class Balls:
    """Centres (n, d), radii (n,), and the number of the size that each belongs to (n,)."""

    centres: FloatArray
    radii: FloatArray
    sizes: IntArray

    def __len__(self) -> int:
        return len(self.radii)


# Gradients mix a plug with what is so many cells from where it is certain to be.
_MIXED = 6.0


def balls(
    mesh: Mesh, cells: IntArray, axes: FloatArray, unknown: FloatArray, plugs: FloatArray, family: int = 0
) -> Balls:
    """Balls around centroids of some of the ``cells`` that lie within the mesh, of positions along ``axes`` (d, 3),
    stretched ones perhaps, and hold none of the ``unknown`` positions (k, d). The choice depends on the numbering of
    the cells and not on how the mesh is turned or scaled. Sizes of another ``family`` are others."""
    from scipy.spatial import cKDTree

    centres = mesh.centroids[cells]
    room = clearance(mesh, centres, axes)
    if len(unknown):
        room = np.minimum(room, cKDTree(unknown).query(centres @ axes.T)[0])
    x, width = centres @ axes.T, _cell_sizes(mesh, axes)[cells]
    if len(plugs):
        room = np.minimum(room, cKDTree(plugs).query(x)[0] - _MIXED * width)
    smallest = (_SMALLEST if np.allclose(axes @ axes.T, np.eye(len(axes))) else _SMALLEST_STRETCHED) * width
    found: list[tuple[IntArray, FloatArray, int]] = []
    shuffled = np.random.default_rng(0).permutation(len(x))
    for number in range(_BALL_SIZES):
        size = float(room.max(initial=0.0)) * _RATIO**number
        fits = shuffled[(np.minimum(room, size) >= np.maximum(_SHRUNK * size, smallest))[shuffled]]
        chosen = _spread(x[fits], _SPACING * size)
        found.append((fits[chosen], np.minimum(size, room[fits[chosen]]), number + family * _BALL_SIZES))
    rows = np.concatenate([each[0] for each in found])
    sizes = np.concatenate([np.full(len(each[0]), each[2]) for each in found])
    return Balls(np.ascontiguousarray(x[rows]), np.concatenate([each[1] for each in found]), sizes)


# Cells whose mean shape is less stretched than this get round balls.
_STRETCHED = 2.0


def stretches(mesh: Mesh, axes: FloatArray) -> list[FloatArray]:
    """Stretches S (d, d), symmetric and of unit determinant, of positions along ``axes`` (d, 3): those that make the
    cells as long as wide, and halfway so, where most are stretched alike; else the identity."""
    sizes = np.diff(mesh.cells.offsets)
    arms = (mesh.points[mesh.cells.connectivity] - np.repeat(mesh.centroids, sizes, axis=0)) @ axes.T
    spread = np.add.reduceat(arms[:, :, None] * arms[:, None, :], mesh.cells.offsets[:-1])[mesh.is_full]
    spread /= np.maximum(np.trace(spread, axis1=1, axis2=2), 1e-300)[:, None, None]
    square, along = np.linalg.eigh(spread.mean(axis=0))
    width = np.sqrt(np.maximum(square, 1e-12 * square[-1]))
    if width[-1] < _STRETCHED * width[0]:
        return [np.eye(len(axes))]
    shrink = np.exp(np.log(width).mean()) / width
    return [np.asarray(along * shrink**power @ along.T) for power in (1.0, 0.5)]


def _cell_sizes(mesh: Mesh, axes: FloatArray) -> FloatArray:
    """About the edge of a square or cube as wide as each cell (n,), over the degree of its shape functions."""
    sizes = np.diff(mesh.cells.offsets)
    arms = (mesh.points[mesh.cells.connectivity] - np.repeat(mesh.centroids, sizes, axis=0)) @ axes.T
    farthest = np.maximum.reduceat((arms**2).sum(axis=1), mesh.cells.offsets[:-1])
    width = 2 * np.sqrt(farthest / len(axes))
    for block in mesh.blocks:
        width[block.cells] /= block.reference.degree
    return width


def _spread(x: FloatArray, spacing: float) -> IntArray:
    """The first positions, and of the others those that keep a distance from all chosen before."""
    from scipy.spatial import cKDTree

    if not len(x):
        return np.empty(0, np.int64)
    tree, free, chosen = cKDTree(x), np.ones(len(x), bool), []
    for i in range(len(x)):
        if free[i]:
            chosen.append(i)
            free[tree.query_ball_point(x[i], spacing)] = False
            if len(chosen) == _OF_A_SIZE:
                break
    return np.array(chosen)
