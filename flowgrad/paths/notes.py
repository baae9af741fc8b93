"""What became of the particles, in words."""

from __future__ import annotations

import numpy as np

from flowgrad.paths.field import Field
from flowgrad.typing import FloatArray


def notes_of(field: Field, left: FloatArray, start: float) -> tuple[str, ...]:
    """How many particles were outside at the start, how many left (n,) and when first; what is known of the field."""
    outside = left == start
    gone = ~np.isnan(left) & ~outside
    notes = []
    if outside.any():
        notes.append(f"{int(outside.sum())} of {len(left)} particles start outside the flow")
    if gone.any():
        first = left[gone][np.abs(left[gone] - start).argmin()]
        notes.append(f"{int(gone.sum())} of {len(left)} particles leave the flow, the first at t = {first:.6g}")
    return (*notes, *field.notes)
