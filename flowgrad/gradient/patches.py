"""Values known on the boundary as samples beside those of the cells."""

from __future__ import annotations

import numpy as np

from flowgrad.flow import Flow, Patch
from flowgrad.mesh import Mesh
from flowgrad.typing import FloatArray, IntArray


def patch_faces(boundary: tuple[Patch, ...]) -> IntArray:
    """The faces of all patches (b,), rows of ``mesh.topology.boundary``."""
    return np.concatenate([np.empty(0, np.int64), *(patch.faces for patch in boundary)])


def patch_centroids(mesh: Mesh, boundary: tuple[Patch, ...]) -> FloatArray:
    """Where the values of all patches sit (b, 3)."""
    faces = patch_faces(boundary)
    return mesh.topology.boundary_geometry[1][faces] if len(faces) else np.empty((0, 3))


def boundary_samples(flow: Flow) -> FloatArray:
    """The velocity of a flow, and after it the values on its patches (n + b, 3)."""
    if not flow.boundary:
        return flow.velocity
    return np.concatenate([flow.velocity, *(patch.velocity for patch in flow.boundary)])
