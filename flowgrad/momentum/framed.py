"""Frame of a flow for its balance of momentum: the directions along which it varies, and its axis if it has one.

A flow about an axis is taken in the whole meridian plane: a wedge's in its section, a half plane's with its mirror
image.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient.local_fits.directions import directions
from flowgrad.gradient.symmetry.meridian import meridian
from flowgrad.gradient.symmetry.wedge import section
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh import Lattice, Mesh
from flowgrad.reprs import ReprMixin
from flowgrad.tensors import symmetric, transpose
from flowgrad.typing import FloatArray


@dataclass(frozen=True, eq=False)
class Framed(ReprMixin, line="location rank"):
    """Velocities (n, 3), rates of deformation D (n, 3, 3) and forces (n, 3) at the ``location`` of a mesh, in the frame
    of ``basis`` (3, 3), along whose first ``rank`` rows the mesh extends. ``radial`` is the number of the direction
    away from the axis, -1 without one, and ``has_images`` says that both sides of the axis are there. NaN where the
    flow is not known."""

    mesh: Mesh
    location: str
    basis: FloatArray
    rank: int
    velocity: FloatArray
    D: FloatArray
    force: FloatArray
    radial: int = -1
    has_images: bool = False

    @classmethod
    def of(cls, gradient: VelocityGradient, force: FloatArray) -> Framed:
        """Those of a gradient at points or cells, and of the force (n, 3) there. OptionError for flows without a mesh
        and of unknown derivatives."""
        flow = gradient.flow
        if flow is None or not flow.mesh.dimension:
            raise OptionError("a viscosity from the velocity alone needs a flow on a mesh with cells: give them")
        if not gradient.valid.any() or np.isnan(gradient.L[gradient.valid]).any():
            raise OptionError(
                f"{flow.name}: the velocity gradient is not known in all components "
                f"(out_of_plane={flow.out_of_plane}): say out_of_plane=zero if the flow is two-dimensional"
            )
        velocity, D = (np.array(each, float) for each in (gradient["velocity"], symmetric(gradient.L)))
        velocity[~gradient.valid], D[~gradient.valid] = np.nan, np.nan
        own = cls(flow.mesh, str(gradient.location), np.eye(3), 3, velocity, D, np.array(force, float))
        if flow.wedge is not None:
            return own._in_section(flow)._about("x", flow.name)
        if flow.is_meridian:
            return own._about(str(flow.axisymmetric), flow.name)
        found = directions(flow.mesh, flow.mesh.centroids)
        if found.curved or not found.rank:
            raise OptionError(f"{flow.name}: the mesh is curved or has no extent: give a plane or solid mesh")
        return own._turned(found.basis, found.rank)

    def _turned(self, basis: FloatArray, rank: int, radial: int = -1, has_images: bool = False) -> Framed:
        """In the frame of a basis."""
        vectors = self.velocity @ basis.T, basis @ self.D @ basis.T, self.force @ basis.T
        return Framed(self.mesh, self.location, basis, rank, *vectors, radial, has_images)

    def _in_section(self, flow: Flow) -> Framed:
        """In the axial, radial and azimuthal directions of a wedge, on its section, whose plane is that of x and y."""
        wedge = flow.wedge
        assert wedge is not None
        half = section(self.mesh, wedge, self.location)
        frames = wedge.frames(wedge.cylindrical(self.mesh.places(self.location))[:, 2])
        vectors = (np.einsum("nij,nj->ni", frames, each) for each in (self.velocity, self.force))
        velocity, force = (half.gathered(each) for each in vectors)
        D = half.gathered((frames @ self.D @ transpose(frames)).reshape(-1, 9)).reshape(-1, 3, 3)
        return Framed(half.mesh, self.location, self.basis, self.rank, velocity, D, force)

    def _about(self, axis: str, name: str) -> Framed:
        """With the mirror image across the ``x`` or ``y`` axis where there is none."""
        mesh = Mesh(self.mesh.points, self.mesh.cells) if isinstance(self.mesh, Lattice) else self.mesh
        whole = meridian(Flow(mesh, self.velocity, self.location, axisymmetric=axis))
        radius = whole.flow.mesh.points[:, whole.radial]
        images, signs = bool(np.nanmin(radius) < 0 < np.nanmax(radius)), whole.signs
        D = self.D[whole.own] * signs[:, :, None] * signs[:, None, :]
        force = self.force[whole.own] * signs
        found = Framed(whole.flow.mesh, self.location, self.basis, 2, whole.flow.velocity, D, force)
        along, away, around = np.eye(3)[[1 - whole.radial, whole.radial, 2]]
        resolved = directions(found.mesh, found.mesh.centroids)
        if resolved.rank == 2:
            return found._turned(np.array([along, away, around]), 2, 1, images)
        if abs(resolved.basis[0] @ away) < 0.5:
            raise OptionError(f"{name}: the mesh is one cell thick across its axis: nothing tells how the flow varies")
        return found._turned(np.array([away, along, around]), 1, 0, images)
