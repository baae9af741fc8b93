"""Symmetric flows: gradients in a plane completed about an axis, in a wedge, or in a plane cut from a 3-D flow."""

from __future__ import annotations

from flowgrad.flow import Flow
from flowgrad.mesh import Mesh
from flowgrad.mesh.axisymmetric_wedge import Wedge, as_wedge


def wedge_of(flow: Flow) -> Wedge | None:
    """The wedge that the mesh of a flow is, unless the user has said that the flow is not axisymmetric."""
    wedge = as_wedge(flow.mesh) if flow.axisymmetric is None and type(flow.mesh) is Mesh else None
    return wedge if wedge is not None and wedge.partners is not None else None
