"""Walls of a large mesh: what their shear rates, and the errors of these, cost beside the velocity gradient."""

from __future__ import annotations

import statistics

import numpy as np

from flowgrad import Mesh, at_walls, velocity_gradient
from flowgrad.mesh.generate import block
from scripts.benchmarks.measuring import Rows, Sizes, Speed, fresh, timed

# Seconds that walls may cost besides.
_MOST = 1.0


def walls(sizes: Sizes) -> Rows:
    """All walls of a box of a million cells, after the gradient of the same flow, on a new mesh each time."""
    cubes = round(sizes.tetrahedra * 6 ** (1 / 3))
    for kind, n, location in (("tetra", sizes.tetrahedra, "points"), ("hexahedron", cubes, "cells")):
        mesh = block(kind, n + 1, 1.0)
        times = [_times(mesh, location) for _ in range(4)][1:]
        gradient, on_walls, errors = (statistics.median(each) for each in zip(*times, strict=True))
        of = f"{len(mesh):,} {kind} cells, values at {location}"
        yield Speed(f"walls of {of}", on_walls, "the gradient of that flow", gradient, gradient / _MOST)
        yield Speed(f"their estimated errors, {of}", errors, "the gradient of that flow", gradient)


def _times(mesh: Mesh, location: str) -> tuple[float, float, float]:
    """Seconds of the gradient, of the walls after it, and of the errors on them."""
    x = mesh.points if location == "points" else mesh.centroids
    flow = fresh(mesh, np.sin(3 * x) * (x * (1 - x)).prod(axis=1, keepdims=True), location)
    gradient = timed(lambda: velocity_gradient(flow))
    found = []
    at_rest = None if location == "points" else 0.0
    on_walls = timed(lambda: found.append(at_walls(flow, lambda x: np.full(len(x), True), wall_velocity=at_rest)))
    return gradient, on_walls, timed(lambda: found[0].error)
