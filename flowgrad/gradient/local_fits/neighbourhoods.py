"""Compiled search of neighbourhoods: rings around each target on a graph of samples."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from numba import prange
from numpy.typing import NDArray

from flowgrad.compiled import called, kernel
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import offsets, runs, take
from flowgrad.mesh.wall_layers import WallDistances
from flowgrad.tensors import finite_rows
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from flowgrad.gradient.local_fits.screen import Screen

# A neighbourhood is one-sided where m·S⁻¹m, of its mean m and second moments S about the target, is above
# this: 0.7 for a half ball, 0 for whatever lies evenly around.
_ONE_SIDED = 0.3


@kernel()
def cells_of_points(offsets: Any, connectivity: Any, cells: Any, point_count: int) -> Any:
    """Which of the given cells have each point: offsets (n + 1,) and cell numbers."""
    start = np.zeros(point_count + 1, np.int64)
    for c in cells:
        for j in range(offsets[c], offsets[c + 1]):
            start[connectivity[j] + 1] += 1
    for p in range(point_count):
        start[p + 1] += start[p]
    found = np.empty(start[-1], np.int64)
    following = start.copy()
    for c in cells:
        for j in range(offsets[c], offsets[c + 1]):
            p = connectivity[j]
            found[following[p]] = c
            following[p] += 1
    return start, found


@kernel(parallel=True)
def points_sharing_cells(offsets: Any, connectivity: Any, start: Any, cells: Any, blocks: int) -> Any:
    """The other points of the cells around each point, lowest cell first: offsets (n + 1,) and points."""
    n = len(start) - 1
    sizes = np.zeros(n + 1, np.int64)
    for block in prange(blocks):
        seen = np.full(n, -1, np.int32)
        for p in range(block * n // blocks, (block + 1) * n // blocks):
            sizes[p + 1] = _others(offsets, connectivity, cells[start[p] : start[p + 1]], p, seen, connectivity, -1)
    for p in range(n):
        sizes[p + 1] += sizes[p]
    found = np.empty(sizes[-1], np.int64)
    for block in prange(blocks):
        seen = np.full(n, -1, np.int32)
        for p in range(block * n // blocks, (block + 1) * n // blocks):
            _others(offsets, connectivity, cells[start[p] : start[p + 1]], p, seen, found, sizes[p])
    return sizes, found


@called
def _others(offsets: Any, connectivity: Any, around: Any, p: int, seen: Any, found: Any, at: int) -> int:
    """Count the other points of the cells around ``p``, and put them into ``found`` from ``at`` if that is
    not −1."""
    count = 0
    seen[p] = p
    for c in around:
        for j in range(offsets[c], offsets[c + 1]):
            other = connectivity[j]
            if seen[other] != p:
                seen[other] = p
                if at >= 0:
                    found[at + count] = other
                count += 1
    return count


@called
def wall_shift(place: int, up: float, i: int, bends: Any) -> float:
    """How far a sample ``up`` above target ``i`` is moved along its normal, so that it stands above it by what it is
    further from the wall."""
    wall, distance, _, bent, (start, walls, distances) = bends
    for e in range(start[place], start[place + 1]):
        if walls[e] == wall[i]:
            return bent[i] * (distances[e] - distance[i] - up)
    return 0.0


@called
def _is_one_sided(positions: Any, target: Any, i: int, found: Any, count: int, usable: Any, bends: Any) -> bool:
    is_bent = len(bends[3]) > 0 and bends[3][i] > 0.0
    m0, m1, m2, a, b, c, d, e, f, total = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0
    for j in range(count):
        s = found[j]
        if usable[s]:
            x, y, z = positions[s, 0] - target[0], positions[s, 1] - target[1], positions[s, 2] - target[2]
            if is_bent:
                n = bends[2][i]
                shift = wall_shift(s, n[0] * x + n[1] * y + n[2] * z, i, bends)
                x, y, z = x + shift * n[0], y + shift * n[1], z + shift * n[2]
            m0, m1, m2, total = m0 + x, m1 + y, m2 + z, total + 1
            a, b, c = a + x * x, b + y * y, c + z * z
            d, e, f = d + x * y, e + y * z, f + x * z
    # A little is added to the diagonal, so that missing directions do not count.
    more = 1e-9 * (a + b + c)
    a, b, c = a + more, b + more, c + more
    A, B, C = b * c - e * e, a * c - f * f, a * b - d * d
    D, E, F = e * f - d * c, d * f - a * e, d * e - b * f
    quadratic = A * m0 * m0 + B * m1 * m1 + C * m2 * m2 + 2 * (D * m0 * m1 + E * m1 * m2 + F * m0 * m2)
    return quadratic > _ONE_SIDED * total * (a * A + d * D + f * F)


@called
def _grow(
    graph: Any, seeds: Any, own: int, stamp: int, places: Any, target: Any, i: int, bends: Any, need: Any, room: Any
) -> int:
    """Ring after ring around the seeds into ``found`` until there are enough usable samples; how many
    nodes were found."""
    (offsets, neighbours), (positions, usable), (need_all_round, need_one_sided) = graph, places, need
    seen, found = room
    count, enough = 0, 0
    for s in seeds:
        if seen[s] != stamp and s != own:
            seen[s] = stamp
            found[count] = s
            count += 1
            enough += usable[s]
    ring = 0
    if own >= 0:
        seen[own] = stamp
        for j in range(offsets[own], offsets[own + 1]):
            s = neighbours[j]
            if seen[s] != stamp:
                seen[s] = stamp
                found[count] = s
                count += 1
                enough += usable[s]
    while True:
        if enough >= need_one_sided:
            break
        if enough >= need_all_round and not _is_one_sided(positions, target, i, found, count, usable, bends):
            break
        last = count
        for k in range(ring, last):
            p = found[k]
            for j in range(offsets[p], offsets[p + 1]):
                s = neighbours[j]
                if seen[s] != stamp and count < len(found):
                    seen[s] = stamp
                    found[count] = s
                    count += 1
                    enough += usable[s]
        if count == last:
            break
        ring = last
    return count


@kernel()
def symmetric_graph(pairs: Any, n: int) -> Any:
    """The neighbours of each of n nodes from unordered pairs (k, 2): offsets (n + 1,) and nodes."""
    start = np.zeros(n + 1, np.int64)
    for i in range(len(pairs)):
        start[pairs[i, 0] + 1] += 1
        start[pairs[i, 1] + 1] += 1
    for p in range(n):
        start[p + 1] += start[p]
    found, following = np.empty(start[-1], np.int64), start.copy()
    for i in range(len(pairs)):
        a, b = pairs[i, 0], pairs[i, 1]
        found[following[a]], found[following[b]] = b, a
        following[a] += 1
        following[b] += 1
    return start, found


@kernel()
def neighbourhoods(
    graph: Any, seeded: Any, places: Any, targets: Any, bends: Any, need: Any, room: Any, stamp: int, pool: Any
) -> Any:
    """Samples around each target (m, 3): their numbers one after another in ``pool``, and the offsets
    (m + 1,) into it; of samples beyond the room of the pool only the number is right.

    Rings on the ``graph`` (offsets, neighbours) of samples at ``places`` (positions, usable) grow from the sample
    ``own[i]``, itself left out, or where that is −1 from the seeds, until they hold as many usable samples as
    ``need`` says, all round and where these lie on one side, seen as ``bends`` (:func:`bends_of`) flatten the walls.
    ``room`` (seen, found), (n,) each, is to work in; no number of ``seen`` may be from ``stamp`` to ``stamp + m``.
    """
    (seed_start, seeds, own), usable, found = seeded, places[1], room[1]
    start = np.zeros(len(targets) + 1, np.int64)
    for i in range(len(targets)):
        first = seeds[seed_start[i] : seed_start[i + 1]]
        count = _grow(graph, first, own[i], stamp + i, places, targets[i], i, bends, need, room)
        at = start[i]
        for j in range(count):
            if usable[found[j]]:
                if at < len(pool):
                    pool[at] = found[j]
                at += 1
        start[i + 1] = at
    return start


# Samples for each unknown: all round the target, and where they lie on one side of it.
SAMPLES = 1.5
_SAMPLES_ONE_SIDED = 2.5
# So many times the samples are looked for where plates hide some.
_WIDER = 3


@dataclass(frozen=True, eq=False)
class WallFrames:
    """The wall along which each target (m,) lies: its number, the ``distance`` from it, the unit ``normal`` (m, 3) out
    of it, the ``slope`` ∂distance/∂x, and ``bent`` (m,), 0 where it may be taken as flat. None at all where nothing
    is bent."""

    wall: IntArray
    distance: FloatArray
    normal: FloatArray
    slope: FloatArray
    bent: FloatArray

    @classmethod
    def of(cls, known: WallDistances | None) -> WallFrames:
        """Of places whose distances are known, the walls that are nearest."""
        if known is None or not (known.bent > 0).any():
            return cls(np.empty(0, np.int64), np.empty(0), np.empty((0, 3)), np.empty((0, 3)), np.empty(0))
        entry = known.nearest()
        bent = np.where(entry >= 0, known.bent[entry], 0.0)
        return cls(known.wall[entry], known.distance[entry], known.normal[entry], known.slope[entry], bent)

    def where(self, chosen: NDArray[np.bool_], others: WallFrames) -> WallFrames:
        """These at the chosen targets (m,), others elsewhere."""
        names, along = ("wall", "distance", "bent"), ("normal", "slope")
        scalars = [np.where(chosen, getattr(self, name), getattr(others, name)) for name in names]
        vectors = [np.where(chosen[:, None], getattr(self, name), getattr(others, name)) for name in along]
        return WallFrames(scalars[0], scalars[1], vectors[0], vectors[1], scalars[2])

    def __getitem__(self, chosen: IntArray) -> WallFrames:
        if not len(self.bent):
            return self
        names = ("wall", "distance", "normal", "slope", "bent")
        return WallFrames(*(getattr(self, name)[chosen] for name in names))


@dataclass(frozen=True, eq=False)
class Samples:
    """Where values are known (n, 3), which of them are ``usable`` (n,), and the graph of neighbours; ``screen`` are the
    plates through which none is seen, ``walls`` the distances from curved walls along which they lie in layers."""

    positions: FloatArray
    usable: NDArray[np.bool_]
    start: IntArray
    neighbours: IntArray
    screen: Screen | None = field(default=None, kw_only=True)
    walls: WallDistances | None = field(default=None, kw_only=True)

    @classmethod
    def of_points(cls, mesh: Mesh, usable: NDArray[np.bool_]) -> Samples:
        """The points of a mesh; neighbours share a cell of full dimension."""
        cells = mesh.cells
        full = np.flatnonzero(mesh.is_full)
        around = cells_of_points(cells.offsets, cells.connectivity, full, len(mesh.points))
        blocks = numba.get_num_threads()
        graph = points_sharing_cells(cells.offsets, cells.connectivity, *around, blocks)
        layers = mesh.wall_layers
        return cls(mesh.points, usable, *graph, walls=None if layers is None else layers.points)

    @classmethod
    def of_cells(
        cls, mesh: Mesh, patch_faces: IntArray, patch_centroids: FloatArray, usable: NDArray[np.bool_]
    ) -> Samples:
        """The cells of a mesh, at their centroids, then boundary faces of known value; neighbours share a
        face."""
        known = len(mesh) + np.arange(len(patch_faces))
        owned = np.column_stack([mesh.topology.boundary_cells[patch_faces], known])
        positions = np.concatenate([mesh.centroids, patch_centroids])
        pairs = np.concatenate([mesh.topology.pairs, owned])
        layers = mesh.wall_layers
        walls = None if layers is None else layers.cells.followed_by(layers.on_faces(patch_faces))
        return cls(positions, usable, *symmetric_graph(pairs, len(positions)), walls=walls)

    @classmethod
    def of_cloud(cls, points: FloatArray, usable: NDArray[np.bool_], order: int, smoothing: float) -> Samples:
        """Scattered points; neighbours are the nearest usable ones, as many as a one-sided fit needs."""
        from scipy.spatial import cKDTree

        chosen, placed = np.flatnonzero(usable), np.flatnonzero(finite_rows(points))
        if not len(chosen):
            return cls(points, usable, np.zeros(len(points) + 1, np.int64), chosen)
        unknowns = math.comb(order + 3, 3) - 1
        nearest = min(math.ceil(smoothing * _SAMPLES_ONE_SIDED * unknowns) + 1, len(chosen))
        found = cKDTree(points[chosen]).query(points[placed], nearest, workers=-1)[1]
        sizes = np.zeros(len(points), np.int64)
        sizes[placed] = nearest
        return cls(points, usable, offsets(sizes), chosen[found].ravel())


@dataclass(frozen=True, eq=False)
class Targets:
    """Where derivatives are wanted (m, 3). Fits go through the value of sample ``own`` (m,), or where that
    is −1 they start from ``seeds[start[i]:start[i + 1]]``. ``frames`` are the walls along which they lie."""

    positions: FloatArray
    own: IntArray
    start: IntArray
    seeds: IntArray
    frames: WallFrames

    def __len__(self) -> int:
        return len(self.positions)

    @classmethod
    def at_samples(cls, samples: Samples, own: IntArray, positions: FloatArray | None = None) -> Targets:
        """Samples (m,) themselves, or ``positions`` (m, 3) near them; none where ``own`` is −1."""
        frames = WallFrames.of(None if samples.walls is None else samples.walls[own])
        start = np.zeros(len(own) + 1, np.int64)
        at = samples.positions[own] if positions is None else positions
        return cls(at, own, start, np.empty(0, np.int64), frames)

    @classmethod
    def seeded(
        cls, positions: FloatArray, start: IntArray, seeds: IntArray, walls: WallDistances | None = None
    ) -> Targets:
        """Positions between the samples."""
        return cls(positions, np.full(len(positions), -1), start, seeds, WallFrames.of(walls))

    @classmethod
    def at_cells(cls, mesh: Mesh) -> Targets:
        """The centroids of the cells, from the points of each; cells of lower dimension have none."""
        sizes = np.where(mesh.is_full, np.diff(mesh.cells.offsets), 0)
        seeds = mesh.cells.connectivity[runs(mesh.cells.offsets[:-1], sizes)]
        layers = mesh.wall_layers
        return cls.seeded(mesh.centroids, offsets(sizes), seeds, None if layers is None else layers.cells)

    def without(self, excluded: NDArray[np.bool_]) -> Targets:
        """The same targets, of which some (m,) have nothing to start from and get no derivative."""
        sizes = np.diff(self.start) * ~excluded
        seeds = self.seeds[runs(self.start[:-1], sizes)]
        return replace(self, own=np.where(excluded, -1, self.own), start=offsets(sizes), seeds=seeds)

    def __getitem__(self, chosen: IntArray) -> Targets:
        start, seeds = take(self.start, self.seeds, chosen)
        return Targets(self.positions[chosen], self.own[chosen], start, seeds, self.frames[chosen])


def bends_of(frames: WallFrames, walls: WallDistances | None) -> tuple[Any, ...]:
    """Frames of targets and distances of samples, as kernels take them."""
    known = NO_WALLS if walls is None else walls
    return frames.wall, frames.distance, frames.normal, frames.bent, (known.start, known.wall, known.distance)


NO_WALLS = WallDistances.none(0)


class Search:
    """Searches of neighbourhoods one after another, in the same working memory."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._seen = self._found = self._pool = np.empty(0, np.int64)
        self._stamp = 0

    def around(self, targets: Targets, unknowns: float) -> tuple[IntArray, IntArray]:
        """Samples around each target (m,), enough for so many unknowns where there are: offsets (m + 1,)
        and sample numbers. Where plates hide some, others are looked for once, further away."""
        start, found = self._around(targets, unknowns)
        screen = self._samples.screen
        if screen is None:
            return start, found
        places = self._inside(targets, screen)
        kept, seen = screen.seen(places, start, found)
        few = np.flatnonzero((np.diff(kept) < np.diff(start)) & (np.diff(kept) < _SAMPLES_ONE_SIDED * unknowns))
        if not len(few):
            return kept, seen
        more, others = screen.seen(places[few], *self._around(targets[few], _WIDER * unknowns))
        rest = np.setdiff1d(np.arange(len(targets)), few)
        sizes = np.diff(kept)
        sizes[few] = np.diff(more)
        ends = offsets(sizes)
        result = np.empty(ends[-1], np.int64)
        result[runs(ends[few], sizes[few])] = others
        result[runs(ends[rest], sizes[rest])] = take(kept, seen, rest)[1]
        return ends, result

    def _inside(self, targets: Targets, screen: Screen) -> FloatArray:
        """The targets (m, 3), those at samples where the screen has these, others moved towards their seeds."""
        from flowgrad.gradient.local_fits.screen import moved

        places, counts = targets.positions.copy(), np.diff(targets.start)
        seeded = counts > 0
        if seeded.any():
            x = np.nan_to_num(screen.samples[targets.seeds])
            means = np.add.reduceat(x, targets.start[:-1][seeded], axis=0) / counts[seeded, None]
            places[seeded] = moved(places[seeded], means)
        at = np.flatnonzero(targets.own >= 0)
        at = at[(targets.positions[at] == self._samples.positions[targets.own[at]]).all(axis=1)]
        places[at] = screen.samples[targets.own[at]]
        return places

    def _around(self, targets: Targets, unknowns: float) -> tuple[IntArray, IntArray]:
        samples, own = self._samples, targets.own
        if not len(self._seen):
            count = len(samples.positions)
            self._seen, self._found = np.full(count, -1), np.empty(count, np.int64)
        graph, seeds = (samples.start, samples.neighbours), (targets.start, targets.seeds, own)
        places, bends = (samples.positions, samples.usable), bends_of(targets.frames, samples.walls)
        need = math.ceil(SAMPLES * unknowns), math.ceil(_SAMPLES_ONE_SIDED * unknowns)
        while True:
            room = self._seen, self._found
            start: IntArray = neighbourhoods(
                graph, seeds, places, targets.positions, bends, need, room, self._stamp, self._pool
            )
            self._stamp += len(targets)
            if start[-1] <= len(self._pool):
                return start, self._pool[: start[-1]].copy()
            self._pool = np.empty(int(1.2 * start[-1]), np.int64)
