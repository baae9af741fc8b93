#!/usr/bin/env python3
"""The drag on Stokes' sphere from the traction on its wall, against 6πμaU: on meshes made here, with the exact
velocity and pressure at their points or cells.

Usage: scripts/stokes_drag.py
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from flowgrad.exact import StokesSphere
from flowgrad.flow import Flow
from flowgrad.walls import Walls, at_walls
from scripts.round_meshes import KINDS, sphere_shell

# Quads a side of the cube that is blown up to the sphere, and layers around it.
SIZES = ((8, 4), (16, 8), (24, 12))
OUTER = 1.6


def stokes_flow(kind: str, location: str, n: int, layers: int) -> Flow:
    """Creeping flow U = 1 along z around a sphere of radius 1, with p = −(3/2) μ a U z/r³ for μ = 1."""
    mesh = sphere_shell(kind, n, layers, outer=OUTER, touch="points" if location == "points" else "faces")
    x = mesh.points if location == "points" else mesh.centroids
    r = np.linalg.norm(x, axis=1)
    velocity = StokesSphere().velocity(x)
    velocity[r < 1 + 1e-12] = 0
    known = {"point_data" if location == "points" else "cell_data": {"p": -1.5 * x[:, 2] / r**3}}
    return Flow(mesh, velocity, location, **known)


def on_sphere(centers: np.ndarray) -> np.ndarray:
    """Whether boundary faces with these centroids (b, 3) are those of the sphere."""
    return np.linalg.norm(centers, axis=1) < 0.5 * (1 + OUTER)


def walls_of(flow: Flow) -> Walls:
    """The sphere's wall, at rest."""
    still = 0.0 if flow.location == "cells" else None
    return at_walls(flow, on_sphere, viscosity=1.0, pressure="p", wall_velocity=still)


def main() -> None:
    """Print the drag and its two parts over their exact values."""
    parts = f"{'drag/6π':>9} {'pressure/2π':>12} {'viscous/4π':>11}"
    print(f"{'cells':10} {'velocity at':11} {'faces':>6} {'cells':>7} {parts}")
    for kind in KINDS:
        for location in ("points", "cells"):
            for n, layers in SIZES:
                walls = walls_of(stokes_flow(kind, location, n, layers))
                drag, pressure, viscous = (
                    force[2] / share / np.pi
                    for force, share in ((walls.force(), 6), (walls.pressure_force(), 2), (walls.viscous_force(), 4))
                )
                size = f"{len(walls):6} {len(walls.flow.mesh):7}"
                print(f"{kind:10} {location:11} {size} {drag:9.5f} {pressure:12.5f} {viscous:11.5f}")


if __name__ == "__main__":
    main()
