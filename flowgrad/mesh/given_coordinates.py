"""A lattice from its coordinates, as people have them: along the axes, or of every point."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from flowgrad.errors import MeshError
from flowgrad.mesh.lattice import Lattice
from flowgrad.typing import FloatArray


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
