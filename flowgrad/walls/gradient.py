"""The velocity gradient on the faces of a wall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flowgrad.flow import Flow
from flowgrad.gradient import SCHEMES, FiniteDifference, Scheme, velocity_gradient
from flowgrad.gradient.patches import patch_faces
from flowgrad.kinematics import VelocityGradient
from flowgrad.spec import parse, unparse
from flowgrad.typing import FloatArray, IntArray


def wall_gradient(flow: Flow, faces: IntArray, scheme: Scheme | str) -> VelocityGradient:
    """L at the centroids of boundary faces (k,), rows of ``mesh.topology.boundary``, from the fluid's side, and the
    velocity there. In a plane cut from a 3-D flow it is that in the plane, in which the normals lie."""
    notes: tuple[str, ...] = ()
    if flow.out_of_plane != "zero":
        flow = replace(flow, out_of_plane="zero")
        notes = ("what changes across the plane is not known: rates and stresses on walls are those in the plane",)
    found = _gradient(flow, faces, *_chosen(flow, scheme))
    found = replace(found, method_notes=(*found.method_notes, *notes))
    return found.supply(velocity=_velocity(found, faces))


def _velocity(gradient: VelocityGradient, faces: IntArray) -> FloatArray:
    """On the faces (k, 3): the mean over their points, or that of their patch, or the cell's, continued."""
    flow = gradient.flow
    assert flow is not None
    if flow.location == "points":
        return np.asarray(flow.mesh.topology.face_means(faces) @ flow.velocity)
    known = np.full((len(flow.mesh.topology.boundary), 3), np.nan)
    for patch in flow.boundary[::-1]:
        known[patch.faces] = patch.velocity
    return np.where(np.isnan(known[faces]), gradient["velocity"], known[faces])


def _gradient(flow: Flow, faces: IntArray, chosen: Scheme, reason: str) -> VelocityGradient:
    centroids = flow.mesh.topology.boundary_geometry[1][faces]
    if not isinstance(chosen, FiniteDifference) or _is_completed(flow):
        return replace(velocity_gradient(flow, chosen, at=_on_circles(flow, centroids)), reason=reason)
    operator = chosen.prepare_on_boundary(flow, faces)
    found = operator.gradients(flow)
    return VelocityGradient(
        found.L,
        flow,
        covariance=None if flow.noise is None else operator.covariance(flow.noise),
        location="positions",
        positions=centroids,
        scheme=unparse("finite-difference", chosen, chosen.shown),
        reason=reason,
        method_notes=(*found.notes, *_unknown(flow, faces)),
    )


def _chosen(flow: Flow, scheme: Scheme | str) -> tuple[Scheme, str]:
    """The scheme and why: the nearest samples stand a whole cell off the wall at points, half of one at cells."""
    if isinstance(scheme, Scheme):
        return scheme, "as given"
    if scheme != "auto":
        return parse(scheme, SCHEMES, "scheme"), "as given"
    if flow.location == "points":
        return FiniteDifference(order=3), "cubic fits through the points of the wall, for the next are a cell away"
    return FiniteDifference(order=2), "quadratic fits to the cells, through the velocity on the wall"


def _is_completed(flow: Flow) -> bool:
    """Whether the gradient in a plane is completed by what is known of the flow's symmetry."""
    return flow.is_meridian or flow.wedge is not None


def _on_circles(flow: Flow, centroids: FloatArray) -> FloatArray:
    """Centroids of the flat faces of a wedge on the round walls that they stand for; others as they are."""
    wedge = flow.wedge
    if wedge is None:
        return centroids
    axial, radius, _ = wedge.cylindrical(centroids).T
    axis, radial, _ = wedge.frame
    return wedge.origin + axial[:, None] * axis + (radius / np.cos(wedge.half_angle))[:, None] * radial


def _unknown(flow: Flow, faces: IntArray) -> tuple[str, ...]:
    """A note on faces whose velocity is not known, with values at cells."""
    if flow.location == "points":
        return ()
    unknown = int((~np.isin(faces, patch_faces(flow.boundary))).sum())
    where = f"the velocity is not known on {unknown} of {len(faces)} faces: L is continued from the cells"
    return (f"{where} (wall_velocity=0 for walls at rest)",) if unknown else ()
