#!/usr/bin/env python3
"""What the report of many files costs: seconds beyond the computation, and megabytes.

Usage: scripts/report_speed.py [FILES] [--jobs N] [--viscosity] [--keep FOLDER]
"""

from __future__ import annotations

import argparse
import logging
import os
import shutil
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flowgrad.batch.run import run
from flowgrad.batch.settings import Cases, Settings
from flowgrad.io import write_vtu
from flowgrad.mesh.generate import block
from flowgrad.pipeline.options import Options

CELLS = 40


def main() -> None:
    """Print the times with and without a report, and the sizes of its parts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=int, nargs="?", default=200)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--viscosity", action="store_true", help="a fluid that is known: more pictures")
    parser.add_argument("--keep", type=Path, help="folder of the results (default: none are kept)")
    args = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    home = args.keep or Path(tempfile.mkdtemp())
    try:
        files = [write_step(home / "input" / f"step_{i:04d}.vtu", i / args.files) for i in range(args.files)]
        options = Options(viscosity="eta" if args.viscosity else None)
        bare = timed(files, home / "without", options, args.jobs, report=False)
        full = timed(files, home / "with", options, args.jobs, report=True)
        tell(home / "with", args.files, bare, full)
    finally:
        if args.keep is None:
            shutil.rmtree(home)


def write_step(path: Path, time_: float) -> Path:
    """Counter-rotating vortices that grow with time, with the viscosity of a Carreau fluid."""
    path.parent.mkdir(parents=True, exist_ok=True)
    mesh = block("quad", CELLS + 1, 2 * np.pi)
    x, y, _ = mesh.points.T
    speed = 0.2 + time_
    velocity = speed * np.column_stack([np.sin(x) * np.cos(y), -np.cos(x) * np.sin(y), 0 * x])
    rate = 2 * speed * np.abs(np.cos(x) * np.cos(y))
    viscosity = 0.01 + 0.99 * (1 + (5 * rate) ** 2) ** -0.3
    write_vtu(path, mesh, {"U": velocity, "eta": viscosity}, {}, {"TimeValue": np.array([time_])})
    return path


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and seconds that the processors worked, which other programs hardly change."""

    clock: float
    processors: float


def timed(files: list[Path], folder: Path, options: Options, jobs: int, report: bool) -> Cost:
    """What a run costs."""
    start, before = time.perf_counter(), worked()
    records = run(files, folder, Cases(options), Settings(jobs=jobs, no_report=not report))
    if failed := [each.reason for each in records if each.reason]:
        raise SystemExit(f"{len(failed)} files failed: {failed[0]}")
    return Cost(time.perf_counter() - start, worked() - before)


def worked() -> float:
    """Seconds of all processors until now, in this process and in those that have ended."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system


def tell(folder: Path, count: int, bare: Cost, full: Cost) -> None:
    """One line a number."""
    pages = sum(path.stat().st_size for path in (folder / "report").glob("*.html"))
    index = (folder / "report.html").stat().st_size
    print(f"{count} files: {bare.clock:.1f} s without a report, {full.clock:.1f} s with one")
    more = full.processors - bare.processors
    print(f"beyond: {full.clock - bare.clock:.1f} s, of the processors {more:.1f} s ({more / count:.2f} s a file)")
    print(f"index {index / 1e6:.2f} MB, pages {pages / 1e6:.2f} MB ({pages / count / 1e3:.0f} kB each)")


if __name__ == "__main__":
    main()
