"""VTU files of a million tetrahedra and of four: read and written beside VTK, each in processes of its own."""

from __future__ import annotations

import json
import re
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from flowgrad.exact import Vortices
from flowgrad.mesh.generate import block
from scripts.benchmarks.measuring import Accuracy, Rows, Sizes, Speed, timed
from tests.vtk_peer import vtk_grid

ROOT = Path(__file__).resolve().parent.parent.parent
# Run in a process of its own, so that nothing else has used the memory.
_CHILD = """
import json, sys
sys.path.insert(0, sys.argv[1])
from scripts.benchmarks import files
print(json.dumps(getattr(files, sys.argv[2])(*sys.argv[3:])))
"""
# Processes for each, in turn as other users of the machine come and go; runs in each. Their medians count.
_TURNS, _RUNS = 3, 3
_STATUS = Path("/proc/self/status")
# Of ru_maxrss: kilobytes, on macOS bytes.
_UNIT = 1 if sys.platform == "darwin" else 1024
# Four times the cells: 55³ to 87³ cubes.
_FOUR = 4 ** (1 / 3)

Found = dict[str, float]


def files(sizes: Sizes) -> Rows:
    """Times to read and to write, and the peak memory of reading over that before it."""
    with tempfile.TemporaryDirectory() as folder:
        few, many = Path(folder) / "few.vtu", Path(folder) / "many.vtu"
        cells = [_child("prepare", str(sizes.tetrahedra), str(few))["cells"]]
        cells.append(_child("prepare", str(round(sizes.tetrahedra * _FOUR)), str(many))["cells"])
        asked = {"read_ours": few, "read_theirs": few, "read_many": many, "write_ours": few, "write_theirs": few}
        found: dict[str, list[Found]] = {name: [] for name in asked}
        for _ in range(_TURNS):
            for name, path in asked.items():
                found[name].append(_child(name.replace("_many", "_ours"), str(path)))
        size = few.stat().st_size / 1e6
    yield from _rows({name: _median(runs) for name, runs in found.items()}, cells, size)


def _rows(found: dict[str, Found], cells: list[float], size: float) -> Rows:
    seconds = {name: each["seconds"] for name, each in found.items()}
    what = f"a VTU of {cells[0]:,} tetrahedra (raw, zlib, {size:.3g} MB)"
    limit = "1.5 times vtkXMLUnstructuredGridReader"
    yield Speed(f"{what} read", seconds["read_ours"], limit, 1.5 * seconds["read_theirs"], 1.0)
    more = cells[1] / cells[0] * 4.5 / 4
    yield Speed(
        f"one of {cells[1]:,}", seconds["read_many"], f"{more:.3g} times {cells[0]:,}", more * seconds["read_ours"], 1
    )
    writer = "vtkXMLUnstructuredGridWriter"
    yield Speed(f"written (raw, {cells[0]:,})", seconds["write_ours"], writer, seconds["write_theirs"], 1.0)
    peak = f"VTK {found['read_theirs']['peak']:.0f}"
    yield Accuracy(f"MB of memory to read {what}, over those before", (found["read_ours"]["peak"],), peak, (200.0,))


def _child(task: str, *arguments: str) -> Found:
    command = [sys.executable, "-c", _CHILD, str(ROOT), task, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: Found = json.loads(done.stdout)
    return found


def _median(runs: list[Found]) -> Found:
    return {name: statistics.median(run[name] for run in runs) for name in runs[0]}


def prepare(edge: str, path: str) -> Found:
    """Write the block of tetrahedra and its velocity at the points, as VTK writes it: appended raw, zlib."""
    grid = _grid(int(edge))
    _writer(grid, path, compressed=True).Write()
    return {"cells": grid.GetNumberOfCells()}


def _grid(edge: int) -> Any:
    mesh = block("tetra", edge + 1, 2 * np.pi)
    return vtk_grid(mesh, Vortices().velocity(mesh.points))


def _writer(grid: Any, path: str, compressed: bool) -> Any:
    from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridWriter

    writer = vtkXMLUnstructuredGridWriter()
    writer.SetInputData(grid)
    writer.SetFileName(path)
    writer.SetHeaderTypeToUInt64()
    writer.EncodeAppendedDataOff()
    if not compressed:
        writer.SetCompressorTypeToNone()
    return writer


def read_ours(path: str) -> Found:
    """Seconds and megabytes of :func:`flowgrad.io.read_contents`."""
    from flowgrad.io import read_contents

    return _measured(lambda: read_contents(path))


def read_theirs(path: str) -> Found:
    """The same of VTK's reader."""
    return _measured(lambda: _read_with_vtk(path))


def _read_with_vtk(path: str) -> Any:
    from vtkmodules.vtkIOXML import vtkXMLUnstructuredGridReader

    reader = vtkXMLUnstructuredGridReader()
    reader.SetFileName(path)
    reader.Update()
    return reader.GetOutput()


def write_ours(path: str) -> Found:
    """Seconds of :func:`flowgrad.io.write_vtu`, uncompressed as it always is."""
    from flowgrad.io import read_contents, write_vtu

    contents, goal = read_contents(path), Path(f"{path}.ours.vtu")
    return _measured(lambda: write_vtu(goal, contents.mesh, contents.point_data))


def write_theirs(path: str) -> Found:
    """The same of VTK's writer, uncompressed too."""
    writer = _writer(_read_with_vtk(path), f"{path}.theirs.vtu", compressed=False)

    def task() -> None:
        writer.Modified()
        writer.Write()

    return _measured(task)


def _measured(task: Callable[[], object]) -> Found:
    """Median seconds, and megabytes that the process grows by in the first run."""
    before, first = _peak(), timed(task)
    grown = _peak() - before
    return {"seconds": statistics.median([first, *(timed(task) for _ in range(_RUNS - 1))]), "peak": grown / 1e6}


def _peak() -> float:
    """Of this process alone: ru_maxrss begins with its parent's on Linux."""
    if _STATUS.exists():
        found = re.search(r"VmHWM:\s*(\d+) kB", _STATUS.read_text())
        assert found is not None
        return 1024 * int(found[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT
