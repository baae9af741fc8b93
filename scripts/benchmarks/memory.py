"""Autodiff at the cells of many tetrahedra, against the memory that it must touch at least."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from flowgrad import Autodiff, Cells, Flow, Mesh, velocity_gradient
from flowgrad.exact import Vortices
from flowgrad.mesh.generate import block
from scripts.benchmarks.measuring import Accuracy, Rows, Sizes, Speed, median_time

ROOT = Path(__file__).resolve().parent.parent.parent
# Run in a process of its own, so that nothing else has used the memory.
_CHILD = """
import json, sys
sys.path.insert(0, sys.argv[1])
from scripts.benchmarks.memory import measured
print(json.dumps(measured(sys.argv[2])))
"""
# Processes for each mesh; their medians count.
_TURNS = 3
# Of ru_maxrss: kilobytes, on macOS bytes.
_UNIT = 1 if sys.platform == "darwin" else 1024


def memory(sizes: Sizes) -> Rows:
    """Times against copying, and of eight times as many cells; peak memory over inputs plus outputs."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as eight:
        _write(one, sizes.tetrahedra)
        _write(eight, sizes.large)
        # In turn, as the memory of a machine that others use too is now faster, now slower.
        found = [[_in_child(folder) for folder in (one, eight)] for _ in range(_TURNS)]
    few, many = (_median(runs) for runs in zip(*found, strict=True))
    what = "autodiff at the cells of {:,} tetrahedra"
    yield Speed(what.format(few["cells"]), few["time"], "5 copies of inputs + outputs", 5 * few["copy"], 1.0)
    yield Speed(what.format(many["cells"]), many["time"], f"9 times {few['cells']:,}", 9 * few["time"], 1.0)
    peak = many["peak"] / many["bytes"]
    yield Accuracy(f"peak memory over inputs + outputs, {what.format(many['cells'])}", (peak,), "", (3.0,))


def _in_child(folder: str) -> dict[str, float]:
    command = [sys.executable, "-c", _CHILD, str(ROOT), folder]
    found: dict[str, float] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return found


def _median(runs: tuple[dict[str, float], ...]) -> dict[str, float]:
    return {name: statistics.median_low([run[name] for run in runs]) for name in runs[0]}


def _write(folder: str, edge: int) -> None:
    """The mesh of a block as files, made in another process than the one that is measured."""
    mesh = block("tetra", edge + 1, 2 * np.pi)
    arrays = {
        "points": mesh.points,
        "velocity": Vortices().velocity(mesh.points),
        "types": mesh.cells.types,
        "offsets": mesh.cells.offsets,
        "connectivity": mesh.cells.connectivity,
    }
    for name, values in arrays.items():
        np.save(Path(folder) / f"{name}.npy", values)


def measured(folder: str) -> dict[str, float]:
    """Seconds of the gradient on a new mesh, the process's peak memory after it, seconds to copy what it
    reads and writes, and the bytes of these."""
    names = ("points", "velocity", "types", "offsets", "connectivity")
    points, velocity, *cells = (np.load(Path(folder) / f"{name}.npy") for name in names)

    def task() -> np.ndarray:
        return velocity_gradient(Flow(Mesh(points, Cells(*cells)), velocity, "points"), Autodiff(), "cells").L

    seconds = median_time(task)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
    arrays = [points, velocity, *cells, task()]
    size = sum(each.nbytes for each in arrays)
    return {"cells": len(cells[0]), "time": seconds, "copy": _copy_time(arrays), "bytes": size, "peak": peak}


def _copy_time(arrays: list[np.ndarray]) -> float:
    """Seconds to copy arrays into memory that exists."""
    copies = [each.copy() for each in arrays]

    def task() -> None:
        for goal, source in zip(copies, arrays, strict=True):
            np.copyto(goal, source)

    return median_time(task)
