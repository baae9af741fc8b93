"""What a reader returns: everything a file holds, before anybody decides which array is the velocity."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from flowgrad.mesh import Mesh

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Contents:
    """All of a file: mesh, arrays by name in file order, time if the file tells it.

    Point arrays are (n_points,) or (n_points, k), cell arrays (n_cells,) or (n_cells, k), float64
    or integer, native byte order. ``producer`` is ``"OpenFOAM"`` where the file shows that
    OpenFOAM's tools wrote it (its gradients are transposed), else empty.
    """

    mesh: Mesh
    source: Path
    point_data: Arrays = field(default_factory=dict)
    cell_data: Arrays = field(default_factory=dict)
    field_data: Arrays = field(default_factory=dict)
    time: float | None = None
    producer: str = ""


def native(values: np.ndarray) -> np.ndarray:
    """Values as Contents keeps them: float64, or their own integer type (uint8 for bool)."""
    if values.dtype.kind == "f":
        # A signalling NaN, as some solvers fill unset cells with, becomes a quiet one without a word.
        with np.errstate(invalid="ignore"):
            return np.ascontiguousarray(values, np.float64)
    return np.ascontiguousarray(values, np.uint8 if values.dtype.kind == "b" else values.dtype.newbyteorder("="))
