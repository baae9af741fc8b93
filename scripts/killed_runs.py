#!/usr/bin/env python3
"""Kill a run with SIGKILL at random moments, start it again each time, and compare with an undisturbed one.

    scripts/killed_runs.py --files 1000 --damaged 50 --kills 20

Every result must be equal byte for byte, every damaged file named, nothing left half-written, and no file
done twice that had ended before a kill.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import numpy as np

from flowgrad import Cells, Mesh
from flowgrad.io import write_vtu

ENDED = ("done", "failed")


def main() -> None:
    """Say what came of it; exit 1 if anything is not as it must be."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=1000)
    parser.add_argument("--damaged", type=int, default=50)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        print(killed_runs(Path(folder), args.files, args.damaged, args.kills, args.jobs, args.seed))


def killed_runs(folder: Path, files: int, damaged: int, kills: int, jobs: int = 2, seed: int = 0) -> str:
    """Make the files, run them with and without disturbance, and compare; AssertionError where they differ."""
    random.seed(seed)
    bad = make_files(folder / "in", files, damaged, seed)
    start = time.monotonic()
    assert run(folder, "undisturbed", jobs).wait() == (1 if damaged else 0)
    whole = time.monotonic() - start
    survived = [killed(folder, jobs, (kills - number)) for number in range(kills)]
    assert run(folder, "killed", jobs).wait() == (1 if damaged else 0)
    check(folder, files, bad)
    return (
        f"{files} files, {damaged} damaged: {files - damaged} results equal byte for byte to those of an undisturbed "
        f"run ({whole:.0f} s), {damaged} named failures, after {kills} kills, at {survived} files ended"
    )


def make_files(folder: Path, count: int, damaged: int, seed: int) -> set[str]:
    """Small flows in tetrahedra in two folders, some cut off or hit by other bytes; the names of these."""
    generator = np.random.default_rng(seed)
    corners = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 1], [0, 1, 1], [1, 1, 1.0]])
    tetrahedra = np.array([[0, 1, 2, 4], [1, 2, 3, 7], [1, 4, 5, 7], [2, 4, 6, 7], [1, 2, 4, 7]])
    bad = set(generator.permutation(count)[:damaged].tolist())
    for number in range(count):
        path = folder / f"{number % 2}" / f"flow{number:04}.vtu"
        path.parent.mkdir(parents=True, exist_ok=True)
        mesh = Mesh(corners + generator.normal(0, 0.05, corners.shape), Cells.of_type(10, tetrahedra))
        write_vtu(path, mesh, {"U": generator.normal(size=(8, 3))})
        if number in bad:
            damage(path, number)
    return {f"flow{number:04}" for number in bad}


def damage(path: Path, number: int) -> None:
    """Cut a file off, or overwrite its structure."""
    content = path.read_bytes()
    changed = content[: 1 + len(content) * (number % 7) // 7] if number % 2 else content.replace(b"offset=", b"ofsett=")
    path.write_bytes(changed)


def run(folder: Path, name: str, jobs: int) -> subprocess.Popen[bytes]:
    """The command, with the same words each time."""
    words = ["run", "in/**/*.vtu", "-o", name, "--jobs", str(jobs), "--no-report", "-q"]
    return subprocess.Popen(
        [sys.executable, "-m", "flowgrad", *words],
        cwd=folder,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        start_new_session=True,
    )


def killed(folder: Path, jobs: int, kills_left: int) -> int:
    """Start the run and kill it at a random moment; how many files have ended then, in all runs."""
    process, before = run(folder, "killed", jobs), len(ended(folder / "killed"))
    total = sum(1 for _ in (folder / "in").rglob("*.vtu"))
    wanted = before + random.randint(0, 2 * (total - before) // (kills_left + 2))
    while process.poll() is None and len(ended(folder / "killed")) < wanted:
        time.sleep(0.05)
    time.sleep(random.uniform(0, 0.05 if wanted > before else 1))
    (os.killpg if random.random() < 0.5 else os.kill)(process.pid, signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL, "the run ended before it was killed: give more files"
    found = ended(folder / "killed")
    for name, state in found.items():
        assert state == "failed" or same(folder, f"{name}.vtu"), f"{name} is recorded and not whole"
    for path in (folder / "killed").glob("[!.]*.vtu"):
        assert same(folder, path.name), f"{path} is half-written"
    return len(found)


def ended(out: Path) -> dict[str, str]:
    """The state of the files that have ended, by name; AssertionError where one has ended twice."""
    path = out / "manifest.jsonl"
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    records = [json.loads(line) for line in lines if line.endswith(b"}")]
    found = [(each["name"], each["state"]) for each in records if each["state"] in ENDED]
    twice = [name for name, count in Counter(name for name, _ in found).items() if count > 1]
    assert not twice, f"done twice: {twice}"
    return dict(found)


def same(folder: Path, name: str) -> bool:
    """Whether a result is equal to that of the undisturbed run."""
    return (folder / "killed" / name).read_bytes() == (folder / "undisturbed" / name).read_bytes()


def check(folder: Path, files: int, bad: set[str]) -> None:
    """What must hold in the end."""
    results = {path.name for path in (folder / "killed").iterdir()}
    good = [f"flow{number:04}" for number in range(files) if f"flow{number:04}" not in bad]
    shared = {"manifest.jsonl", "run.toml", "summary.csv"}
    assert results == shared | {f"{name}{suffix}" for name in good for suffix in (".vtu", ".json")}
    assert all(same(folder, f"{name}{suffix}") for name in good for suffix in (".vtu", ".json"))
    states = ended(folder / "killed")
    assert {name for name, state in states.items() if state == "failed"} == bad
    assert len(states) == files
    rows = (folder / "killed" / "summary.csv").read_text().splitlines()
    assert len(rows) == files + 1


if __name__ == "__main__":
    main()
