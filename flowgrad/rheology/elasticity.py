"""The part of the stress that no scalar viscosity explains, and whether it is elastic or an error."""

from __future__ import annotations

import numpy as np

from flowgrad.tensors import deviator, double_dot, norm, symmetric
from flowgrad.typing import FloatArray


def unexplained_share(perpendicular: FloatArray, stress: FloatArray, weights: FloatArray) -> float:
    """Σ V |dev τ⊥| / Σ V |dev τ|, for stacks (n, 3, 3) and volumes (n,).

    Sums of the size, not of its square, and not of its ratio in each cell: one singular corner would
    rule the former, and cells where the fluid hardly moves the latter.
    """
    part = np.nansum(weights * norm(deviator(perpendicular)))
    whole = np.nansum(weights * norm(deviator(stress)))
    return float(part / whole) if whole else 0.0


def coherence(perpendicular: FloatArray, D: FloatArray, W: FloatArray, weights: FloatArray) -> float:
    """How much of τ⊥ (n, 3, 3) keeps one direction with respect to the motion: 0 none, 1 all.

    The mean cosines, weighted by volume and |τ⊥|, between dev τ⊥ and the two directions that the
    stress of a fluid of second grade takes beside D: WD − DW (N1 in shear) and the part of D² that
    is perpendicular to D (Truesdell & Noll 1965, eq. 108.1). An error of the gradient has no
    preferred direction: its cosines cancel.
    """
    stress = weights[:, None, None] * deviator(perpendicular)
    total = np.nansum(norm(stress))
    # WD − DW is twice the symmetric part of WD.
    directions = (symmetric(W @ D), _square(D))
    cosines = [float(np.nansum(double_dot(stress, _unit(direction)))) for direction in directions]
    return float(np.linalg.norm(cosines) / total) if total else 0.0


def _square(D: FloatArray) -> FloatArray:
    """The part of dev D² that is perpendicular to D."""
    square = deviator(D @ D)
    along = _unit(D)
    return square - double_dot(square, along)[:, None, None] * along


def _unit(A: FloatArray) -> FloatArray:
    """A/|A|, zero where A is."""
    size = norm(A)[:, None, None]
    return np.divide(A, size, out=np.zeros_like(A), where=size > 0)
