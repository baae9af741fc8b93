"""Summary of walls: what a machine and a table want to know of each patch."""

from __future__ import annotations

from typing import Any

import numpy as np

from flowgrad.typing import FloatArray
from flowgrad.walls.result import Walls


def walls_summary(walls: Walls) -> dict[str, Any]:
    """For each patch its faces and area, the wall shear rate and, where the viscosity is known, the wall shear
    stress, wall units, force and moment about the origin, split into pressure and viscous force; and the notes."""
    patches = {}
    for name in walls.names:
        chosen = walls.on(name)
        found: dict[str, Any] = {"faces": int(chosen.sum()), "area": float(walls.areas[chosen].sum())}
        patches[name] = found
        for name_of, values in (("wall_shear_rate", walls.wall_shear_rate), ("wall_shear_rate_error", walls.error)):
            found[name_of] = _range(values[chosen], walls.areas[chosen])
        if walls.viscosity is None:
            continue
        stress = np.sqrt((walls.wall_shear_stress[chosen] ** 2).sum(axis=1))
        found["wall_shear_stress"] = _range(stress, walls.areas[chosen])
        for unit in walls.wall_units:
            found[unit] = _range(getattr(walls, unit)[chosen], walls.areas[chosen])
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
