"""MATLAB's .mat as PIVlab saves it: cells of frames, each with positions, velocities and types of vectors on a grid.

Of u_original, u_filtered and u_smoothed the filtered ones are the velocity, which PIVlab has validated and not
smoothed; where they were not made, the original ones. The others are kept. Files with x, y, u and v alone are read too.
SciPy reads them, in a process of its own (names: PIVlab 3.0, export of .mat files, github.com/Shrediquette/PIVlab).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.errors import ReadError
from flowgrad.io.formats import Arrays, Contents, Step, listed, naming, register_format
from flowgrad.io.npz import on_grid
from flowgrad.io.subprocess_reader import guarded

_STAGES = ("filtered", "original", "smoothed")
_UNITS = re.compile(r"\[(?P<place>[^\]]+)\]\s*respectively\s*\[(?P<speed>[^\]]+)\]")


def mat_steps(path: Path) -> Sequence[Step]:
    """The frames of a file, numbered from 1, since it tells no times; ReadError for what is no field of velocities."""
    with naming(path):
        frames, units = guarded("SciPy", "flowgrad.io.matlab:frames_in", path)
    times = [None] if len(frames) == 1 else [float(number) for number in range(1, len(frames) + 1)]
    return [Step(path, time, partial(_read, path, each, units)) for time, each in zip(times, frames, strict=True)]


def _read(path: Path, frame: Arrays, units: dict[str, str]) -> Contents:
    arrays = dict(frame)
    with naming(path):
        found = on_grid(path, [arrays.pop("x"), arrays.pop("y")], arrays, None)
    return replace(found, units=units)


def frames_in(path: Path) -> tuple[list[Arrays], dict[str, str]]:
    """Arrays of each frame, and the units of positions and velocities; run by the worker."""
    from scipy.io import loadmat

    try:
        data: dict[str, Any] = loadmat(str(path))
    except NotImplementedError:
        raise ReadError("is of MATLAB 7.3 (HDF5): save it with save(…, '-v7')") from None
    cells = {name: _frames(value) for name, value in data.items() if not name.startswith("__")}
    count = max((len(each) for name, each in cells.items() if name in ("x", "y")), default=0)
    frames = [_frame({name: each[i] for name, each in cells.items() if len(each) == count}) for i in range(count)]
    if not frames:
        raise ReadError(f"has no x and y among {listed(cells) or 'nothing'}: save x, y, u and v")
    said = _UNITS.search(" ".join(np.ravel(data.get("units", "")).astype(str)))
    if said is None:
        return frames, {}
    return frames, {**dict.fromkeys("xy", said["place"]), **dict.fromkeys("uv", said["speed"])}


def _frames(value: Any) -> list[np.ndarray]:
    """The arrays of a cell array, or an array alone."""
    array = np.asarray(value)
    return [np.asarray(each) for each in array.ravel()] if array.dtype.kind == "O" else [array]


def _frame(arrays: Arrays) -> Arrays:
    """Arrays on the grid of a frame, the velocity as ``u`` and ``v``, types of vectors as ``typevector``."""
    shape = arrays["x"].shape
    found = {name: each for name, each in arrays.items() if each.shape == shape and each.dtype.kind in "fiub"}
    for stage in _STAGES if "u" not in found else ():
        if f"u_{stage}" in found and f"v_{stage}" in found:
            found |= {"u": found.pop(f"u_{stage}"), "v": found.pop(f"v_{stage}")}
            if f"typevector_{stage}" in found:
                found["typevector"] = found.pop(f"typevector_{stage}")
            break
    if not {"x", "y", "u", "v"} <= set(found):
        raise ReadError(
            f"has no u and v of the shape {shape} of x among {listed(arrays)}: analyse the images before they are saved"
        )
    return {name: each.astype(np.float64) for name, each in found.items()}


register_format((".mat",), steps=mat_steps, keeps="PIVlab's frames, or x, y, u, v on a grid; point data, masks")
