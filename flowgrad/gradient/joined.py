"""Gradients on a mesh whose coincident points are one, brought back to the points that the flow has."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.flow import Flow
from flowgrad.gradient.scheme import Composed, Gradients, Operator, Where, handed_on
from flowgrad.mesh.joints import Joints
from flowgrad.typing import FloatArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array


@dataclass(frozen=True, eq=False)
class OnJoined(Composed):
    """An operator on the joined points: it sees the mean of the samples that are one, and each point gets the
    gradients of the joined one that it is, on both sides of a plate their mean."""

    joints: Joints
    of_points: bool
    at_points: bool

    def seen(self, values: FloatArray) -> FloatArray:
        """Samples (k + b, 3) on the joined mesh of those (n + b, 3) of the flow's."""
        if not self.of_points:
            return values
        count = self.joints.point_count
        return np.concatenate([self.joints.joined(values[:count]), values[count:]])

    def returned(self, values: FloatArray) -> FloatArray:
        """Results at the flow's own places."""
        return self.joints.returned(values) if self.at_points else values

    def gradients(self, flow: Flow, keep: bool = False) -> Gradients:
        """Velocity gradients of a flow, with the notes and orders of the inner operator."""
        found = self.inner.gradients(flow.joined, keep)
        L, order, one_sided = self.returned(found.L), found.order, found.one_sided
        if self.at_points:
            first = np.maximum(self.joints.first, 0)
            order = None if order is None else order[first]
            one_sided = None if one_sided is None else one_sided[first]
        return Gradients(L, (*found.notes, *self.notes), one_sided, self, order)

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (m, 3, 3) of vectors (n, 3)."""
        return self.returned(self.inner.vectors(self.seen(values)))

    def second(self, values: FloatArray) -> FloatArray:
        """Second derivatives (m, 3, 3, 3) of vectors (n, 3)."""
        return self.returned(self.inner.second(self.seen(values)))

    def covariance(self, noise: float | FloatArray) -> FloatArray:
        """That of the joined points, whose copies are one sample."""
        seen = np.asarray(noise)[self.joints.source] if self.of_points and np.ndim(noise) else noise
        return self.returned(self.inner.covariance(seen))

    @cached_property
    def matrices(self) -> tuple[csr_array, ...]:
        """Sparse d/dx, d/dy, d/dz (m, n)."""
        from scipy.sparse import block_diag, csr_array, eye_array

        found = self.inner.matrices
        if self.of_points:
            beyond = found[0].shape[1] - self.joints.means.shape[0]
            means = csr_array(block_diag([self.joints.means, eye_array(beyond)])) if beyond else self.joints.means
            found = tuple(matrix @ means for matrix in found)
        if self.at_points:
            found = tuple(self.joints.copies @ matrix for matrix in found)
        return tuple(matrix.tocsr() for matrix in found)


def on_joined(inner: Operator, flow: Flow, at: Where) -> OnJoined:
    """The operator of a flow from that of ``flow.joined``."""
    joints, at_points = flow.mesh.joints, isinstance(at, str) and at == "points"
    assert joints is not None
    notes = joints.notes
    if at_points and len(joints.parted):
        notes += (f"at {len(joints.parted)} points of plates L is the mean of both sides: at_walls gives that of each",)
    about = handed_on(inner, one_sided=None, notes=notes)
    return OnJoined(inner, joints, flow.location == "points", at_points, **about)
