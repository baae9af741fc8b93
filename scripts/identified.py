#!/usr/bin/env python3
"""Viscosity from velocity alone on flows that are solved for: how far η is off, and how often the class is right.

Usage: scripts/identified.py [--noise N] [--large]   (needs the extra flowgrad[benchmark]; minutes)
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flowgrad import Flow, identify_viscosity
from flowgrad.exact import PlanarWaves
from flowgrad.mesh.generate import block
from flowgrad.rheology.model import Model
from flowgrad.rheology.models import MODELS
from flowgrad.spec import parse
from scripts.flows.cases import FINENESS, GEOMETRIES

LAWS = {
    "newtonian": "newtonian(eta=0.02)",
    "carreau": "carreau(eta0=0.2, eta_inf=0.002, lam=3, n=0.4)",
    "power law": "power-law(K=0.05, n=0.6, eta_min=0.0005, eta_max=0.5)",
    "bingham": "papanastasiou-bingham(tau0=0.05, eta=0.02, m=5)",
}


def main() -> None:
    """Print a line for each flow; with --noise the verdicts on so many seeds; with --large the time of 1e5 cells."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--noise", type=int, default=0, metavar="N", help="seeds of 1 %% of the local speed, in a cavity"
    )
    parser.add_argument("--large", action="store_true", help="the time of 1e5 cells")
    args = parser.parse_args()
    if args.noise:
        noisy(args.noise)
    elif args.large:
        large()
    else:
        exact()


def exact() -> None:
    """Every geometry with every fluid, with inertia and without."""
    columns = "flow | inertia | verdict | decades | largest error of η | in two decades | absolute | seconds"
    print(f"| {columns} |\n" + "|---" * 8 + "|")
    for name, geometry in GEOMETRIES.items():
        for fluid, text in LAWS.items():
            law = parse(text, MODELS, "law")
            for density in (1.0, 0.0):
                try:
                    flow = geometry.flow(FINENESS[name], law, density)
                except RuntimeError as error:
                    print(f"{name}, {fluid}: {error}", file=sys.stderr)
                    continue
                start = time.perf_counter()
                found = identify_viscosity(flow, density=1.0, steady=True)
                seconds = time.perf_counter() - start
                decades, error, best = _error(found, law, absolute=found.is_absolute)
                inertia, absolute = ("yes" if each else "no" for each in (density, found.is_absolute))
                line = f"| {name}, {fluid} | {inertia} | {found.verdict} | {decades:.2f} | {error:.1%} |"
                print(f"{line} {best:.1%} | {absolute} | {seconds:.1f} |", flush=True)


def _error(found: object, law: Model, absolute: bool) -> tuple[float, float, float]:
    """Decades of shear rate that are known, and the largest relative error there and within the best two of them (all,
    where they are fewer), up to a factor if that is open."""
    rate, viscosity = found.rate, found.viscosity  # type: ignore[attr-defined]
    if len(rate) < 2:
        return 0.0, np.nan, np.nan
    logs = np.log(viscosity / law.viscosity(rate))
    last = np.searchsorted(rate, rate * min(100.0, rate[-1] / rate[0]) * (1 - 1e-9))
    windows = [slice(start, end + 1) for start, end in enumerate(last) if end < len(rate)]
    worst = [_largest(logs[each], absolute) for each in windows]
    return float(np.log10(rate[-1] / rate[0])), _largest(logs, absolute), min(worst)


def _largest(logs: np.ndarray, absolute: bool) -> float:
    return float(np.expm1(np.abs(logs if absolute else logs - logs.mean()).max()))


def noisy(seeds: int) -> None:
    """Verdicts on flows in a cavity with noise of 1 % of the local speed."""
    for fluid, text in LAWS.items():
        law = parse(text, MODELS, "law")
        flow = GEOMETRIES["cavity"].flow(FINENESS["cavity"], law, 1.0)
        found: dict[str, int] = {}
        for seed in range(seeds):
            verdict = str(identify_viscosity(_with_noise(flow, seed), density=1.0, steady=True).verdict)
            found[verdict] = found.get(verdict, 0) + 1
        print(f"cavity, {fluid}, noise 1 % of the local speed, {seeds} seeds: {found}", flush=True)


def _with_noise(flow: Flow, seed: int) -> Flow:
    speed = np.linalg.norm(flow.velocity, axis=1, keepdims=True)
    noise = 0.01 * speed * np.random.default_rng(seed).normal(size=flow.velocity.shape)
    noise[:, 2] = 0
    return dataclasses.replace(flow, velocity=flow.velocity + noise)


def large() -> None:
    """The time of 1e5 cells: the velocity of waves at the points of triangles, with nothing to be found."""
    mesh = block("triangle", 225, 2 * np.pi)
    flow = Flow(mesh, PlanarWaves().velocity(mesh.points), "points")
    start = time.perf_counter()
    found = identify_viscosity(flow, density=1.0, steady=True)
    print(f"{len(mesh):,} cells: {time.perf_counter() - start:.1f} s, {found.verdict}")


if __name__ == "__main__":
    main()
