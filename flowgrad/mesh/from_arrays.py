"""Meshes from arrays: rows of point numbers, with or without the name of their type, and coordinates of lattices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad.errors import MeshError
from flowgrad.mesh import ragged
from flowgrad.mesh.cells import Cells
from flowgrad.mesh.lattice import Lattice
from flowgrad.mesh.reference.lagrange import LAGRANGE_CELLS
from flowgrad.mesh.reference.linear import REFERENCE_CELLS
from flowgrad.spec import nearest
from flowgrad.typing import FloatArray

# Cells, rows (m, k), or rows by the name of their type; None for points without cells.
GivenCells: TypeAlias = Cells | ArrayLike | Mapping[str, ArrayLike] | None

# The types of rows without a name, by the number of points: in a plane z = constant, and in space.
_PLANAR, _SOLID = {2: 3, 3: 5, 4: 9}, {2: 3, 3: 5, 4: 10, 5: 14, 6: 13, 8: 12}
_NUMBERS = {cell.name: number for number, cell in REFERENCE_CELLS.items() if cell.name != "polyhedron"}
_NUMBERS |= {kind.name: number for number, kind in LAGRANGE_CELLS.items()}


def cells_of(given: GivenCells, points: NDArray[np.float64]) -> Cells:
    """The cells among ``points`` (n, 3) that were given as ``Cells``, as rows of point numbers (m, k) in VTK's order
    (of triangles or quads where z is constant, else of triangles, tetrahedra, pyramids, wedges or hexahedra: k tells),
    or as a mapping of such rows by the name of their type, ``{"quad": …}``, which says it of any; None is no cells.

    Raises MeshError for rows of other sizes, numbers that are not whole, and a name that is none.
    """
    if given is None:
        return Cells.empty()
    if isinstance(given, Cells):
        return given
    if isinstance(given, Mapping):
        return joined([_of_type(name, rows) for name, rows in given.items()])
    rows = _rows(given, "cells")
    flat = len(points) > 0 and bool((points[:, 2] == points[0, 2]).all())
    known = _PLANAR if flat else _SOLID
    if rows.shape[1] not in known:
        raise MeshError(
            f"cells of {rows.shape[1]} points have no usual type {'in a plane' if flat else 'in space'} (those of "
            f"{', '.join(map(str, known))} have): name it, {{'quadratic_tetra': cells}}"
        )
    return Cells.of_type(known[rows.shape[1]], rows)


def joined(parts: list[Cells]) -> Cells:
    """Cells one after the other, without polyhedra and degrees."""
    if not parts:
        return Cells.empty()
    sizes = np.concatenate([np.diff(part.offsets) for part in parts])
    types, connectivity = (np.concatenate([getattr(part, n) for part in parts]) for n in ("types", "connectivity"))
    return Cells(types, ragged.offsets(sizes), connectivity)


def _of_type(name: str, rows: ArrayLike) -> Cells:
    if name not in _NUMBERS:
        raise MeshError(f"cells of the type '{name}' cannot be given as rows{nearest(name, _NUMBERS)}")
    return Cells.of_type(_NUMBERS[name], _rows(rows, name))


def _rows(given: ArrayLike, name: str) -> NDArray[np.int64]:
    try:
        rows = np.asarray(given)
    except ValueError:
        raise MeshError(f"{name} are rows of different lengths: give each type by its name, {{'tetra': …}}") from None
    if rows.ndim != 2 or rows.dtype.kind not in "iu":
        raise MeshError(
            f"{name} are {rows.dtype} {rows.shape}: give whole numbers (m, k), a row of points for each cell"
        )
    return rows.astype(np.int64)


def lattice_of(coordinates: Sequence[ArrayLike]) -> Lattice:
    """The lattice of the coordinates ``(x, y)`` or ``(x, y, z)``: along the axes, (nx,), (ny,), …, or of every point,
    all of one shape and indexed [i, j, k]; it is straight where each of these depends on its own index alone.

    MeshError for other shapes.
    """
    arrays = [np.asarray(each, np.float64) for each in coordinates]
    if not 1 <= len(arrays) <= 3:
        raise MeshError(f"{len(arrays)} coordinates were given: give x and y, or x, y and z")
    if all(each.ndim <= 1 for each in arrays):
        return _straight(arrays)
    if any(each.shape != arrays[0].shape for each in arrays):
        shapes = " and ".join(str(each.shape) for each in arrays)
        raise MeshError(f"the coordinates have the shapes {shapes}: give them alike, or along the axes")
    axes = [_axis(values, a) for a, values in enumerate(arrays)]
    straight = [axis for axis in axes if axis is not None]
    return _straight(straight) if len(straight) == len(axes) else Lattice.curvilinear(np.stack(arrays, -1))


def _straight(axes: Sequence[FloatArray]) -> Lattice:
    x, y, z = [*axes, np.zeros(1), np.zeros(1)][:3]
    return Lattice.rectilinear(x, y, z)


def _axis(values: FloatArray, a: int) -> FloatArray | None:
    """The coordinates along axis ``a`` of values that depend on its index alone; None of others."""
    lines = np.moveaxis(values, a, -1).reshape(-1, values.shape[a]) if a < values.ndim else values.reshape(-1, 1)
    return lines[0] if (lines == lines[0]).all() else None
