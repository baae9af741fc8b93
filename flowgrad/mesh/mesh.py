"""Mesh: points and flat cells as VTK stores them, with geometry, topology and structure (its plane, the wedge or the
lattice that it is) that are found once, when first asked for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import MeshError
from flowgrad.mesh.cells import Block, CellFaces, Cells, Recomputed, check_cells
from flowgrad.mesh.planar import plane_normal
from flowgrad.mesh.reference.cell import VTK, cell_name
from flowgrad.reprs import ReprMixin
from flowgrad.typing import BoolArray, FloatArray, IntArray

# What computes with numba is imported when it is first asked for: reading a file does without.
if TYPE_CHECKING:
    from flowgrad.mesh.axisymmetric_wedge import Wedge
    from flowgrad.mesh.joints import Joints
    from flowgrad.mesh.lattice_detection import LatticeOf
    from flowgrad.mesh.topology import Topology
    from flowgrad.mesh.wall_layers import WallLayers


# Cells that may be prisms between two planes.
_PRISMS = {VTK.HEXAHEDRON, VTK.WEDGE, VTK.PYRAMID, VTK.PENTAGONAL_PRISM, VTK.HEXAGONAL_PRISM, VTK.POLYHEDRON}
# Cells looked at first, points of one of them, and how near to a plane, of their extent, points lie in it.
_FEW, _OWN, _LOOSE = 64, 12, 1e-3
# Points in one interval of this fraction of the largest coordinate may be one.
_NEAR = 2.0**-20


@dataclass(frozen=True, eq=False)
class Structure:
    """What a mesh of points (n, 3) and cells, perhaps with plates, is; each answer is searched for when first asked
    for, then kept."""

    points: FloatArray
    cells: Cells
    has_plates: bool = False

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
        if not _may_be_wedge(self.points, self.cells):
            return None
        from flowgrad.mesh.axisymmetric_wedge import find_wedge

        return find_wedge(self.points, self.cells)

    @cached_property
    def lattice(self) -> LatticeOf | None:
        """The lattice that the cells are, or the points without cells, in some numbering; None for any other mesh."""
        if self.has_plates or (len(self.cells) and not _may_be_lattice(self.cells, len(self.points))):
            return None
        from flowgrad.mesh.lattice_detection import find_lattice

        return find_lattice(self.points, self.cells)


def _may_be_wedge(points: FloatArray, cells: Cells) -> bool:
    """Whether the points of some cells lie on two planes: a quick look that spares most solid meshes the
    search. The planes are sought among those through three points of the largest of these cells."""
    solids = {block.reference.vtk_type for block in cells.blocks if block.reference.dimension == 3}
    if not solids or not solids <= _PRISMS:
        return False
    full = np.flatnonzero(cells.is_full)
    some = full[np.unique(np.linspace(0, len(full) - 1, _FEW).astype(int))]
    corners = [points[cells.connectivity[cells.offsets[c] : cells.offsets[c + 1]]] for c in some]
    x = np.concatenate(corners)
    own = corners[int(np.argmax([np.ptp(each, axis=0).max() for each in corners]))][:_OWN]
    loose = _LOOSE * np.ptp(x, axis=0).max()
    return any(_is_flat(x[~on_it], loose) for on_it in _planes(own, x, loose))


def _planes(own: FloatArray, points: FloatArray, loose: float) -> Iterator[BoolArray]:
    """Which points lie in each plane through three of the own ones, where these are a third at least."""
    for i, j, k in combinations(range(len(own)), 3):
        normal = np.cross(own[j] - own[i], own[k] - own[i])
        length = np.linalg.norm(normal)
        if length > 0:
            on_it = np.abs((points - own[i]) @ normal) <= loose * length
            if 3 * on_it.sum() >= len(points):
                yield on_it


def _may_coincide(points: FloatArray) -> bool:
    """Whether some points lie in one interval along every axis: a quick look, which spares most meshes the search."""
    finite = points[np.isfinite(points).all(axis=1)] if not np.isfinite(points.sum()) else points
    size = np.abs(finite).max(initial=0.0)
    if not size:
        return len(finite) > 1
    keys = np.zeros(len(finite), np.int64)
    for axis, factor in enumerate((1, 1 << 21, 1 << 42)):
        keys += factor * np.floor(finite[:, axis] * (1 / (_NEAR * size))).astype(np.int64)
    keys.sort()
    return bool((keys[1:] == keys[:-1]).any())


def _is_flat(points: FloatArray, loose: float) -> bool:
    if len(points) < 4:
        return True
    arms = points - points.mean(axis=0)
    normal = np.linalg.svd(arms, full_matrices=False)[2][2]
    return bool(np.abs(arms @ normal).max() <= loose)


def _may_be_lattice(cells: Cells, point_count: int) -> bool:
    """Whether all cells are quads or all hexahedra whose points have 1, 2, 4 or 8 of them around, and as many as a
    block has corners just one."""
    kinds = set(cells.present_types.tolist())
    if not (kinds <= {VTK.PIXEL, VTK.QUAD} or kinds <= {VTK.VOXEL, VTK.HEXAHEDRON}):
        return False
    size = 4 if VTK.QUAD in kinds or VTK.PIXEL in kinds else 8
    seen = np.bincount(np.bincount(cells.connectivity, minlength=point_count), minlength=size + 1)
    powers = [2**a for a in range(size.bit_length())]
    return len(seen) == size + 1 and seen[1] == size and int(seen[powers].sum()) == point_count


@dataclass(frozen=True, eq=False)
class Mesh(Recomputed, ReprMixin, line="point_count type_counts", table="point_count type_counts dimension"):
    """Points (n, 3) and flat cells in file order; without cells it is a cloud of scattered points.

    ``len(mesh)`` is the number of cells. Planar meshes are stored in 3-D. Raises MeshError for
    points that are not (n, 3), cell types that are not read, connectivity out of range, offsets
    that fall and cells with the wrong number of points. Geometry, topology and structure are computed when
    first asked for and kept.

    Cells are neighbours where their faces coincide, whether they share points or have their own: see
    :mod:`flowgrad.mesh.joints`. ``plates``, faces of cells (rows of ``faces``), are boundary on both sides.
    """

    points: FloatArray
    cells: Cells
    plates: IntArray | None = field(default=None, kw_only=True)

    def __post_init__(self) -> None:
        points = np.ascontiguousarray(self.points, np.float64)
        if points.ndim != 2 or points.shape[1] != 3:
            raise MeshError(f"points have the shape {points.shape}: give (n, 3), planar meshes with z = 0")
        object.__setattr__(self, "points", points)
        check_cells(self.cells, len(points))
        if not self.cells.node_set and self.cells.has_lagrange:
            from flowgrad.mesh.node_recognition import with_node_set

            object.__setattr__(self, "cells", with_node_set(points, self.cells))

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
        return Structure(self.points, self.cells, self.plates is not None and len(self.plates) > 0)

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
    def joints(self) -> Joints | None:
        """Which points are one, because they coincide, or several, on a plate; None where each is just itself."""
        if type(self) is not Mesh or (self.plates is None and not _may_coincide(self.points)):
            return None
        from flowgrad.mesh.joints import find_joints

        plates = np.empty(0, np.int64) if self.plates is None else self.plates
        return find_joints(self.points, self.cells, self.faces if self.dimension else None, plates)

    @cached_property
    def joined(self) -> Mesh:
        """The mesh of the same cells with the points joined: itself where each is just itself."""
        if self.joints is None:
            return self
        mesh = Mesh(self.points[self.joints.source], self.joints.cells, plates=self.joints.plates)
        mesh.__dict__["joints"] = None
        return mesh

    @cached_property
    def topology(self) -> Topology:
        """Shared faces: neighbours and boundary, of the cells of full dimension."""
        from flowgrad.mesh.topology import seen_from, topology

        if self.joints is None:
            return topology(self.points, self.cells, self.faces, lambda: self.signed_measures, self.plates)
        own, joint = self.joints.own, self.joints.joint
        return seen_from(self.joined.topology, self.points, self.cells, self.faces, own, joint)

    @cached_property
    def wall_layers(self) -> WallLayers | None:
        """The thin cells along curved walls, None where there are none."""
        from flowgrad.mesh.wall_layers import find_layers, may_be_layers

        may_have = self.dimension > 1 and not any(block.reference.is_curved for block in self.blocks)
        if not may_have or not may_be_layers(self.points, self.cells):
            return None
        if self.dimension == 2 and self.structure.normal is None:
            return None
        return find_layers(self.topology, self.centroids)

    def apart(self) -> Mesh:
        """The same mesh as a piece of a larger one, whose boundary may be a cut: no walls are looked for."""
        piece = replace(self)
        piece.__dict__["wall_layers"] = piece.joined.__dict__["wall_layers"] = None
        return piece

    def type_counts(self) -> dict[str, int]:
        """Number of cells of each type by name, in the order of VTK's type numbers."""
        counts = np.bincount(self.cells.types, minlength=256)
        return {cell_name(int(t)): int(counts[t]) for t in np.flatnonzero(counts)}
