#!/usr/bin/env python3
"""Speed and accuracy beside VTK, NumPy, findiff and PyVista, measured in one run: the tables of
docs/benchmarks.md, some rows of which stand in the README.

Usage: scripts/benchmark.py [--write] [--only NAME] [--small]   (needs the extra flowgrad[benchmark])
Of the functions' peers, those are measured that are installed: pip install torch jax autograd (torch's newest brings
gigabytes of CUDA; a build for the CPU does).
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import re
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

try:
    from scripts.benchmarks import (
        batch,
        files,
        functions,
        kinematics,
        lattices,
        layers,
        memory,
        noise,
        paths,
        processes,
        rheology,
        unstructured,
        walls,
    )
    from scripts.benchmarks.measuring import FULL, SMALL, Accuracy, Row, Rows, Sizes, Speed
    from scripts.convergence import accuracy
except ModuleNotFoundError as missing:
    sys.exit(f"scripts/benchmark.py needs {missing.name}: pip install 'flowgrad[benchmark]'")

SUBJECTS: dict[str, Callable[[Sizes], Rows]] = {
    "autodiff": processes.autodiff,
    "memory": memory.memory,
    "accuracy": accuracy.rows,
    "box": unstructured.box,
    "series": unstructured.series,
    "layers": layers.layers,
    "walls": walls.walls,
    "lattices": lattices.lattices,
    "estimate": unstructured.estimate,
    "functions": functions.functions,
    "kinematics": kinematics.kinematics,
    "paths": paths.paths,
    "processes": processes.processes,
    "rheology": rheology.rheology,
    "noise": noise.noise,
    "files": files.files,
    "batch": batch.batch,
}
# How the rows of the README begin.
HEADLINES = (
    "autodiff at points, 998,250",
    "J(56), order 2",
    "image 128³, order 2",
    "L of a function at 1,000,000 points",
    "eigenvalues of 1,000,000 symmetric",
    "FTLE of 1,000,000",
    "whole process",
    "a VTU of",
    "T(81), cell data (samples)",
    "linear flow: tetrahedra, cell",
    "linear flow: polyhedra",
    "layer round a cylinder, triangles, AR 1000",
    "walls of a solved annulus, cell data, AR 1000",
)
_PACKAGES = ("flowgrad", "numpy", "numba", "vtk", "pyvista", "findiff", "torch", "autograd", "jax")


_LEGEND = """In brackets VTK with its threads (STDThread); flowgrad uses all cores, and a new mesh each time: its whole
topology counts. `python -m scripts.convergence` measures the errors down to σ_L on your machine."""


def measured(names: list[str], sizes: Sizes) -> Iterator[Row]:
    """The rows of some subjects, each printed as it comes, with what was asked for."""
    for name in names:
        for row in SUBJECTS[name](sizes):
            verdict = row.verdict() if sizes == FULL else ""
            print(f"{row.markdown()} {verdict}", file=sys.stderr, flush=True)
            yield row


def tables(rows: list[Row]) -> str:
    """The tables in Markdown, with where they were measured and what the names in them mean."""
    return "\n".join([measured_on(), "", *table_lines(rows), "", _LEGEND, *accuracy.LEGEND])


def headlines(rows: list[Row]) -> str:
    """The rows of the README, and where they were measured."""
    chosen = [row for row in rows if any(row.what.startswith(start) for start in HEADLINES)]
    return "\n".join([*table_lines(chosen), "", measured_on()])


def measured_on() -> str:
    """Day, machine and versions."""
    machine = f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    return (
        f"Measured {datetime.date.today()} on {machine}, {', '.join(_versions())} by `scripts/benchmark.py` (medians)."
    )


def table_lines(rows: list[Row]) -> Iterator[str]:
    """The two tables, of times and of errors."""
    yield from ("| seconds for L | flowgrad | beside | | ratio |", "|---|---|---|---|---|")
    yield from (row.markdown() for row in rows if isinstance(row, Speed))
    yield from ("", "| error of L | flowgrad | beside |", "|---|---|---|")
    yield from (row.markdown() for row in rows if isinstance(row, Accuracy))


def _versions() -> Iterator[str]:
    for name in _PACKAGES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"without {name}"


def processor() -> str:
    """Name of the processor where the system tells it."""
    try:
        found = re.search(r"model name\s*:\s*(.+)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found.group(1).strip() if found else platform.processor() or platform.machine()


def write(rows: list[Row]) -> None:
    """Put the tables into docs/benchmarks.md and the headlines into README.md."""
    pattern = re.compile(r"(<!-- benchmark -->\n).*(<!-- end -->)", re.DOTALL)
    for name, text in (("docs/benchmarks.md", tables(rows)), ("README.md", headlines(rows))):
        page = (ROOT / name).read_text()
        (ROOT / name).write_text(pattern.sub(lambda m, text=text: f"{m[1]}{text}\n{m[2]}", page))  # type: ignore[misc]


def main() -> None:
    """Print the tables; with --write put the comparisons into docs/benchmarks.md and the README."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--write", action="store_true", help="put what has a peer into docs/benchmarks.md and README.md"
    )
    parser.add_argument("--only", choices=tuple(SUBJECTS), metavar="NAME", help=f"one of {', '.join(SUBJECTS)}")
    parser.add_argument(
        "--small", action="store_true", help="small meshes, to try the script: the numbers mean nothing"
    )
    args = parser.parse_args()
    if args.write and (args.only or args.small):
        parser.error("--write puts all tables into the documentation: leave out --only and --small")
    rows = list(measured([args.only] if args.only else list(SUBJECTS), SMALL if args.small else FULL))
    print(tables(rows))
    if args.write:
        write([row for row in rows if row.peer and (isinstance(row, Accuracy) or row.is_compared)])


if __name__ == "__main__":
    main()
