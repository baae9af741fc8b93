"""What a reader returns: everything a file holds, before anybody decides which array is the velocity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.files import CONTROLS
from flowgrad.mesh import Mesh
from flowgrad.reprs import ReprMixin

Arrays = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Contents(ReprMixin):
    """All of a file: mesh, arrays by name in file order, time if the file tells it.

    Point arrays are (n_points,) or (n_points, k), cell arrays (n_cells,) or (n_cells, k), float64
    or integer, native byte order. ``producer`` is ``"OpenFOAM"`` where the file shows that
    OpenFOAM's tools wrote it (its gradients are transposed), else empty. ``patches`` are surfaces of
    the mesh's boundary that the file names, with the values on them; they become ``Flow.boundary``.
    ``units`` are those that the file tells, by array, ``x`` for the positions; ``invalid`` (n_points,) marks
    the points where the file says that what stands there is no measurement. Raises ReadError for an array's name
    that holds control characters.
    """

    mesh: Mesh
    source: Path
    point_data: Arrays = field(default_factory=dict)
    cell_data: Arrays = field(default_factory=dict)
    field_data: Arrays = field(default_factory=dict)
    time: float | None = None
    producer: str = ""
    patches: Mapping[str, Contents] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    invalid: np.ndarray | None = None

    def __post_init__(self) -> None:
        for name in (*self.point_data, *self.cell_data, *self.field_data):
            if CONTROLS.search(name):
                raise ReadError(f"{self.source}: has the name {ascii(name)[:80]}, which cannot be written: rename it")


def native(values: np.ndarray) -> np.ndarray:
    """Values as Contents keeps them: float64, or their own integer type (uint8 for bool)."""
    if values.dtype.kind == "f":
        # A signalling NaN, as some solvers fill unset cells with, becomes a quiet one without a word.
        with np.errstate(invalid="ignore"):
            return np.ascontiguousarray(values, np.float64)
    return np.ascontiguousarray(values, np.uint8 if values.dtype.kind == "b" else values.dtype.newbyteorder("="))
