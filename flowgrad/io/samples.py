"""Velocities measured or written at points: positions and arrays become a lattice, or scattered points."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import ReadError
from flowgrad.io.columns import invalid_rows
from flowgrad.io.contents import Arrays, Contents
from flowgrad.mesh import Cells, Lattice, Mesh

log = logging.getLogger("flowgrad")


def contents_of(
    path: Path,
    points: NDArray[np.float64],
    data: Arrays,
    shape: tuple[int, int, int] | None = None,
    units: dict[str, str] | None = None,
    time: float | None = None,
) -> Contents:
    """Arrays (n,) or (n, k) at points (n, 3) as Contents: on a lattice along x, y and z, in its order, where the
    points are all of one; on a curved one of ``shape`` (the first index fastest) where it is given; or scattered.

    Raises ReadError for positions that are not finite and where all vectors are marked as invalid.
    """
    from flowgrad.mesh.lattice_detection import lattice_geometry

    _check(points)
    mesh = Mesh(points, Cells.empty())
    found = mesh.structure.lattice
    if found is not None:
        mesh, data = Lattice(*found.geometry), {name: values[found.points] for name, values in data.items()}
    elif shape is not None:
        mesh = Lattice(*lattice_geometry(points, np.array(shape)))
    invalid, said = invalid_rows(data)
    if said:
        log.info("%s: of %d vectors, as invalid are left out: %s", path, len(points), ", ".join(said))
    return Contents(mesh, path, point_data=data, time=time, units=units or {}, invalid=invalid)


def _check(points: NDArray[np.float64]) -> None:
    if len(points) < 2:
        raise ReadError(f"has {len(points)} points: a gradient needs more, give the whole field")
    bad = np.flatnonzero(~np.isfinite(points).all(axis=1))
    if len(bad):
        raise ReadError(
            f"the position in row {bad[0] + 1} (and {len(bad) - 1} more) is not finite: leave such rows out"
        )
