"""Neighbourhoods: which samples take part in the fit of each cell.

Samples are numbered through: cells first, then the boundary faces whose values are known.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flowgrad.mesh import Mesh
from flowgrad.mesh.ragged import offsets, runs
from flowgrad.typing import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Stencils:
    """Cell ``i`` uses ``samples[offsets[i]:offsets[i + 1]]``, each with a weight vector (m, 3)."""

    offsets: IntArray
    samples: IntArray
    weights: FloatArray = field(default_factory=lambda: np.empty((0, 3)))

    @classmethod
    def from_pairs(cls, cells: IntArray, samples: IntArray, count: int) -> Stencils:
        """Stencils of ``count`` cells from pairs (cell, sample)."""
        order = np.argsort(cells, kind="stable")
        return cls(offsets(np.bincount(cells, minlength=count)), samples[order])

    def of_usable(self, usable: NDArray[np.bool_]) -> Stencils:
        """These stencils without the samples that have no value."""
        if usable.all():
            return self
        kept = usable[self.samples]
        cells = np.repeat(np.arange(len(self.offsets) - 1), np.diff(self.offsets))
        return Stencils.from_pairs(cells[kept], self.samples[kept], len(self.offsets) - 1)

    def replaced(self, cells: IntArray, other: Stencils) -> Stencils:
        """These stencils with those of some cells taken from another."""
        keep = np.ones(len(self.offsets) - 1, bool)
        keep[cells] = False
        kept = np.flatnonzero(keep)
        parts = [(kept, self), (cells, other)]
        owner = [np.repeat(chosen, np.diff(each.offsets)[chosen]) for chosen, each in parts]
        samples = [each.samples[runs(each.offsets[chosen], np.diff(each.offsets)[chosen])] for chosen, each in parts]
        return Stencils.from_pairs(np.concatenate(owner), np.concatenate(samples), len(keep))


def across_faces(mesh: Mesh, patch_faces: IntArray) -> Stencils:
    """Each cell's neighbours across its faces, and the known values on its own boundary faces."""
    first, second = mesh.topology.pairs.T
    owner = mesh.topology.boundary_cells[patch_faces]
    known = len(mesh) + np.arange(len(patch_faces))
    cells = np.concatenate([first, second, owner])
    return Stencils.from_pairs(cells, np.concatenate([second, first, known]), len(mesh))


def around_points(mesh: Mesh, patch_faces: IntArray, chosen: IntArray) -> Stencils:
    """For the chosen cells all cells and known boundary faces that share a point with them."""
    start, around = mesh.topology.point_cells
    sizes = np.diff(mesh.cells.offsets)[chosen]
    points = mesh.cells.connectivity[runs(mesh.cells.offsets[chosen], sizes)]
    counts = np.diff(start)[points]
    cells = np.repeat(np.repeat(chosen, sizes), counts)
    others = around[runs(start[points], counts)]
    pairs = np.unique(np.column_stack([cells, others])[cells != others], axis=0)
    near = across_faces(mesh, patch_faces)
    own = np.flatnonzero(near.samples >= len(mesh))
    faces = Stencils.from_pairs(
        np.repeat(np.arange(len(mesh)), np.diff(near.offsets))[own], near.samples[own], len(mesh)
    )
    every = np.concatenate([pairs, np.column_stack([chosen, chosen])])
    counts = np.diff(faces.offsets)[every[:, 1]]
    known = faces.samples[runs(faces.offsets[every[:, 1]], counts)]
    return Stencils.from_pairs(
        np.concatenate([pairs[:, 0], np.repeat(every[:, 0], counts)]),
        np.concatenate([pairs[:, 1], known]),
        len(mesh),
    )
