"""What is to be told of walls: a few numbers for each patch."""

from __future__ import annotations

from typing import Any

import numpy as np

from flowgrad.typing import FloatArray
from flowgrad.walls.walls import Walls


def walls_summary(walls: Walls) -> dict[str, Any]:
    """For each patch its faces and area, the wall shear rate and, where the viscosity is known, the wall shear
    stress, force and moment about the origin, split into pressure and viscous force; and the notes."""
    patches = {name: _patch(walls, name) for name in walls.names}
    return {"scheme": walls.gradient.scheme, "patches": patches, "notes": list(walls.notes)}


def _patch(walls: Walls, name: str) -> dict[str, Any]:
    chosen = walls.on(name)
    found: dict[str, Any] = {"faces": int(chosen.sum()), "area": float(walls.areas[chosen].sum())}
    found["wall_shear_rate"] = _range(walls.wall_shear_rate[chosen], walls.areas[chosen])
    if walls.viscosity is None:
        return found
    stress = np.sqrt((walls.wall_shear_stress[chosen] ** 2).sum(axis=1))
    found["wall_shear_stress"] = _range(stress, walls.areas[chosen])
    found["force"] = walls.force(name)
    found["viscous_force"] = walls.viscous_force(name)
    if walls.pressure is not None:
        found["pressure_force"] = walls.pressure_force(name)
    return {**found, "moment": walls.moment(name)}


def _range(values: FloatArray, areas: FloatArray) -> dict[str, float]:
    known = np.isfinite(values)
    if not known.any():
        return {"minimum": np.nan, "mean": np.nan, "maximum": np.nan}
    values, areas = values[known], areas[known]
    return {"minimum": values.min(), "mean": float(areas @ values / areas.sum()), "maximum": values.max()}
