"""Point location: the cell that holds each position, and the reference coordinates in it.

Candidates are the cells whose boxes hold the position, found with a grid over the positions. In cells with shape
functions x(ξ) = Σ N_a(ξ) x_a is solved for ξ by Newton's method; polygons are taken as triangles about their vertex
mean, polyhedra as tetrahedra over their faces, fanned about the faces' vertex means, as their volumes are computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numba import prange

from flowgrad.autodiff import Dual
from flowgrad.compiled import kernel
from flowgrad.errors import MeshError
from flowgrad.mesh.ragged import offsets, runs
from flowgrad.mesh.reference.cell import ReferenceCell
from flowgrad.reprs import ReprMixin
from flowgrad.typing import FloatArray

if TYPE_CHECKING:
    from flowgrad.mesh.cells import Block
    from flowgrad.mesh.mesh import Mesh
    from flowgrad.typing import BoolArray, FloatArray, IntArray

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
        return _affine(reference, arms, target)
    start = np.tile(reference.center, (len(nodes), 1))
    xi, rest = _newton(reference, arms, target, start)
    lost = np.flatnonzero(np.isnan(rest))
    if len(lost):
        nearest = ((arms[lost] - target[lost, None]) ** 2).sum(axis=2).argmin(axis=1)
        start = (reference.center + reference.nodes[nearest]) / 2
        xi[lost], rest[lost] = _newton(reference, arms[lost], target[lost], start)
    return xi, rest


def _affine(reference: ReferenceCell, nodes: FloatArray, target: FloatArray) -> tuple[FloatArray, FloatArray]:
    """x is linear in ξ (simplices): one step from the first node, the origin."""
    columns = np.einsum("kd,qki->qdi", reference.node_gradients[0], nodes)
    xi = np.einsum("qdi,qi->qd", inverse_rows(columns), target)
    rest = target - np.einsum("qd,qdi->qi", xi, columns)
    return xi, np.sqrt((rest**2).sum(axis=1))


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
        return _pieces(mesh, cells)
    if mesh.dimension == 2:
        start = mesh.cells.offsets[cells]
        triangles, _ = _fan(mesh, mesh.cells.connectivity, start, np.diff(mesh.cells.offsets)[cells])
        return triangles, np.diff(mesh.cells.offsets)[cells]
    faces = mesh.faces
    counts = np.diff(faces.cell_offsets)[cells]
    chosen = runs(faces.cell_offsets[cells], counts)
    sizes = np.diff(faces.offsets)[chosen]
    triangles, face = _fan(mesh, faces.connectivity, faces.offsets[chosen], sizes)
    owner = np.repeat(np.arange(len(cells)), counts)[face]
    middle = mesh.centroids[cells][owner]
    return np.concatenate([middle[:, None], triangles], axis=1), np.bincount(owner, minlength=len(cells))


def _fan(mesh: Mesh, connectivity: IntArray, start: IntArray, sizes: IntArray) -> tuple[FloatArray, IntArray]:
    """Triangles (t, 3, 3) of polygons, each from the vertex mean to a side, and their polygons (t,)."""
    here = runs(start, sizes)
    ring = offsets(sizes)
    following = np.arange(1, len(here) + 1)
    following[ring[1:][sizes > 0] - 1] = ring[:-1][sizes > 0]
    corners = mesh.points[connectivity[here]]
    polygon = np.repeat(np.arange(len(sizes)), sizes)
    sums = np.column_stack([np.bincount(polygon, corners[:, k], len(sizes)) for k in range(3)])
    means = sums / np.maximum(sizes, 1)[:, None]
    return np.stack([means[polygon], corners, corners[following]], axis=1), polygon


def _pieces(mesh: Mesh, cells: IntArray) -> tuple[FloatArray, IntArray]:
    """The straight pieces (s, 2, 3) of poly-lines."""
    sizes = np.maximum(np.diff(mesh.cells.offsets)[cells] - 1, 0)
    here = runs(mesh.cells.offsets[cells], sizes)
    ends = mesh.cells.connectivity[np.column_stack([here, here + 1])]
    return mesh.points[ends], sizes


# Intervals along an axis at most: finer ones save nothing, as the cells are larger than they.
_MOST_INTERVALS = 64


def boxes(mesh: Mesh, pad: float) -> tuple[FloatArray, FloatArray]:
    """Lowest and highest corner (n, 3) of a box around each cell, curved edges included, widened by
    ``pad`` times its diagonal on all sides."""
    low, high = node_boxes(mesh.points, mesh.cells.offsets, mesh.cells.connectivity)
    growth = np.ones(len(mesh))
    for block in mesh.blocks:
        if block.reference.is_curved:
            growth[block.cells] = block.reference.lebesgue
    middle, half = (low + high) / 2, (high - low) / 2
    half = growth[:, None] * half + pad * np.sqrt((half**2).sum(axis=1))[:, None]
    return middle - half, middle + half


def candidate_pairs(low: FloatArray, high: FloatArray, positions: FloatArray) -> tuple[IntArray, IntArray]:
    """Cells and positions, one number each a pair, of all positions in the cells' boxes (NaN has none).

    The grid's intervals hold as many positions each along every axis, however these are spread.
    """
    # Positions beyond all boxes would waste intervals.
    reached = np.flatnonzero(
        ((positions >= np.nanmin(low, axis=0)) & (positions <= np.nanmax(high, axis=0))).all(axis=1)
    )
    if not len(reached):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    x = positions[reached]
    edges = _edges(x)
    bins = sum(np.searchsorted(edges[k], x[:, k], "right") * (edges.shape[1] + 1) ** k for k in range(3))
    order = np.argsort(bins, kind="stable")
    start = offsets(np.bincount(bins, minlength=(edges.shape[1] + 1) ** 3))
    none = np.empty(0, np.int64)
    counts = pairs_in_boxes(low, high, edges, start, x[order], none, none)
    ends = offsets(counts)
    found = np.empty(ends[-1], np.int64)
    pairs_in_boxes(low, high, edges, start, x[order], ends, found)
    return np.repeat(np.arange(len(low)), counts), reached[order[found]]


def _edges(x: FloatArray) -> FloatArray:
    """Inner ends of the intervals along each axis (3, b)."""
    count = int(np.clip(round(len(x) ** (1 / 3)), 1, _MOST_INTERVALS))
    return np.ascontiguousarray(np.quantile(x, np.arange(1, count) / count, axis=0).T)


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
