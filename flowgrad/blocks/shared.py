"""Points that several pieces have: the first piece's values are those of all the others."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from flowgrad.typing import FloatArray


class SharedPoints:
    """Gradients and velocities of the points that were seen, by their keys, so that rounding, which depends on the
    numbering, is the same in all pieces."""

    def __init__(self) -> None:
        self._keys = np.empty(0, np.uint64)
        self._values = np.empty((0, 12))

    def unified(
        self, keys: NDArray[np.uint64], L: FloatArray, velocity: FloatArray
    ) -> tuple[FloatArray, FloatArray, NDArray[np.bool_]]:
        """Gradients (n, 3, 3) and velocities (n, 3) at points with keys (n,), those of earlier pieces where these had
        the point, and which points (n,) are new."""
        values = np.column_stack([L.reshape(-1, 9), velocity])
        place = np.minimum(np.searchsorted(self._keys, keys), max(len(self._keys) - 1, 0))
        is_new = np.ones(len(keys), bool) if not len(self._keys) else self._keys[place] != keys
        values[~is_new] = self._values[place[~is_new]]
        self._keys = np.concatenate([self._keys, keys[is_new]])
        self._values = np.concatenate([self._values, values[is_new]])
        order = np.argsort(self._keys)
        self._keys, self._values = self._keys[order], self._values[order]
        return np.ascontiguousarray(values[:, :9]).reshape(-1, 3, 3), values[:, 9:], is_new
