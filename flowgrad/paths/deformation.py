"""The relative deformation gradient and the strains that follow from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.mesh import Mesh
from flowgrad.paths.field_of import Source, field_of
from flowgrad.paths.integrator import Control, integrate
from flowgrad.paths.pathlines import as_seeds, notes_of
from flowgrad.paths.plane import in_space
from flowgrad.reprs import ReprMixin
from flowgrad.tensors import determinant, eigenvalues, transpose
from flowgrad.typing import FloatArray


@dataclass(frozen=True, eq=False)
class Deformation(ReprMixin):
    """The relative deformation gradient ``F`` (n, 3, 3) of particles from time ``t0`` to ``t1``.

    F = ∂x(t1)/∂x(t0), dF/dt = L F. ``points`` (n, 3) are where the particles are at t0 and ``positions`` (n, 3) at t1;
    ``left`` (n,) is when a particle left, NaN where it stayed: F and all that follows from it are NaN there, and
    ``positions`` the last inside; ``notes`` count these. ``plane`` (2, 3) spans the plane of a planar flow, None in
    three dimensions; ``mesh`` is that of which the points are, None where they were given as an array.
    Truesdell & Noll 1965, The Non-Linear Field Theories of Mechanics, §§ 21–23.
    """

    F: FloatArray
    t0: float
    t1: float
    points: FloatArray
    positions: FloatArray
    left: FloatArray
    plane: FloatArray | None = None
    notes: tuple[str, ...] = ()
    mesh: Mesh | None = None

    def __len__(self) -> int:
        return len(self.F)

    @cached_property
    def C(self) -> FloatArray:
        """Right Cauchy–Green tensor FᵀF (n, 3, 3)."""
        return transpose(self.F) @ self.F

    @cached_property
    def B(self) -> FloatArray:
        """Left Cauchy–Green (Finger) tensor F Fᵀ (n, 3, 3)."""
        return self.F @ transpose(self.F)

    @cached_property
    def _svd(self) -> tuple[FloatArray, FloatArray, FloatArray]:
        """F = P diag(s) Qᵀ: more accurate than C, whose eigenvalues are squares. NaN where F is."""
        P, s, Q = np.full_like(self.F, np.nan), np.full(self.F.shape[:2], np.nan), np.full_like(self.F, np.nan)
        known = np.isfinite(self.F).all(axis=(1, 2))
        P[known], s[known], Q[known] = np.linalg.svd(self.F[known])
        return P, s, transpose(Q)

    @property
    def stretches(self) -> FloatArray:
        """Principal stretches (n, 3), descending: how much longer material lines have become."""
        return self._svd[1]

    @property
    def directions(self) -> FloatArray:
        """Material lines at t0, as columns (n, 3, 3), that the principal stretches lengthen: eigenvectors of U."""
        return self._svd[2]

    @cached_property
    def R(self) -> FloatArray:
        """Rotation (n, 3, 3) of the polar decomposition F = R U."""
        P, _, Q = self._svd
        return P @ transpose(Q)

    @cached_property
    def U(self) -> FloatArray:
        """Right stretch tensor √C (n, 3, 3), symmetric and positive."""
        Q = self.directions
        return (Q * self.stretches[:, None]) @ transpose(Q)

    @cached_property
    def V(self) -> FloatArray:
        """Left stretch tensor √B (n, 3, 3), F = V R."""
        P, s, _ = self._svd
        return (P * s[:, None]) @ transpose(P)

    @cached_property
    def green_lagrange(self) -> FloatArray:
        """Green's (Lagrange's) strain (C − I)/2, (n, 3, 3)."""
        return 0.5 * (self.C - np.eye(3))

    @cached_property
    def almansi(self) -> FloatArray:
        """Almansi's (Euler's) strain (I − B⁻¹)/2, (n, 3, 3)."""
        P, s, _ = self._svd
        return 0.5 * (np.eye(3) - (P * s[:, None] ** -2) @ transpose(P))

    @cached_property
    def hencky(self) -> FloatArray:
        """Hencky's strain ln U, (n, 3, 3)."""
        Q, strains = self.directions, np.log(self.stretches)
        return (Q * strains[:, None]) @ transpose(Q)

    @cached_property
    def volume_ratio(self) -> FloatArray:
        """det F (n,): the volume at t1 over that at t0; 1 in incompressible flow."""
        return determinant(self.F)


def deformation(
    flow: Source,
    points: ArrayLike | Mesh,
    t0: float,
    t1: float,
    *,
    rtol: float | None = None,
    atol: float = 0.0,
    steps: int | None = None,
    backend: str | None = None,
) -> Deformation:
    """The deformation of the fluid from time ``t0`` to ``t1`` (before or after) about particles that are at ``points``
    (n, 3) or (n, 2) at t0, or at the points of a mesh, on which the result can then be drawn.

    The flow and the options are those of :func:`pathlines`. OptionError for times that are not finite or equal.
    """
    start = as_seeds(points, "points")
    if not (np.isfinite([t0, t1]).all() and t0 != t1):
        raise OptionError(f"t0 is {t0} and t1 is {t1}: give two finite times that differ")
    field = field_of(flow, start.shape[1], backend)
    vectors, moments = in_space(start, field.plane, "points"), np.array([t0, t1], float)
    states, left = integrate(
        field, vectors, moments, Control(field.rtol if rtol is None else rtol, atol, steps), with_F=True
    )
    F = np.ascontiguousarray(states[-1, :, 3:]).reshape(-1, 3, 3)
    F[~np.isnan(left)] = np.nan
    notes = notes_of(field, left, float(t0))
    plane = None if field.plane is None else field.plane.axes
    mesh = points if isinstance(points, Mesh) else None
    return Deformation(F, float(t0), float(t1), vectors, states[-1, :, :3].copy(), left, plane, notes, mesh)


@dataclass(frozen=True, eq=False)
class FTLE(ReprMixin):
    """``values`` (n,) in 1/T, NaN for particles that left the domain, with the ``deformation`` they come from."""

    values: FloatArray
    deformation: Deformation

    def __len__(self) -> int:
        return len(self.values)

    @property
    def left(self) -> FloatArray:
        """When each particle left (n,), NaN where it stayed."""
        return self.deformation.left

    @property
    def notes(self) -> tuple[str, ...]:
        """How many left, and what else should be known."""
        return self.deformation.notes


def ftle(
    flow: Source,
    points: ArrayLike | Mesh,
    t0: float,
    duration: float,
    *,
    rtol: float | None = None,
    atol: float = 0.0,
    steps: int | None = None,
    backend: str | None = None,
) -> FTLE:
    """ln √λ_max(FᵀF) over the length of a ``duration`` T, of particles that are at ``points`` (n, 3) or (n, 2), or
    those of a mesh, at time ``t0``. Backward in time where T is negative: ridges attract then, and repel where it is
    positive.

    Of planar flows the stretch in their plane counts. The flow and the options are those of :func:`pathlines`; F comes
    from the velocity's own gradient along the path, and not from neighbouring particles. Shadden, Lekien & Marsden
    2005, Physica D 212, 271, eq. 9. OptionError for a duration that is zero or not finite.
    """
    found = deformation(flow, points, t0, t0 + duration, rtol=rtol, atol=atol, steps=steps, backend=backend)
    if found.plane is None:
        largest = np.sqrt(eigenvalues(found.C)[:, 0])
    else:
        F = found.plane @ found.F @ found.plane.T
        (a, b), (c, d) = F.transpose(1, 2, 0)
        # The larger singular value of a 2 × 2 matrix, without the squares that cancel.
        largest = 0.5 * (np.hypot(a + d, b - c) + np.hypot(a - d, b + c))
    return FTLE(np.log(largest) / abs(duration), found)
