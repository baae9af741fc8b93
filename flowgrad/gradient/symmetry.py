"""What a flow's symmetry adds to a scheme: an axis, a wedge, or a plane cut from a 3-D flow."""

from __future__ import annotations

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient.axisymmetric import prepare_axisymmetric
from flowgrad.gradient.operator import Operator, Scheme, Where
from flowgrad.gradient.out_of_plane import prepare_plane
from flowgrad.gradient.wedge import prepare_wedge


def prepare(scheme: Scheme, flow: Flow, at: Where) -> Operator:
    """The scheme prepared for a flow whose gradient may follow from that in a plane.

    ``flow.axisymmetric`` names the axis of a planar mesh; where it is None a wedge of OpenFOAM is taken
    as axisymmetric. ``flow.out_of_plane`` says what is known across a planar mesh. OptionError for a mesh
    that these do not fit.
    """
    if flow.axisymmetric in ("x", "y"):
        return prepare_axisymmetric(scheme, flow, at)
    if flow.out_of_plane != "zero":
        return prepare_plane(scheme, flow, at)
    wedge = flow.wedge
    return scheme.prepare(flow, at) if wedge is None else prepare_wedge(scheme, flow, at, wedge)


def refuse_stored(flow: Flow) -> None:
    """OptionError where a gradient taken from the file would have to be completed."""
    if flow.axisymmetric in ("x", "y") or flow.out_of_plane != "zero":
        raise OptionError(
            f"{flow.name}: a gradient taken from the file is used as it stands: leave out axisymmetric and out_of_plane"
        )
