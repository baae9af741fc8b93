"""Joints of a mesh: its coincident points as one, so that cells which own their points, and blocks that meet, have
neighbours; and the plates across which nothing is joined.

Points coincide where their coordinates agree to the rounding of float32. Whether they are one is told by the faces:

* Pieces of a mesh, sets of cells that share points by number, are neighbours where their faces coincide: discontinuous
  Galerkin codes write each cell, or each subdivided element, with points of its own, multi-block codes each block.
* Within one piece the two sides of a slit stay apart where it ends inside the mesh: at the rim of a plate of no
  thickness, or of a crack, both sides share points. A slit without a rim is the seam of a block that closes upon
  itself, and is joined.
* Faces stay apart where cells of lower dimension (boundary triangles) or patches lie on both sides: ``plates``.

The points of a plate are parted by the cells around them: those that reach each other across faces off the plate have
the same point.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from flowgrad.mesh.cells import CellFaces, Cells, take
from flowgrad.mesh.places import groups_by_place
from flowgrad.mesh.topology import point_set_keys, proper_faces, same_keys
from flowgrad.reprs import ReprMixin
from flowgrad.typing import BoolArray, FloatArray, IntArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Coordinates of one place differ by no more than this fraction of the largest, a few roundings of float32, and than
# this one of the shortest edge there.
ROUNDING, _OF_EDGE = 2.0**-22, 1e-3
# Values at one place that differ by no more than this fraction of the largest are the same: float32 files.
_SAME = 1e-5


@dataclass(frozen=True, eq=False)
class Joints(ReprMixin):
    """A mesh of n points as one of k, whose ``cells`` and their faces have the same numbers.

    Point ``own[i]`` of the one is point ``joint[i]`` of the other (q,), sorted by ``own``; a point on a plate may be
    several. ``plates`` are the faces across which nothing is joined, ``met`` those at which pieces of several cells
    meet and are joined; ``notes`` say what was joined and what was not.
    """

    cells: Cells
    own: IntArray
    joint: IntArray
    point_count: int
    plates: IntArray
    notes: tuple[str, ...]
    met: IntArray = field(default_factory=lambda: np.empty(0, np.int64))

    @cached_property
    def source(self) -> IntArray:
        """The first own point of each joined one (k,)."""
        found = np.empty(int(self.joint.max(initial=-1)) + 1, np.int64)
        found[self.joint[::-1]] = self.own[::-1]
        return found

    @cached_property
    def first(self) -> IntArray:
        """For each own point (n,) its joined one, the first of several; −1 for those in no cell."""
        found = np.full(self.point_count, -1)
        found[self.own[::-1]] = self.joint[::-1]
        return found

    @cached_property
    def parted(self) -> IntArray:
        """Own points that are several: both sides of a plate."""
        return np.flatnonzero(np.bincount(self.own, minlength=self.point_count) > 1)

    @cached_property
    def means(self) -> csr_array:
        """Sparse (k, n): means over the own points that are one."""
        return _means(self.joint, self.own, (len(self.source), self.point_count))

    @cached_property
    def copies(self) -> csr_array:
        """Sparse (n, k): to each own point what it is of the joined ones, the mean of the sides of a plate."""
        return _means(self.own, self.joint, (self.point_count, len(self.source)))

    def joined(self, values: np.ndarray) -> np.ndarray:
        """Values (n, …) at the own points as those at the joined ones (k, …): where they differ the mean over those
        that are finite, of whole numbers the first."""
        found = values[self.source]
        if values.dtype.kind != "f":
            return found
        flat = values.reshape(len(values), -1)
        one, other = flat[self.own], found.reshape(len(found), -1)[self.joint]
        differ = ((one != other) & ~(np.isnan(one) & np.isnan(other))).any(axis=1)
        if differ.any():
            mixed = np.unique(self.joint[differ])
            rows, finite = self.means[mixed], np.isfinite(flat)
            with np.errstate(invalid="ignore", divide="ignore"):
                mean = (rows @ np.where(finite, flat, 0.0)) / (rows @ finite.astype(float))
            found[mixed] = mean.reshape(-1, *values.shape[1:])
        return found

    def returned(self, values: np.ndarray) -> np.ndarray:
        """Values (k, …) at the joined points as those at the own ones (n, …): a copy for each, the mean of the sides
        of a plate; NaN at points in no cell."""
        found = values[np.maximum(self.first, 0)]
        if (self.first < 0).any():
            found[self.first < 0] = np.nan
        if len(self.parted):
            both = self.copies[self.parted] @ values.reshape(len(values), -1)
            found[self.parted] = both.reshape(-1, *values.shape[1:])
        return found

    def jump(self, values: FloatArray) -> tuple[float, int]:
        """How far vectors (n, 3) at points that are one lie from their mean at most, and the number of places where
        they differ by more than rounding."""
        gap = np.sqrt(((values[self.own] - self.joined(values)[self.joint]) ** 2).sum(axis=1))
        gap[~np.isfinite(gap)] = 0.0
        largest = np.sqrt(np.nanmax((values**2).sum(axis=1), initial=0.0))
        differ = gap > _SAME * largest
        return float(gap.max(initial=0.0)), len(np.unique(self.joint[differ]))


def _means(rows: IntArray, columns: IntArray, shape: tuple[int, int]) -> csr_array:
    from scipy.sparse import csr_array

    return csr_array((1.0 / np.bincount(rows, minlength=shape[0])[rows], (rows, columns)), shape=shape)


def find_joints(points: FloatArray, cells: Cells, faces: CellFaces | None, plates: IntArray) -> Joints | None:
    """The joints of a mesh whose cells have these ``faces``, nothing joined across those that are ``plates``; None
    where no points coincide and nothing is to be parted. Scattered points that coincide are one (no ``faces``)."""
    place = _by_appearance(groups_by_place(points))
    if faces is None:
        joint = place
        copies = len(points) - len(np.unique(place))
        once = (f"{copies} of {len(points)} points lie where others do and count once",)
        return Joints(cells, np.arange(len(points)), joint, len(points), plates, once) if copies else None
    meeting = _Meeting.of(points, cells, faces, place)
    apart, notes = meeting.apart(points, plates)
    own, joint, renumbered = _renumbered(points, meeting, apart)
    copies = len(own) - (int(joint.max(initial=-1)) + 1)
    if not copies and not apart.any():
        return None
    if copies:
        notes = (f"{copies} of {len(points)} points are copies of others at the same places: joined", *notes)
    both = meeting.rows[np.concatenate([meeting.first[apart], meeting.second[apart]])]
    met = meeting.rows[meeting.first[meeting.met[~apart[meeting.met]]]] if meeting.has_pieces else both[:0]
    return Joints(renumbered, own, joint, len(points), np.union1d(plates, both), notes, met)


def _by_appearance(groups: IntArray) -> IntArray:
    """The same groups (n,), numbered in the order in which they first appear."""
    _, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first, kind="stable")] = np.arange(len(first))
    return rank[inverse.reshape(-1)]


@dataclass(frozen=True, eq=False)
class _Meeting:
    """The faces of a mesh by the places (n,) of their points: proper ``rows`` of the faces (f,), their cells, offsets
    and points, ``keys`` of the places; ``first`` and ``second`` (p,) are the pairs that coincide."""

    cells: Cells
    place: IntArray
    rows: IntArray
    owner: IntArray
    start: IntArray
    corners: IntArray
    keys: IntArray
    first: IntArray
    second: IntArray

    @classmethod
    def of(cls, points: FloatArray, cells: Cells, faces: CellFaces, place: IntArray) -> _Meeting:
        """Those of a mesh, places that differ by rounding counted as one."""
        for exact in (True, False):
            rows, owner, start, _ = proper_faces(cells, faces, place)
            corners = faces.take(rows)[1]
            keys = point_set_keys(start, place[corners])
            first, second, alone = same_keys(keys)
            merged = _merged(points, place, *take(start, corners, np.flatnonzero(alone))) if exact else None
            if merged is None:
                break
            place = merged
        return cls(cells, place, rows, owner, start, corners, keys, first, second)

    @cached_property
    def met(self) -> IntArray:
        """Pairs (m,) of faces whose points are not the same by number."""
        keys = point_set_keys(self.start, self.corners)
        return np.flatnonzero(keys[self.first] != keys[self.second])

    @cached_property
    def has_pieces(self) -> bool:
        """Whether some cells share points by number."""
        return bool(np.bincount(self.cells.connectivity, minlength=1).max() > 1)

    def apart(self, points: FloatArray, plates: IntArray) -> tuple[BoolArray, tuple[str, ...]]:
        """Which pairs (p,) stay apart, and lines on these."""
        given = np.isin(self.rows[self.first], plates) | np.isin(self.rows[self.second], plates)
        given |= np.isin(self.keys[self.first], _both_sides(points, self.cells, self.place))
        slit = self._slits() & ~given
        notes = [
            f"{count} pairs of faces at one place {why}: both are boundary, and nothing is taken across"
            for count, why in (
                (int(given.sum()), "have boundaries on both sides, as a baffle"),
                (int(slit.sum()), "are the sides of a slit within the mesh, as a plate of no thickness"),
            )
            if count
        ]
        return given | slit, tuple(notes)

    def _slits(self) -> BoolArray:
        """Pairs (p,) of faces of one piece whose points differ, in a slit that ends at points of both sides."""
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import connected_components

        slit, met = np.zeros(len(self.first), bool), self.met
        if not len(met) or not self.has_pieces:
            return slit
        nodes = len(self.cells)
        cell_of = np.repeat(np.arange(nodes), np.diff(self.cells.offsets))
        graph = csr_array(
            (np.ones(len(cell_of), np.int8), (cell_of, nodes + self.cells.connectivity)),
            shape=(nodes + len(self.place),) * 2,
        )
        piece = connected_components(graph, directed=False)[1]
        met = met[piece[self.owner[self.first[met]]] == piece[self.owner[self.second[met]]]]
        if not len(met):
            return slit
        begin, one = take(self.start, self.corners, self.first[met])
        _, other = take(self.start, self.corners, self.second[met])
        pair = np.repeat(np.arange(len(met)), np.diff(begin))
        shape = (len(met) + len(self.place),) * 2
        sides = csr_array((np.ones(len(one), np.int8), (pair, len(met) + self.place[one])), shape=shape)
        of = connected_components(sides, directed=False)[1][: len(met)]
        width = len(self.place)
        at_rim = np.isin(pair * width + one, pair * width + other)
        slit[met] = np.isin(of, of[pair[at_rim]])
        return slit


def _merged(points: FloatArray, place: IntArray, start: IntArray, corners: IntArray) -> IntArray | None:
    """Places (n,) with those of faces without a partner as one where they differ by rounding; None where none do."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    used, number = np.unique(place[corners], return_inverse=True)
    if not len(used):
        return None
    x = np.empty((len(used), 3))
    x[number] = points[corners]
    following = np.arange(1, len(corners) + 1)
    following[start[1:] - 1] = start[:-1]
    edges = np.sqrt(((points[corners[following]] - points[corners]) ** 2).sum(axis=1))
    edges = np.where(edges > 0, edges, np.inf)
    shortest = np.full(len(used), np.inf)
    np.minimum.at(shortest, number, edges)
    np.minimum.at(shortest, number[following], edges)
    near = cKDTree(x).query_pairs(ROUNDING * np.abs(x).max(), output_type="ndarray")
    gap = np.sqrt(((x[near[:, 0]] - x[near[:, 1]]) ** 2).sum(axis=1))
    near = near[gap <= _OF_EDGE * shortest[near].min(axis=1)]
    if not len(near):
        return None
    count = int(place.max()) + 1
    graph = csr_array((np.ones(len(near), np.int8), tuple(used[near].T)), shape=(count, count))
    return _by_appearance(connected_components(graph, directed=False)[1][place])


def _both_sides(points: FloatArray, cells: Cells, place: IntArray) -> IntArray:
    """Keys of the places of two boundary cells that differ: in their points, or in the side to which they look."""
    lower = np.flatnonzero(cells.dimensions == cells.dimension - 1)
    if not len(lower) or cells.dimension < 2:
        return np.empty(0, np.int64)
    start, corners = take(cells.offsets, cells.connectivity, lower)
    keys, own = point_set_keys(start, place[corners]), point_set_keys(start, corners)
    a, b, c = (points[corners[start[:-1] + min(k, cells.dimension - 1)]] for k in range(3))
    normals = np.cross(b - a, c - a) if cells.dimension == 3 else b - a
    order = np.lexsort((own, keys))
    one, other = order[:-1], order[1:]
    differ = (own[one] != own[other]) | ((normals[one] * normals[other]).sum(axis=1) < 0)
    return np.unique(keys[one[(keys[one] == keys[other]) & differ]])


def _renumbered(points: FloatArray, meeting: _Meeting, apart: BoolArray) -> tuple[IntArray, IntArray, Cells]:
    """Which own points are which joined ones, and the cells of these."""
    cells, place = meeting.cells, meeting.place
    cell_of = np.repeat(np.arange(len(cells)), np.diff(cells.offsets))
    polyhedra = cells.polyhedra
    of_faces = None
    if apart.any():
        fans = _Fans.of(points, meeting, apart)
        flat = fans.numbers(cell_of, cells.connectivity)
        if polyhedra is not None:
            sizes = np.diff(polyhedra.offsets)
            own = np.repeat(np.repeat(np.arange(len(cells)), np.diff(polyhedra.cell_offsets)), sizes)
            of_faces = fans.numbers(own, polyhedra.connectivity)
        both = np.unique(np.column_stack([cells.connectivity, flat]), axis=0)
        own, raw = both.T
    else:
        flat = place[cells.connectivity]
        own = np.flatnonzero(np.bincount(cells.connectivity, minlength=len(place)))
        raw = place[own]
        of_faces = None if polyhedra is None else place[polyhedra.connectivity]
    known = np.full(int(raw.max(initial=-1)) + 1, -1)
    known[raw[::-1]] = np.arange(len(raw))[::-1]
    present = np.flatnonzero(known >= 0)
    number = np.full(len(known), -1)
    number[present[np.argsort(known[present], kind="stable")]] = np.arange(len(present))
    faces = None
    if polyhedra is not None and of_faces is not None:
        faces = CellFaces(number[of_faces], polyhedra.offsets, polyhedra.cell_offsets)
    return own, number[raw], Cells(cells.types, cells.offsets, number[flat], faces, cells.degrees, cells.node_set)


@dataclass(frozen=True, eq=False)
class _Fans:
    """Points at the places of a plate, one for each fan of cells: the fan of ``nodes``, cell · places + place, sorted;
    elsewhere a point is its place."""

    meeting: _Meeting
    touched: BoolArray
    nodes: IntArray
    fan: IntArray
    full_cell: IntArray

    @classmethod
    def of(cls, points: FloatArray, meeting: _Meeting, apart: BoolArray) -> _Fans:
        """The fans that faces other than those ``apart`` hold together, and own points that are on one side only."""
        from scipy.sparse import csr_array
        from scipy.sparse.csgraph import connected_components

        cells, place = meeting.cells, meeting.place
        count = int(place.max()) + 1
        touched = np.zeros(count, bool)
        sides = [take(meeting.start, meeting.corners, each[apart])[1] for each in (meeting.first, meeting.second)]
        touched[place[sides[0]]] = True
        full = np.flatnonzero(cells.is_full)
        start, corners = take(cells.offsets, cells.connectivity, full)
        at = touched[place[corners]]
        entry = (np.repeat(full, np.diff(start)) * count + place[corners])[at]
        nodes, node = np.unique(entry, return_inverse=True)
        begin, shared = take(meeting.start, meeting.corners, meeting.first[~apart])
        sizes, where = np.diff(begin), place[shared]
        across = [
            np.searchsorted(nodes, (np.repeat(meeting.owner[each[~apart]], sizes) * count + where)[touched[where]])
            for each in (meeting.first, meeting.second)
        ]
        on_both = np.intersect1d(sides[0], sides[1])
        one_side = ~np.isin(corners[at], on_both)
        links = np.concatenate([np.column_stack(across), np.column_stack([node, len(nodes) + corners[at]])[one_side]])
        shape = (len(nodes) + len(place),) * 2
        graph = csr_array((np.ones(len(links), np.int8), tuple(links.T)), shape=shape)
        fan = connected_components(graph, directed=False)[1][: len(nodes)]
        _, fan = np.unique(fan * count + nodes % count, return_inverse=True)
        return cls(meeting, touched, nodes, fan.reshape(-1), _sides_of_lower(points, meeting))

    def numbers(self, cell_of: IntArray, points: IntArray) -> IntArray:
        """A number for each point of a cell (e,); where the cell has no fan there, that of the first one."""
        place, count = self.meeting.place[points], len(self.touched)
        at = np.flatnonzero(self.touched[place])
        wanted = self.full_cell[cell_of[at]] * count + place[at]
        found = np.minimum(np.searchsorted(self.nodes, wanted), len(self.nodes) - 1)
        unknown = self.nodes[found] != wanted
        there, first = np.unique(self.nodes % count, return_index=True)
        found[unknown] = first[np.searchsorted(there, place[at][unknown])]
        result = place.copy()
        result[at] = count + self.fan[found]
        return result


def _sides_of_lower(points: FloatArray, meeting: _Meeting) -> IntArray:
    """For each cell (n,) of lower dimension that lies on a face the cell whose face it is: of two the one with its own
    points, else the one from which it looks away; all others are their own."""
    cells, result = meeting.cells, np.arange(len(meeting.cells))
    lower = np.flatnonzero(cells.dimensions == cells.dimension - 1)
    if not len(lower) or cells.dimension < 2:
        return result
    start, corners = take(cells.offsets, cells.connectivity, lower)
    keys, own = point_set_keys(start, meeting.place[corners]), point_set_keys(start, corners)
    order = np.argsort(meeting.keys, kind="stable")
    first = np.searchsorted(meeting.keys, keys, sorter=order)
    last = np.searchsorted(meeting.keys, keys, "right", sorter=order) - 1
    kept = np.flatnonzero(last >= first)
    one, other = order[first[kept]], order[last[kept]]
    face_keys = point_set_keys(meeting.start, meeting.corners)
    a, b, c = (points[corners[start[kept] + min(k, cells.dimension - 1)]] for k in range(3))
    normals = np.cross(b - a, c - a) if cells.dimension == 3 else b - a
    begin, around = take(cells.offsets, cells.connectivity, meeting.owner[one])
    inward = np.add.reduceat(points[around], begin[:-1], axis=0) / np.diff(begin)[:, None] - a if len(kept) else a
    looks_away = (normals * inward).sum(axis=1) < 0
    takes_one = np.where(face_keys[one] != face_keys[other], own[kept] == face_keys[one], looks_away)
    result[lower[kept]] = meeting.owner[np.where(takes_one, one, other)]
    return result
