"""Positions as they come in: finite, or refused."""

from __future__ import annotations

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.contents import Contents
from flowgrad.mesh import Lattice


def check_points(contents: Contents, where: str, velocity: np.ndarray) -> None:
    """ReadError for points that are not finite, but for holes of a lattice: points without a velocity
    where it lives at the points."""
    mesh = contents.mesh
    if isinstance(mesh, Lattice) and not mesh.is_curved:
        return
    finite = np.isfinite(mesh.points)
    bad = ~(finite[:, 0] & finite[:, 1] & finite[:, 2])
    if isinstance(mesh, Lattice) and where == "points":
        bad &= np.isfinite(velocity).all(axis=1)
    if bad.any():
        raise ReadError(
            f"{contents.source}: {bad.sum()} of {len(bad)} points are not finite, such as number "
            f"{np.flatnonzero(bad)[0]}: write it again"
        )
