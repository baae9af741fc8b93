"""Numbers that stay as they are, and remember what costly functions make of them.

The derivative of sin x is cos x, which a function that has both needs again for itself and for the derivative
of cos x: half of the work.
"""

from __future__ import annotations

from typing import Any

import numpy as np

REMEMBERED = (np.sin, np.cos, np.sinh, np.cosh, np.exp)


class Constant(np.ndarray[Any, Any]):
    """An array that remembers the results of some functions, as long as nobody may write into it."""

    def __array_finalize__(self, parent: Any) -> None:
        self.memory: dict[np.ufunc, np.ndarray] = {}

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if ufunc in REMEMBERED and method == "__call__" and not options and not self.flags.writeable:
            if ufunc not in self.memory:
                self.memory[ufunc] = ufunc(self.view(np.ndarray))
            return self.memory[ufunc]
        return getattr(ufunc, method)(*map(_plain, inputs), **options)


def constant(values: np.ndarray) -> Constant:
    """The array itself, read-only from now on."""
    values.flags.writeable = False
    return values.view(Constant)


def own(result: Any, ufunc: np.ufunc, argument: Any) -> Any:
    """The result of a function of ``argument`` as an array that may be written into: not the one remembered."""
    return result.copy() if ufunc in REMEMBERED and isinstance(argument, Constant) else result


def _plain(x: Any) -> Any:
    return x.view(np.ndarray) if isinstance(x, Constant) else x
