"""The process in which meshio reads a file: ``python -m flowgrad.io.meshio_worker FILE``.

Writes one pickle to its standard output, ``("mesh", parts)`` or ``("error", reason)``, and everything
that meshio prints to its standard error. Whatever meshio does, the process that asked lives on.
"""

from __future__ import annotations

import os
import pickle
import sys
from typing import Any

import numpy as np


def main() -> None:
    """Read the file named on the command line and send what is in it."""
    pipe = os.dup(1)
    os.dup2(2, 1)
    answer: tuple[str, Any]
    try:
        answer = ("mesh", _parts(sys.argv[1]))
    except SystemExit:
        # meshio has printed why.
        answer = ("error", "")
    except BaseException as error:
        answer = ("error", f"{type(error).__name__}: {error}")
    sys.stdout.flush()
    with os.fdopen(pipe, "wb") as out:
        pickle.dump(answer, out, protocol=5)


def _parts(path: str) -> dict[str, Any]:
    import meshio

    mesh = meshio.read(path)
    return {
        "points": np.asarray(mesh.points),
        "cells": [(str(block.type), len(block.data), _rows(block.data)) for block in mesh.cells],
        "point_data": {name: np.asarray(values) for name, values in mesh.point_data.items()},
        "cell_data": {name: [np.asarray(part) for part in parts] for name, parts in mesh.cell_data.items()},
        "field_data": {name: _field(values) for name, values in mesh.field_data.items()},
    }


def _rows(data: Any) -> np.ndarray | None:
    """The point numbers (n, k) of a block of cells; None for polyhedra, which are lists of faces."""
    try:
        rows = np.asarray(data)
    except ValueError:
        return None
    return rows if rows.ndim == 2 and rows.dtype.kind in "iu" else None


def _field(values: Any) -> np.ndarray | None:
    try:
        array = np.asarray(values)
    except ValueError:
        return None
    return array if array.dtype.kind in "fiub" else None


if __name__ == "__main__":
    main()
