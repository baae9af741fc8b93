"""Directions that the samples of a mesh resolve, and cells that lack samples on one side or lie in thin layers."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowgrad.gradient.local_fits.neighbourhoods import Samples, Search, Targets
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import take
from flowgrad.mesh.planar import FLAT
from flowgrad.tensors import finite_rows
from flowgrad.typing import BoolArray, FloatArray, IntArray

# How notes end that say what a planar mesh leaves open: not so where the flow's symmetry tells it.
TAKEN_AS_ZERO = "are taken as zero"
# The spread of the cells' centroids in a direction, as a fraction of the points': below it the mesh
# is one cell thick there.
_ONE_CELL = 1e-3
# Cells that are looked at before all are.
_FEW = 1000
_GOLDEN = (np.sqrt(5.0) - 1.0) / 2.0


@dataclass(frozen=True, eq=False)
class Directions:
    """The directions of a mesh as rows of ``basis`` (3, 3).

    Samples spread along the first ``rank`` rows; from ``free`` on they stand in no more than two layers.
    ``across`` (k, 3) are directions along which the mesh is one cell thick. On a ``curved`` surface or
    line the directions differ from place to place and ``basis`` is the identity. It is ``turned`` where it is other
    than the coordinate axes.
    """

    basis: FloatArray
    rank: int
    free: int
    across: FloatArray
    curved: bool = False
    turned: bool = False

    @property
    def notes(self) -> tuple[str, ...]:
        """What the samples do not tell."""
        if self.curved:
            what = "surface" if self.rank == 2 else "line"
            return (f"the mesh is a curved {what}: the gradient is tangential, derivatives out of it are missing",)
        if self.rank < 3 and not len(self.across):
            what = "plane" if self.rank == 2 else "line"
            return (f"the samples lie on a {what}: derivatives out of it {TAKEN_AS_ZERO}",)
        if not self.rank or not len(self.across):
            return ()
        from scipy.linalg import qr

        # Another orthonormal basis of the space of these directions, along coordinate axes where those lie in it.
        turned = qr(self.across.T @ self.across, pivoting=True)[0][:, : len(self.across)].T
        signs = np.sign(turned[np.arange(len(turned)), np.abs(turned).argmax(axis=1)])
        rows = np.round(turned * signs[:, None], 12) + 0.0
        axes = " and ".join(f"({x:.3g}, {y:.3g}, {z:.3g})" for x, y, z in rows)
        across = f"derivatives across {TAKEN_AS_ZERO}" if self.rank < 3 else "velocities across are taken as linear"
        return (f"the mesh is one cell thick along {axes}: {across}",)


def directions(mesh: Mesh, samples: FloatArray) -> Directions:
    """The directions of samples (n, 3) on a mesh; with its cells, if it has any, they are one cell thick."""
    if mesh.dimension == 3 and _is_thick(mesh, samples):
        return Directions(np.eye(3), 3, 3, np.empty((0, 3)))
    samples = samples[finite_rows(samples)]
    about_mean = samples - samples.mean(axis=0)
    basis = np.linalg.eigh(about_mean.T @ about_mean)[1].T[::-1]
    spread = np.ptp(samples @ basis.T, axis=0)
    if not len(mesh):
        return _ordered(basis, spread > FLAT * spread.max(), np.zeros(3, bool))
    used = np.zeros(len(mesh.points), bool)
    used[mesh.cells.connectivity] = True
    points = mesh.points[used] @ basis.T
    extent = np.nanmax(points, axis=0) - np.nanmin(points, axis=0)
    rounding = FLAT * extent.max() if mesh.dimension < 3 else 0.0
    if mesh.dimension < 3 and (extent > rounding).sum() > mesh.dimension:
        return Directions(np.eye(3), mesh.dimension, 3, np.empty((0, 3)), curved=True)
    one_cell = _cells_within(mesh, basis, np.maximum(_ONE_CELL * extent, rounding)) & (extent > rounding)
    return _ordered(basis, spread > np.where(one_cell, _ONE_CELL * extent, rounding), one_cell)


def _is_thick(mesh: Mesh, samples: FloatArray) -> bool:
    """Whether a few samples and cells show at once that no direction is missing or one cell thick: their
    spread in any direction is no less than their smallest principal deviation."""
    full = _few(np.flatnonzero(mesh.is_full))
    start, corners = take(mesh.cells.offsets, mesh.cells.connectivity, full)
    middles = np.add.reduceat(mesh.points[corners], start[:-1]) / np.diff(start)[:, None]
    size = np.linalg.norm([np.ptp(column) for column in mesh.points.T])
    few = _few(samples)
    if len(middles) < 8 or not np.isfinite(size) or not finite_rows(few).all():
        return False
    return all(np.linalg.eigvalsh(np.cov(each.T))[0] > (10 * _ONE_CELL * size) ** 2 for each in (middles, few))


def _few(rows: NDArray[Any]) -> NDArray[Any]:
    """Some of many rows, in steps of the golden section, which keep in time with no numbering of a lattice."""
    if len(rows) <= _FEW:
        return rows
    return rows[(np.arange(_FEW) * _GOLDEN % 1.0 * len(rows)).astype(np.int64)]


def _cells_within(mesh: Mesh, basis: FloatArray, width: FloatArray) -> BoolArray:
    """Directions in which the centroids of all cells lie within a width; a few cells rule most out."""
    full = np.flatnonzero(mesh.is_full)
    few = _few(full)
    corners = mesh.points[mesh.cells.connectivity[mesh.cells.offsets[few]]] @ basis.T
    ends = np.concatenate([few[np.nanargmin(corners, axis=0)], few[np.nanargmax(corners, axis=0)]])
    start, corners = take(mesh.cells.offsets, mesh.cells.connectivity, ends)
    means = np.array([mesh.points[corners[a:b]].mean(axis=0) for a, b in pairwise(start)]) @ basis.T
    if (np.ptp(means, axis=0) > width).all():
        return np.zeros(3, bool)
    return np.asarray(np.ptp(mesh.centroids[full] @ basis.T, axis=0) <= width)


def _ordered(basis: FloatArray, resolved: BoolArray, one_cell: BoolArray) -> Directions:
    """Directions of many layers first, then those of two, then those of one."""
    kind = np.where(resolved, np.where(one_cell, 1, 0), 2)
    rank, free = int((kind < 2).sum()), int((kind == 0).sum())
    if free == 3:
        return Directions(np.eye(3), 3, 3, np.empty((0, 3)))
    order = np.argsort(kind, kind="stable")
    turned = not np.array_equal(basis[order], np.eye(3))
    return Directions(np.ascontiguousarray(basis[order]), rank, free, basis[one_cell], turned=turned)


# A boundary face looks across the layer where its normal lies along it by more than this cosine.
_ACROSS = 0.9
# Samples that lie nearer than this fraction of the cell's own extent do not resolve a direction.
_REACH = 0.5
# Two faces look in opposite directions where the cosine between them is below minus this.
_OPPOSITE = 0.7
# Unknowns for which three neighbours suffice.
_FEWEST = 2


def one_sided_cells(mesh: Mesh, known_faces: IntArray, across: FloatArray) -> NDArray[np.bool_] | None:
    """Cells (n,) with a boundary face of unknown value that does not look along the directions ``across``
    (k, 3); None where there is none."""
    topology = mesh.topology
    is_open = np.ones(len(topology.boundary), bool)
    is_open[known_faces] = False
    area = topology.boundary_geometry[0]
    along = np.abs(area @ across.T).max(axis=1, initial=0.0)
    is_open &= along <= _ACROSS * np.sqrt((area**2).sum(axis=1))
    if not is_open.any():
        return None
    touched = np.zeros(len(mesh), bool)
    touched[topology.boundary_cells[is_open]] = True
    return touched[topology.owners]


def do_not_reach(
    mesh: Mesh,
    positions: FloatArray,
    start: IntArray,
    samples: IntArray,
    directions: Directions,
    rows: IntArray,
    cells: IntArray,
) -> NDArray[np.bool_]:
    """Which of the stencils ``rows`` about ``cells[rows]`` lie, in the direction that they determine worst,
    nearer than the cell's own points: a curved layer one cell thick, whose derivative across would be
    made of nothing."""
    counts = np.diff(start)[rows]
    rows, counts, blind = rows[counts > 0], counts[counts > 0], counts == 0
    if not len(rows):
        return blind
    basis = directions.basis[: directions.rank]
    own = cells[rows]
    starts, found = take(start, samples, rows)
    starts = starts[:-1]
    d = (positions[found] - np.repeat(positions[own], counts, axis=0)) @ basis.T
    unit = d / np.sqrt((d**2).sum(axis=1, keepdims=True))
    weakest = np.linalg.eigh(np.add.reduceat(unit[:, :, None] * unit[:, None, :], starts))[1][:, :, 0]
    reach = np.maximum.reduceat(np.abs((d * np.repeat(weakest, counts, axis=0)).sum(axis=1)), starts)
    starts, points = take(mesh.cells.offsets, mesh.cells.connectivity, own)
    sizes = np.diff(starts)
    d = (mesh.points[points] - np.repeat(positions[own], sizes, axis=0)) @ basis.T
    extent = np.abs((d * np.repeat(weakest, sizes, axis=0)).sum(axis=1))
    blind[~blind] = reach < _REACH * np.maximum.reduceat(extent, starts[:-1])
    return blind


def unresolved_cells(mesh: Mesh, samples: Samples, directions: Directions) -> IntArray:
    """Cells of a solid mesh in curved layers one cell thick: between two boundary faces, with nearest
    samples that do not reach as far as the cell itself."""
    if mesh.dimension < 3 or directions.rank < 3:
        return np.empty(0, np.int64)
    cells = between_boundaries(mesh)
    cells = cells[samples.usable[cells]]
    if not len(cells):
        return cells
    start, found = Search(samples).around(Targets.at_samples(samples, cells), _FEWEST)
    return cells[do_not_reach(mesh, samples.positions, start, found, directions, np.arange(len(cells)), cells)]


def between_boundaries(mesh: Mesh) -> IntArray:
    """Numbers of the cells with two boundary faces that look in opposite directions."""
    owner = mesh.topology.boundary_cells
    order = np.argsort(owner, kind="stable")
    owner, area = owner[order], mesh.topology.boundary_geometry[0][order]
    between = np.zeros(len(mesh), bool)
    for step in range(1, int(np.bincount(owner, minlength=1).max())):
        same = np.flatnonzero(owner[step:] == owner[:-step])
        one, other = area[same], area[same + step]
        sizes = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
        between[owner[same[(one * other).sum(axis=1) < -_OPPOSITE * sizes]]] = True
    return np.flatnonzero(between)
