"""Walls: shear rates and stresses on their faces, wall units, the force and moment that the fluid exerts, surface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from flowgrad import tensors
from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh import Cells, Mesh
from flowgrad.reprs import ReprMixin
from flowgrad.typing import BoolArray, FloatArray, IntArray
from flowgrad.walls.error import ASYMPTOTIC
from flowgrad.walls.first_distance import first_distance
from flowgrad.walls.tractions import Tractions

# VTK's types by the number of points: lines of edges, polygons of faces.
_LINE, _POLY_LINE, _TRIANGLE, _QUAD, _POLYGON = 3, 4, 5, 9, 7
VISCOUS_ALONE = "no pressure was given: traction and force are the viscous part"


def on_patch(patch: str | None, names: tuple[str, ...], patches: IntArray) -> BoolArray:
    """Which faces (k,) of ``names[patches[i]]`` belong to a patch, all to None; OptionError for one that is none of
    these."""
    if patch is None:
        return np.ones(len(patches), bool)
    if patch not in names:
        raise OptionError(f"the walls have no patch '{patch}': their patches are {', '.join(names)}")
    return np.asarray(patches == names.index(patch))


def surface_mesh(mesh: Mesh, faces: IntArray) -> Mesh:
    """Boundary faces (k,), rows of ``mesh.topology.boundary``, as k cells with the points that they use."""
    start, points = mesh.topology.face_points(faces)
    used, connectivity = np.unique(points, return_inverse=True)
    kinds = {2: (_LINE, _POLY_LINE, _POLY_LINE)}.get(mesh.dimension, (_TRIANGLE, _QUAD, _POLYGON))
    first = 2 if mesh.dimension == 2 else 3
    types = np.array(kinds, np.uint8)[np.clip(np.diff(start) - first, 0, 2)]
    return Mesh(mesh.points[used], Cells(types, start, connectivity.astype(np.int64)))


@dataclass(frozen=True, eq=False)
class Walls(
    ReprMixin,
    line="flow names faces viscosity pressure density",
    table="flow names areas wall_shear_rate viscosity pressure density notes",
):
    """Walls of a flow: k boundary ``faces``, rows of ``flow.mesh.topology.boundary``; holds its input.

    Face i belongs to the patch ``names[patches[i]]``. What is known of it is the mean over its ``sites``: one at the
    centroid, or on a face of a curved cell several, each with its own normal and share of the area, over which forces,
    moments and areas are integrated. ``viscosity`` and ``pressure`` are None where not given, dynamic where a
    ``density`` was. Vectors are (k, 3), NaN where L is not known. Stresses raise OptionError without a viscosity, wall
    units without ``density`` and ``reference_density``, of which that one is taken first, and the friction coefficient,
    which takes the other first, without the speed ``reference_speed``.
    """

    sites: Tractions
    faces: IntArray
    names: tuple[str, ...]
    patches: IntArray
    density: float | None = None
    selection_notes: tuple[str, ...] = field(default=(), repr=False)
    reference_density: float | None = None
    reference_speed: float | None = None

    def __len__(self) -> int:
        return len(self.faces)

    @property
    def flow(self) -> Flow:
        """The flow, with the velocities known on its boundary."""
        return self.sites.flow

    def mean(self, values: FloatArray) -> FloatArray:
        """Means over the faces (k, …) of values at the sites (q, …)."""
        on = self.sites.on
        if on.is_flat:
            return values
        return np.asarray(on.means @ values.reshape(len(on), -1)).reshape(-1, *values.shape[1:])

    @cached_property
    def gradient(self) -> VelocityGradient:
        """The velocity gradient of the faces (k, 3, 3)."""
        at_sites = self.sites.gradient
        if self.sites.on.is_flat:
            return at_sites
        supplied = {name: self.mean(values) for name, values in at_sites.supplied.items()}
        error = None if at_sites.error is None else self.mean(at_sites.error)
        about = {"positions": self.centroids, "covariance": None, "supplied": supplied, "error": error}
        return replace(at_sites, L=self.mean(at_sites.L), **about)  # type: ignore[arg-type]

    @cached_property
    def centroids(self) -> FloatArray:
        """Centroid of each face (k, 3)."""
        return self.mean(self.sites.on.positions)

    @cached_property
    def normals(self) -> FloatArray:
        """Unit normals (k, 3), out of the fluid; of a curved face that of its mean."""
        means = self.mean(self.sites.on.normals)
        return means if self.sites.on.is_flat else means / np.sqrt((means**2).sum(axis=1, keepdims=True))

    @cached_property
    def areas(self) -> FloatArray:
        """Area of each face (k,): of edges of a planar mesh their length, per unit depth, or 2πr times it in an
        axisymmetric flow."""
        return np.asarray(np.bincount(self.sites.on.face, self.sites.areas, len(self)), np.float64)

    @property
    def viscosity(self) -> FloatArray | None:
        """That at the faces (k,)."""
        return None if self.sites.viscosity is None else self.mean(self.sites.viscosity)

    @property
    def pressure(self) -> FloatArray | None:
        """That at the faces (k,)."""
        return None if self.sites.pressure is None else self.mean(self.sites.pressure)

    @cached_property
    def shear_rate_vector(self) -> FloatArray:
        """Tangential part of −2D·n (k, 3): ∂v/∂s on a wall at rest, s the distance from it; it points along the
        flow."""
        return self.mean(self.sites.shear_rate_vector)

    @cached_property
    def wall_shear_rate(self) -> FloatArray:
        """Size of the tangential part of 2D·n (k,), in 1/T."""
        return self.mean(self.sites.wall_shear_rate)

    @cached_property
    def error(self) -> FloatArray:
        """Estimated error of the wall shear rate (k,), in 1/T, found when first asked for; NaN where there is none."""
        return self.mean(self.sites.error[0])

    @property
    def is_asymptotic(self) -> BoolArray:
        """Where (k,) the estimate is a small part of the shear rate, of a tenth of its mean at least: elsewhere it says
        that the error is large, and not how large."""
        rate = self.wall_shear_rate
        typical = float(np.nanmean(rate)) if np.isfinite(rate).any() else 0.0
        return np.asarray(self.error <= ASYMPTOTIC * np.maximum(rate, 0.1 * typical))

    @property
    def normal_rate(self) -> FloatArray:
        """n·D·n (k,), in 1/T: 0 on a wall that an incompressible fluid adheres to."""
        return self.mean(self.sites.normal_rate)

    @cached_property
    def wall_shear_stress(self) -> FloatArray:
        """Tangential part of the traction (k, 3): η times ``shear_rate_vector``, the way the fluid drags the wall."""
        return self.mean(self.sites.wall_shear_stress)

    @property
    def normal_stress(self) -> FloatArray:
        """n·σ·n = −p + 2η n·D·n (k,), tension positive; without the pressure where that is not given."""
        return self.mean(self.sites.normal_stress)

    @property
    def traction(self) -> FloatArray:
        """Force of the fluid on the wall per area (k, 3): p n − 2ηD·n."""
        return self.mean(self.sites.traction)

    @property
    def viscous_traction(self) -> FloatArray:
        """−2ηD·n (k, 3)."""
        return self.mean(self.sites.viscous)

    @property
    def openfoam_wall_shear_stress(self) -> FloatArray:
        """What OpenFOAM's function object ``wallShearStress`` writes for a laminar flow (k, 3): 2ν dev(D)·n, of the
        other sign than the drag on the wall and with its normal part; kinematic where a density was given.

        It is (−Sf/|Sf|)·R with R = −ν dev(2 symm(grad U)), in releases of both OpenCFD and the OpenFOAM Foundation.
        There the normal part of grad U on a wall is the difference to the cell's centre; here it is this gradient.
        """
        return self.mean(self.sites.deviatoric) / (1.0 if self.density is None else self.density)

    @property
    def friction_velocity(self) -> FloatArray:
        """u_τ = √(|τ_w|/ρ) (k,) (Pope 2000, Turbulent Flows, eq. 7.25)."""
        return np.sqrt(self._stress_size / self._rho(self.density))

    @cached_property
    def first_distance(self) -> FloatArray:
        """Distance along the normal of the first value off the wall (k,): that of the cell's centroid, or of the
        nearest of its points that are not on the face."""
        return first_distance(self.flow, self.sites.on)

    @property
    def y_plus(self) -> FloatArray:
        """y⁺ = y u_τ ρ/η (k,) of that distance y (Pope 2000, eq. 7.28): what a mesh is judged by beside a wall."""
        return self.first_distance * self.friction_velocity * self._rho(self.density) / self.mean(self.sites.eta)

    @property
    def skin_friction_coefficient(self) -> FloatArray:
        """C_f = |τ_w|/(½ρU²) (k,) of a reference speed U (Pope 2000, eq. 7.13)."""
        if self.reference_speed is None:
            raise OptionError(
                f"{self.flow.name}: the skin friction coefficient needs the speed it refers to: give reference_speed="
            )
        return self._stress_size / (0.5 * self._rho(self.reference_density) * self.reference_speed**2)

    @property
    def _stress_size(self) -> FloatArray:
        return self.mean(np.sqrt((self.sites.wall_shear_stress**2).sum(axis=1)))

    def _rho(self, first: float | None) -> float:
        """The first density where it is known, or the other; OptionError where neither is."""
        known = [each for each in (first, self.density, self.reference_density) if each is not None]
        if not known:
            raise OptionError(
                f"{self.flow.name}: wall units and the skin friction coefficient need the density: give density= where "
                "viscosity and pressure are per density, else reference_density= (1 for stresses per density)"
            )
        return known[0]

    def force(self, patch: str | None = None) -> FloatArray:
        """Force of the fluid on the walls, or on a patch: ∫ t dA (3,).

        Per unit depth on a planar mesh; on the whole body of an axisymmetric flow, and on the sector of a wedge. Faces
        without a traction are left out and counted in ``notes``; NaN where all are.
        """
        return self._integral(self.sites.traction, patch)

    def pressure_force(self, patch: str | None = None) -> FloatArray:
        """The part of the force that is the pressure's: ∫ p n dA (3,). OptionError without a pressure."""
        return self._integral(self.sites.of_pressure, patch)

    def viscous_force(self, patch: str | None = None) -> FloatArray:
        """The part of the force that is the viscous stress's: −∫ 2ηD·n dA (3,)."""
        return self._integral(self.sites.viscous, patch)

    def moment(self, patch: str | None = None, *, about: ArrayLike = (0.0, 0.0, 0.0)) -> FloatArray:
        """Moment of the force on the walls, or on a patch, about a point: ∫ (x − about) × t dA (3,)."""
        own = self._integral(np.cross(self.sites.on.positions, self.sites.traction), patch)
        return own - np.cross(np.asarray(about, np.float64), self.force(patch))

    def _integral(self, vectors: FloatArray, patch: str | None) -> FloatArray:
        """∫ of vectors at the sites where they are known; in axisymmetric flow only what is along the axis is left."""
        chosen = self.on(patch)[self.sites.on.face] & tensors.finite_rows(vectors)
        if not chosen.any():
            return np.full(3, np.nan)
        total = self.sites.areas[chosen] @ vectors[chosen]
        if self.flow.is_meridian:
            return total * np.eye(3)[0 if self.flow.axisymmetric == "x" else 1]
        return total

    def on(self, patch: str | None) -> BoolArray:
        """Which faces (k,) belong to a patch, all to None; OptionError for a patch that is none of these."""
        return on_patch(patch, self.names, self.patches)

    @property
    def arrays(self) -> Mapping[str, np.ndarray]:
        """Everything known on the faces, by name."""
        found = {
            "patch": self.patches,
            "normal": self.normals,
            "area": self.areas,
            "L": self.gradient.L,
            "wall_shear_rate": self.wall_shear_rate,
            "wall_shear_rate_error": self.error,
            "shear_rate_vector": self.shear_rate_vector,
            "normal_rate": self.normal_rate,
        }
        if self.pressure is not None:
            found["pressure"] = self.pressure
        if self.viscosity is not None:
            names = ("viscosity", "wall_shear_stress", "normal_stress", "traction")
            found |= {name: getattr(self, name) for name in names}
            found |= {name: getattr(self, name) for name in self.wall_units}
        return found

    @property
    def wall_units(self) -> tuple[str, ...]:
        """Which of them are known."""
        if self.viscosity is None or (self.density is None and self.reference_density is None):
            return ()
        with_speed = () if self.reference_speed is None else ("skin_friction_coefficient",)
        return ("friction_velocity", "y_plus", *with_speed)

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
            notes.append(VISCOUS_ALONE)
        return (*notes, self._error_note)

    @property
    def _error_note(self) -> str:
        known = np.isfinite(self.error)
        how = self.sites.error[1]
        if not known.any():
            return f"the error of the wall shear rate is not known: {how}"
        areas, rate, error = (each[known] for each in (self.areas, self.wall_shear_rate, self.error))
        size = np.sqrt(areas @ rate**2 / areas.sum())
        typical = np.sqrt(areas @ error**2 / areas.sum()) / size if size else 0.0
        note = f"error of the wall shear rate, from {how}: {typical:.2g} of it (root mean squares)"
        if not known.all():
            note += f", not known on {len(known) - known.sum()} of {len(known)} faces"
        wild = known & ~self.is_asymptotic
        if not wild.any():
            return note
        share = float(self.areas[wild].sum() / self.areas.sum())
        return (
            f"{note}; on {wild.sum()} faces, {share:.2g} of the area, it is above {ASYMPTOTIC:.0%} of the rate: "
            "that is not the asymptotic range, in which an estimate tells how large an error is"
        )
