"""The finite-time Lyapunov exponent: how fast neighbouring particles separate."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.mesh import Mesh
from flowgrad.paths.choose import Source
from flowgrad.paths.deformation import Deformation, deformation
from flowgrad.reprs import ReprMixin
from flowgrad.typing import FloatArray


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
    return FTLE(np.log(_largest_stretch(found)) / abs(duration), found)


def _largest_stretch(found: Deformation) -> FloatArray:
    if found.plane is None:
        return found.stretches[:, 0]
    F = found.plane @ found.F @ found.plane.T
    (a, b), (c, d) = F.transpose(1, 2, 0)
    # The larger singular value of a 2 × 2 matrix, without the squares that cancel.
    stretch: FloatArray = 0.5 * (np.hypot(a + d, b - c) + np.hypot(a - d, b + c))
    return stretch
