#!/usr/bin/env python3
"""Speed and accuracy beside VTK, NumPy, findiff and PyVista, measured in one run: the tables of the README.

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
        memory,
        paths,
        processes,
        unstructured,
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
    "lattices": lattices.lattices,
    "estimate": unstructured.estimate,
    "functions": functions.functions,
    "kinematics": kinematics.kinematics,
    "paths": paths.paths,
    "processes": processes.processes,
    "files": files.files,
    "batch": batch.batch,
}
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
    """The tables in Markdown."""
    machine = f"{processor()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    lines = [
        f"Measured {datetime.date.today()} on {machine}, {', '.join(_versions())} by `scripts/benchmark.py` (medians).",
        "",
        "| seconds for L | flowgrad | beside | | ratio |",
        "|---|---|---|---|---|",
        *(row.markdown() for row in rows if isinstance(row, Speed)),
        "",
        "| error of L | flowgrad | beside |",
        "|---|---|---|",
        *(row.markdown() for row in rows if isinstance(row, Accuracy)),
        "",
        _LEGEND,
        *accuracy.LEGEND,
    ]
    return "\n".join(lines)


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


def write(text: str) -> None:
    """Put the tables into README.md."""
    readme = ROOT / "README.md"
    pattern = re.compile(r"(<!-- benchmark -->\n).*(<!-- end -->)", re.DOTALL)
    readme.write_text(pattern.sub(lambda m: f"{m[1]}{text}\n{m[2]}", readme.read_text()))


def main() -> None:
    """Print the tables; with --write put the comparisons into the README."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help="put what has a peer into README.md")
    parser.add_argument("--only", choices=tuple(SUBJECTS), metavar="NAME", help=f"one of {', '.join(SUBJECTS)}")
    parser.add_argument(
        "--small", action="store_true", help="small meshes, to try the script: the numbers mean nothing"
    )
    args = parser.parse_args()
    if args.write and (args.only or args.small):
        parser.error("--write puts all tables into the README: leave out --only and --small")
    rows = list(measured([args.only] if args.only else list(SUBJECTS), SMALL if args.small else FULL))
    print(tables(rows))
    if args.write:
        write(tables([row for row in rows if row.peer]))


if __name__ == "__main__":
    main()
