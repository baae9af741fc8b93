"""What meshio makes of a file, as plain arrays; run by :mod:`flowgrad.io.guarded_worker`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np


def parts(path: Path) -> dict[str, Any]:
    """The points, cells and arrays that meshio finds in a file."""
    import meshio

    return parts_of(meshio.read(str(path)))


def parts_of(mesh: Any) -> dict[str, Any]:
    """The same of a meshio.Mesh."""
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
