"""Structure of a mesh: the plane that it lies in, the axisymmetric wedge or the lattice that it is, each found once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from flowgrad.mesh.cells import Cells
from flowgrad.mesh.planar import plane_normal
from flowgrad.typing import BoolArray, FloatArray

# Searches that compute with numba are imported when they are first asked for: reading a file does without.
if TYPE_CHECKING:
    from flowgrad.mesh.axisymmetric_wedge import Wedge
    from flowgrad.mesh.lattice_detection import LatticeOf


@dataclass(frozen=True, eq=False)
class Structure:
    """What a mesh of points (n, 3) and cells is; each answer is searched for when first asked for, then kept."""

    points: FloatArray
    cells: Cells

    @cached_property
    def used(self) -> BoolArray:
        """Points (n,) that belong to a cell of full dimension; all where there are no cells."""
        return self.cells.used(len(self.points))

    @property
    def used_points(self) -> FloatArray:
        """Those points (k, 3)."""
        return self.points[self.used]

    @cached_property
    def normal(self) -> FloatArray | None:
        """Unit normal (3,) of the plane that the mesh lies in, exactly a coordinate axis where it is one to
        the rounding of float32 files; None for a line, a curved surface or a solid."""
        return plane_normal(self.used_points) if self.cells.dimension in (0, 2) else None

    @cached_property
    def wedge(self) -> Wedge | None:
        """The axisymmetric wedge, one cell thick, that the mesh is; None for any other mesh."""
        from flowgrad.mesh.axisymmetric_wedge import find_wedge

        return find_wedge(self.points, self.cells)

    @cached_property
    def lattice(self) -> LatticeOf | None:
        """The lattice that the cells are, or the points without cells, in some numbering; None for any other mesh."""
        from flowgrad.mesh.lattice_detection import find_lattice

        return find_lattice(self.points, self.cells)
