"""Samples, the graph that makes them neighbours, and where searches on it start."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numba
import numpy as np
from numpy.typing import NDArray

from flowgrad.gradient import neighbourhood_kernels as kernels
from flowgrad.mesh import Mesh
from flowgrad.mesh.ragged import offsets, runs
from flowgrad.tensors import finite_rows
from flowgrad.typing import FloatArray, IntArray

# Samples for each unknown: all round the target, and where they lie on one side of it.
SAMPLES = 1.5
_SAMPLES_ONE_SIDED = 2.5


@dataclass(frozen=True, eq=False)
class Samples:
    """Where values are known (n, 3), which of them are ``usable`` (n,), and the graph of neighbours."""

    positions: FloatArray
    usable: NDArray[np.bool_]
    start: IntArray
    neighbours: IntArray

    @classmethod
    def of_points(cls, mesh: Mesh, usable: NDArray[np.bool_]) -> Samples:
        """The points of a mesh; neighbours share a cell of full dimension."""
        cells = mesh.cells
        full = np.flatnonzero(mesh.is_full)
        around = kernels.cells_of_points(cells.offsets, cells.connectivity, full, len(mesh.points))
        blocks = numba.get_num_threads()
        graph = kernels.points_sharing_cells(cells.offsets, cells.connectivity, *around, blocks)
        return cls(mesh.points, usable, *graph)

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
        return cls(positions, usable, *kernels.symmetric_graph(pairs, len(positions)))

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
    is −1 they start from ``seeds[start[i]:start[i + 1]]``."""

    positions: FloatArray
    own: IntArray
    start: IntArray
    seeds: IntArray

    def __len__(self) -> int:
        return len(self.positions)

    @classmethod
    def at_samples(cls, samples: Samples, count: int) -> Targets:
        """The first ``count`` samples themselves."""
        return cls(samples.positions[:count], np.arange(count), np.zeros(count + 1, np.int64), np.empty(0, np.int64))

    @classmethod
    def around_samples(cls, samples: Samples, count: int) -> Targets:
        """The first ``count`` samples themselves, of which the fits take only a share."""
        return cls.seeded(samples.positions[:count], np.arange(count + 1), np.arange(count))

    @classmethod
    def seeded(cls, positions: FloatArray, start: IntArray, seeds: IntArray) -> Targets:
        """Positions between the samples."""
        return cls(positions, np.full(len(positions), -1), start, seeds)

    @classmethod
    def at_cells(cls, mesh: Mesh) -> Targets:
        """The centroids of the cells, from the points of each; cells of lower dimension have none."""
        sizes = np.where(mesh.is_full, np.diff(mesh.cells.offsets), 0)
        seeds = mesh.cells.connectivity[runs(mesh.cells.offsets[:-1], sizes)]
        return cls.seeded(mesh.centroids, offsets(sizes), seeds)

    @classmethod
    def at_points(cls, mesh: Mesh) -> Targets:
        """The points, from the full cells around each."""
        return cls.seeded(mesh.points, *mesh.topology.point_cells)

    @classmethod
    def at_positions(cls, positions: FloatArray, samples: Samples) -> Targets:
        """Any positions, from the usable sample nearest to each that has neighbours."""
        from scipy.spatial import cKDTree

        chosen = np.flatnonzero(samples.usable & (np.diff(samples.start) > 0))
        finite = finite_rows(positions)
        sizes = np.asarray(finite, np.int64)
        seeds = chosen[cKDTree(samples.positions[chosen]).query(positions[finite], workers=-1)[1]]
        return cls.seeded(positions, offsets(sizes), seeds)

    @cached_property
    def through(self) -> bool:
        """Whether the fits go through a sample's own value."""
        return bool((self.own >= 0).any())

    def without(self, excluded: NDArray[np.bool_]) -> Targets:
        """The same targets, of which some (m,) have nothing to start from and get no derivative."""
        sizes = np.diff(self.start) * ~excluded
        seeds = self.seeds[runs(self.start[:-1], sizes)]
        return Targets(self.positions, np.where(excluded, -1, self.own), offsets(sizes), seeds)

    def __getitem__(self, chosen: IntArray) -> Targets:
        sizes = np.diff(self.start)[chosen]
        seeds = self.seeds[runs(self.start[chosen], sizes)]
        return Targets(self.positions[chosen], self.own[chosen], offsets(sizes), seeds)


class Search:
    """Searches of neighbourhoods one after another, in the same working memory."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples
        self._seen = self._found = self._pool = np.empty(0, np.int64)
        self._stamp = 0

    def around(self, targets: Targets, unknowns: float) -> tuple[IntArray, IntArray]:
        """Samples around each target (m,), enough for so many unknowns where there are: offsets (m + 1,)
        and sample numbers."""
        start = self._searched(targets, unknowns)
        if start[-1] > len(self._pool):
            self._pool = np.empty(int(1.2 * start[-1]), np.int64)
            start = self._searched(targets, unknowns)
        return start, self._pool[: start[-1]].copy()

    def _searched(self, targets: Targets, unknowns: float) -> IntArray:
        samples = self._samples
        if not len(self._seen):
            count = len(samples.positions)
            self._seen, self._found = np.full(count, -1), np.empty(count, np.int64)
        stamp = self._stamp
        self._stamp += len(targets)
        start: IntArray = kernels.neighbourhoods(
            samples.start,
            samples.neighbours,
            targets.start,
            targets.seeds,
            targets.own,
            samples.positions,
            targets.positions,
            samples.usable,
            math.ceil(SAMPLES * unknowns),
            math.ceil(_SAMPLES_ONE_SIDED * unknowns),
            self._seen,
            self._found,
            stamp,
            self._pool,
        )
        return start
