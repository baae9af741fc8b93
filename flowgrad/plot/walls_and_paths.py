"""Arrays on walls and of paths with their records, and the meshes they lie on."""

from __future__ import annotations

from typing import TypeAlias

from numpy.typing import ArrayLike

from flowgrad.errors import OptionError
from flowgrad.kinematics import QUANTITIES, Record, VelocityGradient
from flowgrad.mesh import Mesh
from flowgrad.paths import FTLE, Deformation
from flowgrad.paths import RECORDS as OF_PATHS
from flowgrad.spec import not_among
from flowgrad.walls import OVER_TIME, Walls, WallStatistics
from flowgrad.walls import RECORDS as OF_WALLS
from flowgrad.walls.records import record_on

# Record, values (n, …), and whether they are at the points or the cells.
Array: TypeAlias = tuple[Record, ArrayLike, str]
OnSurface: TypeAlias = "Walls | WallStatistics | FTLE | Deformation"


def array_on(result: OnSurface, name: str) -> VelocityGradient | Array:
    """An array of walls, of averages over time on them or of paths; for a quantity on the walls' faces the gradient
    there. Raises OptionError for an unknown name, and for what is not known."""
    if isinstance(result, Walls):
        return _of_walls(result, name)
    if isinstance(result, WallStatistics):
        return _over_time(result, name)
    return _of_paths(result, name)


def surface_of(result: OnSurface) -> Mesh:
    """The mesh of the walls' faces, or the one where the paths begin; OptionError without one."""
    if isinstance(result, FTLE | Deformation):
        mesh = (result.deformation if isinstance(result, FTLE) else result).mesh
        if mesh is None:
            raise OptionError("the paths begin at points without a mesh: give points on a mesh")
        return mesh
    surface = result.surface.mesh if isinstance(result, WallStatistics) else result.surface()[0]
    if surface.dimension < 2:
        raise OptionError(
            "walls of a planar flow are lines: draw plot.scalar_field(walls, NAME).values against walls.centroids"
        )
    return surface


def _of_walls(walls: Walls, name: str) -> VelocityGradient | Array:
    """On the faces, which are the cells of the walls' own mesh."""
    if name in QUANTITIES or name == "velocity":
        return walls.gradient
    arrays = walls.arrays
    if name not in OF_WALLS or name in ("force", "moment"):
        known = [each for each in OF_WALLS if each in arrays]
        raise OptionError(not_among("quantity of walls", name, [*known, "velocity", *QUANTITIES]))
    values = arrays[name] if name in arrays else getattr(walls, name)
    if values is None:
        raise OptionError(f"the {name} on the walls is not known: give {name}= (an array, its name or a number)")
    return record_on(walls, name), values, "cells"


def _over_time(found: WallStatistics, name: str) -> Array:
    arrays = found.arrays
    if name not in OVER_TIME or name not in arrays:
        known = [each for each in OVER_TIME if each in arrays]
        raise OptionError(not_among("average over time on walls", name, known))
    return found.record(name), arrays[name], "cells"


def _of_paths(found: FTLE | Deformation, name: str) -> Array:
    """At the points where the particles are at first."""
    if isinstance(found, FTLE) and name == "ftle":
        return OF_PATHS[name], found.values, "points"
    known = [each for each in OF_PATHS if each != "ftle" or isinstance(found, FTLE)]
    if name not in known:
        raise OptionError(not_among("quantity of paths", name, known))
    return OF_PATHS[name], getattr(found.deformation if isinstance(found, FTLE) else found, name), "points"
