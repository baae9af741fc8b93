"""Faces of polyhedra in VTK's two layouts, to and from :class:`flowgrad.mesh.CellFaces`.

The old layout (before VTK 9.4) is one stream, for each polyhedron: number of faces, then for each
face its number of points and the points; ``faceoffsets`` tells where each cell's part ends, −1 for
other cells. The new one lists all faces once and then the faces of each cell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import ReadError
from flowgrad.mesh import CellFaces, Cells
from flowgrad.mesh import cells as ragged
from flowgrad.typing import IntArray

POLYHEDRON = 42


def from_stream(stream: IntArray, ends: IntArray, types: NDArray[np.uint8]) -> CellFaces:
    """Faces from the old layout: ``stream``, and ``ends`` (n,) for the n cells.

    Raises ReadError where the numbers of faces and points do not add up to the ends.
    """
    chosen = np.flatnonzero(types == POLYHEDRON)
    stops = ends[chosen]
    starts = np.concatenate([[0], stops[:-1]])
    if (stops <= starts).any() or stops[-1] != len(stream):
        raise ReadError(f"'faceoffsets' do not rise to the {len(stream)} entries of 'faces': the file is damaged")
    counts = stream[starts]
    if (counts < 1).any() or (counts > stops - starts).any():
        raise ReadError("a polyhedron in 'faces' has an impossible number of faces: the file is damaged")
    headers = _face_headers(stream, starts, stops, counts)
    kept = np.ones(len(stream), bool)
    kept[starts] = kept[headers] = False
    per_cell = np.zeros(len(types), np.int64)
    per_cell[chosen] = counts
    return CellFaces(stream[kept], ragged.offsets(stream[headers]), ragged.offsets(per_cell))


def _face_headers(stream: IntArray, starts: IntArray, stops: IntArray, counts: IntArray) -> IntArray:
    """Where in the stream each face's number of points stands.

    Goes through the first faces of all cells at once, then through the second ones, …, because the
    place of a face is known only from the one before it.
    """
    first = np.cumsum(counts) - counts
    headers = np.empty(int(counts.sum()), np.int64)
    here, active, face = starts + 1, np.arange(len(starts)), 0
    while len(active):
        places = here[active]
        room = stops[active] - places - 1
        if (room < 1).any() or (stream[places] < 1).any() or (stream[places] > room).any():
            raise ReadError("a face in 'faces' lies outside of its polyhedron: the file is damaged")
        headers[first[active] + face] = places
        here[active] = places + 1 + stream[places]
        face += 1
        active = active[counts[active] > face]
    if (here != stops).any():
        raise ReadError("the faces in 'faces' do not end at 'faceoffsets': the file is damaged")
    return headers


def to_stream(faces: CellFaces, types: NDArray[np.uint8]) -> tuple[IntArray, IntArray]:
    """The old layout (``faces``, ``faceoffsets``) of the polyhedra among cells of these types."""
    is_polyhedron = types == POLYHEDRON
    before = np.cumsum(is_polyhedron)
    # An entry lies behind all points and numbers of points of earlier faces, and one number of
    # faces for each polyhedron so far.
    ends = faces.offsets[faces.cell_offsets[1:]] + faces.cell_offsets[1:] + before
    headers = faces.offsets[:-1] + np.arange(len(faces.offsets) - 1)
    headers += np.repeat(before, np.diff(faces.cell_offsets))
    stream = np.empty(int(ends[-1]) if len(ends) else 0, np.int64)
    points = np.ones(len(stream), bool)
    starts = np.concatenate([[0], ends[is_polyhedron][:-1]])[: is_polyhedron.sum()]
    stream[headers], points[headers] = np.diff(faces.offsets), False
    stream[starts], points[starts] = np.diff(faces.cell_offsets)[is_polyhedron], False
    stream[points] = faces.connectivity
    return stream, np.where(is_polyhedron, ends, -1)


def from_lists(
    cell_count: int, connectivity: IntArray, face_ends: IntArray, listed: IntArray, cell_ends: IntArray
) -> CellFaces:
    """Faces from the new layout: ``face_connectivity``, ``face_offsets``, ``polyhedron_to_faces`` and
    ``polyhedron_offsets``, offsets with or without the leading zero.

    Raises ReadError for offsets that fall or do not fit, and for a face that does not exist.
    """
    # No face is without points, but a cell may be without faces.
    offsets = _from_ends(face_ends, bool((face_ends[:1] == 0).any()), "face_offsets", len(connectivity))
    cell_offsets = _from_ends(cell_ends, len(cell_ends) > cell_count, "polyhedron_offsets", len(listed))
    if len(cell_offsets) != cell_count + 1 or (offsets[1:] == offsets[:-1]).any():
        raise ReadError(
            f"'polyhedron_offsets' has {len(cell_ends)} values for {cell_count} cells, or 'face_offsets' has a face "
            "without points: the file is damaged"
        )
    if len(listed) and (listed.min() < 0 or listed.max() >= len(offsets) - 1):
        raise ReadError(f"'polyhedron_to_faces' goes beyond the {len(offsets) - 1} faces: the file is damaged")
    if np.bincount(listed).max(initial=0) > 2:
        raise ReadError("'polyhedron_to_faces' gives a face to more than two polyhedra: the file is damaged")
    if np.array_equal(listed, np.arange(len(offsets) - 1)):
        return CellFaces(connectivity, offsets, cell_offsets)
    sizes = np.diff(offsets)[listed]
    return CellFaces(connectivity[ragged.runs(offsets[listed], sizes)], ragged.offsets(sizes), cell_offsets)


def _from_ends(ends: IntArray, has_zero: bool, name: str, stop: int) -> IntArray:
    offsets = ends if has_zero else np.concatenate([[0], ends])
    if (offsets[1:] < offsets[:-1]).any() or offsets[0] != 0 or offsets[-1] != stop:
        raise ReadError(f"'{name}' do not rise from 0 to {stop}: the file is damaged")
    return offsets.astype(np.int64)


def of_cells(cells: Cells) -> CellFaces:
    """The faces of the polyhedra, or empty lists where there are none."""
    if cells.polyhedra is not None:
        return cells.polyhedra
    none = np.zeros(len(cells) + 1, np.int64)
    return CellFaces(np.empty(0, np.int64), np.zeros(1, np.int64), none)
