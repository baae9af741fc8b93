"""Gradients on boundary faces: local fits that go through the values known there, and so look to one side."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.flow import Flow
from flowgrad.gradient.neighbourhoods import Samples, Targets
from flowgrad.gradient.operator import Gradients, Operator
from flowgrad.gradient.patches import patch_faces
from flowgrad.gradient.polynomial_fits import PolynomialFits, prepare_fits
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, eq=False)
class FaceFits(Operator):
    """Gradients on boundary faces: ``means`` (k, m) of those of ``fits`` at the faces' m points."""

    fits: PolynomialFits
    means: csr_array

    @property
    def notes(self) -> tuple[str, ...]:
        """Those of the fits."""
        return self.fits.notes

    @property
    def boundary_count(self) -> int:
        """None: the samples are those at the points."""
        return 0

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (k, 3, 3) of vectors (n, 3)."""
        return self._means(self.fits.vectors(values))

    def gradients(self, flow: Flow) -> Gradients:
        """Velocity gradients, with the notes of the fits."""
        found = self.fits.gradients(flow)
        return Gradients(self._means(found.L), found.notes, None, self)

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (k, n)."""
        return tuple((self.means @ matrix).tocsr() for matrix in self.fits.matrices)

    def _means(self, L: FloatArray) -> FloatArray:
        return (self.means @ L.reshape(-1, 9)).reshape(-1, 3, 3)


def prepare_on_boundary(flow: Flow, faces: IntArray, order: int, smoothing: float, averages: bool) -> Operator:
    """Fits of an order for the gradients on boundary faces (k,), rows of ``mesh.topology.boundary``.

    With values at points these are means over the face of the gradients at its points, whose fits go through
    the values there. With values at cells they are at the faces' centroids; the fits go through the velocities
    known on the faces where it is known on all of them, and else are those to what is around.
    """
    mesh = flow.mesh
    if flow.location == "points":
        means = mesh.topology.face_means(faces)
        own, number = np.unique(means.indices, return_inverse=True)
        fits = prepare_fits(flow, mesh.points[own], order, smoothing, averages, lambda samples: _at(samples, own))
        means.indices = number.astype(means.indices.dtype)
        means.resize(len(faces), len(own))
        return FaceFits(fits, means)
    known = np.full(len(mesh.topology.boundary), -1)
    known[patch_faces(flow.boundary)] = len(mesh) + np.arange(len(patch_faces(flow.boundary)))
    centroids = mesh.topology.boundary_geometry[1][faces]
    seeds = np.where(known[faces] >= 0, known[faces], mesh.topology.boundary_cells[faces])
    through = bool((known[faces] >= 0).all()) and smoothing == 1

    def targets(samples: Samples) -> Targets:
        return _at(samples, seeds) if through else Targets.seeded(centroids, np.arange(len(seeds) + 1), seeds)

    return prepare_fits(flow, centroids, order, smoothing, averages, targets)


def _at(samples: Samples, own: IntArray) -> Targets:
    """Some of the samples themselves."""
    return Targets(samples.positions[own], own, np.zeros(len(own) + 1, np.int64), np.empty(0, np.int64))
