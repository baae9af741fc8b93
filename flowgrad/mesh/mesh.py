"""Mesh: points and flat cells as VTK stores them, with geometry, topology and structure that are computed once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import MeshError
from flowgrad.mesh.cells import Block, CellFaces, Cells, Recomputed, check_cells
from flowgrad.mesh.reference.cell import cell_name
from flowgrad.mesh.structure import Structure
from flowgrad.reprs import ReprMixin
from flowgrad.typing import BoolArray, FloatArray

# What computes with numba is imported when it is first asked for: reading a file does without.
if TYPE_CHECKING:
    from flowgrad.mesh.topology import Topology


@dataclass(frozen=True, eq=False)
class Mesh(Recomputed, ReprMixin, line="point_count type_counts", table="point_count type_counts dimension"):
    """Points (n, 3) and flat cells in file order; without cells it is a cloud of scattered points.

    ``len(mesh)`` is the number of cells. Planar meshes are stored in 3-D. Raises MeshError for
    points that are not (n, 3), cell types that are not read, connectivity out of range, offsets
    that fall and cells with the wrong number of points. Geometry, topology and structure are computed when
    first asked for and kept.
    """

    points: FloatArray
    cells: Cells

    def __post_init__(self) -> None:
        points = np.ascontiguousarray(self.points, np.float64)
        if points.ndim != 2 or points.shape[1] != 3:
            raise MeshError(f"points have the shape {points.shape}: give (n, 3), planar meshes with z = 0")
        object.__setattr__(self, "points", points)
        check_cells(self.cells, len(points))

    def __len__(self) -> int:
        return len(self.cells)

    @property
    def point_count(self) -> int:
        """Number of points."""
        return len(self.points)

    @property
    def dimensions(self) -> NDArray[np.uint8]:
        """Dimension of each cell (n,): 0 to 3."""
        return self.cells.dimensions

    @property
    def dimension(self) -> int:
        """Highest dimension among the cells; cells of a lower one (boundary faces) are not sampled."""
        return self.cells.dimension

    @property
    def is_full(self) -> BoolArray:
        """Cells of the mesh's own dimension (n,)."""
        return self.cells.is_full

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The cells grouped by type."""
        return self.cells.blocks

    @cached_property
    def structure(self) -> Structure:
        """What the mesh is besides points and cells: a plane, a wedge, a lattice; each found once."""
        return Structure(self.points, self.cells)

    @cached_property
    def faces(self) -> CellFaces:
        """Each cell's faces (edges of surface cells, ends of lines)."""
        from flowgrad.mesh.faces import cell_faces

        return cell_faces(self.points, self.cells)

    @cached_property
    def _geometry(self) -> tuple[FloatArray, FloatArray, BoolArray]:
        from flowgrad.mesh.geometry import cell_geometry

        return cell_geometry(self.points, self.cells, lambda: self.faces)

    @property
    def signed_measures(self) -> FloatArray:
        """Volume, area or length of each cell (n,), of full dimension or not; a volume is negative
        where the faces of the cell's VTK numbering look inward."""
        return self._geometry[0]

    @cached_property
    def measures(self) -> FloatArray:
        """Volume, area or length of each cell (n,), never negative."""
        return np.abs(self._geometry[0])

    @property
    def centroids(self) -> FloatArray:
        """Volume centroid of each cell (n, 3), polyhedral faces fanned about their vertex mean."""
        return self._geometry[1]

    def places(self, at: str | FloatArray) -> FloatArray:
        """Positions (m, 3) of the ``points`` or of the centroids of the ``cells``; given positions as they are."""
        if not isinstance(at, str):
            return at
        return self.points if at == "points" else self.centroids

    @property
    def is_folded(self) -> BoolArray:
        """Curved solids whose det J has both signs, at the sites where they are integrated (n,)."""
        return self._geometry[2]

    @cached_property
    def topology(self) -> Topology:
        """Shared faces: neighbours and boundary, of the cells of full dimension."""
        from flowgrad.mesh.topology import topology

        return topology(self.points, self.cells, self.faces, lambda: self.signed_measures)

    def type_counts(self) -> dict[str, int]:
        """Number of cells of each type by name, in the order of VTK's type numbers."""
        counts = np.bincount(self.cells.types, minlength=256)
        return {cell_name(int(t)): int(counts[t]) for t in np.flatnonzero(counts)}
