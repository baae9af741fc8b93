"""Cells whose gradient lacks samples on one side, and cells in layers too thin to tell a derivative."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowgrad.gradient.local_fits.directions import Directions
from flowgrad.gradient.local_fits.neighbourhoods import Samples, Search, Targets
from flowgrad.mesh import Mesh
from flowgrad.mesh.ragged import take
from flowgrad.typing import FloatArray, IntArray

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
