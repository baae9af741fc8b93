"""Where positions lie in a mesh: the cell that holds each, and the reference coordinates in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.errors import MeshError
from flowgrad.mesh.candidates import boxes, candidate_pairs
from flowgrad.mesh.fans import outside_fans
from flowgrad.mesh.inverse_map import reference_positions
from flowgrad.reprs import ReprMixin

if TYPE_CHECKING:
    from flowgrad.mesh.mesh import Block, Mesh
    from flowgrad.typing import BoolArray, FloatArray, IntArray

# A position up to this far outside a cell, as a fraction of the cell, still belongs to it: float32 files.
INSIDE = 1e-6
# A position up to this far off a surface or line, as a fraction of the cell's box's diagonal, lies on it.
ON_SURFACE = 1e-3
# Faces that are not plane leave gaps between a polyhedron, which takes them as fans, and other cells: a position
# in no cell but up to this far outside of one of both kinds lies in a gap.
_GAP = 0.05
# So few candidates are tried together.
_ALL_AT_ONCE = 20_000
# Nodes of candidates in memory at a time.
_NODES_AT_A_TIME = 4_000_000


@dataclass(frozen=True, eq=False)
class Location(ReprMixin):
    """Cells (m,) that hold the positions, -1 outside the mesh, and reference coordinates ``xi`` (m, 3):
    the first d of them for a cell of dimension d; NaN in cells without shape functions."""

    cells: IntArray
    xi: FloatArray

    @property
    def inside(self) -> BoolArray:
        """Which positions lie in the mesh (m,)."""
        return np.asarray(self.cells >= 0)


def locate(mesh: Mesh, positions: FloatArray) -> Location:
    """The cells of full dimension that hold positions (m, 3), the one of the lowest number where a
    position lies on a face that several share.

    A position belongs to a cell up to ``INSIDE`` outside it, and to a surface or line up to
    ``ON_SURFACE`` off it; one in the gap that a curved face leaves between a polyhedron and another
    cell to one of these. Raises MeshError for a mesh without cells.
    """
    if not mesh.dimension:
        raise MeshError("the mesh has only points and no cells that could hold a position: give cells")
    positions = np.ascontiguousarray(positions, np.float64)
    search = _Search(mesh)
    found = search.locate(positions)
    if search.has_gaps:
        lost = np.flatnonzero(~found.inside)
        again = search.in_gaps(positions[lost])
        found.cells[lost], found.xi[lost] = again.cells, again.xi
    return found


@dataclass(frozen=True, eq=False)
class _Search:
    """What a search needs of the mesh."""

    mesh: Mesh

    @cached_property
    def full(self) -> IntArray:
        return np.flatnonzero(self.mesh.is_full)

    def boxes(self, tolerance: float) -> tuple[FloatArray, FloatArray]:
        """Of the full cells, wide enough for positions that far outside."""
        low, high = boxes(self.mesh, tolerance if self.mesh.dimension == 3 else ON_SURFACE)
        return low[self.full], high[self.full]

    @cached_property
    def blocks(self) -> tuple[IntArray, IntArray]:
        """For each cell the number of its block and its place in it (n,)."""
        number, place = np.zeros(len(self.mesh), np.int64), np.zeros(len(self.mesh), np.int64)
        for i, block in enumerate(self.mesh.blocks):
            number[block.cells], place[block.cells] = i, np.arange(len(block.cells))
        return number, place

    @cached_property
    def fitted(self) -> BoolArray:
        """Cells whose faces are taken as fans (n,)."""
        fitted = np.zeros(len(self.mesh), bool)
        for block in self.mesh.blocks:
            fitted[block.cells] = block.reference.is_fitted
        return fitted

    @property
    def has_gaps(self) -> bool:
        """Whether some faces are fans for the one and curved for the other of their cells."""
        return self.mesh.dimension == 3 and 0 < self.fitted[self.full].sum() < len(self.full)

    def in_gaps(self, positions: FloatArray) -> Location:
        """Of positions in no cell those between a cell of either kind."""
        rows, targets = candidate_pairs(*self.boxes(_GAP), positions)
        xi, outside = self._outside(self.full[rows], positions[targets])
        near = outside <= _GAP
        kinds = [np.bincount(targets[near & each], minlength=len(positions)) for each in self._kinds(rows)]
        near &= (np.minimum(*kinds) > 0)[targets]
        found = _nowhere(len(positions))
        _keep(found, self.full[rows[near]], targets[near], xi[near])
        return found

    def _kinds(self, rows: IntArray) -> tuple[BoolArray, BoolArray]:
        fitted = self.fitted[self.full[rows]]
        return fitted, ~fitted

    def locate(self, positions: FloatArray) -> Location:
        """Candidates are tried from the one whose middle is nearest, until the position is well inside."""
        low, high = self.boxes(INSIDE)
        rows, targets = candidate_pairs(low, high, positions)
        off = np.abs(2 * positions[targets] - low[rows] - high[rows]) / np.maximum(high[rows] - low[rows], 1e-300)
        # By position, then by distance, which is at most 1; equal ones stay in the order of the cells.
        order = np.argsort(targets + 0.99 * off.max(axis=1, initial=0), kind="stable")
        return self._tried(self.full[rows[order]], targets[order], positions)

    def _tried(self, cells: IntArray, targets: IntArray, positions: FloatArray) -> Location:
        """The best of candidate pairs, which are sorted by position and in the order to try them."""
        found, last = _nowhere(len(positions)), np.full(len(positions), len(targets))
        rank, rest, turn = _ranks(targets), np.arange(len(targets)), 0
        while len(rest):
            now = (rank[rest] == turn) | (len(rest) < _ALL_AT_ONCE)
            chosen = rest[now]
            xi, outside = self._outside(cells[chosen], positions[targets[chosen]])
            well = outside < -INSIDE
            np.minimum.at(last, targets[chosen[well]], rank[chosen[well]])
            holds = (outside <= INSIDE) & (rank[chosen] <= last[targets[chosen]])
            _keep(found, cells[chosen[holds]], targets[chosen[holds]], xi[holds])
            rest, turn = rest[~now & (rank[rest] < last[targets[rest]])], turn + 1
        return found

    def _outside(self, cells: IntArray, positions: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Reference coordinates (q, 3) and how far outside of the cell (q,) the positions lie."""
        xi, outside = np.full((len(cells), 3), np.nan), np.full(len(cells), np.inf)
        number, place = self.blocks
        for i in np.unique(number[cells]):
            block = self.mesh.blocks[i]
            for own in _portions(np.flatnonzero(number[cells] == i), block.reference.size):
                if block.reference.has_interpolant:
                    d = block.reference.dimension
                    xi[own, :d], outside[own] = _in_elements(self.mesh, block, place[cells[own]], positions[own])
                else:
                    outside[own] = outside_fans(self.mesh, cells[own], positions[own], ON_SURFACE)
        return xi, outside


def _nowhere(count: int) -> Location:
    return Location(np.full(count, -1), np.full((count, 3), np.nan))


def _keep(found: Location, cells: IntArray, targets: IntArray, xi: FloatArray) -> None:
    """Note cells that hold their positions, of several, noted before or now, the one of the lowest number."""
    order = np.argsort(cells, kind="stable")[::-1]
    before = found.cells[targets[order]]
    better = order[(before < 0) | (cells[order] < before)]
    found.cells[targets[better]] = cells[better]  # of equal targets the last one stays
    found.xi[targets[better]] = xi[better]


def _portions(chosen: IntArray, size: int) -> list[IntArray]:
    return np.array_split(chosen, 1 + len(chosen) * size // _NODES_AT_A_TIME)


def _in_elements(mesh: Mesh, block: Block, places: IntArray, positions: FloatArray) -> tuple[FloatArray, FloatArray]:
    assert block.rows is not None
    assert block.reference.family is not None
    nodes = mesh.points[block.rows[places]]
    xi, distance = reference_positions(block.reference, nodes, positions)
    outside = block.reference.family.outside(xi)
    near = distance <= ON_SURFACE * np.sqrt((np.ptp(nodes, axis=1) ** 2).sum(axis=1))
    return xi, np.where(near, outside, np.inf)


def _ranks(targets: IntArray) -> IntArray:
    """The place of each entry among the equal ones, in a sorted array."""
    first = np.searchsorted(targets, targets)
    return np.asarray(np.arange(len(targets)) - first)
