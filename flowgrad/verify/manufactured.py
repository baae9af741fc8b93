"""A flow in closed form put on a user's mesh: waves that the mesh resolves, in the directions that it has."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from flowgrad.errors import MeshError
from flowgrad.exact import Axisymmetric, ExactFlow, Linear, Waves
from flowgrad.flow import Flow
from flowgrad.gradient.directions import Directions, directions
from flowgrad.mesh import Mesh
from flowgrad.typing import FloatArray
from flowgrad.verify.measure import LINEAR, places, sampled

# The waves are as long as the mesh's smallest extent, but at least so many cells.
_CELLS_A_WAVE = 16.0
_WAVES = np.array([[0.9, 0.4, -0.3], [-0.3, 0.8, 0.5], [0.5, -0.4, 0.8]])
_AMPLITUDES = np.array([[1.0, 0.4, -0.3], [-0.5, 1.0, 0.3], [0.2, -0.4, 1.0]])


@dataclass(frozen=True, eq=False)
class Manufactured:
    """The user's flow with its velocity replaced, on the same mesh, at the same place, with the same patches."""

    user: Flow

    @property
    def mesh(self) -> Mesh:
        """The user's mesh."""
        return self.user.mesh

    @cached_property
    def directions(self) -> Directions:
        """Those along which the mesh has more than two layers come first."""
        return directions(self.mesh, places(self.mesh, self.user.location))

    @property
    def across(self) -> FloatArray:
        """Directions in which the mesh is one cell thick (k, 3), the azimuth of a wedge among them."""
        wedge = self.user.wedge
        return self.directions.across if wedge is None else wedge.frame[2:]

    @cached_property
    def extents(self) -> FloatArray:
        """Of the mesh along the directions that are differentiated."""
        if not len(self._finite) or not np.ptp(self._finite, axis=0).any():
            raise MeshError(f"{self.user.name}: no two points lie apart: there is nothing to differentiate")
        where = self.directions
        basis = where.basis if where.curved else where.basis[: max(where.free, 1)]
        return np.asarray(np.ptp(self._finite @ basis.T, axis=0))

    @cached_property
    def _finite(self) -> FloatArray:
        """Points of cells, or of the cloud, that lie somewhere."""
        points = self.mesh.structure.used_points
        return points[np.isfinite(points).all(axis=1)]

    @cached_property
    def spacing(self) -> float:
        """A typical distance of samples: the extents' product over their number."""
        count = max(self.user.count(self.user.location), 1)
        sizes = self.extents[self.extents > 0]
        if self.directions.curved:
            return float((self.mesh.measures.sum() / count) ** (1 / self.mesh.dimension))
        return float((np.prod(sizes) / count) ** (1 / len(sizes)))

    @cached_property
    def wavelength(self) -> float:
        """Of the waves: the smallest extent, at least 16 spacings."""
        return max(float(self.extents[self.extents > 0].min()), _CELLS_A_WAVE * self.spacing)

    @cached_property
    def waves(self) -> ExactFlow:
        """A smooth flow, symmetric about the axis where the user's is."""
        return self._axisymmetric or Waves(self._wave_vectors, _AMPLITUDES, np.array([0.3, 1.1, 2.0]) - self._phases)

    @cached_property
    def linear(self) -> ExactFlow:
        """A linear flow with velocities and gradients near 1."""
        matrix = LINEAR @ self._along / self.wavelength
        origin = self._finite.mean(axis=0)
        if self._axisymmetric is not None:
            axis = self._axisymmetric.axis
            matrix, origin = (3 * np.outer(axis, axis) - np.eye(3)) / self.wavelength, self._axisymmetric.origin
        return Linear(matrix, origin)

    @property
    def _along(self) -> FloatArray:
        """The projection on the directions that are differentiated (3, 3)."""
        where = self.directions
        basis = where.basis if where.curved else where.basis[: where.free]
        return np.asarray(basis.T @ basis)

    @property
    def _wave_vectors(self) -> FloatArray:
        where = self.directions
        rank = 3 if where.curved else where.free
        return 2 * np.pi / self.wavelength * _WAVES[:, :rank] @ where.basis[:rank]

    @property
    def _phases(self) -> FloatArray:
        """Those at the middle of the mesh, so that shifted meshes see the same flow."""
        return np.asarray(self._wave_vectors @ self._finite.mean(axis=0))

    @cached_property
    def _axisymmetric(self) -> Axisymmetric | None:
        wedge, symmetry = self.user.wedge, self.user.axisymmetric
        number = 2 * np.pi / self.wavelength
        if wedge is not None:
            return Axisymmetric(wedge.frame[0], wedge.origin, number)
        if symmetry in ("x", "y"):
            return Axisymmetric(np.eye(3)["xy".index(symmetry)], np.zeros(3), number)
        return None

    def flow(self, exact: ExactFlow) -> Flow:
        """The user's flow with the velocity of another."""
        user = self.user
        made = sampled(exact, self.mesh, user.location, user.boundary)
        symmetry = user.axisymmetric
        return replace(made, source=user.source, axisymmetric=symmetry, velocity_name="velocity")
