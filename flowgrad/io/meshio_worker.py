"""What meshio makes of a file, as plain arrays; run by :mod:`flowgrad.io.guarded_worker`."""

from __future__ import annotations

import builtins
import io
from pathlib import Path
from typing import Any

import numpy as np

# Some of meshio's readers ask for the next line for ever at the end of a file that was cut off.
_PATIENCE = 100


def parts(path: Path) -> dict[str, Any]:
    """The points, cells and arrays that meshio finds in a file."""
    import meshio

    builtins.open = _opened
    return parts_of(meshio.read(str(path)))


class _Bytes(io.BufferedReader):
    empty = 0

    def readline(self, size: int | None = -1, /) -> bytes:
        line = super().readline(size)
        self.empty = 0 if line else self.empty + 1
        if self.empty > _PATIENCE:
            raise EOFError("it ends too early")
        return line


class _Text(io.TextIOWrapper):
    empty = 0

    def readline(self, size: int = -1, /) -> str:  # type: ignore[override]
        line = super().readline(size)
        self.empty = 0 if line else self.empty + 1
        if self.empty > _PATIENCE:
            raise EOFError("it ends too early")
        return line


def _opened(file: Any, mode: str = "r", *rest: Any, **more: Any) -> Any:
    """A file, as by ``open``, whose end is an EOFError for who goes on reading lines."""
    if mode not in ("r", "rb") or rest:
        return open(file, mode, *rest, **more)
    binary = _Bytes(io.FileIO(file))
    return binary if mode == "rb" else _Text(binary, **more)


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
