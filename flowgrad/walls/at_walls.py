"""Wall stresses of a flow: the velocity gradient, viscosity and pressure on the faces of its walls."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.flow import LOCATIONS, Flow
from flowgrad.gradient import FiniteDifference, Scheme
from flowgrad.gradient.prepared import wall_scheme_of
from flowgrad.gradient.scheme import patch_faces
from flowgrad.kinematics import VelocityGradient
from flowgrad.rheology.model import Model
from flowgrad.separation.inputs import eddy_viscosities
from flowgrad.separation.separate import is_number_or_model, resolve
from flowgrad.spec import nearest
from flowgrad.typing import FloatArray, IntArray
from flowgrad.walls.prepared import WallOperators
from flowgrad.walls.result import Walls
from flowgrad.walls.selection import Where, select, with_wall_velocity


def wall_gradient(flow: Flow, faces: IntArray, scheme: Scheme | str, operators: WallOperators) -> VelocityGradient:
    """L at the centroids of boundary faces (k,), rows of ``mesh.topology.boundary``, from the fluid's side, and the
    velocity there. In a plane cut from a 3-D flow it is that in the plane, in which the normals lie."""
    notes: tuple[str, ...] = ()
    if flow.out_of_plane != "zero":
        flow = replace(flow, out_of_plane="zero")
        notes = ("what changes across the plane is not known: rates and stresses on walls are those in the plane",)
    found = _gradient(flow, faces, *wall_scheme_of(scheme, flow, faces), operators)
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


def _gradient(flow: Flow, faces: IntArray, scheme: Scheme, reason: str, operators: WallOperators) -> VelocityGradient:
    centroids, wedge = flow.mesh.topology.boundary_geometry[1][faces], flow.wedge
    if wedge is not None and not scheme.knows_symmetry:
        # The flat faces of a wedge stand for a round wall.
        axial, radius, _ = wedge.cylindrical(centroids).T
        axis, radial, _ = wedge.frame
        radius = radius / np.cos(wedge.half_angle)
        centroids = wedge.origin + axial[:, None] * axis + radius[:, None] * radial
    # Where symmetry completes the gradient it is taken at positions.
    is_completed = (flow.is_meridian or wedge is not None) and not scheme.knows_symmetry
    found = None if is_completed else operators.gradients(scheme, flow, faces)
    if found is None:
        return replace(operators.at_positions(scheme, flow, centroids), reason=reason)
    assert found.operator is not None
    notes = list(found.notes)
    unknown = ~np.isin(faces, patch_faces(flow.boundary))
    if flow.location == "cells" and unknown.any():
        notes.append(
            f"the velocity is not known on {unknown.sum()} of {len(faces)} faces: L is continued from the cells "
            "(wall_velocity=0 for walls at rest)"
        )
    return VelocityGradient(
        found.L,
        flow,
        covariance=None if flow.noise is None else found.operator.covariance(flow.noise),
        location="positions",
        positions=centroids,
        scheme=str(scheme),
        reason=reason,
        method_notes=tuple(notes),
    )


def viscosity_at(
    gradient: VelocityGradient,
    faces: IntArray,
    viscosity: str | float | Model | ArrayLike,
    density: float | None,
    operators: WallOperators,
) -> FloatArray:
    """η (k,) on boundary faces, of a law at the shear rates there. OptionError as ``separate`` raises it."""
    flow = gradient.flow
    assert flow is not None
    if isinstance(viscosity, str) and not is_number_or_model(viscosity):
        if eddy_viscosities([viscosity]):
            resolve(gradient, None, viscosity, density)
        viscosity = _named(flow, faces, viscosity, "viscosity", operators, positive=True)
    elif not isinstance(viscosity, (str, Model)) and np.ndim(viscosity):
        viscosity = _given(flow, faces, viscosity, "viscosity", operators, positive=True)
    found = resolve(gradient, None, viscosity, density).viscosity
    assert found is not None
    return found


def pressure_at(
    flow: Flow,
    faces: IntArray,
    pressure: str | float | ArrayLike,
    density: float | None,
    operators: WallOperators,
) -> FloatArray:
    """p (k,) on boundary faces; p/ρ times the density where that is given."""
    factor = 1.0 if density is None else density
    if isinstance(pressure, str):
        return factor * _named(flow, faces, pressure, "pressure", operators)
    if not np.ndim(pressure):
        return np.full(len(faces), factor * float(pressure))  # type: ignore[arg-type]
    return factor * _given(flow, faces, pressure, "pressure", operators)


def _named(
    flow: Flow, faces: IntArray, name: str, what: str, operators: WallOperators, positive: bool = False
) -> FloatArray:
    """An array of the flow, where the velocity is rather than at the other place."""
    for location in sorted(LOCATIONS, key=lambda each: each != flow.location):
        if name in flow.data(location):
            values = _scalars(flow.data(location)[name], f"{flow.name}: {name}")
            return _on_faces(flow, faces, values, location, operators, positive)
    known = [*flow.cell_data, *(each for each in flow.point_data if each not in flow.cell_data)]
    hint = nearest(name, known) or f": its arrays are {', '.join(known) or 'none'}"
    raise OptionError(f"{flow.name} has no array '{name}'{hint}; {what}= takes one of them, a number or an array")


def _given(
    flow: Flow, faces: IntArray, array: ArrayLike, what: str, operators: WallOperators, positive: bool = False
) -> FloatArray:
    """An array at the faces, the cells or the points: its length tells."""
    values = _scalars(np.asarray(array, np.float64), f"the {what}")
    sizes = {"faces": len(faces), "cells": len(flow.mesh), "points": flow.mesh.point_count}
    fits = [place for place, size in sizes.items() if size == len(values)]
    if len(fits) != 1:
        known = ", ".join(f"{size} {place}" for place, size in sizes.items())
        raise OptionError(f"the {what} has {len(values)} values, and there are {known}: give one array that fits one")
    return values if fits == ["faces"] else _on_faces(flow, faces, values, fits[0], operators, positive)


def _scalars(values: np.ndarray, name: str) -> FloatArray:
    values = np.asarray(values, np.float64)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise OptionError(f"{name} has the shape {values.shape}: give one number for each place")
    return values


def _on_faces(
    flow: Flow, faces: IntArray, values: FloatArray, location: str, operators: WallOperators, positive: bool
) -> FloatArray:
    """Values at the points or cells, on the faces: the mean over a face, or continued from its cell, where they must
    stay positive along a line and not below zero."""
    if location == "points":
        return np.asarray(flow.mesh.topology.face_means(faces) @ values)
    if not positive:
        return _continued(flow, faces, values, 3, operators)
    linear = _continued(flow, faces, values, 1, operators)
    return np.where(linear <= 0, values[flow.mesh.topology.boundary_cells[faces]], linear)


def _continued(flow: Flow, faces: IntArray, values: FloatArray, order: int, operators: WallOperators) -> FloatArray:
    """From the cells' centroids to the faces', along the gradient halfway."""
    cells = flow.mesh.topology.boundary_cells[faces]
    starts, ends = flow.mesh.centroids[cells], flow.mesh.topology.boundary_geometry[1][faces]
    at_rest = np.zeros((len(flow.mesh), 3))
    plain = Flow(flow.mesh, at_rest, "cells", source=flow.source)
    scheme = FiniteDifference(order=order, lattice=False)
    operator = operators.operator(("continued", order), plain, lambda: scheme.prepare(plain, (starts + ends) / 2))
    assert operator is not None
    return np.asarray(values[cells] + (operator.apply(values) * (ends - starts)).sum(axis=1))


def at_walls(
    flow: Flow,
    where: Where = None,
    *,
    scheme: Scheme | str = "auto",
    viscosity: str | float | Model | ArrayLike | None = None,
    pressure: str | float | ArrayLike | None = None,
    density: float | None = None,
    wall_velocity: ArrayLike | None = None,
) -> Walls:
    """The velocity gradient on the walls of a flow, and what follows from it: wall shear rate, stress, force.

    ``where`` names patches of ``flow.boundary`` (one, or several in a list), or is a mask (b,) over the boundary
    faces, rows of ``flow.mesh.topology.boundary``, or a function of their centroids (b, 3) that returns one, or a text
    such as ``CellEntityIds=3``: the boundary faces that are cells of lower dimension with this value of a cell array.
    None takes the patches through which nothing flows and along which nothing slips, or with values at points and no
    patches the faces at whose points the velocity vanishes.

    ``wall_velocity`` (a number for all components, (3,) or (k, 3)) is the velocity on the chosen faces of a flow with
    values at cells and no patches there: 0 for walls at rest. ``scheme`` is ``auto``, an object or a text, as for
    :func:`flowgrad.velocity_gradient`; finite differences go through the values on the wall.

    ``viscosity`` is a number, a law such as ``carreau(…)``, the name of an array of the flow, or an array at its
    points, cells or the k faces; ``pressure`` a number, a name or an array. Values at cells are continued to the wall
    along their gradient. ``density`` makes dynamic values of kinematic ones (p/ρ, ν). Raises OptionError where no wall
    is found, for a name that is not known, for a wall velocity that the flow has already, and as the scheme does.
    """
    return PreparedWalls(
        where, scheme=scheme, viscosity=viscosity, pressure=pressure, density=density, wall_velocity=wall_velocity
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
    ) -> None:
        self.where, self.scheme, self.wall_velocity = where, scheme, wall_velocity
        self.viscosity, self.pressure, self.density = viscosity, pressure, density
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
        operators.begin(known, faces)
        gradient = wall_gradient(known, faces, self.scheme, operators)
        eta = p = None
        if self.viscosity is not None:
            eta = viscosity_at(gradient, faces, self.viscosity, density, operators)
        if self.pressure is not None:
            p = pressure_at(known, faces, self.pressure, density, operators)
        return Walls(gradient, faces, chosen.names, chosen.patches, eta, p, density, chosen.notes)
