"""The shear frame of a deformation and the normal stress differences in it."""

from __future__ import annotations

import numpy as np

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
