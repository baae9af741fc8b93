"""``flowgrad run`` on 200 files as whole processes, with one worker, with two, and with two of Dask; a series."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from flowgrad import FiniteDifference, Flow, Mesh, Series, velocity_gradient, velocity_gradients
from flowgrad.exact import Vortices
from flowgrad.io import write_vtu
from flowgrad.mesh.generate import block
from scripts.benchmarks.measuring import Rows, Sizes, Speed, timed

FILES = 200
# Of two workers to one, and of Dask's two to ours.
_ASKED, _ASKED_OF_DASK = 1.7, 1 / 1.15
_ASKED_OF_SERIES = 4.0
_TURNS = 3


def batch(sizes: Sizes) -> Rows:
    """Medians of three turns; every file has a mesh of its own, kernels run on one thread."""
    yield from series(sizes)
    with tempfile.TemporaryDirectory() as folder:
        cells = _write(Path(folder), sizes.files)
        ways = {"one": ["--jobs", "1"], "two": ["--jobs", "2"], "dask": ["--jobs", "2", "--engine", "dask"]}
        times = [{name: _run(Path(folder), words) for name, words in ways.items()} for _ in range(_TURNS)]
        one, two, dask = (float(np.median([turn[name] for turn in times])) for name in ways)
    what = f"`run --jobs 2` on {FILES} files of {cells:,} cells"
    yield Speed(what, two, "--jobs 1", one, _ASKED)
    yield Speed(f"{what}, --engine dask", dask, "the local engine", two, _ASKED_OF_DASK)


def _write(folder: Path, edge: int) -> int:
    """Blocks of tetrahedra, their points moved by a little in each file; the number of their cells."""
    mesh, generator = block("tetra", edge, 2 * np.pi), np.random.default_rng(0)
    (folder / "in").mkdir()
    for number in range(FILES):
        moved = Mesh(mesh.points + generator.normal(0, 1e-3, mesh.points.shape), mesh.cells)
        write_vtu(folder / f"in/{number:03}.vtu", moved, {"U": Vortices().velocity(moved.points)})
    return len(mesh)


def _run(folder: Path, words: list[str]) -> float:
    """Seconds of a run; with its byte code kept, as that of an installed package is."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    command = [sys.executable, "-m", "flowgrad", "run", "in/*.vtu", "-o", "out", *words]
    command += ["--threads", "1", "--no-report", "-q"]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
    return timed(lambda: subprocess.run(command, check=True, cwd=folder, env=environment))


def series(sizes: Sizes) -> Rows:
    """200 steps on one mesh at order 3, as a series and as single calls."""
    mesh, scheme = block("tetra", sizes.step, 2 * np.pi), FiniteDifference(order=3, lattice=False)
    velocities = [(1 + number / FILES) * Vortices().velocity(mesh.points) for number in range(FILES)]

    def together() -> None:
        steps = Series.from_arrays(Mesh(mesh.points, mesh.cells), np.arange(float(FILES)), velocities)
        for gradient in velocity_gradients(steps, scheme):
            assert gradient.valid.all()

    def alone() -> None:
        for velocity in velocities:
            velocity_gradient(Flow(Mesh(mesh.points, mesh.cells), velocity, "points"), scheme)

    velocity_gradient(Flow(Mesh(mesh.points, mesh.cells), velocities[0], "points"), scheme)
    what = f"{FILES} steps on one mesh of {len(mesh):,} tetrahedra, order 3"
    yield Speed(what, timed(together), f"{FILES} single calls", timed(alone), _ASKED_OF_SERIES)
