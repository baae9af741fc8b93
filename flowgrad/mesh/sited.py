"""Meshes whose cell values sit elsewhere than at the centroids of the cells."""

from __future__ import annotations

from dataclasses import dataclass

from flowgrad.mesh.mesh import Mesh
from flowgrad.typing import FloatArray


@dataclass(frozen=True, eq=False)
class SitedMesh(Mesh):
    """A mesh whose cell values sit at ``sites`` (cells, 3)."""

    sites: FloatArray

    @property
    def centroids(self) -> FloatArray:
        """Where the cell values sit (n, 3)."""
        return self.sites
