"""A flow: a velocity on a mesh, and everything else that is known about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad.errors import OptionError
from flowgrad.files import printable
from flowgrad.mesh import Cells, Mesh

LOCATIONS = ("points", "cells")


@dataclass(frozen=True, eq=False)
class Patch:
    """Velocity known on a part of the boundary.

    ``faces`` (k,) are boundary faces of the mesh (rows of ``mesh.topology.boundary``), ``velocity``
    (k, 3) the values at their centroids.
    """

    name: str
    faces: NDArray[np.int64]
    velocity: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Flow:
    """A velocity (n, 3) at the ``points`` or ``cells`` of a mesh, with all arrays of its file.

    Cell values sit at ``mesh.centroids``. Velocities of shape (n, 2) get a zero third component.
    Raises OptionError for another shape, a wrong length or an unknown location.
    """

    mesh: Mesh
    velocity: NDArray[np.float64]
    location: str
    time: float | None = None
    point_data: Mapping[str, np.ndarray] = field(default_factory=dict)
    cell_data: Mapping[str, np.ndarray] = field(default_factory=dict)
    field_data: Mapping[str, np.ndarray] = field(default_factory=dict)
    boundary: tuple[Patch, ...] = ()
    source: Path | None = None
    velocity_name: str = "velocity"
    producer: str = ""

    def __post_init__(self) -> None:
        if self.location not in LOCATIONS:
            raise OptionError(f"location '{self.location}' is unknown: choose one of {', '.join(LOCATIONS)}")
        object.__setattr__(self, "velocity", _as_vectors(self.velocity, self.velocity_name))
        count = self.count(self.location)
        if len(self.velocity) != count:
            raise OptionError(
                f"{self.velocity_name} has {len(self.velocity)} vectors but the mesh has {count} {self.location}"
            )

    @classmethod
    def from_arrays(
        cls, points: ArrayLike, cells: Cells | None, velocity: ArrayLike, location: str | None = None
    ) -> Flow:
        """A flow from arrays: ``points`` (n, 2) or (n, 3), ``cells`` (None for scattered points),
        ``velocity`` (n, 2) or (n, 3).

        Without ``location`` the length of the velocity tells it; OptionError where it fits both.
        """
        mesh = Mesh(_as_vectors(points, "points"), Cells.empty() if cells is None else cells)
        return cls(
            mesh, _as_vectors(velocity, "velocity"), location or _location_by_length(mesh, np.shape(velocity)[0])
        )

    def count(self, location: str) -> int:
        """Number of points or cells."""
        return len(self.mesh.points) if location == "points" else len(self.mesh)

    def data(self, location: str) -> Mapping[str, np.ndarray]:
        """The arrays at the points or at the cells."""
        return self.point_data if location == "points" else self.cell_data

    @property
    def name(self) -> str:
        """The file's name, or a stand-in for a flow that comes from arrays."""
        return printable(self.source.name) if self.source else "flow"


def _as_vectors(values: ArrayLike, name: str) -> NDArray[np.float64]:
    if np.iscomplexobj(values):
        raise OptionError(f"{name} is complex: give its real or imaginary part")
    if isinstance(values, np.ma.MaskedArray):
        values = np.ma.filled(values.astype(np.float64), np.nan)
    vectors = np.asarray(values, dtype=np.float64)
    if vectors.ndim != 2 or vectors.shape[1] not in (2, 3):
        raise OptionError(f"{name} has the shape {vectors.shape}: give vectors (n, 2) or (n, 3)")
    if vectors.shape[1] == 2:
        vectors = np.column_stack([vectors, np.zeros(len(vectors))])
    return np.ascontiguousarray(vectors)


def _location_by_length(mesh: Mesh, count: int) -> str:
    fits = [name for name, n in (("points", len(mesh.points)), ("cells", len(mesh))) if n == count]
    if len(fits) != 1:
        raise OptionError(
            f"{count} velocities for {len(mesh.points)} points and {len(mesh)} cells: say location='points' or 'cells'"
        )
    return fits[0]
