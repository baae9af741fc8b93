"""Prepared operators on walls: made for the first flow of a series and kept for those that follow."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

import numpy as np

from flowgrad.flow import Flow
from flowgrad.gradient import PreparedGradient, Scheme
from flowgrad.gradient.joined import on_joined
from flowgrad.gradient.scheme import Gradients, Operator
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh import Mesh
from flowgrad.mesh.face_sites import FaceSites, face_sites
from flowgrad.reprs import ReprMixin
from flowgrad.typing import FloatArray, IntArray


@dataclass(eq=False)
class WallOperators(ReprMixin):
    """Operators on the same boundary faces of one mesh; a flow on another mesh or with other walls has new ones.

    No result depends on the flows before it: an operator that does not suit a flow is prepared anew.
    """

    _about: tuple[Mesh, IntArray, tuple[object, ...]] | None = None
    _sites: FaceSites | None = None
    _kept: dict[Hashable, Operator] = field(default_factory=dict)
    _at_positions: dict[Hashable, PreparedGradient] = field(default_factory=dict)

    def begin(self, flow: Flow, faces: IntArray) -> FaceSites:
        """Take up a flow and its walls (k,), rows of ``mesh.topology.boundary``: the sites on them."""
        told = (flow.location, flow.axisymmetric, flow.out_of_plane)
        before = self._about
        if before is None or before[0] is not flow.mesh or before[2] != told or not np.array_equal(before[1], faces):
            self._kept.clear()
            self._at_positions.clear()
            self._sites = face_sites(flow.mesh, faces)
        self._about = flow.mesh, faces, told
        assert self._sites is not None
        return self._sites

    def gradients(self, scheme: Scheme, flow: Flow, faces: IntArray) -> Gradients | None:
        """Those of a scheme through the values known on the faces; None where it takes faces as any positions."""
        before = self._kept.get(scheme)
        operator = self.operator(scheme, flow, lambda: _on_boundary(scheme, flow, faces))
        return None if operator is None else operator.gradients(flow, keep=operator is before)

    def at_positions(self, scheme: Scheme, flow: Flow, positions: FloatArray) -> VelocityGradient:
        """The velocity gradient at positions (k, 3) of the walls."""
        return self._at_positions.setdefault(scheme, PreparedGradient(scheme, positions)).of(flow)

    def operator(self, key: Hashable, flow: Flow, prepare: Callable[[], Operator | None]) -> Operator | None:
        """The operator of that name, where there is one that suits the flow."""
        found = self._kept.get(key)
        if found is None or not found.suits(flow):
            found = prepare()
            if found is not None:
                self._kept[key] = found
        return found


def _on_boundary(scheme: Scheme, flow: Flow, faces: IntArray) -> Operator | None:
    """The operator of a scheme on boundary faces, on the joined mesh where points are joined."""
    if flow.joined is flow or (scheme.by_cell and flow.jump[1]):
        return scheme.prepare_on_boundary(flow, faces)
    operator = scheme.prepare_on_boundary(flow.joined, faces)
    return None if operator is None else on_joined(operator, flow, flow.mesh.points[:0])
