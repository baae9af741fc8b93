"""Meshes whose cell values sit elsewhere than at the centroids of the cells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

from flowgrad.mesh.mesh import Mesh
from flowgrad.mesh.topology import Topology, topology
from flowgrad.typing import FloatArray


@dataclass(frozen=True, eq=False)
class SitedMesh(Mesh):
    """A mesh whose cell values sit at ``sites`` (cells, 3), and those on its boundary at the faces'
    centroids times ``boundary_scale`` (3,)."""

    sites: FloatArray
    boundary_scale: FloatArray

    @property
    def centroids(self) -> FloatArray:
        """Where the cell values sit (n, 3)."""
        return self.sites

    @cached_property
    def topology(self) -> Topology:
        """Shared faces; the boundary's centroids are where its values sit."""
        found = topology(self.points, self.cells, self.faces, lambda: self.signed_measures)
        return replace(found, boundary_scale=self.boundary_scale)
