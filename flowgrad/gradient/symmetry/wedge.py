"""Wedges of OpenFOAM: one cell thick between two half-planes, differentiated as the axisymmetric flow in one.

Cell values sit where the solver has them, at the centroids of the flat prisms, and wall values at those of
the flat faces: the section is that of the mid-plane, where points of the radius r are at r cos(α/2), and positions are
seen across it. Point values sit at their own radius; the velocity on one half-plane is that on the other turned about
the axis.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from flowgrad import tensors
from flowgrad.errors import OptionError
from flowgrad.flow import Flow, Patch
from flowgrad.gradient.noise import mapped
from flowgrad.gradient.scheme import Composed, Scheme, Where, handed_on, on_rows, patch_centroids, patch_faces
from flowgrad.gradient.symmetry.axisymmetric import prepare_axisymmetric
from flowgrad.mesh import Cells, Mesh
from flowgrad.mesh.axisymmetric_wedge import Wedge
from flowgrad.mesh.cells import offsets
from flowgrad.mesh.sited import SitedMesh
from flowgrad.typing import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# The half-planes' velocities may differ by this part of the largest before it is said.
_DIFFERENT = 1e-4
_TRIANGLE, _QUAD, _POLYGON = 5, 9, 7


@dataclass(frozen=True, eq=False)
class HalfPlane:
    """The half-plane of a wedge, the ``whole`` mesh, as a planar mesh: x along the axis, y the radius.

    ``places`` (k,) are the section's points for those of the wedge and ``cells`` (k,) its cells for the
    wedge's, -1 for none. ``walls`` (b,) are the boundary values that the section's boundary takes.
    """

    wedge: Wedge
    whole: Mesh
    location: str
    mesh: Mesh
    places: IntArray
    cells: IntArray

    def patches(self, flow: Flow) -> tuple[tuple[Patch, ...], IntArray]:
        """The known boundary in the section, without the half-planes, and which of the values it takes."""
        patches, walls, first = [], [np.empty(0, np.int64)], 0
        for patch in flow.boundary:
            start, points = self.whole.topology.face_points(patch.faces)
            rows = self._edges(points, np.diff(start))
            found = np.flatnonzero(rows >= 0)
            values = self.local(self.whole.topology.boundary_geometry[1][patch.faces][found], patch.velocity[found])
            patches.append(Patch(patch.name, rows[found], values))
            walls.append(first + found)
            first += len(patch.faces)
        return tuple(patches), np.concatenate(walls)

    def _edges(self, points: IntArray, sizes: IntArray) -> IntArray:
        """Boundary edges of the section that faces of the wedge are, seen along the circles; -1 for faces
        on the half-planes, which are more than an edge."""
        face = np.repeat(np.arange(len(sizes)), sizes)
        pairs = np.unique(np.column_stack([face, self.places[points]]), axis=0)
        counts = np.bincount(pairs[:, 0], minlength=len(sizes))
        edges = counts == 2
        rows = np.full(len(sizes), -1)
        connectivity = pairs[edges[pairs[:, 0]], 1]
        rows[edges] = self.mesh.topology.match(self.mesh.points, offsets(counts[edges]), connectivity)
        return rows

    def local(self, positions: FloatArray, velocity: FloatArray) -> FloatArray:
        """Axial, radial and azimuthal velocity (m, 3) at positions (m, 3)."""
        frames = self.wedge.frames(self.wedge.cylindrical(positions)[:, 2])
        return np.asarray(np.einsum("nij,nj->ni", frames, velocity))

    def velocity(self, values: FloatArray) -> FloatArray:
        """Velocity of the section's points, the mean of the half-planes', or of its cells."""
        positions = self.whole.centroids if self.location == "cells" else self.whole.points
        return self.gathered(self.local(positions, values))

    def gathered(self, values: FloatArray) -> FloatArray:
        """Values (k, c) of the section's points, the mean of the half-planes', or of its cells, from local ones."""
        if self.location == "cells":
            return values[self.cells >= 0]
        used = np.flatnonzero(self.places >= 0)
        counts = np.bincount(self.places[used], minlength=len(self.mesh.points))
        sums = [np.bincount(self.places[used], column, minlength=len(counts)) for column in values[used].T]
        return np.column_stack(sums) / counts[:, None]

    def noise(self, noise: float | FloatArray) -> FloatArray:
        """Standard deviation of the section's samples (k,): at points that of the mean over the half-planes."""
        each = np.broadcast_to(noise, len(self.places) if self.location == "points" else len(self.cells))
        if self.location == "cells":
            return np.asarray(each[self.cells >= 0])
        used = np.flatnonzero(self.places >= 0)
        squares = np.bincount(self.places[used], np.square(each[used]))
        return np.sqrt(squares) / np.bincount(self.places[used])

    def spread(self, values: FloatArray) -> float:
        """Largest difference of a half-plane's velocity from the mean, over the largest velocity."""
        used = np.flatnonzero(self.places >= 0)
        largest = np.nanmax(np.abs(values), initial=0.0)
        if self.location == "cells" or not largest:
            return 0.0
        local = self.local(self.whole.points[used], values[used])
        return float(np.nanmax(np.abs(local - self.velocity(values)[self.places[used]]), initial=0.0) / largest)


def section(mesh: Mesh, wedge: Wedge, location: str) -> HalfPlane:
    """The section of a wedge for values at its ``points`` or ``cells``."""
    partners = wedge.partners
    assert partners is not None
    own, numbered = np.unique(wedge.faces[1], return_inverse=True)
    start = wedge.faces[0]
    rank = np.full(len(mesh.points), -1)
    rank[own] = np.arange(len(own))
    points = wedge.cylindrical(mesh.points[own])
    points[:, 2] = 0
    kinds = {3: _TRIANGLE, 4: _QUAD}
    types = np.array([kinds.get(size, _POLYGON) for size in range(int(np.diff(start).max()) + 1)], np.uint8)
    cells = Cells(types[np.diff(start)], start, numbered.astype(np.int64))
    places = np.where(partners >= 0, rank[partners], -1)
    numbers = np.where(mesh.is_full, np.cumsum(mesh.is_full) - 1, -1)
    if location == "points":
        return HalfPlane(wedge, mesh, location, Mesh(points, cells), places, numbers)
    points *= 1.0, np.cos(wedge.half_angle), 1.0
    half = SitedMesh(points, cells, wedge.cylindrical(mesh.centroids[mesh.is_full]) * (1, 1, 0))
    return HalfPlane(wedge, mesh, location, half, places, numbers)


def prepare_wedge(scheme: Scheme, flow: Flow, at: Where, wedge: Wedge) -> WedgeOperator:
    """The scheme on a flow whose mesh is a wedge."""
    half = section(flow.mesh, wedge, flow.location)
    patches, walls = half.patches(flow)
    planar = Flow(half.mesh, half.velocity(flow.velocity), flow.location, flow.time, boundary=patches, axisymmetric="x")
    target = at
    if not isinstance(at, str):
        axial, radius, angle = wedge.cylindrical(at).T
        radius = radius if flow.location == "points" else radius * np.cos(angle)
        target = np.column_stack([axial, radius, 0 * angle])
    elif (flow.location, at) == ("points", "cells"):
        target = wedge.cylindrical(flow.mesh.centroids[flow.mesh.is_full]) * (1, 1, 0)
    frames = wedge.frames(wedge.cylindrical(flow.mesh.places(at))[:, 2])
    on_circles = patch_centroids(flow.mesh, flow.boundary)[walls]
    inner = on_rows(prepare_axisymmetric(scheme, planar, target), _rows(half, at))
    faces = None if inner.faces is None else patch_faces(flow.boundary)
    about = handed_on(inner, faces=faces, notes=(_note(wedge), *inner.notes[1:]))
    return WedgeOperator(inner, flow, half, walls, on_circles, frames, **about)


def _note(wedge: Wedge) -> str:
    axis = ", ".join(f"{part + 0.0:.3g}" for part in np.round(wedge.frame[0], 12))
    name = dict(zip(("1, 0, 0", "0, 1, 0", "0, 0, 1"), "xyz", strict=True)).get(axis)
    about = f"the {name} direction" if name else f"({axis})"
    origin = ", ".join(f"{part + 0.0:.6g}" for part in wedge.origin)
    through = f" through ({origin})" if wedge.origin.any() else ""
    return (
        f"the mesh is a wedge of {wedge.degrees:.3g}° about {about}{through}: its flow is taken as axisymmetric "
        "(axisymmetric=none turns this off)"
    )


def _rows(half: HalfPlane, at: Where) -> IntArray:
    """Row of the section's gradients for each of the wedge's, -1 for none."""
    if not isinstance(at, str):
        return np.arange(len(at))
    if at == "points":
        return half.places
    owners = half.whole.topology.owners
    return np.where(owners >= 0, half.cells[owners], -1)


@dataclass(frozen=True, eq=False)
class WedgeOperator(Composed):
    """Gradients in Cartesian components on a wedge, by a scheme on the meridian plane of its flow.

    ``walls`` (b,) are the boundary values that the section takes, at ``wall_positions`` (b, 3); ``frames`` (m, 3, 3)
    the axial, radial and azimuthal directions where the gradients are.
    """

    flow: Flow
    section: HalfPlane
    walls: IntArray
    wall_positions: FloatArray
    frames: FloatArray

    @property
    def matrices(self) -> tuple[csr_array, ...]:
        """OptionError: the components of a vector turn with the angle; use ``vectors``."""
        raise OptionError("a wedge has no matrices d/dx, d/dy, d/dz: the velocity's components turn about the axis")

    def vectors(self, values: FloatArray) -> FloatArray:
        """Gradients (m, 3, 3) of vectors (n, 3) that turn with the angle."""
        L = self.inner.vectors(self.seen(values))
        return np.ascontiguousarray(tensors.transpose(self.frames) @ L @ self.frames)

    def seen(self, values: FloatArray) -> FloatArray:
        """The section's samples, those on its boundary last."""
        n = len(self.flow.velocity)
        local = self.section.velocity(values[:n])
        if not self.boundary_count:
            return local
        return np.concatenate([local, self.section.local(self.wall_positions, values[n:][self.walls])])

    def remarks(self, flow: Flow) -> tuple[str, ...]:
        """Where the two half-planes do not agree."""
        spread = self.section.spread(flow.velocity)
        if spread <= _DIFFERENT:
            return ()
        return (f"the velocities on the two half-planes differ from their mean by up to {spread:.2g} of the largest",)

    def covariance(self, noise: float | FloatArray) -> FloatArray:
        """cov(L_ij, L_kl) (m, 3, 3, 3, 3) for the standard deviation of the samples, a number or (n,): the
        same in all directions, else OptionError."""
        if np.ndim(noise) == 2:
            raise OptionError("on a wedge the noise must be the same in all directions: give a number, or one each")
        local = self.inner.covariance(self.section.noise(noise))
        back = tensors.transpose(self.frames)
        return mapped(local, np.einsum("nij,nkl->nikjl", back, back).reshape(-1, 9, 9))

    def second(self, values: FloatArray) -> FloatArray:
        """Second derivatives (m, 3, 3, 3) of vectors (n, 3) that turn with the angle."""
        H, frames = self.inner.second(self.seen(values)), self.frames
        return np.asarray(np.einsum("npi,nqj,nrk,npqr->nijk", frames, frames, frames, H, optimize=True))

    def apply(self, values: ArrayLike) -> FloatArray:
        """OptionError: see ``matrices``."""
        raise OptionError("scalars on a wedge are not differentiated: use vectors for the velocity")
