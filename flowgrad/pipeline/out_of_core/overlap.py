"""Overlap of pieces of a mesh: layers of cells from the other pieces, and gradients that are the same as in the whole.

How many layers of neighbours a gradient depends on is known for each scheme (``register_scheme(reach=…)``). Local fits
take as many rings of neighbours as hold enough samples, which no number bounds. There every search is watched: one that
comes upon a sample whose neighbours are not all there asks for more layers, until none does.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from flowgrad.errors import OptionError
from flowgrad.flow import Flow
from flowgrad.gradient.local_fits.directions import between_boundaries
from flowgrad.gradient.local_fits.fits import FitStencils, LocalFits
from flowgrad.gradient.local_fits.neighbourhoods import Samples, Search
from flowgrad.gradient.local_fits.operator import PolynomialFits
from flowgrad.gradient.scheme import Gradients, Scheme
from flowgrad.io.formats import Contents
from flowgrad.io.ghosts import selected
from flowgrad.io.pieces import merged
from flowgrad.mesh import Mesh
from flowgrad.mesh.cells import DIMENSIONS
from flowgrad.pipeline.out_of_core.piece_files import PieceFiles
from flowgrad.typing import BoolArray, IntArray

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
    def own_points(self) -> IntArray:
        """Numbers of the piece's points in all of it; -1 for points in no cell."""
        numbers, cells = np.full(len(self.own.mesh.points), -1), self.contents.mesh.cells
        entries = np.repeat(self.layer == 0, np.diff(cells.offsets))
        numbers[self.own.mesh.cells.connectivity] = cells.connectivity[entries]
        return numbers


def points_of(mesh: Mesh, cells: BoolArray) -> BoolArray:
    """Points (n,) of the marked cells of a mesh."""
    marked = np.zeros(len(mesh.points), bool)
    marked[mesh.cells.connectivity[np.repeat(cells, np.diff(mesh.cells.offsets))]] = True
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


def surroundings(pieces: PieceFiles, number: int, depth: int) -> Surroundings:
    """The piece with so many layers: the cells that share a point with it, those that share one with these, and so on.

    Pieces are read one at a time, those only whose boxes hold points that a further layer starts from.
    """

    def marked(contents: Contents, layer: IntArray, piece: int) -> Contents:
        marks = {_LAYER: layer, _PIECE: np.full(len(layer), piece)}
        return dataclasses.replace(contents, cell_data={**contents.cell_data, **marks})

    own = pieces.read(number)
    taken = {number: marked(own, np.zeros(len(own.mesh), np.int64), number)}
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
            taken[other] = marked(selected(piece, points_of(piece.mesh, near), near), cells[near], other)
        if less.any():
            further = pieces.touching(piece.mesh.points[less], other)
            waiting.extend(each for each in further if each != number and each not in waiting)
    whole = merged([taken[each] for each in sorted(taken)])
    data = dict(whole.cell_data)
    layer, piece_of = data.pop(_LAYER), data.pop(_PIECE)
    return Surroundings(dataclasses.replace(whole, cell_data=data), layer, piece_of, depth, own)


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


# Cells of blocks that may be a lattice, where finite differences would run along its axes.
_OF_LATTICES = frozenset((8, 9, 11, 12))


class NotEnoughLayersError(Exception):
    """A neighbourhood reaches beyond the layers that were read."""


def layers_of(scheme: Scheme, location: str, at: str) -> int:
    """The layers that a scheme needs around a piece; of local fits those to begin with."""
    reach = None if scheme.record is None else scheme.record.reach
    return (reach(scheme, location, at) if callable(reach) else reach) or 0


def gradients_of(around: Surroundings, flow: Flow, scheme: Scheme, at: str) -> Gradients:
    """Gradients at the points or cells of a piece with its layers; those in the piece itself are right.

    Raises NotEnoughLayersError where they may not be, and OptionError where the piece does not tell.
    """
    operator = scheme.prepare(flow, at)
    found = operator.directions
    if found is not None and (found.free < 3 or found.turned or found.curved):
        # It would be differentiated in other directions than the whole.
        raise OptionError(
            f"{flow.name}: a piece is one cell thick, so that it does not tell what the whole does: give a larger "
            "--block-memory to take the file as a whole"
        )
    if not isinstance(operator, PolynomialFits):
        return operator.gradients(flow)
    own = around.layer == 0
    wanted = own if at == "cells" else points_of(around.contents.mesh, own)
    _check_layers(around, flow, at)
    fits = operator.fits
    watched = _Watched(
        fits.samples,
        fits.targets.without(~wanted),
        fits.directions,
        fits.order,
        fits.smoothing,
        fits.nodes,
        rim=_rim(around, fits.samples, flow.location),
        touched=np.zeros(len(fits.targets), bool),
    )
    gradients = replace(operator, fits=watched).gradients(flow)
    if watched.touched[wanted].any():
        raise NotEnoughLayersError
    return gradients


@dataclass(frozen=True, eq=False)
class _Watched(LocalFits):
    """Fits that note which targets (m,) have ``touched`` samples (n,) of the ``rim``."""

    rim: BoolArray = field(kw_only=True)
    touched: BoolArray = field(kw_only=True)

    def _fitted(self, chosen: np.ndarray, growth: float, second: bool, search: Search) -> FitStencils:
        found = super()._fitted(chosen, growth, second, search)
        targets = self.targets[chosen]
        rows = np.arange(len(chosen))
        near = np.bincount(np.repeat(rows, np.diff(found.start)), self.rim[found.samples], len(chosen)) > 0
        seeded = np.bincount(np.repeat(rows, np.diff(targets.start)), self.rim[targets.seeds], len(chosen)) > 0
        own = (targets.own >= 0) & self.rim[targets.own]
        self.touched[chosen] |= near | seeded | own
        return found


def _rim(around: Surroundings, samples: Samples, location: str) -> BoolArray:
    """Samples whose neighbours are not all there, and those next to one that searches go through without a word."""
    inner = around.layer < around.depth
    rim = ~inner if location == "cells" else ~points_of(around.contents.mesh, inner)
    owner = np.repeat(np.arange(len(rim)), np.diff(samples.start))
    while True:
        silent = rim & ~samples.usable
        more = np.bincount(owner, silent[samples.neighbours], len(rim)) > 0
        if not (more & ~rim).any():
            return rim
        rim = rim | more


def _check_layers(around: Surroundings, flow: Flow, at: str) -> None:
    """OptionError for cells between two boundaries, of which the whole says whether they resolve a direction."""
    if flow.location != "cells":
        return
    chosen = around.layer <= (0 if at == "cells" else 1)
    if chosen[between_boundaries(flow.mesh)].any():
        raise OptionError(
            f"{flow.name}: has cells between two boundaries, layers one cell thick perhaps, which are not known by "
            "pieces: give a larger --block-memory to take the file as a whole"
        )


def check_scheme(
    flow: Flow, scheme: Scheme, at: str, types: frozenset[int], is_thick: bool, axisymmetric: str | None, advice: str
) -> None:
    """OptionError for schemes and meshes of which the whole decides what is done."""
    name = flow.name
    if scheme.record is None or scheme.record.reach is None:
        raise OptionError(f"{name}: {scheme}, such as a gradient taken from the file, is not known by pieces: {advice}")
    if scheme.is_local:
        if DIMENSIONS[list(types)].max() == 3 and not is_thick and axisymmetric != "none":
            raise OptionError(
                f"{name}: the mesh may be a wedge, which pieces do not tell: say --axisymmetric none, or {advice}"
            )
        return
    if not is_thick:
        raise OptionError(
            f"{name}: the mesh is planar or one cell thick, where fits depend on the whole of it: choose --scheme "
            f"autodiff, or {advice}"
        )
    if scheme.may_use_lattice(flow.location, at) and types <= _OF_LATTICES:
        raise OptionError(
            f"{name}: its cells may be a lattice, which pieces do not tell: say --scheme "
            f"'finite-difference(order={scheme.order}, lattice=False)', or {advice}"
        )
