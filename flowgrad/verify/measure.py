"""The error of a velocity gradient against the exact one, inside and at the boundary."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowgrad.exact import ExactFlow
from flowgrad.flow import Flow, Patch
from flowgrad.mesh import Lattice, Mesh
from flowgrad.typing import BoolArray, FloatArray

# A boundary face looks across a layer one cell thick where its normal lies along it by more than this cosine.
_ACROSS = 0.9
NOWHERE = np.empty((0, 3))
# Above this fraction of the largest component of L an error is no rounding.
EXACT = 1e-10
# The gradient of a linear flow.
LINEAR = np.array([[1.0, 0.3, -2.0], [0.6, -0.4, 0.2], [-0.7, 0.9, -0.6]])


@dataclass(frozen=True)
class Deviation:
    """Root mean squares of |L − L_exact|, and its largest value, over the root mean square of |L_exact|
    at all places; NaN where there are none. ``worst`` is the place of the largest."""

    interior: float
    boundary: float
    overall: float
    largest: float
    worst: int
    missing: int

    @classmethod
    def of(cls, L: FloatArray, exact: FloatArray, at_boundary: BoolArray) -> Deviation:
        """That of gradients (m, 3, 3); ``at_boundary`` (m,) tells the parts apart."""
        squares = ((L - exact) ** 2).sum(axis=(1, 2))
        known = np.isfinite(squares)
        size = _root_mean((exact**2).sum(axis=(1, 2)))
        parts = known & ~at_boundary, known & at_boundary, known
        inside, edge, both = (_root_mean(squares[part]) / size for part in parts)
        counted = np.where(known, squares, -1.0)
        worst = int(counted.argmax())
        return cls(inside, edge, both, float(np.sqrt(max(counted[worst], 0.0))) / size, worst, int((~known).sum()))


def _root_mean(squares: FloatArray) -> float:
    return float(np.sqrt(squares.mean())) if len(squares) else np.nan


def largest(L: FloatArray, exact: FloatArray) -> float:
    """The largest error of gradients (m, 3, 3), over the largest component; NaN where one is missing."""
    return float(np.abs(L - exact).max() / np.abs(exact).max())


def sampled(exact: ExactFlow, mesh: Mesh, location: str, boundary: tuple[Patch, ...] = (), **fields: str) -> Flow:
    """An exact flow at the points or cells of a mesh, and at the centroids of its patches."""
    patches = tuple(
        Patch(patch.name, patch.faces, exact.velocity(mesh.topology.boundary_geometry[1][patch.faces]))
        for patch in boundary
    )
    return Flow(mesh, exact.velocity(places(mesh, location)), location, boundary=patches, **fields)  # type: ignore[arg-type]


def places(mesh: Mesh, at: str) -> FloatArray:
    """The points, or the centroids of the cells."""
    return mesh.points if at == "points" else mesh.centroids


def at_boundary(mesh: Mesh, at: str, across: FloatArray = NOWHERE) -> BoolArray:
    """Points on the boundary, or cells with a face there, faces that look along the directions ``across``
    (k, 3) left out."""
    if isinstance(mesh, Lattice):
        return _at_ends(mesh, at)
    touched = np.zeros(mesh.point_count if at == "points" else len(mesh), bool)
    if not len(mesh):
        return touched
    topology = mesh.topology
    area = topology.boundary_geometry[0]
    along = np.abs(area @ across.T).max(axis=1, initial=0.0)
    chosen = along <= _ACROSS * np.sqrt((area**2).sum(axis=1))
    if at == "points":
        start, points = topology.boundary_polygons
        touched[points[np.repeat(chosen, np.diff(start))]] = True
    else:
        touched[topology.boundary_cells[chosen]] = True
    return touched


def _at_ends(lattice: Lattice, at: str) -> BoolArray:
    shape = lattice.shape if at == "points" else lattice.cell_shape
    ends = np.zeros(shape[::-1], bool)
    for a in lattice.active:
        if lattice.axes[a].period is None:
            layers = np.moveaxis(ends, 2 - a, 0)
            layers[0] = layers[-1] = True
    return ends.ravel()
