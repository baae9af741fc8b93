"""Meshes from arrays: rows of point numbers, with or without the name of their type, and coordinates of lattices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from flowgrad.errors import MeshError
from flowgrad.mesh import cells
from flowgrad.mesh.cells import Cells
from flowgrad.mesh.lattice import Lattice
from flowgrad.mesh.reference.cell import VTK
from flowgrad.mesh.reference.lagrange import LAGRANGE_CELLS
from flowgrad.mesh.reference.linear import REFERENCE_CELLS
from flowgrad.spec import nearest

# Cells, rows (m, k), or rows by the name of their type; None for points without cells.
GivenCells: TypeAlias = Cells | ArrayLike | Mapping[str, ArrayLike] | None

# The types of rows without a name, by the number of points: in a plane z = constant, and in space.
_PLANAR = {2: VTK.LINE, 3: VTK.TRIANGLE, 4: VTK.QUAD}
_SOLID = {2: VTK.LINE, 3: VTK.TRIANGLE, 4: VTK.TETRA, 5: VTK.PYRAMID, 6: VTK.WEDGE, 8: VTK.HEXAHEDRON}
_BY_NAME = {VTK(t).name.lower(): t for t in (*REFERENCE_CELLS, *LAGRANGE_CELLS) if t != VTK.POLYHEDRON}


def cells_of(given: GivenCells, points: NDArray[np.float64]) -> Cells:
    """The cells among ``points`` (n, 3) that were given as ``Cells``, as rows of point numbers (m, k) in VTK's order
    (of triangles or quads where z is constant, else of triangles, tetrahedra, pyramids, wedges or hexahedra: k tells),
    or as a mapping of such rows by the name of their type, ``{"quad": …}``, which says it of any; None is no cells.

    Raises MeshError for rows of other sizes, numbers that are not whole, and an unknown name.
    """
    if given is None:
        return Cells.empty()
    if isinstance(given, Cells):
        return given
    if isinstance(given, Mapping):
        unknown = next((name for name in given if name not in _BY_NAME), None)
        if unknown is not None:
            raise MeshError(f"cells of the type '{unknown}' cannot be given as rows{nearest(unknown, _BY_NAME)}")
        return joined([Cells.of_type(_BY_NAME[name], _rows(rows, name)) for name, rows in given.items()])
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
    return Cells(types, cells.offsets(sizes), connectivity)


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
    along = all(each.ndim <= 1 for each in arrays)
    if not along and any(each.shape != arrays[0].shape for each in arrays):
        shapes = " and ".join(str(each.shape) for each in arrays)
        raise MeshError(f"the coordinates have the shapes {shapes}: give them alike, or along the axes")
    # Lines along each axis: those of a straight lattice are all the same.
    lines = (
        []
        if along
        else [
            np.moveaxis(values, a, -1).reshape(-1, values.shape[a]) if a < values.ndim else values.reshape(-1, 1)
            for a, values in enumerate(arrays)
        ]
    )
    if not along and not all((own == own[0]).all() for own in lines):
        return Lattice.curvilinear(np.stack(arrays, -1))
    x, y, z = [*(arrays if along else (own[0] for own in lines)), np.zeros(1), np.zeros(1)][:3]
    return Lattice.rectilinear(x, y, z)
