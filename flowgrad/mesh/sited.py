"""Meshes whose cell values sit elsewhere than at the centroids of the cells."""

from __future__ import annotations

from dataclasses import dataclass
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
        found = topology(self)
        return SitedTopology(self, found.pairs, found.boundary, found.boundary_cells, self.boundary_scale)


@dataclass(frozen=True, eq=False)
class SitedTopology(Topology):
    """The topology of a mesh whose boundary values sit at scaled centroids."""

    scale: FloatArray

    @property
    def boundary_geometry(self) -> tuple[FloatArray, FloatArray]:
        """Area vectors (b, 3) of the boundary faces and where their values sit (b, 3)."""
        area, centroids = super().boundary_geometry
        return area, centroids * self.scale
