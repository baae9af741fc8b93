"""Wall stresses of a flow: the velocity gradient, viscosity and pressure on its walls."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient import Scheme
from flowgrad.gradient.prepared import wall_scheme_of
from flowgrad.gradient.scheme import patch_faces
from flowgrad.kinematics import VelocityGradient
from flowgrad.mesh.face_sites import FaceSites
from flowgrad.option import positive
from flowgrad.rheology.model import Model
from flowgrad.typing import FloatArray
from flowgrad.walls.error import error_of_shear_rate
from flowgrad.walls.given import pressure_at, viscosity_at
from flowgrad.walls.prepared import WallOperators
from flowgrad.walls.result import Walls
from flowgrad.walls.selection import Where, select, with_wall_velocity
from flowgrad.walls.tractions import Tractions

# A step off a plate of no thickness, of the way to the cell's centroid.
_OFF_PLATE = 1e-5


def wall_gradient(flow: Flow, sites: FaceSites, scheme: Scheme | str, operators: WallOperators) -> VelocityGradient:
    """L at sites on walls (q,), from the fluid's side, and the velocity there. In a plane cut from a 3-D flow it is
    that in the plane, in which the normals lie."""
    notes: tuple[str, ...] = ()
    unknown = ~np.isin(sites.faces, patch_faces(flow.boundary))
    if flow.location == "cells" and unknown.any():
        notes = (
            f"the velocity is not known on {unknown.sum()} of {len(unknown)} faces: L is continued from the cells "
            "(wall_velocity=0 for walls at rest)",
        )
    if flow.out_of_plane != "zero":
        flow = replace(flow, out_of_plane="zero")
        notes += ("what changes across the plane is not known: rates and stresses on walls are those in the plane",)
    found = _gradient(flow, sites, *wall_scheme_of(scheme, flow, sites.faces), operators)
    found = replace(found, method_notes=(*found.method_notes, *notes))
    return found.supply(velocity=_velocity(found, sites))


def _velocity(gradient: VelocityGradient, sites: FaceSites) -> FloatArray:
    """At the sites (q, 3): that of the points around, or of their patch, or the cell's, continued along L."""
    flow = gradient.flow
    assert flow is not None
    if flow.location == "points":
        return np.asarray(sites.from_points @ flow.velocity)
    known = np.full((len(flow.mesh.topology.boundary), 3), np.nan)
    for patch in flow.boundary[::-1]:
        known[patch.faces] = patch.velocity
    on_faces = known[sites.faces][sites.face]
    unknown = np.flatnonzero(np.isnan(on_faces).any(axis=1))
    cells = sites.cells[unknown]
    arms = sites.positions[unknown] - flow.mesh.centroids[cells]
    on_faces[unknown] = flow.velocity[cells] + np.einsum("nij,nj->ni", gradient.L[unknown], arms)
    return on_faces


def _error(flow: Flow, sites: FaceSites, scheme: Scheme | str, L: FloatArray) -> tuple[FloatArray, str]:
    """Estimated error of the shear rate at sites on walls, and what it is from."""
    flow = replace(flow, out_of_plane="zero")

    def differentiate(seen: Flow, rival: Scheme) -> FloatArray:
        operators = WallOperators()
        operators.begin(seen, sites.faces)
        return _gradient(seen, sites, rival, "", operators).L

    return error_of_shear_rate(flow, sites, wall_scheme_of(scheme, flow, sites.faces)[0], L, differentiate)


def _gradient(flow: Flow, sites: FaceSites, scheme: Scheme, reason: str, operators: WallOperators) -> VelocityGradient:
    positions, wedge = sites.positions, flow.wedge
    if wedge is not None and flow.location == "points":
        # The flat faces of a wedge stand for a round wall, on which its points are.
        axial, radius, _ = wedge.cylindrical(positions).T
        axis, radial, _ = wedge.frame
        radius = radius / np.cos(wedge.half_angle)
        positions = wedge.origin + axial[:, None] * axis + radius[:, None] * radial
    # Where symmetry completes the gradient it is taken at positions.
    is_completed = (flow.is_meridian or wedge is not None) and not scheme.knows_symmetry
    found = None if is_completed else operators.gradients(scheme, flow, sites.faces)
    if found is None:
        if flow.mesh.joined.plates is not None:
            # Cells on both sides of a plate hold its places: a step off it tells which is meant.
            positions = positions + _OFF_PLATE * (flow.mesh.centroids[sites.cells] - positions)
        return replace(operators.at_positions(scheme, flow, positions), reason=reason)
    assert found.operator is not None
    covariance = None if flow.noise is None else found.operator.covariance(flow.noise)
    # Schemes that know nothing of sites have one gradient for a face.
    rows = np.arange(len(sites)) if len(found.L) == len(sites) else sites.face
    return VelocityGradient(
        found.L[rows],
        flow,
        covariance=None if covariance is None else covariance[rows],
        location="positions",
        positions=positions,
        scheme=str(scheme),
        reason=reason,
        method_notes=tuple(found.notes),
    )


def at_walls(
    flow: Flow,
    where: Where = None,
    *,
    scheme: Scheme | str = "auto",
    viscosity: str | float | Model | ArrayLike | None = None,
    pressure: str | float | ArrayLike | None = None,
    density: float | None = None,
    wall_velocity: ArrayLike | None = None,
    reference_density: float | None = None,
    reference_speed: float | None = None,
) -> Walls:
    """The velocity gradient on the walls of a flow, and what follows from it: wall shear rate, stress, force.

    ``where`` names a patch of ``flow.boundary`` or a region (``plane=y:0``, ``box=0:1,:0.2,:``, ``surface=wall.stl``,
    ``velocity=1,0,0``: :mod:`flowgrad.walls.regions`), is a text such as ``CellEntityIds=3``, the boundary faces that
    are cells of lower dimension with this value of a cell array, a list of such texts, a mask (b,) over the boundary
    faces, rows of ``flow.mesh.topology.boundary``, or a function of their centroids (b, 3) that returns one. None takes
    the patches through which nothing flows and along which nothing slips, or with values at points and no patches the
    faces at whose points the velocity vanishes, else the sides on which it is below 2 % of the flow's (weak no-slip).

    ``wall_velocity`` (a number for all components, (3,) or (k, 3)) is the velocity on the chosen faces of a flow with
    values at cells and no patches there: 0 for walls at rest. ``scheme`` is ``auto``, an object or a text, as for
    :func:`flowgrad.velocity_gradient`; finite differences go through the values on the wall.

    ``viscosity`` is a number, a law such as ``carreau(…)``, the name of an array of the flow, or an array at its
    points, cells or the k faces; ``pressure`` a number, a name or an array. Values at cells are continued to the wall
    along their gradient, unless the patches have an array of the name themselves. ``density`` makes dynamic values of
    kinematic ones (p/ρ, ν). Wall units (friction velocity, y⁺) need it, or where the viscosity is dynamic
    ``reference_density``; the skin friction coefficient also the ``reference_speed``. Raises OptionError where no wall
    is found, for a name that is not known, for a wall velocity that the flow has already, for a reference speed without
    a density, and as the scheme does.
    """
    return PreparedWalls(
        where,
        scheme=scheme,
        viscosity=viscosity,
        pressure=pressure,
        density=density,
        wall_velocity=wall_velocity,
        reference_density=reference_density,
        reference_speed=reference_speed,
    ).of(flow)


class PreparedWalls:
    """:func:`at_walls` with all that it is told but the flow, for the flows of a series one after the other: the
    geometry is prepared for the first, and anew only for a flow on another mesh, with other walls, or with values
    missing elsewhere. No result depends on the flows before it.

    >>> prepared = PreparedWalls("wall", viscosity=0.0035)
    >>> for flow in series: walls = prepared.of(flow)  # doctest: +SKIP
    """

    def __init__(
        self,
        where: Where = None,
        *,
        scheme: Scheme | str = "auto",
        viscosity: str | float | Model | ArrayLike | None = None,
        pressure: str | float | ArrayLike | None = None,
        density: float | None = None,
        wall_velocity: ArrayLike | None = None,
        reference_density: float | None = None,
        reference_speed: float | None = None,
    ) -> None:
        self.where, self.scheme, self.wall_velocity = where, scheme, wall_velocity
        self.viscosity, self.pressure, self.density = viscosity, pressure, density
        told = {"density": density, "reference_density": reference_density, "reference_speed": reference_speed}
        for name, value in told.items():
            if value is not None:
                positive(name, value)
        if reference_speed is not None and viscosity is None:
            raise OptionError("reference_speed= is for the skin friction coefficient: give the viscosity= as well")
        if reference_speed is not None and density is None and reference_density is None:
            raise OptionError(
                "reference_speed= is for the skin friction coefficient, which needs a density: give density= "
                "(--density) for a kinematic viscosity, else reference_density= (--reference-density; 1: per density)"
            )
        self._reference = {"reference_density": reference_density, "reference_speed": reference_speed}
        self._operators = WallOperators()

    def of(self, flow: Flow) -> Walls:
        """The walls of a flow; errors are those of :func:`at_walls`."""
        if not isinstance(flow, Flow):
            raise OptionError(
                f"{type(flow).__name__} given for the flow: walls need a Flow, of a series one of its steps"
            )
        if flow.mesh.dimension < 2:
            raise OptionError(f"{flow.name}: walls are faces of cells in a plane or in space, and this mesh has none")
        chosen = select(flow, self.where)
        known, faces, density = with_wall_velocity(flow, chosen, self.wall_velocity), chosen.faces, self.density
        operators = self._operators
        sites = operators.begin(known, faces)
        gradient = wall_gradient(known, sites, self.scheme, operators)
        estimate = partial(_error, known, sites, self.scheme, gradient.L)
        eta = p = None
        if self.viscosity is not None:
            eta = viscosity_at(gradient, sites, self.viscosity, density, operators)
        if self.pressure is not None:
            p = pressure_at(known, sites, self.pressure, density, operators)
        tractions = Tractions(sites, gradient, eta, p, estimate)
        return Walls(tractions, faces, chosen.names, chosen.patches, density, chosen.notes, **self._reference)
