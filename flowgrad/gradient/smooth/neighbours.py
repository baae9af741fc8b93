"""Nearest samples of places: among scattered ones by distance, on meshes by growth from cell to cell.

On a mesh a ball around the place grows, and a sample is met when a chain of neighbours within the ball leads to it:
what lies behind a thin wall is not reached before the ball reaches around the wall.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from flowgrad.compiled import kernel
from flowgrad.gradient.local_fits.neighbourhoods import Samples, Targets
from flowgrad.mesh.cells import offsets
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.spatial import cKDTree


class Neighbours(Protocol):
    """Samples around places (m,)."""

    def nearest(self, count: int) -> tuple[FloatArray, IntArray]:
        """Distances (m, n), which do not fall, and numbers of the nearest, n = ``count`` or as many as there are; −1
        after the last."""
        ...

    def __getitem__(self, rows: IntArray) -> Neighbours:
        """Around some of the places."""
        ...


@dataclass(frozen=True, eq=False)
class Nearest:
    """Scattered samples in a ``tree``, around places (m, r)."""

    tree: cKDTree
    places: FloatArray

    def nearest(self, count: int) -> tuple[FloatArray, IntArray]:
        """The nearest by distance."""
        distance, near = self.tree.query(self.places, np.arange(1, min(count, self.tree.n) + 1), workers=-1)
        return distance, near

    def __getitem__(self, rows: IntArray) -> Nearest:
        """Around some of the places."""
        return replace(self, places=self.places[rows])


@dataclass(frozen=True, eq=False)
class Grown:
    """Samples of a mesh around ``targets``; those ``used`` (s,) are numbered through."""

    samples: Samples
    targets: Targets
    used: IntArray

    def nearest(self, count: int) -> tuple[FloatArray, IntArray]:
        """The first that a growing ball meets, with its radius then; those behind plates are left out."""
        samples, targets = self.samples, self.targets
        count = min(count, len(self.used))
        distance, found = grown(
            (samples.start, samples.neighbours),
            (samples.positions, samples.usable),
            (targets.positions, targets.own, targets.start, targets.seeds),
            count,
        )
        if samples.screen is not None:
            distance, found = self._seen(found, count)
        number = np.full(len(samples.positions) + 1, -1)
        number[self.used] = np.arange(len(self.used))
        return distance, number[found]

    def _seen(self, found: IntArray, count: int) -> tuple[FloatArray, IntArray]:
        """Of the samples found (m, k) those that no plate hides, with their distances."""
        assert self.samples.screen is not None
        at, known = self.targets.positions, found >= 0
        start, seen = self.samples.screen.seen(at, offsets(known.sum(axis=1)), found[known])
        rows = np.repeat(np.arange(len(at)), np.diff(start))
        columns = np.arange(len(seen)) - start[rows]
        near, distance = np.full((len(at), count), -1), np.zeros((len(at), count))
        near[rows, columns] = seen
        distance[rows, columns] = np.linalg.norm(self.samples.positions[seen] - at[rows], axis=1)
        return np.maximum.accumulate(distance, axis=1), near

    def __getitem__(self, rows: IntArray) -> Grown:
        """Around some of the places."""
        return replace(self, targets=self.targets[rows])


@kernel()
def grown(graph: Any, places: Any, targets: Any, count: int) -> Any:
    """Radii (m, k) at which a growing ball meets usable samples, and their numbers (m, k), −1 after the last."""
    (start, neighbours), (positions, usable), (at, own, seed_start, seeds) = graph, places, targets
    radii, found = np.zeros((len(at), count)), np.full((len(at), count), -1)
    seen = np.full(len(positions), -1)
    for i in range(len(at)):
        front = [(0.0, np.int64(0)) for _ in range(0)]
        for k in range(seed_start[i], seed_start[i + 1] + (own[i] >= 0)):
            sample = seeds[k] if k < seed_start[i + 1] else own[i]
            if seen[sample] != i:
                seen[sample] = i
                heapq.heappush(front, (((positions[sample] - at[i]) ** 2).sum(), sample))
        radius, taken = 0.0, 0
        while taken < count and len(front) > 0:
            square, sample = heapq.heappop(front)
            radius = max(radius, square**0.5)
            if usable[sample]:
                found[i, taken], radii[i, taken] = sample, radius
                taken += 1
            for k in range(start[sample], start[sample + 1]):
                other = neighbours[k]
                if seen[other] != i:
                    seen[other] = i
                    heapq.heappush(front, (((positions[other] - at[i]) ** 2).sum(), other))
    return radii, found
