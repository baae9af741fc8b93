"""Displacement of a mesh's points, which finite-element programs write beside the points as they were at first: Exodus'
``disp_x``, ``disp_y``, ``disp_z``, ``DISPL``, ``displacement``.

The velocity lives on the moved points, but a file does not tell whether its points were moved before it was written.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.io.formats import Arrays, Contents
from flowgrad.io.point_samples import plain
from flowgrad.mesh import Lattice
from flowgrad.spec import nearest
from flowgrad.typing import FloatArray

log = logging.getLogger("flowgrad")

# Without capitals and joints: the names of MOOSE, Exodus, Kratos, Elmer, FEBio, CalculiX, Code_Aster, OpenFOAM.
_NAME = re.compile(r"(?:mesh|point|nodal|node|total|solid)?(?:dis|disp|displ|displacements?|depl)(?P<axis>[xyz123]?)$")
# What all these names have in them.
SOUND = re.compile("dis|depl", re.IGNORECASE)
_AXES = {"x": 0, "y": 1, "z": 2, "1": 0, "2": 1, "3": 2}
# An array that has moved the points has this behind its name.
APPLIED = " (applied)"


def displacement_of(contents: Contents, name: str | None, velocity: str) -> tuple[FloatArray | None, Arrays]:
    """The displacement (n, 3) of the points by the array or the components of a ``name``, None for ``none`` and where
    nothing moves; and the point data, in which it says that it was applied.

    OptionError where a file has displacements other than ``velocity`` that are not zero and no name is said, for a name
    of no such array, and for values that are not finite.
    """
    data = contents.point_data
    if name is None:
        _check_said(contents, velocity)
    if name in (None, "none"):
        return None, data
    parts = [name] if name in data else [part.strip() for part in name.split(",")]
    missing = next((part for part in parts if part not in data), None)
    if missing is not None:
        known = ", ".join(f"'{each}'" for each in displacements(data)) or "none by their names"
        raise OptionError(
            f"{contents.source}: no array '{missing}' at the points{nearest(missing, data)}: displacements are {known}"
        )
    values: FloatArray = np.column_stack([data[part] for part in parts]).astype(np.float64)
    if values.shape[1] not in (2, 3):
        raise OptionError(
            f"{contents.source}: '{name}' has {values.shape[1]} components and not 2 or 3: --displacement NAME or X,Y,Z"
        )
    bad = int((~np.isfinite(values).all(axis=1)).sum())
    if bad:
        raise OptionError(
            f"{contents.source}: '{name}' is not finite at {bad} of {len(values)} points: "
            "--displacement none leaves them"
        )
    found = np.zeros((len(values), 3))
    found[:, : values.shape[1]] = values
    log.info("%s: the points are moved by '%s', by up to %.4g", contents.source, name, np.abs(found).max(initial=0.0))
    return found, {key + APPLIED * (key in parts): array for key, array in data.items()}


def _check_said(contents: Contents, velocity: str) -> None:
    found = displacements(contents.point_data)
    taken = {velocity, *(part.strip() for part in velocity.split(","))}
    largest = {
        name: float(np.nanmax(np.abs(values), initial=0.0))
        for name, values in found.items()
        if not taken & {name, *name.split(",")}
    }
    moving = {name: size for name, size in largest.items() if size > 0}
    if not moving:
        return
    listed = ", ".join(f"'{name}' (up to {size:.4g})" for name, size in moving.items())
    mesh = contents.mesh
    if not len(mesh) or (isinstance(mesh, Lattice) and not mesh.is_curved):
        # Particles are written where they are, and straight grids stay straight.
        log.warning("%s: has %s, by which its points are not moved: --displacement NAME does", contents.source, listed)
        return
    raise OptionError(
        f"{contents.source}: has the displacement {listed}, and the velocity lives on the moved points: "
        f"--displacement {next(iter(moving))} moves them, --displacement none where they are moved already"
    )


def displacements(data: Mapping[str, np.ndarray]) -> dict[str, FloatArray]:
    """Arrays (n, 2 or 3) that are called displacements, and components (x,y or x,y,z), by the name to give."""
    found: dict[str, FloatArray] = {}
    parts: dict[str, dict[int, str]] = {}
    for name, values in data.items():
        match = _NAME.match(plain(name))
        if match is None or values.dtype.kind != "f":
            continue
        if values.ndim == 1 and match["axis"]:
            parts.setdefault(plain(name)[:-1], {})[_AXES[match["axis"]]] = name
        elif values.ndim == 2 and values.shape[1] in (2, 3) and not match["axis"]:
            found[name] = values
    for axes in parts.values():
        names = [axes[axis] for axis in sorted(axes)]
        if sorted(axes) in ([0, 1], [0, 1, 2]):
            found[",".join(names)] = np.column_stack([data[name] for name in names])
    return found
