#!/usr/bin/env python3
"""Viscosity from velocity alone in a nozzle with a sudden expansion, as magnetic resonance measures it: voxels with
noise, of a Newtonian fluid and of one that thins as blood does.

Usage: scripts/nozzle.py [--voxel MM] [--speed MM/S] [--seeds N]   (needs flowgrad[benchmark]; minutes)

The nozzle is that of Hariharan et al. (2011, J. Biomech. Eng. 133, 041002); blood is Carreau's law with the numbers of
Cho & Kensey (1991, Biorheology 28, 241). Millimetres, seconds, grams: viscosities are in Pa s.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from skfem import Basis, ElementTriP2, MeshQuad, MeshTri

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flowgrad import Flow, Lattice, identify_viscosity
from flowgrad.momentum.identification import Identification
from flowgrad.rheology.model import Model
from flowgrad.rheology.models import MODELS
from flowgrad.spec import parse
from scripts.flows.solver import steady_flow

LAWS = {
    "Newtonian": "newtonian(eta=0.0035)",
    "blood": "carreau(eta0=0.056, eta_inf=0.00345, lam=3.313, n=0.3568)",
}
DENSITY = 1.06e-3
# Distances from the expansion along the axis, and the radii there; the outlet.
WALL_Z, WALL_R = (-72.685, -62.685, -40.0, 0.0), (6.0, 6.0, 2.0, 2.0)
OUTLET, WIDE = 80.0, 6.0
SEEN = -8.0, 16.0
NOISE = 0.0, 0.03, 0.1
# Velocities are averaged over so many places a side of a voxel.
SIDE = 4


def main() -> None:
    """Print a line for each fluid, noise and seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--voxel", type=float, default=0.4, metavar="MM", help="side of a voxel (default: 0.4)")
    parser.add_argument("--speed", type=float, default=100.0, metavar="MM/S", help="mean speed in the throat")
    parser.add_argument("--seeds", type=int, default=1, metavar="N", help="noises of each size")
    args = parser.parse_args()
    print("| fluid | noise | seed | verdict | decades | within its interval | claimed within 10 % | error there |")
    print("|---" * 8 + "|")
    mesh = nozzle()
    for fluid, text in LAWS.items():
        law = parse(text, MODELS, "law")
        means = averaged(mesh, solved(mesh, law, args.speed), args.voxel)
        for part in NOISE:
            for seed in range(args.seeds if part else 1):
                flow = noisy(means, part, seed)
                start = time.perf_counter()
                found = identify_viscosity(flow, density=DENSITY, steady=True)
                print(f"| {fluid} | {part:.0%} | {seed} | {_columns(found, law)}", flush=True)
                print(f"{time.perf_counter() - start:.1f} s: {found.sentence}", file=sys.stderr, flush=True)


def nozzle() -> MeshTri:
    """The half of its meridian plane, drawn together at the expansion."""
    upstream = np.concatenate(
        [np.linspace(-72.685, -40, 24)[:-1], np.linspace(-40, -12, 20)[:-1], -12 * np.linspace(1, 0, 36) ** 1.5]
    )
    across = np.linspace(0, 1, 13)
    straight = MeshQuad.init_tensor(upstream, across).to_meshtri()
    z, part = straight.p
    narrow = MeshTri(np.stack([z, np.interp(z, WALL_Z, WALL_R) * part]), straight.t)
    downstream = np.concatenate([20 * np.linspace(0, 1, 40)[:-1] ** 1.3, np.linspace(20, OUTLET, 36)])
    radii = np.concatenate([WALL_R[-1] * across, 2 + 4 * np.linspace(0, 1, 17)[1:] ** 1.2])
    return narrow + MeshQuad.init_tensor(downstream, radii).to_meshtri()


def solved(mesh: MeshTri, law: Model, speed: float) -> Flow:
    """The flow with a ``speed`` on the mean in the throat, from a parabola in the inlet."""

    def velocity(x: np.ndarray) -> np.ndarray:
        u = np.where(x[0] < WALL_Z[0] + 1e-9, 2 * speed / 9 * (1 - (x[1] / WIDE) ** 2), 0.0)
        return np.stack([u, 0 * u])

    return steady_flow(
        mesh, law, DENSITY, lambda x: (x[0] < OUTLET - 1e-6) & (x[1] > 1e-6), velocity, axisymmetric=True
    )


def averaged(mesh: MeshTri, exact: Flow, side: float) -> Flow:
    """Means over cubic voxels in a plane through the axis, both sides of it; voxels that are not wholly inside the
    nozzle are left out."""
    z = np.arange(SEEN[0] + side / 2, SEEN[1], side)
    y = side * np.arange(-int(WIDE / side), int(WIDE / side) + 1)
    lattice = Lattice.rectilinear(z, y)
    places = ((np.arange(SIDE) + 0.5) / SIDE - 0.5) * side
    # Both sides of the plane are alike.
    steps = np.stack(np.meshgrid(places, places, places[places > 0], indexing="ij"), axis=-1).reshape(-1, 3)
    x = lattice.points[:, None, :] + steps
    r = np.hypot(x[..., 1], x[..., 2])
    wall = np.where(x[..., 0] < 0, np.interp(x[..., 0], WALL_Z, WALL_R), WIDE)
    inside = (r < wall).all(axis=1)
    x, r = x[inside], r[inside]
    at = Basis(mesh, ElementTriP2()).probes(np.stack([x[..., 0].ravel(), r.ravel()]))
    u = (at @ exact.velocity).reshape(*r.shape, 3)
    velocity = np.full((len(lattice.points), 3), np.nan)
    velocity[inside] = np.stack([u[..., 0], u[..., 1] * x[..., 1] / r, 0 * r], axis=-1).mean(axis=1)
    return Flow(lattice, velocity, "points", axisymmetric="x")


def noisy(means: Flow, part: float, seed: int) -> Flow:
    """With normal noise of so large a part of the largest speed, which has to be found."""
    noise = np.random.default_rng(seed).normal(size=means.velocity.shape) * [1, 1, 0]
    largest = np.nanmax(np.linalg.norm(means.velocity, axis=1))
    return replace(means, velocity=means.velocity + part * largest * noise, noise="auto")


def _columns(found: Identification, law: Model) -> str:
    """Verdict, decades of the curve, the part of it where η is within the interval, the part where that is within 10 %,
    and the largest error there; up to a factor, that of the means, where that is not known."""
    if not len(found.rate):
        return f"{found.verdict} | 0 | | | |"
    off = np.log(found.viscosity / law.viscosity(found.rate))
    width = np.log(found.upper / found.viscosity)
    off -= 0 if found.is_absolute else off.mean()
    claimed = width < np.log(1.1)
    worst = f"{np.expm1(np.abs(off[claimed]).max()):.1%}" if claimed.any() else ""
    factor = "" if found.is_absolute else ", but for a factor"
    decades = np.log10(found.rate[-1] / found.rate[0])
    holds = np.mean(np.abs(off) <= width)
    return f"{found.verdict}{factor} | {decades:.2f} | {holds:.0%} | {claimed.mean():.0%} | {worst} |"


if __name__ == "__main__":
    main()
