"""Point location: the cell that holds each position, and the reference coordinates in it.

Candidates are the cells whose boxes hold the position, found with a grid over the positions. In cells with shape
functions x(ξ) = Σ N_a(ξ) x_a is solved for ξ by Newton's method; polygons are taken as triangles about their vertex
mean, polyhedra as tetrahedra over their faces, fanned about the faces' vertex means, as their volumes are computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import prange

from flowgrad.autodiff import Dual
from flowgrad.compiled import kernel
from flowgrad.errors import MeshError
from flowgrad.mesh.cells import offsets, runs, successor, take
from flowgrad.mesh.mesh import Mesh
from flowgrad.mesh.reference.cell import ReferenceCell
from flowgrad.reprs import ReprMixin
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

# Newton's iterations.
_ITERATIONS = 25
# A step below this, in units of the cell, ends the search; it converges quadratically.
_SMALL_STEP = 1e-9
# No step is longer than this, and no iterate farther out: both keep folded extrapolations away.
_LONGEST, _FARTHEST = 0.5, 0.5
# So many times at the limit, and the position is taken to be elsewhere.
_STRAYS = 4


def reference_positions(
    reference: ReferenceCell, nodes: FloatArray, positions: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Reference coordinates ξ (q, d) of positions (q, 3) in cells with the given nodes (q, k, 3), and the
    distances (q,) that remain, off surfaces and lines; NaN where there is no such ξ in or near the cell.

    The search starts at the centre, and where it fails there, half-way to the nearest node.
    """
    assert reference.nodes is not None
    arms = nodes - nodes[:, :1]
    target = positions - nodes[:, 0]
    if len(reference.node_gradients) == 1:
        # x is linear in ξ (simplices): one step from the first node, the origin.
        columns = np.einsum("kd,qki->qdi", reference.node_gradients[0], arms)
        xi = np.einsum("qdi,qi->qd", inverse_rows(columns), target)
        off = target - np.einsum("qd,qdi->qi", xi, columns)
        return xi, np.sqrt((off**2).sum(axis=1))
    start = np.tile(reference.center, (len(nodes), 1))
    xi, rest = _newton(reference, arms, target, start)
    lost = np.flatnonzero(np.isnan(rest))
    if len(lost):
        nearest = ((arms[lost] - target[lost, None]) ** 2).sum(axis=2).argmin(axis=1)
        start = (reference.center + reference.nodes[nearest]) / 2
        xi[lost], rest[lost] = _newton(reference, arms[lost], target[lost], start)
    return xi, rest


def _newton(
    reference: ReferenceCell, nodes: FloatArray, target: FloatArray, xi: FloatArray
) -> tuple[FloatArray, FloatArray]:
    rest, strays = np.full(len(xi), np.nan), np.zeros(len(xi), np.int64)
    active = np.arange(len(xi))
    for _ in range(_ITERATIONS):
        step, distance = _step(reference, nodes[active], target[active], xi[active])
        size = np.sqrt((step**2).sum(axis=1))
        with np.errstate(invalid="ignore"):
            moved = xi[active] + step * (_LONGEST / np.maximum(size, _LONGEST))[:, None]
        xi[active] = np.clip(moved, -_FARTHEST, 1 + _FARTHEST)
        strays[active] += (moved != xi[active]).any(axis=1)
        done = size < _SMALL_STEP
        rest[active[done]] = distance[done]
        active = active[~done & np.isfinite(size) & (strays[active] < _STRAYS)]
        if not len(active):
            break
    return xi, rest


def _step(
    reference: ReferenceCell, nodes: FloatArray, target: FloatArray, xi: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Newton's step (q, d) and the distance to go (q,), Gauss-Newton's on surfaces and lines."""
    assert reference.shape is not None
    count, dimension = xi.shape
    seeds = np.broadcast_to(np.eye(dimension)[:, :, None], (dimension, dimension, count))
    N = reference.shape(Dual(xi.T, seeds))
    residual = target - np.einsum("kq,qki->qi", N.value, nodes, optimize=True)
    columns = np.matmul(N.derivative.transpose(2, 0, 1), nodes)
    step = np.einsum("qdi,qi->qd", inverse_rows(columns), residual)
    return step, np.sqrt((residual**2).sum(axis=1))


def inverse_rows(columns: FloatArray) -> FloatArray:
    """Rows (q, d, 3) of J⁻¹ from the columns (q, d, 3) of J, those of the pseudo-inverse for d < 3; not
    finite where J is singular."""
    dimension = columns.shape[1]
    first = columns[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        if dimension == 1:
            return columns / (first**2).sum(axis=1)[:, None, None]
        second = columns[:, 1]
        third = columns[:, 2] if dimension == 3 else np.cross(first, second)
        rows = np.stack([np.cross(second, third), np.cross(third, first), np.cross(first, second)], axis=1)
        rows /= np.einsum("qi,qi->q", first, rows[:, 0])[:, None, None]
    return np.asarray(rows[:, :dimension])


def outside_fans(mesh: Mesh, cells: IntArray, positions: FloatArray, near: float) -> FloatArray:
    """How far outside of its cell each position (q, 3) lies (q,), in barycentric coordinates of the
    nearest simplex of its fan; infinite more than ``near`` of a polygon's size off its plane."""
    simplices, counts = _simplices(mesh, cells)
    owner = np.repeat(np.arange(len(cells)), counts)
    columns = simplices[:, 1:] - simplices[:, :1]
    arm = positions[owner] - simplices[:, 0]
    shares = np.einsum("sdi,si->sd", inverse_rows(columns), arm)
    outside = np.maximum((-shares).max(axis=1, initial=-np.inf), shares.sum(axis=1) - 1)
    off = arm - np.einsum("sd,sdi->si", shares, columns)
    size = np.abs(columns).max(axis=(1, 2), initial=0)
    outside[~(np.abs(off).max(axis=1, initial=0) <= near * size)] = np.inf
    result = np.full(len(cells), np.inf)
    np.minimum.at(result, owner, outside)
    return result


def _simplices(mesh: Mesh, cells: IntArray) -> tuple[FloatArray, IntArray]:
    """Corners (s, d + 1, 3) of the simplices, cell after cell, and their number in each cell (q,)."""
    if mesh.dimension == 1:
        # The straight pieces of poly-lines.
        sizes = np.maximum(np.diff(mesh.cells.offsets)[cells] - 1, 0)
        here = runs(mesh.cells.offsets[cells], sizes)
        return mesh.points[mesh.cells.connectivity[np.column_stack([here, here + 1])]], sizes
    if mesh.dimension == 2:
        start, corners = take(mesh.cells.offsets, mesh.cells.connectivity, cells)
        return _fan(mesh.points[corners], start)[0], np.diff(start)
    chosen, counts = mesh.faces.of(cells)
    start, corners = mesh.faces.take(chosen)
    triangles, face = _fan(mesh.points[corners], start)
    owner = np.repeat(np.arange(len(cells)), counts)[face]
    middle = mesh.centroids[cells][owner]
    return np.concatenate([middle[:, None], triangles], axis=1), np.bincount(owner, minlength=len(cells))


def _fan(corners: FloatArray, start: IntArray) -> tuple[FloatArray, IntArray]:
    """Triangles (t, 3, 3) of polygons, each from the vertex mean to a side, and their polygons (t,)."""
    sizes = np.diff(start)
    polygon = np.repeat(np.arange(len(sizes)), sizes)
    sums = np.column_stack([np.bincount(polygon, corners[:, k], len(sizes)) for k in range(3)])
    means = sums / np.maximum(sizes, 1)[:, None]
    return np.stack([means[polygon], corners, corners[successor(start)]], axis=1), polygon


# Intervals along an axis at most: finer ones save nothing, as the cells are larger than they.
_MOST_INTERVALS = 64


def candidate_pairs(low: FloatArray, high: FloatArray, positions: FloatArray) -> tuple[IntArray, IntArray]:
    """Cells and positions, one number each a pair, of all positions in the cells' boxes (NaN is in no box).

    The grid's intervals hold as many positions each along every axis, however these are spread.
    """
    # Positions beyond all boxes would waste intervals.
    reached = np.flatnonzero(
        ((positions >= np.nanmin(low, axis=0)) & (positions <= np.nanmax(high, axis=0))).all(axis=1)
    )
    if not len(reached):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    x = positions[reached]
    # Inner ends of the intervals along each axis.
    count = int(np.clip(round(len(x) ** (1 / 3)), 1, _MOST_INTERVALS))
    edges = np.ascontiguousarray(np.quantile(x, np.arange(1, count) / count, axis=0).T)
    bins = sum(np.searchsorted(edges[k], x[:, k], "right") * (edges.shape[1] + 1) ** k for k in range(3))
    order = np.argsort(bins, kind="stable")
    start = offsets(np.bincount(bins, minlength=(edges.shape[1] + 1) ** 3))
    none = np.empty(0, np.int64)
    counts = pairs_in_boxes(low, high, edges, start, x[order], none, none)
    ends = offsets(counts)
    found = np.empty(ends[-1], np.int64)
    pairs_in_boxes(low, high, edges, start, x[order], ends, found)
    return np.repeat(np.arange(len(low)), counts), reached[order[found]]


@kernel(parallel=True)
def node_boxes(points: Any, offsets: Any, connectivity: Any) -> Any:
    """Lowest and highest coordinates of each cell's points; NaN for a cell without points."""
    n = len(offsets) - 1
    low, high = np.full((n, 3), np.nan), np.full((n, 3), np.nan)
    for i in prange(n):
        for j in range(offsets[i], offsets[i + 1]):
            for k in range(3):
                x = points[connectivity[j], k]
                if j == offsets[i] or x < low[i, k]:
                    low[i, k] = x
                if j == offsets[i] or x > high[i, k]:
                    high[i, k] = x
    return low, high


@kernel(parallel=True)
def pairs_in_boxes(low: Any, high: Any, edges: Any, start: Any, x: Any, ends: Any, found: Any) -> Any:
    """How many of the positions, sorted by grid cell, lie in each box (n,); their numbers go to
    ``found`` where ``ends`` tells the places, none where it is empty."""
    n, width = len(low), edges.shape[1] + 1
    counts = np.zeros(n, np.int64)
    for i in prange(n):
        a, last_a = np.searchsorted(edges[0], low[i, 0], "right"), np.searchsorted(edges[0], high[i, 0], "right")
        b, last_b = np.searchsorted(edges[1], low[i, 1], "right"), np.searchsorted(edges[1], high[i, 1], "right")
        c, last_c = np.searchsorted(edges[2], low[i, 2], "right"), np.searchsorted(edges[2], high[i, 2], "right")
        count = 0
        for z in range(c, last_c + 1):
            for y in range(b, last_b + 1):
                row = (z * width + y) * width
                for j in range(start[row + a], start[row + last_a + 1]):
                    if (
                        low[i, 0] <= x[j, 0] <= high[i, 0]
                        and low[i, 1] <= x[j, 1] <= high[i, 1]
                        and low[i, 2] <= x[j, 2] <= high[i, 2]
                    ):
                        if len(ends):
                            found[ends[i] + count] = j
                        count += 1
        counts[i] = count
    return counts


def cell_boxes(mesh: Mesh, tolerance: float) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest corner (n, 3) of a box around each cell, curved edges included, wide enough for positions that
    far outside, as a fraction of its diagonal."""
    pad = tolerance if mesh.dimension == 3 else ON_SURFACE
    low, high = node_boxes(mesh.points, mesh.cells.offsets, mesh.cells.connectivity)
    growth = np.ones(len(mesh))
    for block in mesh.blocks:
        if block.reference.is_curved:
            growth[block.cells] = block.reference.lebesgue
    middle, half = (low + high) / 2, (high - low) / 2
    half = growth[:, None] * half + pad * np.sqrt((half**2).sum(axis=1))[:, None]
    return middle - half, middle + half


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
    found = Location(np.full(len(positions), -1), np.full((len(positions), 3), np.nan))
    search = _Search.of(mesh)
    search.locate(found, positions)
    # Some faces may be fans for the one and curved for the other of their cells.
    if mesh.dimension == 3 and 0 < search.fitted[search.full].sum() < len(search.full):
        search.locate_in_gaps(found, positions, np.flatnonzero(~found.inside))
    return found


@dataclass(frozen=True, eq=False)
class _Search:
    """What a search needs of the mesh: its ``full`` cells, for each cell the ``number`` of its block, its ``place``
    in it, and whether it is ``fitted``, with faces that are taken as fans (n,)."""

    mesh: Mesh
    full: IntArray
    number: IntArray
    place: IntArray
    fitted: BoolArray

    @classmethod
    def of(cls, mesh: Mesh) -> _Search:
        """That of a mesh."""
        number, place = np.zeros(len(mesh), np.int64), np.zeros(len(mesh), np.int64)
        fitted = np.zeros(len(mesh), bool)
        for i, block in enumerate(mesh.blocks):
            number[block.cells], place[block.cells] = i, np.arange(len(block.cells))
            fitted[block.cells] = block.reference.is_fitted
        return cls(mesh, np.flatnonzero(mesh.is_full), number, place, fitted)

    def boxes(self, tolerance: float) -> tuple[FloatArray, FloatArray]:
        """Lowest and highest corner of a box around each full cell."""
        low, high = cell_boxes(self.mesh, tolerance)
        return low[self.full], high[self.full]

    def locate(self, found: Location, positions: FloatArray) -> None:
        """Candidates are tried from the one whose middle is nearest, until the position is well inside."""
        low, high = self.boxes(INSIDE)
        rows, targets = candidate_pairs(low, high, positions)
        off = np.abs(2 * positions[targets] - low[rows] - high[rows]) / np.maximum(high[rows] - low[rows], 1e-300)
        # By position, then by distance, which is at most 1; equal ones stay in the order of the cells.
        order = np.argsort(targets + 0.99 * off.max(axis=1, initial=0), kind="stable")
        cells, targets = self.full[rows[order]], targets[order]
        # Each candidate's place among those of its position, and the place of the first that holds this well inside.
        rank = np.arange(len(targets)) - np.searchsorted(targets, targets)
        last, rest, turn = np.full(len(positions), len(targets)), np.arange(len(targets)), 0
        while len(rest):
            now = (rank[rest] == turn) | (len(rest) < _ALL_AT_ONCE)
            chosen = rest[now]
            xi, outside = self._outside(cells[chosen], positions[targets[chosen]])
            well = outside < -INSIDE
            np.minimum.at(last, targets[chosen[well]], rank[chosen[well]])
            holds = (outside <= INSIDE) & (rank[chosen] <= last[targets[chosen]])
            _keep(found, cells[chosen[holds]], targets[chosen[holds]], xi[holds])
            rest, turn = rest[~now & (rank[rest] < last[targets[rest]])], turn + 1

    def locate_in_gaps(self, found: Location, positions: FloatArray, lost: IntArray) -> None:
        """Of ``lost`` positions, in no cell, those between a cell of either kind."""
        rows, targets = candidate_pairs(*self.boxes(_GAP), positions[lost])
        cells = self.full[rows]
        xi, outside = self._outside(cells, positions[lost][targets])
        near = outside <= _GAP
        kinds = (self.fitted[cells], ~self.fitted[cells])
        counts = [np.bincount(targets[near & kind], minlength=len(lost)) for kind in kinds]
        near &= (np.minimum(*counts) > 0)[targets]
        _keep(found, cells[near], lost[targets[near]], xi[near])

    def _outside(self, cells: IntArray, positions: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Reference coordinates (q, 3) and how far outside of the cell (q,) the positions lie."""
        xi, outside = np.full((len(cells), 3), np.nan), np.full(len(cells), np.inf)
        for i in np.unique(self.number[cells]):
            block = self.mesh.blocks[i]
            same = np.flatnonzero(self.number[cells] == i)
            for own in np.array_split(same, 1 + len(same) * block.reference.size // _NODES_AT_A_TIME):
                if block.rows is None or block.reference.family is None:
                    outside[own] = outside_fans(self.mesh, cells[own], positions[own], ON_SURFACE)
                    continue
                nodes = self.mesh.points[block.rows[self.place[cells[own]]]]
                place, distance = reference_positions(block.reference, nodes, positions[own])
                near = distance <= ON_SURFACE * np.sqrt((np.ptp(nodes, axis=1) ** 2).sum(axis=1))
                xi[own, : place.shape[1]] = place
                outside[own] = np.where(near, block.reference.family.outside(place), np.inf)
        return xi, outside


def _keep(found: Location, cells: IntArray, targets: IntArray, xi: FloatArray) -> None:
    """Note cells that hold their positions, of several, noted before or now, the one of the lowest number."""
    order = np.argsort(cells, kind="stable")[::-1]
    before = found.cells[targets[order]]
    better = order[(before < 0) | (cells[order] < before)]
    found.cells[targets[better]] = cells[better]  # of equal targets the last one stays
    found.xi[targets[better]] = xi[better]
