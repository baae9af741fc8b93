"""The velocity gradient on the faces of a wall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from flowgrad.flow import Flow
from flowgrad.gradient import Scheme, velocity_gradient
from flowgrad.gradient.choose import wall_scheme_of
from flowgrad.gradient.operator import patch_faces
from flowgrad.gradient.symmetry import wedge_of
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh.face_means import face_means
from flowgrad.typing import FloatArray, IntArray


def wall_gradient(flow: Flow, faces: IntArray, scheme: Scheme | str) -> VelocityGradient:
    """L at the centroids of boundary faces (k,), rows of ``mesh.topology.boundary``, from the fluid's side, and the
    velocity there. In a plane cut from a 3-D flow it is that in the plane, in which the normals lie."""
    notes: tuple[str, ...] = ()
    if flow.out_of_plane != "zero":
        flow = replace(flow, out_of_plane="zero")
        notes = ("what changes across the plane is not known: rates and stresses on walls are those in the plane",)
    found = _gradient(flow, faces, *wall_scheme_of(scheme, flow))
    found = replace(found, method_notes=(*found.method_notes, *notes))
    return found.supply(velocity=_velocity(found, faces))


def _velocity(gradient: VelocityGradient, faces: IntArray) -> FloatArray:
    """On the faces (k, 3): the mean over their points, or that of their patch, or the cell's, continued."""
    flow = gradient.flow
    assert flow is not None
    if flow.location == "points":
        return np.asarray(face_means(flow.mesh, faces) @ flow.velocity)
    known = np.full((len(flow.mesh.topology.boundary), 3), np.nan)
    for patch in flow.boundary[::-1]:
        known[patch.faces] = patch.velocity
    return np.where(np.isnan(known[faces]), gradient["velocity"], known[faces])


def _gradient(flow: Flow, faces: IntArray, chosen: Scheme, reason: str) -> VelocityGradient:
    centroids = flow.mesh.topology.boundary_geometry[1][faces]
    # Where symmetry completes the gradient it is taken at positions.
    is_completed = flow.is_meridian or wedge_of(flow) is not None
    operator = None if is_completed else chosen.prepare_on_boundary(flow, faces)
    if operator is None:
        return replace(velocity_gradient(flow, chosen, at=_on_circles(flow, centroids)), reason=reason)
    found = operator.gradients(flow)
    return VelocityGradient(
        found.L,
        flow,
        covariance=None if flow.noise is None else operator.covariance(flow.noise),
        location="positions",
        positions=centroids,
        scheme=str(chosen),
        reason=reason,
        method_notes=(*found.notes, *_unknown(flow, faces)),
    )


def _on_circles(flow: Flow, centroids: FloatArray) -> FloatArray:
    """Centroids of the flat faces of a wedge on the round walls that they stand for; others as they are."""
    wedge = wedge_of(flow)
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
