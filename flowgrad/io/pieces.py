"""Pieces of a data set as one mesh, without ghosts and with shared points merged; a mesh and its patches.

Two points of different pieces are one where their numbers in the whole (``GlobalPointIds`` or
``GlobalNodeIds``) are equal or, without such numbers, all bits of their coordinates.
"""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import ReadError
from flowgrad.io.formats import Arrays, Contents, listed
from flowgrad.io.ghosts import copies, selected
from flowgrad.io.vtk_xml.polyhedra import of_cells
from flowgrad.mesh import CellFaces, Cells, Mesh
from flowgrad.mesh.places import groups_by_place, place_keys
from flowgrad.typing import IntArray

log = logging.getLogger("flowgrad")

NUMBERS = ("GlobalPointIds", "GlobalNodeIds", "GlobalNodeId")
# Values at a shared point that differ by more than this fraction of the largest are not the same.
_SAME = 1e-5


def joined(pieces: Sequence[Contents]) -> Contents:
    """One Contents of the pieces of one file; what belongs to all of the file comes from the first.

    Raises ReadError for an array that one piece has and another, not empty, has not, or has with
    another number of components.
    """
    return dataclasses.replace(
        pieces[0],
        mesh=_joined_mesh([piece.mesh for piece in pieces]),
        point_data=_joined_data(pieces, "points", lambda piece: (piece.point_data, len(piece.mesh.points))),
        cell_data=_joined_data(pieces, "cells", lambda piece: (piece.cell_data, len(piece.mesh))),
    )


def _joined_data(pieces: Sequence[Contents], location: str, data: Callable[[Contents], tuple[Arrays, int]]) -> Arrays:
    parts = [(number, *data(piece)) for number, piece in enumerate(pieces)]
    # The arrays of a piece that has nothing there say nothing.
    parts = [part for part in parts if part[2]] or parts[:1]
    names = list(dict.fromkeys(name for _, arrays, _ in parts for name in arrays))
    for name in names:
        missing = [number for number, arrays, _ in parts if name not in arrays]
        if missing:
            raise ReadError(
                f"{pieces[0].source}: piece {missing[0]} of {len(pieces)} lacks the array '{name}' "
                f"on {location}, which others have: write it in all pieces"
            )
    return {name: _stacked([arrays[name] for _, arrays, _ in parts], name, pieces[0]) for name in names}


def _stacked(arrays: list[np.ndarray], name: str, first: Contents) -> np.ndarray:
    shapes = {array.shape[1:] for array in arrays}
    if len(shapes) > 1:
        counts = " and ".join(str(int(np.prod(shape))) for shape in sorted(shapes))
        raise ReadError(f"{first.source}: '{name}' has {counts} components in different pieces: write it alike")
    if len({array.dtype.kind for array in arrays}) > 1:
        arrays = [array.astype(np.float64) for array in arrays]
    return np.concatenate(arrays)


def _joined_mesh(meshes: list[Mesh]) -> Mesh:
    points_before = [0, *accumulate(len(mesh.points) for mesh in meshes)]
    parts = [mesh.cells for mesh in meshes]
    faces = degrees = None
    if any(part.polyhedra is not None for part in parts):
        given = [of_cells(part) for part in parts]
        faces = CellFaces(
            _shifted([each.connectivity for each in given], points_before),
            _joined_offsets([each.offsets for each in given]),
            _joined_offsets([each.cell_offsets for each in given]),
        )
    if any(part.degrees is not None for part in parts):
        none = [np.zeros((len(part), 3), np.int64) for part in parts]
        degrees = np.concatenate(
            [rest if part.degrees is None else part.degrees for part, rest in zip(parts, none, strict=True)]
        )
    cells = Cells(
        np.concatenate([part.types for part in parts]),
        _joined_offsets([part.offsets for part in parts]),
        _shifted([part.connectivity for part in parts], points_before),
        faces,
        degrees,
    )
    return Mesh(np.concatenate([mesh.points for mesh in meshes]), cells)


def _joined_offsets(parts: list[np.ndarray]) -> np.ndarray:
    """Offsets of lists one after the other, from those of each list."""
    before = [0, *accumulate(int(part[-1]) for part in parts)]
    return np.concatenate([parts[0][:1], _shifted([part[1:] for part in parts], before)])


def _shifted(parts: list[np.ndarray], shifts: list[int]) -> np.ndarray:
    return np.concatenate([part + shift for part, shift in zip(parts, shifts[: len(parts)], strict=True)])


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
    groups = _by_number(whole, name) if name else groups_by_place(whole.mesh.points)
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
    cells, faces = whole.mesh.cells, whole.mesh.cells.polyhedra
    if faces is not None:
        faces = dataclasses.replace(faces, connectivity=number[faces.connectivity])
    renumbered = dataclasses.replace(cells, connectivity=number[cells.connectivity], polyhedra=faces)
    return dataclasses.replace(
        whole,
        mesh=Mesh(whole.mesh.points[kept], renumbered),
        point_data={name: values[kept] for name, values in whole.point_data.items()},
    )


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


def with_patches(path: Path, parts: Mapping[str, Contents], unite: bool = True) -> Contents:
    """The mesh among the parts, with the others as its patches. Several meshes are one: pieces whose shared points are
    united, or blocks that keep their points (``unite`` False), which are neighbours where they meet
    (:mod:`flowgrad.mesh.joints`).

    Raises ReadError for blocks that lie on each other.
    """
    filled = {name: part for name, part in parts.items() if len(part.mesh) or part.mesh.point_count}
    if not filled:
        raise ReadError(f"{path}: names no file with points: write it again")
    highest = max(part.mesh.dimension for part in filled.values())
    meshes = {name: part for name, part in filled.items() if part.mesh.dimension == highest}
    found = [dataclasses.replace(mesh, source=path) for mesh in meshes.values()]
    if len(found) == 1:
        whole = found[0]
    elif unite:
        whole = merged(found)
    else:
        whole = joined(_alike(path, [without_ghosts(each) for each in found]))
        _check_overlap(whole, list(meshes))
        log.info("%s: %d blocks (%s) are one mesh", path, len(found), ", ".join(meshes))
    patches = {name: part for name, part in filled.items() if name not in meshes}
    return dataclasses.replace(whole, source=path, patches={**whole.patches, **patches})


def _check_overlap(whole: Contents, names: list[str]) -> None:
    """ReadError where the centroids of two cells coincide: a block lies on another, or is there twice."""
    cells = whole.mesh.cells
    filled = np.flatnonzero(np.diff(cells.offsets) > 0)
    if not len(filled):
        return
    sums = np.add.reduceat(whole.mesh.points[cells.connectivity], cells.offsets[:-1][filled], axis=0)
    middles = sums / np.diff(cells.offsets)[filled, None]
    middles = middles[cells.is_full[filled]]
    twice = len(middles) - len(np.unique(place_keys(middles)))
    if twice > 0:
        raise ReadError(
            f"{whole.source}: {twice} cells of its {len(names)} meshes of dimension {cells.dimension} "
            f"({', '.join(names)}) lie where others do: read the file of one of them"
        )


def _alike(path: Path, blocks: list[Contents]) -> list[Contents]:
    """The blocks with the arrays that all of them have, and a warning about others."""
    for data in ("point_data", "cell_data"):
        names = [set(getattr(each, data)) for each in blocks]
        lacking = sorted(set.union(*names) - set.intersection(*names))
        if lacking:
            log.warning("%s: not all of the %d blocks have %s: left out", path, len(blocks), listed(lacking))
            kept = set.intersection(*names)
            found = [
                {name: getattr(each, data)[name] for name in getattr(each, data) if name in kept} for each in blocks
            ]
            blocks = [
                dataclasses.replace(each, point_data=own)
                if data == "point_data"
                else dataclasses.replace(each, cell_data=own)
                for each, own in zip(blocks, found, strict=True)
            ]
    return blocks
