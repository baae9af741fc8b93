"""The call that gives the stresses on the walls of a flow."""

from __future__ import annotations

from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient import Scheme
from flowgrad.rheology.model import Model
from flowgrad.walls.fluid import pressure_at, viscosity_at
from flowgrad.walls.gradient import wall_gradient
from flowgrad.walls.selection import Where, select, with_wall_velocity
from flowgrad.walls.walls import Walls


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
    if not isinstance(flow, Flow):
        raise OptionError(f"{type(flow).__name__} given for the flow: walls need a Flow, of a series one of its steps")
    if flow.mesh.dimension < 2:
        raise OptionError(f"{flow.name}: walls are faces of cells in a plane or in space, and this mesh has none")
    chosen = select(flow, where)
    known = with_wall_velocity(flow, chosen, wall_velocity)
    gradient = wall_gradient(known, chosen.faces, scheme)
    eta = None if viscosity is None else viscosity_at(gradient, chosen.faces, viscosity, density)
    p = None if pressure is None else pressure_at(known, chosen.faces, pressure, density)
    return Walls(gradient, chosen.faces, chosen.names, chosen.patches, eta, p, density, chosen.notes)
