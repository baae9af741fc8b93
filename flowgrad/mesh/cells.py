"""Flat cells as VTK stores them: their blocks of one type, the checks that they belong to a mesh, and the runs of
different lengths in flat arrays that offsets delimit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import MeshError
from flowgrad.mesh.reference.cell import ReferenceCell, cell_name
from flowgrad.mesh.reference.lagrange import LAGRANGE_CELLS, lagrange_cell
from flowgrad.mesh.reference.linear import REFERENCE_CELLS
from flowgrad.mesh.reference.node_sets import EQUISPACED
from flowgrad.reprs import ReprMixin
from flowgrad.typing import BoolArray, IntArray

# Degrees of Lagrange cells stay below this.
_MANY = 64
# Cells that are checked together: their numbers stay in the cache.
_AT_ONCE = 1 << 17

# By VTK's number of the type.
DIMENSIONS = np.zeros(256, np.uint8)
_SIZE = np.zeros(256, np.int64)
for _cell in REFERENCE_CELLS.values():
    DIMENSIONS[_cell.vtk_type] = _cell.dimension
    _SIZE[_cell.vtk_type] = _cell.size
for _kind in LAGRANGE_CELLS.values():
    DIMENSIONS[_kind.vtk_type] = _kind.family.dimension


class Recomputed:
    """Copies and other processes get what an object is made of, and compute its cached properties anew."""

    def __getstate__(self) -> dict[str, Any]:
        return {
            name: value
            for name, value in self.__dict__.items()
            if not isinstance(getattr(type(self), name, None), cached_property)
        }


@dataclass(frozen=True, eq=False)
class CellFaces(ReprMixin):
    """Faces listed cell after cell, each cell with its own copy.

    Face ``f`` has the points ``connectivity[offsets[f]:offsets[f + 1]]``; cell ``c`` has the faces
    ``cell_offsets[c]`` to ``cell_offsets[c + 1] - 1``.
    """

    connectivity: IntArray
    offsets: IntArray
    cell_offsets: IntArray

    def of(self, cells: IntArray) -> tuple[IntArray, IntArray]:
        """The faces of some cells (f,), one cell after the other, and how many each has (m,)."""
        counts = np.diff(self.cell_offsets)[cells]
        return runs(self.cell_offsets[cells], counts), counts

    def take(self, faces: IntArray) -> tuple[IntArray, IntArray]:
        """Some of the faces as polygons: offsets (k + 1,) and point numbers."""
        return take(self.offsets, self.connectivity, faces)


@dataclass(frozen=True, eq=False)
class Block(ReprMixin):
    """The cells of one type, of Lagrange cells those of one degree: their numbers in the mesh (m,) and,
    where all have as many points, their points (m, k)."""

    reference: ReferenceCell
    cells: IntArray
    rows: IntArray | None


@dataclass(frozen=True, eq=False)
class Cells(Recomputed, ReprMixin):
    """Flat cells in file order: cell ``c`` has the points ``connectivity[offsets[c]:offsets[c + 1]]``.

    ``types`` (n,) holds VTK's type numbers, ``offsets`` (n + 1,) starts with 0. ``polyhedra`` has the
    faces of the polyhedra (other cells have none there); it is None in a mesh without polyhedra.
    ``degrees`` (n, 3) are those of Lagrange cells along their axes, zeros where the number of points
    tells them; None where it does everywhere. ``node_set`` names where the nodes of Lagrange cells sit, one of
    :data:`~flowgrad.mesh.reference.node_sets.NODE_SETS`; "" where a mesh is to recognise it.
    """

    types: NDArray[np.uint8]
    offsets: IntArray
    connectivity: IntArray
    polyhedra: CellFaces | None = None
    degrees: IntArray | None = None
    node_set: str = ""

    def __len__(self) -> int:
        return len(self.types)

    @classmethod
    def empty(cls) -> Cells:
        """No cells: the mesh is a cloud of points."""
        return cls(np.empty(0, np.uint8), np.zeros(1, np.int64), np.empty(0, np.int64))

    @classmethod
    def of_type(cls, vtk_type: int, rows: IntArray) -> Cells:
        """Cells of one type from an (n, k) array of point numbers."""
        rows = np.ascontiguousarray(rows, np.int64)
        count, size = rows.shape
        types = np.full(count, vtk_type, np.uint8)
        return cls(types, np.arange(count + 1, dtype=np.int64) * size, rows.ravel())

    def take(self, chosen: IntArray) -> Cells:
        """Some of the cells, polyhedra without their faces."""
        offsets, connectivity = take(self.offsets, self.connectivity, chosen)
        degrees = None if self.degrees is None else self.degrees[chosen]
        return Cells(self.types[chosen], offsets, connectivity, None, degrees, self.node_set)

    @cached_property
    def dimensions(self) -> NDArray[np.uint8]:
        """Dimension of each cell (n,): 0 to 3."""
        present = self.present_types
        return np.full(len(self), DIMENSIONS[present[0]]) if len(present) == 1 else DIMENSIONS[self.types]

    @cached_property
    def dimension(self) -> int:
        """Highest dimension among the cells."""
        return int(self.dimensions.max(initial=0))

    @cached_property
    def is_full(self) -> BoolArray:
        """Cells of the highest dimension (n,)."""
        return self.dimensions == self.dimension

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The cells grouped by type."""
        return tuple(self._block(reference, chosen) for reference, chosen in _kinds(self))

    def _block(self, reference: ReferenceCell, chosen: IntArray) -> Block:
        if not reference.size:
            return Block(reference, chosen, None)
        if len(chosen) == len(self):
            return Block(reference, chosen, self.connectivity.reshape(-1, reference.size))
        return Block(reference, chosen, self.connectivity[self.offsets[chosen][:, None] + np.arange(reference.size)])

    @property
    def has_lagrange(self) -> bool:
        """Whether there are Lagrange cells."""
        return any(vtk_type in LAGRANGE_CELLS for vtk_type in self.present_types.tolist())

    @property
    def notes(self) -> tuple[str, ...]:
        """That Lagrange cells have other nodes than VTK's definition says."""
        if self.node_set in ("", EQUISPACED.name):
            return ()
        count = int(np.isin(self.types, list(LAGRANGE_CELLS)).sum())
        return (
            f"the nodes of {count} Lagrange cells are not equispaced, as VTK takes them, but Gauss–Lobatto nodes "
            f"({self.node_set}), as straight edges show: interpolated in that basis",
        )

    @property
    def present_types(self) -> IntArray:
        """VTK's numbers of the types of the cells, in their order."""
        types = self.types
        if len(types) and (types == types[0]).all():
            return types[:1].astype(np.int64)
        return np.flatnonzero(np.bincount(types, minlength=256))

    def used(self, point_count: int) -> BoolArray:
        """Points (n,) that belong to a cell of the highest dimension; all where there are no cells."""
        if not len(self):
            return np.ones(point_count, bool)
        used = np.zeros(point_count, bool)
        own = self.connectivity
        if not self.is_full.all():
            own = own[np.repeat(self.is_full, np.diff(self.offsets))]
        used[own] = True
        return used


def _kinds(cells: Cells) -> Iterator[tuple[ReferenceCell, IntArray]]:
    """The reference cells and the numbers of the cells that they stand for."""
    present = cells.present_types
    for vtk_type in present:
        chosen = np.arange(len(cells)) if len(present) == 1 else np.flatnonzero(cells.types == vtk_type)
        if vtk_type in LAGRANGE_CELLS:
            yield from _lagrange_kinds(cells, int(vtk_type), chosen)
        else:
            yield REFERENCE_CELLS[int(vtk_type)], chosen


def _lagrange_kinds(cells: Cells, vtk_type: int, chosen: IntArray) -> Iterator[tuple[ReferenceCell, IntArray]]:
    """By number of points and degrees; MeshError for a number of points that fits no degree."""
    degrees = np.zeros((len(chosen), 3), np.int64) if cells.degrees is None else cells.degrees[chosen]
    node_set = cells.node_set or EQUISPACED.name
    keys = np.diff(cells.offsets)[chosen]
    for axis in range(3):
        keys = keys * _MANY + degrees[:, axis]
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    for number, start in enumerate(first):
        count, (p, q, r) = np.diff(cells.offsets)[chosen[start]], degrees[start].tolist()
        yield lagrange_cell(vtk_type, int(count), (p, q, r), node_set), chosen[inverse == number]


def check_cells(cells: Cells, point_count: int) -> None:
    """MeshError for cell types that are not read, connectivity out of range, offsets that fall, and cells with the
    wrong number of points."""
    _check_offsets(cells.offsets, len(cells), len(cells.connectivity), "cells", "point numbers")
    degrees = cells.degrees
    if degrees is not None and (
        degrees.shape != (len(cells), 3) or degrees.min(initial=0) < 0 or degrees.max(initial=0) >= _MANY
    ):
        raise MeshError(
            f"degrees have the shape {degrees.shape} and go up to {degrees.max(initial=0)} for {len(cells)} cells: "
            f"give three below {_MANY} for each"
        )
    _check_types(cells)
    _check_range(cells.connectivity, point_count, "connectivity")
    faces = cells.polyhedra
    if faces is not None:
        face_count = len(faces.offsets) - 1
        _check_offsets(faces.offsets, face_count, len(faces.connectivity), "polyhedron faces", "point numbers")
        _check_offsets(faces.cell_offsets, len(cells), face_count, "polyhedra", "faces")
        _check_range(faces.connectivity, point_count, "polyhedron faces")


def _check_offsets(offsets: IntArray, count: int, length: int, what: str, of: str) -> None:
    if len(offsets) != count + 1 or offsets[0] != 0 or (offsets[1:] < offsets[:-1]).any():
        raise MeshError(f"offsets of the {what} do not rise from 0 over {count} {what}: the file is damaged")
    if offsets[-1] != length:
        raise MeshError(f"the {what} use {offsets[-1]} {of} and there are {length}: the file is damaged")


def _check_types(cells: Cells) -> None:
    present = cells.present_types
    for vtk_type in present.tolist():
        if vtk_type in LAGRANGE_CELLS:
            list(_lagrange_kinds(cells, vtk_type, np.flatnonzero(cells.types == vtk_type)))
        elif vtk_type not in REFERENCE_CELLS:
            count = np.count_nonzero(cells.types == vtk_type)
            raise MeshError(
                f"{count} cells of the type {cell_name(vtk_type)} ({vtk_type}) are not supported yet: convert them"
            )
    for start in range(0, len(cells), _AT_ONCE):
        sizes = np.diff(cells.offsets[start : start + _AT_ONCE + 1])
        due = _SIZE[present if len(present) == 1 else cells.types[start : start + _AT_ONCE]]
        wrong = np.flatnonzero((sizes != due) & (due > 0))
        if len(wrong):
            cell, size = start + wrong[0], sizes[wrong[0]]
            vtk_type = int(cells.types[cell])
            raise MeshError(
                f"cell {cell} is a {cell_name(vtk_type)} with {size} points instead of {_SIZE[vtk_type]}: "
                "the file is damaged"
            )


def _check_range(connectivity: IntArray, point_count: int, what: str) -> None:
    # As unsigned numbers, negative ones are the largest.
    unsigned = connectivity.view(f"u{connectivity.itemsize}")
    if len(connectivity) and unsigned.max() >= point_count:
        wrong = np.flatnonzero((connectivity < 0) | (connectivity >= point_count))
        raise MeshError(
            f"{what} names point {connectivity[wrong[0]]} (and {len(wrong) - 1} more) but there are "
            f"{point_count} points: the file is damaged"
        )


def offsets(sizes: IntArray) -> IntArray:
    """Where each of consecutive runs of the given sizes starts, and the end: (n + 1,)."""
    result = np.zeros(len(sizes) + 1, np.int64)
    np.cumsum(sizes, out=result[1:])
    return result


def runs(starts: IntArray, sizes: IntArray) -> IntArray:
    """The integers start, start + 1, … of every run, one run after another."""
    ends = np.cumsum(sizes)
    total = int(ends[-1]) if len(ends) else 0
    return np.arange(total) + np.repeat(starts - (ends - sizes), sizes)


def take(starts: IntArray, values: np.ndarray, chosen: IntArray) -> tuple[IntArray, np.ndarray]:
    """Some of the runs of an array, those between consecutive ``starts`` (n + 1,): their offsets and values."""
    sizes = np.diff(starts)[chosen]
    return offsets(sizes), values[runs(starts[chosen], sizes)]


def corners(cells: Cells, chosen: IntArray) -> tuple[IntArray, IntArray]:
    """Where the points of some cells stand in the connectivity (k,), and of which cell each is (k,)."""
    sizes = np.diff(cells.offsets)[chosen]
    return runs(cells.offsets[chosen], sizes), np.repeat(chosen, sizes)


def successor(starts: IntArray) -> IntArray:
    """Place of the next entry in the ring of each (m,), where the runs between ``starts`` (n + 1,) are rings: after the
    last one comes the first."""
    following = np.arange(1, starts[-1] + 1)
    filled = np.diff(starts) > 0
    following[starts[1:][filled] - 1] = starts[:-1][filled]
    return following
