"""Walls: shear rates and stresses on them, the force and moment that the fluid exerts, their surface and summary.

With n the unit normal out of the fluid and σ = −p I + 2ηD the traction, the force of the fluid on the wall per area,
is t = −σ·n = p n − 2ηD·n (Batchelor 1967, An Introduction to Fluid Dynamics, §1.3 and §3.3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from flowgrad import tensors
from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh import Cells, Mesh
from flowgrad.mesh.planar import FLAT
from flowgrad.reprs import ReprMixin
from flowgrad.typing import BoolArray, FloatArray, IntArray

# VTK's types by the number of points: lines of edges, polygons of faces.
_LINE, _POLY_LINE, _TRIANGLE, _QUAD, _POLYGON = 3, 4, 5, 9, 7


def surface_mesh(mesh: Mesh, faces: IntArray) -> Mesh:
    """Boundary faces (k,), rows of ``mesh.topology.boundary``, as k cells with the points that they use."""
    start, points = mesh.topology.face_points(faces)
    used, connectivity = np.unique(points, return_inverse=True)
    kinds = {2: (_LINE, _POLY_LINE, _POLY_LINE)}.get(mesh.dimension, (_TRIANGLE, _QUAD, _POLYGON))
    first = 2 if mesh.dimension == 2 else 3
    types = np.array(kinds, np.uint8)[np.clip(np.diff(start) - first, 0, 2)]
    return Mesh(mesh.points[used], Cells(types, start, connectivity.astype(np.int64)))


def areas_of_revolution(flow: Flow, centroids: FloatArray, lengths: FloatArray) -> FloatArray:
    """2π|r| times the length of edges of a meridian plane (Pappus), half of it where the mesh lies on both sides
    of the axis and has every ring twice."""
    radial = 1 if flow.axisymmetric == "x" else 0
    rho = flow.mesh.points[:, radial]
    rounding = FLAT * np.nanmax(np.abs(rho), initial=0.0)
    twice = bool((rho < -rounding).any() and (rho > rounding).any())
    return (np.pi if twice else 2 * np.pi) * np.abs(centroids[:, radial]) * lengths


@dataclass(frozen=True, eq=False)
class Walls(
    ReprMixin,
    line="flow names faces viscosity pressure density",
    table="flow names areas wall_shear_rate viscosity pressure density notes",
):
    """Walls of a flow: k boundary ``faces``, rows of ``flow.mesh.topology.boundary``, with the velocity ``gradient``
    at their centroids; holds its input.

    Face i belongs to the patch ``names[patches[i]]``. ``viscosity`` and ``pressure`` (k,) are those at the faces, None
    where not given, dynamic where a ``density`` was. Vectors are (k, 3), NaN where L is not known. Stresses raise
    OptionError without a viscosity.
    """

    gradient: VelocityGradient
    faces: IntArray
    names: tuple[str, ...]
    patches: IntArray
    viscosity: FloatArray | None = None
    pressure: FloatArray | None = None
    density: float | None = None
    selection_notes: tuple[str, ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        return len(self.faces)

    @property
    def flow(self) -> Flow:
        """The flow, with the velocities known on its boundary."""
        assert self.gradient.flow is not None
        return self.gradient.flow

    @property
    def centroids(self) -> FloatArray:
        """Where L is taken (k, 3)."""
        return self.flow.mesh.topology.boundary_geometry[1][self.faces]

    @cached_property
    def normals(self) -> FloatArray:
        """Unit normals (k, 3), out of the fluid."""
        vectors = self.flow.mesh.topology.boundary_geometry[0][self.faces]
        size = np.sqrt((vectors**2).sum(axis=1, keepdims=True))
        return vectors / np.where(size > 0, size, np.nan)

    @cached_property
    def areas(self) -> FloatArray:
        """Area of each face (k,): of edges of a planar mesh their length, per unit depth, or 2πr times it in an
        axisymmetric flow."""
        vectors = self.flow.mesh.topology.boundary_geometry[0][self.faces]
        sizes = np.sqrt((vectors**2).sum(axis=1))
        return areas_of_revolution(self.flow, self.centroids, sizes) if self.flow.is_meridian else sizes

    @cached_property
    def _rate(self) -> FloatArray:
        """2D·n (k, 3)."""
        return np.asarray(np.einsum("nij,nj->ni", 2 * self.gradient.D, self.normals))

    @property
    def shear_rate_vector(self) -> FloatArray:
        """Tangential part of −2D·n (k, 3): ∂v/∂s on a wall at rest, s the distance from it; it points along the
        flow."""
        normal = np.einsum("ni,ni->n", self._rate, self.normals)
        return -(self._rate - normal[:, None] * self.normals)

    @property
    def wall_shear_rate(self) -> FloatArray:
        """Size of the tangential part of 2D·n (k,), in 1/T."""
        return np.sqrt((self.shear_rate_vector**2).sum(axis=1))

    @property
    def normal_rate(self) -> FloatArray:
        """n·D·n (k,), in 1/T: 0 on a wall that an incompressible fluid adheres to."""
        return np.asarray(0.5 * np.einsum("ni,ni->n", self._rate, self.normals))

    @property
    def wall_shear_stress(self) -> FloatArray:
        """Tangential part of the traction (k, 3): η times ``shear_rate_vector``, the way the fluid drags the wall."""
        return self._eta[:, None] * self.shear_rate_vector

    @property
    def normal_stress(self) -> FloatArray:
        """n·σ·n = −p + 2η n·D·n (k,), tension positive; without the pressure where that is not given."""
        return self._eta * 2 * self.normal_rate - (0.0 if self.pressure is None else self.pressure)

    @property
    def traction(self) -> FloatArray:
        """Force of the fluid on the wall per area (k, 3): p n − 2ηD·n."""
        viscous = self.viscous_traction
        return viscous if self.pressure is None else viscous + self.pressure[:, None] * self.normals

    @property
    def viscous_traction(self) -> FloatArray:
        """−2ηD·n (k, 3)."""
        return -self._eta[:, None] * self._rate

    @property
    def openfoam_wall_shear_stress(self) -> FloatArray:
        """What OpenFOAM's function object ``wallShearStress`` writes for a laminar flow (k, 3): 2ν dev(D)·n, of the
        other sign than the drag on the wall and with its normal part; kinematic where a density was given.

        It is (−Sf/|Sf|)·R with R = −ν dev(2 symm(grad U)), in releases of both OpenCFD and the OpenFOAM Foundation.
        There the normal part of grad U on a wall is the difference to the cell's centre; here it is this gradient.
        """
        rate = np.einsum("nij,nj->ni", 2 * tensors.deviator(self.gradient.D), self.normals)
        stress = self._eta[:, None] * rate
        return stress if self.density is None else stress / self.density

    def force(self, patch: str | None = None) -> FloatArray:
        """Force of the fluid on the walls, or on a patch: ∫ t dA (3,).

        Per unit depth on a planar mesh; on the whole body of an axisymmetric flow, and on the sector of a wedge. Faces
        without a traction are left out and counted in ``notes``; NaN where all are.
        """
        return self._integral(self.traction, patch)

    def pressure_force(self, patch: str | None = None) -> FloatArray:
        """The part of the force that is the pressure's: ∫ p n dA (3,). OptionError without a pressure."""
        if self.pressure is None:
            raise OptionError(f"{self.flow.name}: the pressure is not known: give pressure=, an array or its name")
        return self._integral(self.pressure[:, None] * self.normals, patch)

    def viscous_force(self, patch: str | None = None) -> FloatArray:
        """The part of the force that is the viscous stress's: −∫ 2ηD·n dA (3,)."""
        return self._integral(self.viscous_traction, patch)

    def moment(self, patch: str | None = None, *, about: ArrayLike = (0.0, 0.0, 0.0)) -> FloatArray:
        """Moment of the force on the walls, or on a patch, about a point: ∫ (x − about) × t dA (3,)."""
        own = self._integral(np.cross(self.centroids, self.traction), patch)
        return own - np.cross(np.asarray(about, np.float64), self.force(patch))

    def _integral(self, vectors: FloatArray, patch: str | None) -> FloatArray:
        """∫ over the faces where the vectors are known; in axisymmetric flow only what is along the axis is left."""
        chosen = self.on(patch) & tensors.finite_rows(vectors)
        if not chosen.any():
            return np.full(3, np.nan)
        total = self.areas[chosen] @ vectors[chosen]
        if self.flow.is_meridian:
            return total * np.eye(3)[0 if self.flow.axisymmetric == "x" else 1]
        return total

    def on(self, patch: str | None) -> BoolArray:
        """Which faces (k,) belong to a patch, all to None; OptionError for a patch that is none of these."""
        if patch is None:
            return np.ones(len(self), bool)
        if patch not in self.names:
            raise OptionError(f"the walls have no patch '{patch}': their patches are {', '.join(self.names)}")
        return np.asarray(self.patches == self.names.index(patch))

    @property
    def _eta(self) -> FloatArray:
        if self.viscosity is None:
            raise OptionError(
                f"{self.flow.name}: the stress on a wall needs the viscosity: give viscosity=, a number, a law, or an "
                "array or its name"
            )
        return self.viscosity

    @property
    def arrays(self) -> Mapping[str, np.ndarray]:
        """Everything known on the faces, by name."""
        found = {
            "patch": self.patches,
            "normal": self.normals,
            "area": self.areas,
            "L": self.gradient.L,
            "wall_shear_rate": self.wall_shear_rate,
            "shear_rate_vector": self.shear_rate_vector,
            "normal_rate": self.normal_rate,
        }
        if self.pressure is not None:
            found["pressure"] = self.pressure
        if self.viscosity is not None:
            names = ("viscosity", "wall_shear_stress", "normal_stress", "traction")
            found |= {name: getattr(self, name) for name in names}
        return found

    def surface(self) -> tuple[Mesh, Mapping[str, np.ndarray]]:
        """The faces as a mesh of polygons, or lines, and ``arrays`` on its cells."""
        return surface_mesh(self.flow.mesh, self.faces), self.arrays

    @property
    def notes(self) -> tuple[str, ...]:
        """Which walls these are, how L was obtained, and what is not known."""
        notes = [*self.selection_notes, *self.gradient.notes]
        known = self.wall_shear_rate if self.viscosity is None else self.traction.sum(axis=1)
        lost = ~np.isfinite(known)
        if lost.any():
            share = float(self.areas[lost].sum() / self.areas.sum())
            what = "no shear rate" if self.viscosity is None else "no traction and are not in the force"
            notes.append(f"{lost.sum()} of {len(self)} faces, {share:.2g} of the area, have {what}")
        if self.viscosity is not None and self.pressure is None:
            notes.append("no pressure was given: traction and force are the viscous part")
        return tuple(notes)


def walls_summary(walls: Walls) -> dict[str, Any]:
    """For each patch its faces and area, the wall shear rate and, where the viscosity is known, the wall shear
    stress, force and moment about the origin, split into pressure and viscous force; and the notes."""
    patches = {}
    for name in walls.names:
        chosen = walls.on(name)
        found: dict[str, Any] = {"faces": int(chosen.sum()), "area": float(walls.areas[chosen].sum())}
        patches[name] = found
        found["wall_shear_rate"] = _range(walls.wall_shear_rate[chosen], walls.areas[chosen])
        if walls.viscosity is None:
            continue
        stress = np.sqrt((walls.wall_shear_stress[chosen] ** 2).sum(axis=1))
        found["wall_shear_stress"] = _range(stress, walls.areas[chosen])
        found["force"] = walls.force(name)
        found["viscous_force"] = walls.viscous_force(name)
        if walls.pressure is not None:
            found["pressure_force"] = walls.pressure_force(name)
        found["moment"] = walls.moment(name)
    about = {"scheme": walls.gradient.scheme, "reason": walls.gradient.reason}
    return {**about, "patches": patches, "notes": list(walls.notes)}


def _range(values: FloatArray, areas: FloatArray) -> dict[str, float]:
    known = np.isfinite(values)
    if not known.any():
        return {"minimum": np.nan, "mean": np.nan, "maximum": np.nan}
    values, areas = values[known], areas[known]
    return {"minimum": values.min(), "mean": float(areas @ values / areas.sum()), "maximum": values.max()}
