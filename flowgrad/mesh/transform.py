"""Scaling, mirroring and moving of meshes: other units of length, an axis turned round, displaced points."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from flowgrad.errors import MeshError
from flowgrad.mesh.lattice import Lattice
from flowgrad.mesh.mesh import Mesh
from flowgrad.typing import FloatArray


def scaled(mesh: Mesh, factors: Sequence[float]) -> Mesh:
    """The mesh with its x, y and z times three factors; MeshError where a negative one would turn cells inside out."""
    f = np.asarray(factors, float)
    if isinstance(mesh, Lattice):
        curve = None if mesh.curve is None else mesh.curve * f
        return Lattice(mesh.axes, mesh.steps * f, mesh.origin * f, curve, mesh.shifts * f)
    if (f < 0).any() and len(mesh):
        raise MeshError(f"the mesh has {len(mesh)} cells, which a turned axis would turn inside out: turn it yourself")
    return Mesh(mesh.points * f, mesh.cells, plates=mesh.plates)


def moved(mesh: Mesh, displacement: FloatArray) -> Mesh:
    """The mesh with its points moved by a displacement (n, 3) of each."""
    return Mesh(mesh.points + displacement, mesh.cells, plates=mesh.plates)
