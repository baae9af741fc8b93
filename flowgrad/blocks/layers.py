"""A piece of a mesh with layers of the cells around it, taken from the other pieces."""

from __future__ import annotations

import dataclasses
from collections import deque
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from flowgrad.blocks.piece_files import Pieces
from flowgrad.io.contents import Contents
from flowgrad.io.ghosts import selected
from flowgrad.io.pieces import merged
from flowgrad.mesh import Mesh
from flowgrad.typing import IntArray

# Names of arrays that mark the cells while they are put together.
_LAYER, _PIECE = "flowgrad layer", "flowgrad piece"
_FAR = np.iinfo(np.int32).max


@dataclass(frozen=True, eq=False)
class Surroundings:
    """A piece with layers around it, points united: ``contents``, the ``layer`` of each cell (0 in the piece itself,
    ``own``) and the ``piece`` it comes from. ``depth`` layers are complete."""

    contents: Contents
    layer: IntArray
    piece: IntArray
    depth: int
    own: Contents

    @property
    def mesh(self) -> Mesh:
        """The mesh of all of it."""
        return self.contents.mesh

    @property
    def own_points(self) -> IntArray:
        """Numbers of the piece's points in all of it; -1 for points in no cell."""
        numbers = np.full(len(self.own.mesh.points), -1)
        entries = np.repeat(self.layer == 0, np.diff(self.mesh.cells.offsets))
        numbers[self.own.mesh.cells.connectivity] = self.mesh.cells.connectivity[entries]
        return numbers

    def points_of(self, cells: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Points (n,) of the marked cells."""
        marked = np.zeros(len(self.mesh.points), bool)
        marked[self.mesh.cells.connectivity[np.repeat(cells, np.diff(self.mesh.cells.offsets))]] = True
        return marked


@dataclass
class _Known:
    """How many layers away the points are that were seen, by their keys."""

    keys: NDArray[np.uint64] = field(default_factory=lambda: np.empty(0, np.uint64))
    layers: IntArray = field(default_factory=lambda: np.empty(0, np.int64))

    def of(self, keys: NDArray[np.uint64]) -> IntArray:
        if not len(self.keys):
            return np.full(len(keys), _FAR)
        place = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        return np.where(self.keys[place] == keys, self.layers[place], _FAR)

    def lower(self, keys: NDArray[np.uint64], layers: IntArray) -> NDArray[np.bool_]:
        """Note layers that are less than what was known; which these are."""
        less = layers < self.of(keys)
        every = np.concatenate([keys[less], self.keys])
        known = np.concatenate([layers[less], self.layers])
        self.keys, first = np.unique(every, return_index=True)
        self.layers = known[first]
        return less


def surroundings(pieces: Pieces, number: int, depth: int) -> Surroundings:
    """The piece with so many layers: the cells that share a point with it, those that share one with these, and so on.

    Pieces are read one at a time, those only whose boxes hold points that a further layer starts from.
    """
    own = pieces.read(number)
    taken = {number: _marked(own, np.zeros(len(own.mesh), np.int64), number)}
    known = _Known()
    keys = pieces.keys(own)
    known.lower(keys, np.zeros(len(keys), np.int64))
    waiting = deque(pieces.touching(own.mesh.points, number) if depth else [])
    while waiting:
        other = waiting.popleft()
        piece = pieces.read(other)
        keys = pieces.keys(piece)
        points, cells = _spread(piece.mesh, known.of(keys), depth)
        less = known.lower(keys, points) & (points < depth)
        near = cells <= depth
        if near.any():
            taken[other] = _marked(_only(piece, near), cells[near], other)
        if less.any():
            further = pieces.touching(piece.mesh.points[less], other)
            waiting.extend(each for each in further if each != number and each not in waiting)
    whole = merged([taken[each] for each in sorted(taken)])
    data = dict(whole.cell_data)
    layer, piece_of = data.pop(_LAYER), data.pop(_PIECE)
    return Surroundings(dataclasses.replace(whole, cell_data=data), layer, piece_of, depth, own)


def _marked(contents: Contents, layer: IntArray, number: int) -> Contents:
    marks = {_LAYER: layer, _PIECE: np.full(len(layer), number)}
    return dataclasses.replace(contents, cell_data={**contents.cell_data, **marks})


def _spread(mesh: Mesh, points: IntArray, depth: int) -> tuple[IntArray, IntArray]:
    """Layers of the points and the cells of a piece, from those of its points that are known."""
    offsets, connectivity = mesh.cells.offsets, mesh.cells.connectivity
    if not len(mesh):
        return points, np.empty(0, np.int64)
    owner = np.repeat(np.arange(len(mesh)), np.diff(offsets))
    points, cells = points.copy(), np.full(len(mesh), _FAR)
    for _ in range(depth):
        nearest = np.full(len(mesh), _FAR)
        np.minimum.at(nearest, owner, points[connectivity])
        cells = np.where(nearest < depth, nearest + 1, _FAR)
        np.minimum.at(points, connectivity, cells[owner])
    return points, cells


def _only(contents: Contents, cells: NDArray[np.bool_]) -> Contents:
    points = np.zeros(len(contents.mesh.points), bool)
    sizes = np.diff(contents.mesh.cells.offsets)
    points[contents.mesh.cells.connectivity[np.repeat(cells, sizes)]] = True
    return selected(contents, points, cells)
