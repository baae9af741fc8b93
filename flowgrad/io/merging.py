"""The pieces of a parallel data set become one mesh: ghosts go, and the points that pieces share become one.

Two points of different pieces are one where their numbers in the whole (``GlobalPointIds`` or
``GlobalNodeIds``) are equal or, without such numbers, all bits of their coordinates.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import ReadError
from flowgrad.io.contents import Contents
from flowgrad.io.ghosts import copies
from flowgrad.io.pieces import joined
from flowgrad.io.selection import selected
from flowgrad.mesh import Cells, Mesh
from flowgrad.mesh.cells import CellFaces
from flowgrad.typing import IntArray

log = logging.getLogger("flowgrad")

NUMBERS = ("GlobalPointIds", "GlobalNodeIds", "GlobalNodeId")
# Values at a shared point that differ by more than this fraction of the largest are not the same.
_SAME = 1e-5


def merged(pieces: Sequence[Contents]) -> Contents:
    """One Contents of pieces that share points; cells and points in the order of the pieces.

    The values at a shared point are those of the piece that owns it, of the first one where several do.
    Raises ReadError for pieces with different arrays, and for point numbers that contradict the
    coordinates.
    """
    owned = [without_ghosts(piece) for piece in pieces]
    whole = joined(owned)
    piece_of = np.repeat(np.arange(len(owned)), [len(each.mesh.points) for each in owned])
    is_copy = copies(whole.point_data, len(piece_of))
    return _united(whole, _representatives(whole, piece_of, is_copy))


def without_ghosts(piece: Contents) -> Contents:
    """A piece without the cells that another one owns, and without the points that only these use."""
    mesh = piece.mesh
    cells = ~copies(piece.cell_data, len(mesh))
    points = np.ones(len(mesh.points), bool)
    sizes = np.diff(mesh.cells.offsets)
    points[mesh.cells.connectivity[np.repeat(~cells, sizes)]] = False
    if not len(mesh):
        points &= ~copies(piece.point_data, len(points))
    points[mesh.cells.connectivity[np.repeat(cells, sizes)]] = True
    return selected(piece, points, cells)


def _representatives(whole: Contents, piece_of: IntArray, is_copy: NDArray[np.bool_]) -> IntArray:
    """The point that stands for each (n,)."""
    name = next((name for name in NUMBERS if name in whole.point_data), None)
    groups = _by_number(whole, name) if name else _by_place(whole.mesh.points)
    if not name:
        groups = _apart_in_pieces(groups, piece_of, whole)
    # In each group the owner's point first, then that of the earliest piece.
    order = np.lexsort((np.arange(len(groups)), is_copy, groups))
    first = np.ones(len(groups), bool)
    first[1:] = groups[order][1:] != groups[order][:-1]
    chosen = np.empty(len(groups), np.int64)
    chosen[order] = order[first][np.cumsum(first) - 1]
    return chosen


def _by_number(whole: Contents, name: str) -> IntArray:
    numbers = whole.point_data[name]
    if numbers.ndim != 1 or numbers.dtype.kind not in "iu":
        raise ReadError(f"{whole.source}: '{name}' is {numbers.dtype} {numbers.shape}, not one number a point: damaged")
    _, first, groups = np.unique(numbers, return_index=True, return_inverse=True)
    points = whole.mesh.points
    extent = float(np.ptp(points, axis=0).max()) if len(points) else 0.0
    far = np.abs(points - points[first][groups]).max(axis=1, initial=0) > _SAME * extent
    if far.any():
        raise ReadError(
            f"{whole.source}: '{name}' gives {far.sum()} points the number of a point elsewhere, such as "
            f"{numbers[np.flatnonzero(far)[0]]}: leave the array out, or write it again"
        )
    return groups.reshape(-1)


def _by_place(points: np.ndarray) -> IntArray:
    """Numbers of groups of points with the same coordinates (n,)."""
    bits, keys = _bits(points), place_keys(points)
    _, first, groups = np.unique(keys, return_index=True, return_inverse=True)
    groups = groups.reshape(-1)
    if (bits == bits[first][groups]).all():
        return groups
    return np.unique(bits, axis=0, return_inverse=True)[1].reshape(-1)


def place_keys(points: np.ndarray) -> NDArray[np.uint64]:
    """A number of each point (n,), the same at the same place and hardly ever at another."""
    factors = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
    return (_bits(points) * factors).sum(axis=1, dtype=np.uint64)


def _bits(points: np.ndarray) -> NDArray[np.uint64]:
    # Adding zero makes −0 and 0 one.
    return np.ascontiguousarray(points + 0.0).view(np.uint64)


def _apart_in_pieces(groups: IntArray, piece_of: IntArray, whole: Contents) -> IntArray:
    """Groups without the points of which one piece has several at one place, as along a slit: which of
    them belong together the places do not tell."""
    pairs = groups * (int(piece_of.max(initial=0)) + 1) + piece_of
    _, inverse, counts = np.unique(pairs, return_inverse=True, return_counts=True)
    several = np.zeros(int(groups.max(initial=0)) + 1, bool)
    several[groups[counts[inverse.reshape(-1)] > 1]] = True
    apart = several[groups]
    shared = apart & (np.bincount(groups)[groups] > counts[inverse.reshape(-1)])
    if shared.any():
        log.warning(
            "%s: %d points at the edge of a piece lie on others of the same piece and are left apart: write the pieces "
            "with GlobalPointIds",
            whole.source,
            shared.sum(),
        )
    return np.where(apart, len(groups) + np.arange(len(groups)), groups)


def _united(whole: Contents, chosen: IntArray) -> Contents:
    """The contents with every point replaced by the one that stands for it."""
    kept = chosen == np.arange(len(chosen))
    if kept.all():
        return whole
    _compare(whole, chosen)
    number = (np.cumsum(kept) - 1)[chosen]
    cells = whole.mesh.cells
    renumbered: Cells = dataclasses.replace(
        cells,
        connectivity=number[cells.connectivity],
        polyhedra=None if cells.polyhedra is None else _renumbered(cells.polyhedra, number),
    )
    return dataclasses.replace(
        whole,
        mesh=Mesh(whole.mesh.points[kept], renumbered),
        point_data={name: values[kept] for name, values in whole.point_data.items()},
    )


def _renumbered(faces: CellFaces, number: IntArray) -> CellFaces:
    return dataclasses.replace(faces, connectivity=number[faces.connectivity])


def _compare(whole: Contents, chosen: IntArray) -> None:
    """Say where the values at shared points differ from piece to piece."""
    others = np.flatnonzero(chosen != np.arange(len(chosen)))
    for name, values in whole.point_data.items():
        if values.dtype.kind != "f" or not values.size:
            continue
        scale = np.abs(values[np.isfinite(values)]).max(initial=0)
        gap = np.abs(values[others] - values[chosen[others]]).reshape(len(others), -1).max(axis=1)
        differ = gap > _SAME * scale
        if differ.any():
            log.warning(
                "%s: '%s' differs by up to %.3g between pieces at %d shared points: the owner's value is taken",
                *(whole.source, name, gap[differ].max(), differ.sum()),
            )
