"""Several pieces of a file become one: points and cells one after the other, arrays joined by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from itertools import accumulate

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.contents import Arrays, Contents
from flowgrad.io.polyhedra import of_cells
from flowgrad.mesh import CellFaces, Cells, Mesh


def joined(pieces: Sequence[Contents]) -> Contents:
    """One Contents of the pieces of one file; what belongs to all of the file comes from the first.

    Raises ReadError for an array that one piece has and another, not empty, has not, or has with
    another number of components.
    """
    if len(pieces) == 1:
        return pieces[0]
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
    shifts = [0, *accumulate(len(mesh.points) for mesh in meshes)]
    cells = [mesh.cells for mesh in meshes]
    has_polyhedra = any(part.polyhedra is not None for part in cells)
    joined_cells = Cells(
        np.concatenate([part.types for part in cells]),
        _joined_offsets([part.offsets for part in cells]),
        _shifted([part.connectivity for part in cells], shifts),
        _joined_faces([of_cells(part) for part in cells], shifts) if has_polyhedra else None,
        _joined_degrees(cells),
    )
    return Mesh(np.concatenate([mesh.points for mesh in meshes]), joined_cells)


def _joined_degrees(parts: list[Cells]) -> np.ndarray | None:
    if all(part.degrees is None for part in parts):
        return None
    return np.concatenate(
        [np.zeros((len(part), 3), np.int64) if part.degrees is None else part.degrees for part in parts]
    )


def _joined_faces(parts: list[CellFaces], shifts: list[int]) -> CellFaces:
    return CellFaces(
        _shifted([part.connectivity for part in parts], shifts),
        _joined_offsets([part.offsets for part in parts]),
        _joined_offsets([part.cell_offsets for part in parts]),
    )


def _joined_offsets(parts: list[np.ndarray]) -> np.ndarray:
    shifts = [0, *accumulate(int(part[-1]) for part in parts)]
    return np.concatenate([parts[0][:1], *_each_shifted([part[1:] for part in parts], shifts)])


def _shifted(parts: list[np.ndarray], shifts: list[int]) -> np.ndarray:
    return np.concatenate(_each_shifted(parts, shifts))


def _each_shifted(parts: list[np.ndarray], shifts: list[int]) -> list[np.ndarray]:
    return [part + shift for part, shift in zip(parts, shifts, strict=False)]
