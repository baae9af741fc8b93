#!/usr/bin/env python3
"""Comparison of two commits, bit for bit: what each computes from the flows in data/.

    scripts/compare_commits.py OLD [NEW]

Both commits (NEW: the working tree) run in this environment, each from its own checkout, on this checkout's data: L of
every scheme that fits, its quantities, errors and second derivatives, the separation with its verdict and evidence,
walls, particles, and the JSON files of ``flowgrad run``. Prints what differs, what is missing and what is new; exit 1
where something differs or is missing.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SCHEMES = ("auto", "autodiff", *(f"finite-difference(order={order})" for order in (1, 2, 3)))
# What names the program, the place or the time, and not a result.
PASSING = ("version", "seconds", "date", "path", "source", "command", "flowgrad", "numba", "numpy", "scipy", "python")


def digest(value: Any) -> str:
    """An array by its type, shape and bytes; anything else as text."""
    if hasattr(value, "tobytes"):
        return f"{value.dtype}{value.shape} {hashlib.sha256(value.tobytes()).hexdigest()[:16]}"
    return value.__repr__() if isinstance(value, float) else str(value)


def computed(path: Path, options: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """Named results of the public calls on one file."""
    import flowgrad

    boundary = options.get("boundary")
    flow = flowgrad.read(path, boundary=boundary)
    for scheme in SCHEMES:
        for at in ("points", "cells"):
            name = f"{path.name}/{scheme}/{at}"
            try:
                gradient = flowgrad.velocity_gradient(flow, scheme, at, error=True)
            except flowgrad.FlowgradError:
                yield name, "refused"
                continue
            yield f"{name}/L", gradient.L
            yield f"{name}/error", gradient.error
            yield f"{name}/notes", gradient.notes
            if scheme == "auto":
                for quantity in flowgrad.QUANTITIES:
                    try:
                        yield f"{name}/{quantity}", gradient[quantity]
                    except flowgrad.FlowgradError:
                        yield f"{name}/{quantity}", "refused"
    yield f"{path.name}/hessian", flowgrad.velocity_gradient(flow, "finite-difference(order=2)", second=True)["hessian"]
    known = {key: options[key] for key in ("viscosity", "stress") if key in options}
    if known:
        yield from separated(path.name, flowgrad.separate(flowgrad.velocity_gradient(flow), **known))
    if flow.boundary:
        walls = flowgrad.at_walls(flow)
        for field, values in walls.arrays.items():
            yield f"{path.name}/walls/{field}", values


def separated(name: str, separation: Any) -> Iterator[tuple[str, Any]]:
    """Verdict, sentence, fit and fields of a separation."""
    yield f"{name}/verdict", separation.verdict
    yield f"{name}/sentence", separation.sentence
    yield f"{name}/fit", separation.fit
    for field in (
        "eta",
        "stress",
        "newtonian_part",
        "generalized_part",
        "unexplained_part",
        "N1",
        "N2",
        "label",
        "region",
    ):
        yield f"{name}/{field}", getattr(separation, field)
    for number in ("eta_newtonian", "shares", "unexplained", "evidence", "fits", "notes"):
        yield f"{name}/{number}", getattr(separation, number)


def numbers(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """The leaves of a JSON document by their paths."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in PASSING:
                yield from numbers(inner, f"{name}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from numbers(inner, f"{name}[{index}]")
    else:
        yield name, value


def results(data: Path) -> dict[str, str]:
    """Everything that the flowgrad on the path computes from the flows in a folder."""
    cases = tomllib.loads((data / "cases.toml").read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    for path in sorted(data.glob("*.vtu")):
        found |= {name: digest(value) for name, value in computed(path, cases.get(path.stem, {}))}
    plain = [path for path in sorted(data.glob("*.vtu")) if "boundary" not in cases.get(path.stem, {})]
    patched = [path for path in sorted(data.glob("*.vtu")) if path not in plain]
    return found | documents(plain, data) | documents(patched, data, "--walls", "auto")


def documents(files: list[Path], data: Path, *options: str) -> dict[str, str]:
    """The JSON files of ``flowgrad run``."""
    found = {}
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "flowgrad", "run", *map(str, files), "-o", out, *options, "--no-report", "-q"]
        subprocess.run([*command, "--cases", str(data / "cases.toml")], check=True, cwd=out)
        for path in files:
            document = json.loads((Path(out) / f"{path.stem}.json").read_text(encoding="utf-8"))
            found |= {f"run/{name}": digest(value) for name, value in numbers(document, path.name)}
    return found


def checked_out(commit: str | None, folder: Path) -> Path:
    """A folder with the commit; this checkout for none."""
    if commit is None:
        return ROOT
    archive = subprocess.run(["git", "-C", ROOT, "archive", commit], check=True, capture_output=True).stdout
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
    return folder


def run(code: Path) -> dict[str, str]:
    """The results of the flowgrad in a folder, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(code)}
    command = [sys.executable, __file__, "--results", str(ROOT / "data")]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment, cwd=ROOT.parent)
    return json.loads(done.stdout)


def main() -> int:
    """Compare, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("old", nargs="?", metavar="OLD")
    parser.add_argument("new", nargs="?", metavar="NEW", help="default: the working tree")
    parser.add_argument("--results", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.results:
        print(json.dumps(results(args.results)))
        return 0
    if not args.old:
        parser.error("name the old commit")
    with tempfile.TemporaryDirectory() as folder:
        old = run(checked_out(args.old, Path(folder) / "old"))
        new = run(checked_out(args.new, Path(folder) / "new"))
    differing = [name for name in old if name in new and new[name] != old[name]]
    missing = [name for name in old if name not in new]
    for name in differing:
        print(f"differs  {name}\n    old {old[name][:300]}\n    new {new[name][:300]}")
    for name in missing:
        print(f"missing  {name}: {old[name][:100]}")
    added = sorted({name.partition("[")[0] for name in new if name not in old})
    print(
        f"{len(old)} results: {len(differing)} differ, {len(missing)} missing; {len(added)} names are new: {added[:20]}"
    )
    return bool(differing or missing)


if __name__ == "__main__":
    raise SystemExit(main())
