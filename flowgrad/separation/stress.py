"""Stress beside the rate of deformation: normal stress differences, and the part that no viscosity explains."""

from __future__ import annotations

import numpy as np

from flowgrad.tensors import deviator, double_dot, norm, symmetric
from flowgrad.typing import FloatArray


def shear_frame(L: FloatArray, directions: FloatArray) -> FloatArray:
    """Unit vectors e1 (flow), e2 (gradient), e3 (neutral) as columns, (n, 3, 3).

    ``directions`` (n, 3, 3) are D's principal directions as columns, descending. e1 and e2 lie at
    45° to the extreme ones, named so that |e1·L·e2| ≥ |e2·L·e1|: in simple shear v = (γ̇y, 0, 0)
    they are x and y. In a flow without rotation the two are interchangeable, and so is N1's sign.
    """
    first, neutral, last = np.moveaxis(directions, -1, 0)
    one, two = (first + last) / np.sqrt(2), (first - last) / np.sqrt(2)
    forward = np.abs(_component(L, one, two)) >= np.abs(_component(L, two, one))
    e1 = np.where(forward[:, None], one, two)
    e2 = np.where(forward[:, None], two, one)
    return np.stack([e1, e2, neutral], axis=-1)


def normal_stress_differences(stress: FloatArray, frame: FloatArray) -> tuple[FloatArray, FloatArray]:
    """N1 = τ11 − τ22 and N2 = τ22 − τ33, (n,) each (Bird, Armstrong & Hassager 1987, eq. 3.4-2 with
    tension positive)."""
    t11, t22, t33 = (_component(stress, e, e) for e in np.moveaxis(frame, -1, 0))
    return t11 - t22, t22 - t33


def _component(A: FloatArray, left: FloatArray, right: FloatArray) -> FloatArray:
    return np.asarray(np.einsum("ni,nij,nj->n", left, A, right, optimize=True))


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
