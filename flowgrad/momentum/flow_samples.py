"""Samples of a flow for integrals over it: at Gauss points of its cells, in the frame in which it is planar or
axisymmetric."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numba import prange

from flowgrad.compiled import kernel
from flowgrad.flow import Flow
from flowgrad.gradient import FiniteDifference
from flowgrad.gradient.joined import on_joined
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import Block
from flowgrad.momentum.framed import Framed
from flowgrad.typing import FloatArray, IntArray

# Gauss points a direction by dimension: the test functions bend within large cells. Two, and then but one, are enough
# where there are so many cells, of which most balls hold hundreds.
_POINTS = {1: 4, 2: 3, 3: 2}
_FINE, _FINEST = 20_000, 200_000


@dataclass(frozen=True, eq=False)
class FlowSamples:
    """Stretched positions Sx (m, d), x in the d directions along which the ``mesh`` extends, S (d, d) its ``stretch``;
    volumes (m,), velocities (m, 3), rates of deformation D (m, 3, 3), forces f − ∂v/∂t (m, 3) and shear rates √(2D:D)
    (m,), all in the frame of ``basis`` (3, 3), whose first d rows are those directions. Those
    that :meth:`stretched` gives are sorted by strips. NaN where the flow is not known.

    About an axis ``radial`` is the number of the direction away from it, else -1; volumes are those of rings, half of
    them where the mesh holds the mirror image as well. Integrals are wanted over balls around cells of ``own`` only."""

    mesh: Mesh
    own: IntArray
    basis: FloatArray
    radial: int
    stretch: FloatArray
    positions: FloatArray
    volumes: FloatArray
    velocity: FloatArray
    D: FloatArray
    force: FloatArray
    shear_rate: FloatArray

    @property
    def radius(self) -> FloatArray:
        """The distances r (m,) from the axis, negative on its other side; NaN without one."""
        if self.radial < 0:
            return np.full(len(self.positions), np.nan)
        return np.asarray(self.positions @ np.linalg.inv(self.stretch)[self.radial])

    @property
    def places(self) -> FloatArray:
        """The positions (m, d) before they were stretched, on one side of the axis."""
        x = np.asarray(self.positions @ np.linalg.inv(self.stretch).T)
        if self.radial >= 0:
            x[:, self.radial] = np.abs(x[:, self.radial])
        return x

    def stretched(self, stretch: FloatArray) -> FlowSamples:
        """With positions that are stretched by S (d, d) from what they are."""
        x = self.positions @ stretch.T
        order = np.lexsort((x[:, -1], strips_of(x, x[:, 0])))
        names = ("volumes", "velocity", "D", "force", "shear_rate")
        values = {name: getattr(self, name)[order] for name in names}
        return replace(self, stretch=stretch @ self.stretch, positions=np.ascontiguousarray(x[order]), **values)


def samples(gradient: VelocityGradient, force: FloatArray) -> FlowSamples:
    """The samples of a gradient at points or cells, and of the force (n, 3) there."""
    framed = Framed.of(gradient, force)
    mesh, radial, axes = framed.mesh, framed.radial, framed.basis[: framed.rank]
    values = np.hstack([framed.velocity, framed.D.reshape(-1, 9), framed.force])
    positions, volumes, values = _led(mesh, framed.location, values)
    own = mesh.is_full
    if radial >= 0:
        volumes = volumes * np.pi * np.abs(positions @ axes[radial]) * (1 if framed.has_images else 2)
        own = own & (mesh.centroids @ axes[radial] >= 0) if framed.has_images else own
    D = np.ascontiguousarray(values[:, 3:12]).reshape(-1, 3, 3)
    return FlowSamples(
        mesh,
        np.flatnonzero(own),
        framed.basis,
        radial,
        np.eye(framed.rank),
        positions @ axes.T,
        volumes,
        np.ascontiguousarray(values[:, :3]),
        D,
        np.ascontiguousarray(values[:, 12:]),
        np.sqrt(2 * (D.reshape(-1, 9) ** 2).sum(axis=1)),
    )


def _led(mesh: Mesh, location: str, values: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Values (n, c) at the points or cells of a mesh led along their slopes to Gauss points within the cells."""
    full = [block for block in mesh.blocks if block.reference.dimension == mesh.dimension]
    # Shape functions of the second degree need no slopes.
    needs = location == "cells" or any(block.reference.degree == 1 for block in full)
    slopes = _slopes(mesh, location, values) if needs else np.zeros((0, values.shape[1], 3))
    parts = [_in_block(mesh, block, values, slopes, location == "cells") for block in full]
    positions, volumes, found = (np.concatenate(each) for each in zip(*parts, strict=True))
    return positions, volumes, found


def _slopes(mesh: Mesh, location: str, values: FloatArray) -> FloatArray:
    """Derivatives (n, c, 3) of values (n, c) at points or cells; none beside places where these are not known."""
    bare = Flow(mesh, np.zeros_like(mesh.places(location)), location)
    # Points that are one have one slope, and no fit looks through a plate.
    operator = FiniteDifference(order=1).prepare(bare.joined, location)
    found = (operator if bare.joined is bare else on_joined(operator, bare, location)).apply(values)
    return np.where(np.isfinite(found), found, 0.0)


def _in_block(
    mesh: Mesh, block: Block, values: FloatArray, slopes: FloatArray, of_cells: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Positions (m s, 3) of s Gauss points in each of m cells, the volumes that these stand for (m s,), and the values
    there; of cells that have no shape functions the centroid alone."""
    N, rows = None, block.rows
    positions, volumes = mesh.centroids[block.cells], mesh.measures[block.cells]
    if block.reference.has_interpolant and rows is not None:
        N, positions, volumes = _gauss(mesh, block)
    if of_cells:
        alike = np.ones((len(positions) // len(block.cells), 1))
        found = _interpolated(alike, block.cells[:, None], values, slopes, mesh.centroids, positions, 1.0)
    elif N is None:
        start, points = mesh.cells.offsets, mesh.cells.connectivity
        found = np.array([values[points[start[c] : start[c + 1]]].mean(axis=0) for c in block.cells])
    else:
        # With half the slopes linear shape functions are exact for what is quadratic.
        part = 0.5 if block.reference.degree == 1 else 0.0
        found = _interpolated(N, rows, values, slopes, mesh.points, positions, part)
    return positions, volumes, found


@kernel(parallel=True)
def _interpolated(N: Any, rows: Any, values: Any, slopes: Any, places: Any, positions: Any, part: float) -> Any:
    """Values (m s, c) at s positions in each of m cells by the shape functions N (s, k) of its ``rows`` (m, k), each
    value led there along a ``part`` of its slopes."""
    m, columns, many = len(rows), values.shape[1], len(N)
    found = np.zeros((m * many, columns))
    for cell in prange(m):
        for site in range(many):
            q = cell * many + site
            for k in range(rows.shape[1]):
                row = rows[cell, k]
                for c in range(columns):
                    value = values[row, c]
                    if part != 0:
                        for i in range(3):
                            value += part * slopes[row, c, i] * (positions[q, i] - places[row, i])
                    found[q, c] += N[site, k] * value
    return found


def _gauss(mesh: Mesh, block: Block) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Shape functions at the Gauss points (s, k), positions (m s, 3) and volumes (m s,) of these."""
    family = block.reference.family
    assert family is not None
    count = 1 if len(mesh) > _FINEST else 2 if len(mesh) > _FINE else _POINTS[family.dimension]
    sites, weights = family.gauss(count)
    N, dN = block.reference.values(sites), block.reference.gradients(sites)
    nodes = mesh.points[block.rows]
    J = np.einsum("ska,mkd->msda", dN, nodes)
    # √det JᵀJ is |det J| of solids, and the measure of surfaces and lines.
    measure = np.sqrt(np.maximum(np.linalg.det(np.swapaxes(J, -1, -2) @ J), 0.0))
    return N, np.einsum("sk,mkd->msd", N, nodes).reshape(-1, 3), (measure * weights).ravel()


# Strips of samples are so many times as long as wide, counted in samples.
_IN_STRIP = 8


def strips_of(x: FloatArray, along: FloatArray) -> IntArray:
    """The strip of the first coordinate that each value (n,) lies in, of about as many as there are samples (m, d) in
    it; values beyond the samples are in the first or last."""
    low, high = x[:, 0].min(), x[:, 0].max()
    count = max(1, int(np.sqrt(len(x) / _IN_STRIP)))
    place = (along - low) / max(high - low, 1e-300) * count
    return np.clip(place, 0, count - 1).astype(np.int64)
