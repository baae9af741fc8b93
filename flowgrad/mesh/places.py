"""Places of points: those with the same coordinates, bit for bit."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowgrad.typing import FloatArray, IntArray


def place_keys(points: FloatArray) -> NDArray[np.uint64]:
    """A number of each point (n,), the same at the same place and hardly ever at another."""
    factors = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], np.uint64)
    return (_bits(points) * factors).sum(axis=1, dtype=np.uint64)


def groups_by_place(points: FloatArray) -> IntArray:
    """Numbers of groups of points with the same coordinates (n,)."""
    bits = _bits(points)
    _, first, groups = np.unique(place_keys(points), return_index=True, return_inverse=True)
    groups = groups.reshape(-1)
    if (bits == bits[first][groups]).all():
        return groups
    return np.unique(bits, axis=0, return_inverse=True)[1].reshape(-1)


def _bits(points: FloatArray) -> NDArray[np.uint64]:
    # Adding zero makes −0 and 0 one.
    return np.ascontiguousarray(points + 0.0).view(np.uint64)
