"""Symbol, dimension and description of arrays by their names, from the records of the quantities."""

from __future__ import annotations

import re

from flowgrad.kinematics import QUANTITIES

_PART = re.compile(r"_(?:[xyz]{1,2}|\d+|std|mean|rms|minimum|maximum)$")
_OTHERS = {
    "velocity": {"symbol": "v", "dimension": "L/T", "description": "Velocity."},
    "eta": {"symbol": r"\eta", "dimension": "", "description": "Viscosity of the extra stress τ = 2ηD."},
}


def about_of(name: str) -> dict[str, str]:
    """What the record of an array, or of its component, mean or deviation, says; nothing where there is none."""
    plain = name
    while plain not in QUANTITIES and _PART.search(plain):
        plain = _PART.sub("", plain)
    if plain not in QUANTITIES:
        return {key: value for key, value in _OTHERS.get(plain, {}).items() if value}
    record = QUANTITIES[plain]
    return {"symbol": record.symbol, "dimension": record.dimension, "description": record.description}
