"""What a file blanks on a lattice, in some of its planes: the same points and cells as in the whole."""

from __future__ import annotations

import numpy as np

from flowgrad.errors import OptionError
from flowgrad.io.ghosts import GHOSTS, HIDDEN_CELL, HIDDEN_POINT, marks_of
from flowgrad.io.slabs import SlabFile, plane_count, slab_axis
from flowgrad.mesh import Lattice
from flowgrad.typing import BoolArray


def has_marks(file: SlabFile) -> bool:
    """Whether a file may blank something."""
    return any(GHOSTS in arrays for arrays in file.declared.values())


def hidden(file: SlabFile, location: str, low: int, high: int) -> BoolArray:
    """Points or cells (n,) between two planes that the file blanks: a cell with a hidden corner is hidden, and so is a
    point of none but hidden cells.

    One plane more on each side decides. OptionError where cells are hidden and none of their corners is, so that
    values at points do not tell.
    """
    first, last = max(low - 1, 0), min(high + 1, plane_count(file.lattice, "points"))
    points = _grid(file, "points", first, last, HIDDEN_POINT)
    cells = _grid(file, "cells", first, max(last - 1, first + 1), HIDDEN_CELL)
    cells = cells | _any_corner(points, file.lattice)
    points = points | ~_of_cells(~cells, file.lattice)
    if location == "points" and (cells & ~_any_corner(points, file.lattice)).any():
        raise OptionError(
            f"{file.path}: blanks cells and none of their points, which is not known in blocks: give a larger "
            "--block-memory to take the file as a whole"
        )
    chosen = points if location == "points" else cells
    along = 2 - slab_axis(file.lattice)
    return np.take(chosen, np.arange(low - first, high - first), axis=along).ravel()


def _grid(file: SlabFile, location: str, low: int, high: int, bits: int) -> BoolArray:
    """Marks between two planes, indexed [k, j, i]."""
    shape = list(file.lattice.shape if location == "points" else file.lattice.cell_shape)
    shape[slab_axis(file.lattice)] = high - low
    names = [GHOSTS] if GHOSTS in file.declared[location] else []
    data = dict(zip(names, file.planes(location, names, low, high), strict=True)) if names else {}
    marks = marks_of(data, GHOSTS, int(np.prod(shape)))
    return ((marks & bits) > 0).reshape(shape[::-1])


def _any_corner(points: BoolArray, lattice: Lattice) -> BoolArray:
    """Cells with a marked corner."""
    for a in lattice.active:
        along = np.moveaxis(points, 2 - a, 0)
        points = np.moveaxis(along[1:] | along[:-1], 0, 2 - a)
    return points


def _of_cells(cells: BoolArray, lattice: Lattice) -> BoolArray:
    """Points of the marked cells."""
    for a in lattice.active:
        along = np.moveaxis(cells, 2 - a, 0)
        spread = np.zeros((len(along) + 1, *along.shape[1:]), bool)
        spread[:-1] |= along
        spread[1:] |= along
        cells = np.moveaxis(spread, 0, 2 - a)
    return cells
